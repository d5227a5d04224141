"""Jobs that run at the same time: the step of each alone, and among the others.

The phases of each job slow down where other jobs use the same arcs. A slower phase lasts longer and so meets the others
more often. The shares of time are therefore repeated until they no longer change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

import numpy as np

from ..arrays import Bools, Floats
from .arc_sharing import ArcSharing, JobDemand, PhaseDemand, busiest_together, coincidence_p90
from .step import Step, bits_by_kind, step_of
from .step_inputs import StepInputs

MAX_ROUNDS = 60
"""Rounds of the shares of time."""
REL_CHANGE = 1e-10
"""Relative change of the steps at which the shares of time count as settled."""


@dataclass(frozen=True, eq=False)
class RunningJob:
    """A job with its step alone, as it enters the comparison."""

    inputs: StepInputs
    step: Step
    arc_capacity_gbps: Floats
    """Gb/s by row of the job's loads that senders may fill together; float64[n_rows]."""
    is_balanced: Bools
    """Arcs onto whose members a rule of load balancing spreads flows, by row; bool[n_rows]."""


class Slowdown(NamedTuple):
    """Time that another job adds to a step, if only that one ran as well."""

    job: str
    time_s: float
    phase: str
    """Phase that loses most."""
    other_phase: str
    arc: int
    """Arc on which both need most together."""


@dataclass(frozen=True, eq=False)
class SharedStep:
    """Step of a job among others."""

    id: str
    alone: Step
    shared: Step
    p90_step_time_s: float
    """Step at the 90th percentile of the alignment of the jobs' phases."""
    speed_ratio: Mapping[str, float]
    """Speed of each kind of flow sets over its speed alone, as a factor of its efficiency."""
    slowed_by: tuple[Slowdown, ...]
    """Other jobs that add time, the worst first."""


def share_jobs(jobs: Sequence[RunningJob]) -> list[SharedStep]:
    """Compute the step of each job among the others.

    Args:
        jobs: jobs with a step, at least one; their order does not matter for the figures.

    Returns:
        One row for each job, in the order of `jobs`. A job that shares no arc has exactly its step alone.
    """
    demands = [_demand_of(job) for job in jobs]
    sharing = ArcSharing(demands)
    speeds, steps = _settled(jobs, demands, sharing)
    slowdowns = _slowdowns_by_pair(jobs, demands, speeds, steps)
    found = []
    for j, (job, demand) in enumerate(zip(jobs, demands, strict=True)):
        worst = _worst_speeds(demands, steps, speeds, j, sharing)
        p90_s = _step_at(job, demand, worst).step_time_s if worst != speeds[j] else steps[j].step_time_s
        factors = _slower_kinds(demand, speeds[j])
        found.append(SharedStep(demand.id, job.step, steps[j], max(p90_s, steps[j].step_time_s), factors, slowdowns[j]))
    return found


def shared_speeds(jobs: Sequence[RunningJob]) -> list[dict[str, float]]:
    """Compute the speed of each kind of flow sets that other jobs slow, one row for each job; see `share_jobs`."""
    demands = [_demand_of(job) for job in jobs]
    speeds, _ = _settled(jobs, demands, ArcSharing(demands))
    return [_slower_kinds(demand, speed) for demand, speed in zip(demands, speeds, strict=True)]


def _demand_of(job: RunningJob) -> JobDemand:
    """Use of arcs by a job alone: by kind of flow sets, the bits of a step over the time that they take.

    A phase under a rule of load balancing ends with its busiest member. That member is full while others idle, so the
    phase can use only the capacity times its efficiency: alone it fills the arc that limits it, as with even splitting.
    """
    inputs, phases = job.inputs, []
    with np.errstate(divide="ignore", invalid="ignore"):
        for kind, bits in bits_by_kind(job.step).items():
            duration_s = float(inputs.capacity.seconds(kind, bits).max(initial=0.0))
            rows = np.flatnonzero(bits > 0)
            if duration_s > 0 and np.isfinite(duration_s):
                efficiency = np.where(job.is_balanced[rows], inputs.capacity.efficiency_ratio[kind], 1.0)
                ratio = bits[rows] / (duration_s * 1e9 * job.arc_capacity_gbps[rows] * efficiency)
                phases.append(PhaseDemand(kind, duration_s, inputs.loads.arc[rows], np.minimum(ratio, 1.0)))
    return JobDemand(inputs.job.id, job.step.step_time_s, tuple(phases))


