"""Keep a site for the job, or let it: what its marginal goodput would cost elsewhere against what a tenant pays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import State
from ..catalogue.figure_reader import FigureReader
from ..model.document import TopologyDocument
from ..model.jobs import TrainingJob
from ..model.records import Site
from ..training.accelerator_groups import flops_per_s
from ..training.placement import JobPlacement
from ..units import HOURS_PER_MONTH, MONTHS_PER_YEAR
from . import cost


@dataclass(frozen=True, eq=False)
class Lease:
    """Whether a leased site is worth more to the job or to its tenant, USD per month.

    Where the job takes only a part of the site, its worth is scaled up to the whole, as if the rest were used as well.
    """

    site: str
    lease_usd_per_month: float
    lease_usd_per_accelerator_hour: float
    at_list_usd_per_month: float
    """Break-even: replacing the site's marginal goodput at list rental, less the site's running cost."""
    at_implied_usd_per_month: float
    """The same at the price per FLOP that the lease itself proves."""
    opex_avoided_usd_per_month: float
    marginal_flops_per_s: float
    """Goodput of the job with the site minus without it; what the allocated part adds."""
    replacement: str
    """Accelerator that gives a FLOP for the least rent."""
    rent_usd_per_accelerator_hour: float
    flips_at_usd_per_accelerator_hour: float | None
    """Rent of the replacement at which keeping and leasing are worth the same; None without marginal goodput."""
    n_allocated: int
    n_accelerators: int


def highest_lease_site(document: TopologyDocument, job: TrainingJob) -> Site | None:
    """The site with the highest lease among those of the job; None where none of them has a price."""
    used = {place.site for place in job.placement}
    leased = [site for site in document.sites if site.lease_usd_per_month and site.id in used]
    return max(leased, key=lambda site: (site.lease_usd_per_month or 0.0, site.id), default=None)


def assess_lease(
    state: State,
    document: TopologyDocument,
    job: TrainingJob,
    placed: JobPlacement,
    site: Site,
    marginal_flops_per_s: float,
    goodput_ratio: float,
    money: cost.Money,
    reader: FigureReader,
) -> Lease | None:
    """The account of a site for a job; None where the price book rents nothing that the job could run on."""
    listed, own = reader.prices.rent_usd_per_accelerator_hour, reader.fresh()
    offers = [
        (listed[part.id].value / flops_per_s(job, part.id, own), part.id)
        for part in reader.catalogue.parts("accelerator")
        if f"{job.precision}_tflops" in part.figures and part.id in listed
    ]
    if not offers:
        return None
    lease = site.lease_usd_per_month or 0.0
    best = min(offers)[1]
    rent = reader.price("rent_usd_per_accelerator_hour", best)
    row = state.sites.index(site.id)
    here = state["node_site"] == row
    n_here = int(state["node_n_accelerators"][here].sum())
    n_allocated = sum(len(group.rack) for group in placed.groups if group.site == site.id)
    share = n_allocated / n_here
    kinds = state["node_accelerator"][here]
    n_of_kind = np.bincount(kinds + 1, weights=state["node_n_accelerators"][here])[1:]
    capability = goodput_ratio * sum(
        n * flops_per_s(job, state.parts[code], reader)
        for code, n in enumerate(n_of_kind)
        if n and f"{job.precision}_tflops" in reader.catalogue.get(state.parts[code]).figures
    )
    power = cost.site_power_w(state, document, reader)
    opex = money.opex_usd_per_year / MONTHS_PER_YEAR * float(power[row] / power.sum())
    gain = max(marginal_flops_per_s, 0.0) / share
    n_equal = gain / (flops_per_s(job, best, reader) * goodput_ratio) if goodput_ratio else 0.0
    return Lease(
        site=site.id,
        lease_usd_per_month=lease,
        lease_usd_per_accelerator_hour=lease / (n_here * HOURS_PER_MONTH),
        at_list_usd_per_month=n_equal * rent * HOURS_PER_MONTH - opex,
        at_implied_usd_per_month=(lease * gain / capability if capability else 0.0) - opex,
        opex_avoided_usd_per_month=opex,
        marginal_flops_per_s=marginal_flops_per_s,
        replacement=best,
        rent_usd_per_accelerator_hour=rent,
        flips_at_usd_per_accelerator_hour=(lease + opex) / (n_equal * HOURS_PER_MONTH) if n_equal > 0 else None,
        n_allocated=n_allocated,
        n_accelerators=n_here,
    )
