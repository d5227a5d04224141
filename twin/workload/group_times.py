"""How many micro batches each group of equal accelerators takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

MANY = 1 << 62


@dataclass(frozen=True, slots=True)
class TimedGroup:
    """Replicas of one accelerator kind at one site, and how long one micro batch takes in them."""

    site: str
    accelerator: str
    n_replicas: int
    stage_time_s: float
    """Of the slowest stage."""
    fill_s: float = 0.0
    """Filling and draining the pipeline: the other stages, over the virtual ones where these are interleaved."""
    n_interleaved: int = 1
    """Stages that are interleaved; with fewer micro batches than these, none are."""
    n_virtual_stages: int = 1
    max_micro_batches: int = MANY
    """Micro batches of a replica that its accelerators have the memory for."""

    def time_s(self, m: float) -> float:
        """m micro batches; nothing without work."""
        if not m:
            return 0.0
        fill_s = self.fill_s if m >= self.n_interleaved else self.fill_s * self.n_virtual_stages
        return m * self.stage_time_s + fill_s

    def most(self, end_s: float, n_micro_batches: int) -> int:
        """The largest number of micro batches that end by then, where there are so many for all replicas."""
        there = min(-(-n_micro_batches // self.n_replicas), self.max_micro_batches)
        interleaved = min(self._fitting(end_s, self.fill_s), there)
        if interleaved >= self.n_interleaved:
            return interleaved
        plain = self._fitting(end_s, self.fill_s * self.n_virtual_stages)
        return min(plain, self.n_interleaved - 1, there)

    def _fitting(self, end_s: float, fill_s: float) -> int:
        m = max(0, int((end_s - fill_s) / self.stage_time_s))
        # division rounds
        while (m + 1) * self.stage_time_s + fill_s <= end_s:
            m += 1
        while m and m * self.stage_time_s + fill_s > end_s:
            m -= 1
        return m


def uniform_split(groups: Sequence[TimedGroup], n_micro_batches: int) -> tuple[int, ...]:
    """Every replica the same whole number, rounded up: where the batch does not divide, some wait."""
    n_replicas = sum(group.n_replicas for group in groups)
    return (-(-n_micro_batches // n_replicas),) * len(groups)


def balanced_split(groups: Sequence[TimedGroup], n_micro_batches: int) -> tuple[int, ...]:
    """Whole micro batches by group that minimise the slowest group's time, its bubble included; exact.

    The bubble falls on a slow group too, so a split in proportion to FLOPs can lose to this one. The earliest end by
    which the groups together can do the batch, by bisection, since each can only do more by a later one. A group may
    end with none, and none has more than it has memory for, which the uniform split keeps to; replicas beyond the batch
    wait, as in the uniform split, than which this is never slower.
    """
    low, high = (
        0.0,
        max(group.time_s(min(-(-n_micro_batches // group.n_replicas), group.max_micro_batches)) for group in groups),
    )
    share = [group.most(high, n_micro_batches) for group in groups]
    while True:
        middle = low + (high - low) / 2
        if not low < middle < high:
            break
        fitting = [group.most(middle, n_micro_batches) for group in groups]
        if _done(groups, fitting) < n_micro_batches:
            low = middle
        else:
            high, share = middle, fitting
            # nothing happens between the last end of a group and `middle`
            high = max(max(group.time_s(m) for group, m in zip(groups, share, strict=True)), math.nextafter(low, high))
    return _trimmed(groups, share, n_micro_batches)


def _done(groups: Sequence[TimedGroup], share: Sequence[int]) -> int:
    return sum(m * group.n_replicas for group, m in zip(groups, share, strict=True))


def _trimmed(groups: Sequence[TimedGroup], share: list[int], n_micro_batches: int) -> tuple[int, ...]:
    """The same with what is beyond the batch taken back, from the groups that end last."""
    excess = _done(groups, share) - n_micro_batches
    while True:
        spare = [
            (group.time_s(m), -i)
            for i, (group, m) in enumerate(zip(groups, share, strict=True))
            if m and group.n_replicas <= excess and group.time_s(m - 1) <= group.time_s(m)
        ]
        if not spare:
            return tuple(share)
        i = -max(spare)[1]
        share[i] -= 1
        excess -= groups[i].n_replicas


def group_times_s(groups: Sequence[TimedGroup], share: Sequence[float]) -> tuple[float, ...]:
    """Of each group with its share."""
    return tuple(group.time_s(m) for group, m in zip(groups, share, strict=True))
