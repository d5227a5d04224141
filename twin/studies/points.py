"""Points of a sweep: the case at each point, and the metric of that case."""

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
from ..model.jobs import TrainingJob
from ..progress import Advance
from ..stages.engine import Engine
from ..stages.evaluation import Case
from ..stages.together import case_among
from .executor import Workers, run_items
from .inputs import Axis, set_input
from .kept_parts import Codec

Point = tuple[float | None, str]
"""Value of a metric and an empty text, or None and the reason."""
CODEC: Codec[Point] = Codec("sweep", list, tuple)
"""Form of a point where an interrupted sweep goes on."""


@dataclass(frozen=True, eq=False)
class Question:
    """A case, the inputs to vary and the metric to compute."""

    origin: Case
    axes: tuple[Axis, ...]
    metric: str
    others: tuple[TrainingJob, ...] = ()
    """Jobs that run at the same time; inputs of the job leave them as they are."""

    @property
    def n_points(self) -> int:
        """Number of combinations of all values; the last axis varies fastest."""
        return math.prod(len(axis.values) for axis in self.axes)

    def check(self, engine: Engine) -> None:
        """Raises ChangeError for an unknown input, or a value that the input cannot take."""
        for axis in self.axes:
            for value in axis.values:
                with suppress(TopologyError):  # the value may be valid together with one of the other axis
                    set_input(self.origin, axis.path, value, engine.reader)

    def points(self, engine: Engine, rows: Sequence[int]) -> Iterator[Point]:
        """Compute the metric at these points, one after the other. An error at a point becomes its reason."""
        n_inner = len(self.axes[1].values) if len(self.axes) > 1 else 1
        last_outer, outer_case = -1, self.origin
        for row in rows:
            outer, inner = divmod(row, n_inner)
            try:
                if outer != last_outer:
                    outer_case = set_input(self.origin, self.axes[0].path, self.axes[0].values[outer], engine.reader)
                    last_outer = outer
                case = outer_case
                if len(self.axes) > 1:
                    case = set_input(case, self.axes[1].path, self.axes[1].values[inner], engine.reader)
            except TwinError as error:
                yield None, problem_text(error)
            else:
                yield metric_of_case(case, self.metric, engine, self.others)


def metric_of_case(case: Case, metric: str, engine: Engine, others: Sequence[TrainingJob] = ()) -> Point:
    """Compute a metric of a case, its job among others; None and the reason where it has no value."""
    try:
        e = engine.evaluate(case_among(engine, case, others))
        value = METRICS[metric].compute(e)
    except NotApplicableError as reason:
        return None, str(reason)
    except TwinError as error:
        return None, problem_text(error)
    return (value, "") if math.isfinite(value) else (None, "grows without bound")


def problem_text(error: TwinError) -> str:
    """Return the problems of an error as one text, each once."""
    if isinstance(error, CatalogueError):  # its place is a part, not an input
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
    """Compute every point with `run_items`.

    Args:
        question: case, inputs and metric.
        engine: engine of this thread; other workers have separate ones.
        workers: backend and largest number of workers.
        advance: called after each point with the number of finished points and of all points.
        cancel: event that another thread sets to end the sweep.

    Returns:
        The points in order.

    Raises:
        ChangeError: for an unknown input, or a value that the input cannot take.
    """
    question.check(engine)
    task = SweepTask(question, engine.reader.catalogue, engine.reader.prices)
    rows = range(question.n_points)
    solve = partial(question.points, engine)
    return run_items(task, rows, workers, local_solve=solve, advance=advance, cancel=cancel, codec=CODEC)


@dataclass(frozen=True, eq=False)
class SweepTask:
    """A question with the catalogue and prices from which each worker builds an engine."""

    question: Question
    catalogue: Catalogue
    prices: PriceBook

    def start(self) -> Callable[[Sequence[int]], Iterator[Point]]:
        """Return a function that computes the metric at some points."""
        return partial(self.question.points, Engine(self.catalogue, self.prices))
