"""Projection: margin, rate and utilisation of links at any time of one ageing case, and the days of their events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

import numpy as np

from ..arrays import TIERS, Bools, Floats, Ints, State
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from ..optics.link_budget import LinkBudgets, compute_link_budgets
from ..optics.optical_paths import optical_paths_of_links
from ..optics.transport_goodput import NEGLIGIBLE_LOSS_RATIO, pair_rate_gbps, recovery_goodput_ratio
from ..stages.evaluation import Evaluation
from ..units import DAYS_PER_YEAR
from .forecast_records import RUNOUT_RATIOS, CaseForecast, Moment, RateDrop, Runout

N_BISECTIONS = 12
"""Halvings of a year; the last interval is a tenth of a day."""


class LinkGroups:
    """Groups of links with equal optical paths, tier and required margin; the busiest link represents its group."""

    def __init__(self, e: Evaluation, links: Ints) -> None:
        kind, tier = e.health.budgets.paths.kind_of_link, e.case.state.arrays.link_tier
        utilisation_ratio = np.nan_to_num(e.arc_utilisation_ratio, posinf=1e9).reshape(-1, 2)
        key = np.column_stack((kind[links], tier[links], e.health.required_margin_db[links].view(np.int64)))
        group = np.unique(key, axis=0, return_inverse=True)[1].reshape(-1)
        order = np.lexsort((links, -utilisation_ratio.max(axis=1)[links], group))
        first = np.unique(group[order], return_index=True)[1]
        self.link: Ints = links[order][first]
        self.n_alike: Ints = np.bincount(group, minlength=len(first))
        self.arc: Ints = 2 * self.link + utilisation_ratio.argmax(axis=1)[self.link]


@dataclass(frozen=True, eq=False)
class _Snapshot:
    """Figures of all groups at one time; the time may differ between groups. Arrays are float64[n_groups]."""

    margin_db: Floats
    member_gbps: Floats
    utilisation_ratio: Floats


class Projection:
    """Margin, rate and utilisation of the groups in one ageing case, at any time."""

    def __init__(
        self,
        e: Evaluation,
        state: State,
        groups: LinkGroups,
        reader: FigureReader,
        ageing: AgeingCase,
        growth_ratio_per_year: float,
    ) -> None:
        self._state, self._lossless = state, e.case.document.lossless
        self._reader, self._ageing, self._growth_ratio_per_year = reader, ageing, growth_ratio_per_year
        self._paths = optical_paths_of_links(self._state, groups.link)
        self._measured_loss_ratio: Floats = self._state["link_loss_ratio"][groups.link]
        self._rtt_us: Floats = e.health.arc_latency_us.reshape(-1, 2).sum(axis=1)[groups.link]
        n_arcs = len(e.arc_load_gbps)
        is_wide = self._state.arrays.link_tier[groups.link] == TIERS.index("wide_area")
        self._headroom_gbps: Floats = e.health.headroom.by_arc("rate_gbps", n_arcs, np.inf)[groups.arc]
        retained_ratio = e.health.headroom.by_arc("retained_ratio", n_arcs, 1.0)[groups.arc]
        self._retained_ratio: Floats = retained_ratio * np.where(is_wide, self._lossless.congestion_control_ratio, 1.0)
        self._load_gbps: Floats = e.arc_load_gbps[groups.arc]
        self.required_margin_db: Floats = e.health.required_margin_db[groups.link]
        today = compute_link_budgets(self._state, reader, self._paths, "value")
        self._mode = today.mode[today.worst_path]
        self.gbps_today: Floats = today.rate_gbps[today.worst_path]
        """Rate of a member in the central case. A case in which the rate is lower today has its first drop today."""
        with np.errstate(invalid="ignore", divide="ignore"):
            self._n_members: Floats = e.health.arc_capacity_gbps[groups.arc] / self._member_capacity_gbps(today)

    def at(self, years: Floats) -> _Snapshot:
        """Compute the figures at a time of each group: `years` from today, float64[n_groups]."""
        budgets = compute_link_budgets(self._state, self._reader, self._paths, self._ageing, years)
        load_gbps = self._load_gbps * (1.0 + self._growth_ratio_per_year) ** years
        with np.errstate(invalid="ignore", divide="ignore"):
            capacity_gbps = self._n_members * self._member_capacity_gbps(budgets)
            utilisation_ratio = np.where(load_gbps > 0, load_gbps / capacity_gbps, 0.0)
        return _Snapshot(self._margin_db(budgets), budgets.rate_gbps[budgets.worst_path], utilisation_ratio)

    def _member_capacity_gbps(self, budgets: LinkBudgets) -> Floats:
        """Capacity of one member after losses, pauses and buffers, computed as in `compute_link_health`."""
        rate_gbps, loss_ratio = budgets.rate_gbps[budgets.worst_path], budgets.loss_ratio[budgets.worst_path]
        loss_ratio = np.where(np.isnan(self._measured_loss_ratio), loss_ratio, self._measured_loss_ratio)
        pair_gbps = pair_rate_gbps(self._lossless, rate_gbps)
        ratio = recovery_goodput_ratio(self._reader, self._lossless, loss_ratio, self._rtt_us, pair_gbps)
        ratio = np.where(loss_ratio > NEGLIGIBLE_LOSS_RATIO, ratio, 1.0) * self._retained_ratio
        return np.minimum(np.where(rate_gbps > 0, rate_gbps * ratio, 0.0), self._headroom_gbps)

    def _margin_db(self, budgets: LinkBudgets) -> Floats:
        """Least margin over the optical paths of a link: to today's mode, or to the slowest mode if down today."""
        paths, mode = self._paths, self._mode[self._paths.kind_of_path]
        margin_today_mode_db = budgets.mode_margin_db[np.arange(len(mode)), np.maximum(mode, 0)]
        margin_db = np.where(mode >= 0, margin_today_mode_db, budgets.margin_db)
        least_db = np.full(paths.n_kinds, np.inf)
        np.minimum.at(least_db, paths.kind_of_path, np.where(np.isnan(margin_db), np.inf, margin_db))
        return np.where(np.isinf(least_db) & (least_db > 0), np.nan, least_db)


