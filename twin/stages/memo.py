"""The last few outcomes of each stage of the pipeline, and the columns that a stage is known by."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import cache
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ..arrays import NetworkArrays, State


def columns(state: State, *prefixes: str) -> tuple[Any, ...]:
    """The columns of a state whose names begin so, for a memo key; parts too, since codes point into them."""
    return named(state, _names(prefixes))


@cache
def _names(prefixes: tuple[str, ...]) -> tuple[str, ...]:
    names = sorted(name for name in NetworkArrays.__dataclass_fields__ if name.startswith(prefixes))
    return tuple(name for name in names if not name.endswith("_ids"))


def named(state: State, names: Sequence[str]) -> tuple[Any, ...]:
    """Some columns of a state for a memo key, and what their codes point into."""
    return (state.arrays, state.parts, *(state[name] for name in names))


T = TypeVar("T")


class Memo:
    """The last few outputs of each stage, by inputs: arrays by identity or content, the rest by equality."""

    KEPT = 6

    def __init__(self) -> None:
        self._kept: dict[Hashable, list[tuple[tuple[Any, ...], Any]]] = {}

    def get(self, stage: str, key: tuple[Any, ...], make: Callable[[], T]) -> T:
        """The outcome for a key, made where it is not known."""
        entries = self._kept.setdefault(stage, [])
        for i, (known, value) in reversed([*enumerate(entries)]):
            if len(known) == len(key) and all(map(_same, known, key)):
                entries.append(entries.pop(i))
                return value  # type: ignore[no-any-return]
        value = make()
        entries.append((key, value))
        del entries[: -self.KEPT]
        return value


def _same(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and _same_bits(a, b)
    return bool(a == b)


def _same_bits(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> bool:
    """Whether arrays hold the same, bit by bit: quicker than by value, and NaN is NaN."""
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()
