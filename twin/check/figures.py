"""What a runner answers: figures by name, each a number, a map to numbers, or missing with the reason."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Missing:
    """A figure that has no value here, and why; equal to an expected null."""

    why: str


Value = float | Missing
Figures = Mapping[str, Value | Mapping[str, Value]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fixture: what a case may give, how its figures are computed, and a sentence about it.

    `run` gets the validated `given` and the names of the figures that are expected, so that dear ones may be skipped.
    """

    given: type[BaseModel]
    run: Callable[[Any, frozenset[str]], Figures]
    sentence: str


def value_of(number: float | None, why: str = "") -> Value:
    """A number as a figure; null and what is not finite become missing."""
    if number is None:
        return Missing(why or "has no value")
    number = float(number)
    return number if math.isfinite(number) else Missing(why or "grows without bound")
