"""Leases and stranded capacity: what tenants pay and for how long it is firm, what is free, what idles."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

import numpy as np

from ..catalogue.figure_reader import FigureReader
from ..economics.cost import site_power_w
from ..economics.lease_terms import RunRate, run_rates, terms_of
from ..economics.stranded import AcceleratorUse, GroupTimes, accelerator_use, accelerators_by_site
from ..economics.tenant_side import TenantSide, has_tenant_side, tenant_side_of
from ..model.document import TopologyDocument
from ..model.lease_rules import busiest_day, n_leased_on
from ..model.leases import SiteLease, lease_key
from ..render.lease_table import lease_table
from ..render.quantities import percent_text, usd_text
from ..scenario.lease_faults import lease_faults
from ..stages.evaluation import Evaluation
from ..units import HOURS_PER_MONTH
from .data import Answer
from .score import data_frame

STRANDED = ("no_job", "waiting", "network", "power_or_cooling", "failures", "out_of_service")
"""Parts of a site's accelerators that bring nothing."""


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """One lease. Figures are null where a term is not stated; `why` then names it."""

    tenant: str
    site: str
    n_accelerators: int
    usd_per_month: float | None
    usd_per_day: float | None
    usd_per_accelerator_hour: float | None
    start: date | None
    term_end: date | None
    earliest_end_day: int | None
    """Days after the start on which the lease may end at the earliest."""
    earliest_end: date | None
    firm_usd: float | None
    """Rent from the day of the document, or from the start if that is later, until the earliest end."""
    term_usd: float | None
    """Rent until the end of the term."""
    power_paid_by: str | None
    why: dict[str, str] = field(default_factory=dict, metadata={"optional": True})


@dataclass(frozen=True, slots=True)
class FreeShare:
    """Accelerators of a site that neither the job nor a tenant uses, at the site's lease price pro rata."""

    site: str
    n_owned: int
    n_used: int
    """Accelerators of the job."""
    n_leased: int
    n_free: int
    """In service, and without a lease that starts later."""
    usd_per_month: float | None
    """Null where the site states no lease price."""


@dataclass(frozen=True, slots=True)
class StrandedPart:
    """Accelerators of a site that bring nothing, by reason."""

    site: str
    reason: str
    """`no_job`, `waiting`, `network`, `power_or_cooling`, `failures` or `out_of_service`."""
    n_accelerators: float
    """Time counted as accelerators."""
    usd_per_month: float | None
    """At the site's lease price pro rata, else at list rental; null where neither is known."""


@dataclass(frozen=True, kw_only=True, repr=False)
class LeaseReport(Answer):
    """Leases with what is firm, free shares of sites, and stranded capacity by reason."""

    network: str
    as_of: str | None
    job: str | None
    plan: str | None
    summary: tuple[str, ...]
    leases: tuple[LeaseRow, ...]
    run_rates: tuple[RunRate, ...]
    free: tuple[FreeShare, ...]
    use: tuple[AcceleratorUse, ...]
    stranded: tuple[StrandedPart, ...]
    tenants: tuple[TenantSide, ...] = field(default=(), metadata={"optional": True})
    """Gaps of tenants whose lease ends before their own accelerators are ready; absent where nothing is stated."""

    def to_pandas(self) -> Any:
        """Return the leases as a DataFrame (needs the extra `tables`)."""
        rows = self.to_dict()["leases"]
        return data_frame(rows, [spec.name for spec in fields(LeaseRow) if spec.name != "why"])

    def _table(self) -> Any:
        return lease_table(self.to_dict())


