"""Rates of the failures of a study, their repair times, and what they lose."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..arrays import Ints
from ..catalogue.figure_reader import FigureReader, UsedFigure
from ..failures.kinds import Kind
from ..failures.pairs import PairFailures
from ..reliability.component_rates import (
    NO_RATE_OF_SITE,
    ComponentRates,
    link_rates,
    member_rates,
    node_rates,
    risk_rates,
)
from ..reliability.rates import HOURS_PER_YEAR, Rate, both_down
from ..stages.evaluation import Evaluation
from .failure_kinds import FailureSet

SECONDS_PER_YEAR = 3600.0 * HOURS_PER_YEAR


class RowRate(NamedTuple):
    """One failure: how often, how long, and the demand that it loses; null where nothing states it."""

    n_failures_per_year: float | None
    repair_h: float | None
    lost_gbit_per_year: float | None
    why_no_rate: str | None


class FailureRates(NamedTuple):
    """Rates of the failures of a study, and the figures behind them."""

    rates: ComponentRates
    figures: tuple[UsedFigure, ...]

    def of(self, kind: Kind) -> FailureRates:
        """Return the rates of failures that consist of these: of the same ones, or of pairs of independent ones."""
        if not isinstance(kind, PairFailures):
            return self
        n_per_h, repair_h = self.rates.n_per_year / HOURS_PER_YEAR, self.rates.repair_h
        pair = both_down(*(Rate(n_per_h[side], repair_h[side]) for side in (kind.first, kind.second)))
        why = {
            i: self.rates.why[side]
            for i, sides in enumerate(zip(kind.first.tolist(), kind.second.tolist(), strict=True))
            for side in reversed(sides)
            if side in self.rates.why
        }
        pair_repair_h = np.where(np.isnan(pair.n_per_h), np.nan, pair.repair_h)
        return FailureRates(ComponentRates(pair.n_per_h * HOURS_PER_YEAR, pair_repair_h, why), self.figures)

    def row(self, failure: int, newly_lost_gbps: float) -> RowRate:
        """Return the rate of one failure.

        Args:
            failure: its number.
            newly_lost_gbps: demand that loses its path by it.
        """
        n_per_year, repair_h = float(self.rates.n_per_year[failure]), float(self.rates.repair_h[failure])
        down_ratio = n_per_year * repair_h / (HOURS_PER_YEAR + n_per_year * repair_h)
        lost_gbit = 0.0 if newly_lost_gbps == 0.0 else newly_lost_gbps * down_ratio * SECONDS_PER_YEAR
        why = self.rates.why.get(failure)
        return RowRate(_known(n_per_year), _known(repair_h), _known(lost_gbit), why)

    def n_per_year(self, failure: int) -> float | None:
        """Return how often a year a failure happens; None for no failure, or where nothing states it."""
        return None if failure < 0 else _known(float(self.rates.n_per_year[failure]))


def rates_of_failures(e: Evaluation, of: str, found: FailureSet, links: Ints, reader: FigureReader) -> FailureRates:
    """Compute how often a year each failure happens.

    Args:
        e: evaluation of the network; its ageing case is that of the rates.
        of: kind of the failures, a key of `RATES`.
        found: the failures.
        links: rows of the links of the study.
        reader: source of figures.
    """
    reader = reader.fresh()
    rates = RATES[of](e, found, links, reader)
    return FailureRates(rates, reader.used_figures())


def _links(e: Evaluation, _: FailureSet, links: Ints, reader: FigureReader) -> ComponentRates:
    return link_rates(e.case.state, reader, links, e.case.ageing)


def _members(e: Evaluation, _: FailureSet, links: Ints, reader: FigureReader) -> ComponentRates:
    return member_rates(e.case.state, reader, links, e.case.ageing)


def _nodes(e: Evaluation, found: FailureSet, _: Ints, reader: FigureReader) -> ComponentRates:
    index = e.case.state.arrays.node_index
    return node_rates(e.case.state, reader, np.array([index[name] for name in found.ids]), e.case.ageing)


def _shared_risks(e: Evaluation, found: FailureSet, links: Ints, reader: FigureReader) -> ComponentRates:
    state = e.case.state
    routed = np.zeros(state.n_links, np.bool_)
    routed[links] = True
    codes = [state.srlgs.index(name) for name in found.ids]
    groups = [np.unique(state["srlg_link"][state["srlg_code"] == code]) for code in codes]
    return risk_rates(state, reader, [rows[routed[rows]] for rows in groups], codes, e.case.ageing)


def _sites(_: Evaluation, found: FailureSet, __: Ints, ___: FigureReader) -> ComponentRates:
    return ComponentRates.unknown(len(found.ids), NO_RATE_OF_SITE)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


RATES: dict[str, Callable[[Evaluation, FailureSet, Ints, FigureReader], ComponentRates]] = {
    "link": _links,
    "member": _members,
    "node": _nodes,
    "srlg": _shared_risks,
    "site": _sites,
}
"""Rates of the failures of each kind; the keys are those of `failure_kinds.KINDS`."""
