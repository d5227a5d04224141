"""The calendar: when margins are gone, when rates drop, when traffic outgrows links, in three ageing cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from typing import Any, get_args

import numpy as np

from ..arrays import TIERS, Bools, Floats, Ints, Tier
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader, UsedFigure
from ..errors import ChangeError
from ..optics.amplified_lines import amplified_paths
from ..optics.link_budget import LinkBudgets, compute_link_budgets
from ..optics.optical_paths import optical_paths_of_links
from ..optics.transport_goodput import NEGLIGIBLE_LOSS_RATIO, pair_rate_gbps, recovery_goodput_ratio
from ..render import forecast_figure, svg_of
from ..render.forecast_rows import FORECAST_HEADS, forecast_rows
from ..stages.evaluation import Evaluation
from ..units import DAYS_PER_YEAR
from .data import Answer
from .score import html_table

CASES: tuple[AgeingCase, ...] = get_args(AgeingCase)
RUNOUT_RATIOS = (0.7, 0.9)
"""Utilisation at which planners order capacity, and at which it is too late."""
N_BISECTIONS = 12
"""From a year to a tenth of a day."""
MAX_YEARS = 100
MAX_WORK = 200_000
"""Links that are not alike, times the years looked at: some ten seconds, and some thirty megabytes of JSON."""
AMPLIFIED_WORK = 20
"""What a line over amplifiers counts for, beside its spans; a link counts for one."""


@dataclass(frozen=True)
class Moment:
    """A day in the future of a network; `date` is None where its document has no `as_of`, or beyond the year 9999."""

    years: float = field(metadata={"decimals": 3})
    """From the day of the document."""
    date: date | None


@dataclass(frozen=True)
class RateDrop(Moment):
    """A day on which the rate of a member falls, and to what rate; 0 is a link that is down."""

    member_gbps: float

    @property
    def when(self) -> Moment:
        """The day alone."""
        return Moment(self.years, self.date)


@dataclass(frozen=True)
class Runout:
    """When utilisation of the busiest direction crosses each of RUNOUT_RATIOS; null where it does not."""

    planned: Moment | None = field(metadata={"alias": f"{RUNOUT_RATIOS[0]:g}"})
    """Capacity is ordered by then."""
    late: Moment | None = field(metadata={"alias": f"{RUNOUT_RATIOS[1]:g}"})
    """Too late to order capacity."""

    def __iter__(self) -> Iterator[Moment | None]:
        return iter((self.planned, self.late))


@dataclass(frozen=True)
class CaseForecast:
    """One link, or links with equal forecasts, in one ageing case; null where something does not happen in time."""

    required_margin_gone: Moment | None
    """The margin falls below the required margin."""
    margin_gone: Moment | None
    """No margin is left in the mode in use today: a lower rate, losses, or a link that is down."""
    drops: tuple[RateDrop, ...] = field(metadata={"alias": "rate_drops"})
    """When the rate of a member falls."""
    runout: Runout
    margin_db: tuple[float | None, ...]
    """To the mode in use today, at each of the forecast's years."""
    member_gbps: tuple[float | None, ...]
    """None where the rate is unknown."""
    utilisation_ratio: tuple[float | None, ...]


@dataclass(frozen=True)
class LinkForecast:
    """A link, or several with equal optical paths, in all cases; `id` is the busiest of them."""

    id: str
    n_alike: int
    tier: Tier
    transceiver: str | None
    required_margin_db: float
    cases: dict[AgeingCase, CaseForecast]
    """Optimistic (low), central (value) and pessimistic (high)."""

    def first_trouble_years(self, case: AgeingCase) -> float:
        """Until anything happens in a case; infinite where nothing does."""
        found = self.cases[case]
        if found.member_gbps[0] == 0.0:
            return 0.0
        moments = (found.required_margin_gone, found.margin_gone, *(drop.when for drop in found.drops), *found.runout)
        return min((moment.years for moment in moments if moment is not None), default=float("inf"))