def lease_report(e: Evaluation, network: str, plan: str | None, reader: FigureReader) -> LeaseReport:
    """Build the report of leases.

    Args:
        e: evaluation of the network, after changes if there are any.
        network: name of the network.
        plan: name of the plan, or `changes`; None for the unchanged network.
        reader: source of figures.
    """
    document, state = e.case.document, e.case.state
    day = document.as_of or date.min
    leases = sorted(document.leases, key=lease_key)
    owned = accelerators_by_site(state, document)
    n_leased = {site: n_leased_on(leases, site, day, n) for site, n in owned.items()}
    use = _use(e, n_leased, reader)
    later = {site: busiest_day(leases, site, day, n)[1] - n_leased[site] for site, n in owned.items()}
    free = tuple(_free(document, row, later[row.site]) for row in use)
    price = {row.site: _usd_per_accelerator_month(e, row.site, row.n_owned, reader) for row in use}
    stranded = tuple(
        StrandedPart(row.site, reason, n, None if price[row.site] is None else n * (price[row.site] or 0.0))
        for row in use
        for reason in STRANDED
        if (n := getattr(row, reason)) > 0
    )
    rates = tuple(run_rates(leases))
    rows = tuple(_row(lease, owned.get(lease.site, 0), document.as_of) for lease in leases)
    tenants = tuple(
        tenant_side_of(lease, lease.n_accelerators or owned.get(lease.site, 0), document.as_of)
        for lease in leases
        if has_tenant_side(lease)
    )
    faults = lease_faults(state, document, e.case.job).values()
    where = f"jobs[{e.case.job.id}]." if e.case.job is not None else "no job"
    return LeaseReport(
        network=network,
        as_of=document.as_of.isoformat() if document.as_of else None,
        job=e.case.job.id if e.case.job else None,
        plan=plan,
        summary=(
            *_summary(rows, rates, free, use, stranded),
            *(f"{fault.issue!s}." for fault in faults if fault.where.startswith(where)),
            *map(tenant_sentence, tenants),
        ),
        leases=rows,
        run_rates=rates,
        free=free,
        use=use,
        stranded=stranded,
        tenants=tenants,
    )


def tenant_sentence(side: TenantSide) -> str:
    """Return what a tenant lacks as a sentence."""
    who = f"{side.tenant} at {side.site}"
    if side.gap_days is None:
        return f"What {who} lacks is unknown ({side.why.get('gap_days', 'no end of the lease')})."
    later = f"; afterwards {side.n_lacking_afterwards:,}" if side.n_lacking_afterwards else ""
    if not side.gap_days:
        return f"{who} lacks nothing when the lease ends{later}."
    return (
        f"{who} lacks {side.n_lacking_accelerators:,} accelerators for {side.gap_days:,} days if the lease ends on "
        f"{side.lease_ends}: its own are ready on {side.own_ready}{later}."
    )


def _row(lease: SiteLease, n_at_site: int, day: date | None) -> LeaseRow:
    terms, n = terms_of(lease, day), lease.n_accelerators or n_at_site
    per_hour = None if lease.usd_per_month is None or not n else lease.usd_per_month / (n * HOURS_PER_MONTH)
    return LeaseRow(
        tenant=lease.tenant,
        site=lease.site,
        n_accelerators=n,
        usd_per_month=lease.usd_per_month,
        usd_per_day=terms.usd_per_day,
        usd_per_accelerator_hour=per_hour,
        start=lease.start,
        term_end=terms.term_end,
        earliest_end_day=terms.earliest_end_day,
        earliest_end=terms.earliest_end,
        firm_usd=terms.firm_usd,
        term_usd=terms.term_usd,
        power_paid_by=lease.power_paid_by,
        why=terms.why,
    )


