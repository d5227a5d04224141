"""A transformer and the way it is cut, with all that decides work, bytes and memory of one accelerator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..errors import DocumentError
from ..model.records import ModelShape

Recompute = Literal["none", "selective", "full"]


@dataclass(frozen=True, slots=True)
class Shape:
    """A decoder-only transformer, dense or with experts; `n_ffn_hidden` is the width of one expert where it has any."""

    n_layers: int
    n_hidden: int
    n_heads: int
    n_ffn_hidden: int
    n_vocab: int
    n_sequence: int
    n_kv_heads: int | None = None
    gated_ffn: bool = False
    n_experts: int = 1
    """Routed experts of a layer."""
    n_experts_active: int = 1
    """Routed experts that a token passes."""
    n_shared_experts: int = 0
    """Experts of the same width that every token passes besides."""
    n_dense_layers: int = 0
    """First layers that have one wide feed-forward, `n_dense_ffn_hidden`, in place of experts."""
    n_dense_ffn_hidden: int = 0
    n_head_width: int | None = None
    """Of one head; None = hidden by heads. Where scores and values differ in width, their mean."""
    n_attention_parameters: int | None = None
    """Of one layer, where keys and values are compressed; None = by heads and their width."""
    tied_embedding: bool = False

    @classmethod
    def of(cls, model: ModelShape) -> Shape:
        """The shape of a job's model."""
        return cls(
            model.n_layers,
            model.n_hidden,
            model.n_heads,
            model.n_ffn_hidden,
            model.n_vocab,
            model.n_sequence,
            model.n_kv_heads,
            model.gated_ffn,
            model.n_experts,
            model.n_experts_active,
        )

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
            + (1 if self.tied_embedding else 2) * self.n_vocab * self.n_hidden
        )

    def flops_per_token(self) -> float:
        """Model FLOPs, forward and backward: 6 N active and causal attention, no recompute."""
        return 6.0 * self.n_parameters(active=True) + 6.0 * self.n_layers * self.n_head_hidden * self.n_sequence


@dataclass(frozen=True, slots=True)
class Layout:
    """How a job is cut over accelerators: consecutive ranks share tensors first, then context, data, and pipeline.

    Experts are spread over `ep` consecutive ranks of a stage whatever tensors and context these share; where `ep` is 1
    they are cut as all other matrices are.
    """

    tp: int = 1
    pp: int = 1
    dp: int = 1
    cp: int = 1
    ep: int = 1
    n_virtual_stages: int = 1
    n_micro_batch: int = 1
    """Sequences in a micro batch."""
    fully_sharded: bool = False
    """Weights, gradients and optimizer state are spread over the data ranks and gathered layer by layer."""
    recompute: Recompute = "none"

    @property
    def n_accelerators(self) -> int:
        """Of the whole job."""
        return self.tp * self.pp * self.dp * self.cp

    @property
    def n_stage_ranks(self) -> int:
        """Accelerators that hold the same stage."""
        return self.tp * self.dp * self.cp

    def n_micro_batches(self, n_global_batch: int) -> int:
        """Micro batches of a replica in one step."""
        return n_global_batch // (self.dp * self.n_micro_batch)

    def check(self, shape: Shape, n_global_batch: int, n_accelerators: int | None = None) -> None:
        """Raise DocumentError for the first rule that does not hold, with what would fit."""
        for broken, where, problem, expected in (
            (
                n_accelerators is not None and n_accelerators != self.n_accelerators,
                "parallel",
                f"tp x pp x cp x dp = {self.n_accelerators} is not the {n_accelerators} accelerators of the job",
                f"dp: {(n_accelerators or 0) // max(1, self.n_accelerators // self.dp)}",
            ),
            (
                n_global_batch % (self.dp * self.n_micro_batch) > 0,
                "global_batch",
                f"{n_global_batch} sequences do not divide into micro batches of {self.n_micro_batch}"
                f" on {self.dp} replicas",
                f"a multiple of {self.dp * self.n_micro_batch}",
            ),
            (
                shape.n_heads % self.tp > 0,
                "parallel.tp",
                f"{shape.n_heads} heads do not divide by tp {self.tp}",
                f"tp: one of {_divisors(shape.n_heads)}",
            ),
            (
                shape.n_sequence % self.cp > 0,
                "parallel.cp",
                f"a sequence of {shape.n_sequence} does not divide by cp {self.cp}",
                f"a divisor of {shape.n_sequence}",
            ),
            (
                self.pp * self.n_virtual_stages > shape.n_layers,
                "parallel.pp",
                f"{self.pp} stages of {self.n_virtual_stages} pieces are more than {shape.n_layers} layers",
                f"pp x virtual_stages up to {shape.n_layers}",
            ),
            (
                shape.n_experts % self.ep > 0,
                "parallel.ep",
                f"{shape.n_experts} experts do not divide by ep {self.ep}",
                f"ep: one of {_divisors(shape.n_experts)}",
            ),
            (
                self.n_stage_ranks % self.ep > 0,
                "parallel.ep",
                f"the {self.n_stage_ranks} ranks of a stage do not divide by ep {self.ep}",
                f"ep: a divisor of tp x cp x dp = {self.n_stage_ranks}",
            ),
            (
                self.n_virtual_stages > 1 and self.n_micro_batches(n_global_batch) < self.pp > 1,
                "parallel.virtual_stages",
                f"{self.n_micro_batches(n_global_batch)} micro batches are fewer than the {self.pp} interleaved stages",
                "virtual_stages: 1, or a larger global batch",
            ),
        ):
            if broken:
                raise DocumentError(problem, where=where, expected=expected)


def _divisors(n: int) -> list[int]:
    return [k for k in range(1, min(n, 1024) + 1) if n % k == 0]
