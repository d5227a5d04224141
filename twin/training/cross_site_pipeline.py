"""Cross-site pipeline: replicas whose stages lie at several sites, and the delay that distance adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..workload.group_times import TimedGroup
from .accelerator_groups import chained_group


@dataclass(frozen=True, slots=True)
class StageRun:
    """Consecutive stages at one site, on one kind of accelerator."""

    site: str
    n_stages: int


def cross_site_pipeline(
    groups: Sequence[TimedGroup], runs: Sequence[StageRun], route_s: float, latency_s: float, m: float | None
) -> TimedGroup:
    """Time a replica over these groups, with micro batches as far apart as routes and distance require.

    The order is one forward, one backward, strictly. Take a backward pass on a stage, and the d-th stage before it.
    From the one to the other, and back with the next forward pass, it takes the time of these d + 1 stages and of the
    crossings between them. In that time d + 1 micro batches have passed. So crossings cost a micro batch 2 sum(L) / (d
    + 1), with L the latency of a crossing. Several crossings next to each other cost more than a single one. The first
    micro batches, one for each stage from there on, do not wait.

    Args:
        groups: timed groups in order of their stages.
        runs: stages of each group.
        route_s: seconds that the routes take for a micro batch of every replica.
        latency_s: one-way latency of a crossing.
        m: micro batches of a replica; None for so many that the first ones do not count.

    Source: the order of Narayanan et al. 2021 (arXiv:2104.04473, section 2.2). Tests simulate it event by event.
    """
    chained = chained_group(groups)
    period_s = max(chained.stage_time_s, route_s)
    wait_s, delay_s, n_crossings = 0.0, 0.0, 0
    for first, last in _crossings([run.site for run in runs]):
        between = range(first + 1, last)
        n = 2 + sum(runs[i].n_stages for i in between)
        n_hops = sum(runs[i].site != runs[i + 1].site for i in range(first, last))
        cycle_s = groups[first].stage_time_s + groups[last].stage_time_s + 2.0 * n_hops * latency_s
        cycle_s += sum(runs[i].n_stages * groups[i].stage_time_s for i in between)
        excess_s = max(0.0, cycle_s - n * period_s)
        delay_s, n_crossings = max(delay_s, excess_s / n), max(n_crossings, n_hops)
        if m is not None:
            n_first = sum(run.n_stages for run in runs[first + 1 :]) + 1
            wait_s = max(wait_s, excess_s * max(0, -(-(m - n_first) // n)))
    if m is None:
        return replace(chained, stage_time_s=period_s + delay_s)
    fill_s = chained.fill_s + 2.0 * n_crossings * latency_s + wait_s
    return replace(chained, stage_time_s=period_s, fill_s=fill_s)


def _crossings(sites: list[str]) -> list[tuple[int, int]]:
    """(group before the first crossing, group after the last one) of every run of crossings between sites."""
    boundaries = [i for i in range(len(sites) - 1) if sites[i] != sites[i + 1]]
    return [(i, k + 1) for i in boundaries for k in boundaries if i <= k]
