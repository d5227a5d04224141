"""Questions that may take minutes: failures, availability, growth, routing, plans, samples, decisions, reports."""

from __future__ import annotations

from twin.answers.routing_report import RoutingReport
from twin.errors import ChangeError
from twin.network import Network
from twin.planner.records import PlanReport
from twin.reports.network_report import ReportText
from twin.reports.network_report import report as write_report
from twin.studies.availability_report import AvailabilityReport
from twin.studies.decision_report import DecisionReport
from twin.studies.failure_records import FailureReport
from twin.studies.growth import GrowthReport
from twin.studies.sample_report import SampleReport
from twin.studies.schedule import Schedule

from ..problems import NO_BOUND
from ..study_bodies import (
    AvailabilityRequest,
    DecideRequest,
    FailuresRequest,
    GrowthRequest,
    OptimumRequest,
    PlanRequest,
    ReportRequest,
    SampleRequest,
    ScheduleRequest,
)
from .context import Context

FAILURES_HINT = f"ask for another kind; {NO_BOUND}"
STATES_HINT = f"ask for fewer states or samples; {NO_BOUND}"
GROWTH_HINT = f"ask for fewer years, or one growth rate; {NO_BOUND}"
OPTIMUM_HINT = f"ask for a larger gap; {NO_BOUND}"
WORKS_HINT = f"ask for fewer waves; {NO_BOUND}"
SAMPLES_HINT = f"ask for fewer samples or plans; {NO_BOUND}"
PLAN_HINT = f"give fewer candidates and `generate: false`; {NO_BOUND}"


def failures(request: FailuresRequest, context: Context) -> FailureReport:
    """Return what each failure of a kind loses, what becomes of the job, and how full links get."""
    return context.network(request).failures(
        of=request.of,
        job=request.job,
        depth=request.depth,
        sample=request.sample,
        seed=request.seed,
        changes=request.plan_or_changes,
        top=request.top,
        ageing=request.ageing,
        advance=context.advance("failures", "of", FAILURES_HINT),
    )


def availability(request: AvailabilityRequest, context: Context) -> AvailabilityReport:
    """Return how much of the time demands, pairs of sites and jobs are served, and what fails most often."""
    return context.network(request).availability(
        job=request.job,
        changes=request.plan_or_changes,
        rest_below=request.rest_below_ratio,
        n_states=request.n_states,
        n_samples=request.n_samples,
        seed=request.seed,
        loss_above=request.loss_above_ratio,
        top=request.top,
        ageing=request.ageing,
        advance=context.advance("steps", "n_states", STATES_HINT),
    )


def growth(request: GrowthRequest, context: Context) -> GrowthReport:
    """Return when the first link passes a limit as demands grow, with and without the worst failure."""
    return context.network(request).growth(
        rates=request.rates,
        growth_ratio_per_year=request.growth_ratio_per_year,
        limit_ratio=request.limit_ratio,
        of=request.of,
        until=request.until,
        top=request.top,
        member_usd=request.member_usd,
        changes=request.plan_or_changes,
        ageing=request.ageing,
        advance=context.advance("percent", "until", GROWTH_HINT),
    )


def optimum(request: OptimumRequest, context: Context) -> RoutingReport:
    """Return the utilisation under the routing in use and under the best one, with a certified bound."""
    network = context.network(request)
    _check_optimum(network, context.limits.max_optimum_work)
    return network.optimum(
        gap_ratio=request.gap_ratio,
        top=request.top,
        changes=request.plan_or_changes,
        ageing=request.ageing,
        advance=context.advance("percent", "gap_ratio", OPTIMUM_HINT),
    )


def _check_optimum(network: Network, max_work: int) -> None:
    demands = (*network.document.demands, *network.generated_demands)
    n_sources = len({demand.source for demand in demands})
    n_records = network.arrays.n_nodes + network.arrays.n_links
    n_allowed = max(max_work // max(n_records, 1), 1)
    if n_sources > n_allowed:
        raise ChangeError(
            f"demands from {n_sources:,} nodes over {n_records:,} nodes and links are too many at once",
            where="network",
            expected=f"demands from at most {n_allowed:,} nodes of this network",
            hint=f"let demands enter at leaves; {NO_BOUND}",
        )


def plan(request: PlanRequest, context: Context) -> PlanReport:
    """Return the best set of changes within a budget, or the least expensive one that meets conditions."""
    return context.network(request).plan(
        budget_usd=request.budget_usd,
        goal=request.goal,
        target=request.target,
        keep=request.keep,
        until=request.until,
        by=request.by,
        lead_days=request.lead_days,
        robust_to=request.robust_to,
        candidates=request.candidates,
        generate=request.generate,
        job=request.job,
        ageing=request.ageing,
        advance=context.advance("sets", "candidates", PLAN_HINT),
    )


def schedule(request: ScheduleRequest, context: Context) -> Schedule:
    """Return the order of works of a plan or changes, each state on the way, and the days at risk."""
    return context.network(request).schedule(
        request.plan_or_changes,
        request.job,
        goal=request.goal,
        n_waves=request.n_waves,
        lead_days=request.lead_days,
        drain_days=request.drain_days,
        ageing=request.ageing,
        advance=context.advance("percent", "n_waves", WORKS_HINT),
    )


def sample(request: SampleRequest, context: Context) -> SampleReport:
    """Return intervals of every metric under uncertain inputs, how often plans win, and what to measure first."""
    return context.network(request, *request.plans).sample(
        request.plans,
        job=request.job,
        metric=request.metric,
        n_samples=request.n_samples,
        years=request.years,
        seed=request.seed,
        ageing=request.ageing,
        executor="serial",
        advance=context.advance("samples", "n_samples", SAMPLES_HINT),
    )


def decide(request: DecideRequest, context: Context) -> DecisionReport:
    """Return plans and leases by net dollars a year, with probabilities, and the rent at which that flips."""
    return context.network(request, *request.plans).decide(
        request.plans,
        lease=request.lease,
        share=request.share,
        jobs=None if request.job is None else (request.job,),
        lease_usd_per_month=request.lease_usd_per_month,
        power_paid_by=request.power_paid_by,
        usd_per_million_tokens=request.usd_per_million_tokens,
        n_samples=request.n_samples,
        seed=request.seed,
        ageing=request.ageing,
        executor="serial",
        advance=context.advance("samples", "n_samples", SAMPLES_HINT),
    )


def report(request: ReportRequest, context: Context) -> ReportText:
    """Return a report of a network and plans as one text, HTML or Markdown."""
    network = context.network(request, *request.plans)
    advance = context.advance("parts", "plans", "name fewer plans, or leave out samples and the budget")
    written = write_report(
        network,
        request.plans,
        request.job,
        growth_ratio_per_year=request.growth_ratio_per_year,
        years=request.years,
        budget_usd=request.budget_usd,
        n_samples=request.n_samples,
        main_assumptions=request.main_assumptions,
        advance=advance,
    )
    return written.text(request.format)
