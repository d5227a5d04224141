"""Seconds that the kernels of one micro batch take on one accelerator of a stage: matrix products, attention, memory.

A matrix product of F FLOPs takes F / (sustained rate) + a fixed ramp, the efficiency a F / (F + F0) of a kernel, and
never less than its bytes take. Other kernels take what they move. The host that launches them is a floor of each layer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..model.jobs import Precision
from ..model.shape import ModelShape
from .layout import Layout

BYTES = 2
"""Of an activation, bf16; communication moves these whatever the precision of the products."""
HIDDEN_PASSES, FFN_PASSES, LOGIT_BYTES = 8.0, 3.0, 24.0
"""Activations of hidden width and of feed-forward width that the kernels of a layer read or write in a forward pass
(two norms, two residuals with dropout, one activation), and bytes moved for each logit: bf16 and fp32 in and out."""
OPTIMIZER_PASS_BYTES = 34.0
"""Moved for each parameter by Adam: gradient, both moments and the fp32 copy read, the last three and bf16 written."""


@dataclass(frozen=True, slots=True)
class AcceleratorProfile:
    """What one accelerator sustains at one precision; every figure is the catalogue's."""

    gemm_flops: float
    """Of a large matrix product in a layer."""
    bf16_flops: float
    """Of a large matrix product that stays in bf16: the one that makes the logits."""
    attention_flops: float
    """Of fused attention, bf16."""
    gemm_ramp_s: float
    """Fixed, of each matrix product: filling the tiles, the last wave."""
    memory_bytes_per_s: float
    n_score_passes: float
    """How often each attention score passes the memory: 0 where attention is fused."""
    replicated_ratio: float
    """Share of the hidden-width activations that every tensor rank works on alone; 0 with sequence parallelism."""
    n_cast_passes: float
    """Activations read or written besides, to scale and convert to the precision of the products."""
    host_layer_s: float
    """To launch the kernels of a layer's pass."""
    host_micro_batch_s: float
    """To launch what else a micro batch takes: input, loss, bookkeeping."""
    nvlink_bytes_per_s: float
    """All-reduce bus bandwidth in the NVLink domain, one direction."""
    nvlink_hop_s: float
    """Fixed, of each step of a collective in the domain."""
    nic_bytes_per_s: float
    nic_hop_s: float
    tensor_overlap_ratio: float
    """Share of tensor-parallel exchange that hides behind the products it belongs to."""
    sharded_optimizer: bool
    """Whether optimizer state is spread over the data ranks even where the weights are not."""
    n_domain: int
    memory_bytes: float
    all_to_all_ratio: float
    """Of the bandwidth of NVLink and NICs, what rows on their way to and from experts get."""
    n_route_passes: float
    """How often a row of hidden width passes the memory on its way to its expert and back, forward."""
    host_expert_layer_s: float
    """To launch the kernels of a pass of a layer with experts one by one, after their row counts reach the host."""

    @classmethod
    def of(cls, value: Callable[[str], float], precision: Precision) -> AcceleratorProfile:
        """From the figures of a part of the catalogue by their names; what it lacks, as the precision, is its error."""
        bf16 = value("bf16_tflops") * 1e12
        return cls(
            gemm_flops=value(f"{precision}_tflops") * 1e12 * value(f"gemm_{precision}_ratio"),
            bf16_flops=bf16 * value("gemm_bf16_ratio"),
            attention_flops=bf16 * value("attention_ratio"),
            gemm_ramp_s=value("gemm_ramp_us") * 1e-6,
            memory_bytes_per_s=value("memory_bytes_per_s") * value("memory_bandwidth_ratio"),
            n_score_passes=value("n_score_passes"),
            replicated_ratio=value("replicated_ratio"),
            n_cast_passes=value("n_cast_passes") if precision == "fp8" else 0.0,
            host_layer_s=value("host_layer_us") * 1e-6,
            host_micro_batch_s=value("host_micro_batch_us") * 1e-6,
            nvlink_bytes_per_s=value("nvlink_gbps") * 1.25e8 * value("nvlink_bandwidth_ratio"),
            nvlink_hop_s=value("nvlink_hop_us") * 1e-6,
            nic_bytes_per_s=value("nic_gbps") * 1.25e8 * value("nic_bandwidth_ratio"),
            nic_hop_s=value("nic_hop_us") * 1e-6,
            tensor_overlap_ratio=value("tensor_overlap_ratio"),
            sharded_optimizer=value("sharded_optimizer_ratio") > 0.5,
            n_domain=int(value("n_nvlink_domain")),
            memory_bytes=value("memory_bytes"),
            all_to_all_ratio=value("all_to_all_ratio"),
            n_route_passes=value("n_route_passes"),
            host_expert_layer_s=value("host_expert_layer_us") * 1e-6,
        )

    @property
    def fused_attention(self) -> bool:
        """Scores never reach the memory."""
        return self.n_score_passes == 0

    @property
    def sequence_parallel(self) -> bool:
        """What tensor ranks would do alike is split among them by tokens."""
        return self.replicated_ratio == 0


