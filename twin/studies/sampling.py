"""Evaluation of cases under sampled inputs: each worker computes rows of a table of values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Any, NamedTuple, cast

import numpy as np

from ..answers.metrics import METRICS, NotApplicableError
from ..arrays import Floats, State
from ..catalogue import Catalogue, PriceBook
from ..catalogue.figure_reader import FigureReader
from ..errors import TwinError
from ..progress import Advance
from ..scenario.apply import Scenario, edited
from ..scenario.change import StateChange, WorkloadChange
from ..scenario.changes import Change
from ..stages.changed_inputs import ChangedInputs, Reruns
from ..stages.engine import Engine
from ..stages.evaluation import Case, Evaluation
from .document_inputs import set_uncertain
from .executor import Workers, run_items
from .grown_demands import later
from .kept_parts import Codec
from .sampled_money import money_figure
from .uncertain_inputs import UncertainInput

MAX_LINKS_TOGETHER = 20_000
"""Largest network whose cases are computed together."""


class SampleItem(NamedTuple):
    """Some cases of a question in one row of values."""

    block: range
    """Rows of the cases."""
    row: int
    """Row of values."""


class CaseFigures(NamedTuple):
    """Figures of one case in one row of values."""

    values: tuple[float | None, ...]
    """By figure of the question; None where it does not apply."""
    why: tuple[str, ...]
    """By figure: why there is no value, else empty."""
    infeasible: str
    """Why the job cannot run in this row; empty where it can."""
    n_links_up: int


def _figures_of(data: list[Any]) -> tuple[CaseFigures, ...]:
    """Return a row from plain data."""
    return tuple(CaseFigures(tuple(values), tuple(why), *rest) for values, why, *rest in data)


CODEC: Codec[tuple[CaseFigures, ...]] = Codec("sample", list, _figures_of)
"""Form of a row where an interrupted study goes on."""


@dataclass(frozen=True, eq=False)
class SampledCase:
    """A case of a study of samples: the network as it is, or after a plan.

    Uncertain inputs of the document describe the world, so they are set before a plan changes workload and state, and
    after it has changed what exists.
    """

    name: str
    case: Case
    structure: Case
    """The case before changes of workload and state."""
    changes: tuple[Change, ...] = ()
    is_changed: bool = False
    """True for that of a plan, whose purchases count from the first case on."""
    years: float = 0.0
    """Years after the day of the document at which it is evaluated."""

    def with_inputs(self, stated: Sequence[tuple[str, float]], reader: FigureReader) -> Case:
        """Return the case with inputs of the document set to values. Raises TwinError for what cannot be."""
        case = self.structure
        for where, value in stated:
            case = set_uncertain(case, where, value, reader)
        scenario = Scenario(cast("Any", None), case)  # these levels leave the network as it is
        changed = edited(scenario, self.changes, reader, levels=(WorkloadChange, StateChange)).case
        return later(changed, self.years, reader)


@dataclass(frozen=True, eq=False)
class SampleQuestion:
    """Cases, inputs, and the rows of values of the inputs at which figures are computed."""

    cases: tuple[SampledCase, ...]
    """The first is the network as it is."""
    inputs: tuple[UncertainInput, ...]
    values: Floats
    """float64[n_rows, n_inputs]; NaN = what the document states."""
    figures: tuple[str, ...]
    """Names of metrics, or of figures of `sampled_money`."""


@dataclass(frozen=True, eq=False)
class SampleTask:
    """A question with the catalogue and prices from which each worker builds an engine."""

    question: SampleQuestion
    catalogue: Catalogue
    prices: PriceBook

    def start(self) -> Callable[[Sequence[SampleItem]], Iterator[tuple[CaseFigures, ...]]]:
        """Return a function that computes the figures of some items."""
        return partial(_SampleSolver(self.question, small_engine(self.catalogue, self.prices)).solve)


def small_engine(catalogue: Catalogue, prices: PriceBook) -> Engine:
    """Return an engine for a study of samples, which keeps few outcomes: a job on 200,000 links has 400 MB of them."""
    return Engine(catalogue, prices, n_cached=2)


def blocks_of(cases: Sequence[SampledCase]) -> list[range]:
    """Return the cases that are computed together: all of a small network, one after the other of a large one.

    Cases that are computed together share outcomes, and need memory for all of them at once.
    """
    n = len(cases)
    step = n if max(row.case.state.n_links for row in cases) <= MAX_LINKS_TOGETHER else 1
    return [range(first, min(first + step, n)) for first in range(0, n, step)]


def run_sample(
    question: SampleQuestion, engine: Engine, workers: Workers, advance: Advance | None, cancel: Event | None = None
) -> list[tuple[CaseFigures, ...]]:
    """Compute every row of a question with `run_items`; by row, then by case."""
    task = SampleTask(question, engine.reader.catalogue, engine.reader.prices)
    blocks, n_rows = blocks_of(question.cases), len(question.values)
    solve = _SampleSolver(question, engine).solve if len(blocks) == 1 else None
    items = [SampleItem(block, row) for block in blocks for row in range(n_rows)]

    def advance_rows(n_done: int, n_all: int) -> None:
        if advance is not None:
            advance(n_done // len(blocks), n_all // len(blocks))

    found = run_items(task, items, workers, local_solve=solve, advance=advance_rows, cancel=cancel, codec=CODEC)
    return [sum(found[row::n_rows], ()) for row in range(n_rows)]


def places_in(case: SampledCase, inputs: Sequence[UncertainInput], reader: FigureReader) -> frozenset[str]:
    """Return the inputs of the document that exist in a case; a plan may remove the target of one."""
    found = set()
    for known in inputs:
        if known.figure is None:
            with suppress(TwinError):
                set_uncertain(case.structure, known.where, known.low, reader)
                found.add(known.where)
    return frozenset(found)


class _SampleSolver:
    """Computes items; what no sampled input reaches is computed once for a block of cases."""

    def __init__(self, question: SampleQuestion, engine: Engine) -> None:
        self._question, self._engine = question, engine
        self._places = [places_in(row, question.inputs, engine.reader) for row in question.cases]
        self._block: range | None = None
        self._unchanged: list[Evaluation] = []
        self._reruns: Reruns = {}

    def solve(self, items: Sequence[SampleItem]) -> Iterator[tuple[CaseFigures, ...]]:
        """Compute items, one after the other."""
        for item in items:
            if item.block != self._block:
                self._begin(item.block)
            yield self._row(item.block, self._question.values[item.row].tolist())

    def _begin(self, block: range) -> None:
        """Drop the evaluations of the last block before those of this one."""
        self._unchanged, self._reruns, self._block = [], {}, block
        cases = self._question.cases
        self._unchanged = [
            Evaluation(cases[i].case, cases[0].case.state if cases[i].is_changed else None, self._engine) for i in block
        ]

    def _row(self, block: range, values: list[float]) -> tuple[CaseFigures, ...]:
        inputs = self._question.inputs
        figures = {
            known.figure: value
            for known, value in zip(inputs, values, strict=True)
            if known.figure is not None and value != known.figure.value
        }
        stated = {
            known.where: value
            for known, value in zip(inputs, values, strict=True)
            if known.figure is None and not math.isnan(value)
        }
        changed = ChangedInputs(self._engine, figures, self._reruns)
        found: list[CaseFigures] = []
        before = self._before(block, stated)
        for i, unchanged in zip(block, self._unchanged, strict=True):
            known_case = self._question.cases[i]
            own = [(where, value) for where, value in stated.items() if where in self._places[i]]
            try:
                case = known_case.with_inputs(own, self._engine.reader) if own else unchanged.case
            except TwinError as error:
                found.append(self._nothing(str(error)))
                continue
            before = case.state if before is None else before
            if own:
                found.append(
                    self._figures(changed.evaluate(unchanged, case, before if known_case.is_changed else None))
                )
            else:
                found.append(self._figures(changed.evaluate(unchanged)))
        return tuple(found)

    def _before(self, block: range, stated: Mapping[str, float]) -> State | None:
        """Return the state of the first case, before the plans; None where the block begins with that case."""
        own = [(where, value) for where, value in stated.items() if where in self._places[0]]
        if 0 in block or not own:
            return None if 0 in block else self._question.cases[0].case.state
        with suppress(TwinError):
            return self._question.cases[0].with_inputs(own, self._engine.reader).state
        return None

    def _figures(self, evaluation: Evaluation) -> CaseFigures:
        try:
            evaluation.outcome("step")
            pairs = [_figure(evaluation, name) for name in self._question.figures]
            n_links_up = int(np.count_nonzero(evaluation.health.lit))
        except TwinError as error:
            return self._nothing("; ".join(dict.fromkeys(issue.problem for issue in error.issues)))
        return CaseFigures(tuple(value for value, _ in pairs), tuple(why for _, why in pairs), "", n_links_up)

    def _nothing(self, why: str) -> CaseFigures:
        n = len(self._question.figures)
        return CaseFigures((None,) * n, (why,) * n, why, 0)


def _figure(evaluation: Evaluation, name: str) -> tuple[float | None, str]:
    try:
        value = METRICS[name].compute(evaluation) if name in METRICS else money_figure(evaluation, name)
    except NotApplicableError as reason:
        return None, str(reason)
    return (value, "") if math.isfinite(value) else (None, "grows without bound")
