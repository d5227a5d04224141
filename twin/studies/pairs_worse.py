"""Pairs of failures that lose demand which neither of the two loses by itself, or load links more."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..arrays import Floats, Ints
from ..failures.not_carried import paths_after
from ..failures.pairs import PairFailures
from ..failures.sweep import FailureLoads, Sweep
from .failure_records import FailureRow

MAX_LOST = 50_000_000
"""Most demands that are lost by single failures, each counted for each failure; 400 MB."""
MAX_COMPARED = 1_000_000_000
"""Most demands that are compared; some 20 s."""


class LostTogether(NamedTuple):
    """Demand that is lost only when both failures of a pair happen."""

    n_lost: Ints
    """Number of these demands, int64[n_pairs]."""
    lost_gbps: Floats
    """float64[n_pairs]."""
    alone_ratio: Floats
    """Greatest utilisation of a link after either failure of a pair alone, float64[n_pairs]."""


def lost_together(pairs: PairFailures, loads: FailureLoads) -> LostTogether | None:
    """Compare pairs of failures with their single failures.

    A pair loses all that either of them loses. Demands that both lose by themselves count once.

    Args:
        pairs: the pairs.
        loads: answers of their sweep.

    Returns:
        None where single failures lose more demands than `MAX_LOST`, or pairs of them more than `MAX_COMPARED`.
    """
    sweep = Sweep(pairs.single)
    sweep.run(0, sweep.n_classes)
    single = sweep.loads()
    a, b = pairs.first, pairs.second
    n_lost = loads.n_lost - single.n_lost[a] - single.n_lost[b]
    lost_gbps = loads.lost_gbps - single.lost_gbps[a] - single.lost_gbps[b]
    both_lose = np.flatnonzero((single.n_lost[a] > 0) & (single.n_lost[b] > 0))
    losing = np.unique(np.concatenate((a[both_lose], b[both_lose])))
    n_compared = int((single.n_lost[a[both_lose]] + single.n_lost[b[both_lose]]).sum())
    if int(single.n_lost[losing].sum()) > MAX_LOST or n_compared > MAX_COMPARED:
        return None
    lost = _lost_demands(pairs, losing)
    for pair in both_lose.tolist():
        shared = np.intersect1d(lost[int(a[pair])], lost[int(b[pair])], assume_unique=True)
        n_lost[pair] += len(shared)
        lost_gbps[pair] += float(pairs.fabric.offered_gbps[shared].sum())
    alone_ratio = np.maximum(single.worst_ratio[a], single.worst_ratio[b])
    return LostTogether(n_lost, np.where(n_lost > 0, np.maximum(lost_gbps, 0.0), 0.0), alone_ratio)


def with_both_alone(rows: list[FailureRow], together: LostTogether | None) -> list[FailureRow]:
    """Return rows of pairs with what their failures do alone; as they are where that is unknown."""
    if together is None:
        return rows
    columns = (column.tolist() for column in together)
    return [
        replace(
            row,
            lost_together_gbps=gbps,
            n_demand_pairs_lost_together=n,
            worst_utilisation_alone_ratio=ratio if math.isfinite(ratio) else None,
        )
        for row, n, gbps, ratio in zip(rows, *columns, strict=True)
    ]


def _lost_demands(pairs: PairFailures, losing: Ints) -> dict[int, Ints]:
    """Return the demands that lose their path by each of these single failures."""
    fabric = pairs.fabric
    intact = paths_after(fabric, np.ones(fabric.n_links)) if len(losing) else np.zeros(0, np.bool_)
    return {row: np.flatnonzero(intact & ~paths_after(fabric, pairs.single.kept_ratio(row))) for row in losing.tolist()}
