"""Rules of leases: known sites, and no more accelerators than there are on any day."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta

from ..errors import Issue, did_you_mean
from ..errors.wording import counted, quoted
from .leases import SiteLease

FOREVER = date.max


def lease_issues(leases: Collection[SiteLease], owned: Mapping[str, int]) -> Iterator[Issue]:
    """Find leases of unknown sites, of sites without accelerators, and of more accelerators than a site has.

    A lease without a start or a term runs for ever, so that it never takes less than it may.

    Args:
        leases: leases of a document.
        owned: accelerators of each site.
    """
    by_site: dict[str, list[tuple[str, SiteLease]]] = {}
    for i, lease in enumerate(leases):
        where = f"leases[{i}]"
        if lease.site not in owned:
            hint = did_you_mean(lease.site, owned)
            yield Issue(f"{where}.site", f"no site {quoted(lease.site)}", hint or "add it under `sites`")
        elif not owned[lease.site]:
            yield Issue(f"{where}.site", f"{lease.site} has no accelerators", "lease a site that has some")
        elif (lease.n_accelerators or 0) > owned[lease.site]:
            n, most = counted(lease.n_accelerators or 0, "accelerator"), owned[lease.site]
            yield Issue(f"{where}.n_accelerators", f"{n}, more than {lease.site} has", f"at most {most:,}")
        elif lease.start is not None and lease.term_days is not None and not _has_end(lease):
            yield Issue(f"{where}.term_days", "ends after the year 9999", "a shorter term")
        elif lease.needed_from and lease.needed_until and lease.needed_until <= lease.needed_from:
            yield Issue(f"{where}.needed_until", "not after needed_from", "the first day without need")
        else:
            by_site.setdefault(lease.site, []).append((where, lease))
    for site, placed in by_site.items():
        yield from _too_many(site, placed, owned[site])


def _too_many(site: str, placed: list[tuple[str, SiteLease]], n_owned: int) -> Iterator[Issue]:
    """Find the first lease whose start leaves fewer accelerators than are leased on that day."""
    for where, lease in placed:
        day = lease.start or date.min
        n = n_leased_on([other for _, other in placed], site, day, n_owned)
        if n > n_owned:
            problem = (
                f"{n:,} accelerators of {site} leased on {day.isoformat()}"
                if lease.start
                else (f"{n:,} accelerators of {site} leased at once")
            )
            hint = f"at most {n_owned:,}; state n_accelerators, start and term_days of each lease"
            yield Issue(where, problem, hint)
            return


def runs_on(lease: SiteLease, day: date) -> bool:
    """Return whether a lease may run on a day: between start and end of its term, as far as these are stated."""
    start, end = lease.start or date.min, term_end(lease) or FOREVER
    return start <= day and (day < end or day == date.min)


def n_leased_on(leases: Iterable[SiteLease], site: str, day: date, n_owned: int) -> int:
    """Return the accelerators of a site that are leased on a day; a lease that states no number has all of them."""
    return sum(lease.n_accelerators or n_owned for lease in leases if lease.site == site and runs_on(lease, day))


def days_of_starts(leases: Iterable[SiteLease], day: date) -> list[date]:
    """Return a day, and each later day on which a lease starts."""
    return sorted({day, *(lease.start for lease in leases if lease.start is not None and lease.start > day)})


def busiest_day(leases: Collection[SiteLease], site: str, day: date, n_owned: int) -> tuple[date, int]:
    """Return the first day, this one or later, on which most accelerators of a site are leased, and how many."""
    counts = [(n_leased_on(leases, site, start, n_owned), start) for start in days_of_starts(leases, day)]
    most = max(n for n, _ in counts)
    return next(start for n, start in counts if n == most), most


def term_end(lease: SiteLease) -> date | None:
    """Return the first day after the term; None where start or term is not stated."""
    if lease.start is None or lease.term_days is None:
        return None
    return lease.start + timedelta(days=lease.term_days)


def _has_end(lease: SiteLease) -> bool:
    try:
        return term_end(lease) is not None
    except OverflowError:
        return False
