"""Jobs on small networks, timed: one site on one leaf, or sites on a mesh of wide-area links."""

from __future__ import annotations

from itertools import combinations
from typing import Any, cast

from tests.model.samples import network
from tests.training.cases import state_of
from twin.catalogue import catalogue, load_price_book
from twin.model.jobs import TrainingJob
from twin.stages.engine import Engine
from twin.stages.evaluation import Case, Evaluation
from twin.training.phase_capacity import PhaseCapacity
from twin.training.step import Step, step_of
from twin.training.step_inputs import StepInputs
from twin.training.step_timing import NO_LIMIT_REMOVED, Counterfactual

GENEROUS = 1e7
"""Gb/s, more than any job fills."""
EVALUATOR = Engine(catalogue(), load_price_book())


def job_data(**fields: Any) -> dict[str, Any]:
    return {"id": "j", "model": "llama-3.1-8b", "n_global_batch": 256, "recompute": "full", **fields}


def one_site(n_racks: int, n_each: int, kind: str = "H100", gbps: float = GENEROUS, **job: Any) -> dict[str, Any]:
    """Racks of a kind on one leaf."""
    return sites({"a": [(kind, n_each)] * n_racks}, rack_gbps=gbps, **job)


def sites(
    held: dict[str, list[tuple[str, int]]],
    wide_gbps: float = GENEROUS,
    km: float | None = None,
    rack_gbps: float = GENEROUS,
    **job: Any,
) -> dict[str, Any]:
    """Sites of racks, each (kind, how many), on a leaf; leaves joined pairwise, over a fibre where `km` is given."""
    nodes: list[dict[str, Any]] = []
    links: list[dict[str, Any]] = []
    for site, racks in held.items():
        nodes.append({"id": f"{site}-leaf", "kind": "leaf", "site": site})
        for i, (kind, n) in enumerate(racks):
            rack = f"{site}-{i:02d}"
            nodes.append({"id": rack, "kind": "rack", "site": site, "accelerator": kind, "n_accelerators": n})
            links.append({"id": f"{rack}~leaf", "ends": [rack, f"{site}-leaf"], "capacity_gbps": rack_gbps})
    for a, b in combinations(held, 2):
        link = {"id": f"wan-{a}{b}", "ends": [f"{a}-leaf", f"{b}-leaf"], "capacity_gbps": wide_gbps}
        links.append(link | ({"spans": [{"length_km": km}]} if km else {}))
    placement = [{"site": site} for site in held]
    return {
        "sites": [{"id": site} for site in held],
        "nodes": nodes,
        "links": links,
        "jobs": [job_data(**{"placement": placement} | job)],
    }


def evaluated(data: dict[str, Any]) -> Evaluation:
    state, document = state_of(data)
    return EVALUATOR.evaluate(Case(state, document, network(data).document.jobs[0]))


def step(data: dict[str, Any], counterfactual: Counterfactual = NO_LIMIT_REMOVED) -> Step:
    found = evaluated(data)
    assert found.step is not None, found.why_no_step
    if counterfactual == NO_LIMIT_REMOVED:
        return found.step
    return step_of(inputs_of(found), counterfactual)


def inputs_of(found: Evaluation) -> StepInputs:
    """Inputs of the step of an evaluation, with the capacity that all limits leave."""
    job, placed, flows, groups, loads = found.case.job, found.placed, found.flows, found.accelerators, found.loads
    assert job is not None
    assert placed is not None
    assert flows is not None
    assert groups is not None
    assert loads is not None
    return StepInputs(job, placed, flows, groups, loads, cast(PhaseCapacity, found.outcome("job_capacity")))


def seconds(data: dict[str, Any], counterfactual: Counterfactual = NO_LIMIT_REMOVED) -> float:
    return step(data, counterfactual).step_time_s


def reduce_bits(job: TrainingJob) -> float:
    """Bits of all gradients of one replica."""
    return 8.0 * job.gradient_bytes_per_parameter * job.model.n_parameters()


def gather_bits(job: TrainingJob) -> float:
    """Bits of all parameters of one replica."""
    return 8.0 * job.parameter_bytes_per_parameter * job.model.n_parameters()
