"""What the ranks of a job exchange, in bits, and how long that takes on the reference node: NVLink domains and NICs."""

from __future__ import annotations

import math

from ..model.shape import ModelShape
from .compute import BYTES, AcceleratorProfile, n_rank_tokens
from .layout import Layout


def tensor_bits(shape: ModelShape, layout: Layout) -> float:
    """Bits that one all-reduce of tensor ranks works on: b s h. Two in each pass of a layer."""
    return 8.0 * BYTES * n_rank_tokens(shape, layout) * shape.n_hidden


def context_bits(shape: ModelShape, layout: Layout) -> float:
    """Bits of keys and values that each rank sends round the ring in a forward pass of a layer; backward twice."""
    return 8.0 * BYTES * 2.0 * n_rank_tokens(shape, layout) * shape.n_kv_hidden / layout.tp * (layout.cp - 1)


def expert_bits(shape: ModelShape, layout: Layout) -> float:
    """Bits that each rank sends in one of the four all-to-alls of a layer with experts, its own share left out.

    A token is sent once to each rank that has experts of it, as all dispatchers in use do (DeepEP, HybridEP).
    """
    return 8.0 * routed_bytes(shape, layout, layout.ep)


def routed_bytes(shape: ModelShape, layout: Layout, n_groups: int) -> float:
    """Bytes that each rank sends to the other groups, where the ranks of a layer's experts form that many alike and a
    token goes once to each group that has experts of it.
    """
    if n_groups < 2:
        return 0.0
    rows = n_rank_tokens(shape, layout) * n_groups_of_token(shape, n_groups) / layout.tp
    return BYTES * rows * shape.n_hidden * (n_groups - 1) / n_groups


def n_groups_of_token(shape: ModelShape, n_groups: int) -> float:
    """Groups of experts, of `n_groups` alike, that the experts of a token lie in, with even routing."""
    elsewhere = 1.0
    for i in range(shape.n_experts_active):
        left = shape.n_experts - i
        elsewhere *= max(0.0, left - shape.n_experts / n_groups) / left
    return n_groups * (1.0 - elsewhere)


def stage_boundary_bits(shape: ModelShape, layout: Layout) -> float:
    """Bits of a micro batch that each rank sends over one boundary of (virtual) stages, one direction."""
    return tensor_bits(shape, layout) / layout.tp


def data_bits(shape: ModelShape, layout: Layout, n_bytes: float) -> float:
    """Bits that each rank of the fullest stage sends in a reduce-scatter or all-gather of `n_bytes` a parameter."""
    alike, spread = rank_parameters(shape, layout)
    n_ranks, n_copies = layout.dp * layout.cp, layout.n_stage_ranks // layout.ep
    return 8.0 * n_bytes * (alike * (n_ranks - 1) / n_ranks + spread * (n_copies - 1) / n_copies)


def stage_layers(shape: ModelShape, layout: Layout) -> tuple[int, ...]:
    """Layers of each stage; where they do not divide, the last and then the first have fewer, for the head's sake."""
    low, more = divmod(shape.n_layers, layout.pp)
    heavy = frozenset([*range(1, layout.pp - 1), 0, layout.pp - 1][:more])
    return tuple(low + (stage in heavy) for stage in range(layout.pp))


def n_dense_layers(shape: ModelShape, layout: Layout, stage: int) -> int:
    """Layers of a stage that have no experts: the first of the model, stage after stage whatever is interleaved."""
    if not shape.n_dense_layers:
        return 0
    layers = stage_layers(shape, layout)
    return min(max(shape.n_dense_layers - sum(layers[:stage]), 0), layers[stage])


def stage_kinds(shape: ModelShape, layout: Layout) -> tuple[tuple[int, int, int], ...]:
    """(stage, layers, how many alike) of the first, the last, and one inner stage of each number of layers, those
    without experts told apart."""
    layers = stage_layers(shape, layout)
    inner: dict[tuple[int, int], tuple[int, int, int]] = {}
    for stage, n in enumerate(layers[1:-1], start=1):
        kind = n, n_dense_layers(shape, layout, stage)
        inner[kind] = (stage, n, inner[kind][2] + 1 if kind in inner else 1)
    last = ((layout.pp - 1, layers[-1], 1),) if layout.pp > 1 else ()
    return ((0, layers[0], 1), *inner.values(), *last)


