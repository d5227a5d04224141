"""Request bodies of questions, as classes; `body_reader` reads and validates them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SkipValidation
from typing_extensions import TypeAliasType

from twin.answers.effects import MAX_TOP
from twin.answers.fields import MAX_FIELDS
from twin.answers.forecast import MAX_YEARS
from twin.answers.metrics import METRICS
from twin.answers.path_report import MAX_PATHS
from twin.catalogue.ageing import AgeingCase
from twin.compared_network import N_EFFECTS
from twin.model.document import TopologyDocument
from twin.model.leases import SiteLease
from twin.planner.candidate import MAX_OWN, OwnCandidate
from twin.planner.question import MAX_BUDGET_USD, MAX_KEEPS
from twin.reports.answers import MAX_PLANS as MAX_REPORT_PLANS
from twin.reports.network_report import ReportFormat
from twin.scenario.changes import Change as ChangeUnion
from twin.scenario.select import Links
from twin.studies.failure_kinds import KINDS
from twin.studies.failure_pairs import MAX_PAIRS
from twin.studies.uncertainty import MAX_PLANS
from twin.studies.works import DRAIN_DAYS, MAX_DAYS

from .axes import Vary


def _whole(value: Any) -> Any:
    """Return an integer for a float without a fraction: to JSON Schema 38.0 is an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
MAX_NAME_LENGTH = 200
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME_LENGTH)]
MAX_ROWS = 10_000
"""Most rows of a table in an answer; a link has two rows."""
MAX_POSTED_SAMPLES = 4096
"""Most samples that a request may ask for."""
MAX_PLANS_COMPARED = 100
"""Most plans that a request may compare."""
MAX_POSTED_STATES = 100_000
"""Most states that a request may ask for."""
Years = Annotated[int, Field(ge=1, le=MAX_YEARS), WHOLE]
Growth = Annotated[float, Field(ge=-0.9, le=10.0)]
Change = TypeAliasType("Change", ChangeUnion)
"""Union of all changes with a name of its own, so that OpenAPI contains it once."""


class NetworkRequest(BaseModel):
    """Base of all requests: a network and one of its jobs."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    network: SkipValidation[Name | TopologyDocument]
    """Name of a shipped network (`GET /v1/topologies`) or of a stored one (`GET /v1/networks`), `name@digest` for a
    stored revision, or a whole document. Never a path."""
    job: Name | None = None
    """Id of a job of the document; without it the default job."""
    fields: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_FIELDS)] | None = None
    """Fields of the answer to return, with dots between keys: `metrics.step_time_s`. A name goes through lists, `*` is
    every key, `verdict` is the text. Without it all fields, as the schema of the answer says."""


class AgeingRequest(NetworkRequest):
    """Base of requests with one ageing case."""

    ageing: AgeingCase = "value"
    """Which figure of each ageing range is used: low (optimistic), value (central) or high (pessimistic)."""


class MainAssumptionsRequest(NetworkRequest):
    """Base of requests whose answer ranks its assumptions."""

    main_assumptions: bool = True
    """Find the assumptions that move the answer most. This takes most of the time; false leaves them out."""


class JobsRequest(NetworkRequest):
    """Base of requests about several jobs at once."""

    jobs: Annotated[tuple[Name, ...], Field(max_length=1000)] | None = None
    """Ids of jobs that run together; the metrics are those of `job` among them. Without it the set of the document's
    `jobs_together` that has the job."""


class ScoreRequest(MainAssumptionsRequest, AgeingRequest, JobsRequest):
    """Compute every metric of a network as it is."""


class ChangedNetworkRequest(NetworkRequest):
    """Base of requests about a network after a plan of its document, or after changes."""

    plan: Name | None = None
    """Id of a plan of the document."""
    changes: SkipValidation[Annotated[tuple[Change, ...], Field(max_length=1000)] | None] = None
    """Changes, distinguished by `kind`. Order: structure, then workload, then state."""

    @property
    def plan_or_changes(self) -> Any:
        """Return the id of the plan, or the changes; None for the unchanged network."""
        return self.plan if self.plan is not None else self.changes


class WhatIfRequest(MainAssumptionsRequest, ChangedNetworkRequest, AgeingRequest, JobsRequest):
    """Compare a network before and after a plan of its document, or after changes."""

    causes: bool = True
    """Find the causes of what got better or worse: the network is computed again without each change."""
    top: Annotated[int, Field(ge=1, le=MAX_TOP), WHOLE] = N_EFFECTS
    """Most links, demands and jobs to list that got better, and as many that got worse."""


class PreviewRequest(ChangedNetworkRequest, AgeingRequest):
    """List what a plan of a document or changes would do to its records; nothing is evaluated."""


class BillRequest(ChangedNetworkRequest):
    """List what a plan of a document or changes buy, and what a year then costs more."""


class MoneyRequest(ChangedNetworkRequest, AgeingRequest, JobsRequest):
    """Weigh what a plan of a document or changes cost against what they bring."""

    horizon_years: Annotated[float, Field(gt=0, le=100)] | None = None
    """Time that counts; without it that of the price book."""
    discount_ratio_per_year: Annotated[float, Field(ge=0, le=10)] | None = None
    """0.1 is 10 % a year; without it that of the price book."""
    usd_per_million_tokens: Annotated[
        Annotated[float, Field(ge=0, le=1e9)] | None, Field(title="worth of a million tokens")
    ] = None
    """Worth of the job's work; without it the list rental of its accelerators, 0 = nothing."""
    leases: Annotated[tuple[SiteLease, ...], Field(max_length=1000)] = ()
    """Leases that are signed together with the plan."""


