"""Evaluations with other figures, or of a case that differs in little: only the stages that this reaches run again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..arrays import State
from ..catalogue.figure_reader import UsedFigure
from ..errors import TwinError
from ..model.jobs import TrainingJob
from .cache import Outcome, StageCache, same, shared_with
from .engine import Engine, compute_outcome, need_of
from .evaluation import Case, Evaluation

Reruns = dict[tuple[int, TrainingJob | None], Evaluation]
"""Evaluations without the change for other placements, by the evaluation that they belong to, and their job."""


class ChangedInputs:
    """Evaluates cases as if figures of the catalogue or the price book had other values.

    A stage runs again if it read one of the figures, or if another of its inputs is not the one without the change.
    All other outcomes are those of the evaluation without the change. One thread at a time.
    """

    def __init__(self, engine: Engine, values: Mapping[UsedFigure, float], reruns: Reruns | None = None) -> None:
        """Prepare other values of figures.

        Args:
            engine: engine of the evaluations without the change.
            values: value by figure, in the unit of its name.
            reruns: known evaluations for other placements, which this adds to; for many changes of one evaluation.
        """
        self._engine = engine
        self._figures = {(figure.where, figure.name): figure.at(value) for figure, value in values.items()}
        self._reruns: Reruns = {} if reruns is None else reruns
        self._unchanged: dict[int, Evaluation] = {}
        self._cache = StageCache()

    def evaluate(self, unchanged: Evaluation, case: Case | None = None, before: State | None = None) -> Evaluation:
        """Return the evaluation with the other values; its outcomes are computed when they are read.

        Args:
            unchanged: evaluation without the change.
            case: a case of the same nodes and links that differs in little; None = the same case, and its `before`.
            before: state of the case before the changes of a plan.
        """
        if case is None:
            case, before = unchanged.case, unchanged.before
        evaluation = Evaluation(case, before, self)
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
        unchanged = self._unchanged[id(evaluation)]
        key = id(unchanged), case.job
        if key not in self._reruns:
            same_case = unchanged.case is evaluation.case
            job_case = case if same_case else Case(unchanged.case.state, unchanged.case.document, case.job, case.ageing)
            self._reruns[key] = self._engine.rerun(unchanged, job_case)
        return self.evaluate(self._reruns[key], case)

    def used_figures(self, evaluation: Evaluation) -> tuple[UsedFigure, ...]:
        """Return the figures that the evaluation without the change read."""
        return self._engine.used_figures(self._unchanged[id(evaluation)])

    def _run(self, evaluation: Evaluation, name: str) -> Outcome:
        unchanged, stage = self._unchanged[id(evaluation)], self._engine.stage(name)
        known = self._known_outcome(unchanged, name)
        is_same_case = evaluation.case is unchanged.case and evaluation.before is unchanged.before
        if (
            known is not None
            and is_same_case
            and self._figures.keys().isdisjoint(self._figures_behind(unchanged, name))
        ):
            return known
        needs = {need: need_of(need, lambda stage: self.outcome(evaluation, stage).value) for need in stage.needs}
        inputs = self._engine.inputs_of(evaluation, stage)
        if known is not None and not self._reads(known):
            is_known = all(same(value, self._need(unchanged, need)) for need, value in needs.items())
            if is_known and not is_same_case:
                is_known = all(map(same, self._engine.inputs_of(unchanged, stage), inputs))
            if is_known:
                return known
        key = (*needs.values(), *inputs)
        shared = self._cache.get(name, key)
        if shared is None:
            reader = self._engine.reader_of(name).with_figures(self._figures)
            shared = compute_outcome(evaluation, stage, needs, reader)
            if known is not None:
                shared = Outcome(shared_with(known.value, shared.value), shared.used_figures)
            self._cache.put(name, key, shared)
        return shared

    def _known_outcome(self, unchanged: Evaluation, name: str) -> Outcome | None:
        """Return the outcome of a stage without the change; None where that cannot run, as with the change it may."""
        try:
            return self._engine.outcome(unchanged, name)
        except TwinError:
            return None

    def _figures_behind(self, unchanged: Evaluation, name: str) -> frozenset[tuple[str, str]]:
        """Return where and name of the figures that a stage that can run, and all stages that it needs, read."""
        found = unchanged.figures_behind.get(name)
        if found is None:
            own = {(used.where, used.name) for used in self._engine.outcome(unchanged, name).used_figures}
            needed = {need.partition(".")[0] for need in self._engine.stage(name).needs}
            found = frozenset(own).union(*(self._figures_behind(unchanged, each) for each in needed))
            unchanged.figures_behind[name] = found
        return found

    def _need(self, unchanged: Evaluation, need: str) -> Any:
        return need_of(need, lambda stage: self._engine.outcome(unchanged, stage).value)

    def _reads(self, outcome: Outcome) -> bool:
        return any((used.where, used.name) in self._figures for used in outcome.used_figures)
