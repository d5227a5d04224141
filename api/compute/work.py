"""Messages between the service and its compute processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from ..bodies import NetworkRequest
from ..body_reader import read_body
from ..csv_tables import Form
from ..questions.context import Context, Limits
from ..questions.table import QUESTION_BY_PATH

GIB = 2**30


class Task(Protocol):
    """Task of a compute process for a request. It can be pickled, and so can its result."""

    def run(self, context: Context) -> Any:
        """Return the result."""


class Asking(NamedTuple):
    """Task to answer a question of the table. Its result is the answer as text."""

    path: str
    """Question by its path in the table."""
    asked: NetworkRequest
    """Validated request."""
    form: Form = "json"
    """Form of the answer."""

    def run(self, context: Context) -> str:
        """Return the answer as JSON or CSV."""
        return QUESTION_BY_PATH[self.path].ask(self.asked, context, self.form)


class Reading(NamedTuple):
    """Task to read the body of a question, and to answer it."""

    path: str
    """Question by its path in the table."""
    body: bytes
    """JSON text, not validated."""
    form: Form = "json"
    """Form of the answer."""

    def run(self, context: Context) -> str:
        """Return the answer as JSON or CSV."""
        asked = read_body(self.body, QUESTION_BY_PATH[self.path].request)
        return Asking(self.path, asked, self.form).run(context)


class Work(NamedTuple):
    """One task for a compute process, and its bounds."""

    task: Task
    max_s: float
    """Time that the answer may take."""
    limits: Limits
    """Bounds on the work."""
    parts: Mapping[str, bytes] | None = None
    """Finished parts of an earlier attempt; None = the question keeps no parts."""


class Ready(NamedTuple):
    """Notice that a process has started; its first question then takes no longer than others."""


class Started(NamedTuple):
    """Work with its number among all of one process."""

    number: int
    work: Work


class Cancel(NamedTuple):
    """Notice that no client waits for the answer to a question any more."""

    number: int


class Progress(NamedTuple):
    """Items that a question has finished."""

    n_done: int
    n_items: int


class Kept(NamedTuple):
    """Finished part of a question, to be kept in case its process is lost."""

    name: str
    content: bytes


class Answered(NamedTuple):
    """Answer of a compute process."""

    result: Any
    """Result of the task; of a question its answer as text."""
    is_known: bool | None
    """True if the process had the network compiled before; None if the task asks for none."""
    is_last: bool
    """True if the process ends now, because it has filled half of its memory."""


class Failed(NamedTuple):
    """Error of a compute process in place of an answer."""

    error: Exception
    is_last: bool = False


class Fault(NamedTuple):
    """Error inside the twin. The lines name files and functions, never what a document holds."""

    lines: tuple[str, ...]


class OutOfMemory(NamedTuple):
    """Notice that the question needed more memory than the process may take. The process ends."""


Reply = Answered | Failed | Fault | OutOfMemory
