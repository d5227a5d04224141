"""The step of a job on the reference node of its accelerator: NVLink domains of that size joined by NICs.

`stage_time` is what a routed step needs of one stage: a micro batch forward and backward, with all communication of its
layers in it. `reference_step` adds pipeline, exchange of gradients and optimizer on an otherwise idle network.
"""

from __future__ import annotations

from dataclasses import dataclass

from .compute import (
    BYTES,
    Pace,
    head_backward,
    head_forward,
    layer_backward,
    layer_forward,
    n_rank_tokens,
    optimizer_time_s,
)
from .node_exchange import (
    all_to_all_s,
    context_bits,
    expert_bits,
    rank_parameters,
    ring_s,
    send_s,
    stage_boundary_bits,
    stage_kinds,
    tensor_bits,
)
from .shape import Layout, Shape


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
class LayerTime:
    """Both passes of a layer in seconds, exposed communication included, and how much of them that is."""

    forward_s: float
    backward_s: float
    communication_s: float


@dataclass(frozen=True, slots=True)
class StageTime:
    """One micro batch on one stage, all its virtual pieces, with the communication of its layers."""

    n_layers: int
    forward_s: float
    backward_s: float
    """With what is recomputed."""
    communication_s: float
    """Exposed tensor, context and expert exchange of both passes; part of them."""

    @property
    def total_s(self) -> float:
        """Forward and backward."""
        return self.forward_s + self.backward_s


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


def layer_time(shape: Shape, layout: Layout, pace: Pace, *, dense: bool = False) -> LayerTime:
    """Kernels one after another and exposed exchange, but never faster than the host launches them.

    A pass has two all-reduces of tensor ranks (three passes with full recompute), keys and values go round the context
    ring behind the attention and come back with their gradients, tokens go to their experts and return.
    """
    forward = layer_forward(shape, layout, pace, dense=dense)
    backward = layer_backward(forward, layout, pace)
    # products and exchange run in pieces, one beside the other, only where ranks reach each other's memory
    shown = 1.0 - pace.tensor_overlap_ratio if layout.tp <= pace.n_domain else 1.0
    tensor_s = 4.0 * shown * ring_s(pace, layout.tp, 1, tensor_bits(shape, layout) / 8.0)
    ring_bytes = context_bits(shape, layout) / 8.0 * layout.cp / max(1, layout.cp - 1)
    context_s = ring_s(pace, layout.cp, layout.tp, ring_bytes)
    routed = not dense and shape.n_experts > 1
    always_s = tensor_s + 2.0 * all_to_all_s(pace, layout.ep, expert_bits(shape, layout) / 8.0) * routed
    again = 1.0 if layout.recompute == "full" else 0.0
    forward_comm_s = always_s + max(0.0, context_s - forward.attention_s)
    backward_comm_s = always_s + max(0.0, 2.0 * context_s - 2.0 * forward.attention_s) + again * forward_comm_s
    return LayerTime(
        forward_s=max(forward.total_s + forward_comm_s, pace.host_layer_s),
        backward_s=max(backward.total_s + backward_comm_s, (1.0 + again) * pace.host_layer_s),
        communication_s=forward_comm_s + backward_comm_s,
    )


def stage_time(shape: Shape, layout: Layout, pace: Pace, stage: int, n_layers: int) -> StageTime:
    """One micro batch on a stage of that many layers; the first looks up embeddings, the last makes the logits."""
    return _stage(shape, layout, pace, (stage, n_layers), _layers(shape, layout, pace))


def stage_times(shape: Shape, layout: Layout, pace: Pace) -> tuple[tuple[int, StageTime], ...]:
    """(how many of them, time) for each kind of stage: first, inner ones by their number of layers, last."""
    layers = _layers(shape, layout, pace)
    return tuple(
        (count, _stage(shape, layout, pace, (stage, n), layers)) for stage, n, count in stage_kinds(shape, layout)
    )


def _layers(shape: Shape, layout: Layout, pace: Pace) -> tuple[LayerTime, LayerTime]:
    """(a layer, one of the first that have no experts)."""
    layer = layer_time(shape, layout, pace)
    return layer, layer_time(shape, layout, pace, dense=True) if shape.n_dense_layers else layer


