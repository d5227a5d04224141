"""The engine: runs a stage when something reads its outcome, and keeps what the declared inputs leave the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import RLock
from typing import Any

from ..arrays import State
from ..catalogue import Catalogue, PriceBook
from ..catalogue.figure_reader import FigureReader, UsedFigure
from ..catalogue.views import view_of_figures
from ..model.jobs import Placement, TrainingJob, with_placement
from .cache import Outcome, StageCache
from .evaluation import Case, Evaluation
from .stage import Inputs, Stage
from .table import STAGES

NO_JOB = object()
"""Stands for every field of a job where there is none: equal to no value of a field."""


class Engine:
    """Evaluates cases of one catalogue and price book, and shares between them what their inputs leave the same.

    One thread at a time computes; threads that should not wait for each other take engines of their own.
    """

    def __init__(self, catalogue: Catalogue, prices: PriceBook, stages: Mapping[str, Stage] = STAGES) -> None:
        self.reader = FigureReader(catalogue, prices)
        self.lock = RLock()
        self._stages = stages
        self._cache = StageCache()
        self._readers = {
            name: FigureReader(*view_of_figures(catalogue, prices, frozenset(stage.catalogue)))
            for name, stage in stages.items()
        }
        self._rerun_inputs = {name: _closure(stages, stage.reruns) for name, stage in stages.items() if stage.reruns}
        self._in_order: tuple[tuple[tuple[UsedFigure, ...], ...], tuple[UsedFigure, ...]] = ((), ())

    def evaluate(self, case: Case, before: State | None = None) -> Evaluation:
        """A case, its step worked out and the rest when it is read.

        Args:
            case: what is asked.
            before: the state that stood there already, so that a change pays only for what it adds.

        Returns:
            The evaluation.

        Raises:
            TopologyError: the job cannot be placed, or cannot run as it is cut. Traffic without a path is a result.
        """
        evaluation = Evaluation(case, before, self)
        evaluation.outcome("step")
        return evaluation

    def outcome(self, evaluation: Evaluation, name: str) -> Outcome:
        """The outcome of a stage of an evaluation; the lock comes first, so that no two threads wait for each other."""
        with self.lock:
            known = evaluation.outcomes.get(name)
            if known is None:
                known = evaluation.outcomes[name] = self._run(evaluation, self._stages[name])
            return known

    def used_figures(self, evaluation: Evaluation) -> tuple[UsedFigure, ...]:
        """Figures that the stages of a score read, each once, sorted by where and name."""
        with self.lock:
            scored = (stage.name for stage in self._stages.values() if stage.in_score)
            figures = tuple(self.outcome(evaluation, name).used_figures for name in scored)
            known, listed = self._in_order
            if len(known) != len(figures) or any(a is not b for a, b in zip(known, figures, strict=True)):
                listed = tuple(sorted(set().union(*figures), key=lambda used: (used.where, used.name)))
                self._in_order = figures, listed
            return listed

    def _run(self, evaluation: Evaluation, stage: Stage) -> Outcome:
        needs = {need: self._need(evaluation, need) for need in stage.needs}
        key = self._key(evaluation, stage, needs)
        known = self._cache.get(stage.name, key)
        if known is not None:
            return known
        reader = self._readers[stage.name].fresh()
        figures: list[tuple[UsedFigure, ...]] = []
        inputs = Inputs(
            stage, evaluation.case, evaluation.before, reader, needs.__getitem__, self._rerunner(evaluation, figures)
        )
        value = stage.compute(inputs)
        used = reader.used_figures()
        outcome = Outcome(
            value, used if not figures else tuple(sorted({*used, *(f for each in figures for f in each)}))
        )
        self._cache.put(stage.name, key, outcome)
        return outcome

    def _need(self, evaluation: Evaluation, need: str) -> Any:
        """A need's value: the outcome of a stage, or one field of it (None where there is no outcome)."""
        name, _, field = need.partition(".")
        value = self.outcome(evaluation, name).value
        return value if not field or value is None else getattr(value, field)

    def _key(self, evaluation: Evaluation, stage: Stage, needs: Mapping[str, Any]) -> tuple[Any, ...]:
        """The values of all inputs that the row names, in its order."""
        case, before = evaluation.case, evaluation.before
        key = (
            *needs.values(),
            *(case.state[name] for name in stage.state),
            *(getattr(case.document, name) for name in stage.document),
            *_of_job(case.job, stage.job),
            *(None if before is None else before[name] for name in stage.before),
        )
        if stage.by_ageing:
            key = (*key, case.ageing)
        again = self._rerun_inputs.get(stage.name)
        return key if again is None else (*key, *self._key(evaluation, again, {}))

    def _rerunner(
        self, evaluation: Evaluation, figures: list[tuple[UsedFigure, ...]]
    ) -> Callable[[str, tuple[Placement, ...]], Any]:
        """Runs a stage with the job on fewer places; figures that this reads join the list."""

        def rerun(name: str, placement: tuple[Placement, ...]) -> Any:
            assert evaluation.case.job is not None
            job = replace(with_placement(evaluation.case.job, placement), on_site_loss="stop")
            other = Evaluation(replace(evaluation.case, job=job), None, self)
            value = other.outcome(name)
            figures.extend(outcome.used_figures for outcome in other.outcomes.values())
            return value

        return rerun


def _of_job(job: TrainingJob | None, fields: tuple[str, ...]) -> tuple[Any, ...]:
    if job is None:
        return (NO_JOB,) * len(fields)
    return tuple(getattr(job, name) for name in fields)


def _closure(stages: Mapping[str, Stage], names: tuple[str, ...]) -> Stage:
    """One row with the inputs of some stages and of all stages behind them."""
    seen: dict[str, Stage] = {}
    left = list(names)
    while left:
        name = left.pop().partition(".")[0]
        if name not in seen:
            seen[name] = stages[name]
            left += [*stages[name].needs, *stages[name].reruns]

    def joined(kind: str) -> tuple[str, ...]:
        return tuple(sorted({each for stage in seen.values() for each in getattr(stage, kind)}))

    return Stage(
        "+".join(names),
        compute=lambda _: None,
        state=joined("state"),
        document=joined("document"),
        job=joined("job"),
        by_ageing=any(stage.by_ageing for stage in seen.values()),
    )
