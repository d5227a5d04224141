"""The tenant's side of a lease: days and accelerators that it lacks when the lease ends before its own are ready."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from ..model.leases import SiteLease
from .lease_terms import terms_of


@dataclass(frozen=True, slots=True)
class TenantSide:
    """Gap of a tenant. Figures are null where a term is not stated; `why` then names it."""

    tenant: str
    site: str
    n_needed_accelerators: int
    lease_ends: date | None
    """Earliest end of the lease: that of a notice on the first day on which one may still be given."""
    own_ready: date | None
    """Day on which the tenant's own accelerators are ready."""
    days_before_start: int | None
    """Days on which they are needed before the lease starts."""
    gap_days: int | None
    """Days between the earliest end and the day on which its own are ready, as far as they are needed."""
    n_lacking_accelerators: int | None
    """Accelerators that it lacks on these days; 0 without a gap."""
    n_lacking_afterwards: int | None
    """Accelerators that it lacks from then on: needed, less its own."""
    notice_day: date | None
    """Day on which it gives notice so that the lease ends when its own are ready; never before one may be given."""
    paid_twice_days: int | None
    """Days on which it pays for the lease though its own are ready."""
    why: dict[str, str] = field(default_factory=dict, metadata={"optional": True})


def has_tenant_side(lease: SiteLease) -> bool:
    """Return whether a lease states anything of what its tenant needs or builds."""
    stated = (lease.own_ready, lease.n_own_accelerators, lease.n_needed_accelerators, lease.needed_from)
    return any(value is not None for value in (*stated, lease.needed_until))


def tenant_side_of(lease: SiteLease, n_leased: int, day: date | None = None) -> TenantSide:
    """Compute what a tenant lacks.

    Args:
        lease: the lease.
        n_leased: accelerators of the lease.
        day: day of the question, before which no notice can be given any more; None = the start.
    """
    end, ready = terms_of(lease, day).earliest_end, lease.own_ready
    n_needed = n_leased if lease.n_needed_accelerators is None else lease.n_needed_accelerators
    n_own = n_leased if lease.n_own_accelerators is None else lease.n_own_accelerators
    gap = None if end is None or ready is None else _gap_days(lease, end, ready)
    notice = _notice_day(lease, day)
    paid_twice = None
    if notice is not None and ready is not None and lease.notice_days is not None:
        paid_twice = max((notice + timedelta(days=lease.notice_days) - ready).days, 0)
    before = None
    if lease.start is not None:
        before = 0 if lease.needed_from is None else max((lease.start - lease.needed_from).days, 0)
    figures = {
        "lease_ends": end,
        "days_before_start": before,
        "gap_days": gap,
        "notice_day": notice,
        "paid_twice_days": paid_twice,
    }
    needed = ("start", "notice_days", "cancellable_from_day", "own_ready")
    missing = [name for name in needed if getattr(lease, name) is None]
    why = {name: f"not stated: {', '.join(missing)}" for name, value in figures.items() if value is None and missing}
    return TenantSide(
        tenant=lease.tenant,
        site=lease.site,
        n_needed_accelerators=n_needed,
        lease_ends=end,
        own_ready=ready,
        days_before_start=before,
        gap_days=gap,
        n_lacking_accelerators=None if gap is None else n_needed if gap else 0,
        n_lacking_afterwards=None if ready is None else max(n_needed - n_own, 0),
        notice_day=notice,
        paid_twice_days=paid_twice,
        why=why,
    )


def _gap_days(lease: SiteLease, end: date, ready: date) -> int:
    """Days from the end of the lease until its own are ready, or until nothing is needed."""
    last = ready if lease.needed_until is None else min(ready, lease.needed_until)
    return max((last - end).days, 0)


def _notice_day(lease: SiteLease, day: date | None) -> date | None:
    """Day of a notice that ends the lease when the tenant's own are ready; None where a term is not stated."""
    if lease.start is None or lease.own_ready is None or lease.notice_days is None:
        return None
    if lease.cancellable_from_day is None:
        return None
    try:
        first = max(lease.start + timedelta(days=lease.cancellable_from_day), day or date.min)
        return max(first, lease.own_ready - timedelta(days=lease.notice_days))
    except OverflowError:
        return None