def _stage(
    shape: Shape, layout: Layout, pace: Pace, place: tuple[int, int], layers: tuple[LayerTime, LayerTime]
) -> StageTime:
    stage, n_layers = place
    layer, wide = layers
    n_wide = min(n_layers, shape.n_dense_layers) if stage == 0 else 0
    n = n_layers - n_wide
    forward_s = n * layer.forward_s + n_wide * wide.forward_s + pace.host_micro_batch_s
    backward_s = n * layer.backward_s + n_wide * wide.backward_s + pace.host_micro_batch_s
    if stage == layout.pp - 1:
        head = head_forward(shape, layout, pace)
        forward_s += head.total_s
        backward_s += head_backward(head).total_s
    if stage == 0:
        looked_up_s = 2.0 * BYTES * n_rank_tokens(shape, layout) * shape.n_hidden / pace.memory_bytes_per_s
        forward_s += looked_up_s
        backward_s += 2.0 * looked_up_s
    return StageTime(n_layers, forward_s, backward_s, n * layer.communication_s + n_wide * wide.communication_s)


def reference_step(shape: Shape, layout: Layout, pace: Pace, exchange: DataExchange, n_global_batch: int) -> NodeStep:
    """All micro batches at the slowest stage's pace, one through the others, and what sticks out of the exchange.

    Going through the others takes 1 / v of their time where stages are interleaved: with p equal stages the pipeline
    takes (m + (p - 1) / v) t. Source: Narayanan et al. 2021 (arXiv:2104.04473, section 2.2).
    """
    m, v = layout.n_micro_batches(n_global_batch), layout.n_virtual_stages
    kinds = stage_times(shape, layout, pace)
    slowest = max((time for _, time in kinds), key=lambda time: time.total_s)
    boundary_bytes = stage_boundary_bits(shape, layout) / 8.0
    # every piece of a stage takes a micro batch in and later its gradient
    sent_s = 2.0 * v * send_s(pace, layout.n_stage_ranks, boundary_bytes) if layout.pp > 1 else 0.0
    others_s = (sum(n * (time.total_s + sent_s) for n, time in kinds) - slowest.total_s - sent_s) / v
    held = alike, spread = rank_parameters(shape, layout)
    scatter_s = exchange_s(layout, pace, held, exchange.gradient_bytes)
    gather_s = exchange_s(layout, pace, held, exchange.parameter_bytes)
    if layout.fully_sharded:
        exposed_s = m * _sharded_s(scatter_s, gather_s, slowest, exchange)
    else:
        busy_s = m * (slowest.total_s + sent_s) + others_s
        exposed_s = _data_s(layout, exchange, scatter_s, gather_s, busy_s * min(1.0, layout.pp / m))
    if layout.fully_sharded or pace.sharded_optimizer:
        alike, spread = alike / (layout.dp * layout.cp), spread * layout.ep / layout.n_stage_ranks
    return NodeStep(
        compute_s=m * slowest.total_s,
        bubble_s=others_s,
        point_to_point_s=m * sent_s,
        exposed_data_s=exposed_s,
        optimizer_s=optimizer_time_s(alike + spread, pace),
    )


def exchange_s(layout: Layout, pace: Pace, held: tuple[float, float], n_bytes: float) -> float:
    """A reduce-scatter or all-gather, `n_bytes` a parameter, over data ranks that hold those of `rank_parameters`."""
    alike, spread = held
    whole_s = ring_s(pace, layout.dp * layout.cp, layout.tp, alike * n_bytes)
    return whole_s + ring_s(pace, layout.n_stage_ranks // layout.ep, layout.ep, spread * n_bytes)


def _data_s(layout: Layout, exchange: DataExchange, scatter_s: float, gather_s: float, window_s: float) -> float:
    """max(RS - w f T, RS / (p n)) + max(AG - w (1 - f) T, AG / (p n)), n buckets; `window_s` is min(1, p / m) T."""
    hidden_s = exchange.overlap_ratio * window_s
    backward = 3.0 / 4.0 if layout.recompute == "full" else 2.0 / 3.0
    least = 1.0 / (layout.pp * exchange.n_buckets)
    shown_s = max(scatter_s - backward * hidden_s, scatter_s * least)
    return shown_s + max(gather_s - (1.0 - backward) * hidden_s, gather_s * least)


def _sharded_s(scatter_s: float, gather_s: float, stage: StageTime, exchange: DataExchange) -> float:
    """Exposed of one micro batch whose weights are gathered for each pass and whose gradients are scattered."""
    forward_s = max(0.0, gather_s - exchange.overlap_ratio * stage.forward_s)
    return forward_s + max(0.0, gather_s + scatter_s - exchange.overlap_ratio * stage.backward_s)
