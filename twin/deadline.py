"""Deadline of a question: its end and its cancellation, which work in progress checks between two steps.

The engine checks before each stage, a study between two items. Without a deadline a check does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import NamedTuple


class EndedError(Exception):
    """Base of errors that end work in progress.

    They are no faults of the input. So no study takes one for a case that cannot be evaluated.
    """


class DeadlineError(EndedError):
    """Raised once a question has taken all of its time."""

    def __init__(self, allowed_s: float) -> None:
        self.allowed_s = allowed_s
        super().__init__(f"the question took more than {allowed_s:g} s")

    def __reduce__(self) -> tuple[type[DeadlineError], tuple[float]]:
        return DeadlineError, (self.allowed_s,)


class CancelledError(EndedError):
    """Raised once no client waits for the answer any more."""


class _Deadline(NamedTuple):
    """Bounds of the work in progress."""

    end_s: float
    """Time on the monotonic clock."""
    allowed_s: float
    is_cancelled: Callable[[], bool]


_DEADLINE: ContextVar[_Deadline | None] = ContextVar("twin_deadline", default=None)


@contextmanager
def deadline(allowed_s: float, is_cancelled: Callable[[], bool]) -> Iterator[None]:
    """Bound the work of this thread until the end of the block.

    Args:
        allowed_s: time that the work may take from now; infinity for no bound.
        is_cancelled: function that tells whether no client waits for the answer any more.
    """
    token = _DEADLINE.set(_Deadline(monotonic() + allowed_s, allowed_s, is_cancelled))
    try:
        yield
    finally:
        _DEADLINE.reset(token)


def check() -> None:
    """Raise an error if the work in progress shall end.

    Raises:
        CancelledError: no client waits for the answer any more.
        DeadlineError: the question has taken all of its time.
    """
    bounds = _DEADLINE.get()
    if bounds is None:
        return
    if bounds.is_cancelled():
        raise CancelledError
    if monotonic() > bounds.end_s:
        raise DeadlineError(bounds.allowed_s)


def time_left_s() -> float:
    """Return the time that the work in progress may still take; infinity without a deadline."""
    bounds = _DEADLINE.get()
    return float("inf") if bounds is None else bounds.end_s - monotonic()
