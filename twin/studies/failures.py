"""Study of failures: what each one loses, and the greatest utilisation of each link with the failure behind it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, cast

import numpy as np

from ..answers.arc_text import direction_text
from ..answers.ranking import Ranking
from ..arrays import Bools, Ints, at_an_end
from ..catalogue.figure_reader import FigureReader
from ..errors import ChangeError, TopologyError
from ..failures.kinds import Kind
from ..failures.pair_sweep import sweep_of
from ..failures.pairs import PairFailures
from ..failures.sweep import FailureLoads, Sweep
from ..failures.work import MAX_S, sweep_s
from ..optics.link_health import unknown_rates
from ..progress import Progress
from ..stages.evaluation import Evaluation
from ..stages.outcomes import NodePairs
from ..traffic.congestion import arc_utilisation_ratio
from .closer_look import OVERLOAD_RATIO, CloserLook
from .failure_kinds import FailureSet, fabric_of, failures_of_kind, kind_name
from .failure_pairs import Depth, failures_at_depth
from .failure_rates import FailureRates, rates_of_failures
from .failure_records import FailureReport, FailureRow, LinkRow
from .failure_run import FailureRun, FailureTask
from .failure_summary import ROUNDING_RATIO, DemandPart, failure_summary, greatest_ratio, n_worse
from .group_failures import one_by_one
from .job_digest import job_digest
from .job_failures import JobFailures, job_failures
from .job_outcomes import job_outcomes, job_severity, job_summary
from .kept_parts import keeping
from .pairs_worse import lost_together, with_both_alone
from .study_bounds import STUDY_BOUNDS, StudyBounds

NONE = np.zeros(0, np.bool_)
NO_PAIRS = NodePairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
SINGLE = Depth()
ON_THIS_THREAD = FailureRun()
JOB_RATIO = 0.8
"""Share of the work that the job takes where demands count, too."""
RATES_UNKNOWN = "the rate of each link that carries demands then is unknown"


def failure_report(
    e: Evaluation,
    network: str,
    plan: str | None = None,
    *,
    reader: FigureReader,
    of: str = "link",
    depth: Depth = SINGLE,
    top: int | None = None,
    with_job: bool = False,
    executor: str = "threads",
    run: FailureRun = ON_THIS_THREAD,
    bounds: StudyBounds = STUDY_BOUNDS,
) -> FailureReport:
    """Compute every failure of a kind: demands and the job are routed anew over the shortest paths that are left.

    Args:
        e: evaluation of the network.
        network: name of the network.
        plan: name of the plan, or `changes`; None for the unchanged network.
        reader: source of the failure figures.
        of: kind of failures, a key of `failure_kinds.KINDS`.
        depth: single failures or pairs, all or a sample.
        top: most rows of failures and of links; None = all.
        with_job: whether the job counts beside the demands; without demands it always does.
        executor: workers for the job: `threads`, `processes` or `serial`.
        run: threads or dask, checkpoint, progress; the answer does not depend on them.
        bounds: estimated times above which the study simplifies, or computes nothing.

    Raises:
        ChangeError: neither demands nor a job, an unknown kind, nothing of the kind, or a checkpoint of another
            question.
        TopologyError: too large a study, before any failure is computed.
        CancelledError: once the run is cancelled.
    """
    n_rows = Ranking((), frozenset(), None, top).top
    pairs = e.demand_pairs
    has_demands = pairs is not None and bool((pairs.offered_gbps > 0.0).any())
    if not has_demands and e.case.job is None:
        raise ChangeError("no demands, and no job", where="demands", hint="add some under `demands` or `traffic`")
    fabric, links = fabric_of(e, pairs if pairs is not None and has_demands else NO_PAIRS)
    single = failures_of_kind(e, of, fabric, links)
    counts_job, n_destinations = with_job or not has_demands, 0
    if pairs is not None and has_demands:
        n_destinations = len(np.unique(pairs.target))
    found, n_possible = failures_at_depth(single, depth, of, n_destinations, may_group=not counts_job)
    rates = rates_of_failures(e, of, single, links, reader)
    name = kind_name(e.case.state, of, single.ids)
    question = ", ".join((network, f"plan {plan}" if plan else "no plan", depth.question(name)))
    question += f", job {e.case.job.id}" if counts_job and e.case.job else ""
    jobs = None
    if counts_job:
        progress, job_ratio = Progress(run.advance, len(found.ids)), JOB_RATIO if has_demands else 1.0
        advance = progress.part(0.0, job_ratio).count
        with keeping(run.job_parts(question, partial(job_digest, e, found.ids, reader))):
            jobs = job_failures(e, of, found, links, run.workers(executor), advance, run.cancel, bounds)
        run = replace(run, advance=progress.part(job_ratio, 1.0).count)
    if pairs is None or not has_demands:
        assert jobs is not None
        rows = _rows_without_demands(of, found, rates.of(found.kind), jobs)
        part = DemandPart(n_possible, 0, 0.0, rows, [], NONE)
    else:
        part = _demand_part(e, pairs, found, rates, of, jobs, run, question, links, n_possible, bounds)
    rows, n_failures = sorted(part.failures, key=_severity), sum(row.n_equal for row in part.failures)
    worst = max([0.0, *map(greatest_ratio, rows), *(row.intact_utilisation_ratio or 0.0 for row in part.links)])
    worst = math.inf if part.unknown.any() else worst
    outcomes = () if jobs is None else job_outcomes(found.ids, jobs, rates.of(found.kind).n_per_year)
    summary = [] if jobs is None else [*job_summary(depth.noun(name), jobs, outcomes, has_demands)]
    if has_demands:
        summary += failure_summary(depth.noun(name), rows, part)
        if part.unknown.any():
            summary.append(f"The use of some loaded links is unknown: {unknown_rates(e.case.state, part.unknown)}.")
    return FailureReport(
        network=network,
        plan=plan,
        kind=of,
        kind_name=name,
        depth=depth.n,
        seed=depth.seed if n_failures < part.n_possible else None,
        summary=(*summary, *depth.left_out(of, e.case.state.n_members_up[links])),
        n_possible=part.n_possible,
        n_failures=n_failures,
        n_classes=part.n_classes,
        n_pairs_worse_than_singles=n_worse(rows),
        n_links=len(part.links),
        offered_gbps=0.0 if pairs is None else math.fsum(pairs.offered_gbps),
        unrouted_gbps=part.unrouted_gbps,
        intact_not_carried_gbps=part.intact_not_carried_gbps,
        worst_utilisation_ratio=worst if has_demands and math.isfinite(worst) else None,
        job=jobs.job if jobs else None,
        step_time_s=jobs.step_time_s if jobs else None,
        n_job_classes=jobs.n_classes if jobs else None,
        job_outcomes=outcomes,
        failures=tuple(rows[:n_rows]),
        links=tuple(part.links[:n_rows]),
        figures=rates.figures,
    )


def _demand_part(
    e: Evaluation,
    pairs: NodePairs,
    found: FailureSet,
    rates: FailureRates,
    of: str,
    jobs: JobFailures | None,
    run: FailureRun,
    question: str,
    links: Ints,
    n_possible: int,
    bounds: StudyBounds,
) -> DemandPart:
    if e.case.document.wcmp_groups:
        loads, after = one_by_one(e, pairs, found, links, run)
        closer = CloserLook(e, pairs, found, loads, after)
    else:
        sweep = sweep_of(found.kind)
        _check_work(sweep, found.kind, len(np.unique(pairs.target)), bounds)
        run.run(sweep, FailureTask(found.kind), question)
        loads = sweep.loads()
        closer = CloserLook(e, pairs, found, loads)
    of_links, at_links = found.everywhere(loads)
    at_depth = rates.of(of_links.kind)
    failures = list(_failure_rows(e, of, found, loads, closer, at_depth))
    if isinstance(found.kind, PairFailures):
        failures = with_both_alone(failures, lost_together(found.kind, loads))
    if jobs is not None:
        failures = [replace(row, job=job) for row, job in zip(failures, jobs.rows, strict=True)]
    link_rows = sorted(_link_rows(e, of_links, at_links, at_depth), key=_fullness)
    fabric, unknown = of_links.kind.fabric, np.zeros(e.case.state.n_links, np.bool_)
    loaded_gbps = np.where(np.isinf(fabric.capacity_gbps), at_links.greatest_gbps, 0.0).reshape(-1, 2)
    unknown[links] = at_an_end(loaded_gbps > 0.0)
    return DemandPart(
        n_possible,
        len(loads.model),
        closer.unrouted_gbps,
        failures,
        link_rows,
        unknown,
        closer.intact_not_carried_gbps,
        int(at_an_end((at_links.intact_gbps > fabric.capacity_gbps * OVERLOAD_RATIO).reshape(-1, 2)).sum()),
    )


def _rows_without_demands(of: str, found: FailureSet, rates: FailureRates, jobs: JobFailures) -> list[FailureRow]:
    return [
        FailureRow(
            id=name,
            ids=found.together(i),
            kind=of,
            n_equal=1,
            lost_gbps=0.0,
            n_demand_pairs_lost=0,
            not_carried_gbps=0.0,
            sites_cut_off=(),
            worst_link=None,
            worst_direction=None,
            worst_utilisation_ratio=None,
            job=jobs.rows[i],
            **rates.row(i, 0.0)._asdict(),
        )
        for i, name in enumerate(found.ids)
    ]


def _check_work(sweep: Sweep, kind: Kind, n_destinations: int, bounds: StudyBounds) -> None:
    taken_s = sweep_s(kind.fabric, sweep.n_classes, n_destinations)
    bounds.check(taken_s, f"{sweep.n_classes:,} classes of failures and {n_destinations:,} destinations")
    if taken_s > MAX_S:
        raise TopologyError(
            f"{sweep.n_classes:,} failures and {n_destinations:,} destinations take some {taken_s / 60.0:,.0f} minutes",
            where="of",
            expected=f"at most {MAX_S / 60.0:,.0f} minutes",
            hint="fewer destinations, or a kind with fewer failures",
        )


def _failure_rows(
    e: Evaluation, of: str, found: FailureSet, loads: FailureLoads, closer: CloserLook, rates: FailureRates
) -> Iterator[FailureRow]:
    links = np.flatnonzero(cast("Bools", e.outcome("routed_links")))
    ids, n_equal = e.case.state.arrays.link_ids, found.n_equal
    for f, name in enumerate(found.ids):
        arc, ratio, row = int(loads.worst_arc[f]), float(loads.worst_ratio[f]), int(loads.class_of[f])
        link = int(links[arc // 2]) if arc >= 0 and ratio > 0.0 else None
        left_gbps = closer.routed_gbps - float(loads.lost_gbps[f])
        is_unknown = link is None and left_gbps > closer.routed_gbps * ROUNDING_RATIO
        yield FailureRow(
            id=name,
            ids=found.together(f),
            kind=of,
            n_equal=int(n_equal[f]),
            lost_gbps=closer.unrouted_gbps + float(loads.lost_gbps[f]),
            n_demand_pairs_lost=closer.n_unrouted + int(loads.n_lost[f]),
            not_carried_gbps=closer.not_carried_gbps[row],
            sites_cut_off=closer.sites_cut_off[row],
            worst_link=None if link is None else ids[link],
            worst_direction=None if link is None else direction_text(e, 2 * link + arc % 2),
            worst_utilisation_ratio=None if is_unknown or not math.isfinite(ratio) else ratio,
            **rates.row(f, float(loads.lost_gbps[f]))._asdict(),
            why_unknown=RATES_UNKNOWN if is_unknown else closer.why_unknown[row],
        )


def _link_rows(e: Evaluation, found: FailureSet, loads: FailureLoads, rates: FailureRates) -> Iterator[LinkRow]:
    fabric, ids = found.kind.fabric, e.case.state.arrays.link_ids
    capacity_gbps = np.where(np.isinf(fabric.capacity_gbps), np.nan, fabric.capacity_gbps)
    intact, worst = (arc_utilisation_ratio(gbps, capacity_gbps) for gbps in (loads.intact_gbps, loads.greatest_gbps))
    rank = np.where(np.isnan(worst), np.inf, worst).reshape(-1, 2)  # load on an unknown rate
    intact, worst = (np.where(np.isnan(capacity_gbps), np.nan, ratio) for ratio in (intact, worst))
    links = np.flatnonzero(cast("Bools", e.outcome("routed_links")))
    arcs = 2 * np.arange(len(links)) + (rank[:, 1] > rank[:, 0])
    has_cause = loads.cause[arcs] >= 0
    left_ratio = np.ones(len(links))  # a member that fails takes its capacity with it
    left_ratio[has_cause] = found.kind.left_ratio(loads.cause[arcs[has_cause]], np.flatnonzero(has_cause))
    headrooms_gbps = left_ratio * (capacity_gbps - loads.greatest_gbps)[arcs]
    for link, arc, headroom_gbps in zip(links.tolist(), arcs.tolist(), headrooms_gbps.tolist(), strict=True):
        cause = int(loads.cause[arc])
        yield LinkRow(
            id=ids[link],
            direction=direction_text(e, 2 * link + arc % 2),
            intact_utilisation_ratio=_finite(intact[arc]),
            worst_utilisation_ratio=_finite(worst[arc]),
            cause=None if cause < 0 else found.ids[cause],
            headroom_gbps=_finite(headroom_gbps),
            n_worst_cases_per_year=rates.n_per_year(cause),
        )


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _severity(row: FailureRow) -> tuple[Any, ...]:
    """The most lost first, then the most not carried, then what is worst for the job, then the fullest link."""
    return -row.lost_gbps, -(row.not_carried_gbps or 0.0), job_severity(row.job), -greatest_ratio(row), row.id


def _fullness(row: LinkRow) -> tuple[float, str]:
    return -(row.worst_utilisation_ratio or 0.0), row.id