@dataclass(frozen=True, slots=True)
class PassTime:
    """Seconds of one pass of one layer (or of the head) by what takes them."""

    gemm_s: float = 0.0
    attention_s: float = 0.0
    memory_s: float = 0.0

    @property
    def total_s(self) -> float:
        """One kernel after the other."""
        return self.gemm_s + self.attention_s + self.memory_s

    def __add__(self, other: PassTime) -> PassTime:
        return PassTime(
            self.gemm_s + other.gemm_s, self.attention_s + other.attention_s, self.memory_s + other.memory_s
        )


def n_rank_tokens(shape: ModelShape, layout: Layout) -> float:
    """Tokens of a micro batch on one rank of its context group."""
    return layout.n_micro_batch * shape.n_sequence / layout.cp


def gemm_time_s(profile: AcceleratorProfile, n_rows: float, n_inner: float, n_columns: float, flops: float) -> float:
    """One product (rows x inner) (inner x columns), or as many bytes as it reads and writes if that takes longer."""
    work_s = 2.0 * n_rows * n_inner * n_columns / flops
    moved_s = BYTES * (n_rows * n_inner + n_inner * n_columns + n_rows * n_columns) / profile.memory_bytes_per_s
    return max(work_s, moved_s) + profile.gemm_ramp_s


def attention_flops(shape: ModelShape, layout: Layout) -> float:
    """Forward, of one layer and rank: causal, so half of 4 tokens x sequence x width."""
    return 2.0 * n_rank_tokens(shape, layout) * shape.n_sequence * shape.n_head_hidden / layout.tp


def layer_forward(shape: ModelShape, layout: Layout, profile: AcceleratorProfile, *, dense: bool = False) -> PassTime:
    """One layer; `dense` for a layer without experts in a model that has them."""
    tokens, tp, hidden = n_rank_tokens(shape, layout), layout.tp, shape.n_hidden
    rate = profile.gemm_flops
    wide = float(shape.n_head_hidden + 2 * shape.n_kv_hidden)
    if shape.n_attention_parameters is not None:
        wide = shape.n_attention_parameters / hidden - shape.n_head_hidden
    gemm_s = gemm_time_s(profile, tokens, hidden, wide / tp, rate)
    gemm_s += gemm_time_s(profile, tokens, shape.n_head_hidden / tp, hidden, rate)
    ffn_gemm_s, ffn_values = _feed_forward(shape, layout, profile, dense=dense)
    scores = layout.n_micro_batch * shape.n_heads / tp * shape.n_sequence**2 / layout.cp
    replicated = profile.replicated_ratio + (1.0 - profile.replicated_ratio) / tp
    values = (HIDDEN_PASSES + profile.n_cast_passes) * tokens * hidden * replicated + ffn_values
    values += profile.n_score_passes * scores
    attention_s = attention_flops(shape, layout) * (1.0 if profile.fused_attention else 2.0) / profile.attention_flops
    return PassTime(
        gemm_s + ffn_gemm_s, attention_s + 2 * profile.gemm_ramp_s, BYTES * values / profile.memory_bytes_per_s
    )


