"""One micro batch on one stage: its kernels one after another, and exchange within layers that they do not hide.

The exchange of tensor, context and expert ranks is that of the reference node (NVLink domains joined by NICs) unless
`LayerExchange` says otherwise, as where ranks lie in different racks of a routed network.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..model.shape import ModelShape
from .compute import (
    BYTES,
    AcceleratorProfile,
    head_backward,
    head_forward,
    layer_backward,
    layer_forward,
    n_rank_tokens,
)
from .layout import Layout
from .rank_exchange import (
    all_to_all_s,
    context_bits,
    n_dense_layers,
    n_ranks_per_domain,
    ring_s,
    routed_bytes,
    stage_kinds,
    tensor_bits,
)


@dataclass(frozen=True, slots=True)
class LayerExchange:
    """Seconds of each exchange within a layer, before anything hides it."""

    tensor_s: float
    """A reduce-scatter or all-gather of the tensor ranks: half an all-reduce."""
    context_s: float
    """Keys and values once round the context ring."""
    expert_s: float
    """One all-to-all of the tokens of a layer with experts."""


NO_LAYER_EXCHANGE = LayerExchange(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class LayerTime:
    """Both passes of a layer in seconds, exposed exchange included, and how much of them that is."""

    forward_s: float
    backward_s: float
    communication_s: float


@dataclass(frozen=True, slots=True)
class StageTime:
    """One micro batch on one stage, all its virtual pieces, with the exchange of its layers."""

    n_layers: int
    forward_s: float
    backward_s: float
    """With what is recomputed."""

    @property
    def total_s(self) -> float:
        """Forward and backward."""
        return self.forward_s + self.backward_s


def reference_layer_exchange(shape: ModelShape, layout: Layout, profile: AcceleratorProfile) -> LayerExchange:
    """Of the reference node, where consecutive ranks share tensors first and then context."""
    return LayerExchange(
        ring_s(profile, layout.tp, n_ranks_per_domain(profile, layout.tp, 1), tensor_bits(shape, layout) / 8.0),
        context_s(shape, layout, profile, n_ranks_per_domain(profile, layout.cp, layout.tp)),
        expert_s(shape, layout, profile, n_ranks_per_domain(profile, layout.ep, 1)),
    )


def context_s(shape: ModelShape, layout: Layout, profile: AcceleratorProfile, inside: int) -> float:
    """Keys and values once round the context ring, of which `inside` ranks share an NVLink domain."""
    whole_bytes = context_bits(shape, layout) / 8.0 * layout.cp / max(1, layout.cp - 1)
    return ring_s(profile, layout.cp, inside, whole_bytes)


def expert_s(shape: ModelShape, layout: Layout, profile: AcceleratorProfile, inside: int) -> float:
    """One all-to-all of a layer with experts, `inside` of whose ranks share an NVLink domain.

    A token crosses once to each domain that has experts of it, and once inside to each rank that has.
    """
    n_domains = -(-layout.ep // inside)
    sent = routed_bytes(shape, layout, layout.ep)
    near = sent * min(1.0, n_domains * (inside - 1) / max(1, layout.ep - 1))
    return all_to_all_s(profile, near, routed_bytes(shape, layout, n_domains))


def layer_time(
    shape: ModelShape,
    layout: Layout,
    profile: AcceleratorProfile,
    exchange: LayerExchange | None = None,
    *,
    dense: bool = False,
) -> LayerTime:
    """Kernels one after another and exposed exchange, but never faster than the host launches them.

    A pass has two all-reduces of tensor ranks (three passes with full recompute), keys and values go round the context
    ring behind the attention and come back with their gradients, tokens go to their experts and return: behind the
    kernels of another micro batch with `expert_overlap`. `dense`: a layer without experts in a model that has them.
    """
    exchange = reference_layer_exchange(shape, layout, profile) if exchange is None else exchange
    forward = layer_forward(shape, layout, profile, dense=dense)
    backward = layer_backward(forward, layout, profile)
    # products and exchange run in pieces, one beside the other, only where ranks reach each other's memory
    shown = 1.0 - profile.tensor_overlap_ratio if layout.tp <= profile.n_domain else 1.0
    routed = not dense and shape.n_experts > 1
    always_s, routed_s = 4.0 * shown * exchange.tensor_s, 2.0 * exchange.expert_s * routed
    again = 1.0 if layout.recompute == "full" else 0.0
    behind = 1.0 if layout.expert_overlap else 0.0
    forward_comm_s = always_s + max(0.0, exchange.context_s - forward.attention_s)
    forward_comm_s += max(0.0, routed_s - behind * forward.total_s)
    backward_comm_s = always_s + max(0.0, 2.0 * exchange.context_s - 2.0 * forward.attention_s)
    backward_comm_s += max(0.0, routed_s - behind * backward.total_s) + again * forward_comm_s
    host_s = profile.host_expert_layer_s if routed and layout.eager else profile.host_layer_s
    return LayerTime(
        forward_s=max(forward.total_s + forward_comm_s, host_s),
        backward_s=max(backward.total_s + backward_comm_s, (1.0 + again) * host_s),
        communication_s=forward_comm_s + backward_comm_s,
    )


def stage_time(
    shape: ModelShape,
    layout: Layout,
    profile: AcceleratorProfile,
    stage: int,
    n_layers: int,
    exchange: LayerExchange | None = None,
) -> StageTime:
    """One micro batch on a stage of that many layers; the first looks up embeddings, the last makes the logits."""
    return _stage(shape, layout, profile, (stage, n_layers), _layers(shape, layout, profile, exchange))


def stage_times(
    shape: ModelShape, layout: Layout, profile: AcceleratorProfile, exchange: LayerExchange | None = None
) -> tuple[tuple[int, StageTime], ...]:
    """(how many of them, time) for each kind of stage: first, inner ones by their number of layers, last."""
    layers = _layers(shape, layout, profile, exchange)
    return tuple(
        (count, _stage(shape, layout, profile, (stage, n), layers)) for stage, n, count in stage_kinds(shape, layout)
    )


def _layers(
    shape: ModelShape, layout: Layout, profile: AcceleratorProfile, exchange: LayerExchange | None
) -> tuple[LayerTime, LayerTime]:
    """(a layer, one of the first that have no experts)."""
    layer = layer_time(shape, layout, profile, exchange)
    return layer, layer_time(shape, layout, profile, exchange, dense=True) if shape.n_dense_layers else layer


def _stage(
    shape: ModelShape,
    layout: Layout,
    profile: AcceleratorProfile,
    place: tuple[int, int],
    layers: tuple[LayerTime, LayerTime],
) -> StageTime:
    stage, n_layers = place
    layer, wide = layers
    n_wide = n_dense_layers(shape, layout, stage)
    n = n_layers - n_wide
    forward_s = n * layer.forward_s + n_wide * wide.forward_s + profile.host_micro_batch_s
    backward_s = n * layer.backward_s + n_wide * wide.backward_s + profile.host_micro_batch_s
    if stage == layout.pp - 1:
        head = head_forward(shape, layout, profile)
        forward_s += head.total_s
        backward_s += head_backward(head).total_s
    if stage == 0:
        looked_up_s = 2.0 * BYTES * n_rank_tokens(shape, layout) * shape.n_hidden / profile.memory_bytes_per_s
        forward_s += looked_up_s
        backward_s += 2.0 * looked_up_s
    return StageTime(n_layers, forward_s, backward_s)
