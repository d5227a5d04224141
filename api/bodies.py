"""What is posted: read strictly, every fault told with its place and near names."""

from __future__ import annotations

import math
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SkipValidation
from typing_extensions import TypeAliasType

from twin.analysis.glass import AgeingCase
from twin.errors import DocumentError, Issue
from twin.formats.native import parse_mapping, validate_as
from twin.model.document import TopologyDocument
from twin.scenario import changes as changes_

WHERE = "body"
Name = Annotated[str, Field(min_length=1, max_length=200)]
Change = TypeAliasType("Change", changes_.Change)
"""The union under a name of its own, so that OpenAPI writes it once."""


class ScoreRequest(BaseModel):
    """What is a network worth, as it stands?"""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    network: SkipValidation[Name | TopologyDocument]
    """A name of the catalogue (`GET /v1/topologies`), or a whole document. Never a path."""
    job: Name | None = None
    """A job of the document by id; without one its default."""
    ageing: AgeingCase = "value"
    """Which end of the range the ageing figures are taken from: low, value (central) or high."""


class WhatIfRequest(ScoreRequest):
    """What does a change do? Either a plan of the document or changes."""

    plan: Name | None = None
    """A plan of the document by id."""
    changes: SkipValidation[Annotated[tuple[Change, ...], Field(max_length=1000)] | None] = None
    """Changes, told apart by `kind`; structure first, then workload, then state."""


R = TypeVar("R", bound=ScoreRequest)


def read_body(body: bytes, kind: type[R]) -> R:
    """A posted question. `network` and `changes` are passed on as plain data: they are read where they are used.

    Raises DocumentError with every bad field.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError(f"is not UTF-8 text (byte {error.start})", where=WHERE) from error
    if not text.strip():
        raise DocumentError("is empty", where=WHERE, expected=f"JSON: {', '.join(kind.model_fields)}")
    data = parse_mapping(text, WHERE, as_json=True)
    _refuse_non_finite(data)
    skipped = {name: data[name] for name in ("network", "changes") if data.get(name) is not None}
    request: R = validate_as(kind, data | dict.fromkeys(skipped), WHERE)
    _check_shapes(request, skipped)
    return request.model_copy(update=skipped)


def _check_shapes(request: ScoreRequest, skipped: dict[str, Any]) -> None:
    issues = []
    network, changes = skipped.get("network"), skipped.get("changes")
    if not isinstance(network, str | dict):
        issues.append(Issue("network", "is neither a name nor a document", "names: GET /v1/topologies"))
    elif isinstance(network, str) and not 1 <= len(network) <= 200:
        issues.append(Issue("network", f"a name of {len(network)} characters", "names: GET /v1/topologies"))
    if isinstance(request, WhatIfRequest):
        if (request.plan is None) == (changes is None):
            found = "neither is there" if changes is None else "both are there"
            issues.append(Issue("plan, changes", found, "give exactly one of plan and changes"))
        if changes is not None and not isinstance(changes, list):
            issues.append(Issue("changes", f"is a {type(changes).__name__} and no list", "a plan's name goes to plan"))
    if issues:
        raise DocumentError(str(issues[0]), where=WHERE, found=issues)


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
