"""Faults that pydantic found, as issues: place, what is wrong there, and near names.

The only place that reads pydantic's errors. Nothing here imports pydantic, so the error tree stays quick to load.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Protocol

from . import DocumentError, Issue, did_you_mean

MAX_ISSUES = 1000
"""A broken document is described by its first thousand faults."""
MAX_SHOWN = 100
"""Characters of a wrong value in a message."""
MAX_PROBLEM = 300
"""Characters of a problem that ends with what was found."""
TAGS = ("kind", "generator")
"""Fields that tell the members of a union apart."""
_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
_MISSING = ("missing", "missing_argument")
_NO_TAG = ("union_tag_invalid", "union_tag_not_found")


class _Invalid(Protocol):
    """A `pydantic.ValidationError`, or FastAPI's error of the same shape."""

    def errors(self) -> Sequence[Any]:
        """The faults: `loc`, `type`, `msg`, `input` and `ctx` of each."""


def document_error(
    error: _Invalid,
    data: Any,
    schema: Callable[[], dict[str, Any]],
    where: str,
    *,
    noun: str = "field",
    prefix: str = "",
) -> DocumentError:
    """Return the error that lists every fault in plain data with its place and near names.

    Args:
        error: what pydantic raised.
        data: what was validated; items of lists are named by their id.
        schema: the JSON Schema of what was expected; called only where a name is unknown.
        where: the file or place that the error names.
        noun: what a bad entry is called.
        prefix: put before every place, such as `fabrics[dc].params`.
    """
    faults = _without_echoes(error.errors())
    known = cache(schema)  # takes long enough to be made once for all faults
    issues = [_issue(fault, data, known, noun, prefix) for fault in faults[:MAX_ISSUES]]
    n = len(faults)
    return DocumentError(f"{n} bad {noun}{'s' if n > 1 else ''}", where=where, found=issues)


def issues_by_place(error: _Invalid, prefix: str = "", *, with_input: bool = False) -> list[Issue]:
    """Return each fault with its dotted place after `prefix`, and on request what was found there."""
    found = []
    for fault in error.errors():
        place = f"{prefix}{'.'.join(map(str, fault['loc']))}" if fault["loc"] else prefix.rstrip(":. ")
        problem = f"{fault['msg']}, got {fault['input']!r}"[:MAX_PROBLEM] if with_input else str(fault["msg"])
        found.append(Issue(place, problem))
    return found


def _without_echoes(faults: Sequence[Any]) -> list[Any]:
    """Leave out lists that count as too short only because their items have faults of their own."""
    above = {fault["loc"][:n] for fault in faults for n in range(len(fault["loc"]))}
    return [fault for fault in faults if fault["type"] != "too_short" or fault["loc"] not in above]


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
        found = fault.get("input")
        whole = isinstance(found, dict | list) or fault["type"] == "json_invalid"
        shown = "" if whole or repr(found) in fault["msg"] else f", found {_short(found)}"
        problem = f"{fault['msg']}{shown}"
        if fault["type"] == "literal_error":
            hint = did_you_mean(str(found), re.findall(r"'([^']*)'", fault["ctx"]["expected"]))
    return Issue(place_of(location, data, prefix), problem, hint)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def place_of(location: list[Any], data: Any, prefix: str = "") -> str:
    """`links[core~leaf].spans[0].length_km`: list items by their id where they have one."""
    text, here = prefix, data
    for step in location:
        if isinstance(step, int):
            here = here[step] if isinstance(here, list | tuple) and step < len(here) else None
            name = here.get("id") if isinstance(here, dict) else None
            shown = name if isinstance(name, str) else str(step)
            text += f"[{shown if shown.isprintable() else ascii(shown)[1:-1]}]"
        elif isinstance(here, dict) and step not in here and text and _is_tag(step, here):
            continue
        else:
            here = here.get(step) if isinstance(here, dict) else None
            text += f".{step}" if text else str(step)
    return text or "document"


def _is_tag(step: str, here: Mapping[str, Any]) -> bool:
    """Whether a step only names the branch of a union (pydantic puts it between list index and field)."""
    return any(here.get(tag) == step for tag in TAGS) or step in ("json-or-python", "constrained-str")


def _tags(schema: Any, field: str) -> list[str]:
    """What `field` may say in the first union of a schema whose members are told apart by it."""
    if not isinstance(schema, dict):
        return []
    found = schema.get("discriminator", {})
    if isinstance(found, dict) and found.get("propertyName") == field and "mapping" in found:
        return sorted(found["mapping"])
    return next(filter(None, (_tags(part, field) for part in schema.values())), [])


def _known_fields(schema: Any, root: Any, location: Iterable[Any]) -> list[str]:
    nodes = [schema]
    for step in location:
        nodes = [child for node in _resolve(nodes, root) for child in _step(node, step)] or nodes
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


def _step(node: Any, step: Any) -> list[Any]:
    if isinstance(step, int):
        return [node["items"]] if isinstance(node.get("items"), dict) else list(node.get("prefixItems", []))
    properties = node.get("properties", {})
    if step in properties:
        return [properties[step]]
    return [node] if any(properties.get(tag, {}).get("const") == step for tag in TAGS) else []
