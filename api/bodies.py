"""What is posted: read strictly, every fault told with its place and near names."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SkipValidation
from typing_extensions import TypeAliasType

from twin.answers.forecast import MAX_YEARS
from twin.answers.metrics import METRICS
from twin.catalogue.ageing import AgeingCase
from twin.errors import DocumentError, Issue
from twin.formats.native import in_words, parse_mapping, validate_as
from twin.model.document import TopologyDocument
from twin.scenario import changes as changes_
from twin.scenario.select import Links, LinkSelector

from .axes import Vary, axis_issues

WHERE = "body"
AS_POSTED = ("network", "changes", "links", "vary")
Name = Annotated[str, Field(min_length=1, max_length=200)]
Years = Annotated[int, Field(ge=1, le=MAX_YEARS)]
Growth = Annotated[float, Field(ge=-0.9, le=10.0)]
Change = TypeAliasType("Change", changes_.Change)
"""The union under a name of its own, so that OpenAPI writes it once."""


class Question(BaseModel):
    """Base of all questions: which network, and which of its jobs."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    network: SkipValidation[Name | TopologyDocument]
    """A name of the catalogue (`GET /v1/topologies`), or a whole document. Never a path."""
    job: Name | None = None
    """A job of the document by id; without one its default."""


class ScoreRequest(Question):
    """What is a network worth, as it stands?"""

    ageing: AgeingCase = "value"
    """Which end of the range the ageing figures are taken from: low, value (central) or high."""


class ChangedQuestion(Question):
    """Base of questions about a network after a plan of its document, or after changes."""

    plan: Name | None = None
    """A plan of the document by id."""
    changes: SkipValidation[Annotated[tuple[Change, ...], Field(max_length=1000)] | None] = None
    """Changes, told apart by `kind`; structure first, then workload, then state."""

    @property
    def after(self) -> Any:
        """The plan's name, or the changes; None where the network is asked as it stands."""
        return self.plan if self.plan is not None else self.changes


class WhatIfRequest(ChangedQuestion, ScoreRequest):
    """What does a change do? Either a plan of the document or changes."""


class ForecastRequest(ChangedQuestion):
    """When do margins go, rates drop and links fill up? In all three ageing cases; after a plan or changes, if any."""

    years: Years = 20
    """How far to look."""
    growth_ratio_per_year: Growth = 0.0
    """Of the traffic: 0.3 is 30 % a year."""
    links: SkipValidation[Links | None] = None
    """An id, a glob, or conditions as in changes; wide-area links where there are some, else all."""


class LinkRequest(ChangedQuestion, ScoreRequest):
    """Where does the light of one link go, and what holds it? As it stands, or after a plan or changes."""

    link: Name
    """Id of a link, or a glob that only one matches."""
    years: Years | None = 20
    """How far its calendar looks; null for none."""
    growth_ratio_per_year: Growth = 0.0
    """Of the traffic: 0.3 is 30 % a year."""


class ExplainRequest(ChangedQuestion, ScoreRequest):
    """What is in the way of a job's step, by eight causes? As it stands, or after a plan or changes."""


class SweepRequest(ChangedQuestion, ScoreRequest):
    """How does a metric move with one or two inputs? Of the network as it stands, or after a plan or changes."""

    vary: SkipValidation[Vary]
    """One input or a list of two: a text as after the command's `--vary`, `age=0..30:7`, or a path and its values."""
    metric: Annotated[Name, Field(json_schema_extra={"enum": list(METRICS)})] = "step_time_s"
    """Any that a score has."""
    against: Name | None = None
    """Another plan of the document: where the metric crosses what it has with that is told."""


R = TypeVar("R", bound=Question)


def read_body(body: bytes, kind: type[R]) -> R:
    """A posted question. What is in AS_POSTED goes on as plain data: it is read where it is used.

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


def _check_shapes(request: Question, skipped: dict[str, Any]) -> None:
    issues: list[Issue] = []
    network, changes = skipped.get("network"), skipped.get("changes")
    if not isinstance(network, str | dict):
        issues.append(Issue("network", "is neither a name nor a document", "names: GET /v1/topologies"))
    elif isinstance(network, str) and not 1 <= len(network) <= 200:
        issues.append(Issue("network", f"a name of {len(network)} characters", "names: GET /v1/topologies"))
    if isinstance(request, ChangedQuestion):
        if request.plan is not None and changes is not None:
            issues.append(Issue("plan, changes", "both are there", "give exactly one of plan and changes"))
        if isinstance(request, WhatIfRequest) and request.plan is None and changes is None:
            issues.append(Issue("plan, changes", "neither is there", "give exactly one of plan and changes"))
        if changes is not None and not isinstance(changes, list):
            issues.append(Issue("changes", f"is {in_words(changes)} and no list", "a plan's name goes to plan"))
    issues += _link_issues(skipped.get("links"))
    if isinstance(request, SweepRequest):
        issues += axis_issues(skipped.get("vary"))
    if issues:
        raise DocumentError(str(issues[0]), where=WHERE, found=issues)


def _link_issues(links: Any) -> list[Issue]:
    if links is None or (isinstance(links, str) and 1 <= len(links) <= 200):
        return []
    if isinstance(links, str):
        return [Issue("links", f"a text of {len(links)} characters", "an id or a glob")]
    if not isinstance(links, dict):
        return [Issue("links", f"is {in_words(links)}", 'an id, a glob, or conditions: {"tier": "wide_area"}')]
    try:
        validate_as(LinkSelector, links, "links")
    except DocumentError as error:
        return [replace(issue, where=f"links.{issue.where}") for issue in error.issues]
    return []


def _refuse_non_finite(data: dict[str, Any]) -> None:
    """Python's JSON reads NaN, Infinity and 1e999; none of them is JSON's, and no figure means them."""
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
