"""Memory fit: whether a placed job fits memory and has micro batches enough to interleave, and what would fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ..catalogue.figure_reader import FigureReader
from ..errors import Issue
from ..model.job_rules import parallelism_issues
from ..model.jobs import TrainingJob, changed
from ..workload.compute import AcceleratorProfile
from ..workload.group_times import UNLIMITED, TimedGroup
from ..workload.job_arithmetic import flops_per_micro_batch, layout_of, n_micro_batches, n_per_replica
from ..workload.memory import memory_use
from .placed_groups import AvailableGroup, PlacedGroup, block_size, groups_by_replica, groups_by_stage
from .placement import JobPlacement, accelerator_profile


def fit_issues(placed: JobPlacement, job: TrainingJob, reader: FigureReader) -> list[Issue]:
    """Find groups that the job cannot run on: too little memory, or too few micro batches to interleave."""
    parallelism, issues = job.parallelism, []
    if _has_too_few_micro_batches(job, placed):
        m = max(_requested_split(job, placed))
        problem = f"{m} micro batches of a replica are fewer than the {parallelism.pp} stages that are interleaved"
        hint = f"1, or an n_global_batch of {placed.n_replicas * parallelism.n_micro_batch * parallelism.pp}"
        issues.append(Issue(f"jobs[{job.id}].parallelism.n_virtual_stages", problem, hint))
    fits: list[str] | None = None
    for group, need_bytes, profile in _memory_needs(placed, job, reader):
        if need_bytes <= profile.memory_bytes:
            continue
        where = f"jobs[{job.id}].parallelism ({group.accelerator} in {group.site})"
        problem = (
            f"weights, gradients, optimizer and activations take {need_bytes / 1e9:.0f} GB of "
            f"{profile.memory_bytes / 1e9:.0f} GB an accelerator"
        )
        if fits is None:
            fits = _fitting_changes(placed, job, reader)
        hint = f"{' or '.join(fits[:3])} would fit" if fits else "neither recompute nor a finer cut would fit"
        issues.append(Issue(where, problem, hint))
    return issues


def split_issues(placed: JobPlacement, job: TrainingJob) -> list[Issue]:
    """Find a stated split that does not cover the whole batch."""
    if job.split != "stated":
        return []
    n_stated = sum((group.placement.n_micro_batches or 0) * group.n_replicas for group in placed.groups)
    n_required = n_micro_batches(job)
    if n_stated >= n_required:
        return []
    terms = " + ".join(
        f"{p.n_replicas} x {p.placement.n_micro_batches} ({p.accelerator} in {p.site})" for p in placed.groups
    )
    hint = f"{-(-n_required // placed.n_replicas)} for each replica would do"
    return [Issue(f"jobs[{job.id}].placement", f"{terms} = {n_stated} micro batches of {n_required}", hint)]


def peak_issues(groups: Sequence[TimedGroup], job: TrainingJob, reader: FigureReader) -> list[Issue]:
    """Find groups whose stated rate or time is beyond the peak of their accelerators."""
    issues = []
    for group in groups:
        peak_flops = n_per_replica(job) * reader.part(group.accelerator, f"{job.precision}_tflops") * 1e12
        peak_ratio = flops_per_micro_batch(job) / (group.stage_time_s * peak_flops)
        if peak_ratio > 1.0:
            problem = f"{peak_ratio:.3g} times the peak of {group.accelerator} in {group.site}"
            hint = "a smaller pace_ratio, or a longer micro_batch_s"
            issues.append(Issue(f"jobs[{job.id}].placement[{group.site}]", problem, hint))
    return issues


def _memory_needs(
    placed: JobPlacement, job: TrainingJob, reader: FigureReader
) -> Iterator[tuple[PlacedGroup, float, AcceleratorProfile]]:
    """(group, bytes that the job needs on one of its accelerators, their profile), group by group."""
    for group, m in zip(placed.groups, _requested_split(job, placed), strict=True):
        for variant in group.variants():
            profile = accelerator_profile(variant, job, reader)
            yield variant, _needed_bytes(placed, variant, job, profile, m), profile


def _requested_split(job: TrainingJob, placed: JobPlacement) -> list[int]:
    """Micro batches of a replica by group: as stated, or uniform.

    A balanced split stays within `max_micro_batches_in_memory`.
    """
    if job.split == "stated":
        return [group.placement.n_micro_batches or 0 for group in placed.groups]
    return [-(-n_micro_batches(job) // placed.n_replicas)] * len(placed.groups)


def _needed_bytes(
    placed: JobPlacement, group: PlacedGroup, job: TrainingJob, profile: AcceleratorProfile, m: int
) -> float:
    layout = layout_of(job, placed.n_replicas_at(group.site, whole=job.across_sites == "data"))
    return memory_use(job.model, layout, profile, m, job.gradient_bytes_per_parameter).total_bytes


def max_micro_batches_in_memory(
    placed: JobPlacement, group: PlacedGroup, job: TrainingJob, profile: AcceleratorProfile
) -> int:
    """Largest number of micro batches of a replica of the group whose activations fit into its memory."""
    low, high = 0, 4 * job.parallelism.pp  # beyond what any schedule keeps at once
    if _needed_bytes(placed, group, job, profile, high) <= profile.memory_bytes:
        return UNLIMITED
    while high - low > 1:
        middle = (low + high) // 2
        fits = _needed_bytes(placed, group, job, profile, middle) <= profile.memory_bytes
        low, high = (middle, high) if fits else (low, middle)
    return low


def _fitting_changes(placed: JobPlacement, job: TrainingJob, reader: FigureReader) -> list[str]:
    """Changes of the layout that fit all groups on their present accelerators, as a user writes them."""
    changes, dp = [], job.parallelism.dp
    has_idle = sum(placed.n_allocated.values()) > sum(len(group.rack) for group in placed.groups)
    max_tp = min(int(reader.part(kind, "n_nvlink_domain")) for kind in placed.n_allocated)
    for text, changed_job in _layouts_with_less_memory(job):
        if changed_job.parallelism.tp > max_tp or any(parallelism_issues(changed_job)):
            continue
        if dp is not None and has_idle and block_size(changed_job) != block_size(job):
            continue  # idle accelerators may form further replicas, so the new dp is not known here
        changed_placement = _place_with(placed, changed_job)
        if changed_placement is None or _has_too_few_micro_batches(changed_job, changed_placement):
            continue
        if all(
            need_bytes <= profile.memory_bytes
            for _, need_bytes, profile in _memory_needs(changed_placement, changed_job, reader)
        ):
            dp_changes = dp not in (None, changed_placement.n_replicas)
            changes.append(f"{text} with dp: {changed_placement.n_replicas}" if dp_changes else text)
    return changes


def _has_too_few_micro_batches(job: TrainingJob, placed: JobPlacement) -> bool:
    """Whether no group has micro batches enough to interleave its stages.

    A single group with enough of them is sufficient.
    """
    return job.parallelism.n_virtual_stages > 1 and max(_requested_split(job, placed)) < job.parallelism.pp


def _place_with(placed: JobPlacement, job: TrainingJob) -> JobPlacement | None:
    """Place a job with another layout on the same accelerators; None where a group or placement gets too few."""
    tp, available = job.parallelism.tp, []
    for group in placed.groups:
        n_in_domain = np.bincount(group.domain)
        first = np.cumsum(n_in_domain) - n_in_domain
        retained = np.arange(len(group.domain)) - first[group.domain] < (n_in_domain // tp * tp)[group.domain]
        ranks = group.rack[retained], group.slot[retained], group.domain[retained]
        available.append(AvailableGroup(group.site, group.accelerator, *ranks, len(ranks[0]), group.placement))
    over_sites = job.across_sites == "pipeline"
    groups, issues = (groups_by_stage if over_sites else groups_by_replica)(job, available)
    if issues or len(groups) < len(available):
        return None
    size = block_size(job) // (job.parallelism.pp if over_sites else 1)
    for placement in {group.placement for group in groups}:
        n_whole = sum(len(source.rack) // size * size for source in available if source.placement == placement)
        if placement.n_accelerators is not None and placement.n_accelerators - n_whole >= size:
            return None
    n_replicas = groups[0].n_replicas if over_sites else sum(group.n_replicas for group in groups)
    return JobPlacement(tuple(groups), placed.n_allocated, n_replicas)


def _layouts_with_less_memory(job: TrainingJob) -> Iterator[tuple[str, TrainingJob]]:
    """(text, job) of layouts that need less memory, the smallest changes first."""
    parallelism = job.parallelism
    if job.recompute == "none":
        yield "recompute: selective", changed(job, recompute="selective")
    if job.recompute != "full":
        yield "recompute: full", changed(job, recompute="full")
    n_micro_batch = parallelism.n_micro_batch // 2
    while n_micro_batch:
        yield (
            f"n_micro_batch: {n_micro_batch}",
            changed(job, parallelism=replace(parallelism, n_micro_batch=n_micro_batch)),
        )
        n_micro_batch //= 2
    if not parallelism.fully_sharded:
        yield "fully_sharded: true", changed(job, parallelism=replace(parallelism, fully_sharded=True))
    for factor in (2, 4, 8, 16, 32, 64):
        tp, pp = parallelism.tp * factor, parallelism.pp * factor
        if job.model.n_experts > 1:
            yield (
                f"ep: {parallelism.ep * factor}",
                changed(job, parallelism=replace(parallelism, ep=parallelism.ep * factor)),
            )
        yield f"tp: {tp}", changed(job, parallelism=replace(parallelism, tp=tp))
        yield f"pp: {pp}", changed(job, parallelism=replace(parallelism, pp=pp))
