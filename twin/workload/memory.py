"""Bytes that a job holds on the accelerator of its fullest stage: weights, gradients, optimizer state, activations."""

from __future__ import annotations

from dataclasses import dataclass

from ..model.shape import ModelShape
from .compute import AcceleratorProfile, n_rank_tokens
from .layout import Layout
from .rank_exchange import stage_kinds, stage_parameters

WEIGHT_BYTES = 2.0
"""bf16, kept beside fp8 copies that live for a product only."""
OPTIMIZER_BYTES = 12.0
"""A parameter's fp32 copy and both moments of Adam. Source: Rajbhandari et al. 2020 (arXiv:1910.02054, section 3.1)."""
LOGIT_BYTES = 6.0
"""Of one logit kept for the backward pass: bf16 and fp32."""


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Bytes on one accelerator of the fullest stage."""

    weights_bytes: float
    gradients_bytes: float
    optimizer_bytes: float
    activations_bytes: float

    @property
    def total_bytes(self) -> float:
        """All of them; the framework's own buffers and fragmentation come on top."""
        return self.weights_bytes + self.gradients_bytes + self.optimizer_bytes + self.activations_bytes


def layer_activation_bytes(shape: ModelShape, layout: Layout, profile: AcceleratorProfile) -> float:
    """Activations of one layer and micro batch that wait for the backward pass, on one rank.

    Without sequence parallelism, as in the published bf16 runs with dropout: s b h (10 + 24 / t + 5 a s / (h t)), no
    5 a s / h with fused attention or `selective`. With it there is no dropout in the published runs either, so 8 for
    10, split too. In fp8 what goes into a product is kept in one byte. 2 s b h with `full`. Source: Korthikanti et al.
    2022 (arXiv:2205.05198, equations 1 to 4 and table 2); routed rows instead of tokens for experts.
    """
    tokens, alike = n_rank_tokens(shape, layout), layout.tp if profile.sequence_parallel else 1
    if layout.recompute == "full":
        return 2.0 * tokens * shape.n_hidden / alike
    fp8 = profile.n_cast_passes > 0
    stored = 1.0 if fp8 else 2.0
    # two norms keep what goes in, two products what comes out of them; two masks of dropout
    whole = shape.n_hidden * (4.0 + 2.0 * stored + (0.0 if profile.sequence_parallel else 2.0))
    rows = (shape.n_experts_active + shape.n_shared_experts) if shape.n_experts > 1 else 1
    # queries, keys, values; what attention gives, again as the input of a product in fp8; all of the feed-forward
    split = 2.0 * (shape.n_head_hidden + 2.0 * shape.n_kv_hidden) + (3.0 if fp8 else 2.0) * shape.n_head_hidden
    split += shape.n_ffn_hidden * rows * (2.0 * (shape.n_matrices - 1) + stored)
    # what was sent to experts is kept too
    split += 2.0 * shape.n_hidden * shape.n_experts_active if shape.n_experts > 1 else 0.0
    held = tokens * (whole / alike + split / layout.tp)
    if layout.recompute == "none" and not profile.fused_attention:
        held += 5.0 * tokens * shape.n_heads * shape.n_sequence / layout.tp
    return held


def n_in_flight(layout: Layout, stage: int, n_micro_batches: int) -> float:
    """Micro batches whose activations a stage holds at once, in layers' worth of the whole stage.

    One forward, one backward: p - i on stage i; interleaved 1 + (p - 1) / (p v) times p on the first. Never more than
    there are. Source: Korthikanti et al. 2022 (section 4.2.3).
    """
    p, v = layout.pp, layout.n_virtual_stages
    waiting = p - stage if v == 1 else p * (1.0 + (p - 1.0) / (p * v)) - 2.0 * stage / v
    return min(float(n_micro_batches), waiting)


def memory_use(
    shape: ModelShape, layout: Layout, profile: AcceleratorProfile, n_micro_batches: int, gradient_bytes: float
) -> MemoryUse:
    """Of the stage that holds most. Fully sharded: weights, gradients and state are spread over the data ranks, and one
    whole layer is there at a time, twice where the next is being gathered.
    """
    return max(
        (
            _stage_use(
                shape, layout, profile, stage, n_layers, n_in_flight(layout, stage, n_micro_batches), gradient_bytes
            )
            for stage, n_layers, _ in stage_kinds(shape, layout)
        ),
        key=lambda use: use.total_bytes,
    )


def _stage_use(
    shape: ModelShape,
    layout: Layout,
    profile: AcceleratorProfile,
    stage: int,
    n_layers: int,
    in_flight: float,
    gradient_bytes: float,
) -> MemoryUse:
    alike, spread = stage_parameters(shape, layout, stage, n_layers)
    whole = alike + spread
    sharded = layout.shared(alike, spread)
    held = sharded if layout.fully_sharded else whole
    state = sharded if layout.fully_sharded or profile.sharded_optimizer else whole
    gathered = 2.0 * whole / n_layers if layout.fully_sharded else 0.0
    activations = n_layers * in_flight * layer_activation_bytes(shape, layout, profile)
    if layout.recompute == "full":
        activations += _one_layer_bytes(shape, layout, profile)
    if stage == layout.pp - 1:
        n_logits = n_rank_tokens(shape, layout) * shape.n_vocab / layout.tp
        activations += LOGIT_BYTES * (1 + shape.n_predict_layers) * n_logits
    return MemoryUse(
        weights_bytes=WEIGHT_BYTES * (held + gathered),
        gradients_bytes=gradient_bytes * held,
        optimizer_bytes=OPTIMIZER_BYTES * state,
        activations_bytes=activations,
    )


def _one_layer_bytes(shape: ModelShape, layout: Layout, profile: AcceleratorProfile) -> float:
    """All activations of the layer that is being recomputed."""
    whole = Layout(tp=layout.tp, cp=layout.cp, dp=layout.dp, ep=layout.ep, n_micro_batch=layout.n_micro_batch)
    return layer_activation_bytes(shape, whole, profile)