def _slower_kinds(demand: JobDemand, speeds: Mapping[str, float]) -> dict[str, float]:
    """Speed of each kind of flow sets that other jobs slow."""
    return {p.kind: speeds[p.kind] for p in demand.phases if speeds[p.kind] < 1.0}


def _step_at(job: RunningJob, demand: JobDemand, speeds: Mapping[str, float]) -> Step:
    """Step of a job with slower phases; its step alone where none is slower."""
    factors = _slower_kinds(demand, speeds)
    if not factors:
        return job.step
    return step_of(replace(job.inputs, capacity=job.inputs.capacity.slowed(factors)))


def _settled(
    jobs: Sequence[RunningJob], demands: Sequence[JobDemand], sharing: ArcSharing
) -> tuple[list[dict[str, float]], list[Step]]:
    """Speeds and steps that agree with each other."""
    steps = [job.step for job in jobs]
    speeds: list[dict[str, float]] = [{p.kind: 1.0 for p in demand.phases} for demand in demands]
    if not len(sharing.arcs):
        return speeds, steps
    for _ in range(MAX_ROUNDS):
        shares = [_shares(demand, speed, step) for demand, speed, step in zip(demands, speeds, steps, strict=True)]
        speeds = sharing.mean_speeds(shares)
        before_s = [step.step_time_s for step in steps]
        steps = [_step_at(job, demand, speed) for job, demand, speed in zip(jobs, demands, speeds, strict=True)]
        if np.allclose([step.step_time_s for step in steps], before_s, rtol=REL_CHANGE, atol=0.0):
            break
    return speeds, steps


def _shares(demand: JobDemand, speeds: Mapping[str, float], step: Step) -> dict[str, float]:
    """Share of time in which each phase is active; phases of one job that overlap share the time."""
    shares = {p.kind: p.duration_s / speeds[p.kind] / step.step_time_s for p in demand.phases}
    total = sum(shares.values())
    return {kind: share / max(total, 1.0) for kind, share in shares.items()}


def _worst_speeds(
    demands: Sequence[JobDemand],
    steps: Sequence[Step],
    speeds: Sequence[Mapping[str, float]],
    j: int,
    sharing: ArcSharing,
) -> dict[str, float]:
    """Speeds of a job's phases at the 90th percentile of the alignment with each phase of the others."""
    found = dict(speeds[j])
    for p in demands[j].phases:
        shares: list[dict[str, float]] = [{} for _ in demands]
        for k, demand in enumerate(demands):
            period_s = max(steps[j].step_time_s, steps[k].step_time_s)
            own_s = p.duration_s / speeds[j][p.kind]
            covered = {
                q.kind: coincidence_p90(own_s, q.duration_s / speeds[k][q.kind], period_s) for q in demand.phases
            }
            total = sum(covered.values())
            shares[k] = {kind: part / max(total, 1.0) for kind, part in covered.items()}
        found[p.kind] = min(found[p.kind], sharing.mean_speed(j, p.kind, shares))
    return found


def _slowdowns_by_pair(
    jobs: Sequence[RunningJob], demands: Sequence[JobDemand], speeds: list[dict[str, float]], steps: list[Step]
) -> list[tuple[Slowdown, ...]]:
    """Time that each other job adds to a job by itself, the worst first; one row for each job.

    Args:
        jobs: all jobs.
        demands: their use of arcs.
        speeds: settled speeds of all jobs together, those of the pair where there are just two.
        steps: settled steps of all jobs together.
    """
    found: list[list[Slowdown]] = [[] for _ in jobs]
    for pair in combinations(range(len(jobs)), 2):
        pair_demands = [demands[i] for i in pair]
        settled = speeds, steps
        if len(jobs) > 2:
            settled = _settled([jobs[i] for i in pair], pair_demands, ArcSharing(pair_demands))
        for row, (own, other) in enumerate((pair, pair[::-1])):
            time_s = settled[1][row].step_time_s - jobs[own].step.step_time_s
            if time_s > 0:
                busiest = busiest_together(demands[own], demands[other], settled[0][row])
                found[own].append(Slowdown(demands[other].id, time_s, *busiest))
    return [tuple(sorted(row, key=lambda slowdown: (-slowdown.time_s, slowdown.job))) for row in found]
