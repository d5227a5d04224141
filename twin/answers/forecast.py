"""Forecast: when links lose margin, rate or spare capacity, in three ageing cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, get_args

import numpy as np

from ..arrays import TIERS, Floats, Ints
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader, UsedFigure
from ..errors import ChangeError
from ..optics.amplification import amplified_paths
from ..optics.link_budget import compute_link_budgets
from ..optics.optical_paths import optical_paths_of_links
from ..render import forecast_figure, svg_of
from ..render.forecast_rows import FORECAST_COLUMNS, forecast_rows
from ..render.forecast_table import forecast_table
from ..stages.evaluation import Evaluation
from .data import Answer
from .forecast_records import CaseForecast, LinkForecast, Narrowing
from .forecast_verdict import EVENTS, first_link, forecast_verdict
from .projection import LinkGroups, Projection, case_forecasts
from .score import html_table
from .warning import AnswerWarning

CASES: tuple[AgeingCase, ...] = get_args(AgeingCase)
MAX_YEARS = 100
MAX_WORK = 200_000
"""Largest number of different links times years: about ten seconds of work and thirty megabytes of JSON."""
AMPLIFIED_WORK = 20
"""Work of an amplified path beside its spans, in units of one link."""


@dataclass(frozen=True, repr=False)
class Forecast(Answer):
    """When links lose margin, rate or spare capacity; the first to do so in the central case come first."""

    network: str
    job: str | None
    as_of: str | None
    summary: tuple[str, ...]
    """The verdict: which link is first, when, and what would narrow the dates; one sentence each."""
    years: tuple[float, ...]
    growth_ratio_per_year: float
    links: tuple[LinkForecast, ...]
    narrowing: Narrowing | None
    """Effect of an OTDR trace of the first link that loses margin; null where none does, or it is measured already."""
    assumptions: tuple[UsedFigure, ...]
    warnings: tuple[AnswerWarning, ...] = field(default=(), metadata={"optional": True})
    """Rules that the network breaks as it stands, and inputs that it leaves out; absent where there are none."""

    def figure(self) -> Any:
        """Draw margin, rate and utilisation over the years, as a matplotlib figure (needs the extra `pictures`)."""
        return forecast_figure(self.to_dict())

    def rows(self) -> list[tuple[str, ...]]:
        """One row for each link and case, as text: the events and their days."""
        return forecast_rows(self.to_dict())

    def _repr_html_(self) -> str:
        title = f"{self.network}, {self.years[-1]:g} years"
        return html_table(title, FORECAST_COLUMNS, self.rows(), (), self.summary) + svg_of(self.figure)

    def _table(self) -> Any:
        return forecast_table(self.to_dict())


def forecast_of(
    e: Evaluation, network: str, links: Ints, n_years: int, growth_ratio_per_year: float, reader: FigureReader
) -> Forecast:
    """Forecast margin, rate and load of links, to the day.

    Rate and frame loss follow the link budget of each year. Buffers, network cards and the step time stay as today.

    Args:
        e: evaluation of the network today.
        network: name of the network.
        links: rows of the links; int64[n].
        n_years: length of the forecast.
        growth_ratio_per_year: yearly growth of today's load; 0.3 is 30 % a year.
        reader: source of figures.

    Raises:
        ChangeError: for more different links and years than MAX_WORK.
    """
    grid = np.arange(n_years + 1, dtype=np.float64)
    reader = reader.fresh()
    groups = LinkGroups(e, links)
    _check_work(e, groups, n_years, reader)
    cases_of_group: list[dict[AgeingCase, CaseForecast]] = [{} for _ in groups.link]
    for case in CASES:
        projection = Projection(e, e.case.state, groups, reader, case, growth_ratio_per_year)
        for row, forecast in enumerate(case_forecasts(projection, grid, e.case.document.as_of)):
            cases_of_group[row][case] = forecast
    state, arrays = e.case.state, e.case.state.arrays
    rows = [
        LinkForecast(
            id=arrays.link_ids[link],
            n_alike=int(groups.n_alike[row]),
            tier=TIERS[arrays.link_tier[link]],
            transceiver=state.part_id(int(state["link_transceiver"][link])),
            required_margin_db=float(e.health.required_margin_db[link]),
            cases=cases_of_group[row],
        )
        for row, link in enumerate(groups.link)
    ]
    rows = _merge_equal(rows)
    rows.sort(key=lambda row: (row.first_event_years("value"), row.first_event_years("high"), row.id))
    as_of = e.case.document.as_of
    narrowing = _narrowing(e, rows, grid, reader)
    return Forecast(
        network=network,
        job=e.case.job.id if e.case.job else None,
        as_of=as_of.isoformat() if as_of else None,
        summary=tuple(forecast_verdict(rows, n_years, narrowing)),
        years=tuple(float(years) for years in grid),
        growth_ratio_per_year=float(growth_ratio_per_year),
        links=tuple(rows),
        narrowing=narrowing,
        assumptions=tuple(figure for figure in reader.used_figures() if figure.status != "published"),
    )


def _narrowing(
    e: Evaluation, rows: Sequence[LinkForecast], grid_years: Floats, reader: FigureReader
) -> Narrowing | None:
    """Repeat the forecast of the first link that loses margin, with today's loss of its spans known."""
    name = next((event for event in EVENTS if first_link(rows, event) is not None), None)
    row = first_link(rows, name) if name is not None else None
    if name is None or row is None:
        return None
    state, arrays = e.case.state, e.case.state.arrays
    link = arrays.link_index[row.id]
    spans = np.arange(*arrays.span_first[link : link + 2])
    if not len(spans) or not np.isnan(state["span_measured_loss_db"][spans]).any():
        return None
    central = compute_link_budgets(state, reader, optical_paths_of_links(state, np.array([link])), "value")
    measured = state.with_values("span_measured_loss_db", spans, central.spans.total_db[spans])
    measured = measured.with_values("span_measured_years", spans, 0.0)
    groups = LinkGroups(e, np.array([link]))
    moments = [
        getattr(
            case_forecasts(Projection(e, measured, groups, reader, case, 0.0), grid_years, e.case.document.as_of)[0],
            name,
        )
        for case in ("high", "low")
    ]
    return Narrowing(
        link=row.id,
        measurement="an OTDR trace",
        event=name,
        earliest=getattr(row.cases["high"], name),
        latest=getattr(row.cases["low"], name),
        earliest_measured=moments[0],
        latest_measured=moments[1],
    )


