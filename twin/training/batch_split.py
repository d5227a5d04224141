"""Which split of the work a step runs with: the one asked for, or the best that is found."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from ..workload.group_times import Pool, balanced_split, uniform_split
from ..workload.job_arithmetic import n_micro_batches
from .step_timing import EVERY, Share, Timer, Timing

N_BETWEEN = 8
"""Splits are looked at between the one that computes quickest and the uniform one."""


def best_split(timer: Timer) -> Timing:
    """The split that the job asks for, the best where it asks for that."""
    job, ideal = timer.setting.job, timer.ideal
    n_batches, pools = n_micro_batches(job), timer.pools(EVERY)
    asked = [_evenly(pools, n_batches) if ideal.full_pipeline else uniform_split(pools, n_batches)]
    if job.split == "stated":
        asked.append(_stated(timer, n_batches))
    if job.split != "balanced" and not ideal.best_split:
        return timer.timing(asked[-1])
    if ideal.full_pipeline:
        n_per_s = sum(pool.n_replicas / pool.stage_time_s for pool in pools)
        asked.append(tuple(n_batches / n_per_s / pool.stage_time_s for pool in pools))
        return timer.timing(min(asked, key=timer.step_s))
    uniform, quickest = asked[0], balanced_split(pools, n_batches)
    tried = dict.fromkeys((quickest, *asked, *_between(pools, uniform, quickest, n_batches)))
    best = _climbed(timer, pools, min(tried, key=timer.step_s), n_batches)
    return replace(timer.timing(best), uniform_kept=best == uniform != quickest)


def _evenly(pools: tuple[Pool, ...], n_batches: int) -> Share:
    """The uniform split of a batch that divides."""
    return (n_batches / sum(pool.n_replicas for pool in pools),) * len(pools)


def _stated(timer: Timer, n_batches: int) -> Share:
    """What the placements say; of a batch so large that it divides, in these proportions."""
    share = tuple(pool.placed.place.n_micro_batches or 0 for pool in timer.paced)
    if not timer.ideal.full_pipeline:
        return share
    done = sum(m * pool.placed.n_replicas for m, pool in zip(share, timer.paced, strict=True))
    return tuple(m * n_batches / done for m in share)


def _between(pools: tuple[Pool, ...], one: Share, other: Share, n_batches: int) -> list[Share]:
    """Splits between two, what the whole numbers leave undone given to those who would end first."""
    found: list[Share] = []
    for k in range(1, N_BETWEEN):
        share = [int(a + (b - a) * k / N_BETWEEN) for a, b in zip(one, other, strict=True)]
        while sum(m * pool.n_replicas for m, pool in zip(share, pools, strict=True)) < n_batches:
            room = [i for i, pool in enumerate(pools) if share[i] < pool.n_most]
            first = min(room, key=lambda i: pools[i].time_s(share[i] + 1))
            share[first] += 1
        found.append(tuple(share))
    return found


def _climbed(timer: Timer, pools: tuple[Pool, ...], share: Share, n_batches: int) -> Share:
    """A split from which no micro batches moved from one pool to another make the step shorter.

    The split that computes quickest need not be it: a pool hides its exchange behind its own compute.
    """
    found = [int(m) for m in share]
    best_s, size = timer.step_s(share), max(1, max(found) // 4)
    while size:
        better = False
        for i, j in permutations(range(len(pools)), 2):
            moved = list(found)
            moved[i] -= size
            lacking = n_batches - sum(m * pool.n_replicas for m, pool in zip(moved, pools, strict=True))
            moved[j] += max(0, -(-lacking // pools[j].n_replicas))
            if moved[i] < 0 or moved[j] > pools[j].n_most:
                continue
            moved_s = timer.step_s(tuple(moved))
            if moved_s < best_s * (1.0 - 1e-12):
                found, best_s, better = moved, moved_s, True
        if not better:
            size //= 2
    return tuple(found)
