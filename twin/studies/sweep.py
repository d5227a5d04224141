"""Sweep: a metric over many values of one or two inputs, its knees, and where it crosses that of another plan."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..answers.data import Answer
from ..answers.metrics import METRICS, metric_unit
from ..answers.score import data_frame, html_table
from ..answers.warning import AnswerWarning
from ..arrays import Floats
from ..errors import ChangeError, did_you_mean
from ..model.jobs import TrainingJob
from ..render import svg_of, sweep_figure
from ..render.quantities import names_text
from ..render.sweep_table import sweep_table
from .inputs import Axis
from .points import Point, Question
from .sweep_verdict import sweep_verdict

MAX_POINTS = 100_000
"""Largest number of points of one sweep."""
LOG_SCALE_RATIO = 30.0
"""The knee of an input that spans this factor or more is searched on a logarithmic scale."""
FLAT_RATIO = 0.01
"""A metric that varies by no more than this share of its magnitude is flat: it has no knee."""
KNEE_RATIO = 0.1
"""Least distance of a knee from the straight line between the ends, as a share of the metric's range."""


@dataclass(frozen=True, repr=False)
class Sweep(Answer):
    """A metric over one or two inputs. `values[i]` belongs to the i-th combination; the last input varies fastest."""

    network: str
    job: str | None
    plan: str | None
    summary: tuple[str, ...]
    """The verdict: best and worst value, knees, crossings; one sentence each."""
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
    warnings: tuple[AnswerWarning, ...] = field(default=(), metadata={"optional": True})
    """Rules that the network breaks as it stands; absent where there are none."""

    def points(self) -> list[tuple[float | str, ...]]:
        """Return the inputs of every value."""
        if len(self.axes) == 1:
            return [(value,) for value in self.axes[0].values]
        return [(first, second) for first in self.axes[0].values for second in self.axes[1].values]

    def to_csv(self) -> str:
        """Return CSV text with one line for each point: inputs, metric, and the reason where there is no value."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self._heads())
        for point, value, why in zip(self.points(), self.values, self.why, strict=True):
            writer.writerow([*point, "" if value is None else value, why])
        return text.getvalue()

    def to_pandas(self) -> Any:
        """Return a DataFrame with one row for each point (needs the extra `tables`)."""
        names = self._heads()
        points = zip(self.points(), self.values, self.why, strict=True)
        return data_frame([dict(zip(names, (*point, value, why), strict=True)) for point, value, why in points], names)

    def _heads(self) -> list[str]:
        return [*(axis.path for axis in self.axes), self.metric, "why"]

    def figure(self) -> Any:
        """Draw a curve for each value of the second input, as a matplotlib figure (extra `pictures`)."""
        return sweep_figure(self.to_dict() | {"label": METRICS[self.metric].label})

    def _repr_html_(self) -> str:
        heads = (*(axis.path for axis in self.axes), self.metric)
        points = list(zip(self.points(), self.values, strict=True))[:200]
        rows = [(*map(str, point), "–" if value is None else f"{value:.6g}") for point, value in points]
        return html_table(f"{self.network}: {self.metric}", heads, rows, (), self.summary) + svg_of(self.figure)

    def _table(self) -> Any:
        return sweep_table(self.to_dict())


def default_metric(job: TrainingJob | None) -> str:
    """Return the metric of a sweep that names none: the step time, or the busiest link of a network without a job."""
    return "step_time_s" if job is not None else "max_link_utilisation_ratio"


def check_metric(metric: Any) -> None:
    """Raise ChangeError, with similar names, for an unknown metric."""
    if not isinstance(metric, str) or metric not in METRICS:
        near = did_you_mean(metric, METRICS) if isinstance(metric, str) else ""
        hint = near or "`twin score --all` and a score's `metrics` list them"
        raise ChangeError(f"no metric {metric!r}", where="metric", hint=hint)


def check_sweep(axes: Sequence[Axis], metric: str) -> int:
    """Return the number of points. Raises ChangeError for too few or too many axes or points, or an unknown metric."""
    check_metric(metric)
    if not 1 <= len(axes) <= 2:
        raise ChangeError(f"{len(axes)} inputs", where="vary", expected="one or two")
    if axes[0].path == axes[-1].path and len(axes) > 1:
        hint = "give all its values at once, as 1,2,5"
        raise ChangeError(f"{axes[0].path} stands twice", where="vary", expected="two different inputs", hint=hint)
    n = math.prod(len(axis.values) for axis in axes)
    if n > MAX_POINTS:
        raise ChangeError(f"{n} points", where="vary", expected=f"at most {MAX_POINTS}")
    return n


def sweep_of(
    question: Question,
    points: Sequence[Point],
    network: str,
    plan: str | None,
    *,
    against: str | None,
    level: float | None,
) -> Sweep:
    """Create the answer from the points of a sweep; find its knees and crossings.

    Args:
        question: case, inputs and metric.
        points: value or reason at each point, the last input fastest.
        network: name of the network.
        plan: id of the plan that was applied first.
        against: name of the changes to compare with.
        level: value of the metric after these changes.
    """
    axes = question.axes
    values, why = zip(*points, strict=True)
    sweep = Sweep(
        network=network,
        job=question.origin.job.id if question.origin.job else None,
        plan=plan,
        summary=(),
        metric=question.metric,
        unit=metric_unit(question.metric),
        axes=axes,
        values=values,
        why=why,
        knees=knees_of(axes, values),
        against=against,
        against_value=level,
        crossings=() if level is None else crossings_of(axes, values, level),
    )
    sentences = list(sweep_verdict(sweep.to_dict()))
    if question.others:
        sentences.append(f"Job {sweep.job} runs at the same time as {names_text([job.id for job in question.others])}.")
    return replace(sweep, summary=tuple(sentences))


def knees_of(axes: Sequence[Axis], values: Sequence[float | None]) -> tuple[tuple[float | str, ...], ...]:
    """Find the knee of each curve along the first axis: the point farthest from the line between its ends.

    Both axes are scaled to 0..1, so units do not matter. Both are logarithmic where the input spans a factor of
    LOG_SCALE_RATIO. Curves with less than three values, straight curves and flat curves have no knee.

    Args:
        axes: one or two inputs.
        values: the metric at each point, the last axis fastest; None where it has no value.

    Returns:
        Inputs at each knee.

    Source: Satopaa et al. 2011, Finding a "Kneedle" in a haystack.
    """
    knees: list[tuple[float | str, ...]] = []
    for x, y, second in _curves(axes, values):
        row = _knee_row(x, y)
        if row is not None:
            knees.append((float(x[row]), *second))
    return tuple(knees)


def _curves(
    axes: Sequence[Axis], values: Sequence[float | None]
) -> Iterator[tuple[Floats, Floats, tuple[float | str, ...]]]:
    """(x, y, value of the second axis) of each curve along the first axis; no curve if that axis has text values.

    x increases and has no duplicates, in whichever order the values were requested.
    """
    if any(isinstance(v, str) for v in axes[0].values):
        return
    seconds = [(value,) for value in axes[1].values] if len(axes) > 1 else [()]
    table = np.array([math.nan if v is None else v for v in values]).reshape(len(axes[0].values), len(seconds))
    x, row = np.unique(np.array([float(v) for v in axes[0].values]), return_index=True)
    for column, second in enumerate(seconds):
        yield x, table[row, column], second


def _knee_row(x: Floats, y: Floats) -> int | None:
    known = np.flatnonzero(~np.isnan(y))
    if len(known) < 3 or np.ptp(y[known]) <= FLAT_RATIO * np.abs(y[known]).max():
        return None
    if x[known].min() > 0 and x[known].max() / x[known].min() >= LOG_SCALE_RATIO:
        x = np.log(x)
        if y[known].min() > 0:  # a curve that falls as 1/x up to another limit is straight up to that limit
            y = np.log(y)
    scaled_x = (x[known] - x[known][0]) / np.ptp(x[known])
    scaled_y = (y[known] - y[known][0]) / np.ptp(y[known])
    distance = np.abs(scaled_y - scaled_x * scaled_y[-1])
    farthest = int(np.argmax(distance))
    return int(known[farthest]) if distance[farthest] >= KNEE_RATIO else None


def crossings_of(
    axes: Sequence[Axis], values: Sequence[float | None], level: float
) -> tuple[tuple[float | str, ...], ...]:
    """Find where the metric reaches or crosses a level along the first axis, interpolated between neighbours.

    Of several neighbours at the level, only the first is returned.

    Args:
        axes: one or two inputs.
        values: the metric at each point, the last axis fastest; None where it has no value.
        level: value of the metric to compare with.

    Returns:
        Inputs at each crossing.
    """
    crossings: list[tuple[float | str, ...]] = []
    for x, y, second in _curves(axes, values):
        above = y - level
        for i in range(len(x)):
            if above[i] == 0 and (i == 0 or above[i - 1] != 0):
                crossings.append((float(x[i]), *second))
            elif i + 1 < len(x) and above[i] * above[i + 1] < 0:
                crossing = x[i] + (x[i + 1] - x[i]) * above[i] / (above[i] - above[i + 1])
                crossings.append((float(crossing), *second))
    return tuple(crossings)
