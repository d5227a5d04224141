"""Residuals: measured values beside the model of the same quantity on the measured day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

import numpy as np

from ..catalogue.figure_reader import FigureReader
from ..model.measurements import (
    READINGS,
    Measurement,
    Quantity,
    all_measurements,
    measurement_key,
)
from ..model.records import Link
from ..stages.evaluation import Evaluation
from ..units import DAYS_PER_YEAR
from .metric import NotApplicableError
from .modelled_quantities import ModelOfDay, modelled, without_measurements

MAX_DAYS = 100
"""Days of readings of one link that are compared with the model, the latest ones."""
MAX_READINGS = 1000
"""Readings in the report of one link, the latest ones."""
DECIBELS = frozenset({"dB", "dBm"})
NO_DAY = date.min
"""Day of a measured loss in a network without dates."""
RELATIVE = frozenset({"dispersion", "interface_rate", "latency"})
"""Quantities whose residual is also given as a share of the model."""


@dataclass(frozen=True, slots=True)
class ResidualRow:
    """A reading, the model of the same quantity on its day, and measured minus model.

    The model is the twin's own figure: it uses no measurement, also where the link budget believes the reading.
    """

    link: str
    span: int | None
    lane: int | None
    direction: str | None
    """Sending and receiving node, as in a table of links; null = not stated."""
    quantity: Quantity
    at: date | None
    """Day of the reading and of the model; null = that of a network without dates."""
    unit: str
    measured: float
    model: float | None
    residual: float | None
    """Measured minus model."""
    basis: str | None
    """Figure that the model gives; null without a model."""
    why: str | None
    """Reason why there is no model; null where there is one."""
    in_budget: bool
    """True if the link budget uses this reading in place of the model."""

    @property
    def relative_ratio(self) -> float | None:
        """Residual over the model; null for quantities in decibels, and where the model is 0."""
        if self.quantity not in RELATIVE or self.residual is None or not self.model:
            return None
        return self.residual / abs(self.model)


class MeasuredNetwork:
    """The readings of a network, and the evaluation of the network that they were taken on: without any changes."""

    def __init__(self, e: Evaluation, reader: FigureReader, links: Sequence[Link]) -> None:
        """Collect the readings by link.

        Args:
            e: evaluation of the unchanged network.
            reader: source of figures.
            links: records of the network.
        """
        self._e, self._reader = e, reader.fresh()
        self._links = {link.id: link for link in links}
        self._by_link: dict[str, list[Measurement]] = {}
        self._as_of = e.case.document.as_of or NO_DAY
        for m in all_measurements(e.case.document.measurements, links, self._as_of):
            self._by_link.setdefault(m.of.link, []).append(m)

    def of_link(self, link: str) -> tuple[ResidualRow, ...]:
        """Return the residuals of all readings of a link, at most MAX_READINGS of the latest, in order of the place."""
        readings = sorted(self._by_link.get(link, ()), key=lambda m: (m.at, measurement_key(m)), reverse=True)
        return self._residuals(readings[:MAX_READINGS])

    def latest(self, links: Iterable[str]) -> Mapping[str, tuple[ResidualRow, ...]]:
        """Return the residuals of the latest reading of each thing, by link; links without readings are left out."""
        found: list[Measurement] = []
        for link in links:
            latest: dict[object, Measurement] = {}
            for m in sorted(self._by_link.get(link, ()), key=lambda m: (m.at, measurement_key(m))):
                latest[m.of, m.quantity, m.direction] = m
            found += latest.values()
        residuals = self._residuals(found)
        return {link: tuple(rows) for link, rows in groupby(residuals, key=lambda row: row.link)}

    def _residuals(self, readings: Sequence[Measurement]) -> tuple[ResidualRow, ...]:
        """Return residuals in order of link, place, quantity, direction and day, the latest first."""
        days_by_link: dict[str, set[date]] = {}
        for m in readings:
            days_by_link.setdefault(m.of.link, set()).add(m.at)
        # each round has one day of each link, so that most networks need a single evaluation of the budgets
        rounds = {link: sorted(days, reverse=True)[:MAX_DAYS] for link, days in days_by_link.items()}
        by_day: dict[tuple[str, date], ModelOfDay] = {}
        for i in range(max(map(len, rounds.values()), default=0)):
            chosen = {link: days[i] for link, days in sorted(rounds.items()) if i < len(days)}
            day = self._model(chosen)
            by_day |= dict.fromkeys(chosen.items(), day)
        # a sort keeps the order of equal keys
        latest_first = sorted(readings, key=lambda m: m.at, reverse=True)
        ordered = sorted(
            latest_first, key=lambda m: (*measurement_key(m)[:4], -1 if (s := self._side(m)) is None else s)
        )
        return tuple(self._residual(m, by_day.get((m.of.link, m.at))) for m in ordered)

    def _model(self, day_by_link: Mapping[str, date]) -> ModelOfDay:
        as_of, index = self._as_of, self._e.case.state.arrays.link_index
        return ModelOfDay(
            self._e,
            without_measurements(self._e.case.state),
            self._reader,
            np.array([index[link] for link in day_by_link], dtype=np.int64),
            np.array([(day - as_of).days / DAYS_PER_YEAR for day in day_by_link.values()]),
        )

    def _residual(self, m: Measurement, day: ModelOfDay | None) -> ResidualRow:
        model, residual, basis, why = None, None, None, None
        try:
            if day is None:
                raise NotApplicableError(f"only the latest {MAX_DAYS} days of a link are compared")
            found = modelled(day, self._e.case.state.arrays.link_index[m.of.link], m, self._side(m))
            model, basis, residual = found.value, found.basis, m.value - found.value
        except NotApplicableError as error:
            why = str(error)
        unit, place = READINGS[m.quantity].unit, (m.of.link, m.of.span, m.of.lane, self._direction(m))
        at = None if m.at == NO_DAY else m.at
        return ResidualRow(*place, m.quantity, at, unit, m.value, model, residual, basis, why, m.is_used)

    def _side(self, m: Measurement) -> int | None:
        """Return the arc of a direction; the first arc leaves the end with the smaller id."""
        if m.direction is None:
            return None
        ends = self._links[m.of.link].ends
        return int((m.direction == "a_to_b") != (ends[0] < ends[1]))

    def _direction(self, m: Measurement) -> str | None:
        if m.direction is None:
            return None
        ends = self._links[m.of.link].ends
        return arc_name(*(ends if m.direction == "a_to_b" else ends[::-1]))


def arc_name(tail: str, head: str) -> str:
    """Return the name of a direction of a link in answers."""
    return f"{tail} → {head}"


def worst_of_direction(residuals: Sequence[ResidualRow], direction: str) -> tuple[float | None, float | None]:
    """Return the largest residuals, by size, of readings of one direction or of both; None without any.

    Returns:
        In decibels, and as a share of the model.
    """
    rows = [row for row in residuals if row.direction in (None, direction)]
    return (
        _largest(row.residual for row in rows if row.unit in DECIBELS),
        _largest(row.relative_ratio for row in rows),
    )


def _largest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), key=lambda value: (abs(value), value), default=None)
