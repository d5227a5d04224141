"""Parallel layout of a job over accelerators, and the rules for it."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import DocumentError
from ..model.job_rules import divisors
from ..model.jobs import Recompute
from ..model.shape import ModelShape


@dataclass(frozen=True, slots=True)
class Layout:
    """Parallel layout of a job: consecutive ranks share tensors first, then context, data, and pipeline.

    Experts are spread over `ep` consecutive ranks of a stage, whatever tensors and context these share. With `ep` = 1
    they are split as all other matrices are.
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
    """Whether weights, gradients and optimizer state are spread over the data ranks and gathered layer by layer."""
    recompute: Recompute = "none"
    eager: bool = False
    """Whether layers with experts are launched kernel by kernel, not from a captured graph."""
    expert_overlap: bool = False
    """Whether tokens of one micro batch go to their experts while another one computes."""

    @property
    def n_accelerators(self) -> int:
        """Accelerators of the whole job."""
        return self.tp * self.pp * self.dp * self.cp

    @property
    def n_stage_ranks(self) -> int:
        """Accelerators that hold the same stage."""
        return self.tp * self.dp * self.cp

    @property
    def n_block_replicas(self) -> int:
        """Replicas that share the experts of their layers."""
        return max(1, self.ep // (self.tp * self.cp))

    @property
    def backward_ratio(self) -> float:
        """Share of the backward pass in a micro batch: twice the products of the forward pass, plus recompute."""
        return 3.0 / 4.0 if self.recompute == "full" else 2.0 / 3.0

    def sharded_parameters(self, n_replicated: float, n_expert_sharded: float) -> float:
        """Parameters of one rank after splitting them among the ranks that hold the same ones.

        Args:
            n_replicated: parameters that all data ranks hold.
            n_expert_sharded: parameters of experts, which all copies hold.
        """
        return n_replicated / (self.dp * self.cp) + n_expert_sharded * self.ep / self.n_stage_ranks

    def n_micro_batches(self, n_global_batch: int) -> int:
        """Micro batches of a replica in one step."""
        return n_global_batch // (self.dp * self.n_micro_batch)

    def check(self, shape: ModelShape, n_global_batch: int, n_accelerators: int | None = None) -> None:
        """Check the layout against the model and the batch.

        Raises:
            DocumentError: the first rule that is broken, with what would fit.
        """
        for is_broken, where, problem, expected in (
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
                f"tp: one of {divisors(shape.n_heads)}",
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
                f"ep: one of {divisors(shape.n_experts)}",
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
            if is_broken:
                raise DocumentError(problem, where=where, expected=expected)