@dataclass(frozen=True)
class Forecast(Answer):
    """When links lose margin, rate or spare capacity; the first to do so in the central case come first."""

    network: str
    job: str | None
    as_of: str | None
    years: tuple[float, ...]
    growth_ratio_per_year: float
    links: tuple[LinkForecast, ...]
    assumptions: tuple[UsedFigure, ...]

    def figure(self) -> Any:
        """A matplotlib figure of margin, rate and utilisation over the years (needs the extra `pictures`)."""
        return forecast_figure(self.to_dict())

    def rows(self) -> list[tuple[str, ...]]:
        """One row a link and case, as text: what happens and when."""
        return forecast_rows(self.to_dict())

    def _repr_html_(self) -> str:
        return html_table(f"{self.network}, {self.years[-1]:g} years", FORECAST_HEADS, self.rows(), ()) + svg_of(
            self.figure
        )


def forecast_of(
    e: Evaluation, network: str, links: Ints, n_years: int, growth_ratio_per_year: float, reader: FigureReader
) -> Forecast:
    """What becomes of these links within `n_years`, to the day; load grows from today's by a steady share a year.

    Rate and frame loss follow the light; buffers, network cards and the step's length are taken as they are today.
    Raises ChangeError where so many links that differ are asked for that nobody would wait (MAX_WORK).
    """
    grid = np.arange(n_years + 1, dtype=np.float64)
    reader = reader.fresh()
    groups = _Groups(e, links)
    _check_work(e, groups, n_years)
    found: list[dict[AgeingCase, CaseForecast]] = [{} for _ in groups.link]
    for case in CASES:
        course = _Course(e, groups, reader, case, growth_ratio_per_year)
        for row, forecast in enumerate(_case(course, grid, e.case.document.as_of)):
            found[row][case] = forecast
    state, arrays = e.case.state, e.case.state.arrays
    rows = [
        LinkForecast(
            id=arrays.link_ids[link],
            n_alike=int(groups.n_alike[row]),
            tier=TIERS[arrays.link_tier[link]],
            transceiver=state.part_id(int(state["link_transceiver"][link])),
            required_margin_db=float(e.health.required_margin_db[link]),
            cases=found[row],
        )
        for row, link in enumerate(groups.link)
    ]
    rows = _merged(rows)
    rows.sort(key=lambda row: (row.first_trouble_years("value"), row.first_trouble_years("high"), row.id))
    day = e.case.document.as_of
    return Forecast(
        network=network,
        job=e.case.job.id if e.case.job else None,
        as_of=day.isoformat() if day else None,
        years=tuple(float(t) for t in grid),
        growth_ratio_per_year=float(growth_ratio_per_year),
        links=tuple(rows),
        assumptions=tuple(each for each in reader.used_figures() if each.status != "published"),
    )


def _merged(rows: Sequence[LinkForecast]) -> list[LinkForecast]:
    """Links whose light fares alike as one, of which the busiest stands for all."""
    found: dict[tuple[Any, ...], LinkForecast] = {}
    for row in sorted(rows, key=lambda row: (-(row.cases["value"].utilisation_ratio[0] or 0.0), row.id)):
        light = tuple((case.margin_db, case.member_gbps) for case in row.cases.values())
        key = (row.tier, row.transceiver, row.required_margin_db, light)
        known = found.get(key)
        found[key] = row if known is None else replace(known, n_alike=known.n_alike + row.n_alike)
    return list(found.values())


class _Groups:
    """Chosen links that are alike in light, tier and required margin; of each group the busiest stands for all."""

    def __init__(self, e: Evaluation, links: Ints) -> None:
        kind, tier = e.health.budgets.paths.kind_of_link, e.case.state.arrays.link_tier
        busiest = np.nan_to_num(e.arc_utilisation_ratio, posinf=1e9).reshape(-1, 2)
        key = np.column_stack((kind[links], tier[links], e.health.required_margin_db[links].view(np.int64)))
        group = np.unique(key, axis=0, return_inverse=True)[1].reshape(-1)
        order = np.lexsort((links, -busiest.max(axis=1)[links], group))
        first = np.unique(group[order], return_index=True)[1]
        self.link: Ints = links[order][first]
        self.n_alike: Ints = np.bincount(group, minlength=len(first))
        self.arc: Ints = 2 * self.link + busiest.argmax(axis=1)[self.link]


