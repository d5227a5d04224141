"""Arc sharing: how fast phases run that use arcs at the same time, and how often phases of several jobs coincide.

A phase is described by the share of each arc that it fills while it runs alone. Phases that are active together share
every arc max-min: a phase that needs less than an equal part of an arc gets what it needs, and the others divide the
rest. Jobs run on independent clocks, so a phase meets each state of another job for that state's share of time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from ..arrays import Floats, Ints

MAX_JOINT_STATES = 4096
"""Joint states of other jobs that are computed one by one; beyond, other jobs are a steady background load."""
MAX_SPEED_ROUNDS = 200
"""Rounds of the speeds of phases that are active at the same time."""
SPEED_TOLERANCE = 1e-12
"""Change of a speed in a round at which the speeds count as settled."""


@dataclass(frozen=True, eq=False)
class PhaseDemand:
    """Use of arcs by one kind of flow sets of a job, over one step."""

    kind: str
    duration_s: float
    """Time that the phase takes on the network while the job is alone."""
    arc: Ints
    """Arcs that the phase uses, ascending; int64[n_arcs]."""
    utilisation_ratio: Floats
    """Share of the capacity of each arc that the phase fills while it is active; float64[n_arcs]."""


@dataclass(frozen=True, eq=False)
class JobDemand:
    """A job alone: its step, and the use of arcs by its phases."""

    id: str
    step_time_s: float
    phases: tuple[PhaseDemand, ...]


def shared_arcs(jobs: Sequence[JobDemand]) -> Ints:
    """Arcs that phases of more than one job use, ascending; int64[n_shared]."""
    arcs = [np.unique(np.concatenate([np.zeros(0, np.int64), *(p.arc for p in job.phases)])) for job in jobs]
    distinct, n_jobs = np.unique(np.concatenate([np.zeros(0, np.int64), *arcs]), return_counts=True)
    return distinct[n_jobs > 1]


def phase_speeds(utilisation_ratio: Floats) -> Floats:
    """Compute the max-min speeds of phases that are active at the same time.

    On every arc, a phase may use what phases that need less leave, and an equal part beside those that need more. It is
    as fast as its worst arc allows. The order of the phases does not change a bit.

    Args:
        utilisation_ratio: share of each arc that each phase fills at full speed; float64[n_phases, n_arcs].

    Returns:
        Speed of each phase over its speed alone, 0..1; float64[n_phases].

    Source: max-min fairness with bounded demands, Bertsekas and Gallager, Data Networks, 1992, section 6.5.2.
    """
    speed: Floats = np.ones(len(utilisation_ratio))
    for n_rounds in range(MAX_SPEED_ROUNDS):
        needed = utilisation_ratio * speed[:, None]
        found = np.array([_speed_beside(own, np.delete(needed, i, 0)) for i, own in enumerate(utilisation_ratio)])
        if np.abs(found - speed).max(initial=0.0) <= SPEED_TOLERANCE:
            return found
        # a round may overshoot where phases limit each other on several arcs
        speed = found if n_rounds < MAX_SPEED_ROUNDS // 4 else 0.5 * (found + speed)
    return speed


def _speed_beside(own: Floats, others: Floats) -> float:
    """Speed of a phase on arcs where the others need `others`.

    own: float64[n_arcs]. others: float64[n_others, n_arcs].
    """
    used = own > 0
    ascending = np.sort(others[:, used], axis=0)
    before = np.concatenate((np.zeros((1, ascending.shape[1])), np.cumsum(ascending, axis=0)))
    n_equal = np.arange(len(before), 0, -1)[:, None]
    fair_ratio = ((1.0 - before) / n_equal).max(axis=0)
    return float(min(1.0, (fair_ratio / own[used]).min(initial=1.0)))


class ArcSharing:
    """Phases of several jobs on the arcs that more than one of them uses.

    Args:
        jobs: the jobs alone.
    """

    def __init__(self, jobs: Sequence[JobDemand]) -> None:
        self.arcs = shared_arcs(jobs)
        self._kinds = [[p.kind for p in job.phases] for job in jobs]
        self._columns = [{p.kind: _utilisation_of(p, self.arcs) for p in job.phases} for job in jobs]

    def mean_speeds(self, shares: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
        """Compute the mean speed of every phase.

        Args:
            shares: by job, the share of time in which each of its phases is active; it computes for the rest.

        Returns:
            By job, the speed of each phase over its speed alone. It is exactly 1 where no other job slows the phase.
        """
        return [{kind: self.mean_speed(j, kind, shares) for kind in kinds} for j, kinds in enumerate(self._kinds)]

    def mean_speed(self, j: int, kind: str, shares: Sequence[Mapping[str, float]]) -> float:
        """Compute the mean speed of one phase of job j over the joint states of the other jobs."""
        own = self._columns[j][kind]
        used = np.flatnonzero(own > 0)
        states: list[list[tuple[float, Floats]]] = []
        for k, columns in enumerate(self._columns):
            slowing = [] if k == j else [name for name, column in columns.items() if column[used].any()]
            active = [(shares[k][name], columns[name][used]) for name in slowing]
            if active:
                states.append([*active, (max(0.0, 1.0 - sum(share for share, _ in active)), np.zeros(len(used)))])
        if not states:
            return 1.0
        if math.prod(len(options) for options in states) > MAX_JOINT_STATES:
            steady = np.sum([share * column for options in states for share, column in options], axis=0)
            return float(phase_speeds(np.stack((own[used], steady)))[0])
        slowdown = 0.0
        for state in product(*states):
            share = math.prod(part for part, _ in state)
            if share:
                together = np.stack([own[used], *(column for _, column in state)])
                slowdown += share * (1.0 - float(phase_speeds(together)[0]))
        return 1.0 - slowdown


def _utilisation_of(phase: PhaseDemand, arcs: Ints) -> Floats:
    """Utilisation of these arcs by a phase; float64[n_arcs]."""
    out = np.zeros(len(arcs))
    _, rows, own_rows = np.intersect1d(arcs, phase.arc, assume_unique=True, return_indices=True)
    out[rows] = phase.utilisation_ratio[own_rows]
    return out


def busiest_together(own: JobDemand, other: JobDemand, speed_ratio: Mapping[str, float]) -> tuple[str, str, int]:
    """Find the phase of a job that loses most time, and the phase of the other job and the arc that it meets there.

    Args:
        own: the job that is slowed.
        other: another job, which uses an arc of that phase.
        speed_ratio: speed of each phase of `own`.

    Returns:
        (phase, phase of the other job, arc): the arc on which both need most together.
    """
    phase = max(own.phases, key=lambda p: p.duration_s / speed_ratio[p.kind] - p.duration_s)
    candidates = []
    for q in other.phases:
        common, rows, other_rows = np.intersect1d(phase.arc, q.arc, return_indices=True)
        if len(common):
            together = phase.utilisation_ratio[rows] + q.utilisation_ratio[other_rows]
            row = int(np.argmax(together))
            candidates.append((float(together[row]), q.kind, int(common[row])))
    _, other_kind, arc = max(candidates)
    return phase.kind, other_kind, arc


def coincidence_p90(duration_s: float, other_s: float, period_s: float) -> float:
    """Share of a phase that one of another job covers, at the 90th percentile of their alignment.

    Both occur once in a period, and the offset between them is uniform. Their overlap then rises, stays at its maximum
    and falls linearly with the offset.

    Args:
        duration_s: length of the phase.
        other_s: length of the other phase.
        period_s: time after which both occur again.

    Returns:
        Share of the phase, 0..1.
    """
    if duration_s <= 0 or other_s <= 0:
        return 0.0
    longest_s = min(duration_s, other_s)
    shortest_s = min(max(0.0, duration_s + other_s - period_s), longest_s)
    # chance that the overlap exceeds x is (|a - b| + 2 (longest - x)) / period, and 1 below the least overlap
    overlap_s = longest_s - 0.5 * (0.1 * period_s - abs(duration_s - other_s))
    return float(np.clip(overlap_s, shortest_s, longest_s)) / duration_s
