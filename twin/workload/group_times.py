"""Group times: busy time of groups of equal accelerators, and splits of the micro batches over them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

UNLIMITED = 1 << 62
"""Limit of micro batches where memory sets none."""


@dataclass(frozen=True, slots=True)
class TimedGroup:
    """Replicas of one accelerator kind at one site, with the time of one micro batch in them."""

    site: str
    accelerator: str
    n_replicas: int
    stage_time_s: float
    """Time of the slowest stage."""
    fill_s: float = 0.0
    """Fill and drain of the pipeline: time of the other stages, over the virtual stages where these are interleaved."""
    n_interleaved: int = 1
    """Stages that are interleaved; none are with fewer micro batches than these."""
    n_virtual_stages: int = 1
    max_micro_batches: int = UNLIMITED
    """Micro batches of a replica that fit into the memory of its accelerators."""

    def time_s(self, m: float) -> float:
        """Busy time of m micro batches; 0 without work."""
        if not m:
            return 0.0
        fill_s = self.fill_s if m >= self.n_interleaved else self.fill_s * self.n_virtual_stages
        return m * self.stage_time_s + fill_s

    def n_done_by(self, end_s: float, n_micro_batches: int) -> int:
        """Largest number of micro batches of a replica that end by a time, of a batch of so many for all replicas."""
        limit = min(-(-n_micro_batches // self.n_replicas), self.max_micro_batches)
        interleaved = min(self._n_ending_by(end_s, self.fill_s), limit)
        if interleaved >= self.n_interleaved:
            return interleaved
        not_interleaved = self._n_ending_by(end_s, self.fill_s * self.n_virtual_stages)
        return min(not_interleaved, self.n_interleaved - 1, limit)

    def _n_ending_by(self, end_s: float, fill_s: float) -> int:
        """Largest m with m stage times and the fill within the time."""
        m = max(0, int((end_s - fill_s) / self.stage_time_s))
        # correct the rounding of the division
        while (m + 1) * self.stage_time_s + fill_s <= end_s:
            m += 1
        while m and m * self.stage_time_s + fill_s > end_s:
            m -= 1
        return m


def uniform_split(groups: Sequence[TimedGroup], n_micro_batches: int) -> tuple[int, ...]:
    """Give every replica the same whole number, rounded up; where the batch does not divide, some replicas wait."""
    n_replicas = sum(group.n_replicas for group in groups)
    return (-(-n_micro_batches // n_replicas),) * len(groups)


def balanced_split(groups: Sequence[TimedGroup], n_micro_batches: int) -> tuple[int, ...]:
    """Split whole micro batches by group so that the slowest group's time, with its bubble, is least; exact.

    The bubble falls on a slow group too, so a split in proportion to FLOPs can be slower than this one. Bisection finds
    the earliest end by which the groups together can do the batch; each can only do more by a later end. A group may
    get no work. No group gets more than fits into its memory, and the uniform split fits. Replicas beyond the batch
    wait, as in the uniform split. So this split is never slower than the uniform one.
    """
    low_s, high_s = (
        0.0,
        max(group.time_s(min(-(-n_micro_batches // group.n_replicas), group.max_micro_batches)) for group in groups),
    )
    split = [group.n_done_by(high_s, n_micro_batches) for group in groups]
    while True:
        middle_s = low_s + (high_s - low_s) / 2
        if not low_s < middle_s < high_s:
            break
        candidate = [group.n_done_by(middle_s, n_micro_batches) for group in groups]
        if _n_done(groups, candidate) < n_micro_batches:
            low_s = middle_s
        else:
            high_s, split = middle_s, candidate
            # no group ends between the last end of a group and `middle_s`
            high_s = max(
                max(group.time_s(m) for group, m in zip(groups, split, strict=True)), math.nextafter(low_s, high_s)
            )
    return _without_excess(groups, split, n_micro_batches)


def _n_done(groups: Sequence[TimedGroup], split: Sequence[int]) -> int:
    return sum(m * group.n_replicas for group, m in zip(groups, split, strict=True))


def _without_excess(groups: Sequence[TimedGroup], split: list[int], n_micro_batches: int) -> tuple[int, ...]:
    """Take micro batches beyond the batch back from the groups that end last."""
    excess = _n_done(groups, split) - n_micro_batches
    while True:
        removable = [
            (group.time_s(m), -i)
            for i, (group, m) in enumerate(zip(groups, split, strict=True))
            if m and group.n_replicas <= excess and group.time_s(m - 1) <= group.time_s(m)
        ]
        if not removable:
            return tuple(split)
        i = -max(removable)[1]
        split[i] -= 1
        excess -= groups[i].n_replicas


def group_times_s(groups: Sequence[TimedGroup], split: Sequence[float]) -> tuple[float, ...]:
    """Busy time of each group with its micro batches."""
    return tuple(group.time_s(m) for group, m in zip(groups, split, strict=True))
