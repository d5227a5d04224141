"""Request bodies. They are read strictly; every error is reported with its place and near names."""

from __future__ import annotations

import math
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SkipValidation
from typing_extensions import TypeAliasType

from twin.answers.forecast import MAX_YEARS
from twin.answers.metrics import METRICS
from twin.catalogue.ageing import AgeingCase
from twin.errors import DocumentError, Issue
from twin.formats.native import parse_mapping, type_text
from twin.model.document import TopologyDocument
from twin.model.validation import validate_as
from twin.scenario import changes as changes_
from twin.scenario.select import Links

from .axes import Vary, axis_issues

WHERE = "body"
AS_POSTED = ("network", "changes", "links", "vary")
Name = Annotated[str, Field(min_length=1, max_length=200)]
Years = Annotated[int, Field(ge=1, le=MAX_YEARS)]
Growth = Annotated[float, Field(ge=-0.9, le=10.0)]
Change = TypeAliasType("Change", changes_.Change)
"""The union with a name, so OpenAPI writes it once."""


class NetworkRequest(BaseModel):
    """Base of all requests: a network and one of its jobs."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    network: SkipValidation[Name | TopologyDocument]
    """Name of a shipped network (`GET /v1/topologies`), or a whole document. Never a path."""
    job: Name | None = None
    """Id of a job of the document; without it the default job."""


class ScoreRequest(NetworkRequest):
    """Compute every metric of a network as it is."""

    ageing: AgeingCase = "value"
    """Which figure of each ageing range is used: low (optimistic), value (central) or high (pessimistic)."""


class ChangedNetworkRequest(NetworkRequest):
    """Base of requests about a network after a plan of its document, or after changes."""

    plan: Name | None = None
    """Id of a plan of the document."""
    changes: SkipValidation[Annotated[tuple[Change, ...], Field(max_length=1000)] | None] = None
    """Changes, distinguished by `kind`. Order: structure, then workload, then state."""

    @property
    def after(self) -> Any:
        """The plan's id, or the changes; None for the network as it is."""
        return self.plan if self.plan is not None else self.changes


class WhatIfRequest(ChangedNetworkRequest, ScoreRequest):
    """Compare a network before and after a plan of its document, or after changes."""


class ForecastRequest(ChangedNetworkRequest):
    """Forecast margin, rate and load of links in three ageing cases, after a plan or changes if given."""

    years: Years = 20
    """Length of the forecast."""
    growth_ratio_per_year: Growth = 0.0
    """Of the traffic: 0.3 is 30 % a year."""
    links: SkipValidation[Links | None] = None
    """An id, a glob, a list of these, or conditions as in changes. Default: wide-area links if there are any, else all
    links."""


class LinkRequest(ChangedNetworkRequest, ScoreRequest):
    """Report one link: budget, modes, latency, goodput, failures and forecast, after a plan or changes if given."""

    link: Name
    """Id of a link, or a glob that matches exactly one link."""
    years: Years | None = 20
    """Length of the forecast; null for no forecast."""
    growth_ratio_per_year: Growth = 0.0
    """Of the traffic: 0.3 is 30 % a year."""


class ExplainRequest(ChangedNetworkRequest, ScoreRequest):
    """Explain the step time of a job by eight causes, after a plan or changes if given."""


class SweepRequest(ChangedNetworkRequest, ScoreRequest):
    """Vary one or two inputs and compute a metric at each point, after a plan or changes if given."""

    vary: SkipValidation[Vary]
    """One input or a list of two. An input is a text like `age=0..30:7`, or a path and its values."""
    metric: Annotated[Name, Field(json_schema_extra={"enum": list(METRICS)})] = "step_time_s"
    """Any metric of a score."""
    against: Name | None = None
    """Id of another plan. The answer lists where the metric crosses its value with that plan."""


R = TypeVar("R", bound=NetworkRequest)


def read_body(body: bytes, kind: type[R]) -> R:
    """Read a request body. Fields in AS_POSTED stay plain data and are read where they are used.

    Raises DocumentError with every bad field.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError(f"is not UTF-8 text (byte {error.start})", where=WHERE) from error
    expected = f"a JSON object with {', '.join(kind.model_fields)}"
    if not text.strip():
        raise DocumentError("is empty", where=WHERE, expected=expected)
    data = parse_mapping(text, WHERE, as_json=True, expected=expected)
    _refuse_non_finite(data)
    skipped = {name: data[name] for name in AS_POSTED if data.get(name) is not None}
    request: R = validate_as(kind, data | dict.fromkeys(skipped), WHERE)
    _check_shapes(request, skipped)
    return request.model_copy(update=skipped)


def _check_shapes(request: NetworkRequest, skipped: dict[str, Any]) -> None:
    issues: list[Issue] = []
    network, changes = skipped.get("network"), skipped.get("changes")
    if not isinstance(network, str | dict):
        issues.append(Issue("network", "is neither a name nor a document", "names: GET /v1/topologies"))
    elif isinstance(network, str) and not 1 <= len(network) <= 200:
        issues.append(Issue("network", f"a name of {len(network)} characters", "names: GET /v1/topologies"))
    if isinstance(request, ChangedNetworkRequest):
        if request.plan is not None and changes is not None:
            issues.append(Issue("plan, changes", "both are there", "give exactly one of plan and changes"))
        if isinstance(request, WhatIfRequest) and request.plan is None and changes is None:
            issues.append(Issue("plan, changes", "neither is there", "give exactly one of plan and changes"))
        if changes is not None and not isinstance(changes, list):
            issues.append(Issue("changes", f"is {type_text(changes)} and no list", "a plan's name goes to plan"))
    issues += _link_issues(skipped.get("links"))
    if isinstance(request, SweepRequest):
        issues += axis_issues(skipped.get("vary"))
    if issues:
        raise DocumentError(str(issues[0]), where=WHERE, found=issues)


def _link_issues(links: Any) -> list[Issue]:
    if links is None:
        return []
    try:
        validate_as(Links, links, "links", prefix="links")
    except DocumentError as error:
        return list(error.issues)
    return []


def _refuse_non_finite(data: dict[str, Any]) -> None:
    """Raise DocumentError for NaN, Infinity and 1e999. Python's JSON reader accepts them; JSON does not have them."""
    waiting: list[tuple[str, Any]] = [("", data)]
    while waiting:
        place, item = waiting.pop()
        pairs = item.items() if isinstance(item, dict) else enumerate(item)
        for key, value in pairs:
            if isinstance(value, float):
                if not math.isfinite(value):
                    issue = Issue(_place(place, key), f"{value} is no number")
                    raise DocumentError(str(issue), where=WHERE, found=[issue])
            elif isinstance(value, dict | list):
                waiting.append((_place(place, key), value))


def _place(place: str, key: str | int) -> str:
    if isinstance(key, int):
        return f"{place}[{key}]"
    return f"{place}.{key}" if place else key
