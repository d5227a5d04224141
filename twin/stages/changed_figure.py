"""Evaluations with one figure changed: only the stages that the figure reaches run again."""

from __future__ import annotations

from typing import Any

from ..catalogue.figure_reader import UsedFigure
from .cache import Outcome, same
from .engine import Engine, compute_outcome, need_of
from .evaluation import Case, Evaluation


class ChangedFigure:
    """Evaluates a case as if one figure of the catalogue or the price book had another value.

    A stage runs again if it read the figure, or if an outcome that it needs is another one. All other outcomes are
    those of the evaluation without the change. One thread at a time.
    """

    def __init__(self, engine: Engine, figure: UsedFigure, value: float) -> None:
        self._engine, self._figure, self._value = engine, figure, value
        self._key = figure.where, figure.name
        self._unchanged: dict[int, Evaluation] = {}

    def evaluate(self, unchanged: Evaluation) -> Evaluation:
        """Return the evaluation with the changed figure; its outcomes are computed when they are read."""
        evaluation = Evaluation(unchanged.case, unchanged.before, self)
        self._unchanged[id(evaluation)] = unchanged
        return evaluation

    def outcome(self, evaluation: Evaluation, name: str) -> Outcome:
        """Return the outcome of a stage."""
        known = evaluation.outcomes.get(name)
        if known is None:
            known = evaluation.outcomes[name] = self._run(evaluation, name)
        return known

    def rerun(self, evaluation: Evaluation, case: Case) -> Evaluation:
        """Return an evaluation of the same network with another job."""
        return self.evaluate(self._engine.rerun(self._unchanged[id(evaluation)], case))

    def used_figures(self, evaluation: Evaluation) -> tuple[UsedFigure, ...]:
        """Return the figures that the evaluation without the change read."""
        return self._engine.used_figures(self._unchanged[id(evaluation)])

    def _run(self, evaluation: Evaluation, name: str) -> Outcome:
        unchanged, stage = self._unchanged[id(evaluation)], self._engine.stage(name)
        known = self._engine.outcome(unchanged, name)
        needs = {need: need_of(need, lambda stage: self.outcome(evaluation, stage).value) for need in stage.needs}
        if not self._reads(known) and all(same(value, self._need(unchanged, need)) for need, value in needs.items()):
            return known
        reader = self._engine.reader_of(name).with_figure(self._figure, self._value)
        return compute_outcome(evaluation, stage, needs, reader)

    def _need(self, unchanged: Evaluation, need: str) -> Any:
        return need_of(need, lambda stage: self._engine.outcome(unchanged, stage).value)

    def _reads(self, outcome: Outcome) -> bool:
        return any((used.where, used.name) == self._key for used in outcome.used_figures)
