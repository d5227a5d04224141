"""Shape of a transformer: the sizes that determine its FLOPs and parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from .records import STRICT, Count, Id

Width = Annotated[int, Field(ge=1, le=10_000_000)]
Few = Annotated[int, Field(ge=1, le=100_000)]


@dataclass(frozen=True, slots=True)
class ModelShape:
    """A decoder-only transformer, dense or with experts.

    Embedding and output are untied unless `tied_embedding`. A document may name a known model instead
    (`model: llama-3.1-405b`), or change some of its fields (`model: {preset: llama-3.1-405b, n_sequence: 16384}`).
    """

    __pydantic_config__ = STRICT

    n_layers: Annotated[int, Field(ge=1, le=10_000)]
    """Transformer layers."""
    n_hidden: Annotated[int, Field(ge=1, le=1_000_000)]
    """Hidden size."""
    n_heads: Few
    """Attention heads of a layer."""
    n_ffn_hidden: Width
    """Width of the feed-forward; in a model with experts, of one expert."""
    n_vocab: Width
    """Size of the vocabulary."""
    n_sequence: Annotated[int, Field(ge=1, le=100_000_000)]
    """Tokens in a sequence."""
    n_kv_heads: Few | None = None
    """Key-value heads; None = `n_heads`."""
    gated_ffn: bool = False
    """True for a feed-forward with a gate, which has three matrices in place of two."""
    n_experts: Few = 1
    """Routed experts per layer."""
    n_experts_active: Few = 1
    """Routed experts that process a token."""
    n_shared_experts: Annotated[int, Field(ge=0, le=100_000)] = 0
    """Additional experts of the same width that process every token."""
    n_dense_layers: Annotated[int, Field(ge=0, le=10_000)] = 0
    """First layers that have one feed-forward of width `n_dense_ffn_hidden` instead of experts."""
    n_dense_ffn_hidden: Count = 0
    """Width of the feed-forward of the dense layers."""
    n_head_width: Few | None = None
    """Width of one head; None = `n_hidden` / `n_heads`. If keys and values differ in width, their mean."""
    n_attention_parameters: Annotated[int, Field(ge=1, le=10**12)] | None = None
    """Attention parameters of one layer, for compressed keys and values; None = from heads and their width."""
    n_predict_layers: Annotated[int, Field(ge=0, le=100)] = 0
    """Number of the last `n_layers` that each predict one more token, with their own projection and logits."""
    tied_embedding: bool = False
    """True if embedding and output share their parameters."""
    preset: Id | None = None
    """Known model that the shape comes from."""

    @property
    def n_head_hidden(self) -> int:
        """Total width of the heads of a layer."""
        return self.n_heads * (self.n_head_width or self.n_hidden // self.n_heads)

    @property
    def n_kv_hidden(self) -> int:
        """Total width of the keys of a layer."""
        return self.n_head_hidden * (self.n_kv_heads or self.n_heads) // self.n_heads

    @property
    def n_attention(self) -> int:
        """Attention parameters of a layer."""
        if self.n_attention_parameters is not None:
            return self.n_attention_parameters
        return 2 * self.n_hidden * (self.n_head_hidden + self.n_kv_hidden)

    @property
    def n_expert(self) -> int:
        """Parameters of one expert, or of the feed-forward of a dense model."""
        return self.n_matrices * self.n_hidden * self.n_ffn_hidden

    @property
    def n_matrices(self) -> int:
        """Matrices of a feed-forward."""
        return 3 if self.gated_ffn else 2

    @property
    def n_expert_layers(self) -> int:
        """Layers with experts; all layers of a dense model."""
        return self.n_layers - self.n_dense_layers

    def n_parameters(self, *, active: bool = False) -> int:
        """Return the number of parameters.

        active: count only parameters that process a token. They determine FLOPs; all parameters determine volume.
        """
        n_experts = (self.n_experts_active if active else self.n_experts) + self.n_shared_experts
        router = self.n_hidden * self.n_experts if self.n_experts > 1 else 0
        dense = self.n_dense_layers * self.n_matrices * self.n_hidden * self.n_dense_ffn_hidden
        return (
            self.n_layers * (self.n_attention + 2 * self.n_hidden)
            + self.n_expert_layers * (self.n_expert * n_experts + router)
            + dense
            + self.n_predict_layers * 2 * self.n_hidden**2
            + (1 if self.tied_embedding else 2) * self.n_vocab * self.n_hidden
        )

    def n_expert_parameters(self) -> int:
        """Return the parameters of all routed experts."""
        return self.n_expert_layers * self.n_expert * self.n_experts

    def flops_per_token(self) -> float:
        """Return the model FLOPs per token, forward and backward, without recompute.

        6 N for N active parameters, plus 6 L h s for causal attention.

        Source: Kaplan et al. 2020 (arXiv:2001.08361, section 2.1) for 6 N; attention 12 L h s, halved by the mask.
        """
        logits = self.n_predict_layers * self.n_vocab * self.n_hidden
        attention = self.n_layers * self.n_head_hidden * self.n_sequence
        return 6.0 * self.n_parameters(active=True) + 6.0 * logits + 6.0 * attention
