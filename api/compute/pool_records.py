"""Records of the pool of compute processes: its settings, questions in it, and events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, NamedTuple

from .fair_queue import Turn
from .process import ComputeProcess
from .work import Work
from .worker import WorkerSettings


class PoolSettings(NamedTuple):
    """Settings of a pool."""

    worker: WorkerSettings
    n_processes: int
    """Heavy questions that run at the same time."""
    warm: bool = True
    """True to compile the kernels at start."""
    max_waiting: int = 64
    """Most questions that wait."""
    max_of_client: int = 32
    """Most waiting questions of one client."""
    max_wait_s: float = 30.0
    """Longest time that a question waits for a process."""

    @property
    def n_light(self) -> int:
        """Return the number of processes for light questions: one for all clients, one for those with none running."""
        return 2

    @property
    def n_kept(self) -> int:
        """Return the number of processes that are kept."""
        return self.n_processes + self.n_light

    @property
    def n_most(self) -> int:
        """Return the most processes; those above `n_kept` are for light questions that turned out heavy."""
        return self.n_kept + self.n_processes


class Submission(NamedTuple):
    """A question as a caller submits it."""

    work: Work
    client: str
    """Key of the client; clients take turns."""
    network: str
    """Key of the network; a process that has it compiled is preferred."""
    is_light: bool
    """True if it takes about a second or less."""
    request_id: str = ""
    """Id of the request, for the log."""


class Spent(NamedTuple):
    """Time that a question took."""

    queue_s: float
    """Time until a process was free."""
    work_s: float
    """Time in the process, with the way there and back."""


@dataclass(eq=False)
class Asked:
    """A question that waits or runs.

    Attributes:
        submission: the question.
        result: result of its task, or its error.
        on_progress: called on the event loop with (finished items, all items).
        on_part: called on the event loop with name and content of a finished part.
    """

    submission: Submission
    result: asyncio.Future[Any]
    on_progress: Callable[[int, int], None]
    on_part: Callable[[str, bytes], None]
    cancel: Callable[[], None] = field(default=lambda: None)
    """Ends the question, wherever it is; its result then is CancelledError."""
    process: ComputeProcess | None = None
    turn: Turn[Asked] | None = None
    is_cancelled: bool = False
    asked_s: float = field(default_factory=monotonic)
    spent: Spent | None = None
    """Time that it took; None while it waits or runs."""


class PoolEvents:
    """Events of a pool, for counting; a subclass overrides what it needs."""

    def answered(self, *, is_known: bool) -> None:
        """Note an answer, and whether its network was compiled before."""

    def refused(self, reason: str) -> None:
        """Note a refusal: `queue`, `wait`, `deadline`, `memory`, `crash`."""

    def restarted(self) -> None:
        """Note a process that was replaced."""
