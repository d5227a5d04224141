"""Runs as records: a question, its state, and how long its answer is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class RunState(StrEnum):
    """State of a run."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = (RunState.DONE, RunState.FAILED, RunState.CANCELLED)
"""States in which nothing is computed any more."""


@dataclass(frozen=True, slots=True)
class Run:
    """A question that is answered in the background, without its answer."""

    id: str
    """SHA-256 of question, request, document and package version: the same question is the same run."""
    number: int
    """Number in the order of asking."""
    question: str
    """Name of the question, as in its address."""
    network: str
    """Name of the network, with the revision of a stored one."""
    state: RunState
    n_done: int
    """Items that are computed: points, failures, samples, sets, questions of a batch, or percent where none count."""
    n_items: int
    """Number of all items; 0 while their number is not known."""
    n_attempts: int
    """Times that it was started; more than one after a restart."""
    asked_at: str
    """Time of the request, in UTC."""
    started_at: str | None
    ended_at: str | None
    detail: str | None
    """Reason of a failure."""

    @property
    def is_ended(self) -> bool:
        """Return whether nothing is computed any more."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class RunPage:
    """A page of runs, the newest first."""

    runs: tuple[Run, ...]
    next: int | None
    """Value of `after` for the next page; null on the last one."""


class NewRun(NamedTuple):
    """A run as it is asked for."""

    id: str
    question: str
    network: str
    request: bytes
    """Request that is computed, as JSON."""


class Asked(NamedTuple):
    """Result of asking for a run."""

    run: Run
    is_new: bool
    """False if the same run was there: queued, running or done."""


class Claim(NamedTuple):
    """A run that this process now computes."""

    run: Run
    request: bytes
    parts: Mapping[str, bytes] = {}
    """Parts that an earlier attempt has finished, by name."""


class Ending(NamedTuple):
    """End of a run."""

    state: RunState
    answer: bytes | None = None
    """Answer of a run that is done."""
    status: int = 200
    """HTTP status of the answer or of the problem."""
    detail: str | None = None
    """Reason of a failure."""
    problem: bytes | None = None
    """Problem document of a failure."""


@dataclass(frozen=True, slots=True)
class RunLimits:
    """Bounds of the runs in a database."""

    n_queued: int = 1000
    """Most runs that wait."""
    n_runs: int = 20_000
    """Most runs in all."""
    n_bytes: int = 2 * 1024**3
    """Most bytes of all answers and requests; the oldest ended runs are deleted first."""
    kept_days: float = 7.0
    """Time for which an ended run is kept."""
    n_attempts: int = 3
    """Most times that a run is started; each time its server was lost while it ran."""
    lost_after_s: float = 60.0
    """Time without a sign of life after which a server counts as lost."""
