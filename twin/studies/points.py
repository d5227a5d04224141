"""The points of a sweep: the case at each of them, and the metric of that case."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from ..answers.metrics import METRICS, NotApplicableError
from ..catalogue import Catalogue, PriceBook
from ..errors import CatalogueError, TopologyError, TwinError
from ..stages.engine import Engine
from ..stages.evaluation import Case
from .executor import Advance, Workers, run_items
from .inputs import Axis, set_input

Point = tuple[float | None, str]
"""A metric, or None and why."""


@dataclass(frozen=True, eq=False)
class Question:
    """A case, what is varied in it, and the metric asked for."""

    origin: Case
    axes: tuple[Axis, ...]
    metric: str

    @property
    def n_points(self) -> int:
        """Of all combinations, the last axis fastest."""
        return math.prod(len(axis.values) for axis in self.axes)

    def check(self, engine: Engine) -> None:
        """Raises ChangeError where there is no such input, or it never takes such a value."""
        for axis in self.axes:
            for value in axis.values:
                with suppress(TopologyError):  # a job that contradicts itself there; what the other axis sets may help
                    set_input(self.origin, axis.path, value, engine.reader)

    def points(self, engine: Engine, rows: Sequence[int]) -> Iterator[Point]:
        """The metric at these points, one after the other; one without an answer is no reason to lose the others."""
        n_inner = len(self.axes[1].values) if len(self.axes) > 1 else 1
        last, outer = -1, self.origin
        for row in rows:
            i, k = divmod(row, n_inner)
            try:
                if i != last:
                    outer = set_input(self.origin, self.axes[0].path, self.axes[0].values[i], engine.reader)
                    last = i
                case = outer
                if len(self.axes) > 1:
                    case = set_input(case, self.axes[1].path, self.axes[1].values[k], engine.reader)
            except TwinError as error:
                yield None, _in_short(error)
            else:
                yield metric_of_case(case, self.metric, engine)


def metric_of_case(case: Case, metric: str, engine: Engine) -> Point:
    """A metric of a case, or None and why."""
    try:
        e = engine.evaluate(case)
        value = METRICS[metric].compute(e)
    except NotApplicableError as reason:
        return None, str(reason)
    except TwinError as error:
        return None, _in_short(error)
    return (value, "") if math.isfinite(value) else (None, "grows without bound")


def _in_short(error: TwinError) -> str:
    if isinstance(error, CatalogueError):  # whose place is a part
        return str(error)
    return "; ".join(dict.fromkeys(issue.problem for issue in error.issues))


def run_points(
    question: Question,
    engine: Engine,
    workers: Workers,
    *,
    advance: Advance | None = None,
    cancel: threading.Event | None = None,
) -> list[Point]:
    """Every point in order, as `run_items` works them out.

    Args:
        question: what is varied.
        engine: what works out the points on this thread; other workers have their own.
        workers: what works them out.
        advance: told how many points are done, of how many.
        cancel: set by another thread to end the sweep.

    Raises:
        ChangeError: for an input that does not exist, or a value that it never takes.
    """
    question.check(engine)
    task = SweepTask(question, engine.reader.catalogue, engine.reader.prices)
    rows = range(question.n_points)
    return run_items(task, rows, workers, here=partial(question.points, engine), advance=advance, cancel=cancel)


@dataclass(frozen=True, eq=False)
class SweepTask:
    """A question with the figures that an engine of its own needs."""

    question: Question
    catalogue: Catalogue
    prices: PriceBook

    def start(self) -> Callable[[Sequence[int]], Iterator[Point]]:
        """A function that gives the metric at some points."""
        return partial(self.question.points, Engine(self.catalogue, self.prices))
