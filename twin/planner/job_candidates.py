"""Candidates of the job, which cost nothing: its split, exchange, load balancing, cut and sites."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..errors import TwinError
from ..model.job_rules import job_shape_issues
from ..model.jobs import TrainingJob
from ..model.records import LoadBalancing
from ..render.quantities import usd_text
from ..scenario.apply import edited_case, parse_changes
from ..stages.engine import Engine
from ..studies.points import metric_of_case
from .candidate import Candidate
from .link_candidates import candidate
from .situation import Situation

N_CUTS = 2
"""Most cuts of the job that are offered, the fastest alone."""
LOCAL_STEPS = 100
MODES = ("spray", "dlb")
"""Modes of load balancing that are offered."""


def _n_sites(job: TrainingJob | None) -> int:
    return 0 if job is None else len({place.site for place in job.placement})


def balance(found: Situation) -> Iterator[Candidate]:
    """Micro batches in proportion to the pace of each site."""
    if found.job is not None and found.job.split != "balanced":
        change = {"kind": "split_work", "split": "balanced"}
        yield candidate("balance", "balance", f"the split is {found.job.split} today", [change])


def local_sgd(found: Situation) -> Iterator[Candidate]:
    """Exchange between sites once in `LOCAL_STEPS` steps, all at once or in fragments; training loss may rise."""
    job = found.job
    if job is None or _n_sites(job) < 2 or job.is_local_sgd:
        return
    base = {"kind": "synchronise", "sync": "local_sgd", "n_local_steps": LOCAL_STEPS}
    note = f"sites exchange once in {LOCAL_STEPS} steps; the training loss rises"
    yield candidate("local SGD", "local_sgd", note, [base])
    streaming = base | {"n_fragment_layers": 3, "n_overlap_steps": 1, "exchange_bits_per_parameter": 4}
    yield candidate("local SGD, streaming", "local_sgd", f"{note}; three layers at a time, 4 bits", [streaming])


def load_balancing(found: Situation) -> Iterator[Candidate]:
    """Other modes of load balancing in the tiers whose flows collide."""
    if found.job is None or found.today.step is None or not found.today.phase_times:
        return
    records = found.scenario.case.document.load_balancing
    for tier in ("wide_area", "fabric"):
        mode = _mode_of(records, tier)
        for other in MODES:
            if other != mode and mode != "spray":
                change = {"kind": "set_load_balancing", "mode": other, "tier": tier}
                name = f"load balancing {tier}: {other}"
                yield candidate(name, "load_balancing", f"{tier.replace('_', '-')} links balance by {mode}", [change])


def _mode_of(records: tuple[LoadBalancing, ...], tier: str) -> str:
    """Return the mode of a tier: its own record, else that of all tiers, else `ecmp`."""
    own = [record.mode for record in records if record.fabric is None and record.tier in (tier, None)]
    for record in records:
        if record.fabric is None and record.tier == tier:
            return record.mode
    return own[0] if own else "ecmp"


def cut(found: Situation) -> Iterator[Candidate]:
    """Other tensor, pipeline, context and expert ranks, and pipeline stages across sites; the fastest ones alone."""
    job = found.job
    if job is None or found.today.step is None:
        return
    engine = Engine(found.reader.catalogue, found.reader.prices)
    timed: list[tuple[float, str, list[dict[str, Any]]]] = []
    for fields in _cuts(job):
        changes: list[dict[str, Any]] = [{"kind": "cut_job", **fields}]
        case = found.scenario.case
        try:
            after = edited_case(case, parse_changes(changes), found.reader)
        except TwinError:
            continue
        if after.job is None or any(job_shape_issues(after.job)):
            continue
        value, _ = metric_of_case(after, "step_time_s", engine)
        if value is not None:
            timed.append((value, ", ".join(f"{key} {item}" for key, item in fields.items()), changes))
    timed.sort()
    across = [row for row in timed if "across_sites" in row[2][0]][:1]
    within = [row for row in timed if "across_sites" not in row[2][0]][:N_CUTS]
    today_s = found.today.step.step_time_s
    for value, text, changes in [*within, *across]:
        note = f"step {value:.3g} s alone, {today_s:.3g} s today"
        yield candidate(f"cut {text}", "cut", note, changes, slot="cut")


def _cuts(job: TrainingJob) -> Iterator[dict[str, Any]]:
    """Yield cuts near that of today: each rank halved or doubled, two of them exchanged, stages across sites."""
    ranks = job.parallelism
    near: list[dict[str, Any]] = []
    widths = {"tp": ranks.tp, "pp": ranks.pp, "cp": ranks.cp, "ep": ranks.ep}
    for name, value in widths.items():
        if name == "ep" and getattr(job.model, "n_experts", 0) in (0, 1, None):
            continue
        near += [{name: other} for other in (value // 2, value * 2) if other >= 1 and other != value]
        for partner, theirs in widths.items():
            if partner != name and "ep" not in (name, partner) and value >= 2:
                near.append({name: value // 2, partner: theirs * 2})
    n_virtual = ranks.n_virtual_stages
    near += [{"n_virtual_stages": other} for other in (n_virtual // 2, n_virtual * 2) if other >= 1]
    near.append({"fully_sharded": not ranks.fully_sharded})
    yield from near
    n_sites = _n_sites(job)
    if n_sites > 1 and job.across_sites == "data":
        stages = sorted(
            {ranks.pp, ranks.pp + n_sites - ranks.pp % n_sites, max(ranks.pp - ranks.pp % n_sites, n_sites)}
        )
        for pp in stages:
            yield {"across_sites": "pipeline", "pp": pp, "n_virtual_stages": 1}
    elif job.across_sites == "pipeline":
        yield {"across_sites": "data"}


def leave(found: Situation) -> Iterator[Candidate]:
    """Running the job without one of its sites, which can then be leased out."""
    job = found.job
    if job is None or _n_sites(job) < 2:
        return
    prices = {site.id: site.lease_usd_per_month for site in found.scenario.case.document.sites}
    for site in sorted({place.site for place in job.placement}):
        changes: list[dict[str, Any]] = [{"kind": "leave_sites", "sites": [site]}]
        price = prices.get(site)
        note = f"the job runs without {site}" + (f", which leases for {usd_text(price)} a month" if price else "")
        yield candidate(f"leave {site}", "leave", note, changes)


def recovery(found: Situation) -> Iterator[Candidate]:
    """Recovery from the memory of other replicas, and going on without an isolated site."""
    job = found.job
    if job is not None and (job.recovery, job.on_site_loss) != ("elastic", "go_on"):
        change = {"kind": "recover_job", "recovery": "elastic", "on_site_loss": "go_on"}
        yield candidate("recovery elastic", "recovery", f"recovery is {job.recovery} today", [change])
