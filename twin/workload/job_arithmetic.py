"""The work and the volume of one optimizer step of a job."""

from __future__ import annotations

from ..model.jobs import TrainingJob
from .layout import Layout


def layout_of(job: TrainingJob, n_replicas: int) -> Layout:
    """How the job is cut, with that many replicas."""
    cut = job.parallelism
    return Layout(
        tp=cut.tp,
        pp=cut.pp,
        dp=max(1, n_replicas),
        cp=cut.cp,
        ep=cut.ep,
        n_virtual_stages=cut.n_virtual_stages,
        n_micro_batch=cut.n_micro_batch,
        fully_sharded=cut.fully_sharded,
        recompute=job.recompute,
    )


def tokens_per_step(job: TrainingJob) -> int:
    """Tokens that one optimizer step consumes."""
    return job.n_global_batch * job.model.n_sequence


def flops_per_step(job: TrainingJob) -> float:
    """FLOPs of one optimizer step over all accelerators."""
    return job.model.flops_per_token() * tokens_per_step(job)


def flops_per_micro_batch(job: TrainingJob) -> float:
    """FLOPs of one micro batch through one replica."""
    return job.model.flops_per_token() * job.model.n_sequence * job.parallelism.n_micro_batch


def n_per_replica(job: TrainingJob) -> int:
    """Accelerators of one replica."""
    cut = job.parallelism
    return cut.tp * cut.pp * cut.cp


def n_micro_batches(job: TrainingJob) -> int:
    """Micro batches of one step over all replicas."""
    return job.n_global_batch // job.parallelism.n_micro_batch
