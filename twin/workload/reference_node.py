"""The step of a job on the reference node of its accelerator: NVLink domains of that size joined by NICs.

The stage's micro batch with all communication of its layers comes from `stage.py`; here come pipeline, exchange of
gradients and optimizer on an otherwise idle network.
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
    """How gradients and parameters are exchanged over the data ranks, and what of it may hide behind compute."""

    gradient_bytes: float
    """Per parameter in the reduce-scatter."""
    parameter_bytes: float
    """Per parameter in the all-gather."""
    overlap_ratio: float
    n_buckets: float


@dataclass(frozen=True, slots=True)
class NodeStep:
    """A step taken apart, in seconds: its parts add up to `step_time_s`."""

    compute_s: float
    """All micro batches on the slowest stage."""
    bubble_s: float
    """One micro batch through the other stages."""
    point_to_point_s: float
    exposed_data_s: float
    optimizer_s: float

    @property
    def step_time_s(self) -> float:
        """The whole."""
        return self.compute_s + self.bubble_s + self.point_to_point_s + self.exposed_data_s + self.optimizer_s


def reference_step(
    shape: ModelShape, layout: Layout, profile: AcceleratorProfile, exchange: DataExchange, n_global_batch: int
) -> NodeStep:
    """All micro batches at the slowest stage's pace, one through the others, and what sticks out of the exchange.

    Going through the others takes 1 / v of their time where stages are interleaved: with p equal stages the pipeline
    takes (m + (p - 1) / v) t. Source: Narayanan et al. 2021 (arXiv:2104.04473, section 2.2).
    """
    m, v = layout.n_micro_batches(n_global_batch), layout.n_virtual_stages
    kinds = stage_times(shape, layout, profile)
    slowest = max((time for _, time in kinds), key=lambda time: time.total_s)
    boundary_bytes = stage_boundary_bits(shape, layout) / 8.0
    # every piece of a stage takes a micro batch in and later its gradient
    sent_s = (
        2.0 * v * send_s(profile, boundary_bytes, in_domain=2 * layout.n_stage_ranks <= profile.n_domain)
        if layout.pp > 1
        else 0.0
    )
    others_s = (sum(n * (time.total_s + sent_s) for n, time in kinds) - slowest.total_s - sent_s) / v
    held = alike, spread = rank_parameters(shape, layout)
    scatter_s = exchange_s(layout, profile, held, exchange.gradient_bytes)
    gather_s = exchange_s(layout, profile, held, exchange.parameter_bytes)
    if layout.fully_sharded:
        exposed_s = m * _sharded_s(scatter_s, gather_s, slowest, exchange)
    else:
        busy_s = m * (slowest.total_s + sent_s) + others_s
        exposed_s = _data_s(layout, exchange, scatter_s, gather_s, busy_s * min(1.0, layout.pp / m))
    state_is_shared = layout.fully_sharded or profile.sharded_optimizer
    return NodeStep(
        compute_s=m * slowest.total_s,
        bubble_s=others_s,
        point_to_point_s=m * sent_s,
        exposed_data_s=exposed_s,
        optimizer_s=optimizer_time_s(layout.shared(alike, spread) if state_is_shared else alike + spread, profile),
    )


def exchange_s(layout: Layout, profile: AcceleratorProfile, held: tuple[float, float], n_bytes: float) -> float:
    """A reduce-scatter or all-gather, `n_bytes` a parameter, over data ranks that hold those of `rank_parameters`."""
    alike, spread = held
    n_ranks, n_copies = layout.dp * layout.cp, layout.n_stage_ranks // layout.ep
    whole_s = ring_s(profile, n_ranks, n_ranks_per_domain(profile, n_ranks, layout.tp), alike * n_bytes)
    return whole_s + ring_s(profile, n_copies, n_ranks_per_domain(profile, n_copies, layout.ep), spread * n_bytes)


def _data_s(layout: Layout, exchange: DataExchange, scatter_s: float, gather_s: float, window_s: float) -> float:
    """max(RS - w f T, RS / (p n)) + max(AG - w (1 - f) T, AG / (p n)), n buckets; `window_s` is min(1, p / m) T."""
    hidden_s = exchange.overlap_ratio * window_s
    backward = layout.backward_ratio
    least = 1.0 / (layout.pp * exchange.n_buckets)
    shown_s = max(scatter_s - backward * hidden_s, scatter_s * least)
    return shown_s + max(gather_s - (1.0 - backward) * hidden_s, gather_s * least)


def _sharded_s(scatter_s: float, gather_s: float, stage: StageTime, exchange: DataExchange) -> float:
    """Exposed of one micro batch whose weights are gathered for each pass and whose gradients are scattered."""
    forward_s = max(0.0, gather_s - exchange.overlap_ratio * stage.forward_s)
    return forward_s + max(0.0, gather_s + scatter_s - exchange.overlap_ratio * stage.backward_s)
