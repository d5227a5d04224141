"""Records of a forecast: moments, drops of the rate, the forecast of one link in all ageing cases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from ..arrays import Tier
from ..catalogue.ageing import AgeingCase

RUNOUT_RATIOS = (0.7, 0.9)
"""Utilisation at which planners order capacity, and at which it is too late to order."""


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
        """The day without the rate."""
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

    def first_event_years(self, case: AgeingCase) -> float:
        """Return the years to the first event of a case; infinite where there is none."""
        forecast = self.cases[case]
        if forecast.member_gbps[0] == 0.0:
            return 0.0
        days = (drop.when for drop in forecast.drops)
        moments = (forecast.required_margin_gone, forecast.margin_gone, *days, *forecast.runout)
        return min((moment.years for moment in moments if moment is not None), default=float("inf"))


@dataclass(frozen=True)
class Narrowing:
    """Range of the date of an event over the ageing cases, before and after a measurement of today."""

    link: str
    measurement: str
    event: str
    """Field of a case: `margin_gone` or `required_margin_gone`."""
    earliest: Moment | None
    """Pessimistic case, as it is known now; null where the event does not happen in time."""
    latest: Moment | None
    """Optimistic case."""
    earliest_measured: Moment | None
    """Pessimistic case, if the measurement of today gave the central loss."""
    latest_measured: Moment | None
