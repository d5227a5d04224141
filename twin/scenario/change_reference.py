"""Description of each kind of change as plain data: fields, selectors and an example, all from the classes."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..model.validation import adapter_of
from ..units import unit_of
from .change import StateChange, StructureChange, WorkloadChange
from .changes import CHANGES
from .select import SELECTORS

LEVELS = {"structure": StructureChange, "workload": WorkloadChange, "state": StateChange}
"""What a change edits, in the order in which changes are applied, and the base class of these changes."""
_TYPE_WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}


def change_rows() -> list[dict[str, Any]]:
    """Return the description of every kind, by level in the order in which levels are applied."""
    rows = [change_row(kind) for kind in CHANGES]
    return sorted(rows, key=lambda row: list(LEVELS).index(row["level"]))


def change_row(kind: str) -> dict[str, Any]:
    """Return the description of one kind.

    Returns:
        `kind`, `level`, `summary` and `notes` (from the docstring), `fields`, `records` (fields of the records and
        selectors that fields hold, by name, and examples of the forms of a selector) and `example` (`network` and
        `change`).
    """
    change = CHANGES[kind]
    schema = adapter_of(change).json_schema()
    summary, _, notes = inspect.cleandoc(change.__doc__ or "").partition("\n\n")
    fields = [row for row in _field_rows(schema) if row["name"] != "kind"]
    return {
        "kind": kind,
        "level": next(level for level, base in LEVELS.items() if issubclass(change, base)),
        "summary": " ".join(summary.split()),
        "notes": " ".join(notes.split()),
        "fields": fields,
        "records": {
            _record_name(title): {
                "summary": " ".join(record["description"].split()),
                "fields": _field_rows(record),
                "forms": list(SELECTORS[title].forms) if title in SELECTORS else [],
            }
            for title, record in _records(schema["properties"], schema.get("$defs", {}))
        },
        "example": {"network": change.example_network, "change": {"kind": kind, **change.example}},
    }


def _field_rows(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row for each field of a JSON Schema: name, values, unit, whether required, default, meaning."""
    required = schema.get("required", ())
    return [
        {
            "name": name,
            "values": values_text(field),
            "unit": _unit(name, field),
            "required": name in required,
            "default": field.get("default"),
            "meaning": " ".join(field.get("description", "").split()),
        }
        for name, field in schema["properties"].items()
    ]


def _unit(name: str, field: Mapping[str, Any]) -> str | None:
    """Return the unit of a numeric field; None for counts, ratios and fields that are no numbers."""
    unit = unit_of(name) if "number" in json.dumps(field) else None
    return None if unit == "1" else unit


def values_text(schema: Mapping[str, Any]) -> str:
    """Return the values that a JSON Schema allows, in words."""
    if "anyOf" in schema:
        options = [values_text(option) for option in schema["anyOf"] if option.get("type") != "null"]
        is_selector = any(option.endswith(" selector") for option in options)
        return " or ".join("id, glob" if is_selector and option == "text" else option for option in options)
    if "$ref" in schema or "properties" in schema:
        return _record_name(schema.get("$ref", schema.get("title", "")).rpartition("/")[2])
    if "enum" in schema:
        return " or ".join(filter(None, (", ".join(schema["enum"][:-1]), schema["enum"][-1])))
    if schema["type"] == "array":
        n = f" of {schema['minItems']}" if schema.get("minItems") == schema.get("maxItems", -1) else ""
        return f"list{n}, each: {values_text(schema.get('items') or schema['prefixItems'][0])}"
    if schema["type"] == "object":
        values = schema.get("additionalProperties") or next(iter(schema["patternProperties"].values()))
        return f"mapping, each value: {values_text(values)}"
    if schema.get("format") == "date":
        return "date, YYYY-MM-DD"
    return " ".join([_TYPE_WORDS[schema["type"]], *_bounds(schema)])


def _bounds(schema: Mapping[str, Any]) -> Iterator[str]:
    """Return the bounds of a number in words: `from 0`, `below 1`."""
    words = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "to below"}
    for key, word in words.items():
        if key in schema:
            yield f"{word} {schema[key]:,.12g}"


def _record_name(definition: str) -> str:
    """Return the name of a class in words: `LinkSelector` -> `link selector`."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", definition).lower()


def _records(data: Any, definitions: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Find the records in a part of a schema, and the records in their fields: title and schema."""
    if isinstance(data, Mapping):
        record = definitions[data["$ref"].rpartition("/")[2]] if "$ref" in data else data
        if "properties" in record:
            yield record["title"], record
        for value in record.values():
            yield from _records(value, definitions)
    elif isinstance(data, list):
        for value in data:
            yield from _records(value, definitions)
