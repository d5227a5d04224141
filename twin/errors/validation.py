"""Converts validation errors of pydantic to issues with place, problem and similar names.

Only this module reads pydantic's errors. It does not import pydantic, so the error tree loads fast.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from . import DocumentError, Issue, did_you_mean
from .synonyms import FORMS, synonyms_of
from .wording import TYPES, counted, number_hint, quoted, rule_text

MAX_ISSUES = 1000
"""Maximum number of reported faults."""
NEARLY_EQUAL_RATIO = 0.85
"""Similarity from which a name counts as a misspelling, whatever other records have a field of that name."""
MAX_INNER = 2
"""Maximum number of fields that a hint names as the place of a name."""
TAGS = ("kind", "generator")
"""Fields that select the member of a union."""
_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
_MISSING = ("missing", "missing_argument")
_LIST = ("list_type", "tuple_type", "set_type")
_WORDS = re.compile(r"[\w./~+-]+(, ?[\w./~+-]+)*")
"""Texts that need no quotes in a list of YAML."""
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
    faults = _resolve_unions([_Fault(fault, *_split(fault, data)) for fault in _drop_consequent_faults(error.errors())])
    known = cache(schema)  # slow, so computed once for all faults
    missing: dict[tuple[Any, ...], list[str]] = {}
    for fault in faults:
        if fault.raw["type"] in _MISSING and fault.path:
            missing.setdefault(fault.path[:-1], []).append(str(fault.path[-1]))
    issues = [_issue(fault, data, known, (noun, prefix), missing) for fault in faults[:MAX_ISSUES]]
    return DocumentError(counted(len(faults), f"bad {noun}"), where=where, found=issues)


def issues_by_place(error: _Invalid, prefix: str = "") -> list[Issue]:
    """Return all faults of data without ids, with their dotted places after `prefix`."""
    issues = []
    for fault in error.errors():
        place = f"{prefix}{'.'.join(map(str, fault['loc']))}" if fault["loc"] else prefix.rstrip(":. ")
        if fault["type"] in _UNKNOWN or fault["type"] in _MISSING:
            issues.append(Issue(place, "unknown field" if fault["type"] in _UNKNOWN else "is missing"))
        else:
            issues.append(Issue(place, *_problem_and_hint(fault, str(fault["loc"][-1]) if fault["loc"] else "")))
    return issues


def _drop_consequent_faults(faults: Sequence[Any]) -> list[Any]:
    """Drop faults of lists that are too short only because their items are invalid."""
    parents = {fault["loc"][:n] for fault in faults for n in range(len(fault["loc"]))}
    return [fault for fault in faults if fault["type"] != "too_short" or fault["loc"] not in parents]


@dataclass(frozen=True, slots=True)
class _Fault:
    """A fault, its path in the data, and the branches of unions that its location names between the steps."""

    raw: Any
    path: tuple[Any, ...]
    branches: tuple[tuple[tuple[Any, ...], str], ...]
    """(path of a value, branch of the union that it was tried as), from the outside inwards."""

    @property
    def is_type_fault(self) -> bool:
        """Whether the value is of another type than this branch of a union needs."""
        return str(self.raw["type"]).endswith("_type")


def _split(fault: Any, data: Any) -> tuple[tuple[Any, ...], tuple[tuple[tuple[Any, ...], str], ...]]:
    """Return (path in the data, branches of unions) of a fault: pydantic puts both into one location."""
    path: list[Any] = []
    branches: list[tuple[tuple[Any, ...], str]] = []
    value, location = data, fault["loc"]
    for i, step in enumerate(location):
        if isinstance(step, str) and _is_branch(step, value, is_field=i == len(location) - 1 and _names_field(fault)):
            branches.append((tuple(path), step))
            continue
        if isinstance(step, int) and isinstance(value, Mapping) and step not in value:
            continue  # one record in place of a list of them
        path.append(step)
        if isinstance(step, int):
            value = value[step] if isinstance(value, list | tuple) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return tuple(path), tuple(branches)


def _is_branch(step: str, value: Any, *, is_field: bool) -> bool:
    """Return whether a step of a location names a branch of a union, and no field of the value."""
    if is_field:
        return False
    if isinstance(value, Mapping):
        return step not in value or any(value.get(tag) == step for tag in TAGS)
    return isinstance(value, list | tuple | str | int | float | None)


def _names_field(fault: Any) -> bool:
    return fault["type"] in (*_UNKNOWN, *_MISSING)


def _resolve_unions(faults: list[_Fault]) -> list[_Fault]:
    """Keep, of the faults of one value as several branches of a union, those of the branch that was meant.

    A branch of another type than the value was not meant. Of the others, the one with the fewest faults counts.
    """
    resolved: dict[Any, list[_Fault]] = {}
    unions: dict[tuple[Any, ...], dict[str, list[_Fault]]] = {}
    for i, fault in enumerate(faults):
        if not fault.branches:
            resolved[i] = [fault]
            continue
        (place, branch), *inner = fault.branches
        resolved.setdefault(place, [])  # keeps the order of the first fault
        unions.setdefault(place, {}).setdefault(branch, []).append(_Fault(fault.raw, fault.path, tuple(inner)))
    for place, by_branch in unions.items():
        branches = [_resolve_unions(group) for group in by_branch.values()]
        meant = [group for group in branches if not all(f.is_type_fault and f.path == place for f in group)]
        resolved[place] = min(meant, key=len) if meant else [_any_type([f for group in branches for f in group])]
    return [fault for group in resolved.values() for fault in group]


def _any_type(faults: list[_Fault]) -> _Fault:
    """Return one fault for a value whose type is that of no branch of a union."""
    types = list(dict.fromkeys(TYPES.get(fault.raw["type"], "another type") for fault in faults))
    expected = " or ".join(filter(None, (", ".join(types[:-1]), types[-1])))
    raw = {"type": "union_type", "loc": faults[0].path, "input": faults[0].raw.get("input"), "msg": ""}
    return _Fault(raw | {"ctx": {"expected": expected}}, faults[0].path, ())


def _issue(
    fault: _Fault,
    data: Any,
    schema: Callable[[], dict[str, Any]],
    words: tuple[str, str],
    missing: Mapping[tuple[Any, ...], list[str]],
) -> Issue:
    """Return a fault as an issue: `words` are noun and prefix, `missing` the fields that each record lacks."""
    location, raw, (noun, prefix) = list(fault.path), fault.raw, words
    hint = ""
    if raw["type"] in _UNKNOWN:
        problem = f"unknown {noun} {quoted(location[-1])}"
        lacking = missing.get(fault.path[:-1], [])
        hint = _hint_of_field(str(location[-1]), _objects_at(schema(), raw["loc"][:-1]), schema(), lacking)
    elif raw["type"] in _NO_TAG:
        field = raw["ctx"]["discriminator"].strip("'")
        location = [*location, field]
        known = _tags(schema(), field)
        tag = raw["ctx"].get("tag")
        problem = f"unknown {field} {quoted(tag)}" if tag else "is missing"
        hint = did_you_mean(str(tag), known) if tag else ""
        hint = hint or f"known: {', '.join(known)}"
    elif raw["type"] in _MISSING:
        problem = "is missing"
    else:
        problem, hint = _problem_and_hint(raw, str(location[-1]) if location else "")
        if raw["type"] in _LIST and isinstance(raw["input"], str) and _WORDS.fullmatch(raw["input"]):
            hint = _hint_of_list(raw["input"], _objects_at(schema(), raw["loc"]))
    return Issue(place_of(location, data, prefix), problem, hint)


def _problem_and_hint(raw: Any, field: str) -> tuple[str, str]:
    """Return the rule that a value breaks, and how to write it or which value is similar."""
    if raw["type"] == "literal_error":
        return rule_text(raw), did_you_mean(str(raw.get("input")), re.findall(r"'([^']*)'", raw["ctx"]["expected"]))
    return rule_text(raw), number_hint(field, raw)


def place_of(location: Sequence[Any], data: Any, prefix: str = "") -> str:
    """Return a place as text, such as `links[core~leaf].spans[0].length_km`; list items by their id if present."""
    text, value = prefix, data
    for step in location:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list | tuple) and step < len(value) else None
            name = value.get("id") if isinstance(value, Mapping) else None
            text += f"[{item_label(name, step)}]"
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
            text += f".{step}" if text else str(step)
    return text or "document"


def item_label(record_id: Any, index: int) -> str:
    """Return the label of a list item in a place: its id, or its index if it has none."""
    label = record_id if isinstance(record_id, str) else str(index)
    return label if label.isprintable() else ascii(label)[1:-1]


def _tags(schema: Any, field: str) -> list[str]:
    """Return the values of `field` in the first union of a schema that it discriminates."""
    if not isinstance(schema, dict):
        return []
    discriminator = schema.get("discriminator", {})
    if isinstance(discriminator, dict) and discriminator.get("propertyName") == field and "mapping" in discriminator:
        return sorted(discriminator["mapping"])
    return next(filter(None, (_tags(part, field) for part in schema.values())), [])


def _objects_at(schema: Any, location: Iterable[Any]) -> list[Any]:
    """Return the schemas of the objects that may stand at a location."""
    nodes = [schema]
    for step in location:
        nodes = [child for node in _resolve(nodes, schema) for child in _schemas_of_step(node, step)] or nodes
    return _resolve(nodes, schema)


def _hint_of_field(name: str, objects: list[Any], root: Any, missing: Sequence[str]) -> str:
    """Return a hint for an unknown field: a field inside one of the known fields, a similar name, or all names.

    A name that is only roughly similar to a known one more likely stands for the field that is missing.
    """
    properties = {field: node for each in objects for field, node in each.get("properties", {}).items()}
    inner = {field: sorted(_inner_fields(node, root)) for field, node in properties.items()}
    known = sorted(properties)
    inside = [field for field, names in inner.items() if name in names]
    if difflib.get_close_matches(name, known, 1, NEARLY_EQUAL_RATIO):
        return did_you_mean(name, known)
    if inside and len(inside) <= MAX_INNER:
        return " or ".join(
            f"{quoted(name)} is a field of {field}: {_form(field, name, properties[field])}" for field in inside
        )
    meant = synonyms_of(name, properties)
    if not meant:
        for field, names in inner.items():
            for each in synonyms_of(name, names):
                return f"{quoted(each)} is a field of {field}: {_form(field, each, properties[field])}"
    guess = did_you_mean(name, known)
    if len(missing) == 1 and guess and not meant and quoted(missing[0]) not in guess:
        return f"did you mean {quoted(missing[0])}, which is missing?"
    return guess or (f"known: {', '.join(known)}" if known else "")


def _hint_of_list(text: str, nodes: list[Any]) -> str:
    """Return how a list of texts is written, where such a list is expected at these schemas and a text was found."""
    is_of_texts = any(isinstance(node.get("items"), dict) and node["items"].get("type") == "string" for node in nodes)
    return f"write [{text}]" if is_of_texts else ""


def _inner_fields(node: Any, root: Any) -> set[str]:
    """Return the fields of the records that a field holds, one or a list of them."""
    flat = _resolve([node], root)
    flat = [each for item in flat for each in (_resolve([item["items"]], root) if "items" in item else [item])]
    return {name for item in flat for name in item.get("properties", {})}


def _form(field: str, name: str, node: Any) -> str:
    if field in FORMS and f"{name}:" in FORMS[field]:
        return f"{field}: {FORMS[field]}"
    is_list = any(each.get("type") == "array" for each in node.get("anyOf", [node]))
    return f"{field}: [{{{name}: …}}]" if is_list else f"{field}: {{{name}: …}}"


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
