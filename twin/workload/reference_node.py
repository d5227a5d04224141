"""Reference node: the step of a job on NVLink domains of its accelerator, joined by NICs.

`pipeline_stage.py` has the micro batch of a stage with all communication of its layers. This module adds pipeline,
exchange of gradients and optimizer on an otherwise idle network.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..model.shape import ModelShape
from .compute import AcceleratorProfile, optimizer_time_s
from .layout import Layout
from .pipeline_stage import StageTime, stage_times
from .rank_exchange import n_ranks_per_domain, rank_parameters, ring_s, send_s, stage_boundary_bits


@dataclass(frozen=True, slots=True)
class DataExchange:
    """Exchange of gradients and parameters over the data ranks, and the part that may overlap with compute."""

    gradient_bytes: float
    """Per parameter in the reduce-scatter."""
    parameter_bytes: float
    """Per parameter in the all-gather."""
    overlap_ratio: float
    n_buckets: float


@dataclass(frozen=True, slots=True)
class NodeStep:
    """Parts of a step in seconds; they add up to `step_time_s`."""

    compute_s: float
    """All micro batches on the slowest stage."""
    bubble_s: float
    """One micro batch through the other stages."""
    point_to_point_s: float
    exposed_data_s: float
    optimizer_s: float

    @property
    def step_time_s(self) -> float:
        """Sum of all parts."""
        return self.compute_s + self.bubble_s + self.point_to_point_s + self.exposed_data_s + self.optimizer_s


def reference_step(
    shape: ModelShape, layout: Layout, profile: AcceleratorProfile, exchange: DataExchange, n_global_batch: int
) -> NodeStep:
    """Time a step: all micro batches on the slowest stage, one through the other stages, and the exposed exchange.

    One micro batch through the others takes 1 / v of their time where stages are interleaved. With p equal stages the
    pipeline takes (m + (p - 1) / v) t. Source: Narayanan et al. 2021 (arXiv:2104.04473, section 2.2).
    """
    n_micro, n_virtual = layout.n_micro_batches(n_global_batch), layout.n_virtual_stages
    kinds = stage_times(shape, layout, profile)
    slowest = max((time for _, time in kinds), key=lambda time: time.total_s)
    boundary_bytes = stage_boundary_bits(shape, layout) / 8.0
    # every piece of a stage receives a micro batch and later its gradient
    boundary_s = (
        2.0 * n_virtual * send_s(profile, boundary_bytes, in_domain=2 * layout.n_stage_ranks <= profile.n_domain)
        if layout.pp > 1
        else 0.0
    )
    others_s = (sum(n * (time.total_s + boundary_s) for n, time in kinds) - slowest.total_s - boundary_s) / n_virtual
    parameters = n_replicated, n_expert_sharded = rank_parameters(shape, layout)
    scatter_s = exchange_s(layout, profile, parameters, exchange.gradient_bytes)
    gather_s = exchange_s(layout, profile, parameters, exchange.parameter_bytes)
    if layout.fully_sharded:
        exposed_s = n_micro * _exposed_sharded_s(scatter_s, gather_s, slowest, exchange)
    else:
        busy_s = n_micro * (slowest.total_s + boundary_s) + others_s
        exposed_s = _exposed_data_s(layout, exchange, scatter_s, gather_s, busy_s * min(1.0, layout.pp / n_micro))
    state_is_shared = layout.fully_sharded or profile.sharded_optimizer
    return NodeStep(
        compute_s=n_micro * slowest.total_s,
        bubble_s=others_s,
        point_to_point_s=n_micro * boundary_s,
        exposed_data_s=exposed_s,
        optimizer_s=optimizer_time_s(
            layout.sharded_parameters(n_replicated, n_expert_sharded)
            if state_is_shared
            else n_replicated + n_expert_sharded,
            profile,
        ),
    )


def exchange_s(layout: Layout, profile: AcceleratorProfile, parameters: tuple[float, float], n_bytes: float) -> float:
    """Time of a reduce-scatter or all-gather of `n_bytes` per parameter over the data ranks.

    Args:
        layout: the parallel layout.
        profile: the accelerator.
        parameters: as `rank_parameters` returns them.
        n_bytes: bytes of one parameter.
    """
    n_replicated, n_expert_sharded = parameters
    n_ranks, n_copies = layout.dp * layout.cp, layout.n_stage_ranks // layout.ep
    replicated_s = ring_s(profile, n_ranks, n_ranks_per_domain(profile, n_ranks, layout.tp), n_replicated * n_bytes)
    return replicated_s + ring_s(
        profile, n_copies, n_ranks_per_domain(profile, n_copies, layout.ep), n_expert_sharded * n_bytes
    )


def _exposed_data_s(
    layout: Layout, exchange: DataExchange, scatter_s: float, gather_s: float, window_s: float
) -> float:
    """max(RS - w f T, RS / (p n)) + max(AG - w (1 - f) T, AG / (p n)), n buckets; `window_s` is min(1, p / m) T."""
    overlap_s = exchange.overlap_ratio * window_s
    backward_ratio = layout.backward_ratio
    min_ratio = 1.0 / (layout.pp * exchange.n_buckets)
    exposed_s = max(scatter_s - backward_ratio * overlap_s, scatter_s * min_ratio)
    return exposed_s + max(gather_s - (1.0 - backward_ratio) * overlap_s, gather_s * min_ratio)


def _exposed_sharded_s(scatter_s: float, gather_s: float, stage: StageTime, exchange: DataExchange) -> float:
    """Exposed time of one micro batch whose weights are gathered for each pass and whose gradients are scattered."""
    forward_s = max(0.0, gather_s - exchange.overlap_ratio * stage.forward_s)
    return forward_s + max(0.0, gather_s + scatter_s - exchange.overlap_ratio * stage.backward_s)
