"""Stages of cost: prices and purchases, the share of the job, the lease of a site."""

from __future__ import annotations

from ..economics import cost
from ..economics.lease import Lease, assess_lease, highest_lease_site
from ..economics.work_value import YearOfWork
from ..economics.work_value import year_of_work as year_of
from ..training.placement import JobPlacement
from .outcomes import StepOutcome
from .stage import Inputs


def money(inputs: Inputs) -> cost.NetworkCost:
    """Compute the cost of a state, and of the purchases since the state before."""
    return cost.network_cost(inputs.state, inputs.document, inputs.reader, inputs.before)


def usd_per_day(inputs: Inputs) -> float:
    """Compute the cost per day of the job's part of the network."""
    placed, network_cost = inputs["placement"], inputs["money"]
    allocated = placed.n_allocated if placed else network_cost.bill.n_accelerators
    total = int(inputs.state["node_n_accelerators"].sum()) if placed else 0
    return cost.usd_per_day(network_cost, inputs.reader, allocated, total)


def list_rental(inputs: Inputs) -> float | None:
    """Compute the list rental per day of the allocated accelerators; None if a kind has no list price."""
    placed: JobPlacement | None = inputs["placement"]
    if placed is None:
        return None
    if not set(placed.n_allocated) <= set(inputs.reader.prices.rent_usd_per_accelerator_hour):
        return None
    price = inputs.reader.price
    hourly = (n * price("rent_usd_per_accelerator_hour", kind) for kind, n in sorted(placed.n_allocated.items()))
    return 24.0 * sum(hourly)


def lease(inputs: Inputs) -> Lease | None:
    """Compare the job with and without its site of the highest lease; None if its sites or parts have no price."""
    job, placed, step = inputs.job, inputs["placement"], inputs["step"].step
    site = highest_lease_site(inputs.document, job) if job is not None else None
    if job is None or step is None or site is None or site.id not in placed.sites or inputs["money"].unpriced_parts:
        return None
    flops_without_site = 0.0
    remaining = tuple(placement for placement in job.placement if placement.site != site.id)
    if remaining:
        without_site: StepOutcome = inputs.rerun("step", remaining)
        if without_site.step is not None:
            flops_without_site = without_site.step.model_flops_per_s * inputs.rerun("goodput", remaining).goodput_ratio
    ratio = inputs["goodput"].goodput_ratio
    marginal = step.model_flops_per_s * ratio - flops_without_site
    return assess_lease(
        inputs.state, inputs.document, job, placed, site, marginal, ratio, inputs["money"], inputs.reader
    )


def year_of_work(inputs: Inputs) -> YearOfWork:
    """Compute the prices of a year: of the job's work, of purchases, and of electricity by site."""
    return year_of(inputs.state, inputs.document, inputs.job, inputs.reader)
