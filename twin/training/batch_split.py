"""Which split of the work a step runs with: the one asked for, or the best that is found."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from ..workload.group_times import TimedGroup, balanced_split, uniform_split
from ..workload.job_arithmetic import n_micro_batches
from .step_timing import EVERY, Share, SplitTiming, StepTimingModel

N_BETWEEN = 8
"""Splits are looked at between the one that computes quickest and the uniform one."""


def best_split(timing_model: StepTimingModel) -> SplitTiming:
    """The split that the job asks for, the best where it asks for that."""
    job, counterfactual = timing_model.inputs.job, timing_model.counterfactual
    n_batches, groups = n_micro_batches(job), timing_model.groups(EVERY)
    asked = [_evenly(groups, n_batches) if counterfactual.full_pipeline else uniform_split(groups, n_batches)]
    if job.split == "stated":
        asked.append(_stated(timing_model, n_batches))
    if job.split != "balanced" and not counterfactual.best_split:
        return timing_model.timing(asked[-1])
    if counterfactual.full_pipeline:
        n_per_s = sum(group.n_replicas / group.stage_time_s for group in groups)
        asked.append(tuple(n_batches / n_per_s / group.stage_time_s for group in groups))
        return timing_model.timing(min(asked, key=timing_model.step_s))
    uniform, quickest = asked[0], balanced_split(groups, n_batches)
    tried = dict.fromkeys((quickest, *asked, *_between(groups, uniform, quickest, n_batches)))
    best = _climbed(timing_model, groups, min(tried, key=timing_model.step_s), n_batches)
    return replace(timing_model.timing(best), uniform_kept=best == uniform != quickest)


def _evenly(groups: tuple[TimedGroup, ...], n_batches: int) -> Share:
    """The uniform split of a batch that divides."""
    return (n_batches / sum(group.n_replicas for group in groups),) * len(groups)


def _stated(timing_model: StepTimingModel, n_batches: int) -> Share:
    """What the placements say; of a batch so large that it divides, in these proportions."""
    share = tuple(group.placed.place.n_micro_batches or 0 for group in timing_model.paced)
    if not timing_model.counterfactual.full_pipeline:
        return share
    done = sum(m * group.placed.n_replicas for m, group in zip(share, timing_model.paced, strict=True))
    return tuple(m * n_batches / done for m in share)


def _between(groups: tuple[TimedGroup, ...], one: Share, other: Share, n_batches: int) -> list[Share]:
    """Splits between two, what the whole numbers leave undone given to those who would end first."""
    found: list[Share] = []
    for k in range(1, N_BETWEEN):
        share = [int(a + (b - a) * k / N_BETWEEN) for a, b in zip(one, other, strict=True)]
        while sum(m * group.n_replicas for m, group in zip(share, groups, strict=True)) < n_batches:
            room = [i for i, group in enumerate(groups) if share[i] < group.max_micro_batches]
            first = min(room, key=lambda i: groups[i].time_s(share[i] + 1))
            share[first] += 1
        found.append(tuple(share))
    return found


def _climbed(timing_model: StepTimingModel, groups: tuple[TimedGroup, ...], share: Share, n_batches: int) -> Share:
    """A split from which no micro batches moved from one group to another make the step shorter.

    The split that computes quickest need not be it: a group hides its exchange behind its own compute.
    """
    found = [int(m) for m in share]
    best_s, size = timing_model.step_s(share), max(1, max(found) // 4)
    while size:
        better = False
        for i, j in permutations(range(len(groups)), 2):
            moved = list(found)
            moved[i] -= size
            lacking = n_batches - sum(m * group.n_replicas for m, group in zip(moved, groups, strict=True))
            moved[j] += max(0, -(-lacking // groups[j].n_replicas))
            if moved[i] < 0 or moved[j] > groups[j].max_micro_batches:
                continue
            moved_s = timing_model.step_s(tuple(moved))
            if moved_s < best_s * (1.0 - 1e-12):
                found, best_s, better = moved, moved_s, True
        if not better:
            size //= 2
    return tuple(found)