def case_forecasts(projection: Projection, grid_years: Floats, as_of: date | None) -> list[CaseForecast]:
    """Forecast of each group in one ageing case."""
    n = len(projection.required_margin_db)
    snapshots = [projection.at(np.full(n, years)) for years in grid_years]

    def moments_of(is_reached: Callable[[_Snapshot], Bools]) -> list[Moment | None]:
        return [moment_after(years, as_of) for years in _first_years(projection, grid_years, snapshots, is_reached)]

    required = moments_of(lambda snapshot: snapshot.margin_db < projection.required_margin_db)
    gone = moments_of(lambda snapshot: snapshot.margin_db < 0)
    runout = [moments_of(partial(_is_utilised, ratio)) for ratio in RUNOUT_RATIOS]
    drops = _rate_drops(projection, grid_years, snapshots, as_of)
    return [
        CaseForecast(
            margin_db=tuple(_finite(snapshot.margin_db[i]) for snapshot in snapshots),
            member_gbps=tuple(_finite(snapshot.member_gbps[i]) for snapshot in snapshots),
            utilisation_ratio=tuple(_finite(snapshot.utilisation_ratio[i]) for snapshot in snapshots),
            required_margin_gone=required[i],
            margin_gone=gone[i],
            drops=tuple(drops[i]),
            runout=Runout(*(moments[i] for moments in runout)),
        )
        for i in range(n)
    ]


def _is_utilised(ratio: float, snapshot: _Snapshot) -> Bools:
    return snapshot.utilisation_ratio >= ratio


def _is_slower(rate_gbps: Floats, snapshot: _Snapshot) -> Bools:
    return snapshot.member_gbps < rate_gbps


def _first_years(
    projection: Projection,
    grid_years: Floats,
    snapshots: Sequence[_Snapshot],
    is_reached: Callable[[_Snapshot], Bools],
) -> Floats:
    """Years until a condition holds for each group; NaN where it never does.

    The year is searched on the grid, then the day by bisection.
    """
    reached = np.array([is_reached(snapshot) for snapshot in snapshots])
    ever, first = reached.any(axis=0), reached.argmax(axis=0)
    low_years, high_years = grid_years[np.maximum(first - 1, 0)], grid_years[first]
    if (ever & (first > 0)).any():
        for _ in range(N_BISECTIONS):
            middle_years = (low_years + high_years) / 2.0
            at_middle = is_reached(projection.at(middle_years))
            low_years = np.where(at_middle, low_years, middle_years)
            high_years = np.where(at_middle, middle_years, high_years)
    return np.where(ever, np.where(first > 0, high_years, 0.0), np.nan)


def _rate_drops(
    projection: Projection, grid_years: Floats, snapshots: Sequence[_Snapshot], as_of: date | None
) -> list[list[RateDrop]]:
    """Every drop of each group's rate, in order; several drops within a year are separate."""
    rate_gbps = projection.gbps_today
    drops: list[list[RateDrop]] = [[] for _ in rate_gbps]
    while True:
        years = _first_years(projection, grid_years, snapshots, partial(_is_slower, rate_gbps))
        has_drop = ~np.isnan(years)
        if not has_drop.any():
            return drops
        after_gbps = projection.at(np.where(has_drop, years, 0.0)).member_gbps
        for row in np.flatnonzero(has_drop):
            moment = moment_after(float(years[row]), as_of)
            assert moment is not None
            drops[row].append(RateDrop(moment.years, moment.date, float(after_gbps[row])))
        rate_gbps = np.where(has_drop, after_gbps, rate_gbps)


def moment_after(years: float, as_of: date | None) -> Moment | None:
    """Return the first whole day that is so many years after the day of a document; None for NaN."""
    if np.isnan(years):
        return None
    days = timedelta(days=float(np.ceil(years * DAYS_PER_YEAR)))
    return Moment(float(years), as_of + days if as_of and date.max - as_of >= days else None)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
