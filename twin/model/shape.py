"""The shape of a transformer, with all that its work and its volume depend on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from .records import STRICT, Count, Id

Width = Annotated[int, Field(ge=1, le=10_000_000)]
Few = Annotated[int, Field(ge=1, le=100_000)]


@dataclass(frozen=True, slots=True)
class ModelShape:
    """A decoder-only transformer, dense or with experts: untied embedding and output unless `tied_embedding`.

    In a document a well-known model may be named instead (`model: llama-3.1-405b`), or taken over with some fields
    changed (`model: {preset: llama-3.1-405b, n_sequence: 16384}`).
    """

    __pydantic_config__ = STRICT

    n_layers: Annotated[int, Field(ge=1, le=10_000)]
    n_hidden: Annotated[int, Field(ge=1, le=1_000_000)]
    n_heads: Few
    n_ffn_hidden: Width
    """Width of the feed-forward; of one expert where there are any."""
    n_vocab: Width
    n_sequence: Annotated[int, Field(ge=1, le=100_000_000)]
    n_kv_heads: Few | None = None
    """None = as many as heads."""
    gated_ffn: bool = False
    n_experts: Few = 1
    """Routed experts of a layer."""
    n_experts_active: Few = 1
    """Routed experts that a token passes."""
    n_shared_experts: Annotated[int, Field(ge=0, le=100_000)] = 0
    """Experts of the same width that every token passes besides."""
    n_dense_layers: Annotated[int, Field(ge=0, le=10_000)] = 0
    """First layers that have one wide feed-forward, `n_dense_ffn_hidden`, in place of experts."""
    n_dense_ffn_hidden: Count = 0
    n_head_width: Few | None = None
    """Of one head; None = hidden by heads. Where scores and values differ in width, their mean."""
    n_attention_parameters: Annotated[int, Field(ge=1, le=10**12)] | None = None
    """Of one layer, where keys and values are compressed; None = by heads and their width."""
    n_predict_layers: Annotated[int, Field(ge=0, le=100)] = 0
    """Of `n_layers`, the last ones that each predict one token further: with a projection and logits of their own."""
    tied_embedding: bool = False
    preset: Id | None = None
    """Well-known model that this was taken from."""

    @property
    def n_head_hidden(self) -> int:
        """Width of all heads of a layer together."""
        return self.n_heads * (self.n_head_width or self.n_hidden // self.n_heads)

    @property
    def n_kv_hidden(self) -> int:
        """Width of all keys of a layer together."""
        return self.n_head_hidden * (self.n_kv_heads or self.n_heads) // self.n_heads

    @property
    def n_attention(self) -> int:
        """Attention parameters of a layer."""
        if self.n_attention_parameters is not None:
            return self.n_attention_parameters
        return 2 * self.n_hidden * (self.n_head_hidden + self.n_kv_hidden)

    @property
    def n_expert(self) -> int:
        """Parameters of one expert, or of the whole feed-forward of a dense model."""
        return self.n_matrices * self.n_hidden * self.n_ffn_hidden

    @property
    def n_matrices(self) -> int:
        """Matrices of a feed-forward."""
        return 3 if self.gated_ffn else 2

    @property
    def n_expert_layers(self) -> int:
        """Layers with experts, or with the one feed-forward of a dense model."""
        return self.n_layers - self.n_dense_layers

    def n_parameters(self, *, active: bool = False) -> int:
        """All parameters, or those that a token passes: FLOPs follow these, volume the total."""
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
        """Of the experts that tokens are routed to, all of them."""
        return self.n_expert_layers * self.n_expert * self.n_experts

    def flops_per_token(self) -> float:
        """Model FLOPs, forward and backward: 6 N active and causal attention, 6 L h s; no recompute.

        Source: Kaplan et al. 2020 (arXiv:2001.08361, section 2.1) for 6 N; attention 12 L h s, halved by the mask.
        """
        logits = self.n_predict_layers * self.n_vocab * self.n_hidden
        attention = self.n_layers * self.n_head_hidden * self.n_sequence
        return 6.0 * self.n_parameters(active=True) + 6.0 * logits + 6.0 * attention
