"""One or two inputs varied over many values: a metric as a table, with its knees and where it crosses another plan."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..answers.data import Answer
from ..answers.metrics import METRICS
from ..answers.score import data_frame, html_table
from ..arrays import Floats
from ..errors import ChangeError, did_you_mean
from ..render import svg_of, sweep_figure
from .inputs import Axis

MAX_POINTS = 100_000
"""Of one sweep."""
LOG_FROM_RATIO = 30.0
"""Inputs that span more than this factor are looked at by their logarithms."""
MOVES_RATIO = 0.01
"""A metric that moves by no more than this share of its magnitude is flat: it bends nowhere."""
KNEE_RATIO = 0.1
"""A knee stands at least so far off the straight line between the ends, as a share of the metric's range."""


@dataclass(frozen=True)
class Sweep(Answer):
    """A metric over one or two inputs. `values[i]` belongs to the i-th combination; the last input varies fastest."""

    network: str
    job: str | None
    plan: str | None
    metric: str
    unit: str
    axes: tuple[Axis, ...]
    values: tuple[float | None, ...]
    """Of the metric, one a point; null where it does not apply."""
    why: tuple[str, ...]
    """One a point: why there is no value, else empty."""
    knees: tuple[tuple[float | str, ...], ...]
    """Inputs at the knee of each curve, one for each value of the second input that has a knee."""
    against: str | None = None
    """Plan that the metric is compared with."""
    against_value: float | None = None
    """The metric with that plan."""
    crossings: tuple[tuple[float | str, ...], ...] = ()
    """Inputs at which the metric reaches or crosses that plan's, interpolated along the first axis."""

    def points(self) -> list[tuple[float | str, ...]]:
        """Inputs of every value."""
        if len(self.axes) == 1:
            return [(v,) for v in self.axes[0].values]
        return [(a, b) for a in self.axes[0].values for b in self.axes[1].values]

    def to_csv(self) -> str:
        """One line a point: inputs, then the metric, and where there is none, why."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self._heads())
        for point, value, why in zip(self.points(), self.values, self.why, strict=True):
            writer.writerow([*point, "" if value is None else value, why])
        return text.getvalue()

    def to_pandas(self) -> Any:
        """One row a point (needs the extra `tables`)."""
        names = self._heads()
        points = zip(self.points(), self.values, self.why, strict=True)
        return data_frame([dict(zip(names, (*point, value, why), strict=True)) for point, value, why in points], names)

    def _heads(self) -> list[str]:
        return [*(axis.path for axis in self.axes), self.metric, "why"]

    def figure(self) -> Any:
        """A matplotlib figure: a curve, or one for each value of the second input (extra `pictures`)."""
        return sweep_figure(self.to_dict())

    def _repr_html_(self) -> str:
        heads = (*(axis.path for axis in self.axes), self.metric)
        points = list(zip(self.points(), self.values, strict=True))[:200]
        rows = [(*map(str, point), "–" if value is None else f"{value:.6g}") for point, value in points]
        return html_table(f"{self.network}: {self.metric}", heads, rows, ()) + svg_of(self.figure)


def check_sweep(axes: Sequence[Axis], metric: str) -> int:
    """Number of points. Raises ChangeError for no axes, too many, or a metric that is not there."""
    if not isinstance(metric, str) or metric not in METRICS:
        near = did_you_mean(metric, METRICS) if isinstance(metric, str) else ""
        hint = f"{near} `twin score --all` and a score's `metrics` list them".strip()
        raise ChangeError(f"no metric {metric!r}", where="metric", hint=hint)
    if not 1 <= len(axes) <= 2:
        raise ChangeError(f"{len(axes)} inputs", where="vary", expected="one or two")
    if axes[0].path == axes[-1].path and len(axes) > 1:
        hint = "give all its values at once, as 1,2,5"
        raise ChangeError(f"{axes[0].path} stands twice", where="vary", expected="two different inputs", hint=hint)
    n = math.prod(len(axis.values) for axis in axes)
    if n > MAX_POINTS:
        raise ChangeError(f"{n} points", where="vary", expected=f"at most {MAX_POINTS}")
    return n


def knees_of(axes: Sequence[Axis], values: Sequence[float | None]) -> tuple[tuple[float | str, ...], ...]:
    """Where each curve along the first axis bends most: farthest from the line between its ends.

    After Satopaa et al. 2011, Finding a "Kneedle" in a haystack; both axes scaled to 0..1, so no unit matters, and both
    by their logarithms where the input spans a factor of 30. Curves with less than three values, straight ones, and
    those that hardly move at all have none.
    """
    found: list[tuple[float | str, ...]] = []
    for x, y, other in _curves(axes, values):
        at = _knee(x, y)
        if at is not None:
            found.append((float(x[at]), *other))
    return tuple(found)


def _curves(
    axes: Sequence[Axis], values: Sequence[float | None]
) -> Iterator[tuple[Floats, Floats, tuple[float | str, ...]]]:
    """(x, y, value of the second axis) of each curve along the first: by rising x, each x once; none along words.

    In whichever order values were asked for, neighbours on the curve are neighbours here.
    """
    if any(isinstance(v, str) for v in axes[0].values):
        return
    others = [(other,) for other in axes[1].values] if len(axes) > 1 else [()]
    table = np.array([math.nan if v is None else v for v in values]).reshape(len(axes[0].values), len(others))
    x, row = np.unique(np.array([float(v) for v in axes[0].values]), return_index=True)
    for column, other in enumerate(others):
        yield x, table[row, column], other


def _knee(x: Floats, y: Floats) -> int | None:
    known = np.flatnonzero(~np.isnan(y))
    if len(known) < 3 or np.ptp(y[known]) <= MOVES_RATIO * np.abs(y[known]).max():
        return None
    if x[known].min() > 0 and x[known].max() / x[known].min() >= LOG_FROM_RATIO:
        x = np.log(x)
        if y[known].min() > 0:  # what falls as 1/x until something else binds is straight up to there
            y = np.log(y)
    u = (x[known] - x[known][0]) / np.ptp(x[known])
    v = (y[known] - y[known][0]) / np.ptp(y[known])
    off = np.abs(v - u * v[-1])
    best = int(np.argmax(off))
    return int(known[best]) if off[best] >= KNEE_RATIO else None


def crossings_of(
    axes: Sequence[Axis], values: Sequence[float | None], level: float
) -> tuple[tuple[float | str, ...], ...]:
    """Where the metric reaches or crosses a level along the first axis, interpolated between neighbours.

    A stretch that lies on the level is told once, by where it begins.
    """
    found: list[tuple[float | str, ...]] = []
    for x, y, other in _curves(axes, values):
        off = y - level
        for i in range(len(x)):
            if off[i] == 0 and (i == 0 or off[i - 1] != 0):
                found.append((float(x[i]), *other))
            elif i + 1 < len(x) and off[i] * off[i + 1] < 0:
                found.append((float(x[i] + (x[i + 1] - x[i]) * off[i] / (off[i] - off[i + 1])), *other))
    return tuple(found)