class ReadinessRequest(ChangedNetworkRequest):
    """Compare what sites need with their budgets by day, after a plan or changes if given."""

    on: date | None = None
    """Day on which the changes shall be done; they are refused if a budget is too small then."""


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


class DiffRequest(ChangedNetworkRequest, AgeingRequest):
    """Compare two networks, each after a plan or changes if given: records, then metrics."""

    other: SkipValidation[Name | TopologyDocument | None] = None
    """Name of the other network, or a document; without it the same network, after another plan or changes."""
    other_plan: Name | None = None
    """Id of a plan of the other network."""
    other_changes: SkipValidation[Annotated[tuple[Change, ...], Field(max_length=1000)] | None] = None
    """Changes of the other network."""
    top: Annotated[int, Field(ge=1, le=MAX_TOP), WHOLE] = N_EFFECTS
    """Most links, demands and jobs to list that are better in the other network, and as many that are worse."""

    @property
    def other_plan_or_changes(self) -> Any:
        """Return the id of the plan of the other network, or its changes; None for none."""
        return self.other_plan if self.other_plan is not None else self.other_changes


class CompareRequest(AgeingRequest):
    """Compare plans of a network side by side."""

    plans: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_PLANS_COMPARED)] | None = None
    """Ids of plans. Without them all of the document, if these are not more."""


class ForecastRequest(ChangedNetworkRequest):
    """Forecast margin, rate and load of links in three ageing cases, after a plan or changes if given."""

    years: Years = 20
    """Length of the forecast."""
    growth_ratio_per_year: Growth = 0.0
    """Of the traffic: 0.3 is 30 % a year."""
    links: SkipValidation[Links | None] = None
    """An id, a glob, a list of these, or conditions as in changes. Default: wide-area links if there are any, else all
    links."""


class DrawingRequest(ChangedNetworkRequest, AgeingRequest):
    """Draw a network by tier, after a plan or changes if given: places, lines between them, and sites."""

    worst_failure: bool = False
    """Fail each link, too, for the utilisation of lines after the worst failure. This takes most of the time."""


class LeasesRequest(ChangedNetworkRequest, AgeingRequest):
    """Report leases and stranded capacity, after a plan or changes if given."""


class GrowthRequest(ChangedNetworkRequest, AgeingRequest):
    """Find when the first link passes a limit as demands grow, after a plan or changes if given."""

    rates: Annotated[dict[Name, Growth], Field(max_length=1000)] = {}
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


class LinkRequest(ChangedNetworkRequest, AgeingRequest):
    """Report one link: budget, modes, latency, goodput, failures and forecast, after a plan or changes if given."""

    link: Name
    """Id of a link, or a glob that matches exactly one link."""
    years: Years | None = 20
    """Length of the forecast; null for no forecast."""
    growth_ratio_per_year: Growth = 0.0
    """Of the traffic: 0.3 is 30 % a year."""


class PathRequest(ChangedNetworkRequest, AgeingRequest):
    """Trace all shortest paths between two nodes, after a plan or changes if given."""

    source: Name
    """Id of the node that sends."""
    target: Name
    """Id of the node that receives."""
    max_paths: Annotated[int, Field(ge=1, le=MAX_PATHS), WHOLE] = 16
    """Most paths to list, those with the largest shares first."""


class TableRequest(ChangedNetworkRequest, AgeingRequest):
    """Base of requests whose answer is a table."""

    sort: Name | None = None
    """Column to sort by, the worst first, with or without its unit. Default: by id."""
    top: Annotated[int, Field(ge=1, le=MAX_ROWS), WHOLE] = 1000
    """Most rows to list; the verdict counts all."""


class DemandsRequest(TableRequest):
    """List demands: offered, carried and the link that limits each, after a plan or changes if given."""


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


class LinksRequest(TableRequest):
    """List links: budget, capacity, limit, load and latency, after a plan or changes if given."""

    links: SkipValidation[Links | None] = None
    """An id, a glob, a list of these, or conditions as in changes. Default: wide-area links if there are any and `sort`
    is not given, else all links."""


class ExplainRequest(ChangedNetworkRequest, AgeingRequest):
    """Explain the step time of a job by eight causes, after a plan or changes if given."""


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
