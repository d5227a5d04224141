"""Pipeline stage: time of one micro batch, with kernels one after another and the exposed exchange of its layers.

The exchange of tensor, context and expert ranks is that of the reference node (NVLink domains joined by NICs). A
`LayerExchange` replaces it where ranks lie in different racks of a routed network.
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
    """Seconds of each exchange within a layer, before overlap."""

    tensor_s: float
    """A reduce-scatter or all-gather of the tensor ranks: half an all-reduce."""
    context_s: float
    """Keys and values once round the context ring."""
    expert_s: float
    """One all-to-all of the tokens of a layer with experts."""


NO_LAYER_EXCHANGE = LayerExchange(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class LayerTime:
    """Seconds of both passes of a layer with exposed exchange, and the exposed exchange alone."""

    forward_s: float
    backward_s: float
    communication_s: float


@dataclass(frozen=True, slots=True)
class StageTime:
    """Time of one micro batch on one stage: all its virtual pieces, with the exchange of its layers."""

    n_layers: int
    forward_s: float
    backward_s: float
    """With recompute."""

    @property
    def total_s(self) -> float:
        """Forward and backward."""
        return self.forward_s + self.backward_s


def reference_layer_exchange(shape: ModelShape, layout: Layout, profile: AcceleratorProfile) -> LayerExchange:
    """Exchange on the reference node, where consecutive ranks share tensors first and then context."""
    return LayerExchange(
        ring_s(profile, layout.tp, n_ranks_per_domain(profile, layout.tp, 1), tensor_bits(shape, layout) / 8.0),
        context_s(shape, layout, profile, n_ranks_per_domain(profile, layout.cp, layout.tp)),
        expert_s(shape, layout, profile, n_ranks_per_domain(profile, layout.ep, 1)),
    )


def context_s(shape: ModelShape, layout: Layout, profile: AcceleratorProfile, n_per_domain: int) -> float:
    """Time of keys and values once round the context ring, with `n_per_domain` ranks in an NVLink domain."""
    total_bytes = context_bits(shape, layout) / 8.0 * layout.cp / max(1, layout.cp - 1)
    return ring_s(profile, layout.cp, n_per_domain, total_bytes)


def expert_s(shape: ModelShape, layout: Layout, profile: AcceleratorProfile, n_per_domain: int) -> float:
    """Time of one all-to-all of a layer with experts, with `n_per_domain` ranks in an NVLink domain.

    A token crosses once to each domain that has experts of it. Inside, it crosses once to each rank that has experts of
    it.
    """
    n_domains = -(-layout.ep // n_per_domain)
    sent_bytes = routed_bytes(shape, layout, layout.ep)
    domain_bytes = sent_bytes * min(1.0, n_domains * (n_per_domain - 1) / max(1, layout.ep - 1))
    return all_to_all_s(profile, domain_bytes, routed_bytes(shape, layout, n_domains))


def layer_time(
    shape: ModelShape,
    layout: Layout,
    profile: AcceleratorProfile,
    exchange: LayerExchange | None = None,
    *,
    dense: bool = False,
) -> LayerTime:
    """Time of a layer: kernels one after another and exposed exchange, but at least the launch time of the host.

    A pass has two all-reduces of tensor ranks (three passes with full recompute). Keys and values go round the context
    ring during the attention and come back with their gradients. Tokens go to their experts and return. With
    `expert_overlap` this overlaps with the kernels of another micro batch.

    Args:
        shape: the model.
        layout: the parallel layout.
        profile: the accelerator.
        exchange: seconds of exchange; None for the reference node.
        dense: a layer without experts in a model that has them.
    """
    exchange = reference_layer_exchange(shape, layout, profile) if exchange is None else exchange
    forward = layer_forward(shape, layout, profile, dense=dense)
    backward = layer_backward(forward, layout, profile)
    # products and exchange overlap piece by piece only where ranks can access each other's memory
    exposed_ratio = 1.0 - profile.tensor_overlap_ratio if layout.tp <= profile.n_domain else 1.0
    routed = not dense and shape.n_experts > 1
    tensor_s, routed_s = 4.0 * exposed_ratio * exchange.tensor_s, 2.0 * exchange.expert_s * routed
    n_recomputed = 1.0 if layout.recompute == "full" else 0.0
    overlap_ratio = 1.0 if layout.expert_overlap else 0.0
    forward_comm_s = tensor_s + max(0.0, exchange.context_s - forward.attention_s)
    forward_comm_s += max(0.0, routed_s - overlap_ratio * forward.total_s)
    backward_comm_s = tensor_s + max(0.0, 2.0 * exchange.context_s - 2.0 * forward.attention_s)
    backward_comm_s += max(0.0, routed_s - overlap_ratio * backward.total_s) + n_recomputed * forward_comm_s
    host_s = profile.host_expert_layer_s if routed and layout.eager else profile.host_layer_s
    return LayerTime(
        forward_s=max(forward.total_s + forward_comm_s, host_s),
        backward_s=max(backward.total_s + backward_comm_s, (1.0 + n_recomputed) * host_s),
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
    """Time of one micro batch on a stage of that many layers.

    The first stage looks up embeddings, the last one makes the logits.
    """
    return _stage_from_layers(shape, layout, profile, (stage, n_layers), _layer_kinds(shape, layout, profile, exchange))


def stage_times(
    shape: ModelShape, layout: Layout, profile: AcceleratorProfile, exchange: LayerExchange | None = None
) -> tuple[tuple[int, StageTime], ...]:
    """(number of stages, time) for each kind of stage: first, inner ones by their number of layers, last."""
    layers = _layer_kinds(shape, layout, profile, exchange)
    return tuple(
        (count, _stage_from_layers(shape, layout, profile, (stage, n), layers))
        for stage, n, count in stage_kinds(shape, layout)
    )


def _layer_kinds(
    shape: ModelShape, layout: Layout, profile: AcceleratorProfile, exchange: LayerExchange | None
) -> tuple[LayerTime, LayerTime]:
    """(a layer, one of the first layers that have no experts)."""
    layer = layer_time(shape, layout, profile, exchange)
    return layer, layer_time(shape, layout, profile, exchange, dense=True) if shape.n_dense_layers else layer


def _stage_from_layers(
    shape: ModelShape,
    layout: Layout,
    profile: AcceleratorProfile,
    stage_layers: tuple[int, int],
    layers: tuple[LayerTime, LayerTime],
) -> StageTime:
    """Time of a stage, (index, number of layers), from the times of its layers."""
    stage, n_layers = stage_layers
    layer, dense_layer = layers
    n_dense = n_dense_layers(shape, layout, stage)
    n_other = n_layers - n_dense
    forward_s = n_other * layer.forward_s + n_dense * dense_layer.forward_s + profile.host_micro_batch_s
    backward_s = n_other * layer.backward_s + n_dense * dense_layer.backward_s + profile.host_micro_batch_s
    if stage == layout.pp - 1:
        head = head_forward(shape, layout, profile)
        forward_s += head.total_s
        backward_s += head_backward(head).total_s
    if stage == 0:
        lookup_s = 2.0 * BYTES * n_rank_tokens(shape, layout) * shape.n_hidden / profile.memory_bytes_per_s
        forward_s += lookup_s
        backward_s += 2.0 * lookup_s
    return StageTime(n_layers, forward_s, backward_s)
