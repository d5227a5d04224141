"""Memory of the accelerator of the fullest stage: weights, gradients, optimizer state, activations."""

from __future__ import annotations

from dataclasses import dataclass

from ..model.shape import ModelShape
from .compute import AcceleratorProfile, n_rank_tokens
from .layout import Layout
from .rank_exchange import stage_kinds, stage_parameters

WEIGHT_BYTES = 2.0
"""bf16, kept in addition to fp8 copies that exist during a product only."""
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
        """Sum of all four, without the framework's own buffers and fragmentation."""
        return self.weights_bytes + self.gradients_bytes + self.optimizer_bytes + self.activations_bytes


def layer_activation_bytes(shape: ModelShape, layout: Layout, profile: AcceleratorProfile) -> float:
    """Activations of one layer and micro batch that wait for the backward pass, on one rank.

    Without sequence parallelism, as in the published bf16 runs with dropout: s b h (10 + 24 / t + 5 a s / (h t)),
    without 5 a s / h for fused attention or `selective`. With sequence parallelism the published runs have no dropout:
    8 instead of 10, split too. In fp8 the input of a product is kept in one byte. With `full` recompute: 2 s b h. For
    experts, routed rows replace tokens. Source: Korthikanti et al. 2022 (arXiv:2205.05198, equations 1 to 4 and table
    2).
    """
    tokens, n_split = n_rank_tokens(shape, layout), layout.tp if profile.sequence_parallel else 1
    if layout.recompute == "full":
        return 2.0 * tokens * shape.n_hidden / n_split
    fp8 = profile.n_cast_passes > 0
    product_bytes = 1.0 if fp8 else 2.0
    # kept: inputs of two norms, inputs of two products after them, two masks of dropout
    hidden_bytes = shape.n_hidden * (4.0 + 2.0 * product_bytes + (0.0 if profile.sequence_parallel else 2.0))
    n_ffn_rows = (shape.n_experts_active + shape.n_shared_experts) if shape.n_experts > 1 else 1
    # queries, keys, values; what attention gives, again as the input of a product in fp8; all of the feed-forward
    split_bytes = 2.0 * (shape.n_head_hidden + 2.0 * shape.n_kv_hidden) + (3.0 if fp8 else 2.0) * shape.n_head_hidden
    split_bytes += shape.n_ffn_hidden * n_ffn_rows * (2.0 * (shape.n_matrices - 1) + product_bytes)
    # rows that were sent to experts are kept too
    split_bytes += 2.0 * shape.n_hidden * shape.n_experts_active if shape.n_experts > 1 else 0.0
    activation_bytes = tokens * (hidden_bytes / n_split + split_bytes / layout.tp)
    if layout.recompute == "none" and not profile.fused_attention:
        activation_bytes += 5.0 * tokens * shape.n_heads * shape.n_sequence / layout.tp
    return activation_bytes


def n_in_flight(layout: Layout, stage: int, n_micro_batches: int) -> float:
    """Micro batches whose activations a stage holds at the same time, as multiples of the layers of the stage.

    One forward, one backward: p - i on stage i. Interleaved: 1 + (p - 1) / (p v) times p on the first stage. Never more
    than the micro batches of the step. Source: Korthikanti et al. 2022 (section 4.2.3).
    """
    p, v = layout.pp, layout.n_virtual_stages
    n_scheduled = p - stage if v == 1 else p * (1.0 + (p - 1.0) / (p * v)) - 2.0 * stage / v
    return min(float(n_micro_batches), n_scheduled)


def memory_use(
    shape: ModelShape, layout: Layout, profile: AcceleratorProfile, n_micro_batches: int, gradient_bytes: float
) -> MemoryUse:
    """Memory of the stage that needs most.

    Fully sharded: weights, gradients and state are spread over the data ranks. One whole layer is present at a time,
    and two while the next one is gathered.
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
    n_replicated, n_expert_sharded = stage_parameters(shape, layout, stage, n_layers)
    n_all = n_replicated + n_expert_sharded
    n_sharded = layout.sharded_parameters(n_replicated, n_expert_sharded)
    n_resident = n_sharded if layout.fully_sharded else n_all
    n_optimizer = n_sharded if layout.fully_sharded or profile.sharded_optimizer else n_all
    n_gathered = 2.0 * n_all / n_layers if layout.fully_sharded else 0.0
    activations_bytes = n_layers * in_flight * layer_activation_bytes(shape, layout, profile)
    if layout.recompute == "full":
        activations_bytes += _one_layer_bytes(shape, layout, profile)
    if stage == layout.pp - 1:
        n_logits = n_rank_tokens(shape, layout) * shape.n_vocab / layout.tp
        activations_bytes += LOGIT_BYTES * (1 + shape.n_predict_layers) * n_logits
    return MemoryUse(
        weights_bytes=WEIGHT_BYTES * (n_resident + n_gathered),
        gradients_bytes=gradient_bytes * n_resident,
        optimizer_bytes=OPTIMIZER_BYTES * n_optimizer,
        activations_bytes=activations_bytes,
    )


def _one_layer_bytes(shape: ModelShape, layout: Layout, profile: AcceleratorProfile) -> float:
    """All activations of the layer that is being recomputed."""
    no_recompute = Layout(tp=layout.tp, cp=layout.cp, dp=layout.dp, ep=layout.ep, n_micro_batch=layout.n_micro_batch)
    return layer_activation_bytes(shape, no_recompute, profile)
