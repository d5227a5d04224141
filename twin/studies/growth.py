"""Growth report: when the first link passes a limit as demands grow, and the upgrade that moves that date for least."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np

from ..answers.arc_text import direction_text
from ..answers.data import Answer
from ..answers.forecast_records import Moment
from ..answers.projection import moment_after
from ..answers.score import data_frame, html_table
from ..answers.warning import AnswerWarning
from ..errors.wording import counted
from ..progress import Progress
from ..render import growth_figure, svg_of
from ..render.growth_table import growth_table
from ..render.numbers import number_text
from ..render.quantities import percent_text, usd_text
from ..stages.evaluation import Evaluation
from .growth_model import Event, GrowingDemands, GrowthModel, Worst, require_demands
from .growth_question import GrowthQuestion
from .upgrades import MAX_SETS, Upgrade, price_upgrades

DEFAULT_TOP = 10
SWEEPS_PER_DATE = 3
"""About as many sweeps of failures find one date, with several growth rates."""


@dataclass(frozen=True, slots=True)
class ClassGrowth:
    """Growth of one class of traffic."""

    traffic_class: str | None
    """Null for demands without a class."""
    growth_ratio_per_year: float
    offered_gbps: float
    """Today."""


@dataclass(frozen=True, slots=True)
class Passing:
    """A link that passes the limit."""

    link: str
    direction: str
    cause: str | None
    """Failure with which it passes; null without one."""
    when: Moment


@dataclass(frozen=True, slots=True)
class GrowingLink:
    """The direction of a link that passes the limit first; all figures are of this direction."""

    id: str
    direction: str
    """Direction that passes first in the worst failure."""
    intact_utilisation_ratio: float
    """Today."""
    worst_utilisation_ratio: float
    """Today, in the worst failure."""
    cause: str | None
    """Failure with which it passes; null without one."""
    intact_passes: Moment | None
    """Without failures; null if it does not in time."""
    worst_passes: Moment | None
    """In the worst failure."""


@dataclass(frozen=True, kw_only=True, repr=False)
class GrowthReport(Answer):
    """When links pass a limit as demands grow, with and without the worst single failure."""

    network: str
    plan: str | None
    kind: str
    """Kind of failures."""
    as_of: str | None
    horizon_years: float
    limit_ratio: float
    summary: tuple[str, ...]
    classes: tuple[ClassGrowth, ...]
    intact: Passing | None
    """The first link without failures; null if none passes in time."""
    worst: Passing | None
    """The first link in its worst failure."""
    links: tuple[GrowingLink, ...]
    """Links that pass in time, the first ones first."""
    upgrades: tuple[Upgrade, ...]
    """Upgrades of the links that pass first, the least cost of a year gained first."""
    years: tuple[float, ...]
    intact_utilisation_ratio: tuple[float, ...]
    """Fullest link at each of the years, without failures."""
    worst_utilisation_ratio: tuple[float, ...]
    """Fullest link at each of the years, in its worst failure."""
    warnings: tuple[AnswerWarning, ...] = field(default=(), metadata={"optional": True})
    """Rules that the network breaks as it stands; absent where there are none."""

    def figure(self) -> Any:
        """Draw the fullest link over time with the limit, as a matplotlib figure (needs the extra `pictures`)."""
        return growth_figure(self.to_dict())

    def to_pandas(self) -> Any:
        """Return the links as a DataFrame (needs the extra `tables`)."""
        rows = [
            asdict(row)
            | {name: getattr(getattr(row, name), "years", None) for name in ("intact_passes", "worst_passes")}
            for row in self.links
        ]
        return data_frame(rows, [*GrowingLink.__dataclass_fields__])

    def _repr_html_(self) -> str:
        names = ("id", "direction", "intact_utilisation_ratio", "worst_utilisation_ratio", "cause")
        rows = [["–" if (cell := getattr(row, name)) is None else str(cell) for name in names] for row in self.links]
        return html_table(self.network, names if rows else (), rows, (), self.summary) + svg_of(self.figure)

    def _table(self) -> Any:
        return growth_table(self.to_dict())


def growth_report(
    e: Evaluation,
    network: str,
    plan: str | None,
    question: GrowthQuestion,
    apply: Callable[[Sequence[dict[str, Any]]], Evaluation],
    progress: Progress | None = None,
) -> GrowthReport:
    """Find when the first link passes the limit, with and without the worst single failure.

    Args:
        e: evaluation of the network.
        network: name of the network.
        plan: name of the plan, or `changes`; None for the unchanged network.
        question: rates, limit and horizon.
        apply: evaluates the network after more changes, with what they cost.
        progress: told in each sweep of failures.

    Raises:
        ChangeError: no demands, no growth, an unknown class or kind, or a number out of bounds.
        TopologyError: too many failures and years.
    """
    require_demands(e)
    as_of = e.case.document.as_of
    horizon = question.horizon_years(as_of)
    rate_of = question.rate_of(e.case.document)

    def model_of(evaluation: Evaluation, progress: Progress) -> GrowthModel:
        demands = GrowingDemands.of(evaluation, rate_of.__getitem__)
        return GrowthModel(evaluation, question.of, demands, float(question.limit_ratio), horizon, progress)

    years = [float(year) for year in range(int(horizon) + 1)]
    years += [horizon] if horizon > years[-1] else []
    top = question.top or DEFAULT_TOP
    n_rates = len({rate_of[demand.traffic_class] for demand in e.case.document.demands})
    by_year, by_link, by_upgrade = _parts_of_work(progress or Progress(), len(years), top, n_rates)
    model = model_of(e, by_year.part(0.0, 1.0 / len(years) if n_rates > 1 else 1.0))
    model.check_work(1 if n_rates == 1 else len(years) + SWEEPS_PER_DATE * top)
    worst = [float(found.ratio.max(initial=0.0)) for found in _worst_by_year(model, years, by_year)]
    intact = [float(model.intact_ratio(time).max(initial=0.0)) for time in years]
    model.progress = by_link.part(0.0, 0.1)
    first_intact, first_worst = model.first_intact(), model.first_worst()
    links = _passing_links(e, model, years, top, as_of, by_link.part(0.1, 1.0))
    upgrades: list[Upgrade] = []
    if first_worst is not None:
        passing = [(row.worst_passes.years, row.id) for row in links if row.worst_passes is not None]
        upgrades = price_upgrades(
            e,
            passing,
            first_worst,
            apply,
            model_of,
            lambda time: moment_after(time, as_of),
            question.member_usd,
            by_upgrade,
        )
    by_upgrade.tell(1.0)
    report = GrowthReport(
        network=network,
        plan=plan,
        kind=question.of,
        as_of=as_of.isoformat() if as_of else None,
        horizon_years=horizon,
        limit_ratio=float(question.limit_ratio),
        summary=(),
        classes=tuple(_classes(e, rate_of)),
        intact=_passing(e, model, first_intact, as_of),
        worst=_passing(e, model, first_worst, as_of),
        links=tuple(links),
        upgrades=tuple(upgrades),
        years=tuple(years),
        intact_utilisation_ratio=tuple(intact),
        worst_utilisation_ratio=tuple(worst),
    )
    n_unknown = int(np.isnan(model.capacity_gbps).reshape(-1, 2).any(axis=1).sum())
    summary = _summary(report, n_unknown, e.demands.unrouted_gbps if e.demands else 0.0)
    return replace(report, summary=(*summary, *question.without_effect(e.case.document)))


def _parts_of_work(progress: Progress, n_years: int, top: int, n_rates: int) -> tuple[Progress, Progress, Progress]:
    """Return the progress of years, of links that pass, and of upgrades, by the most sweeps that each makes.

    With one growth rate the first sweep tells all years and links, and each upgrade makes one.
    """
    by_date = 0 if n_rates == 1 else SWEEPS_PER_DATE
    n_sweeps = (1 if n_rates == 1 else n_years, by_date * top, 2 * MAX_SETS * (1 + by_date))
    first, second = n_sweeps[0] / sum(n_sweeps), sum(n_sweeps[:2]) / sum(n_sweeps)
    return progress.part(0.0, first), progress.part(first, second), progress.part(second, 1.0)


def _worst_by_year(model: GrowthModel, years: Sequence[float], progress: Progress) -> Iterator[Worst]:
    for i, time in enumerate(years):
        model.progress = progress.part(i / len(years), (i + 1) / len(years))
        yield model.worst(time)
    progress.tell(1.0)


def _classes(e: Evaluation, rate_of: Mapping[str | None, float]) -> Iterator[ClassGrowth]:
    for name in sorted(rate_of, key=lambda name: (name is None, name or "")):
        gbps = math.fsum(d.offered_gbps for d in e.case.document.demands if d.traffic_class == name)
        if gbps or name is not None:
            yield ClassGrowth(name, rate_of[name], gbps)


def _passing(e: Evaluation, model: GrowthModel, event: Event | None, as_of: date | None) -> Passing | None:
    if event is None:
        return None
    moment = moment_after(event.years, as_of)
    assert moment is not None
    cause = None if event.cause < 0 else model.failure_ids[event.cause]
    return Passing(e.case.state.link_ids[event.arc // 2], direction_text(e, event.arc), cause, moment)


def _passing_links(
    e: Evaluation, model: GrowthModel, years: Sequence[float], top: int, as_of: date | None, progress: Progress
) -> list[GrowingLink]:
    """Links that pass in time, at most `top`: those above the limit in the earliest year, the fullest first."""
    above: dict[int, tuple[float, float]] = {}
    for time in years:
        ratio = model.worst(time).ratio.reshape(-1, 2).max(axis=1, initial=0.0)
        for link in np.flatnonzero(ratio > model.limit_ratio).tolist():
            above.setdefault(link, (time, -float(ratio[link])))
    chosen = sorted(above, key=lambda link: (*above[link], link))[:top]
    rows: list[tuple[float, GrowingLink]] = []
    today = model.worst(0.0)
    for i, link in enumerate(chosen):
        model.progress = progress.part(i / len(chosen), (i + 1) / len(chosen))
        arcs = np.array([2 * link, 2 * link + 1])
        event = model.first_worst(arcs)
        if event is None:
            continue
        alone = model.first_intact(np.array([event.arc]))
        row = GrowingLink(
            id=e.case.state.link_ids[link],
            direction=direction_text(e, event.arc),
            intact_utilisation_ratio=float(model.intact_ratio(0.0)[event.arc]),
            worst_utilisation_ratio=float(today.ratio[event.arc]),
            cause=None if event.cause < 0 else model.failure_ids[event.cause],
            intact_passes=None if alone is None else moment_after(alone.years, as_of),
            worst_passes=moment_after(event.years, as_of),
        )
        rows.append((event.years, row))
    progress.tell(1.0)
    return [row for _, row in sorted(rows, key=lambda item: (item[0], item[1].id))]


def _summary(report: GrowthReport, n_unknown: int, unrouted_gbps: float) -> Iterator[str]:
    limit = percent_text(report.limit_ratio)
    rows = [(report.worst, f"In the worst {report.kind} failure"), (report.intact, "Without failures")]
    if report.worst is not None and report.worst.cause is None:
        rows = [(report.worst, f"No {report.kind} failure is worse than the intact network:")]
    for passing, which in rows:
        if passing is None:
            yield f"{which} no link passes {limit} within {report.horizon_years:.3g} years."
            continue
        after = f" after {passing.cause} fails" if passing.cause is not None else ""
        when = _when(passing.when)
        yield f"{which} {passing.link} ({passing.direction}) passes {limit} {when}{after}."
    best = next((row for row in report.upgrades if row.usd_per_year is not None), None)
    if best is not None and best.capex_usd is not None:
        to = f"to {_day(best.passes)}" if best.passes is not None else "beyond the horizon"
        names = best.links[0] if len(best.links) == 1 else counted(len(best.links), "link")
        yield f"Farthest per dollar: {_members(best)} of {names}, {usd_text(best.capex_usd)}, moves it {to}."
    elif report.upgrades:
        yield f"No upgrade has a price and a gain: {report.upgrades[0].why}."
    if n_unknown:
        yield f"Left out: {counted(n_unknown, 'link')} of unknown rate."
    if unrouted_gbps:
        yield f"{number_text(unrouted_gbps, 'Gb/s')} of demand have no path today and are left out."


def _members(row: Upgrade) -> str:
    return f"{row.n_parallel[0]} members" if len(set(row.n_parallel)) == 1 else "more members"


def _when(moment: Moment) -> str:
    if moment.years == 0.0:
        return "already"
    return f"on {_day(moment)}" if moment.date is not None else f"after {moment.years:.3g} years"


def _day(moment: Moment) -> str:
    return moment.date.isoformat() if moment.date is not None else f"{moment.years:.3g} years from today"
