"""Present value of what a plan costs and brings: purchases, running costs, rent, residual value, payback.

Day 0 is the day of the decision. Running amounts are paid at the end of each month, a twelfth of a year; the last part
of a month is paid on its last day. An amount paid at `t` years is divided by `(1 + discount_ratio_per_year) ** t`.
This is the arithmetic of a spreadsheet with one row a month.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import fsum, inf

from ..render.quantities import usd_text
from ..units import MONTHS_PER_YEAR

MAX_HORIZON_YEARS = 100.0
"""Longest horizon; it bounds the months that are added up."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A purchase at day 0 whose value falls in a straight line to zero over its lifetime."""

    usd: float
    lifetime_years: float | None
    """None = worth nothing afterwards, as labour."""

    def residual_usd(self, years: float) -> float:
        """Return what is left of the price after some years."""
        if not self.lifetime_years:
            return 0.0
        return self.usd * max(1.0 - years / self.lifetime_years, 0.0)


@dataclass(frozen=True, slots=True)
class Stream:
    """An income, or a cost below zero, at an even rate from one time to another."""

    usd_per_year: float
    start_years: float = 0.0
    end_years: float = inf


@dataclass(frozen=True, slots=True)
class PlanCash:
    """Cash of a plan: purchases at day 0, cost of operation, rent of leases, and the worth of its work."""

    assets: tuple[Asset, ...]
    opex_usd_per_year: float
    """Change of the cost of operation; positive where it rises."""
    leases: tuple[Stream, ...] = ()
    """Rent and electricity that tenants pay after the plan, and what they pay without it below zero."""
    work_usd_per_year: float = 0.0
    """Worth of what the plan makes possible; 0 where it is not known."""

    @property
    def capex_usd(self) -> float:
        """Price of all purchases."""
        return fsum(asset.usd for asset in self.assets)


@dataclass(frozen=True, slots=True)
class PresentValue:
    """Present value of a plan over a time, part by part; costs are below zero, and the parts add up to `npv_usd`."""

    years: float
    capex_usd: float
    opex_usd: float
    leases_usd: float
    residual_usd: float
    """Value of the purchases that is left at the end."""
    work_usd: float
    npv_usd: float

    @property
    def cost_usd(self) -> float:
        """Cost of the plan itself: purchases and operation less the residual value; rent and work left out."""
        return 0.0 - (self.capex_usd + self.opex_usd + self.residual_usd)


def discount_factor(discount_ratio_per_year: float, years: float) -> float:
    """Return the present value of one dollar at the end of some years."""
    return float((1.0 + discount_ratio_per_year) ** -years)


@lru_cache(maxsize=4096)
def annuity_years(discount_ratio_per_year: float, start_years: float, end_years: float) -> float:
    """Return the present value of one dollar a year from one time to another, in years.

    Args:
        discount_ratio_per_year: 0.1 is 10 %.
        start_years: start, from day 0.
        end_years: end, at most `MAX_HORIZON_YEARS`.
    """
    return fsum(
        length * discount_factor(discount_ratio_per_year, end) for length, end in _months(start_years, end_years)
    )


def _months(start_years: float, end_years: float) -> Iterator[tuple[float, float]]:
    """Yield (length, end) in years of each month, or part of one, between two times."""
    start, end = max(start_years, 0.0), min(end_years, MAX_HORIZON_YEARS)
    month = int(start * MONTHS_PER_YEAR + 1e-9)
    while start < end:
        month += 1
        stop = min(month / MONTHS_PER_YEAR, end)
        if stop > start:
            yield stop - start, stop
        start = max(stop, start)


def present_value(cash: PlanCash, years: float, discount_ratio_per_year: float) -> PresentValue:
    """Compute the present value of a plan over a time.

    Args:
        cash: purchases, running costs and income of the plan.
        years: length of the time, from day 0; above 0.
        discount_ratio_per_year: 0.1 is 10 %.

    Returns:
        All parts in USD of day 0.
    """
    all_years = annuity_years(discount_ratio_per_year, 0.0, years)
    residual = fsum(asset.residual_usd(years) for asset in cash.assets)
    leases = fsum(
        stream.usd_per_year * annuity_years(discount_ratio_per_year, stream.start_years, min(stream.end_years, years))
        for stream in cash.leases
    )
    parts = {
        "capex_usd": 0.0 - cash.capex_usd,
        "opex_usd": 0.0 - cash.opex_usd_per_year * all_years,
        "leases_usd": leases,
        "residual_usd": residual * discount_factor(discount_ratio_per_year, years),
        "work_usd": cash.work_usd_per_year * all_years,
    }
    return PresentValue(years=years, **parts, npv_usd=fsum(parts.values()))


def payback_years(cash: PlanCash, until_years: float = MAX_HORIZON_YEARS) -> float | None:
    """Return when income and savings have paid the purchases back, without discount and residual value.

    Args:
        cash: purchases, running costs and income of the plan.
        until_years: last time to look at.

    Returns:
        Years from day 0, 0.0 where nothing is bought and nothing costs more; None where it never happens.
    """
    even = cash.work_usd_per_year - cash.opex_usd_per_year
    balance, time = -cash.capex_usd, 0.0
    edges = {edge for stream in cash.leases for edge in (stream.start_years, stream.end_years)}
    for edge in sorted({min(max(edge, 0.0), until_years) for edge in edges} | {until_years}):
        rate = even + fsum(s.usd_per_year for s in cash.leases if s.start_years <= time < s.end_years)
        if balance >= 0.0 and (rate >= 0.0 or balance > 0.0):
            return time
        if rate > 0.0 and balance + rate * (edge - time) >= 0.0:
            return time - balance / rate
        balance, time = balance + rate * (edge - time), edge
    return time if balance >= 0.0 else None


def loss_warning(horizon: PresentValue, firm: PresentValue | None) -> str | None:
    """Return the sentence that says that a plan loses money; None where it does not.

    Every recommendation of a plan shows it.

    Args:
        horizon: present value over the whole horizon.
        firm: present value over the firm part of the leases; None without a firm part.
    """
    losses = [
        f"{usd_text(value.npv_usd)} over {name}"
        for value, name in ((firm, "the firm part of the leases"), (horizon, f"{horizon.years:g} years"))
        if value is not None and value.npv_usd < 0.0
    ]
    return f"The net present value is negative: {', and '.join(losses)}." if losses else None
