"""Parts of a study that outlive its process: the caller keeps them, and gives them back after a restart.

Studies write finished batches here without knowing where they go. Without a keeper, nothing is written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from ..arrays import package_version

Result = TypeVar("Result")
MIN_INTERVAL_S = 2.0
"""Least time between two parts; so much work is lost with a process."""
WRITING_RATIO = 0.05
"""Largest share of time that writing takes."""
MAX_PART_BYTES = 16 * 2**20
"""A larger part is not kept; its work is done again."""


class Codec(NamedTuple, Generic[Result]):
    """Form of the results of a study as plain data of JSON."""

    name: str
    """Name of the study; parts of another one are ignored."""
    encode: Callable[[Result], Any]
    decode: Callable[[Any], Result]


class KeptParts:
    """Parts of one question: those of an earlier process, and a function that keeps more.

    Args:
        found: parts by name, as they were written.
        write: keeps a part under a name, in place of an earlier one.
    """

    def __init__(self, found: Mapping[str, bytes], write: Callable[[str, bytes], None]) -> None:
        self.found, self._write = found, write
        self._n_studies = 0
        self._next_s = perf_counter() + MIN_INTERVAL_S

    def next_study(self) -> str:
        """Return the name of the next study of the question; they come in the same order each time."""
        self._n_studies += 1
        return f"study-{self._n_studies}"

    @property
    def is_due(self) -> bool:
        """Return whether the last part was written long enough ago."""
        return perf_counter() >= self._next_s

    def write(self, name: str, content: bytes) -> None:
        """Keep a part, unless it is too large."""
        start_s = perf_counter()
        if len(content) <= MAX_PART_BYTES:
            self._write(name, content)
        now_s = perf_counter()
        self._next_s = now_s + max(MIN_INTERVAL_S, (now_s - start_s) / WRITING_RATIO)


_PARTS: ContextVar[KeptParts | None] = ContextVar("twin_kept_parts", default=None)


@contextmanager
def keeping(parts: KeptParts | None) -> Iterator[None]:
    """Keep parts of the studies of this thread until the end of the block."""
    token = _PARTS.set(parts)
    try:
        yield
    finally:
        _PARTS.reset(token)


def kept_parts() -> KeptParts | None:
    """Return the keeper of this thread; None = nothing is kept."""
    return _PARTS.get()


class KeptRows(Generic[Result]):
    """Results of the items of a study, kept in batches of rows.

    Args:
        parts: keeper of the question.
        codec: form of the results.
        n_items: number of items; parts of another number are ignored.
    """

    def __init__(self, parts: KeptParts, codec: Codec[Result], n_items: int) -> None:
        self._parts, self._codec = parts, codec
        self._name = parts.next_study()
        self._key = f"{codec.name} {n_items} {package_version()} numpy {np.__version__}"
        self._waiting: list[tuple[int, Any]] = []
        self._n_written = 0

    def load(self) -> dict[int, Result]:
        """Return the results of an earlier process by row."""
        found: dict[int, Result] = {}
        prefix = f"{self._name}-"
        for name in sorted(self._parts.found):
            if name.startswith(prefix):
                self._n_written = int(name.removeprefix(prefix)) + 1  # one before it may be lost
                data = json.loads(self._parts.found[name])
                if data["key"] == self._key:
                    found.update((row, self._codec.decode(value)) for row, value in data["rows"])
        return found

    def add(self, row: int, result: Result) -> None:
        """Keep a result with the next batch."""
        self._waiting.append((row, self._codec.encode(result)))
        if self._parts.is_due:
            text = json.dumps({"key": self._key, "rows": self._waiting}, separators=(",", ":"))
            self._parts.write(f"{self._name}-{self._n_written:06d}", text.encode())
            self._n_written += 1
            self._waiting = []
