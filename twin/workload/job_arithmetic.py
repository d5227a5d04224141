"""Job arithmetic: work and volume of one optimizer step of a job."""

from __future__ import annotations

from ..model.jobs import TrainingJob
from .layout import Layout


def layout_of(job: TrainingJob, n_replicas: int) -> Layout:
    """Parallel layout of the job with that many replicas."""
    parallelism = job.parallelism
    return Layout(
        tp=parallelism.tp,
        pp=parallelism.pp,
        dp=max(1, n_replicas),
        cp=parallelism.cp,
        ep=parallelism.ep,
        n_virtual_stages=parallelism.n_virtual_stages,
        n_micro_batch=parallelism.n_micro_batch,
        fully_sharded=parallelism.fully_sharded,
        recompute=job.recompute,
    )


def tokens_per_step(job: TrainingJob) -> int:
    """Tokens of one optimizer step."""
    return job.n_global_batch * job.model.n_sequence


def flops_per_step(job: TrainingJob) -> float:
    """Model FLOPs of one optimizer step over all accelerators."""
    return job.model.flops_per_token() * tokens_per_step(job)


def flops_per_micro_batch(job: TrainingJob) -> float:
    """Model FLOPs of one micro batch through one replica."""
    return job.model.flops_per_token() * job.model.n_sequence * job.parallelism.n_micro_batch


def n_per_replica(job: TrainingJob) -> int:
    """Accelerators of one replica."""
    parallelism = job.parallelism
    return parallelism.tp * parallelism.pp * parallelism.cp


def n_micro_batches(job: TrainingJob) -> int:
    """Micro batches of one step over all replicas."""
    return job.n_global_batch // job.parallelism.n_micro_batch
