"""Stages of reliability: interruptions by parts, outages between sites, goodput."""

from __future__ import annotations

import numpy as np

from ..arrays import Ints
from ..errors import TopologyError
from ..reliability.goodput import Goodput, job_goodput
from ..reliability.interruptions import Interruptions, part_interruptions
from ..reliability.outages import Outages, build_site_graph, links_between, no_outages, site_outages
from ..reliability.site_cuts import JobSite, SiteGraph
from ..training.placement import JobPlacement
from ..training.step import Step
from .outcomes import StepOutcome
from .stage import Inputs


def interruptions(inputs: Inputs) -> Interruptions | None:
    """Compute how often the job's own parts interrupt it; None without a job."""
    allocated: dict[str, int] | None = inputs["placement.n_allocated"]
    return None if allocated is None else part_interruptions(allocated, inputs.reader)


def links_between_sites(inputs: Inputs) -> Ints | None:
    """Find the links that the job's inter-site traffic uses; None without such traffic."""
    loads = inputs["link_loads"]
    if loads is None or inputs["step.why"] or not (loads.wide or loads.crossing):
        return None
    between = [*loads.wide.values(), *loads.crossing]
    arcs = loads.arc[np.any([unit > 0 for unit in between], axis=0)]
    return links_between(inputs.state, inputs["placement"].sites, arcs)


def work_of_sites(inputs: Inputs) -> tuple[float, ...] | None:
    """Compute the share of work that each site of the job could do, the sum is 1; None without a step."""
    placed, result = inputs["placement"], inputs["step"]
    if result.step is None:
        return None
    work = dict.fromkeys(placed.sites, 0.0)
    for group, share in zip(placed.groups, _work_shares(placed, result.step), strict=True):
        work[group.site] += share
    return tuple(work.values())


def site_graph(inputs: Inputs) -> SiteGraph | None:
    """Build the graph around the links between sites; None without inter-site traffic."""
    links, placed = inputs["links_between_sites"], inputs["placement"]
    if links is None:
        return None
    sites = [JobSite(site, np.concatenate([g.rack for g in placed.groups if g.site == site])) for site in placed.sites]
    return build_site_graph(inputs.state, inputs["health.lit"], sites, links)


def outages(inputs: Inputs) -> Outages:
    """Compute the outages between the sites; no rows without inter-site traffic."""
    graph: SiteGraph | None = inputs["site_graph"]
    if graph is None:
        return no_outages()
    links, share_ratio = inputs["links_between_sites"], inputs["work_of_sites"]
    return site_outages(inputs.state, inputs.reader, graph, share_ratio, links, inputs.ageing)


def goodput(inputs: Inputs) -> Goodput | None:
    """Compute the goodput after interruptions and outages; with `go_on` the job continues on fewer sites."""
    job, parts, result = inputs.job, inputs["interruptions"], inputs["step"]
    if job is None or parts is None:
        return None

    def rate_without(lost: tuple[str, ...]) -> float:
        remaining = tuple(placement for placement in job.placement if placement.site not in lost)
        if not remaining or result.step is None:
            return 0.0
        try:
            reduced: StepOutcome = inputs.rerun("step", remaining)
        except TopologyError:
            return 0.0  # it does not fit on the remaining sites
        return reduced.step.tokens_per_s / result.step.tokens_per_s if reduced.step is not None else 0.0

    return job_goodput(parts, inputs["outages"], inputs.reader, job.on_site_loss, job.recovery, rate_without)


def _work_shares(placed: JobPlacement, step: Step) -> tuple[float, ...]:
    """Share of work that each accelerator group could do; the sum is 1."""
    if len(step.groups) == len(placed.groups):
        rates = [group.n_replicas / group.stage_time_s for group in step.groups]
    else:  # each replica uses all groups
        rates = [float(group.n_stages) for group in placed.groups]
    return tuple(rate / sum(rates) for rate in rates)
