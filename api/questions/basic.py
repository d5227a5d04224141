"""Questions about a network as it is, or after changes."""

from __future__ import annotations

from twin.answers.diff import Diff
from twin.answers.drawing import Drawing
from twin.answers.explanation import Explanation
from twin.answers.forecast import Forecast
from twin.answers.lease_report import LeaseReport
from twin.answers.link_report import LinkReport
from twin.answers.path_report import PathReport
from twin.answers.preview import Preview
from twin.answers.score import Score

from ..bodies import (
    DrawingRequest,
    ExplainRequest,
    ForecastRequest,
    LeasesRequest,
    LinkRequest,
    PathRequest,
    PreviewRequest,
    ScoreRequest,
    WhatIfRequest,
)
from .context import Context


def score(request: ScoreRequest, context: Context) -> Score:
    """Return every metric of a network as it is."""
    return context.network(request).score(
        request.job, jobs=request.jobs, ageing=request.ageing, main_assumptions=request.main_assumptions
    )


def what_if(request: WhatIfRequest, context: Context) -> Diff:
    """Return every metric before and after a plan or changes, the causes, and the items to buy."""
    return context.network(request).what_if(
        request.plan_or_changes,
        request.job,
        jobs=request.jobs,
        ageing=request.ageing,
        main_assumptions=request.main_assumptions,
        causes=request.causes,
        top=request.top,
    )


def preview(request: PreviewRequest, context: Context) -> Preview:
    """Return the records that a plan or changes touch, totals before and after, and the items to buy."""
    return context.network(request).preview(request.plan_or_changes, request.job, ageing=request.ageing)


def forecast(request: ForecastRequest, context: Context) -> Forecast:
    """Return when links lose margin, rate or spare capacity, in three ageing cases."""
    return context.network(request).forecast(
        request.years,
        request.growth_ratio_per_year,
        links=request.links,
        changes=request.plan_or_changes,
        job=request.job,
    )


def drawing(request: DrawingRequest, context: Context) -> Drawing:
    """Return a network as a picture: places by tier, lines between them with use, margin and age, and sites."""
    network = context.network(request)
    changes, job, ageing = request.plan_or_changes, request.job, request.ageing
    failures = None
    has_demands = bool(network.document.demands or network.generated_demands)
    if request.worst_failure and (has_demands or network.document.jobs):  # otherwise a failure takes nothing
        advance = context.advance("failures", "worst_failure", "leave it out")
        failures = network.failures(of="link", changes=changes, job=job, ageing=ageing, advance=advance, brief=True)
    return network.draw(changes=changes, job=job, ageing=ageing, failures=failures)


def leases(request: LeasesRequest, context: Context) -> LeaseReport:
    """Return leases with what is firm, what else can be leased, and stranded capacity."""
    return context.network(request).leases(request.job, changes=request.plan_or_changes, ageing=request.ageing)


def link(request: LinkRequest, context: Context) -> LinkReport:
    """Return one link in detail: link budget, modes, latency, goodput, failures and forecast."""
    return context.network(request).link(
        request.link,
        years=request.years,
        growth_ratio_per_year=request.growth_ratio_per_year,
        changes=request.plan_or_changes,
        job=request.job,
        ageing=request.ageing,
    )


def explain(request: ExplainRequest, context: Context) -> Explanation:
    """Return the bottlenecks of a training step: its parts, and the cost of each of eight causes."""
    return context.network(request).explain(request.job, changes=request.plan_or_changes, ageing=request.ageing)


def path(request: PathRequest, context: Context) -> PathReport:
    """Return all shortest paths between two nodes: shares, capacity, load, latency, and the bottleneck."""
    return context.network(request).path(
        request.source,
        request.target,
        max_paths=request.max_paths,
        changes=request.plan_or_changes,
        job=request.job,
        ageing=request.ageing,
    )
