"""The stage cache: the last outcomes of each stage, by the values of its inputs."""

from __future__ import annotations

import struct
from dataclasses import is_dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..catalogue.figure_reader import UsedFigure

N_CACHED = 6
"""Cached outcomes per stage: a what-if, its network, and a few more questions about the same network."""


class Outcome(NamedTuple):
    """Result of a stage, and the catalogue figures that it read."""

    value: Any
    used_figures: tuple[UsedFigure, ...]


class StageCache:
    """Cache of the last outcomes of each stage.

    Arrays compare by identity, then bit by bit; other values by equality.
    """

    def __init__(self, n_cached: int = N_CACHED) -> None:
        self._n_cached = n_cached
        self._entries: dict[str, list[tuple[tuple[Any, ...], Outcome]]] = {}

    def get(self, stage: str, key: tuple[Any, ...]) -> Outcome | None:
        """Return the outcome for these inputs, or None."""
        entries = self._entries.get(stage, [])
        for i in range(len(entries) - 1, -1, -1):
            known, outcome = entries[i]
            if all(map(same, known, key)):
                entries.append(entries.pop(i))
                return outcome
        return None

    def put(self, stage: str, key: tuple[Any, ...], outcome: Outcome) -> None:
        """Store an outcome, and drop the least recently used one."""
        entries = self._entries.setdefault(stage, [])
        entries.append((key, outcome))
        del entries[: -self._n_cached]


class OneOutcome(StageCache):
    """Cache of one outcome of each stage, the first: for many cases that differ in little from one.

    What they do not share with it, they seldom share with each other.
    """

    def put(self, stage: str, key: tuple[Any, ...], outcome: Outcome) -> None:
        """Store the first outcome of a stage."""
        self._entries.setdefault(stage, [(key, outcome)])


WORDS = {1: np.uint8, 4: np.uint32, 8: np.uint64}
"""Integers as wide as the items of arrays, by bytes."""
PLAIN = frozenset({int, str, float, bool, type(None)})
"""Types that hold no arrays."""
MAX_COMPARED = 10_000
"""Items of the longest tuple and dict that `shared_with` compares."""


def freeze_arrays(value: Any) -> None:
    """Make the arrays in an outcome read-only: those in tuples, lists, dicts and fields of dataclasses."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif isinstance(value, tuple | list):
        if not PLAIN.issuperset(map(type, value)):  # an outcome may hold a million numbers
            for item in value:
                freeze_arrays(item)
    elif isinstance(value, dict):
        for item in value.values():
            freeze_arrays(item)
    elif type(value) not in PLAIN and is_dataclass(value) and not isinstance(value, type):
        for name in value.__dataclass_fields__:
            freeze_arrays(getattr(value, name, None))


def same(a: Any, b: Any) -> bool:
    """Return whether two values of an input are the same."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return _same_bits(a, b)
    if isinstance(a, tuple) and any(isinstance(item, np.ndarray) for item in a):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and any(isinstance(item, np.ndarray) for item in a.values()):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    return bool(a == b)


def shared_with(known: Any, value: Any) -> Any:
    """Return the known value where a value is equal to it, bit by bit; else the value, with the fields that are equal.

    A stage that needs only equal fields then finds them to be the same, and does not run again.
    """
    if type(value) is not type(known) or hasattr(value, "__post_init__"):
        return value
    if not is_dataclass(value) or isinstance(value, type):
        return known if _is_equal(known, value) else value
    names = value.__dataclass_fields__
    equal = {name: getattr(known, name) for name in names if _is_equal(getattr(known, name), getattr(value, name))}
    if len(equal) == len(names):
        return known
    return replace(value, **equal) if equal else value


def _is_equal(a: Any, b: Any) -> bool:
    """Return whether values of outcomes are equal bit by bit, those in tuples, dicts and fields of dataclasses, too."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return _same_bits(a, b)
    if type(a) is float:
        return struct.pack("d", a) == struct.pack("d", b)
    if type(a) in PLAIN:
        return bool(a == b)
    if isinstance(a, tuple):
        return len(a) == len(b) <= MAX_COMPARED and all(map(_is_equal, a, b))
    if type(a) is dict:
        return len(a) <= MAX_COMPARED and list(a) == list(b) and all(map(_is_equal, a.values(), b.values()))
    if is_dataclass(a) and not isinstance(a, type):
        return all(_is_equal(getattr(a, name), getattr(b, name)) for name in a.__dataclass_fields__)
    return False


def _same_bits(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> bool:
    """Return whether arrays are equal bit by bit: NaN equals NaN, and -0 is not 0."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.dtype.itemsize not in WORDS or not (a.flags.c_contiguous and b.flags.c_contiguous):
        return a.tobytes() == b.tobytes()
    words = WORDS[a.dtype.itemsize]
    return np.array_equal(a.view(words), b.view(words))  # copies nothing
