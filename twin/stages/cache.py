"""The stage cache: the last outcomes of each stage, by the values of its inputs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..catalogue.figure_reader import UsedFigure

N_KEPT = 6
"""Outcomes of one stage: a what-if, its network, and a few more questions of the same network."""


class Outcome(NamedTuple):
    """What a stage gave, and the catalogue figures that it read."""

    value: Any
    used_figures: tuple[UsedFigure, ...]


class StageCache:
    """The last N_KEPT outcomes of each stage; arrays compare by identity, then bit by bit, the rest by equality."""

    def __init__(self) -> None:
        self._entries: dict[str, list[tuple[tuple[Any, ...], Outcome]]] = {}

    def get(self, stage: str, key: tuple[Any, ...]) -> Outcome | None:
        """The outcome for these inputs, or None."""
        entries = self._entries.get(stage, [])
        for i in range(len(entries) - 1, -1, -1):
            known, outcome = entries[i]
            if all(map(same, known, key)):
                entries.append(entries.pop(i))
                return outcome
        return None

    def put(self, stage: str, key: tuple[Any, ...], outcome: Outcome) -> None:
        """Keep an outcome, and drop the one longest unused."""
        entries = self._entries.setdefault(stage, [])
        entries.append((key, outcome))
        del entries[:-N_KEPT]


def same(a: Any, b: Any) -> bool:
    """Whether two values of an input are the same."""
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


def _same_bits(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> bool:
    """Whether arrays hold the same, bit by bit: quicker than by value, and NaN is NaN."""
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()
