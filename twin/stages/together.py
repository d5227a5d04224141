"""Jobs that run together: each evaluated alone, then among the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, cast

import numpy as np

from ..errors import Issue, TopologyError
from ..errors.wording import counted
from ..model.jobs import TrainingJob
from ..training.balancing_rules import EVEN, UNSTATED, BalancingRules
from ..training.phase_capacity import PhaseCapacity
from ..training.phase_goodput import ArcRates
from ..training.shared_jobs import RunningJob, SharedStep, share_jobs, shared_speeds
from ..training.step import step_of
from ..training.step_inputs import StepInputs
from .engine import Engine
from .evaluation import Case, Evaluation
from .outcomes import BalancedCapacity, JobSharing, KindSpeeds

MAX_NAMED = 3
"""Racks that a message names."""


@dataclass(frozen=True, eq=False)
class JobsTogether:
    """Evaluations of jobs that run at the same time."""

    alone: Mapping[str, Evaluation]
    """By id: the job without the others."""
    running: Mapping[str, RunningJob]
    """By id: the job with its inputs; a job without a step is absent."""
    shared: Mapping[str, SharedStep]
    """By id: the job among the others; a job without a step is absent."""

    def sharing_of(self, job_id: str) -> JobSharing | None:
        """Return what the other jobs do to a job; None for a job without a step."""
        if job_id not in self.shared:
            return None
        other_gbps = np.zeros(2 * self.alone[job_id].case.state.n_links)
        for other_id, found in self.shared.items():
            loads = self.alone[other_id].loads
            if other_id != job_id and loads is not None:
                other_gbps[loads.arc] += found.shared.arc_bits / found.shared.step_time_s / 1e9
        other_gbps.flags.writeable = False
        speeds = tuple(sorted(self.shared[job_id].speed_ratio.items()))
        return JobSharing(speeds, other_gbps, partial(self._unstated_speeds, job_id))

    def _unstated_speeds(self, job_id: str) -> tuple[KindSpeeds, ...]:
        """Speeds of a job's kinds by row of `UNSTATED`."""
        return tuple(tuple(sorted(by_job[job_id].items())) for by_job in self._speeds_by_mode)

    @cached_property
    def _speeds_by_mode(self) -> list[dict[str, dict[str, float]]]:
        """By row of `UNSTATED`, the speeds of each job where switches without load balancing have this mode."""
        options = {
            name: cast("tuple[BalancedCapacity, ...]", self.alone[name].outcome("unstated_capacity"))
            for name in self.running
        }
        found = []
        for row in range(len(UNSTATED)):
            jobs = [_under(job, options[name][row] if options[name] else None) for name, job in self.running.items()]
            found.append(dict(zip(self.running, shared_speeds(jobs), strict=True)))
        return found


def evaluate_together(engine: Engine, cases: Sequence[Case]) -> JobsTogether:
    """Evaluate jobs of one network that run at the same time.

    Args:
        engine: engine of the network.
        cases: one case for each job, equal but for the job.

    Returns:
        Each job alone and among the others.

    Raises:
        TopologyError: a job cannot be placed, or two jobs use the same accelerators.
    """
    ordered = sorted(cases, key=lambda case: case.job.id if case.job else "")
    alone = {case.job.id: engine.evaluate(replace(case, sharing=None)) for case in ordered if case.job is not None}
    _check_accelerators(alone)
    running = {name: job for name, e in alone.items() if (job := _running_job(e)) is not None}
    found = share_jobs(list(running.values())) if running else []
    return JobsTogether(alone, running, dict(zip(running, found, strict=True)))


def case_among(engine: Engine, case: Case, others: Sequence[TrainingJob]) -> Case:
    """Return a case with what other jobs do to its job; the case itself without other jobs.

    Raises TopologyError as `evaluate_together`.
    """
    if case.job is None or not others:
        return case
    cases = [case, *(replace(case, job=job) for job in others)]
    return replace(case, sharing=evaluate_together(engine, cases).sharing_of(case.job.id))


def _under(job: RunningJob, option: BalancedCapacity | None) -> RunningJob:
    """Return a job alone under another load balancing; the job itself where all of its own is stated."""
    if option is None:
        return job
    inputs = replace(job.inputs, capacity=option.capacity)
    return RunningJob(inputs, step_of(inputs), job.arc_capacity_gbps, option.is_balanced)


def _running_job(e: Evaluation) -> RunningJob | None:
    """Return a job with its inputs; None where it has no step."""
    step, loads, job = e.step, e.loads, e.case.job
    if step is None or loads is None or job is None or e.placed is None or e.flows is None or e.accelerators is None:
        return None
    capacity = cast(PhaseCapacity, e.outcome("job_capacity"))
    inputs = StepInputs(job, e.placed, e.flows, e.accelerators, loads, capacity)
    rates = cast(ArcRates, e.outcome("arc_rates"))
    rules = cast(BalancingRules, e.outcome("arc_balancing"))
    return RunningJob(inputs, step, rates.available_gbps, rules.of_arc[loads.arc] != EVEN)


def _check_accelerators(alone: Mapping[str, Evaluation]) -> None:
    """Check that no rack gives more accelerators to the jobs than it has."""
    first = next(iter(alone.values()), None)
    if first is None:
        return
    state: Any = first.case.state
    used = {name: _accelerators_by_node(e, state.n_nodes) for name, e in alone.items()}
    total = np.sum(list(used.values()), axis=0)
    over = np.flatnonzero(total > state["node_n_accelerators"])
    if not len(over):
        return
    issues = []
    for row in over[:MAX_NAMED]:
        names = [name for name, count in used.items() if count[row]]
        n_each = ", ".join(f"{name} {used[name][row]}" for name in names)
        problem = (
            f"{state.node_ids[row]} has {counted(int(state['node_n_accelerators'][row]), 'accelerator')}: {n_each}"
        )
        issues.append(Issue(f"jobs[{names[-1]}].placement", problem, "state `racks` in the placements of the jobs"))
    more = f", {counted(len(over), 'rack')} in all" if len(over) > MAX_NAMED else ""
    raise TopologyError(
        f"jobs that run together use the same accelerators{more}",
        where=f"jobs [{', '.join(alone)}]",
        expected="each accelerator belongs to one job",
        found=issues,
    )


def _accelerators_by_node(e: Evaluation, n_nodes: int) -> Any:
    """Count the accelerators that a job uses by node; int64[n_nodes]."""
    count = np.zeros(n_nodes, dtype=np.int64)
    if e.placed is not None:
        for group in e.placed.groups:
            count += np.bincount(group.rack, minlength=n_nodes)
    return count
