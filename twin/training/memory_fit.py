"""Whether a placed job can run: memory of its accelerators, micro batches enough to interleave; what else would fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ..catalogue.figure_reader import FigureReader
from ..errors import Issue
from ..model.job_rules import cut_issues
from ..model.jobs import TrainingJob, changed
from ..workload.compute import Pace
from ..workload.group_times import MANY, TimedGroup
from ..workload.job_arithmetic import flops_per_micro_batch, layout_of, n_micro_batches, n_per_replica
from ..workload.memory import memory_use
from .placement import Offer, Placed, PlacedGroup, block_size, by_replica, by_stage, pace_of


def fit_issues(placed: Placed, job: TrainingJob, reader: FigureReader) -> list[Issue]:
    """Pools that the job cannot run on: too little memory, or too few micro batches to interleave."""
    cut, issues = job.parallelism, []
    if _too_few(job, placed):
        m = max(_shares(job, placed))
        problem = f"{m} micro batches of a replica are fewer than the {cut.pp} stages that are interleaved"
        hint = f"1, or an n_global_batch of {placed.n_replicas * cut.n_micro_batch * cut.pp}"
        issues.append(Issue(f"jobs[{job.id}].parallelism.n_virtual_stages", problem, hint))
    fits: list[str] | None = None
    for group, need_bytes, pace in _by_memory(placed, job, reader):
        if need_bytes <= pace.memory_bytes:
            continue
        where = f"jobs[{job.id}].parallelism ({group.accelerator} in {group.site})"
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
    done = sum((group.place.n_micro_batches or 0) * group.n_replicas for group in placed.groups)
    wanted = n_micro_batches(job)
    if done >= wanted:
        return []
    listed = " + ".join(
        f"{p.n_replicas} x {p.place.n_micro_batches} ({p.accelerator} in {p.site})" for p in placed.groups
    )
    hint = f"{-(-wanted // placed.n_replicas)} for each replica would do"
    return [Issue(f"jobs[{job.id}].placement", f"{listed} = {done} micro batches of {wanted}", hint)]


def peak_issues(groups: Sequence[TimedGroup], job: TrainingJob, reader: FigureReader) -> list[Issue]:
    """Pools whose stated pace or time is beyond what their accelerators could ever do."""
    issues = []
    for group in groups:
        peak = n_per_replica(job) * reader.part(group.accelerator, f"{job.precision}_tflops") * 1e12
        times = flops_per_micro_batch(job) / (group.stage_time_s * peak)
        if times > 1.0:
            problem = f"{times:.3g} times the peak of {group.accelerator} in {group.site}"
            hint = "a smaller pace_ratio, or a longer micro_batch_s"
            issues.append(Issue(f"jobs[{job.id}].placement[{group.site}]", problem, hint))
    return issues


def _by_memory(placed: Placed, job: TrainingJob, reader: FigureReader) -> Iterator[tuple[PlacedGroup, float, Pace]]:
    """Each group with the bytes that the job needs on an accelerator of it, and their pace."""
    for group, m in zip(placed.groups, _shares(job, placed), strict=True):
        pace = pace_of(group, job, reader)
        yield group, _needed_bytes(placed, group, job, pace, m), pace


def _shares(job: TrainingJob, placed: Placed) -> list[int]:
    """Micro batches of a replica by group: as stated, or alike; a balanced split keeps to `max_micro_batches_of`."""
    if job.split == "stated":
        return [group.place.n_micro_batches or 0 for group in placed.groups]
    return [-(-n_micro_batches(job) // placed.n_replicas)] * len(placed.groups)


def _needed_bytes(placed: Placed, group: PlacedGroup, job: TrainingJob, pace: Pace, m: int) -> float:
    layout = layout_of(job, placed.n_replicas_at(group.site, whole=job.across_sites == "data"))
    return memory_use(job.model, layout, pace, m, job.gradient_bytes_per_parameter).total_bytes


def max_micro_batches_of(placed: Placed, group: PlacedGroup, job: TrainingJob, pace: Pace) -> int:
    """Micro batches that a replica of the group may be given before their activations outgrow its memory."""
    low, high = 0, 4 * job.parallelism.pp  # beyond what any schedule keeps at once
    if _needed_bytes(placed, group, job, pace, high) <= pace.memory_bytes:
        return MANY
    while high - low > 1:
        middle = (low + high) // 2
        fits = _needed_bytes(placed, group, job, pace, middle) <= pace.memory_bytes
        low, high = (middle, high) if fits else (low, middle)
    return low


def _what_would_fit(placed: Placed, job: TrainingJob, reader: FigureReader) -> list[str]:
    """Cuts that all groups can hold on the accelerators they have, as they are written."""
    found = []
    most_tp = min(int(reader.part(kind, "n_nvlink_domain")) for kind in placed.n_allocated)
    for words, other in _other_cuts(job):
        if other.parallelism.tp > most_tp or any(cut_issues(other)):
            continue
        again = _placed_again(placed, other)
        if again is None or _too_few(other, again):
            continue
        if all(need <= pace.memory_bytes for _, need, pace in _by_memory(again, other, reader)):
            stated = job.parallelism.dp not in (None, again.n_replicas)
            found.append(f"{words} with dp: {again.n_replicas}" if stated else words)
    return found


def _too_few(job: TrainingJob, placed: Placed) -> bool:
    """No group has micro batches enough to interleave its stages; one that has, among others that have not, goes on."""
    return job.parallelism.n_virtual_stages > 1 and max(_shares(job, placed)) < job.parallelism.pp


def _placed_again(placed: Placed, job: TrainingJob) -> Placed | None:
    """Another cut on the accelerators that work already; None where some group or placement falls short."""
    tp, found = job.parallelism.tp, []
    for group in placed.groups:
        n = np.bincount(group.domain)
        first = np.cumsum(n) - n
        kept = np.arange(len(group.domain)) - first[group.domain] < (n // tp * tp)[group.domain]
        rack, domain = group.rack[kept], group.domain[kept]
        found.append(Offer(group.site, group.accelerator, rack, domain, len(rack), group.place))
    cross_site_pipeline = job.across_sites == "pipeline"
    groups, issues = (by_stage if cross_site_pipeline else by_replica)(job, found)
    if issues or len(groups) < len(found):
        return None
    size = block_size(job) // (job.parallelism.pp if cross_site_pipeline else 1)
    for place in {group.place for group in groups}:
        n_whole = sum(len(offer.rack) // size * size for offer in found if offer.place == place)
        if place.n_accelerators is not None and place.n_accelerators - n_whole >= size:
            return None
    n_replicas = groups[0].n_replicas if cross_site_pipeline else sum(group.n_replicas for group in groups)
    return Placed(tuple(groups), placed.n_allocated, n_replicas)


def _other_cuts(job: TrainingJob) -> Iterator[tuple[str, TrainingJob]]:
    """Cuts that need less memory, those that change least first, with how they are written."""
    cut = job.parallelism
    if job.recompute == "none":
        yield "recompute: selective", changed(job, recompute="selective")
    if job.recompute != "full":
        yield "recompute: full", changed(job, recompute="full")
    smaller = cut.n_micro_batch // 2
    while smaller:
        yield f"n_micro_batch: {smaller}", changed(job, parallelism=replace(cut, n_micro_batch=smaller))
        smaller //= 2
    if not cut.fully_sharded:
        yield "fully_sharded: true", changed(job, parallelism=replace(cut, fully_sharded=True))
    for times in (2, 4, 8, 16, 32, 64):
        tp, pp = cut.tp * times, cut.pp * times
        if job.model.n_experts > 1:
            yield f"ep: {cut.ep * times}", changed(job, parallelism=replace(cut, ep=cut.ep * times))
        yield f"tp: {tp}", changed(job, parallelism=replace(cut, tp=tp))
        yield f"pp: {pp}", changed(job, parallelism=replace(cut, pp=pp))
