"""Which split of the work a step runs with: the one asked for, or the best that is found."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from ..workload.job import n_micro_batches
from ..workload.split import Pool, balanced_split, uniform_split
from .timer import EVERY, Share, Timer, Timing

N_BETWEEN = 8
"""Splits are looked at between the one that computes quickest and the uniform one."""


def best_split(timer: Timer) -> Timing:
    """The split that the job asks for, the best where it asks for that."""
    job, ideal = timer.setting.job, timer.ideal
    n_batches = n_micro_batches(job)
    pools = timer.pools(EVERY)
    shares = _evenly if ideal.full_pipeline else _in_whole_ones
    asked = shares(timer, pools, n_batches)
    uniform = asked["uniform"]
    if job.split != "balanced" and not ideal.best_split:
        return timer.timing(asked[job.split])
    tried = dict.fromkeys(asked.values())
    if not ideal.full_pipeline and len(pools) > 1:
        tried |= dict.fromkeys(_between(pools, uniform, asked["balanced"], n_batches))
    best = min(tried, key=lambda share: timer.step_s(share))
    if not ideal.full_pipeline:
        best = _climbed(timer, pools, best, n_batches)
    return replace(timer.timing(best), uniform_kept=best == uniform != asked["balanced"])


def _in_whole_ones(timer: Timer, pools: tuple[Pool, ...], n_batches: int) -> dict[str, Share]:
    """Splits to choose among, the quickest to compute first."""
    asked: dict[str, Share] = {
        "balanced": balanced_split(pools, n_batches),
        "uniform": uniform_split(pools, n_batches),
    }
    if timer.setting.job.split == "stated":
        asked["stated"] = tuple(pool.placed.place.n_micro_batches or 0 for pool in timer.paced)
    return asked


def _evenly(timer: Timer, pools: tuple[Pool, ...], n_batches: int) -> dict[str, Share]:
    """The same of a batch that divides into what each is to have."""
    n_micro_batches_per_s = sum(pool.n_replicas / pool.stage_time_s for pool in pools)
    asked: dict[str, Share] = {
        "balanced": tuple(n_batches / n_micro_batches_per_s / pool.stage_time_s for pool in pools),
        "uniform": (n_batches / sum(pool.n_replicas for pool in pools),) * len(pools),
    }
    if timer.setting.job.split == "stated":
        stated = [pool.placed.place.n_micro_batches or 0 for pool in timer.paced]
        done = sum(m * pool.n_replicas for m, pool in zip(stated, pools, strict=True))
        asked["stated"] = tuple(m * n_batches / done for m in stated)
    return asked


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
