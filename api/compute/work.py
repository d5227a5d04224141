"""Messages between the service and its compute processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..bodies import NetworkRequest
from ..csv_tables import Form
from ..questions.context import Limits

GIB = 2**30


class Work(NamedTuple):
    """One question for a compute process."""

    path: str
    """Question by its path in the table."""
    asked: NetworkRequest
    """Validated request."""
    max_s: float
    """Time that the answer may take."""
    limits: Limits
    """Bounds on the work."""
    parts: Mapping[str, bytes] | None = None
    """Finished parts of an earlier attempt; None = the question keeps no parts."""
    form: Form = "json"
    """Form of the answer."""


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

    text: str
    """Answer as JSON or CSV."""
    is_known: bool
    """True if the process had the network compiled before."""
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
