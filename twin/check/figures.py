"""Results of a runner: figures by name, each a number, a map to numbers, or missing with a reason."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Missing:
    """A figure without a value, and the reason; it matches an expected null."""

    why: str


Value = float | Missing
Figures = Mapping[str, Value | Mapping[str, Value]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fixture: model of its input, function that computes its figures, and a description.

    `run` gets the validated `given` and the names of the expected figures, so that it can skip expensive ones. A kind
    with `shared` has more fields at the top of its files. `bind` then makes what `run` gets from `given` and these.
    """

    given: type[BaseModel]
    run: Callable[[Any, frozenset[str]], Figures]
    sentence: str
    shared: type[BaseModel] | None = None
    bind: Callable[[Any, Any], BaseModel] = lambda given, _shared: given


def value_of(number: float | None, why: str = "") -> Value:
    """Convert a number to a figure; None, NaN and infinity become `Missing`."""
    if number is None:
        return Missing(why or "has no value")
    number = float(number)
    return number if math.isfinite(number) else Missing(why or "grows without bound")
