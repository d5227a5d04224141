"""Readiness: when the budgets of sites take what stands there after a plan, and what blocks before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from math import isfinite
from typing import Any

from ..catalogue.figure_reader import FigureReader
from ..economics.readiness import (
    RESOURCES,
    Blocker,
    Budgets,
    SiteNeeds,
    blockers_on,
    budgets_of,
    enough_from,
    first_day,
    is_enough,
    site_needs,
    usable_accelerators,
)
from ..errors import ChangeError
from ..model.document import TopologyDocument
from ..render.readiness_table import readiness_table
from ..scenario.apply import Scenario
from .data import Answer
from .score import data_frame


@dataclass(frozen=True, slots=True)
class ReadyStep:
    """A site from a day on, until its next step."""

    site: str
    day: int
    """Days after the day of the document."""
    start: date
    n_accelerators: int
    n_usable: int
    blocker: str | None
    """Budget that allows the fewest: power, liquid cooling, air cooling, rack places or network; null for none."""
    needed: float | None
    """Need of this budget, in its unit: megawatts, racks or accelerators."""
    limit: float | None


@dataclass(frozen=True, kw_only=True, repr=False)
class Readiness(Answer):
    """Usable accelerators of each site by day, and the first day on which all are."""

    network: str
    as_of: str
    plan: str | None
    summary: tuple[str, ...]
    ready_day: int | None
    """First day from which on the budgets of all sites are enough; null where there is none."""
    ready_on: date | None
    steps: tuple[ReadyStep, ...]

    def to_pandas(self) -> Any:
        """Return the steps as a DataFrame (needs the extra `tables`)."""
        return data_frame(self.to_dict()["steps"], [spec.name for spec in fields(ReadyStep)])

    def _table(self) -> Any:
        return readiness_table(self.to_dict())


def fully_built(document: TopologyDocument) -> TopologyDocument:
    """Return a document whose sites have their largest power and rack places, for plans of later days."""
    sites = []
    for site in document.sites:
        most = {
            name: max([getattr(budget, name) or 0 for budget in site.budgets] + [getattr(site, name) or 0])
            for name in ("power_megawatts", "n_rack_places")
            if any(getattr(budget, name) is not None for budget in site.budgets)
        }
        limits: dict[str, Any] = {name: value or None for name, value in most.items()}
        sites.append(replace(site, **limits))
    return document.model_copy(update={"sites": tuple(sites)})


def day_of(document: TopologyDocument, on: date | str) -> int:
    """Return the day of a date, counted from the day of the document.

    Raises ChangeError for no date, a document without a day, or a date before it.
    """
    if isinstance(on, str):
        try:
            on = date.fromisoformat(on)
        except ValueError:
            raise ChangeError(f"{on!r}"[:200], where="on", expected="a date such as 2027-03-03") from None
    if document.as_of is None or on < document.as_of:
        problem = f"{on} lies before as_of {document.as_of}" if document.as_of else "the document states no as_of"
        raise ChangeError(problem, where="on", expected="a date from the day of the document on")
    return (on - document.as_of).days


def check_ready(scenario: Scenario, budgets: TopologyDocument, day: int, reader: FigureReader) -> None:
    """Refuse a state on a day on which the budgets of a site are too small for it.

    Args:
        scenario: network after the changes.
        budgets: document with the budgets.
        day: days after the day of the document.
        reader: source of figures.

    Raises:
        ChangeError: it names the budget that lasts longest, and the days until it is enough from then on.
    """
    needs, steps = _by_site(scenario, budgets, reader)
    found = [(name, blocker) for name in steps for blocker in blockers_on(needs[name], steps[name], day)]
    if not found:
        return
    found.sort(key=lambda row: -row[1].n_days)
    ready = max(enough_from(needs[name], rows, budget) for name, rows in steps.items() for budget in rows[0].limits)
    reasons = "; ".join(f"{name}: {_blocker_text(blocker)}" for name, blocker in found[:5])
    hint = (
        f"ready {ready - day:.0f} days later" if isfinite(ready) else "the budgets stay too small, or become so again"
    )
    raise ChangeError(f"not ready on day {day}: {reasons}", where="on", hint=hint)


def wait_days(
    scenario: Scenario, budgets: TopologyDocument, day: int, reader: FigureReader, before: Scenario | None = None
) -> float:
    """Return the days from a day on until the budgets of all sites are enough and stay so; infinite for never.

    Args:
        scenario: network after the changes.
        budgets: document with the budgets.
        day: days after the day of the document.
        reader: source of figures.
        before: network before them; a budget of which it needs as much or more does not count. None counts all.
    """
    needs, steps = _by_site(scenario, budgets, reader)
    old = {} if before is None else _by_site(before, budgets, reader)[0]
    found = (
        enough_from(needs[name], rows, budget) - day
        for name, rows in steps.items()
        for budget in rows[0].limits
        if name not in old or not is_enough(needs[name], budget, old[name].amounts[budget])
    )
    return max((0.0, *found))


def _blocker_text(blocker: Blocker) -> str:
    of = f"needs {blocker.needed:,.4g}, has {blocker.limit:,.4g} {_unit(blocker.resource)}"
    days = f"{blocker.n_days:.0f} days" if isfinite(blocker.n_days) else "for ever"
    return f"{RESOURCES[blocker.resource]}, {days} ({of})"


def _unit(resource: str) -> str:
    return "MW" if resource.endswith("megawatts") else "racks" if resource == "n_rack_places" else "accelerators"


def _by_site(
    scenario: Scenario, budgets: TopologyDocument, reader: FigureReader
) -> tuple[Mapping[str, SiteNeeds], dict[str, tuple[Budgets, ...]]]:
    """Return the needs of each site, and the budgets of those that state any."""
    needs = site_needs(scenario.case.state, scenario.case.document, reader)
    day_0 = budgets.as_of or date.min
    steps = {site.id: budgets_of(site, day_0) for site in sorted(budgets.sites, key=lambda site: site.id)}
    return needs, {name: rows for name, rows in steps.items() if name in needs and any(row.limits for row in rows)}


def readiness_of(
    plan: str | None, network: str, scenario: Scenario, budgets: TopologyDocument, reader: FigureReader
) -> Readiness:
    """Build the answer.

    Args:
        plan: name of the plan, or `changes`; None for the unchanged network.
        network: label of the network.
        scenario: network after the changes.
        budgets: document with the budgets.
        reader: source of figures.
    """
    if budgets.as_of is None:
        raise ChangeError("the document states no as_of", where="as_of", expected="the day 0 of the budgets")
    needs, steps = _by_site(scenario, budgets, reader)
    rows = [_step(name, needs[name], step, budgets.as_of) for name in steps for step in steps[name]]
    days = {name: first_day(needs[name], steps[name]) for name in steps}
    known = [day for day in days.values() if day is not None]
    ready = max(known, default=0) if len(known) == len(days) else None
    return Readiness(
        network=network,
        as_of=budgets.as_of.isoformat(),
        plan=plan,
        summary=tuple(_summary(days, rows, ready, budgets.as_of)),
        ready_day=ready,
        ready_on=None if ready is None else budgets.as_of + timedelta(days=ready),
        steps=tuple(rows),
    )


def _step(name: str, needs: SiteNeeds, step: Budgets, day_0: date) -> ReadyStep:
    usable, blocker = usable_accelerators(needs, step.limits)
    return ReadyStep(
        site=name,
        day=step.day,
        start=day_0 + timedelta(days=step.day),
        n_accelerators=needs.n_accelerators,
        n_usable=usable,
        blocker=None if blocker is None else RESOURCES[blocker],
        needed=None if blocker is None else needs.amounts[blocker],
        limit=None if blocker is None else step.limits[blocker],
    )


def _summary(days: Mapping[str, int | None], rows: list[ReadyStep], ready: int | None, day_0: date) -> Iterator[str]:
    if not days:
        yield "No site states a budget."
        return
    if ready is None:
        never = [name for name, day in days.items() if day is None]
        yield f"Not ready: the budgets of {', '.join(never)} stay too small."
    elif ready == 0:
        yield "Ready: the budgets of all sites are enough from the day of the document on."
    else:
        yield f"Ready on {day_0 + timedelta(days=ready)}, in {ready} days."
    for row in rows:
        if row.blocker is not None and (ready is None or row.day < ready):
            yield (
                f"{row.site} from {row.start}: {row.n_usable:,} of {row.n_accelerators:,} accelerators usable, "
                f"limited by {row.blocker}."
            )