def _check_work(e: Evaluation, groups: _Groups, n_years: int) -> None:
    paths = optical_paths_of_links(e.case.state, groups.link)
    rows = amplified_paths(e.case.state, paths)
    spans = paths.span_last[rows] - paths.span_first[rows]
    work = (len(groups.link) + int((AMPLIFIED_WORK + spans).sum())) * (n_years + 1)
    if work > MAX_WORK:
        over = f", {len(rows):,} lines of them over amplifiers" if len(rows) else ""
        raise ChangeError(
            f"{len(groups.link):,} links that differ{over}, over {n_years} years are too many at once",
            where="forecast",
            expected=f"{work / MAX_WORK:.2g} times fewer links or years",
            hint="narrow the choice of links",
        )


@dataclass(frozen=True, eq=False)
class _Look:
    """The groups, each at a time of its own."""

    margin_db: Floats
    member_gbps: Floats
    utilisation_ratio: Floats


class _Course:
    """How the groups fare in one ageing case, at any time."""

    def __init__(self, e: Evaluation, groups: _Groups, reader: FigureReader, case: AgeingCase, growth: float) -> None:
        self._state, self._lossless = e.case.state, e.case.document.lossless
        self._reader, self._case, self._growth = reader, case, growth
        self._paths = optical_paths_of_links(self._state, groups.link)
        self._measured_loss: Floats = self._state["link_loss_ratio"][groups.link]
        self._round_trip_us: Floats = e.health.arc_latency_us.reshape(-1, 2).sum(axis=1)[groups.link]
        n_arcs, far = len(e.arc_load_gbps), self._state.arrays.link_tier[groups.link] == TIERS.index("wide_area")
        self._absorbed: Floats = e.health.headroom.by_arc("rate_gbps", n_arcs, np.inf)[groups.arc]
        self._kept: Floats = e.health.headroom.by_arc("retained_ratio", n_arcs, 1.0)[groups.arc]
        self._kept = self._kept * np.where(far, self._lossless.congestion_control_ratio, 1.0)
        self._load: Floats = e.arc_load_gbps[groups.arc]
        self.required_db: Floats = e.health.required_margin_db[groups.link]
        today = compute_link_budgets(self._state, reader, self._paths, "value")
        self._mode = today.mode[today.worst_path]
        self.gbps_today: Floats = today.rate_gbps[today.worst_path]
        """In the central case; a rate that another case says is lower already falls now."""
        with np.errstate(invalid="ignore", divide="ignore"):
            self._n_members: Floats = e.health.arc_capacity_gbps[groups.arc] / self._carried(today)

    def at(self, years: Floats) -> _Look:
        """Margin to the mode in use today, rate of a member and utilisation, `years` from today for each group."""
        light = compute_link_budgets(self._state, self._reader, self._paths, self._case, years)
        load = self._load * (1.0 + self._growth) ** years
        with np.errstate(invalid="ignore", divide="ignore"):
            used = np.where(load > 0, load / (self._n_members * self._carried(light)), 0.0)
        return _Look(self._margin_db(light), light.rate_gbps[light.worst_path], used)

    def _carried(self, light: LinkBudgets) -> Floats:
        """Gb/s of one member behind losses, pauses and buffers, as `compute_link_health` has it."""
        rate, loss = light.rate_gbps[light.worst_path], light.loss_ratio[light.worst_path]
        loss = np.where(np.isnan(self._measured_loss), loss, self._measured_loss)
        asked = pair_rate_gbps(self._lossless, rate)
        kept = recovery_goodput_ratio(self._reader, self._lossless, loss, self._round_trip_us, asked)
        kept = np.where(loss > NEGLIGIBLE_LOSS_RATIO, kept, 1.0) * self._kept
        return np.minimum(np.where(rate > 0, rate * kept, 0.0), self._absorbed)

    def _margin_db(self, light: LinkBudgets) -> Floats:
        """Least margin over a link's lines, to the mode of today; to the slowest where it is dark already."""
        paths, mode = self._paths, self._mode[self._paths.kind_of_path]
        at_mode = light.mode_margin_db[np.arange(len(mode)), np.maximum(mode, 0)]
        margin = np.where(mode >= 0, at_mode, light.margin_db)
        least = np.full(paths.n_kinds, np.inf)
        np.minimum.at(least, paths.kind_of_path, np.where(np.isnan(margin), np.inf, margin))
        return np.where(np.isinf(least) & (least > 0), np.nan, least)


