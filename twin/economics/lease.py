"""Lease of a site: what its marginal goodput for the job costs elsewhere, against the rent that a tenant pays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import State
from ..arrays.sums import sum_of
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
    """Value of a site for the job against its lease, USD per month.

    Where the job uses only a part of the site, its value is scaled up to the whole site.
    """

    site: str
    lease_usd_per_month: float
    lease_usd_per_accelerator_hour: float
    at_list_usd_per_month: float
    """Break-even: replacing the site's marginal goodput at list rental, minus the site's cost of operation."""
    at_implied_usd_per_month: float
    """The same at the price per FLOP that the lease itself implies."""
    opex_avoided_usd_per_month: float
    marginal_flops_per_s: float
    """Goodput of the job with the site minus without it, for the allocated part of the site."""
    replacement: str
    """Accelerator with the least rent per FLOP."""
    rent_usd_per_accelerator_hour: float
    flips_at_usd_per_accelerator_hour: float | None
    """Rent of the replacement at which keeping and leasing are equal; None without marginal goodput."""
    n_allocated: int
    n_accelerators: int


def highest_lease_site(document: TopologyDocument, job: TrainingJob) -> Site | None:
    """Site of the job with the highest lease; None where none of them has a price."""
    job_sites = {placement.site for placement in job.placement}
    leased = [site for site in document.sites if site.lease_usd_per_month and site.id in job_sites]
    return max(leased, key=lambda site: (site.lease_usd_per_month or 0.0, site.id), default=None)


def cheapest_replacement(job: TrainingJob, reader: FigureReader) -> str | None:
    """Return the accelerator with the least rent for a model FLOP of a job; None where none has a rent."""
    rents, unrecorded_reader = reader.prices.rent_usd_per_accelerator_hour, reader.fresh()
    offers = [
        (
            unrecorded_reader.price("rent_usd_per_accelerator_hour", part.id)
            / flops_per_s(job, part.id, unrecorded_reader),
            part.id,
        )
        for part in reader.catalogue.parts("accelerator")
        if f"{job.precision}_tflops" in part.figures and part.id in rents
    ]
    return min(offers)[1] if offers else None


def assess_lease(
    state: State,
    document: TopologyDocument,
    job: TrainingJob,
    placed: JobPlacement,
    site: Site,
    marginal_flops_per_s: float,
    goodput_ratio: float,
    money: cost.NetworkCost,
    reader: FigureReader,
) -> Lease | None:
    """Assess the lease of a site against its value for a job.

    Args:
        state: nodes of the network.
        document: sites with their PUE.
        job: the job.
        placed: the job on its racks.
        site: the site with a lease.
        marginal_flops_per_s: goodput of the job with the site minus without it.
        goodput_ratio: goodput over the rate of the step.
        money: cost of the network.
        reader: source of prices.

    Returns:
        The assessment; None where the price book rents nothing that the job could run on.
    """
    replacement = cheapest_replacement(job, reader)
    if replacement is None:
        return None
    lease_usd_per_month = site.lease_usd_per_month or 0.0
    rent_usd_per_hour = reader.price("rent_usd_per_accelerator_hour", replacement)
    site_row = state.sites.index(site.id)
    at_site = state["node_site"] == site_row
    n_at_site = int(state["node_n_accelerators"][at_site].sum())
    n_allocated = sum(len(group.rack) for group in placed.groups if group.site == site.id)
    allocated_ratio = n_allocated / n_at_site
    kinds = state["node_accelerator"][at_site]
    n_of_kind = np.bincount(kinds + 1, weights=state["node_n_accelerators"][at_site])[1:]
    site_flops_per_s = goodput_ratio * sum(
        n * flops_per_s(job, state.parts[code], reader)
        for code, n in enumerate(n_of_kind)
        if n and f"{job.precision}_tflops" in reader.catalogue.get(state.parts[code]).figures
    )
    power_w = cost.site_power_w(state, document, reader)
    opex_usd_per_month = money.opex_usd_per_year / MONTHS_PER_YEAR * float(power_w[site_row] / sum_of(power_w))
    gain_flops_per_s = max(marginal_flops_per_s, 0.0) / allocated_ratio
    n_replacement = gain_flops_per_s / (flops_per_s(job, replacement, reader) * goodput_ratio) if goodput_ratio else 0.0
    return Lease(
        site=site.id,
        lease_usd_per_month=lease_usd_per_month,
        lease_usd_per_accelerator_hour=lease_usd_per_month / (n_at_site * HOURS_PER_MONTH),
        at_list_usd_per_month=n_replacement * rent_usd_per_hour * HOURS_PER_MONTH - opex_usd_per_month,
        at_implied_usd_per_month=(
            lease_usd_per_month * gain_flops_per_s / site_flops_per_s if site_flops_per_s else 0.0
        )
        - opex_usd_per_month,
        opex_avoided_usd_per_month=opex_usd_per_month,
        marginal_flops_per_s=marginal_flops_per_s,
        replacement=replacement,
        rent_usd_per_accelerator_hour=rent_usd_per_hour,
        flips_at_usd_per_accelerator_hour=(lease_usd_per_month + opex_usd_per_month) / (n_replacement * HOURS_PER_MONTH)
        if n_replacement > 0
        else None,
        n_allocated=n_allocated,
        n_accelerators=n_at_site,
    )
