"""Converts validation errors of pydantic to issues with place, problem and similar names.

Only this module reads pydantic's errors. It does not import pydantic, so the error tree loads fast.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Protocol

from . import DocumentError, Issue, did_you_mean

MAX_ISSUES = 1000
"""Maximum number of reported faults."""
MAX_SHOWN = 100
"""Maximum characters of a wrong value in a message."""
MAX_PROBLEM = 300
"""Maximum characters of a problem that quotes the value."""
TAGS = ("kind", "generator")
"""Fields that select the member of a union."""
_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
_MISSING = ("missing", "missing_argument")
_NO_TAG = ("union_tag_invalid", "union_tag_not_found")


class _Invalid(Protocol):
    """A `pydantic.ValidationError`, or FastAPI's error of the same shape."""

    def errors(self) -> Sequence[Any]:
        """Return the faults, each with `loc`, `type`, `msg`, `input` and `ctx`."""


def document_error(
    error: _Invalid,
    data: Any,
    schema: Callable[[], dict[str, Any]],
    where: str,
    *,
    noun: str = "field",
    prefix: str = "",
) -> DocumentError:
    """Create the error that lists all faults of plain data with their places and similar names.

    Args:
        error: validation error of pydantic.
        data: validated data; list items are named by their id.
        schema: returns the JSON Schema of the data; called only for unknown names.
        where: file or place of the data, for the message.
        noun: word for a bad entry in messages.
        prefix: prefix of all places, such as `fabrics[dc].params`.
    """
    faults = _drop_consequent_faults(error.errors())
    known = cache(schema)  # slow, so computed once for all faults
    issues = [_issue(fault, data, known, noun, prefix) for fault in faults[:MAX_ISSUES]]
    n = len(faults)
    return DocumentError(f"{n} bad {noun}{'s' if n > 1 else ''}", where=where, found=issues)


def issues_by_place(error: _Invalid, prefix: str = "", *, with_input: bool = False) -> list[Issue]:
    """Return all faults with their dotted places after `prefix`, and optionally the wrong values."""
    issues = []
    for fault in error.errors():
        place = f"{prefix}{'.'.join(map(str, fault['loc']))}" if fault["loc"] else prefix.rstrip(":. ")
        problem = f"{fault['msg']}, got {fault['input']!r}"[:MAX_PROBLEM] if with_input else str(fault["msg"])
        issues.append(Issue(place, problem))
    return issues


def _drop_consequent_faults(faults: Sequence[Any]) -> list[Any]:
    """Drop faults of lists that are too short only because their items are invalid."""
    parents = {fault["loc"][:n] for fault in faults for n in range(len(fault["loc"]))}
    return [fault for fault in faults if fault["type"] != "too_short" or fault["loc"] not in parents]


def _issue(fault: Any, data: Any, schema: Callable[[], dict[str, Any]], noun: str, prefix: str) -> Issue:
    location = list(fault["loc"])
    hint = ""
    if fault["type"] in _UNKNOWN:
        known = _known_fields(schema(), schema(), location[:-1])
        problem = f"unknown {noun} {location[-1]!r}"
        hint = did_you_mean(str(location[-1]), known) or (f"known: {', '.join(known)}" if known else "")
    elif fault["type"] in _NO_TAG:
        field = fault["ctx"]["discriminator"].strip("'")
        location = [*location, field]
        known = _tags(schema(), field)
        tag = fault["ctx"].get("tag")
        problem = f"unknown {field} {tag!r}" if tag else "is missing"
        hint = did_you_mean(str(tag), known) if tag else ""
        hint = hint or f"known: {', '.join(known)}"
    elif fault["type"] in _MISSING:
        problem = "is missing"
    else:
        value = fault.get("input")
        without_value = isinstance(value, dict | list) or fault["type"] == "json_invalid"
        value_text = "" if without_value or repr(value) in fault["msg"] else f", found {_shortened(value)}"
        problem = f"{fault['msg']}{value_text}"
        if fault["type"] == "literal_error":
            hint = did_you_mean(str(value), re.findall(r"'([^']*)'", fault["ctx"]["expected"]))
    return Issue(place_of(location, data, prefix), problem, hint)


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def place_of(location: list[Any], data: Any, prefix: str = "") -> str:
    """Return a place as text, such as `links[core~leaf].spans[0].length_km`; list items by their id if present."""
    text, value = prefix, data
    for step in location:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list | tuple) and step < len(value) else None
            name = value.get("id") if isinstance(value, dict) else None
            label = name if isinstance(name, str) else str(step)
            text += f"[{label if label.isprintable() else ascii(label)[1:-1]}]"
        elif isinstance(value, dict) and step not in value and text and _is_tag(step, value):
            continue
        else:
            value = value.get(step) if isinstance(value, dict) else None
            text += f".{step}" if text else str(step)
    return text or "document"


def _is_tag(step: str, value: Mapping[str, Any]) -> bool:
    """Return whether a step only names the branch of a union; pydantic puts it between list index and field."""
    return any(value.get(tag) == step for tag in TAGS) or step in ("json-or-python", "constrained-str")


def _tags(schema: Any, field: str) -> list[str]:
    """Return the values of `field` in the first union of a schema that it discriminates."""
    if not isinstance(schema, dict):
        return []
    discriminator = schema.get("discriminator", {})
    if isinstance(discriminator, dict) and discriminator.get("propertyName") == field and "mapping" in discriminator:
        return sorted(discriminator["mapping"])
    return next(filter(None, (_tags(part, field) for part in schema.values())), [])


def _known_fields(schema: Any, root: Any, location: Iterable[Any]) -> list[str]:
    nodes = [schema]
    for step in location:
        nodes = [child for node in _resolve(nodes, root) for child in _schemas_of_step(node, step)] or nodes
    return sorted({name for node in _resolve(nodes, root) for name in node.get("properties", {})})


def _resolve(nodes: list[Any], root: Any) -> list[Any]:
    flat: list[Any] = []
    for node in nodes:
        if "$ref" in node:
            flat += _resolve([root["$defs"][node["$ref"].rsplit("/", 1)[-1]]], root)
        elif "anyOf" in node or "oneOf" in node:
            flat += _resolve(node.get("anyOf") or node["oneOf"], root)
        else:
            flat.append(node)
    return flat


def _schemas_of_step(node: Any, step: Any) -> list[Any]:
    if isinstance(step, int):
        return [node["items"]] if isinstance(node.get("items"), dict) else list(node.get("prefixItems", []))
    properties = node.get("properties", {})
    if step in properties:
        return [properties[step]]
    return [node] if any(properties.get(tag, {}).get("const") == step for tag in TAGS) else []
