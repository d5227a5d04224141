"""Readiness of sites: what their budgets of power, cooling, rack places and network take on each day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import floor, inf

from ..arrays import State
from ..catalogue.figure_reader import FigureReader
from ..model.document import TopologyDocument
from ..model.records import Site
from .cost import node_power_w, site_power_w

RESOURCES: dict[str, str] = {
    "power_megawatts": "power",
    "liquid_cooling_megawatts": "liquid cooling",
    "air_cooling_megawatts": "air cooling",
    "n_rack_places": "rack places",
    "n_network_accelerators": "network",
}
"""Budgets of a site, by field of `SiteBudget`, with their names in answers."""
TOLERANCE_RATIO = 1e-9
"""A budget takes so much more than it states, for rounding."""
Amounts = Mapping[str, float]


@dataclass(frozen=True)
class SiteNeeds:
    """Needs of a site of each budget, and its accelerators."""

    amounts: Amounts
    n_accelerators: int
    n_liquid_cooled: int


@dataclass(frozen=True)
class Budgets:
    """Budgets of a site from a day on, days counted from day 0; a kind without a limit is left out."""

    day: int
    limits: Amounts


def site_needs(state: State, document: TopologyDocument, reader: FigureReader) -> dict[str, SiteNeeds]:
    """Compute what each site needs.

    Heat of liquid-cooled parts is `liquid_cooling_w_per_accelerator`; air takes the rest of the power, without PUE.

    Args:
        state: nodes of the network, up or not.
        document: sites with their PUE.
        reader: source of figures.
    """
    n, site = state["node_n_accelerators"], state["node_site"]
    liquid_w = n * reader.by_code(
        state.parts, state["node_accelerator"], "liquid_cooling_w_per_accelerator", "accelerator", 0.0
    )
    node_w, meter_w = node_power_w(state, reader), site_power_w(state, document, reader)
    found = {}
    for row, name in enumerate(state.arrays.sites):
        here = site == row
        cooled = float(liquid_w[here].sum())
        found[name] = SiteNeeds(
            amounts={
                "power_megawatts": float(meter_w[row]) / 1e6,
                "liquid_cooling_megawatts": cooled / 1e6,
                "air_cooling_megawatts": max(float(node_w[here].sum()) - cooled, 0.0) / 1e6,
                "n_rack_places": float((n[here] > 0).sum()),
                "n_network_accelerators": float(n[here].sum()),
            },
            n_accelerators=int(n[here].sum()),
            n_liquid_cooled=int(n[here & (liquid_w > 0.0)].sum()),
        )
    return found


def budgets_of(site: Site, day_0: date) -> tuple[Budgets, ...]:
    """Return the budgets of a site as steps in time, from day 0 on.

    A budget that is not stated stays as it was. At first it is the site's own limit, 0 where only later days state it,
    and no limit where none does.
    """
    limits: dict[str, float] = {}
    for name in RESOURCES:
        first = getattr(site, name, None)
        if first is not None or any(getattr(budget, name) is not None for budget in site.budgets):
            limits[name] = float(first or 0.0)
    steps = {0: dict(limits)}
    for budget in sorted(site.budgets, key=lambda budget: budget.start):
        limits |= {name: float(value) for name in RESOURCES if (value := getattr(budget, name)) is not None}
        steps[max((budget.start - day_0).days, 0)] = dict(limits)
    return tuple(Budgets(day, steps[day]) for day in sorted(steps))


def usable_accelerators(needs: SiteNeeds, limits: Amounts) -> tuple[int, str | None]:
    """Return how many accelerators a site's budgets take, and the budget that allows the fewest.

    Each budget takes accelerators in proportion to what it has of what they need. Where liquid cooling is short, those
    that air cools go on. The budget is None where all accelerators are usable.
    """
    fewest, blocker = needs.n_accelerators, None
    for name, limit in limits.items():
        n = needs.n_liquid_cooled if name == "liquid_cooling_megawatts" else needs.n_accelerators
        if is_enough(needs, name, limit):
            continue
        ratio = limit / needs.amounts[name]
        usable = needs.n_accelerators - n + floor(n * ratio * (1.0 + TOLERANCE_RATIO))
        if usable < fewest or blocker is None:
            fewest, blocker = min(usable, fewest), name
    return fewest, blocker


def is_enough(needs: SiteNeeds, name: str, limit: float) -> bool:
    """Tell whether a budget takes all that a site needs."""
    return needs.amounts[name] <= limit * (1.0 + TOLERANCE_RATIO)


@dataclass(frozen=True)
class Blocker:
    """A budget that is too small on a day, and the days until it is large enough from then on."""

    resource: str
    needed: float
    limit: float
    n_days: float
    """Infinite where the budget stays or becomes again too small."""


def blockers_on(needs: SiteNeeds, steps: Sequence[Budgets], day: int) -> tuple[Blocker, ...]:
    """Return the budgets that are too small on a day, the one that lasts longest first."""
    limits = next(step.limits for step in reversed(steps) if step.day <= day)
    found = []
    for name, limit in limits.items():
        if not is_enough(needs, name, limit):
            found.append(Blocker(name, needs.amounts[name], limit, enough_from(needs, steps, name) - day))
    return tuple(sorted(found, key=lambda blocker: (-blocker.n_days, list(RESOURCES).index(blocker.resource))))


def enough_from(needs: SiteNeeds, steps: Sequence[Budgets], name: str) -> float:
    """Return the first day from which on a budget is enough and stays so; infinite where there is none."""
    day = inf
    for step in reversed(steps):
        if not is_enough(needs, name, step.limits[name]):
            break
        day = step.day
    return day


def first_day(needs: SiteNeeds, steps: Sequence[Budgets]) -> int | None:
    """Return the first day from which on all budgets are enough; None where there is none."""
    day = max((enough_from(needs, steps, name) for name in steps[0].limits), default=steps[0].day)
    return None if day == inf else int(day)
