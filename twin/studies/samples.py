"""Study of samples: rows of values of uncertain inputs, and the answer that their figures give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..answers.headline import headline_metric
from ..answers.metrics import METRICS, metric_unit
from ..arrays import Floats
from ..catalogue.figure_reader import UsedFigure
from ..errors import ChangeError, TwinError, did_you_mean
from ..stages.engine import Engine
from ..stages.evaluation import Evaluation
from .sample_points import unit_points
from .sample_report import PROBABILITIES, Comparison, Interval, SampledPlan, SampleReport, TornadoRow
from .sample_statistics import (
    best_of,
    complete_rows,
    quantile,
    value_of_knowing,
    value_of_perfect_information,
    wins,
)
from .sample_verdict import sample_verdict
from .sampling import CaseFigures, SampledCase, SampleQuestion
from .sweep import default_metric
from .uncertain_inputs import UncertainInput, uncertain_inputs

N_DUMMIES = 8
"""Inputs of the sample that nothing reads, which show what the estimate of worth makes of noise."""
SMALL_SWING_RATIO = 1e-6
"""Inputs that move the metric by less than this share of it are no rows of the tornado."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Values of all inputs: the most likely ones, the samples, and both ends of each input."""

    values: Floats
    """float64[1 + n_samples + 2 n_inputs, n_inputs]; NaN = what the document states."""
    dummies: Floats
    """Probabilities of inputs that nothing reads, float64[n_samples, N_DUMMIES]."""
    n_samples: int

    @property
    def has_ends(self) -> bool:
        """Return whether there are rows of the ends of inputs."""
        return len(self.values) > 1 + self.n_samples

    @property
    def samples(self) -> slice:
        """Rows of the samples."""
        return slice(1, 1 + self.n_samples)

    def ends(self, column: int) -> tuple[int, int]:
        """Return the rows of an input at its low and at its high end."""
        return 1 + self.n_samples + 2 * column, 2 + self.n_samples + 2 * column


def rows_of(inputs: Sequence[UncertainInput], n_samples: int, seed: int, *, with_ends: bool = True) -> Rows:
    """Draw the samples, and add the most likely values and the ends of each input.

    Args:
        inputs: the uncertain inputs.
        n_samples: a power of two.
        seed: seed of the sample.
        with_ends: whether to add the ends.
    """
    points = unit_points(n_samples, len(inputs) + N_DUMMIES, seed)
    nominal = np.array([known.nominal for known in inputs])
    samples = np.empty((n_samples, len(inputs)))
    for column, known in enumerate(inputs):
        samples[:, column] = known.at(np.ascontiguousarray(points[:, column]))
    n_ends = 2 * len(inputs) if with_ends else 0
    ends = np.tile(nominal, (n_ends, 1)).reshape(n_ends, len(inputs))
    for column, known in enumerate(inputs if with_ends else ()):
        ends[2 * column, column], ends[2 * column + 1, column] = known.low, known.high
    return Rows(np.vstack([nominal.reshape(1, -1), samples, ends]), points[:, len(inputs) :], n_samples)


def inputs_of(cases: Sequence[SampledCase], engine: Engine) -> tuple[UncertainInput, ...]:
    """Collect the uncertain inputs of cases: figures with a range that they read, and those of the document."""
    used: set[UsedFigure] = set()
    for row in cases:
        try:
            used.update(engine.used_figures(engine.evaluate(row.case, cases[0].case.state if row.is_changed else None)))
        except TwinError:  # the job cannot run at the most likely values; the others name its figures
            continue
    marked = cases[0].case.document.canonical().uncertain
    return uncertain_inputs(marked, used, cases[0].case, engine.reader)


def decision_metric(metric: str | None, case: SampledCase, engine: Engine) -> str:
    """Return the metric of a decision: the one that was asked for, else that which a verdict is about.

    Raises ChangeError for an unknown metric.
    """
    if metric is None:
        try:
            found = headline_metric(Evaluation(case.case, None, engine))
        except TwinError:
            found = None
        return found or default_metric(case.case.job)
    if not isinstance(metric, str) or metric not in METRICS:
        hint = did_you_mean(metric, METRICS) if isinstance(metric, str) else ""
        raise ChangeError(f"no metric {metric!r}", where="metric", hint=hint or "`twin metrics` lists them")
    return metric


