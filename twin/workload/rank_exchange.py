"""Rank exchange: bits that ranks of a job exchange, and its time on the reference node of NVLink domains and NICs."""

from __future__ import annotations

import math

from ..model.shape import ModelShape
from .compute import BYTES, AcceleratorProfile, n_rank_tokens
from .layout import Layout


def tensor_bits(shape: ModelShape, layout: Layout) -> float:
    """Bits that one all-reduce of tensor ranks works on: b s h. A pass of a layer has two."""
    return 8.0 * BYTES * n_rank_tokens(shape, layout) * shape.n_hidden


def context_bits(shape: ModelShape, layout: Layout) -> float:
    """Bits of keys and values that each rank sends round the ring in a forward pass of a layer; backward twice that."""
    return 8.0 * BYTES * 2.0 * n_rank_tokens(shape, layout) * shape.n_kv_hidden / layout.tp * (layout.cp - 1)


def expert_bits(shape: ModelShape, layout: Layout) -> float:
    """Bits that each rank sends in one of the four all-to-alls of a layer with experts, without its own part.

    A token is sent once to each rank that has experts of it, as all dispatchers in use do (DeepEP, HybridEP).
    """
    return 8.0 * routed_bytes(shape, layout, layout.ep)


def routed_bytes(shape: ModelShape, layout: Layout, n_groups: int) -> float:
    """Bytes that each rank sends to the other groups of ranks.

    The ranks of a layer's experts form `n_groups` equal groups. A token goes once to each group that has experts of it.
    """
    if n_groups < 2:
        return 0.0
    rows = n_rank_tokens(shape, layout) * n_groups_of_token(shape, n_groups) / layout.tp
    return BYTES * rows * shape.n_hidden * (n_groups - 1) / n_groups


def n_groups_of_token(shape: ModelShape, n_groups: int) -> float:
    """Expected number of `n_groups` equal groups that hold the experts of a token, with even routing."""
    miss_chance = 1.0
    for i in range(shape.n_experts_active):
        n_remaining = shape.n_experts - i
        miss_chance *= max(0.0, n_remaining - shape.n_experts / n_groups) / n_remaining
    return n_groups * (1.0 - miss_chance)


def stage_boundary_bits(shape: ModelShape, layout: Layout) -> float:
    """Bits of a micro batch that each rank sends over one boundary of (virtual) stages, one direction."""
    return tensor_bits(shape, layout) / layout.tp


def stage_layers(shape: ModelShape, layout: Layout) -> tuple[int, ...]:
    """Layers of each stage. Where they do not divide, the last and then the first have fewer, because of the head."""
    n_min, n_extra = divmod(shape.n_layers, layout.pp)
    stages_with_extra = frozenset([*range(1, layout.pp - 1), 0, layout.pp - 1][:n_extra])
    return tuple(n_min + (stage in stages_with_extra) for stage in range(layout.pp))


def n_dense_layers(shape: ModelShape, layout: Layout, stage: int) -> int:
    """Layers of a stage without experts: the first of the model, stage after stage, also with interleaved stages."""
    if not shape.n_dense_layers:
        return 0
    layers = stage_layers(shape, layout)
    return min(max(shape.n_dense_layers - sum(layers[:stage]), 0), layers[stage])


def stage_kinds(shape: ModelShape, layout: Layout) -> tuple[tuple[int, int, int], ...]:
    """(stage, layers, number of equal stages) of the first, the last, and one inner stage of each number of layers.

    Inner stages with different numbers of layers without experts are listed apart.
    """
    layers = stage_layers(shape, layout)
    inner: dict[tuple[int, int], tuple[int, int, int]] = {}
    for stage, n in enumerate(layers[1:-1], start=1):
        kind = n, n_dense_layers(shape, layout, stage)
        inner[kind] = (stage, n, inner[kind][2] + 1 if kind in inner else 1)
    last = ((layout.pp - 1, layers[-1], 1),) if layout.pp > 1 else ()
    return ((0, layers[0], 1), *inner.values(), *last)


