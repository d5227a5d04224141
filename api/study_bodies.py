"""Request bodies of studies: questions that evaluate a network many times."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SkipValidation

from twin.answers.metrics import METRICS
from twin.planner.candidate import MAX_OWN, OwnCandidate
from twin.planner.question import MAX_BUDGET_USD, MAX_KEEPS
from twin.reports.answers import MAX_PLANS as MAX_REPORT_PLANS
from twin.reports.network_report import ReportFormat
from twin.studies.failure_kinds import KINDS
from twin.studies.failure_pairs import MAX_PAIRS
from twin.studies.uncertainty import MAX_PLANS
from twin.studies.works import DRAIN_DAYS, MAX_DAYS

from .axes import Vary
from .bodies import (
    MAX_ROWS,
    WHOLE,
    AgeingRequest,
    ChangedNetworkRequest,
    Growth,
    JobsRequest,
    MainAssumptionsRequest,
    Name,
    Years,
)

MAX_POSTED_SAMPLES = 4096
"""Most samples that a request may ask for."""
MAX_POSTED_STATES = 100_000
"""Most states that a request may ask for."""


class ScheduleRequest(ChangedNetworkRequest, AgeingRequest):
    """Put the changes of a plan in an order of works, and evaluate each state on the way."""

    goal: Annotated[Name | None, Field(json_schema_extra={"enum": [*METRICS, None]})] = None
    """Metric of each state. Default: the step time, or the busiest link of a network without a job."""
    n_waves: Annotated[int, Field(ge=1, le=64), WHOLE] = 2
    """Waves of each change of links, switches or racks."""
    lead_days: Annotated[dict[Name, Annotated[int, Field(ge=0, le=MAX_DAYS), WHOLE]], Field(max_length=100)] | None = (
        None
    )
    """Days from order to delivery by kind of change. Default: those of `twin schedule`."""
    drain_days: Annotated[int, Field(ge=0, le=MAX_DAYS), WHOLE] = DRAIN_DAYS
    """Days for which a wave is out of service."""


class GrowthRequest(ChangedNetworkRequest, AgeingRequest):
    """Find when the first link passes a limit as demands grow, after a plan or changes if given."""

    rates: Annotated[dict[Name, Growth], Field(max_length=1000)] = {}  # noqa: RUF012 - pydantic copies it
    """Growth a year by class of traffic, in place of the document's: 0.3 is 30 %."""
    growth_ratio_per_year: Growth | None = None
    """Growth of demands without a rate of their own; null = 0."""
    limit_ratio: Annotated[float, Field(gt=0, le=10)] = 0.7
    """Utilisation that no link should pass."""
    of: Literal["link", "member", "node", "srlg", "site"] = "link"
    """Kind of failures."""
    until: Annotated[int, Field(ge=1, le=9998), WHOLE] | None = None
    """Calendar year whose end is the horizon; null = ten years from the day of the document."""
    top: Annotated[int, Field(ge=1, le=1000), WHOLE] | None = None
    """Most links to list; null = 10."""
    member_usd: Annotated[float, Field(gt=0, le=1e9)] | None = None
    """Price of one more member of links that name no transceiver; null = unknown."""