def sample_report(
    question: SampleQuestion,
    rows: Rows,
    found: Sequence[tuple[CaseFigures, ...]],
    *,
    network: str,
    metric: str,
    seed: int,
) -> SampleReport:
    """Build the answer from the figures of all rows.

    Args:
        question: cases, inputs and figures.
        rows: rows of the question.
        found: figures by row, then by case.
        network: name of the network.
        metric: metric of the decision.
        seed: seed of the sample.
    """
    sign = 1.0 if METRICS[metric].better == "higher" else -1.0
    column = question.figures.index(metric)
    table = table_of(found[rows.samples], column)
    plans = tuple(_plans(question, rows, found, best_of(table, sign)))
    complete = table[complete_rows(table)]
    means = complete.mean(axis=0) if len(complete) else np.zeros(len(plans))
    best = plans[int(np.argmax(sign * means))].plan
    case = question.cases[0].case
    report = SampleReport(
        network=network,
        as_of=case.document.as_of.isoformat() if case.document.as_of else None,
        job=case.job.id if case.job else None,
        summary=(),
        n_samples=rows.n_samples,
        years=question.cases[0].years,
        seed=seed,
        metric=metric,
        unit=metric_unit(metric),
        better=METRICS[metric].better,
        plans=plans,
        comparisons=tuple(_comparisons(question, table, sign)),
        best=best,
        worth_of_all=value_of_perfect_information(complete, sign),
        worth_noise=noise_of(table, rows, sign),
        tornado=tornado_of(question.inputs, rows, table_of(found, column), names_of(question), sign),
        inputs=question.inputs,
    )
    return replace(report, summary=tuple(sample_verdict(report.to_dict())))


def table_of(found: Sequence[tuple[CaseFigures, ...]], column: int) -> Floats:
    """Return one figure as float64[n_rows, n_cases], NaN = no value."""
    cells = [[np.nan if (value := case.values[column]) is None else value for case in row] for row in found]
    return np.array(cells, dtype=np.float64)


def noise_of(table: Floats, rows: Rows, sign: float) -> float:
    """Return the greatest worth that the estimate gives to inputs that nothing reads."""
    is_complete = complete_rows(table)
    return max(
        value_of_knowing(table[is_complete], np.ascontiguousarray(rows.dummies[is_complete, i]), sign)
        for i in range(N_DUMMIES)
    )


def _plans(
    question: SampleQuestion, rows: Rows, found: Sequence[tuple[CaseFigures, ...]], best: Floats
) -> Iterator[SampledPlan]:
    samples = found[rows.samples]
    for i, case in enumerate(question.cases):
        own, nominal = [row[i] for row in samples], found[0][i]
        infeasible = Counter(row.infeasible for row in own if row.infeasible)
        yield SampledPlan(
            plan=case.name if case.is_changed else None,
            best_ratio=float(best[i]),
            n_infeasible=sum(infeasible.values()),
            infeasible=_by_count(infeasible),
            n_with_links_down=sum(not row.infeasible and row.n_links_up < nominal.n_links_up for row in own),
            metrics={
                name: _interval(name, column, nominal, own, [row[0] for row in samples] if i else None)
                for column, name in enumerate(question.figures)
            },
        )


def _interval(
    name: str, column: int, nominal: CaseFigures, own: Sequence[CaseFigures], base: Sequence[CaseFigures] | None
) -> Interval:
    values = [value for row in own if (value := row.values[column]) is not None]
    quantiles = [quantile(values, ratio) if values else None for ratio in PROBABILITIES]
    beats = None
    if base is not None and values:
        sign = 1.0 if METRICS[name].better == "higher" else -1.0
        n_better, _, n = wins(table_of([(row,) for row in own], column)[:, 0],
                              table_of([(row,) for row in base], column)[:, 0], sign)  # fmt: skip
        beats = n_better / n
    return Interval(
        at_value=nominal.values[column],
        p10=quantiles[0],
        p50=quantiles[1],
        p90=quantiles[2],
        unit=metric_unit(name),
        n_null=len(own) - len(values),
        why=_by_count(Counter(row.why[column] for row in own if row.values[column] is None)),
        beats_ratio=beats,
    )