def _use(e: Evaluation, n_leased: Mapping[str, int], reader: FigureReader) -> tuple[AcceleratorUse, ...]:
    step, placed = e.step, e.placed
    counts: dict[tuple[str, str], int] = {}
    idled: dict[str, int] = {}
    if placed is not None:
        for group in placed.groups:
            key = group.site, group.accelerator
            counts[key] = counts.get(key, 0) + len(group.rack)
        for blocks, group in zip(e.cards.idled if e.cards is not None else (), placed.groups, strict=False):
            n = int(blocks.sum()) * (len(group.rack) // len(blocks))
            counts[group.site, group.accelerator] -= n
            idled[group.site] = idled.get(group.site, 0) + n
    busy_s: dict[tuple[str, str], float] = {}
    if step is not None:
        for timed, seconds in zip(step.groups, step.group_time_s, strict=True):
            key = timed.site, timed.accelerator
            busy_s[key] = max(seconds, busy_s.get(key, 0.0))
    groups = [GroupTimes(site, n, busy_s[site, part]) for (site, part), n in counts.items() if (site, part) in busy_s]
    times = (step.step_time_s, step.exposed_comm_time_s) if step is not None else (1.0, 0.0)
    return accelerator_use(e.case.state, groups, *times, e.goodput_ratio, idled, n_leased, _unpowered(e, reader))


def _unpowered(e: Evaluation, reader: FigureReader) -> dict[str, int]:
    """Accelerators beyond what each site can power: its demand over its limit, in proportion."""
    state = e.case.state
    limits = {site.id: site.power_megawatts for site in e.case.document.sites if site.power_megawatts is not None}
    needed_w = site_power_w(state, e.case.document, reader)
    found = {}
    for row, name in enumerate(state.arrays.sites):
        limit_w = limits.get(name, 0.0) * 1e6
        if limit_w and needed_w[row] > limit_w:
            n = int(state["node_n_accelerators"][state["node_site"] == row].sum())
            found[name] = math.ceil(n * (1.0 - limit_w / needed_w[row]))
    return found


def _free(document: TopologyDocument, use: AcceleratorUse, n_leased_later: int) -> FreeShare:
    price = next((site.lease_usd_per_month for site in document.sites if site.id == use.site), None)
    n_free = max(round(use.no_job) - n_leased_later, 0)
    return FreeShare(
        site=use.site,
        n_owned=use.n_owned,
        n_used=round(use.useful + use.failures + use.network + use.waiting),
        n_leased=round(use.leased),
        n_free=n_free,
        usd_per_month=None if price is None else price * n_free / use.n_owned,
    )


def _usd_per_accelerator_month(e: Evaluation, site: str, n_owned: int, reader: FigureReader) -> float | None:
    """Lease price of the site pro rata, else the mean list rental of its kinds; None where neither is known."""
    price = next((s.lease_usd_per_month for s in e.case.document.sites if s.id == site), None)
    if price is not None:
        return price / n_owned
    state = e.case.state
    rows = np.flatnonzero((state["node_site"] == state.arrays.sites.index(site)) & (state["node_n_accelerators"] > 0))
    kinds = [state.part_id(code) for code in state["node_accelerator"][rows].tolist()]
    rents = reader.prices.rent_usd_per_accelerator_hour
    if not set(kinds) <= set(rents):
        return None
    hourly = sum(
        n * reader.price("rent_usd_per_accelerator_hour", kind or "")
        for n, kind in zip(state["node_n_accelerators"][rows].tolist(), kinds, strict=True)
    )
    return float(hourly / n_owned * HOURS_PER_MONTH)


def _summary(
    rows: tuple[LeaseRow, ...],
    rates: tuple[RunRate, ...],
    free: tuple[FreeShare, ...],
    use: tuple[AcceleratorUse, ...],
    stranded: tuple[StrandedPart, ...],
) -> Iterator[str]:
    known = [rate.usd_per_year for rate in rates if rate.usd_per_year is not None]
    if rows:
        firm = [row.firm_usd for row in rows]
        known_firm = [usd for usd in firm if usd is not None]
        text = f"Leases bring up to {usd_text(max(known))} a year" if known else "The rent of a lease is not stated"
        n_open = len(firm) - len(known_firm)
        text += f"; {usd_text(sum(known_firm))} of it is firm" if known_firm else ""
        yield text + (f", that of {n_open} unknown." if n_open else ".")
    else:
        yield "No leases."
    for share in free:
        if share.n_free and share.usd_per_month is not None:
            yield (
                f"{share.n_free:,} of the {share.n_owned:,} accelerators of {share.site} can be leased, "
                f"for {usd_text(share.usd_per_month)} a month pro rata."
            )
    n_owned, n_stranded = sum(row.n_owned for row in use), sum(part.n_accelerators for part in stranded)
    if n_owned:
        yield f"Stranded: {n_stranded:,.0f} of {n_owned:,} accelerators ({percent_text(n_stranded / n_owned)})."
