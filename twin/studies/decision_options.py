"""Options of a decision: the network as it is, plans, leasing what the job leaves free, leaving a site out.

Leases of the document stay in all options; only what they leave, now and later, can be leased.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from ..arrays import State
from ..economics.lease_terms import power_ratio, rent_unknown
from ..economics.stranded import accelerators_by_site
from ..errors import ChangeError, did_you_mean
from ..model.document import Plan, TopologyDocument
from ..model.jobs import TrainingJob
from ..model.lease_rules import busiest_day, runs_on
from ..scenario.lease_faults import n_free_at
from ..units import MONTHS_PER_YEAR
from .sampling import SampledCase

DO_NOTHING = "do nothing"
MAX_DEFAULT_PLANS = 4
"""Largest number of plans of a document that a decision without options compares all."""
N_COSTLIEST_PLANS = 1
"""Plans that it compares of a document with more, beside the one with the highest goodput: those that buy most."""
PowerPayer = Literal["owner", "tenant"]


@dataclass(frozen=True, slots=True)
class LeaseOffer:
    """Rent that a tenant would pay for all of a site; a share of it is paid pro rata."""

    site: str
    usd_per_month: float
    power_paid_by: PowerPayer
    n_owned: int
    """Accelerators of the site."""
    n_let: int = 0
    """Accelerators that tenants of the document have on its day, or later."""

    @property
    def n_free(self) -> int:
        """Accelerators without a tenant."""
        return self.n_owned - self.n_let


@dataclass(frozen=True, slots=True)
class RunningLeases:
    """Leases of the document that run on its day; they count in all options alike."""

    usd_per_year: float = 0.0
    """Rent of those that state one."""
    paid_power_ratio: tuple[tuple[str, float], ...] = ()
    """Sites with the share of their electricity that tenants pay; those without a share are left out."""
    rent_unknown: tuple[str, ...] = ()
    """Tenants whose rent is not stated."""


def running_leases(document: TopologyDocument, state: State) -> RunningLeases:
    """Return what the leases of a document bring on its day."""
    leases = [lease for lease in document.leases if runs_on(lease, document.as_of or date.min)]
    if not leases:
        return RunningLeases()
    ratios, owned = dict[str, float](), accelerators_by_site(state, document)
    for lease in leases:
        n_owned = owned[lease.site]
        ratio = power_ratio(lease.power_paid_by, lease.n_accelerators or n_owned, n_owned)
        ratios[lease.site] = ratios.get(lease.site, 0.0) + ratio
    return RunningLeases(
        sum(lease.usd_per_month or 0.0 for lease in leases) * MONTHS_PER_YEAR,
        tuple(sorted((site, ratio) for site, ratio in ratios.items() if ratio)),
        rent_unknown(leases),
    )


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to do: a case of the study, and what of a site is leased beside it."""

    name: str
    case: int
    """Row of the case in the study."""
    offer: LeaseOffer | None = None
    n_leased: int = 0

    @property
    def leased_ratio(self) -> float:
        """Share of the site that is leased."""
        return self.n_leased / self.offer.n_owned if self.offer is not None else 0.0


def sites_with_price(document: TopologyDocument, state: State) -> list[str]:
    """Return the sites with a lease price that have accelerators without a tenant."""
    owned, day = accelerators_by_site(state, document), document.as_of or date.min
    return [
        row.id
        for row in document.sites
        if row.lease_usd_per_month is not None
        and owned[row.id] > busiest_day(document.leases, row.id, day, owned[row.id])[1]
    ]


def whole_plans(plans: Sequence[Plan]) -> list[Plan]:
    """Return the plans that no other plan contains; of equal ones the first."""

    def contains(a: Plan, b: Plan) -> bool:
        return all(change in a.changes for change in b.changes)

    return [
        plan
        for i, plan in enumerate(plans)
        if not any(
            contains(other, plan) and (j < i or not contains(plan, other)) for j, other in enumerate(plans) if j != i
        )
    ]


