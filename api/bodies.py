"""Request bodies of questions about a network as it is or changed; `body_reader` reads and validates them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SkipValidation
from typing_extensions import TypeAliasType

from twin.answers.effects import MAX_TOP
from twin.answers.fields import MAX_FIELDS
from twin.answers.forecast import MAX_YEARS
from twin.answers.path_report import MAX_PATHS
from twin.catalogue.ageing import AgeingCase
from twin.compared_network import N_EFFECTS
from twin.model.document import TopologyDocument
from twin.model.leases import SiteLease
from twin.scenario.changes import Change as ChangeUnion
from twin.scenario.select import Links


def _whole(value: Any) -> Any:
    """Return an integer for a float without a fraction: to JSON Schema 38.0 is an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
MAX_NAME_LENGTH = 200
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME_LENGTH)]
MAX_ROWS = 10_000
"""Most rows of a table in an answer; a link has two rows."""
MAX_PLANS_COMPARED = 100
"""Most plans that a request may compare."""
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
    every key, `verdict` is the text. Without it all fields, as the schema of the answer says. With it keys are absent
    that the schema requires, so read such an answer as plain JSON, not with the class of a generated client."""


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


class LinksRequest(TableRequest):
    """List links: budget, capacity, limit, load and latency, after a plan or changes if given."""

    links: SkipValidation[Links | None] = None
    """An id, a glob, a list of these, or conditions as in changes. Default: wide-area links if there are any and `sort`
    is not given, else all links."""


class ExplainRequest(ChangedNetworkRequest, AgeingRequest):
    """Explain the step time of a job by eight causes, after a plan or changes if given."""
