"""Figures that published tables state and the product does not: they are derived here to be compared."""

from __future__ import annotations

import math

from twin.catalogue import catalogue
from twin.model.shape import ModelShape
from twin.workload.layout import Layout
from twin.workload.local_sgd import LocalSchedule, local_sgd
from twin.workload.rank_exchange import rank_parameters


def data_bits(shape: ModelShape, layout: Layout, n_bytes: float) -> float:
    """Bits that each rank of the fullest stage sends in a reduce-scatter or all-gather of `n_bytes` a parameter."""
    alike, spread = rank_parameters(shape, layout)
    n_ranks, n_copies = layout.dp * layout.cp, layout.n_stage_ranks // layout.ep
    return 8.0 * n_bytes * (alike * (n_ranks - 1) / n_ranks + spread * (n_copies - 1) / n_copies)


def needed_bandwidth_gbps(schedule: LocalSchedule, target_ratio: float, *, latency_us: float = 0.0) -> float:
    """The least bandwidth with that share of the time spent computing, by bisection; infinite where there is none."""

    def suffices(gbps: float) -> bool:
        found = local_sgd(schedule, gbps, catalogue(), latency_us=latency_us)
        return found.compute_utilisation_ratio >= target_ratio

    if not suffices(1e12):
        return math.inf
    if suffices(0.0):
        return 0.0
    low, high = 1e-9, 1e12
    while high > low * (1.0 + 1e-9):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if suffices(middle) else (middle, high)
    return high