def _by_count(reasons: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))


def _comparisons(question: SampleQuestion, table: Floats, sign: float) -> Iterator[Comparison]:
    names = names_of(question)
    for i, plan in enumerate(names):
        for j, than in enumerate(names):
            if i == j:
                continue
            n_better, n_equal, n = wins(table[:, i], table[:, j], sign)
            yield Comparison(plan, than, n_better / n if n else None, n_equal / n if n else None, n)


def tornado_of(
    inputs: Sequence[UncertainInput], rows: Rows, table: Floats, names: Sequence[str | None], sign: float
) -> tuple[TornadoRow, ...]:
    """Return what each input moves, alone: inputs that move the decision most first.

    Args:
        inputs: the uncertain inputs.
        rows: their values.
        table: figure of the decision, float64[n_rows, n_plans], NaN = no value.
        names: name of each plan.
        sign: 1 where more is better, -1 where less is.
    """
    if not rows.has_ends:
        return ()
    samples = table[rows.samples]
    is_complete, noise = complete_rows(samples), noise_of(samples, rows, sign)
    sampled = rows.values[rows.samples]
    out = []
    for i, known in enumerate(inputs):
        low, high = rows.ends(i)
        worth = value_of_knowing(samples[is_complete], np.ascontiguousarray(sampled[is_complete, i]), sign)
        row = _tornado_row(known, table[0], table[[low, high]], names, sign, worth)
        if row is not None:
            out.append(row)

    def importance(row: TornadoRow) -> tuple[float, float, str]:
        moved = row.swing if row.lead_swing is None else row.lead_swing
        return -(row.worth if row.worth > noise else 0.0), -(np.inf if moved is None else moved), row.where

    return tuple(sorted(out, key=importance))


def _tornado_row(
    known: UncertainInput, nominal: Floats, ends: Floats, names: Sequence[str | None], sign: float, worth: float
) -> TornadoRow | None:
    """Row of an input; None where it moves nothing.

    nominal: metric of each plan at the most likely values.
    ends: the same at both ends of the input, float64[2, n_plans].
    """
    order = np.argsort(np.where(np.isnan(nominal), np.inf, -sign * nominal), kind="stable")
    best = int(order[0])
    scale = float(np.nanmax(np.abs(nominal))) if not np.isnan(nominal).all() else 0.0
    moved = np.abs(ends[1] - ends[0])
    if not np.isnan(moved).any() and float(moved.max()) <= SMALL_SWING_RATIO * scale:
        return None
    lead = ends[:, best] - ends[:, int(order[1])] if len(names) > 1 else np.array([np.nan, np.nan])
    at_low, at_high = _best_name(ends[0], names, sign), _best_name(ends[1], names, sign)
    return TornadoRow(
        where=known.where,
        label=known.label,
        low=known.low,
        high=known.high,
        at_low=_nulls(ends[0]),
        at_high=_nulls(ends[1]),
        swing=_nulls(moved)[best],
        lead_swing=_nulls(np.abs(lead[1:] - lead[:1]))[0],
        best_at_low=at_low,
        best_at_high=at_high,
        flips=at_low != names[best] or at_high != names[best],
        worth=worth,
        settled_by=known.settled_by,
    )


def names_of(question: SampleQuestion) -> list[str | None]:
    """Return the name of each plan; None for the network as it is."""
    return [case.name if case.is_changed else None for case in question.cases]


def _best_name(values: Floats, names: Sequence[str | None], sign: float) -> str | None:
    """Name of the best plan; the first of equal ones."""
    return names[int(np.argmax(np.where(np.isnan(values), -np.inf, sign * values)))]


def _nulls(values: Floats) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(value) else float(value) for value in values)