class AvailabilityRequest(ChangedNetworkRequest, AgeingRequest):
    """Compute availability of demands, pairs of sites and jobs, after a plan or changes if given."""

    rest_below_ratio: Annotated[float, Field(ge=1e-15, le=0.1)] = 1e-9
    """Probability of all states that need not be looked at, together."""
    loss_above_ratio: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Lost over offered traffic above which a failure is listed."""
    n_states: Annotated[int, Field(ge=50, le=MAX_POSTED_STATES), WHOLE] | None = None
    """Most sets of probable states. Default: as many as fit in some seconds."""
    n_samples: Annotated[int, Field(ge=50, le=MAX_POSTED_STATES), WHOLE] | None = None
    """Random states. Default: as many as fit in some seconds."""
    seed: Annotated[int, Field(ge=0, le=2**53), WHOLE] = 1
    """Seed of the random states."""
    top: Annotated[int, Field(ge=1, le=MAX_ROWS), WHOLE] = 1000
    """Most rows of each list."""


class FailuresRequest(ChangedNetworkRequest, AgeingRequest):
    """Fail everything of one kind, one after the other or in pairs, after a plan or changes if given.

    The step of `job` counts, too; without demands that of the default job does.
    """

    of: Annotated[Name, Field(title="what fails", json_schema_extra={"enum": [*KINDS]})] = "link"
    """Kind of failures: all members of a link, one of them, a node, a shared risk, or a site."""
    depth: Annotated[int, Field(title="failures at once", ge=1, le=2), WHOLE] = 1
    """1 = single failures, 2 = pairs of them."""
    sample: Annotated[int, Field(ge=1, le=MAX_PAIRS), WHOLE] | None = None
    """Pairs to draw without replacement; null = all."""
    seed: Annotated[int, Field(ge=0, le=2**63 - 1), WHOLE] = 0
    """Seed of the draw; the same pairs for the same seed."""
    top: Annotated[int, Field(ge=1, le=MAX_ROWS), WHOLE] = 1000
    """Most failures and most links to list; the verdict counts all."""


class OptimumRequest(ChangedNetworkRequest, AgeingRequest):
    """Compare the routing of the demands with the best possible one, after a plan or changes if given."""

    gap_ratio: Annotated[float, Field(ge=0.0001, le=0.5)] = 0.01
    """Largest distance of the two bounds of the optimum over it."""
    top: Annotated[int, Field(ge=1, le=MAX_ROWS), WHOLE] | None = None
    """Most links to list; null = all."""


class PlanRequest(AgeingRequest):
    """Search sets of changes for the best goal within a budget, or the least cost that meets conditions."""

    budget_usd: Annotated[float, Field(ge=0, le=MAX_BUDGET_USD)] | None = None
    """Most purchases; null = no limit."""
    goal: Annotated[Name | None, Field(json_schema_extra={"enum": [*METRICS, None]})] = None
    """Metric to improve. Default: the step time, or the busiest link of a network without a job."""
    target: Name | None = None
    """Value of a metric to reach at least cost, in place of a goal: `step_time_s=4`."""
    keep: Annotated[tuple[Name, ...], Field(max_length=MAX_KEEPS)] = ()
    """Conditions: `max_link_utilisation_ratio<=0.7`. Conditions alone ask for the least cost."""
    until: Annotated[int, Field(ge=1, le=9998), WHOLE] | None = None
    """Calendar year until whose end goal and conditions hold; null = on one day alone."""
    by: Annotated[Name, Field(json_schema_extra={"format": "date"})] | None = None
    """Day from which they hold, as YYYY-MM-DD; null = the day of the document."""
    lead_days: Annotated[dict[Name, Annotated[int, Field(ge=0, le=MAX_DAYS)]], Field(max_length=100)] | None = None
    """Days from order to delivery by kind of change, for `by`; null = assumed ones."""
    robust_to: Literal["link", "srlg", "site"] | None = None
    """Kind of single failures after which the conditions hold, too."""
    candidates: SkipValidation[Annotated[tuple[OwnCandidate, ...], Field(max_length=MAX_OWN)]] = ()
    """Own candidates: changes that are taken together or not at all."""
    generate: bool = True
    """Look for candidates in the network, the catalogue and own parts, too."""


class SweepRequest(ChangedNetworkRequest, AgeingRequest, JobsRequest):
    """Vary one or two inputs and compute a metric at each point, after a plan or changes if given."""

    vary: SkipValidation[Vary]
    """One input or a list of two. An input is a text like `age=0..30:7`, or a path and its values."""
    metric: Annotated[Name | None, Field(json_schema_extra={"enum": [*METRICS, None]})] = None
    """Any metric of a score. Default: the step time, or the busiest link of a network without a job."""
    against: Name | None = None
    """Id of another plan. The answer lists where the metric crosses its value with that plan."""


class SampledRequest(AgeingRequest):
    """Base of requests under uncertain inputs: plans to compare, and the size of the sample."""

    plans: Annotated[tuple[Name, ...], Field(max_length=MAX_PLANS)] = ()
    """Ids of plans of the document, to compare with the network as it is."""
    n_samples: Annotated[int, Field(ge=2, le=MAX_POSTED_SAMPLES), WHOLE] = 64
    """A power of two."""
    seed: Annotated[int, Field(ge=0, le=2**63 - 1), WHOLE] = 0
    """Seed of the samples; the same samples for the same seed."""


class SampleRequest(SampledRequest):
    """Compute intervals of every metric while all uncertain inputs vary at once, and compare plans."""

    metric: Annotated[Name | None, Field(json_schema_extra={"enum": [*METRICS, None]})] = None
    """Metric of the decision between the plans. Default: the one that a verdict is about."""
    years: Annotated[float, Field(ge=0, le=50)] = 0.0
    """Years after the day of the document: fibre and optics age, and demands grow as their classes state."""


class DecideRequest(SampledRequest):
    """Compare doing nothing, plans and leases by net dollars a year. Without `job`, all jobs of the document."""

    lease: Annotated[tuple[Name, ...], Field(max_length=100)] = ()
    """Sites that may be left out of the job and leased as a whole."""
    share: Annotated[tuple[Name, ...], Field(max_length=100)] = ()
    """Sites of which the part that the job leaves free may be leased, beside each plan."""
    lease_usd_per_month: Annotated[float, Field(ge=0, le=1e12)] | None = None
    """Rent of each whole site. Default: that of the document."""
    power_paid_by: Literal["owner", "tenant"] | None = None
    """Payer of the electricity of what is leased. Default: as the leases of the document state, else the owner."""
    usd_per_million_tokens: Annotated[float, Field(ge=0, le=1e9)] | None = None
    """Price of tokens. Default: what renting the cheapest accelerators for them costs."""


class ReportRequest(MainAssumptionsRequest):
    """Write a report of a network and plans as one text, HTML or Markdown."""

    plans: Annotated[tuple[Name, ...], Field(max_length=MAX_REPORT_PLANS)] = ()
    """Ids of plans of the document, to compare with the network as it is."""
    format: ReportFormat = "html"
    """html: one page that opens without a network. markdown: text and tables for a ticket."""
    years: Years = 20
    """Length of the forecast."""
    growth_ratio_per_year: Growth = 0.3
    """Growth of the traffic in the forecast: 0.3 is 30 % a year."""
    budget_usd: Annotated[float, Field(ge=0, le=MAX_BUDGET_USD)] | None = None
    """Look for the best plan within this budget, too; null = no search."""
    n_samples: Annotated[int, Field(ge=0, le=MAX_POSTED_SAMPLES)] = 0
    """Samples of uncertain inputs for intervals, a power of two; 0 = none."""
