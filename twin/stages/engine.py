"""The engine: runs a stage when its outcome is read, and reuses outcomes whose declared inputs are the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from threading import RLock
from typing import Any

from ..arrays import State
from ..catalogue import Catalogue, PriceBook
from ..catalogue.figure_reader import FigureReader, UsedFigure
from ..catalogue.views import view_of_figures
from ..deadline import check
from ..model.jobs import Placement, TrainingJob, with_placement
from .allocator import keep_freed_memory
from .cache import N_CACHED, OneOutcome, Outcome, StageCache, freeze_arrays
from .evaluation import Case, Evaluation
from .stage import Inputs, Stage
from .table import STAGES

NO_JOB = object()
"""Replaces each field of a job if there is none; it equals no value of a field."""


class Engine:
    """Evaluates cases of one catalogue and price book, and shares outcomes with the same inputs between them.

    One thread computes at a time; threads that must not wait for each other need separate engines.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        prices: PriceBook,
        stages: Mapping[str, Stage] = STAGES,
        n_cached: int = N_CACHED,
    ) -> None:
        keep_freed_memory()
        self.reader = FigureReader(catalogue, prices)
        self.lock = RLock()
        self._stages = stages
        self._cache = StageCache(n_cached)
        self._readers = {
            name: FigureReader(*view_of_figures(catalogue, prices, frozenset(stage.catalogue)))
            for name, stage in stages.items()
        }
        self._rerun_inputs = {
            name: _merged_inputs(stages, stage.reruns) for name, stage in stages.items() if stage.reruns
        }
        self._sorted_figures: tuple[tuple[tuple[UsedFigure, ...], ...], tuple[UsedFigure, ...]] = ((), ())

    def evaluate(self, case: Case, before: State | None = None) -> Evaluation:
        """Evaluate a case: its step at once, other outcomes when they are read.

        Args:
            case: case to evaluate.
            before: the state before the changes, so that only additional parts are paid for.

        Returns:
            The evaluation.

        Raises:
            TopologyError: the job cannot be placed, or cannot run with its parallelism. Traffic without a path is a
                result, not an error.
        """
        evaluation = Evaluation(case, before, self)
        evaluation.outcome("step")
        return evaluation

    def outcome(self, evaluation: Evaluation, name: str) -> Outcome:
        """Return the outcome of a stage; the lock is taken first, so that threads cannot deadlock."""
        with self.lock:
            known = evaluation.outcomes.get(name)
            if known is None:
                known = evaluation.outcomes[name] = self._run(evaluation, self._stages[name])
            return known

    def branch(self, evaluation: Evaluation) -> Engine:
        """Return an engine for many cases that differ in little from one.

        It reuses the outcomes of that case which are known by now, and keeps no others: to look for them takes longer.
        """
        out = copy(self)
        out._cache = OneOutcome()
        with self.lock:
            for name, outcome in evaluation.outcomes.items():
                stage = self._stages[name]
                needs = {need: self._need(evaluation, need) for need in stage.needs}
                out._cache.put(name, self._key(evaluation, stage, needs), outcome)
        return out

    def rerun(self, _: Evaluation, case: Case) -> Evaluation:
        """Return an evaluation of the same network with another job."""
        return Evaluation(case, None, self)

    def used_figures(self, evaluation: Evaluation) -> tuple[UsedFigure, ...]:
        """Return the figures that the stages of a score read, each once, sorted by where and name."""
        with self.lock:
            scored = (stage.name for stage in self._stages.values() if stage.in_score)
            figures = tuple(self.outcome(evaluation, name).used_figures for name in scored)
            known, listed = self._sorted_figures
            if len(known) != len(figures) or any(a is not b for a, b in zip(known, figures, strict=True)):
                listed = tuple(sorted(set().union(*figures), key=lambda used: (used.where, used.name)))
                self._sorted_figures = figures, listed
            return listed

    def reader_of(self, stage: str) -> FigureReader:
        """Return the reader of the figures that a stage declares."""
        return self._readers[stage]

    def stage(self, name: str) -> Stage:
        """Return the row of a stage."""
        return self._stages[name]

    def _run(self, evaluation: Evaluation, stage: Stage) -> Outcome:
        needs = {need: self._need(evaluation, need) for need in stage.needs}
        key = self._key(evaluation, stage, needs)
        known = self._cache.get(stage.name, key)
        if known is not None:
            return known
        outcome = compute_outcome(evaluation, stage, needs, self._readers[stage.name].fresh())
        self._cache.put(stage.name, key, outcome)
        return outcome

    def _need(self, evaluation: Evaluation, need: str) -> Any:
        return need_of(need, lambda name: self.outcome(evaluation, name).value)

    def _key(self, evaluation: Evaluation, stage: Stage, needs: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the values of all inputs of a stage, in the order of its row."""
        return (*needs.values(), *self.inputs_of(evaluation, stage))

    def inputs_of(self, evaluation: Evaluation, stage: Stage) -> tuple[Any, ...]:
        """Return the values of the inputs of a stage that are not outcomes of other stages, in the order of its row."""
        case, before = evaluation.case, evaluation.before
        key = (
            *(case.state[name] for name in stage.state),
            *(getattr(case.document, name) for name in stage.document),
            *_job_fields(case.job, stage.job),
            *(None if case.sharing is None else getattr(case.sharing, name) for name in stage.sharing),
            *(None if before is None else before[name] for name in stage.before),
        )
        if stage.by_ageing:
            key = (*key, case.ageing)
        rerun_inputs = self._rerun_inputs.get(stage.name)
        return key if rerun_inputs is None else (*key, *self.inputs_of(evaluation, rerun_inputs))


def need_of(need: str, outcome: Callable[[str], Any]) -> Any:
    """Return the outcome of a stage, or one field of it; None if the outcome is None."""
    name, _, field = need.partition(".")
    value = outcome(name)
    return value if not field or value is None else getattr(value, field)


def compute_outcome(evaluation: Evaluation, stage: Stage, needs: Mapping[str, Any], reader: FigureReader) -> Outcome:
    """Run a stage; the arrays of its outcome become read-only, because questions share them.

    Args:
        evaluation: evaluation that the stage belongs to.
        stage: row of the stage.
        needs: values of the stages that it needs, by name.
        reader: source of figures, without used figures; it becomes part of the outcome.
    """
    check()
    figures: list[tuple[UsedFigure, ...]] = []

    def rerun(name: str, placement: tuple[Placement, ...]) -> Any:
        """Run a stage with another placement of the job, and keep the figures that it read."""
        assert evaluation.case.job is not None
        job = replace(with_placement(evaluation.case.job, placement), on_site_loss="stop")
        rerun_evaluation = evaluation.runner.rerun(evaluation, replace(evaluation.case, job=job))
        value = rerun_evaluation.outcome(name)
        figures.extend(outcome.used_figures for outcome in rerun_evaluation.outcomes.values())
        return value

    value = stage.compute(Inputs(stage, evaluation.case, evaluation.before, reader, needs.__getitem__, rerun))
    freeze_arrays(value)
    used = reader.used_figures()
    if figures:
        used = tuple(sorted({*used, *(figure for group in figures for figure in group)}))
    return Outcome(value, used)


def _job_fields(job: TrainingJob | None, fields: tuple[str, ...]) -> tuple[Any, ...]:
    if job is None:
        return (NO_JOB,) * len(fields)
    return tuple(getattr(job, name) for name in fields)


def _merged_inputs(stages: Mapping[str, Stage], names: tuple[str, ...]) -> Stage:
    """Return one row with the inputs of some stages and of all stages that they need."""
    seen: dict[str, Stage] = {}
    pending = list(names)
    while pending:
        name = pending.pop().partition(".")[0]
        if name not in seen:
            seen[name] = stages[name]
            pending += [*stages[name].needs, *stages[name].reruns]

    def merged(kind: str) -> tuple[str, ...]:
        return tuple(sorted({item for stage in seen.values() for item in getattr(stage, kind)}))

    return Stage(
        "+".join(names),
        compute=lambda _: None,
        state=merged("state"),
        document=merged("document"),
        job=merged("job"),
        sharing=merged("sharing"),
        by_ageing=any(stage.by_ageing for stage in seen.values()),
    )
