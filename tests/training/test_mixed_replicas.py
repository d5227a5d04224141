"""Replicas over hosts of different pace or kind: they run at the pace of their slowest rank."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.model.samples import job_data
from twin.arrays import State
from twin.errors import TwinError
from twin.loading import from_document
from twin.stages.evaluation import Case, Evaluation


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def evaluated(*placement: dict[str, Any], kinds: tuple[str, ...] = ("H100",) * 4, **job: Any) -> Evaluation:
    """Hosts of eight on one leaf; a replica is two of them unless the job says otherwise."""
    hosts = [
        {"id": f"h{i}", "kind": "host", "site": "s", "accelerator": kind, "n_accelerators": 8}
        for i, kind in enumerate(kinds, 1)
    ]
    links = [
        {"id": f"l{i}", "ends": [f"h{i}", "leaf"], "capacity_gbps": 400.0, "n_parallel": 8}
        for i in range(1, len(kinds) + 1)
    ]
    data = {
        "sites": [{"id": "s"}],
        "nodes": [*hosts, {"id": "leaf", "kind": "leaf", "site": "s"}],
        "links": links,
        "jobs": [job_data(**{"parallelism": {"tp": 8, "pp": 2}, "n_global_batch": 64, **job, "placement": placement})],
    }
    network = from_document(data)
    return network._engine.evaluate(Case(State.of(network.arrays), network.document, network.job()))


def step_s(found: Evaluation) -> float:
    assert found.step is not None
    return found.step.step_time_s


SLOW = {"site": "s", "racks": "h3", "pace_ratio": 0.5}
REST = {"site": "s"}


def test_one_slow_host_slows_its_replica() -> None:
    """Both replicas do the same work, so the step is that of four slow hosts."""
    found = evaluated(SLOW, REST)
    assert found.placed is not None
    assert found.placed.n_replicas == 2
    assert step_s(found) == step_s(evaluated({"site": "s", "pace_ratio": 0.5}))
    ids = found.case.state.node_ids
    racks = [sorted({ids[row] for row in group.rack}) for group in found.placed.groups]
    assert racks == [["h1", "h2"], ["h3", "h4"]]
    assert [group.domain.tolist() for group in found.placed.groups][1] == [0] * 8 + [1] * 8
    assert np.array_equal(found.placed.groups[1].slot, np.tile(np.arange(8), 2))


def test_a_balanced_split_gives_the_slow_replica_less() -> None:
    found = evaluated(SLOW, REST, split="balanced")
    assert found.step is not None
    assert found.step.split[0] > found.step.split[1]
    assert step_s(found) < step_s(evaluated(SLOW, REST))


def test_two_odd_hosts_of_different_pace_run_at_the_slower_one() -> None:
    odd = evaluated(SLOW, {"site": "s", "racks": "h4", "pace_ratio": 0.25}, REST)
    assert step_s(odd) == step_s(evaluated({"site": "s", "pace_ratio": 0.25}))


def test_a_host_of_another_kind_sets_the_pace_and_its_memory_the_limit() -> None:
    kinds = ("H100", "H100", "A100-80GB", "H100")
    mixed = evaluated({"site": "s", "accelerator": "A100-80GB"}, {"site": "s", "accelerator": "H100"}, kinds=kinds)
    assert mixed.accelerators is not None
    assert [group.placed.accelerator for group in mixed.accelerators.groups] == ["A100-80GB", "H100"]
    alone = evaluated({"site": "s"}, kinds=("A100-80GB",) * 4)
    assert mixed.step is not None
    assert alone.step is not None
    times_s = {group.accelerator: group.stage_time_s for group in mixed.step.groups}
    assert times_s["A100-80GB"] == alone.step.groups[0].stage_time_s
    assert times_s["H100"] < times_s["A100-80GB"]


def test_the_accelerators_of_the_job_count_once() -> None:
    found = evaluated(SLOW, REST)
    assert found.placed is not None
    assert found.placed.n_allocated == {"H100": 32}


def test_a_placement_that_no_replica_can_hold_is_refused_as_before() -> None:
    """Three hosts left over make a replica of two, and the odd one a replica with the third."""
    with pytest.raises(TwinError, match="no whole replica of 16 accelerators fits"):
        evaluated(SLOW)
    with pytest.raises(TwinError, match="no whole replica of 16 accelerators fits"):
        evaluated(SLOW, {"site": "s", "n_accelerators": 16})
    assert evaluated(SLOW, {"site": "s", "n_accelerators": 24}).step is not None


def test_a_measured_time_of_the_odd_host_counts() -> None:
    found = evaluated({"site": "s", "racks": "h3", "micro_batch_s": 2.0}, REST)
    assert found.step is not None
    assert found.step.groups[-1].stage_time_s == pytest.approx(2.0)
