"""Jobs that run together: the step of each job alone and among the others, and which job slows it on which link."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..render.numbers import number_text
from ..render.quantities import change_percent_text
from ..stages.evaluation import Evaluation
from ..stages.together import JobsTogether
from ..training.shared_jobs import Slowdown
from ..training.step import Step


@dataclass(frozen=True, slots=True)
class JobTimes:
    """Step of a job; null where it has none, `why` then gives the reason."""

    step_time_s: float | None
    p90_step_time_s: float | None
    """Step at the 90th percentile of the alignment of the jobs' phases."""
    tokens_per_s: float | None
    why: str = field(default="", metadata={"optional": True})


@dataclass(frozen=True, slots=True)
class SlowedBy:
    """Another job that adds time to a step, and where."""

    job: str
    time_s: float
    """Time that it adds if only this job ran as well."""
    phase: str
    """Exchange that loses most time."""
    other_phase: str
    """Exchange of the other job at the same time."""
    link: str
    """Link on which both need most together."""
    source: str
    """Node that sends on that link."""


@dataclass(frozen=True, slots=True)
class JobAmongOthers:
    """A job alone, and the same job among the others."""

    id: str
    alone: JobTimes
    shared: JobTimes
    slowed_by: tuple[SlowedBy, ...]
    """Other jobs that add time, the worst first."""


def jobs_among_others(together: JobsTogether) -> tuple[JobAmongOthers, ...]:
    """Return one row for each job, by id."""
    rows = []
    for name, e in together.alone.items():
        found = together.shared.get(name)
        if found is None:
            nothing = JobTimes(None, None, None, e.why_no_step)
            rows.append(JobAmongOthers(name, nothing, nothing, ()))
            continue
        slowed_by = tuple(_slowed_by(e, slowdown) for slowdown in found.slowed_by)
        alone = _times(found.alone, found.alone.step_time_s)
        rows.append(JobAmongOthers(name, alone, _times(found.shared, found.p90_step_time_s), slowed_by))
    return tuple(rows)


def together_sentence(row: JobAmongOthers) -> str:
    """Return the sentence on a job among others: its step, the step alone, and the job that slows it most."""
    alone_s, shared_s = row.alone.step_time_s, row.shared.step_time_s
    if alone_s is None or shared_s is None:
        return f"Job {row.id} has no step: {row.alone.why}."
    if not row.slowed_by:
        return f"Other jobs do not slow {row.id}: {number_text(alone_s, 's')} a step."
    worst = row.slowed_by[0]
    change = change_percent_text(alone_s, shared_s)
    return (
        f"Job {row.id}: {number_text(shared_s, 's')} a step, {number_text(alone_s, 's')} alone ({change}); "
        f"{worst.job} slows it most, on {worst.link}."
    )


def _times(step: Step, p90_s: float) -> JobTimes:
    return JobTimes(step.step_time_s, p90_s, step.tokens_per_s)


def _slowed_by(e: Evaluation, slowdown: Slowdown) -> SlowedBy:
    state = e.case.state
    link, source = "", ""
    if slowdown.arc >= 0:
        link = state.link_ids[slowdown.arc // 2]
        source = state.node_ids[int(state["arc_head"][slowdown.arc ^ 1])]
    return SlowedBy(slowdown.job, slowdown.time_s, slowdown.phase, slowdown.other_phase, link, source)
