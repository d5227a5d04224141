"""Kernel times of one micro batch on one accelerator of a stage: matrix products, attention, memory traffic.

A matrix product of F FLOPs takes F / (sustained rate) plus a fixed ramp. This is the efficiency a F / (F + F0) of a
kernel. It never takes less than its bytes take. Other kernels take what their bytes take. The host that launches the
kernels sets a floor for each layer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..model.jobs import Precision
from ..model.shape import ModelShape
from .layout import Layout

BYTES = 2
"""Of an activation in bf16; communication moves these at every precision of the products."""
HIDDEN_PASSES = 8.0
"""Reads and writes of hidden-width activations in a layer's forward pass: two norms, two residuals with dropout."""
FFN_PASSES = 3.0
"""Reads and writes of activations of feed-forward width in a layer's forward pass: one activation function."""
LOGIT_BYTES = 24.0
"""Bytes moved for each logit: bf16 and fp32 in and out."""
OPTIMIZER_PASS_BYTES = 34.0
"""Moved for each parameter by Adam: gradient, both moments and fp32 copy read, the last three and bf16 written."""


@dataclass(frozen=True, slots=True)
class AcceleratorProfile:
    """Sustained rates and fixed overheads of one accelerator at one precision; every figure is the catalogue's."""

    gemm_flops: float
    """Rate of a large matrix product in a layer, FLOP/s."""
    bf16_flops: float
    """Rate of a large matrix product that stays in bf16, the one that makes the logits, FLOP/s."""
    attention_flops: float
    """Rate of fused attention in bf16, FLOP/s."""
    gemm_ramp_s: float
    """Fixed time of each matrix product: filling the tiles, the last wave."""
    memory_bytes_per_s: float
    n_score_passes: float
    """Passes of each attention score through the memory: 0 where attention is fused."""
    replicated_ratio: float
    """Share of the hidden-width activations that every tensor rank processes alone; 0 with sequence parallelism."""
    n_cast_passes: float
    """Further reads or writes of activations, to scale and convert them to the precision of the products."""
    host_layer_s: float
    """Time to launch the kernels of one pass of a layer."""
    host_micro_batch_s: float
    """Time to launch the other kernels of a micro batch: input, loss, bookkeeping."""
    nvlink_bytes_per_s: float
    """All-reduce bus bandwidth in the NVLink domain, one direction."""
    nvlink_hop_s: float
    """Fixed time of each step of a collective in the domain."""
    nic_gbps: float
    """Nominal rate of the network card."""
    nic_bytes_per_s: float
    nic_hop_s: float
    tensor_overlap_ratio: float
    """Share of tensor-parallel exchange that overlaps with the products it belongs to."""
    sharded_optimizer: bool
    """Whether optimizer state is spread over the data ranks even where the weights are not."""
    n_domain: int
    memory_bytes: float
    all_to_all_ratio: float
    """Share of the NVLink and NIC bandwidth that tokens get on their way to and from experts."""
    n_route_passes: float
    """Passes of a row of hidden width through the memory on its way to its expert and back, forward."""
    host_expert_layer_s: float
    """Time to launch the kernels of a pass of a layer with experts one by one, after row counts reach the host."""
    relayed_ratio: float = 0.0
    """Share of what an accelerator sends over cards that goes over NVLink to the card of another one first."""

    @classmethod
    def of(cls, value: Callable[[str], float], precision: Precision) -> AcceleratorProfile:
        """Read the profile from the figures of a catalogue part.

        Args:
            value: figure by name; it raises for a figure that the part lacks, such as the precision.
            precision: precision of the products.
        """
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
            nic_gbps=value("nic_gbps"),
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

    def with_card_gbps(self, nic_gbps: float) -> AcceleratorProfile:
        """Return the profile with network cards of another nominal rate, used to the same share."""
        ratio = self.nic_bytes_per_s / self.nic_gbps
        return replace(self, nic_gbps=nic_gbps, nic_bytes_per_s=nic_gbps * ratio)

    @property
    def fused_attention(self) -> bool:
        """Whether attention scores never reach the memory."""
        return self.n_score_passes == 0

    @property
    def sequence_parallel(self) -> bool:
        """Whether work that is equal on all tensor ranks is split among them by tokens."""
        return self.replicated_ratio == 0


