"""Question of growth: rates by class of traffic, limit, horizon, and their bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ..errors import ChangeError, did_you_mean
from ..errors.wording import ratio_hint
from ..model.document import TopologyDocument
from ..render.quantities import percent_text

MAX_YEARS = 50
DEFAULT_YEARS = 10
MAX_TOP = 1000
DAYS_PER_YEAR = 365.25


@dataclass(frozen=True, kw_only=True)
class GrowthQuestion:
    """Growth rates, limit and horizon."""

    rates: Mapping[str, float] | None = None
    """Growth a year by class of traffic, in place of the document's."""
    growth_ratio_per_year: float | None = None
    """Growth of demands without a rate of their own; None = 0."""
    limit_ratio: float = 0.7
    of: str = "link"
    until: int | None = None
    """Calendar year whose end is the horizon; None = ten years from the day of the document."""
    top: int | None = None
    """Most links to list; None = 10."""
    member_usd: float | None = None
    """Price of one more member of links that name no transceiver; None = unknown."""

    def horizon_years(self, as_of: date | None) -> float:
        """Return the length of the look ahead. Raises ChangeError for a number out of bounds."""
        _check_number("limit", self.limit_ratio, 0.0, 10.0)
        if self.member_usd is not None:
            _check_number("member_usd", self.member_usd, 0.0, 1e9, "a price")
        if self.top is not None and (type(self.top) is not int or not 1 <= self.top <= MAX_TOP):
            raise ChangeError(f"top {self.top}", where="growth", expected=f"a whole number from 1 to {MAX_TOP}")
        if self.until is None:
            return float(DEFAULT_YEARS)
        if as_of is None:
            raise ChangeError("no day to count from", where="until", hint="state as_of in the document")
        last = as_of.year + MAX_YEARS
        if type(self.until) is not int or not as_of.year <= self.until <= min(last, 9998):
            raise ChangeError(f"until {self.until}", where="growth", expected=f"a year from {as_of.year} to {last}")
        return (date(self.until, 12, 31) - as_of).days / DAYS_PER_YEAR

    def rate_of(self, document: TopologyDocument) -> dict[str | None, float]:
        """Return the growth of each class, and of demands without one under None.

        Raises:
            ChangeError: an unknown class, a rate out of bounds, or no growth at all.
        """
        used = _used_classes(document)
        stated = {row.id: row.growth_ratio_per_year for row in document.traffic_classes}
        known = {name for name in used if name is not None} | set(stated)
        default = self.growth_ratio_per_year
        if default is not None:
            _check_number("growth", default, -1.0, 10.0)
        for name, rate in (self.rates or {}).items():
            if name not in known:
                expected = f"one of {', '.join(sorted(known))}" if known else "demands with a traffic_class"
                raise ChangeError(
                    f"no traffic class {name!r}", where="rates", expected=expected, hint=did_you_mean(name, known)
                )
            _check_number(f"growth of {name}", rate, -1.0, 10.0)
        rates = {name: (self.rates or {}).get(name, stated.get(name, default or 0.0)) for name in known}
        found: dict[str | None, float] = {None: default or 0.0}
        found.update(rates)
        if all(found[name] == 0.0 for name in used):
            raise ChangeError(
                "no traffic grows",
                where="growth",
                hint="growth_ratio_per_year of the question (option --rate of the command) or of traffic_classes",
            )
        return found

    def without_effect(self, document: TopologyDocument) -> Iterator[str]:
        """Yield a sentence for each growth of the question that applies to no demand; zeros change nothing."""
        used = _used_classes(document)
        for name, rate in sorted((self.rates or {}).items()):
            if rate and name not in used:
                yield f"Growth of {percent_text(rate)} applies to no demand: none has the class {name}."
        owned = {row.id for row in document.traffic_classes} | set(self.rates or {})
        if self.growth_ratio_per_year and used <= owned:
            growth = percent_text(self.growth_ratio_per_year)
            yield f"Growth of {growth} applies to no demand: the class of each has a growth of its own."


def _used_classes(document: TopologyDocument) -> set[str | None]:
    return {demand.traffic_class for demand in document.demands}


def _check_number(name: str, value: Any, low: float, high: float, noun: str = "a ratio") -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low < value <= high:
        hint = ratio_hint(f"{value:g}") if noun == "a ratio" and isinstance(value, float | int) and value > high else ""
        raise ChangeError(
            f"{name} {value}", where="growth", expected=f"{noun} above {low:g}, up to {high:,.12g}", hint=hint
        )