def _feed_forward(
    shape: ModelShape, layout: Layout, profile: AcceleratorProfile, *, dense: bool
) -> tuple[float, float]:
    """(seconds of products, activations moved) of the feed-forward of a layer on one rank."""
    tokens, hidden, rate = n_rank_tokens(shape, layout), shape.n_hidden, profile.gemm_flops
    up = shape.n_matrices - 1
    passes = FFN_PASSES + up - 1 + profile.n_cast_passes / 2
    if dense or shape.n_experts == 1:
        width = (shape.n_dense_ffn_hidden if dense else shape.n_ffn_hidden) / layout.tp
        gemm_s = gemm_time_s(profile, tokens, hidden, up * width, rate) + gemm_time_s(
            profile, tokens, width, hidden, rate
        )
        return gemm_s, passes * tokens * width
    # routed: every rank holds n_experts / ep whole ones (or their tp-th part); grouped products, one ramp each
    width = shape.n_ffn_hidden if layout.ep > 1 else shape.n_ffn_hidden / layout.tp
    rows = tokens * shape.n_experts_active / (layout.tp if layout.ep > 1 else 1)
    n_local = shape.n_experts / layout.ep
    moved = 2.0 * (n_local * hidden * width * shape.n_matrices + rows * (2 * hidden + (up + 1) * width))
    gemm_s = max(2.0 * rows * hidden * width * shape.n_matrices / rate, moved / profile.memory_bytes_per_s)
    gemm_s += 2.0 * profile.gemm_ramp_s
    values = passes * rows * width + (profile.n_route_passes + profile.n_cast_passes) * rows * hidden
    if shape.n_shared_experts:
        shared = shape.n_shared_experts * shape.n_ffn_hidden / layout.tp
        gemm_s += gemm_time_s(profile, tokens, hidden, up * shared, rate)
        gemm_s += gemm_time_s(profile, tokens, shared, hidden, rate)
        values += passes * tokens * shared
    return gemm_s, values


def layer_backward(forward: PassTime, layout: Layout, profile: AcceleratorProfile) -> PassTime:
    """Twice the products and traffic of the forward pass; fused attention makes its scores once more (5 for 2).

    With recompute comes the attention (`selective`) or the whole forward pass (`full`) once more. Source of fused
    attention: Dao 2023 (arXiv:2307.08691, section 4).
    """
    again = 2.5 if profile.fused_attention else 2.0
    back = PassTime(2.0 * forward.gemm_s, again * forward.attention_s, 2.0 * forward.memory_s)
    if layout.recompute == "full":
        return back + forward
    if layout.recompute == "selective":
        return back + PassTime(attention_s=forward.attention_s)
    return back


def head_forward(shape: ModelShape, layout: Layout, profile: AcceleratorProfile) -> PassTime:
    """The product that makes the logits, in bf16, and the loss over them, on the last stage.

    Once more, after a projection, for each layer that predicts a token further.
    """
    tokens, columns, more = n_rank_tokens(shape, layout), shape.n_vocab / layout.tp, shape.n_predict_layers
    gemm_s = (1 + more) * gemm_time_s(profile, tokens, shape.n_hidden, columns, profile.bf16_flops)
    if more:
        gemm_s += more * gemm_time_s(
            profile, tokens, 2 * shape.n_hidden, shape.n_hidden / layout.tp, profile.gemm_flops
        )
    return PassTime(gemm_s, 0.0, (1 + more) * LOGIT_BYTES * tokens * columns / profile.memory_bytes_per_s)


def head_backward(forward: PassTime) -> PassTime:
    """Two products for one, and a pass over the logits; the head is not recomputed."""
    return PassTime(2.0 * forward.gemm_s, 0.0, 0.5 * forward.memory_s)


def optimizer_time_s(n_rank_parameters: float, profile: AcceleratorProfile) -> float:
    """Adam over the parameters whose state this accelerator keeps."""
    return OPTIMIZER_PASS_BYTES * n_rank_parameters / profile.memory_bytes_per_s


def flops_with_recompute(shape: ModelShape, layout: Layout) -> float:
    """FLOPs of a token that the hardware does: with the passes that recompute does again.

    Source: Narayanan et al. 2021 (arXiv:2104.04473, eq. 3), halved where attention is causal; Korthikanti et al. 2022
    (arXiv:2205.05198, section 5) for `selective`.
    """
    attention = 2.0 * shape.n_layers * shape.n_head_hidden * shape.n_sequence
    if layout.recompute == "selective":
        return shape.flops_per_token() + attention
    if layout.recompute == "none":
        return shape.flops_per_token()
    embedding = (1 if shape.tied_embedding else 2) * shape.n_vocab * shape.n_hidden
    return shape.flops_per_token() + 2.0 * (shape.n_parameters(active=True) - embedding) + attention
