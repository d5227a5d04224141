"""Replicas whose stages lie at several sites: how far apart the distance keeps their micro batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..workload.group_times import TimedGroup
from .accelerator_groups import end_to_end


@dataclass(frozen=True, slots=True)
class StageRun:
    """Stages one after the other at one site, on one kind of accelerator."""

    site: str
    n_stages: int


def cross_site_pipeline(
    groups: Sequence[TimedGroup], runs: Sequence[StageRun], least_s: float, latency_s: float, m: float | None
) -> TimedGroup:
    """A replica over these groups: micro batches as far apart as the routes carry them, and as the distance allows.

    least_s: seconds that the routes take for a micro batch of every replica. m: micro batches of a replica, None for so
    many that none of the first counts.

    One forward, one backward in strict order: from a backward pass on a stage to the d-th stage before it, over the
    next forward pass there and back, it takes what these d + 1 stages take and the ways between, and d + 1 micro
    batches have passed. So crossings cost a micro batch 2 sum(L) / (d + 1): L of a single one, more of crossings
    side by side. The first do not wait, one for each stage from there on. Source: the order of Narayanan et al.
    2021 (arXiv:2104.04473, section 2.2), played through event by event in the tests.
    """
    joined = end_to_end(groups)
    period_s = max(joined.stage_time_s, least_s)
    waits_s, every_s, n_crossings = 0.0, 0.0, 0
    for first, last in _crossings([run.site for run in runs]):
        within = range(first + 1, last)
        n = 2 + sum(runs[i].n_stages for i in within)
        ways = sum(runs[i].site != runs[i + 1].site for i in range(first, last))
        cycle_s = groups[first].stage_time_s + groups[last].stage_time_s + 2.0 * ways * latency_s
        cycle_s += sum(runs[i].n_stages * groups[i].stage_time_s for i in within)
        late_s = max(0.0, cycle_s - n * period_s)
        every_s, n_crossings = max(every_s, late_s / n), max(n_crossings, ways)
        if m is not None:
            n_free = sum(run.n_stages for run in runs[first + 1 :]) + 1
            waits_s = max(waits_s, late_s * max(0, -(-(m - n_free) // n)))
    if m is None:
        return replace(joined, stage_time_s=period_s + every_s)
    fill_s = joined.fill_s + 2.0 * n_crossings * latency_s + waits_s
    return replace(joined, stage_time_s=period_s, fill_s=fill_s)


def _crossings(sites: list[str]) -> list[tuple[int, int]]:
    """(group before the first, group behind the last) of every run of crossings from site to site; a site a group."""
    at = [i for i in range(len(sites) - 1) if sites[i] != sites[i + 1]]
    return [(i, k + 1) for i in at for k in at if i <= k]