def layer_parameters(shape: ModelShape, layout: Layout, *, dense: bool = False) -> tuple[float, float]:
    """Parameters of a layer on one rank: (replicated on all data ranks, of experts sharded over them)."""
    n_replicated = shape.n_attention / layout.tp + 2 * shape.n_hidden
    if dense:
        return n_replicated + shape.n_matrices * shape.n_hidden * shape.n_dense_ffn_hidden / layout.tp, 0.0
    n_replicated += shape.n_hidden * shape.n_experts if shape.n_experts > 1 else 0
    n_replicated += shape.n_shared_experts * shape.n_expert / layout.tp
    experts = shape.n_experts * shape.n_expert
    return (n_replicated, experts / layout.ep) if layout.ep > 1 else (n_replicated + experts / layout.tp, 0.0)


def stage_parameters(shape: ModelShape, layout: Layout, stage: int, n_layers: int) -> tuple[float, float]:
    """Parameters of a stage on one rank: (replicated on all data ranks, of experts sharded over them).

    The first stage has the embedding, the last one the output.
    """
    n_dense = n_dense_layers(shape, layout, stage)
    n_replicated, n_expert_sharded = layer_parameters(shape, layout)
    n_dense_layer = layer_parameters(shape, layout, dense=True)[0] if n_dense else 0.0
    n_tables = (stage == 0) + (stage == layout.pp - 1) * (layout.pp > 1 or not shape.tied_embedding)
    n_table_parameters = n_tables * shape.n_vocab * shape.n_hidden / layout.tp
    if stage == layout.pp - 1:
        n_table_parameters += shape.n_predict_layers * 2 * shape.n_hidden**2 / layout.tp
    n_other = n_layers - n_dense
    return n_other * n_replicated + n_dense * n_dense_layer + n_table_parameters, n_other * n_expert_sharded


def rank_parameters(shape: ModelShape, layout: Layout) -> tuple[float, float]:
    """Parameters of the fullest stage on one rank: (replicated on all data ranks, of experts sharded over them)."""
    return max((stage_parameters(shape, layout, stage, n) for stage, n, _ in stage_kinds(shape, layout)), key=sum)


def n_ranks_per_domain(profile: AcceleratorProfile, n_ranks: int, stride: int) -> int:
    """Ranks of a group, `stride` apart, that share one NVLink domain."""
    return max(1, min(n_ranks, profile.n_domain // stride))


def group_rate(profile: AcceleratorProfile, n_ranks: int, n_per_domain: int) -> float:
    """Rate of a ring in bytes per second, one direction, with `n_per_domain` ranks in an NVLink domain.

    Beyond one domain, the members in a domain use their NICs together. They are never faster than NVLink.
    """
    if n_per_domain >= n_ranks:
        return profile.nvlink_bytes_per_s
    return min(profile.nvlink_bytes_per_s, n_per_domain * profile.nic_bytes_per_s)


def ring_s(profile: AcceleratorProfile, n_ranks: int, n_per_domain: int, n_bytes: float) -> float:
    """Time of a reduce-scatter or all-gather of `n_bytes` in all, half of an all-reduce.

    Latency is that of rings inside domains and of trees between them.
    """
    if n_ranks < 2:
        return 0.0
    hops_s = (n_per_domain - 1) * profile.nvlink_hop_s + math.ceil(
        math.log2(-(-n_ranks // n_per_domain))
    ) * profile.nic_hop_s
    return hops_s + (n_ranks - 1) / n_ranks * n_bytes / group_rate(profile, n_ranks, n_per_domain)


def all_to_all_s(profile: AcceleratorProfile, domain_bytes: float, nic_bytes: float) -> float:
    """Time of an all-to-all: what each rank sends in its NVLink domain and over its own NIC, at the same time.

    What goes to the NIC of another rank loads NVLink as well.
    """
    domain_bytes = domain_bytes + profile.relayed_ratio * nic_bytes
    domain_s = (
        profile.nvlink_hop_s + domain_bytes / (profile.nvlink_bytes_per_s * profile.all_to_all_ratio)
        if domain_bytes
        else 0.0
    )
    nic_s = profile.nic_hop_s + nic_bytes / (profile.nic_bytes_per_s * profile.all_to_all_ratio) if nic_bytes else 0.0
    return max(domain_s, nic_s)


def send_s(profile: AcceleratorProfile, n_bytes: float, *, in_domain: bool) -> float:
    """Time from one rank to another; `in_domain` where they share an NVLink domain."""
    if in_domain:
        return profile.nvlink_hop_s + n_bytes / profile.nvlink_bytes_per_s
    return profile.nic_hop_s + n_bytes / profile.nic_bytes_per_s
