"""Failures in groups that do the same to a job, and sentences about them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..errors.wording import counted
from ..render.numbers import seconds_text
from ..render.quantities import change_percent_text
from .job_failures import JobAfterFailure, JobFailures

N_DIGITS = 9
"""Significant digits to which equal steps agree; the last ones of a float depend on the order of sums."""


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """Failures that do the same to the job."""

    n_failures: int
    n_failures_per_year: float | None
    """Number of times a year that any of them happens; null where nothing states it for all."""
    first: str
    """The first of them by id."""
    job: JobAfterFailure
    """Job after that one."""


def job_severity(row: JobAfterFailure | None) -> tuple[float, ...]:
    """Order of failures: those that stop the job first, then by step, then by lost and idled accelerators."""
    if row is None:
        return (0.0,)
    return (
        0.0 if row.step_time_s is None else 1.0,
        -_rounded(row.step_ratio or 0.0),
        -float(row.n_accelerators_lost + (row.n_accelerators_idled or 0)),
        -float(row.n_cards_lost or 0),
    )


def job_outcomes(
    ids: Sequence[str], jobs: JobFailures, n_per_year: Callable[[int], float | None]
) -> tuple[JobOutcome, ...]:
    """Group failures, those that stop the job first.

    Args:
        ids: failures.
        jobs: the job after each of them.
        n_per_year: how often a year a failure happens, by its number.
    """
    groups: dict[tuple[float | int | None, ...], list[int]] = {}
    for i, row in enumerate(jobs.rows):
        groups.setdefault((*job_severity(row), row.n_replicas), []).append(i)
    found = []
    for members in groups.values():
        first = min(members, key=lambda i: ids[i])
        rates = [n_per_year(i) for i in members]
        known = None if None in rates else math.fsum(rate for rate in rates if rate is not None)
        found.append(JobOutcome(len(members), known, ids[first], jobs.rows[first]))
    return tuple(sorted(found, key=lambda group: (*job_severity(group.job), group.first)))


def job_summary(
    noun: tuple[str, str], jobs: JobFailures, outcomes: Sequence[JobOutcome], has_demands: bool
) -> Iterator[str]:
    """Sentences: what stops the job, what makes its step longest, and what counts.

    Args:
        noun: one failure, and many, in words.
        jobs: the job after each failure.
        outcomes: groups of failures.
        has_demands: whether demands count, too.
    """
    n = len(jobs.rows)
    stopping = [group for group in outcomes if group.job.step_time_s is None]
    n_stopping = sum(group.n_failures for group in stopping)
    if stopping:
        verb = "stops" if n_stopping == 1 else "stop"
        yield f"{n_stopping:,} of {counted(n, *noun)} {verb} job {jobs.job}."
        yield f"First of them: {stopping[0].job.why_stopped}."
    else:
        yield f"None of {counted(n, *noun)} stops job {jobs.job}."
    running = [group for group in outcomes if group.job.step_ratio is not None]
    if running:
        worst = max(running, key=lambda group: _rounded(group.job.step_ratio or 0.0))
        ratio = worst.job.step_ratio or 0.0
        if _rounded(ratio) > 1.0:
            step_s = worst.job.step_time_s or 0.0
            change = change_percent_text(jobs.step_time_s, step_s)
            intact = seconds_text(jobs.step_time_s)
            fails = "fail" if noun[0].startswith("pair") else "fails"
            yield f"Longest step: {seconds_text(step_s)} after {worst.first} {fails}, {change} on {intact}."
        else:
            other = "other " if stopping else ""
            yield f"No {other}failure makes its step longer than {seconds_text(jobs.step_time_s)}."
    if not has_demands:
        yield "The network has no demands, so the job alone counts, and loads of links are left out."
    if jobs.are_alike:
        yield (
            f"{jobs.n_classes:,} classes of {n:,} failures were computed for the job. The others are alike: they take "
            "equal cards, or links with equal load among equal nodes, and count as equal. In an uneven network their "
            "steps may differ a little: `twin failures` computes unequal places apart."
        )
    elif jobs.n_classes < n:
        yield f"{jobs.n_classes:,} classes of {n:,} failures were computed for the job; the others do the same to it."


@lru_cache(maxsize=4096)  # failures by the hundred thousand share few steps
def _rounded(value: float) -> float:
    return float(f"{value:.{N_DIGITS}g}")