def layer_parameters(shape: ModelShape, layout: Layout, *, dense: bool = False) -> tuple[float, float]:
    """Parameters of a layer on one rank: (alike on all data ranks, of experts spread over them)."""
    alike = shape.n_attention / layout.tp + 2 * shape.n_hidden
    if dense:
        return alike + shape.n_matrices * shape.n_hidden * shape.n_dense_ffn_hidden / layout.tp, 0.0
    alike += shape.n_hidden * shape.n_experts if shape.n_experts > 1 else 0
    alike += shape.n_shared_experts * shape.n_expert / layout.tp
    experts = shape.n_experts * shape.n_expert
    return (alike, experts / layout.ep) if layout.ep > 1 else (alike + experts / layout.tp, 0.0)


def stage_parameters(shape: ModelShape, layout: Layout, stage: int, n_layers: int) -> tuple[float, float]:
    """Parameters of a stage on one rank, split alike; the first has the embedding, the last the output."""
    n_dense = n_dense_layers(shape, layout, stage)
    alike, spread = layer_parameters(shape, layout)
    wide = layer_parameters(shape, layout, dense=True)[0] if n_dense else 0.0
    n_tables = (stage == 0) + (stage == layout.pp - 1) * (layout.pp > 1 or not shape.tied_embedding)
    tables = n_tables * shape.n_vocab * shape.n_hidden / layout.tp
    if stage == layout.pp - 1:
        tables += shape.n_predict_layers * 2 * shape.n_hidden**2 / layout.tp
    n = n_layers - n_dense
    return n * alike + n_dense * wide + tables, n * spread


def rank_parameters(shape: ModelShape, layout: Layout) -> tuple[float, float]:
    """Parameters of the fullest stage on one rank: (alike on all data ranks, of experts spread over them)."""
    return max((stage_parameters(shape, layout, stage, n) for stage, n, _ in stage_kinds(shape, layout)), key=sum)


def n_ranks_per_domain(profile: AcceleratorProfile, n_ranks: int, stride: int) -> int:
    """How many ranks of a group, `stride` apart, share one NVLink domain."""
    return max(1, min(n_ranks, profile.n_domain // stride))


def group_rate(profile: AcceleratorProfile, n_ranks: int, inside: int) -> float:
    """Bytes per second round a ring of ranks of which `inside` share an NVLink domain, one direction.

    Beyond one domain the members in a domain put their NICs together, and are never faster than NVLink.
    """
    if inside >= n_ranks:
        return profile.nvlink_bytes_per_s
    return min(profile.nvlink_bytes_per_s, inside * profile.nic_bytes_per_s)


def ring_s(profile: AcceleratorProfile, n_ranks: int, inside: int, n_bytes: float) -> float:
    """A reduce-scatter or an all-gather of `n_bytes` in all, half of an all-reduce: rings inside, trees between."""
    if n_ranks < 2:
        return 0.0
    hops_s = (inside - 1) * profile.nvlink_hop_s + math.ceil(math.log2(-(-n_ranks // inside))) * profile.nic_hop_s
    return hops_s + (n_ranks - 1) / n_ranks * n_bytes / group_rate(profile, n_ranks, inside)


def all_to_all_s(profile: AcceleratorProfile, near_bytes: float, far_bytes: float) -> float:
    """What each rank sends within its NVLink domain, and over its own NIC beyond it, one beside the other."""
    near_s = (
        profile.nvlink_hop_s + near_bytes / (profile.nvlink_bytes_per_s * profile.all_to_all_ratio)
        if near_bytes
        else 0.0
    )
    far_s = profile.nic_hop_s + far_bytes / (profile.nic_bytes_per_s * profile.all_to_all_ratio) if far_bytes else 0.0
    return max(near_s, far_s)


def send_s(profile: AcceleratorProfile, n_bytes: float, *, in_domain: bool) -> float:
    """From one rank to another, `in_domain` within its NVLink domain."""
    if in_domain:
        return profile.nvlink_hop_s + n_bytes / profile.nvlink_bytes_per_s
    return profile.nic_hop_s + n_bytes / profile.nic_bytes_per_s
