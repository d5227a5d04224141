"""How many micro batches each pool of equal accelerators takes."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pool:
    """Replicas of one accelerator kind at one site, and how long one micro batch takes in one of their stages."""

    site: str
    accelerator: str
    n_replicas: int
    stage_time_s: float


def uniform_split(pools: Sequence[Pool], n_micro_batches: int) -> tuple[int, ...]:
    """Every replica the same whole number, rounded up: where the batch does not divide, some wait."""
    n_replicas = sum(pool.n_replicas for pool in pools)
    return (-(-n_micro_batches // n_replicas),) * len(pools)


def balanced_split(pools: Sequence[Pool], n_micro_batches: int, fill: float) -> tuple[int, ...]:
    """Whole micro batches by pool that minimise the slowest pool's (m + fill) * stage time; exact.

    `fill` is (p - 1) / v of the interleaved pipeline, so the bubble that falls on a slow pool counts: a split in
    proportion to FLOPs can lose to this one. Greedy by earliest finish is optimal, since each pool's time only grows
    with its share. A pool may end with none. Never slower than the uniform split.
    """
    share = _surely_taken(pools, n_micro_batches, fill)
    heap = [((m + 1 + fill) * pool.stage_time_s, i) for i, (pool, m) in enumerate(zip(pools, share, strict=True))]
    heapq.heapify(heap)
    left = n_micro_batches - sum(m * pool.n_replicas for pool, m in zip(pools, share, strict=True))
    while left > 0:
        _, i = heapq.heappop(heap)
        share[i] += 1
        left -= pools[i].n_replicas
        heapq.heappush(heap, ((share[i] + 1 + fill) * pools[i].stage_time_s, i))
    return tuple(share)


def _surely_taken(pools: Sequence[Pool], n_micro_batches: int, fill: float) -> list[int]:
    """Micro batches that the greedy choice gives out before anything is left to choose, so large batches cost no time.

    All that ends by the time at which the pools together could have done the batch, less one each to be sure.
    """
    low, high = 0.0, (n_micro_batches + fill + 1) * max(pool.stage_time_s for pool in pools)

    def done(end_s: float) -> list[int]:
        return [max(0, int(end_s / pool.stage_time_s - fill)) for pool in pools]

    for _ in range(200):
        middle = (low + high) / 2
        if sum(m * pool.n_replicas for pool, m in zip(pools, done(middle), strict=True)) <= n_micro_batches:
            low = middle
        else:
            high = middle
    return [max(0, m - 1) for m in done(low)]


def pool_times_s(pools: Sequence[Pool], share: Sequence[int], fill: float) -> tuple[float, ...]:
    """(m + fill) * stage time of each pool; a pool without work takes none."""
    return tuple((m + fill) * pool.stage_time_s if m else 0.0 for pool, m in zip(pools, share, strict=True))
