"""Records of leases: who rents which part of a site, for how much and how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from .identity import Name, Note, Provenance, Tag, Tags
from .records import STRICT, Id

Days = Annotated[int, Field(ge=0, le=100_000)]


@dataclass(frozen=True, slots=True)
class SiteLease:
    """A lease of accelerators of one site to a tenant. A term that is not stated is unknown."""

    __pydantic_config__ = STRICT

    tenant: Tag
    """Who rents."""
    site: Id
    """Id of the site."""
    n_accelerators: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """Accelerators that the tenant gets; None = all of the site."""
    usd_per_month: Annotated[float, Field(ge=0, le=1e12)] | None = None
    """Rent a month, of all its accelerators together."""
    start: date | None = None
    """First day."""
    term_days: Days | None = None
    """Days until the lease ends by itself."""
    notice_days: Days | None = None
    """Days between notice and the end."""
    cancellable_from_day: Days | None = None
    """First day on which notice may be given; 0 = the day of the start."""
    power_paid_by: Literal["owner", "tenant"] | None = None
    """Who pays for electricity."""
    n_needed_accelerators: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    """Accelerators that the tenant needs; None = those that it leases."""
    needed_from: date | None = None
    """First day on which the tenant needs them; None = the start."""
    needed_until: date | None = None
    """First day on which the tenant needs them no more; None = never."""
    own_ready: date | None = None
    """Day on which the tenant's own accelerators are ready."""
    n_own_accelerators: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    """Accelerators of its own that are ready then; None = as many as it leases."""
    note: Note = ""
    """Text for readers."""
    name: Name = ""
    """Display name; not a key."""
    tags: Tags = ()
    """Free labels; not used in answers."""
    source: Provenance | None = None
    """Origin of the record: a text, or file, position and id in it."""


def lease_key(lease: SiteLease) -> tuple[str, str, str, str]:
    """Return the order of leases in a document."""
    return lease.site, lease.tenant, lease.start.isoformat() if lease.start else "", repr(lease)