def offer_of(
    document: TopologyDocument,
    state: State,
    site: str,
    usd_per_month: float | None,
    power_paid_by: str | None,
    where: str = "lease",
) -> LeaseOffer:
    """Return the offer for a site: the price that is asked for here, else that of the document.

    Raises ChangeError for an unknown site, one without accelerators, and where no price is known.
    """
    known = {row.id: row for row in document.sites}
    if site not in known:
        raise ChangeError(f"no site {site!r}", where=where, hint=did_you_mean(site, known) or ", ".join(known))
    usd = known[site].lease_usd_per_month if usd_per_month is None else usd_per_month
    if usd is None:
        hint = "state lease_usd_per_month of the site, or --lease-price"
        raise ChangeError(f"site {site!r} has no lease price", where=where, hint=hint)
    if not 0.0 <= usd <= 1e12:
        raise ChangeError(f"{usd:g} USD a month", where="lease_usd_per_month", expected="from 0 to 1e12")
    n_owned = accelerators_by_site(state, document)[site]
    if not n_owned:
        raise ChangeError(f"{site} has no accelerators", where=where, hint="lease a site that has some")
    terms = {lease.power_paid_by for lease in document.leases if lease.site == site} - {None}
    payer = power_paid_by or (terms.pop() if len(terms) == 1 else "owner")
    if payer not in ("owner", "tenant"):
        raise ChangeError(f"power paid by {payer!r}", where="power_paid_by", expected="owner or tenant")
    _, n_let = busiest_day(document.leases, site, document.as_of or date.min, n_owned)
    return LeaseOffer(site, usd, payer, n_owned, n_let)  # type: ignore[arg-type]


def options_of(
    cases: Sequence[SampledCase], offers: Sequence[LeaseOffer], shares: Sequence[LeaseOffer]
) -> tuple[Option, ...]:
    """Return the options of a job.

    Args:
        cases: the network as it is, each plan, and the network without each site of `offers`.
        offers: sites that are left out and leased as a whole, in the order of the last cases.
        shares: sites of which the part that the job leaves free is leased beside each plan.

    Raises ChangeError for a site of `offers` that tenants have already.
    """
    for offer in offers:
        if not offer.n_free:
            problem = f"tenants have all {offer.n_owned:,} accelerators of {offer.site}"
            raise ChangeError(problem, where="lease", hint="lease a site with accelerators that are free of leases")
    n_plans = len(cases) - len(offers)
    options = [Option(DO_NOTHING if i == 0 else case.name, i) for i, case in enumerate(cases[:n_plans])]
    options += [
        Option(f"leave {offer.site} out and lease it", n_plans + i, offer, offer.n_free)
        for i, offer in enumerate(offers)
    ]
    for offer in shares:
        for i, case in enumerate(cases[:n_plans]):
            n_free = free_at(case, offer.site)
            if n_free:
                beside = "" if i == 0 else f" beside {case.name}"
                options.append(Option(f"lease a share of {offer.site}{beside}", i, offer, n_free))
    return tuple(options)


def nothing_free(case: SampledCase, shares: Sequence[LeaseOffer], options: Sequence[Option]) -> Iterator[str]:
    """Yield why nothing of a site can be leased beside any plan.

    Args:
        case: the network as it is.
        shares: sites of which a share was to be leased.
        options: the options of the job.
    """
    for offer in shares:
        if any(option.offer is offer and option.name.startswith("lease a share") for option in options):
            continue
        job = case.case.job
        n_used = offer.n_free - free_at(case, offer.site)
        uses = f"the job {job.id} uses {n_used:,}" if job is not None and n_used else "none are in service"
        yield (
            f"No share of {offer.site} can be leased: {uses} of its {offer.n_owned:,} accelerators, "
            f"and tenants have {offer.n_let:,}."
        )


def without_site(job: TrainingJob | None, site: str) -> list[dict[str, object]]:
    """Return the changes after which a job does not use a site; none where it does not use it anyway."""
    is_used = job is not None and any(placement.site == site for placement in job.placement)
    return [{"kind": "leave_sites", "sites": [site]}] if is_used else []


def free_at(case: SampledCase, site: str) -> int:
    """Return the accelerators of a site in service that neither the job nor a tenant has."""
    job = case.case.job
    return n_free_at(case.case.state, case.case.document, site, [] if job is None else [job])