@dataclass(frozen=True, slots=True)
class PassTime:
    """Seconds of one pass of one layer (or of the head) by kind of kernel."""

    gemm_s: float = 0.0
    attention_s: float = 0.0
    memory_s: float = 0.0

    @property
    def total_s(self) -> float:
        """Sum: kernels run one after another."""
        return self.gemm_s + self.attention_s + self.memory_s

    def __add__(self, other: PassTime) -> PassTime:
        return PassTime(
            self.gemm_s + other.gemm_s, self.attention_s + other.attention_s, self.memory_s + other.memory_s
        )


def n_rank_tokens(shape: ModelShape, layout: Layout) -> float:
    """Tokens of a micro batch on one rank of its context group."""
    return layout.n_micro_batch * shape.n_sequence / layout.cp


def gemm_time_s(profile: AcceleratorProfile, n_rows: float, n_inner: float, n_columns: float, flops: float) -> float:
    """Time of one product (rows x inner) (inner x columns), at least the time of the bytes that it reads and writes.

    Args:
        profile: the accelerator.
        n_rows: rows of the first matrix.
        n_inner: columns of the first and rows of the second matrix.
        n_columns: columns of the second matrix.
        flops: sustained FLOP/s of a large product.
    """
    work_s = 2.0 * n_rows * n_inner * n_columns / flops
    moved_s = BYTES * (n_rows * n_inner + n_inner * n_columns + n_rows * n_columns) / profile.memory_bytes_per_s
    return max(work_s, moved_s) + profile.gemm_ramp_s


def attention_flops(shape: ModelShape, layout: Layout) -> float:
    """FLOPs of forward attention of one layer and rank: causal, so half of 4 tokens x sequence x width."""
    return 2.0 * n_rank_tokens(shape, layout) * shape.n_sequence * shape.n_head_hidden / layout.tp


def layer_forward(shape: ModelShape, layout: Layout, profile: AcceleratorProfile, *, dense: bool = False) -> PassTime:
    """Forward pass of one layer; `dense` for a layer without experts in a model that has them."""
    tokens, tp, hidden = n_rank_tokens(shape, layout), layout.tp, shape.n_hidden
    flops_per_s = profile.gemm_flops
    n_columns = float(shape.n_head_hidden + 2 * shape.n_kv_hidden)
    if shape.n_attention_parameters is not None:
        n_columns = shape.n_attention_parameters / hidden - shape.n_head_hidden
    gemm_s = gemm_time_s(profile, tokens, hidden, n_columns / tp, flops_per_s)
    gemm_s += gemm_time_s(profile, tokens, shape.n_head_hidden / tp, hidden, flops_per_s)
    ffn_gemm_s, ffn_values = _feed_forward(shape, layout, profile, dense=dense)
    n_scores = layout.n_micro_batch * shape.n_heads / tp * shape.n_sequence**2 / layout.cp
    hidden_ratio = profile.replicated_ratio + (1.0 - profile.replicated_ratio) / tp
    n_values = (HIDDEN_PASSES + profile.n_cast_passes) * tokens * hidden * hidden_ratio + ffn_values
    n_values += profile.n_score_passes * n_scores
    attention_s = attention_flops(shape, layout) * (1.0 if profile.fused_attention else 2.0) / profile.attention_flops
    return PassTime(
        gemm_s + ffn_gemm_s, attention_s + 2 * profile.gemm_ramp_s, BYTES * n_values / profile.memory_bytes_per_s
    )