def _case(course: _Course, grid: Floats, as_of: date | None) -> list[CaseForecast]:
    n = len(course.required_db)
    looks = [course.at(np.full(n, t)) for t in grid]

    def when(crossed: Callable[[_Look], Bools]) -> list[Moment | None]:
        return [_moment(t, as_of) for t in _first(course, grid, looks, crossed)]

    required = when(lambda look: look.margin_db < course.required_db)
    gone = when(lambda look: look.margin_db < 0)
    runout = [when(partial(_fuller, ratio)) for ratio in RUNOUT_RATIOS]
    drops = _drops(course, grid, looks, as_of)
    return [
        CaseForecast(
            margin_db=tuple(_number(look.margin_db[i]) for look in looks),
            member_gbps=tuple(_number(look.member_gbps[i]) for look in looks),
            utilisation_ratio=tuple(_number(look.utilisation_ratio[i]) for look in looks),
            required_margin_gone=required[i],
            margin_gone=gone[i],
            drops=tuple(drops[i]),
            runout=Runout(*(moments[i] for moments in runout)),
        )
        for i in range(n)
    ]


def _fuller(ratio: float, look: _Look) -> Bools:
    return look.utilisation_ratio >= ratio


def _slower(rate_gbps: Floats, look: _Look) -> Bools:
    return look.member_gbps < rate_gbps


def _first(course: _Course, grid: Floats, looks: Sequence[_Look], crossed: Callable[[_Look], Bools]) -> Floats:
    """Years until something holds for each group, NaN where it never does: found on the grid, then by bisection."""
    holds = np.array([crossed(look) for look in looks])
    ever, at = holds.any(axis=0), holds.argmax(axis=0)
    low, high = grid[np.maximum(at - 1, 0)], grid[at]
    if (ever & (at > 0)).any():
        for _ in range(N_BISECTIONS):
            middle = (low + high) / 2.0
            here = crossed(course.at(middle))
            low, high = np.where(here, low, middle), np.where(here, middle, high)
    return np.where(ever, np.where(at > 0, high, 0.0), np.nan)


def _drops(course: _Course, grid: Floats, looks: Sequence[_Look], as_of: date | None) -> list[list[RateDrop]]:
    """Every fall of each group's rate, in order; more than one within a year are told apart."""
    now = course.gbps_today
    found: list[list[RateDrop]] = [[] for _ in now]
    while True:
        falls = _first(course, grid, looks, partial(_slower, now))
        fallen = ~np.isnan(falls)
        if not fallen.any():
            return found
        after = course.at(np.where(fallen, falls, 0.0)).member_gbps
        for row in np.flatnonzero(fallen):
            moment = _moment(float(falls[row]), as_of)
            assert moment is not None
            found[row].append(RateDrop(moment.years, moment.date, float(after[row])))
        now = np.where(fallen, after, now)


def _moment(years: float, as_of: date | None) -> Moment | None:
    if np.isnan(years):
        return None
    days = timedelta(days=float(np.ceil(years * DAYS_PER_YEAR)))
    return Moment(float(years), as_of + days if as_of and date.max - as_of >= days else None)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
