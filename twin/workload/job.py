"""The work and the volume of one optimizer step."""

from __future__ import annotations

from ..model.records import ModelShape, TrainingJob
from .shape import Shape

ACTIVATION_BYTES = 2
"""Of one activation between pipeline stages, bf16."""


def n_parameters(model: ModelShape, *, active: bool = False) -> int:
    """Parameters of a decoder-only transformer; `active` counts only the experts that a token passes.

    Untied embedding and output, attention with grouped keys and values, feed-forward with or without a gate.
    """
    return Shape.of(model).n_parameters(active=active)


def flops_per_token(model: ModelShape) -> float:
    """Forward and backward, no recompute: 6 N of the active parameters plus causal attention, 6 L h s.

    Source: Kaplan et al. 2020 (arXiv:2001.08361, section 2.1) for 6 N; attention 12 L h s halved by the causal mask.
    """
    return Shape.of(model).flops_per_token()


def tokens_per_step(job: TrainingJob) -> int:
    """Tokens that one optimizer step consumes."""
    return job.n_global_batch * job.model.n_sequence


def flops_per_step(job: TrainingJob) -> float:
    """FLOPs of one optimizer step over all accelerators."""
    return flops_per_token(job.model) * tokens_per_step(job)


def flops_per_micro_batch(job: TrainingJob) -> float:
    """FLOPs of one micro batch through one replica."""
    return flops_per_token(job.model) * job.model.n_sequence * job.parallelism.n_micro_batch


def n_per_replica(job: TrainingJob) -> int:
    """Accelerators of one replica."""
    cut = job.parallelism
    return cut.tp * cut.pp * cut.cp


def n_micro_batches(job: TrainingJob) -> int:
    """Micro batches of one step over all replicas."""
    return job.n_global_batch // job.parallelism.n_micro_batch


def stage_boundary_bits(job: TrainingJob) -> float:
    """Bits of a micro batch over one boundary of (virtual) stages, one direction, all ranks of the stage."""
    return 8.0 * ACTIVATION_BYTES * job.parallelism.n_micro_batch * job.model.n_sequence * job.model.n_hidden


OPTIMIZER_BYTES = 12
"""A parameter's fp32 copy and two moments of Adam, kept once per data-parallel group (distributed optimizer)."""


def memory_bytes(job: TrainingJob, n_replicas: int) -> float:
    """Weights, gradients and optimizer state of one accelerator; activations come on top and are not counted.

    Source: Rajbhandari et al. 2020 (ZeRO, arXiv:1910.02054, section 3.1), optimizer state sharded over data ranks.
    """
    cut = job.parallelism
    mine = n_parameters(job.model) / (cut.tp * cut.pp)
    held = job.parameter_bytes_per_parameter + job.gradient_bytes_per_parameter
    return mine * (held + OPTIMIZER_BYTES / (cut.cp * max(n_replicas, 1)))


def reduce_bits(job: TrainingJob) -> float:
    """Bits of all gradients of one replica, as sent in a reduce-scatter. Volume follows total parameters."""
    return 8.0 * job.gradient_bytes_per_parameter * n_parameters(job.model)


def gather_bits(job: TrainingJob) -> float:
    """Bits of all parameters of one replica, as sent in an all-gather."""
    return 8.0 * job.parameter_bytes_per_parameter * n_parameters(job.model)