def _feed_forward(
    shape: ModelShape, layout: Layout, profile: AcceleratorProfile, *, dense: bool
) -> tuple[float, float]:
    """(seconds of products, activations moved) of the feed-forward of a layer on one rank."""
    tokens, hidden, flops_per_s = n_rank_tokens(shape, layout), shape.n_hidden, profile.gemm_flops
    n_up_matrices = shape.n_matrices - 1
    passes = FFN_PASSES + n_up_matrices - 1 + profile.n_cast_passes / 2
    if dense or shape.n_experts == 1:
        width = (shape.n_dense_ffn_hidden if dense else shape.n_ffn_hidden) / layout.tp
        gemm_s = gemm_time_s(profile, tokens, hidden, n_up_matrices * width, flops_per_s) + gemm_time_s(
            profile, tokens, width, hidden, flops_per_s
        )
        return gemm_s, passes * tokens * width
    # routed: every rank has n_experts / ep whole experts (or their tp-th part); grouped products, one ramp each
    width = shape.n_ffn_hidden if layout.ep > 1 else shape.n_ffn_hidden / layout.tp
    rows = tokens * shape.n_experts_active / (layout.tp if layout.ep > 1 else 1)
    n_local = shape.n_experts / layout.ep
    moved_bytes = 2.0 * (
        n_local * hidden * width * shape.n_matrices + rows * (2 * hidden + (n_up_matrices + 1) * width)
    )
    gemm_s = max(2.0 * rows * hidden * width * shape.n_matrices / flops_per_s, moved_bytes / profile.memory_bytes_per_s)
    gemm_s += 2.0 * profile.gemm_ramp_s
    n_values = passes * rows * width + (profile.n_route_passes + profile.n_cast_passes) * rows * hidden
    if shape.n_shared_experts:
        shared_width = shape.n_shared_experts * shape.n_ffn_hidden / layout.tp
        gemm_s += gemm_time_s(profile, tokens, hidden, n_up_matrices * shared_width, flops_per_s)
        gemm_s += gemm_time_s(profile, tokens, shared_width, hidden, flops_per_s)
        n_values += passes * tokens * shared_width
    return gemm_s, n_values


def layer_backward(forward: PassTime, layout: Layout, profile: AcceleratorProfile) -> PassTime:
    """Backward pass: twice the products and traffic of the forward pass.

    Fused attention computes its scores once more (5 for 2). Recompute adds the attention (`selective`) or the whole
    forward pass (`full`). Source of fused attention: Dao 2023 (arXiv:2307.08691, section 4).
    """
    n_attention_passes = 2.5 if profile.fused_attention else 2.0
    backward = PassTime(2.0 * forward.gemm_s, n_attention_passes * forward.attention_s, 2.0 * forward.memory_s)
    if layout.recompute == "full":
        return backward + forward
    if layout.recompute == "selective":
        return backward + PassTime(attention_s=forward.attention_s)
    return backward


def head_forward(shape: ModelShape, layout: Layout, profile: AcceleratorProfile) -> PassTime:
    """Forward pass of the head on the last stage: the product that makes the logits, in bf16, and their loss.

    It is done once more, after a projection, for each layer that predicts a further token.
    """
    tokens, n_columns, n_predict_layers = (
        n_rank_tokens(shape, layout),
        shape.n_vocab / layout.tp,
        shape.n_predict_layers,
    )
    gemm_s = (1 + n_predict_layers) * gemm_time_s(profile, tokens, shape.n_hidden, n_columns, profile.bf16_flops)
    if n_predict_layers:
        gemm_s += n_predict_layers * gemm_time_s(
            profile, tokens, 2 * shape.n_hidden, shape.n_hidden / layout.tp, profile.gemm_flops
        )
    return PassTime(gemm_s, 0.0, (1 + n_predict_layers) * LOGIT_BYTES * tokens * n_columns / profile.memory_bytes_per_s)


def head_backward(forward: PassTime) -> PassTime:
    """Backward pass of the head: two products for one, and a pass over the logits; the head is not recomputed."""
    return PassTime(2.0 * forward.gemm_s, 0.0, 0.5 * forward.memory_s)


def optimizer_time_s(n_rank_parameters: float, profile: AcceleratorProfile) -> float:
    """Time of Adam over the parameters whose state is on this accelerator."""
    return OPTIMIZER_PASS_BYTES * n_rank_parameters / profile.memory_bytes_per_s
