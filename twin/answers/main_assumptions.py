"""Main assumptions: the figures whose ranges move an answer most, and what would narrow them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..catalogue.figure_reader import PLACEHOLDER, UsedFigure
from ..catalogue.measurable import measurable
from ..errors import TopologyError
from ..stages.changed_inputs import ChangedInputs
from ..stages.engine import Engine
from ..stages.evaluation import Evaluation
from ..units import unit_of
from .headline import headline_metric, metric_or_none

N_MAIN = 3
"""Number of main assumptions of an answer."""
LEAST_MOVE_RATIO = 0.001
"""Figures that move an answer by less than this share of it are not named."""


@dataclass(frozen=True, slots=True)
class MainAssumption:
    """A figure whose range moves the answer, and what would narrow the range.

    `at_low` and `at_high` are the metric `moves` with the figure at the ends of its range. In a comparison they are
    the change of the metric: as a share of the value before for goodput, as a difference for ratios and dB. Null means
    that the job cannot run, or that the metric does not apply.
    """

    where: str
    name: str
    label: str
    value: float
    low: float
    high: float
    moves: str
    at_value: float
    at_low: float | None
    at_high: float | None
    settled_by: str

    @property
    def span(self) -> float:
        """Distance between the largest and the smallest result; infinite where one end has none."""
        if self.at_low is None or self.at_high is None:
            return float("inf")
        return max(self.at_value, self.at_low, self.at_high) - min(self.at_value, self.at_low, self.at_high)


def assumptions_of(used_figures: Iterable[UsedFigure]) -> tuple[UsedFigure, ...]:
    """Return the figures that are estimates, and the placeholder prices that no user has replaced."""
    return tuple(used for used in used_figures if used.status in ("estimate", PLACEHOLDER))


def find_main_assumptions(
    engine: Engine, after: Evaluation, before: Evaluation | None = None
) -> tuple[MainAssumption, ...]:
    """Find the figures that move an answer most: each is set to both ends of its range, one at a time.

    Args:
        engine: engine of the evaluations.
        after: evaluation of the answer.
        before: evaluation without the change; then figures count by how they move the change of the metric.

    Returns:
        At most N_MAIN figures, the one with the largest effect first.
    """
    name = headline_metric(after)
    if name is None or (before is not None and headline_metric(before) != name):
        return ()

    def result(changed: Callable[[Evaluation], Evaluation]) -> float | None:
        value = _value(changed(after), name)
        if before is None or value is None:
            return value
        reference = _value(changed(before), name)
        return None if reference is None else _change(name, reference, value)

    at_value = result(lambda evaluation: evaluation)
    if at_value is None:
        return ()
    used = {*after.used_figures, *(before.used_figures if before is not None else ())}
    rows = []
    for figure in sorted(assumptions_of(used)):
        at_low, at_high = (
            at_value if end == figure.value else result(ChangedInputs(engine, {figure: end}).evaluate)
            for end in (figure.low, figure.high)
        )
        label, settled_by = measurable(figure)
        rows.append(
            MainAssumption(
                where=figure.where,
                name=figure.name,
                label=label,
                value=figure.value,
                low=figure.low,
                high=figure.high,
                moves=name,
                at_value=at_value,
                at_low=at_low,
                at_high=at_high,
                settled_by=settled_by,
            )
        )
    # changes are shares or differences of shares and dB, so an unchanged answer does not make every effect large
    scale = abs(at_value) if before is None else 1.0
    rows = [row for row in rows if row.span > LEAST_MOVE_RATIO * scale]
    rows.sort(key=lambda row: (-row.span, row.where, row.name))
    return tuple(rows[:N_MAIN])


def _is_relative(metric: str) -> bool:
    """Tell whether the change of a metric is a share of its value before."""
    return unit_of(metric) == "tokens/s"


def _change(metric: str, before: float, after: float) -> float | None:
    if not _is_relative(metric):
        return after - before
    return after / before - 1.0 if before else None


def _value(evaluation: Evaluation, metric: str) -> float | None:
    try:
        return metric_or_none(evaluation, metric)
    except TopologyError:  # the job does not fit with this figure
        return None
