"""Metrics of money; null where a price is unknown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ..economics.cost import NetworkCost
from ..economics.lease_terms import rent_unknown
from ..errors.wording import counted
from ..model.lease_rules import runs_on
from ..render.quantities import names_text
from ..stages.evaluation import Evaluation
from ..units import MONTHS_PER_YEAR
from .metric import NotApplicableError

MAX_NAMED = 3
"""Most parts without a price that a reason names."""


def check_priced(parts: Sequence[str]) -> None:
    """Raise NotApplicableError that names the parts without a price; none is fine."""
    if parts:
        raise NotApplicableError(unpriced_text(parts))


def unpriced_text(parts: Sequence[str]) -> str:
    """Return the reason of an unknown price, with the parts that have none."""
    more = f" and {len(parts) - MAX_NAMED} more" if len(parts) > MAX_NAMED else ""
    return f"no price for {', '.join(parts[:MAX_NAMED])}{more}: state part_usd in a price book"


def unpriced_purchases_text(cost: NetworkCost) -> str:
    """Return the reason why the purchases of a change have no known price; empty where all are priced."""
    reasons = [unpriced_text(cost.unpriced_purchases)] if cost.unpriced_purchases else []
    counts = (
        (cost.n_unpriced_links, "link", "links", "transceiver"),
        (cost.n_unpriced_switches, "new switch", "new switches", "part"),
    )
    unnamed = [
        f"{counted(n, item, items)} {'names' if n == 1 else 'name'} no {part}" for n, item, items, part in counts if n
    ]
    return "; ".join([*reasons, *([f"not priced: {' and '.join(unnamed)}"] if unnamed else [])])


def capex_usd(e: Evaluation) -> float:
    """Purchases of a change."""
    if why := unpriced_purchases_text(e.money):
        raise NotApplicableError(why)
    return e.money.capex_usd


def opex_usd_per_year(e: Evaluation) -> float:
    """Cost of operation of the network; maintenance is a share of its price."""
    check_priced(e.money.unpriced_parts)
    return e.money.opex_usd_per_year


def list_rental_usd_per_day(e: Evaluation) -> float:
    """Cost of the job's accelerator-hours of a day at list rental."""
    if e.list_rental_usd_per_day is None:
        raise NotApplicableError(e.why_no_step or "the price book has no rental for a kind in use")
    return e.list_rental_usd_per_day


def lease_break_even_usd_per_month(e: Evaluation) -> float:
    """Lease price above which leasing the site out beats keeping it for the job, at list rental."""
    check_priced(e.money.unpriced_parts)
    if e.lease is None:
        raise NotApplicableError("no job, or no site of the job has a lease price")
    return e.lease.at_list_usd_per_month


def lease_income_usd_per_year(e: Evaluation) -> float:
    """Rent of the leases that run on the day of the document."""
    document = e.case.document
    if not document.leases and not any(site.lease_usd_per_month for site in document.sites):
        raise NotApplicableError("no leases, and no site has a lease price")
    running = [lease for lease in document.leases if runs_on(lease, document.as_of or date.min)]
    if unknown := rent_unknown(running):
        raise NotApplicableError(f"rent not stated: {names_text(unknown)}")
    return sum(lease.usd_per_month or 0.0 for lease in running) * MONTHS_PER_YEAR