def _merge_equal(rows: Sequence[LinkForecast]) -> list[LinkForecast]:
    """Merge links of equal margin and rate over all years; the busiest of them represents the others."""
    merged: dict[tuple[Any, ...], LinkForecast] = {}
    for row in sorted(rows, key=lambda row: (-(row.cases["value"].utilisation_ratio[0] or 0.0), row.id)):
        optical = tuple((case.margin_db, case.member_gbps) for case in row.cases.values())
        key = (row.tier, row.transceiver, row.required_margin_db, optical)
        known = merged.get(key)
        merged[key] = row if known is None else replace(known, n_alike=known.n_alike + row.n_alike)
    return list(merged.values())


def _check_work(e: Evaluation, groups: LinkGroups, n_years: int, reader: FigureReader) -> None:
    paths = optical_paths_of_links(e.case.state, groups.link)
    rows = amplified_paths(e.case.state, reader, paths)
    spans = paths.span_last[rows] - paths.span_first[rows]
    work = (len(groups.link) + int((AMPLIFIED_WORK + spans).sum())) * (n_years + 1)
    if work > MAX_WORK:
        amplified = f", {len(rows):,} lines of them over amplifiers" if len(rows) else ""
        raise ChangeError(
            f"{len(groups.link):,} links that differ{amplified}, over {n_years} years are too many at once",
            where="forecast",
            expected=f"{work / MAX_WORK:.2g} times fewer links or years",
            hint="narrow the choice of links",
        )
