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
    """How often its own parts interrupt the job; None without a job."""
    allocated: dict[str, int] | None = inputs["placement.n_allocated"]
    return None if allocated is None else part_interruptions(allocated, inputs.reader)


def links_between_sites(inputs: Inputs) -> Ints | None:
    """Links that the job's exchange between sites uses; None where nothing is exchanged there."""
    loads, result = inputs["link_loads"], inputs["step"]
    if loads is None or result.step is None or not (loads.wide or loads.crossing):
        return None
    between = [*loads.wide.values(), *loads.crossing]
    arcs = loads.arc[np.any([unit > 0 for unit in between], axis=0)]
    return links_between(inputs.state, inputs["placement"].sites, arcs)


def work_of_sites(inputs: Inputs) -> tuple[float, ...] | None:
    """Part of the work that each site of the job could do, all together one; None without a step."""
    placed, result = inputs["placement"], inputs["step"]
    if result.step is None:
        return None
    work = dict.fromkeys(placed.sites, 0.0)
    for group, share in zip(placed.groups, _work_shares(placed, result.step), strict=True):
        work[group.site] += share
    return tuple(work.values())


def site_graph(inputs: Inputs) -> SiteGraph | None:
    """The network around the links between sites; None where nothing is exchanged there."""
    links, placed = inputs["links_between_sites"], inputs["placement"]
    if links is None:
        return None
    racks = {site: np.concatenate([g.rack for g in placed.groups if g.site == site]) for site in placed.sites}
    sites = [
        JobSite(site, racks[site], share) for site, share in zip(placed.sites, inputs["work_of_sites"], strict=True)
    ]
    return build_site_graph(inputs.state, inputs["health.lit"], sites, links)


def outages(inputs: Inputs) -> Outages:
    """Failures between the sites; none where nothing is exchanged there."""
    graph: SiteGraph | None = inputs["site_graph"]
    if graph is None:
        return no_outages()
    return site_outages(inputs.state, inputs.reader, graph, inputs["links_between_sites"], inputs.ageing)


def goodput(inputs: Inputs) -> Goodput | None:
    """What interruptions of the job's parts and of what joins its sites leave; `go_on` runs on fewer sites."""
    job, parts, result = inputs.job, inputs["interruptions"], inputs["step"]
    if job is None or parts is None:
        return None

    def rate_without(lost: tuple[str, ...]) -> float:
        left = tuple(place for place in job.placement if place.site not in lost)
        if not left or result.step is None:
            return 0.0
        try:
            other: StepOutcome = inputs.rerun("step", left)
        except TopologyError:
            return 0.0  # it does not fit on what is left
        return other.step.tokens_per_s / result.step.tokens_per_s if other.step is not None else 0.0

    return job_goodput(parts, inputs["outages"], inputs.reader, job.on_site_loss, job.recovery, rate_without)


def _work_shares(placed: JobPlacement, step: Step) -> tuple[float, ...]:
    """Part of the work that each group of accelerators could do, all together one."""
    if len(step.groups) == len(placed.groups):
        rates = [group.n_replicas / group.stage_time_s for group in step.groups]
    else:  # each replica reaches over all of them
        rates = [float(group.n_stages) for group in placed.groups]
    return tuple(rate / sum(rates) for rate in rates)
