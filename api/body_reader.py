"""Reading of request bodies. Validation is strict; each error is reported with its place and similar names."""

from __future__ import annotations

import math
from typing import Any, TypeVar

from twin.errors import DocumentError, Issue
from twin.errors.wording import type_text
from twin.formats.native import parse_mapping
from twin.formats.readers import decode_utf8
from twin.model.validation import validate_as
from twin.scenario.select import Links

from .axes import axis_issues
from .bodies import MAX_NAME_LENGTH, ChangedNetworkRequest, DiffRequest, NetworkRequest, PreviewRequest, WhatIfRequest
from .study_bodies import ScheduleRequest, SweepRequest

BODY = "body"
MAX_READ_BYTES = 16 * 1024
"""Largest body that is read on the event loop, in less time than a thread takes; others are read by compute processes.
"""
RAW_FIELDS = ("network", "changes", "links", "vary", "candidates", "other", "other_changes")
"""Fields that stay plain data. They are validated where they are used."""
NEEDS_CHANGES = (WhatIfRequest, PreviewRequest, ScheduleRequest)
"""Requests that are about changes, so either a plan or changes must be there."""
RequestT = TypeVar("RequestT", bound=NetworkRequest)


def read_body(body: bytes, model: type[RequestT]) -> RequestT:
    """Read a request body. `RAW_FIELDS` stay plain data.

    Args:
        body: JSON text in UTF-8.
        model: class of the request.

    Raises:
        DocumentError: the body is invalid; each invalid field is an issue.
    """
    return read_request(read_mapping(body, f"a JSON object with {', '.join(model.model_fields)}"), model)


def read_small(body: bytes, model: type[RequestT]) -> RequestT | bytes:
    """Return the request of a small body, and a large one as it is, to be read where it is answered.

    Args:
        body: JSON text in UTF-8.
        model: class of the request.

    Raises:
        DocumentError: a small body is invalid.
    """
    return read_body(body, model) if len(body) <= MAX_READ_BYTES else body


def read_mapping(body: bytes, expected: str) -> dict[str, Any]:
    """Return the JSON object of a request body; its numbers are finite.

    Args:
        body: JSON text in UTF-8.
        expected: description of the object.

    Raises:
        DocumentError: it is no such text.
    """
    text = decode_utf8(body, BODY)
    if not text.strip():
        raise DocumentError("is empty", where=BODY, expected=expected)
    data: dict[str, Any] = parse_mapping(text, BODY, as_json=True, expected=expected)
    _check_finite(data)
    return data


def read_request(data: dict[str, Any], model: type[RequestT]) -> RequestT:
    """Validate a request body as plain data. `RAW_FIELDS` stay plain data.

    Args:
        data: the object.
        model: class of the request.

    Raises:
        DocumentError: the body is invalid; each invalid field is an issue.
    """
    raw = {name: data[name] for name in RAW_FIELDS if data.get(name) is not None}
    request: RequestT = validate_as(model, data | dict.fromkeys(raw), BODY)
    _check_raw_fields(request, raw)
    return request.model_copy(update=raw)


def _check_raw_fields(request: NetworkRequest, raw: dict[str, Any]) -> None:
    changes = raw.get("changes")
    issues = _network_issues("network", raw.get("network"))
    if isinstance(request, ChangedNetworkRequest):
        if request.plan is not None and changes is not None:
            issues.append(Issue("plan, changes", "both are there", "give exactly one of plan and changes"))
        if isinstance(request, NEEDS_CHANGES) and request.plan is None and changes is None:
            issues.append(Issue("plan, changes", "neither is there", "give exactly one of plan and changes"))
        if changes is not None and not isinstance(changes, list):
            issues.append(Issue("changes", f"is {type_text(changes)} and no list", "a plan's name goes to plan"))
    if isinstance(request, DiffRequest):
        issues += _other_issues(request, raw)
    issues += _link_issues(raw.get("links"))
    if "candidates" in raw and not isinstance(raw["candidates"], list):
        issues.append(Issue("candidates", f"is {type_text(raw['candidates'])} and no list", "a list of candidates"))
    if isinstance(request, SweepRequest):
        issues += axis_issues(raw.get("vary"))
    if issues:
        raise DocumentError(str(issues[0]), where=BODY, found=issues)


def _network_issues(field: str, network: Any) -> list[Issue]:
    """Find faults of a field that names a network or holds a document."""
    hint = "names: GET /v1/topologies and GET /v1/networks"
    if not isinstance(network, str | dict):
        return [Issue(field, "is neither a name nor a document", hint)]
    if isinstance(network, str) and not 1 <= len(network) <= MAX_NAME_LENGTH:
        return [Issue(field, f"a name of {len(network)} characters", hint)]
    return []


def _other_issues(request: DiffRequest, raw: dict[str, Any]) -> list[Issue]:
    """Find faults of the other side of a comparison."""
    other, changes = raw.get("other"), raw.get("other_changes")
    issues = [] if other is None else _network_issues("other", other)
    if request.other_plan is not None and changes is not None:
        issues.append(Issue("other_plan, other_changes", "both are there", "give at most one of them"))
    if changes is not None and not isinstance(changes, list):
        issues.append(Issue("other_changes", f"is {type_text(changes)} and no list", "a plan's name: other_plan"))
    return issues


def _link_issues(links: Any) -> list[Issue]:
    if links is None:
        return []
    try:
        validate_as(Links, links, "links", prefix="links")
    except DocumentError as error:
        return list(error.issues)
    return []


def _check_finite(data: dict[str, Any]) -> None:
    """Raise DocumentError for NaN, Infinity and 1e999. Python's JSON reader accepts them; JSON does not have them."""
    stack: list[tuple[str, Any]] = [("", data)]
    while stack:
        path, item = stack.pop()
        pairs = item.items() if isinstance(item, dict) else enumerate(item)
        for key, value in pairs:
            if isinstance(value, float):
                if not math.isfinite(value):
                    issue = Issue(_child_path(path, key), f"{value} is no number")
                    raise DocumentError(str(issue), where=BODY, found=[issue])
            elif isinstance(value, dict | list):
                stack.append((_child_path(path, key), value))


def _child_path(path: str, key: str | int) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key
