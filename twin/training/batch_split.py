"""Batch split: which split of the work a step runs with, the requested one or the best one found."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from ..workload.group_times import TimedGroup, balanced_split, uniform_split
from ..workload.job_arithmetic import n_micro_batches
from .step_timing import ALL_PHASES, Split, SplitTiming, StepTimingModel

N_INTERPOLATED = 8
"""Intervals between the uniform split and the balanced one; the splits at their ends are tried."""


def choose_split(timing_model: StepTimingModel) -> SplitTiming:
    """Time the split that the job requests, or the best one found.

    Args:
        timing_model: times a split of the job.

    Returns:
        Timing of the split. A job with split `balanced` gets the best of the uniform split, the balanced one and those
        between, improved by hill climbing.
    """
    job, counterfactual = timing_model.inputs.job, timing_model.counterfactual
    n_batches, groups = n_micro_batches(job), timing_model.groups(ALL_PHASES)
    requested = [
        _fractional_uniform_split(groups, n_batches)
        if counterfactual.full_pipeline
        else uniform_split(groups, n_batches)
    ]
    if job.split == "stated":
        requested.append(_stated_split(timing_model, n_batches))
    if job.split != "balanced" and not counterfactual.best_split:
        return timing_model.timing(requested[-1])
    if counterfactual.full_pipeline:
        n_per_s = sum(group.n_replicas / group.stage_time_s for group in groups)
        requested.append(tuple(n_batches / n_per_s / group.stage_time_s for group in groups))
        return timing_model.timing(min(requested, key=timing_model.step_s))
    uniform, balanced = requested[0], balanced_split(groups, n_batches)
    tried = dict.fromkeys((balanced, *requested, *_interpolated_splits(groups, uniform, balanced, n_batches)))
    best = _hill_climb(timing_model, groups, min(tried, key=timing_model.step_s), n_batches)
    return replace(timing_model.timing(best), uniform_is_faster=best == uniform != balanced)


def _fractional_uniform_split(groups: tuple[TimedGroup, ...], n_batches: int) -> Split:
    """The uniform split of a batch that divides."""
    return (n_batches / sum(group.n_replicas for group in groups),) * len(groups)


def _stated_split(timing_model: StepTimingModel, n_batches: int) -> Split:
    """The split that the placements state; in these proportions for a batch so large that it divides."""
    split = tuple(group.placed.placement.n_micro_batches or 0 for group in timing_model.calibrated)
    if not timing_model.counterfactual.full_pipeline:
        return split
    n_stated = sum(m * group.placed.n_replicas for m, group in zip(split, timing_model.calibrated, strict=True))
    return tuple(m * n_batches / n_stated for m in split)


def _interpolated_splits(groups: tuple[TimedGroup, ...], first: Split, last: Split, n_batches: int) -> list[Split]:
    """Splits between two others.

    Whole numbers leave some micro batches over. They go to the groups that would end first.
    """
    splits: list[Split] = []
    for k in range(1, N_INTERPOLATED):
        split = [int(a + (b - a) * k / N_INTERPOLATED) for a, b in zip(first, last, strict=True)]
        while sum(m * group.n_replicas for m, group in zip(split, groups, strict=True)) < n_batches:
            with_headroom = [i for i, group in enumerate(groups) if split[i] < group.max_micro_batches]
            earliest = min(with_headroom, key=lambda i: groups[i].time_s(split[i] + 1))
            split[earliest] += 1
        splits.append(tuple(split))
    return splits


def _hill_climb(timing_model: StepTimingModel, groups: tuple[TimedGroup, ...], split: Split, n_batches: int) -> Split:
    """Improve a split until no move of micro batches from one group to another makes the step shorter.

    The split with the shortest compute need not be the best one: a group overlaps its exchange with its own compute.
    """
    best = [int(m) for m in split]
    best_s, step_size = timing_model.step_s(split), max(1, max(best) // 4)
    while step_size:
        improved = False
        for i, j in permutations(range(len(groups)), 2):
            moved = list(best)
            moved[i] -= step_size
            n_missing = n_batches - sum(m * group.n_replicas for m, group in zip(moved, groups, strict=True))
            moved[j] += max(0, -(-n_missing // groups[j].n_replicas))
            if moved[i] < 0 or moved[j] > groups[j].max_micro_batches:
                continue
            moved_s = timing_model.step_s(tuple(moved))
            if moved_s < best_s * (1.0 - 1e-12):
                best, best_s, improved = moved, moved_s, True
        if not improved:
            step_size //= 2
    return tuple(best)
