"""Whether a placed job can run: memory of its accelerators, micro batches enough to interleave; what else would fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ..catalogue.figure_reader import FigureReader
from ..errors import Issue
from ..model.job_rules import job_shape_issues
from ..model.jobs import TrainingJob
from ..workload.compute import Pace
from ..workload.group_times import MANY, Pool
from ..workload.job_arithmetic import flops_per_micro_batch, layout_of, n_micro_batches, n_per_replica
from ..workload.memory import memory_use
from .placement import Offer, Placed, PlacedPool, block_size, by_replica, by_stage, pace_of


def fit_issues(placed: Placed, job: TrainingJob, reader: FigureReader) -> list[Issue]:
    """Pools that the job cannot run on: too little memory, or too few micro batches to interleave."""
    cut, issues = job.parallelism, []
    if _too_few(job, placed):
        m = max(_shares(job, placed))
        problem = f"{m} micro batches of a replica are fewer than the {cut.pp} stages that are interleaved"
        hint = f"1, or an n_global_batch of {placed.n_replicas * cut.n_micro_batch * cut.pp}"
        issues.append(Issue(f"jobs[{job.id}].parallelism.n_virtual_stages", problem, hint))
    fits: list[str] | None = None
    for pool, need_bytes, pace in _by_memory(placed, job, reader):
        if need_bytes <= pace.memory_bytes:
            continue
        where = f"jobs[{job.id}].parallelism ({pool.accelerator} in {pool.site})"
        problem = (
            f"weights, gradients, optimizer and activations take {need_bytes / 1e9:.0f} GB of "
            f"{pace.memory_bytes / 1e9:.0f} GB an accelerator"
        )
        if fits is None:
            fits = _what_would_fit(placed, job, reader)
        hint = f"{' or '.join(fits[:3])} would fit" if fits else "neither recompute nor a finer cut would fit"
        issues.append(Issue(where, problem, hint))
    return issues


def split_issues(placed: Placed, job: TrainingJob) -> list[Issue]:
    """A stated split that leaves a part of the batch undone."""
    if job.split != "stated":
        return []
    done = sum((pool.place.n_micro_batches or 0) * pool.n_replicas for pool in placed.pools)
    wanted = n_micro_batches(job)
    if done >= wanted:
        return []
    listed = " + ".join(
        f"{p.n_replicas} x {p.place.n_micro_batches} ({p.accelerator} in {p.site})" for p in placed.pools
    )
    hint = f"{-(-wanted // placed.n_replicas)} for each replica would do"
    return [Issue(f"jobs[{job.id}].placement", f"{listed} = {done} micro batches of {wanted}", hint)]


def peak_issues(pools: Sequence[Pool], job: TrainingJob, reader: FigureReader) -> list[Issue]:
    """Pools whose stated pace or time is beyond what their accelerators could ever do."""
    issues = []
    for pool in pools:
        peak = n_per_replica(job) * reader.part(pool.accelerator, f"{job.precision}_tflops") * 1e12
        times = flops_per_micro_batch(job) / (pool.stage_time_s * peak)
        if times > 1.0:
            problem = f"{times:.3g} times the peak of {pool.accelerator} in {pool.site}"
            hint = "a smaller pace_ratio, or a longer micro_batch_s"
            issues.append(Issue(f"jobs[{job.id}].placement[{pool.site}]", problem, hint))
    return issues


def _by_memory(placed: Placed, job: TrainingJob, reader: FigureReader) -> Iterator[tuple[PlacedPool, float, Pace]]:
    """Each pool with the bytes that the job needs on an accelerator of it, and their pace."""
    for pool, m in zip(placed.pools, _shares(job, placed), strict=True):
        pace = pace_of(pool, job, reader)
        yield pool, _needed_bytes(placed, pool, job, pace, m), pace


def _shares(job: TrainingJob, placed: Placed) -> list[int]:
    """Micro batches of a replica by pool: as stated, or alike; a balanced split keeps to `most_micro_batches`."""
    if job.split == "stated":
        return [pool.place.n_micro_batches or 0 for pool in placed.pools]
    return [-(-n_micro_batches(job) // placed.n_replicas)] * len(placed.pools)


def _needed_bytes(placed: Placed, pool: PlacedPool, job: TrainingJob, pace: Pace, m: int) -> float:
    layout = layout_of(job, placed.n_replicas_at(pool.site, whole=job.across_sites == "data"))
    return memory_use(job.model, layout, pace, m, job.gradient_bytes_per_parameter).total_bytes


def most_micro_batches(placed: Placed, pool: PlacedPool, job: TrainingJob, pace: Pace) -> int:
    """Micro batches that a replica of the pool may be given before their activations outgrow its memory."""
    low, high = 0, 4 * job.parallelism.pp  # beyond what any schedule keeps at once
    if _needed_bytes(placed, pool, job, pace, high) <= pace.memory_bytes:
        return MANY
    while high - low > 1:
        middle = (low + high) // 2
        fits = _needed_bytes(placed, pool, job, pace, middle) <= pace.memory_bytes
        low, high = (middle, high) if fits else (low, middle)
    return low


def _what_would_fit(placed: Placed, job: TrainingJob, reader: FigureReader) -> list[str]:
    """Cuts that all pools can hold on the accelerators they have, as they are written."""
    found = []
    most_tp = min(int(reader.part(kind, "n_nvlink_domain")) for kind in placed.n_allocated)
    for words, other in _other_cuts(job):
        if other.parallelism.tp > most_tp or any(job_shape_issues(other)):
            continue
        again = _placed_again(placed, other)
        if again is None or _too_few(other, again):
            continue
        if all(need <= pace.memory_bytes for _, need, pace in _by_memory(again, other, reader)):
            stated = job.parallelism.dp not in (None, again.n_replicas)
            found.append(f"{words} with dp: {again.n_replicas}" if stated else words)
    return found


def _too_few(job: TrainingJob, placed: Placed) -> bool:
    """No pool has micro batches enough to interleave its stages; one that has, among others that have not, goes on."""
    return job.parallelism.n_virtual_stages > 1 and max(_shares(job, placed)) < job.parallelism.pp


def _placed_again(placed: Placed, job: TrainingJob) -> Placed | None:
    """Another cut on the accelerators that work already; None where some pool or placement falls short."""
    tp, found = job.parallelism.tp, []
    for pool in placed.pools:
        n = np.bincount(pool.domain)
        first = np.cumsum(n) - n
        kept = np.arange(len(pool.domain)) - first[pool.domain] < (n // tp * tp)[pool.domain]
        rack, domain = pool.rack[kept], pool.domain[kept]
        found.append(Offer(pool.site, pool.accelerator, rack, domain, len(rack), pool.place))
    over_sites = job.across_sites == "pipeline"
    pools, issues = (by_stage if over_sites else by_replica)(job, found)
    if issues or len(pools) < len(found):
        return None
    size = block_size(job) // (job.parallelism.pp if over_sites else 1)
    for place in {pool.place for pool in pools}:
        n_whole = sum(len(offer.rack) // size * size for offer in found if offer.place == place)
        if place.n_accelerators is not None and place.n_accelerators - n_whole >= size:
            return None
    n_replicas = pools[0].n_replicas if over_sites else sum(pool.n_replicas for pool in pools)
    return Placed(tuple(pools), placed.n_allocated, n_replicas)


def _other_cuts(job: TrainingJob) -> Iterator[tuple[str, TrainingJob]]:
    """Cuts that need less memory, those that change least first, with how they are written."""
    cut = job.parallelism
    if job.recompute == "none":
        yield "recompute: selective", replace(job, recompute="selective")
    if job.recompute != "full":
        yield "recompute: full", replace(job, recompute="full")
    smaller = cut.n_micro_batch // 2
    while smaller:
        yield f"n_micro_batch: {smaller}", replace(job, parallelism=replace(cut, n_micro_batch=smaller))
        smaller //= 2
    if not cut.fully_sharded:
        yield "fully_sharded: true", replace(job, parallelism=replace(cut, fully_sharded=True))
    for times in (2, 4, 8, 16, 32, 64):
        tp, pp = cut.tp * times, cut.pp * times
        if job.model.n_experts > 1:
            yield f"ep: {cut.ep * times}", replace(job, parallelism=replace(cut, ep=cut.ep * times))
        yield f"tp: {tp}", replace(job, parallelism=replace(cut, tp=tp))
        yield f"pp: {pp}", replace(job, parallelism=replace(cut, pp=pp))
