"""Terms of leases in money and dates: what is firm, when a tenant may leave at the earliest, the run rate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import inf

from ..model.lease_rules import runs_on, term_end
from ..model.leases import SiteLease
from ..units import MONTHS_PER_YEAR
from .present_value import Stream

DAYS_PER_YEAR = 365
"""Days over which the rent of a year is spread; contracts leave leap days out."""


@dataclass(frozen=True)
class LeaseTerms:
    """Money and dates of a lease; None where a term is not stated, `why` then names it."""

    usd_per_day: float | None
    earliest_end_day: int | None
    """Days after the start on which the lease ends at the earliest."""
    earliest_end: date | None
    term_end: date | None
    firm_usd: float | None
    """Rent from the start, or from the day of the question if that is later, until the earliest end."""
    term_usd: float | None
    """Rent until the end of the term."""
    why: dict[str, str]


def terms_of(lease: SiteLease, day: date | None = None) -> LeaseTerms:
    """Compute what a lease brings. A month is a twelfth of a year of 365 days.

    The earliest end is that of a notice on the first day on which one may still be given, or the end of the term if
    that is earlier.

    Args:
        lease: the lease.
        day: day of the question, before which no notice can be given any more; None = the start.
    """
    why: dict[str, str] = {}
    usd_per_day = None if lease.usd_per_month is None else usd_per_day_of(lease.usd_per_month)
    last_day = earliest_end_day(lease, day)
    end = None if lease.start is None or last_day is None else _day(lease.start, last_day)
    n_firm_days = None if last_day is None else max(last_day - _days_run(lease, day), 0)
    firm_usd = None if usd_per_day is None or n_firm_days is None else usd_per_day * n_firm_days
    term_usd = None if usd_per_day is None or lease.term_days is None else usd_per_day * lease.term_days
    for name, value, needed in (
        ("usd_per_day", usd_per_day, ("usd_per_month",)),
        ("earliest_end_day", last_day, ("notice_days", "cancellable_from_day")),
        ("earliest_end", end, ("start", "notice_days", "cancellable_from_day")),
        ("term_end", term_end(lease), ("start", "term_days")),
        ("firm_usd", firm_usd, ("usd_per_month", "notice_days", "cancellable_from_day")),
        ("term_usd", term_usd, ("usd_per_month", "term_days")),
    ):
        if value is None:
            missing = [key for key in needed if getattr(lease, key) is None]
            why[name] = f"not stated: {', '.join(missing)}" if missing else "after the year 9999"
    return LeaseTerms(usd_per_day, last_day, end, term_end(lease), firm_usd, term_usd, why)


def usd_per_day_of(usd_per_month: float) -> float:
    """Return the rent a day: twelve months over 365 days."""
    return usd_per_month * MONTHS_PER_YEAR / DAYS_PER_YEAR


def earliest_end_day(lease: SiteLease, day: date | None = None) -> int | None:
    """Return the days from the start until a lease ends at the earliest; None where a term is not stated.

    Args:
        lease: the lease.
        day: first day on which notice can still be given; None = the start.
    """
    if lease.notice_days is None or lease.cancellable_from_day is None:
        return None
    last_day = max(lease.cancellable_from_day, _days_run(lease, day)) + lease.notice_days
    return last_day if lease.term_days is None else min(last_day, lease.term_days)


def _days_run(lease: SiteLease, day: date | None) -> int:
    """Days that a lease has run on a day; 0 for one that states no start."""
    return 0 if lease.start is None or day is None else max((day - lease.start).days, 0)


def _day(start: date, n_days: int) -> date | None:
    try:
        return start + timedelta(days=n_days)
    except OverflowError:
        return None


@dataclass(frozen=True)
class RunRate:
    """Rent of all leases that run from one day on; `until` is the first day on which that changes."""

    since: date | None
    until: date | None
    usd_per_year: float | None
    """None where a lease that runs states no rent."""
    tenants: tuple[str, ...]


def run_rates(leases: Sequence[SiteLease]) -> Iterator[RunRate]:
    """List the rent a year of all leases together, period by period; leases without a start count from the first day.

    Periods without a lease are left out.
    """
    days = sorted({day for lease in leases for day in (lease.start, term_end(lease)) if day is not None})
    if not days:
        days = [date.min] if leases else []
    for i, day in enumerate(days):
        running = [lease for lease in leases if runs_on(lease, day)]
        if not running:
            continue
        rents = [lease.usd_per_month for lease in running]
        known = [rent for rent in rents if rent is not None]
        yield RunRate(
            since=None if day == date.min else day,
            until=days[i + 1] if i + 1 < len(days) else None,
            usd_per_year=sum(known) * MONTHS_PER_YEAR if len(known) == len(rents) else None,
            tenants=tuple(lease.tenant for lease in running),
        )


def lease_streams(leases: Sequence[SiteLease], day: date, *, firm: bool = False, sign: float = 1.0) -> list[Stream]:
    """Return the rent of leases from one day on, as streams in years of 365 days.

    A lease without a start runs from the first day. One without a rent is left out, as is the firm part of one whose
    notice is not stated; `rent_unknown` names the former.

    Args:
        leases: the leases.
        day: day 0.
        firm: stop at the earliest end of each lease, in place of the end of its term.
        sign: -1.0 for rent that is lost.
    """
    rents = [(lease, lease.usd_per_month) for lease in leases if lease.usd_per_month is not None]
    return _streams([(lease, sign * usd_per_day_of(rent) * DAYS_PER_YEAR) for lease, rent in rents], day, firm)


def power_streams(
    leases: Sequence[SiteLease],
    day: date,
    owned: Mapping[str, int],
    power_usd_per_year: Mapping[str, float],
    *,
    firm: bool = False,
    sign: float = 1.0,
) -> list[Stream]:
    """Return the electricity that tenants pay from one day on, as streams in years of 365 days.

    Args:
        leases: the leases.
        day: day 0.
        owned: accelerators of each site.
        power_usd_per_year: electricity of each site.
        firm: stop at the earliest end of each lease, in place of the end of its term.
        sign: -1.0 for what is lost.
    """
    amounts = []
    for lease in leases:
        n_owned = owned.get(lease.site, 0)
        ratio = power_ratio(lease.power_paid_by, lease.n_accelerators or n_owned, n_owned)
        if ratio:
            amounts.append((lease, sign * ratio * power_usd_per_year.get(lease.site, 0.0)))
    return _streams(amounts, day, firm)


def _streams(amounts: Sequence[tuple[SiteLease, float]], day: date, firm: bool) -> list[Stream]:
    """Return USD a year of leases as streams from a day on."""
    streams = []
    for lease, usd_per_year in amounts:
        end_days = _end_days(lease, day, firm)
        if end_days is None or end_days <= 0:
            continue
        start_days = max((lease.start - day).days, 0) if lease.start is not None else 0
        streams.append(Stream(usd_per_year, start_days / DAYS_PER_YEAR, end_days / DAYS_PER_YEAR))
    return streams


def power_ratio(payer: str | None, n_leased: int, n_owned: int) -> float:
    """Return the share of a site's electricity that a tenant pays: pro rata by accelerators, 0.0 if the owner pays."""
    return n_leased / n_owned if payer == "tenant" and n_owned else 0.0


def rent_unknown(leases: Sequence[SiteLease]) -> tuple[str, ...]:
    """Return the tenants whose lease states no rent."""
    return tuple(lease.tenant for lease in leases if lease.usd_per_month is None)


def firm_years(leases: Sequence[SiteLease], day: date) -> float | None:
    """Return the time from a day until the last lease may end at the earliest, in years of 365 days.

    None where no lease has a firm part after that day: it has ended, or its notice is not stated.
    """
    ends = [end for lease in leases if (end := _end_days(lease, day, firm=True)) is not None and end > 0]
    return max(ends) / DAYS_PER_YEAR if ends else None


def _end_days(lease: SiteLease, day: date, firm: bool) -> float | None:
    """Days from `day` to the end of a lease; infinite where its term is not stated, None without a firm part."""
    n_days = earliest_end_day(lease, day) if firm else lease.term_days
    if n_days is None:
        return None if firm else inf
    return float(n_days if lease.start is None else (lease.start - day).days + n_days)
