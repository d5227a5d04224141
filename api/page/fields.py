"""Fields of forms, made from a JSON Schema: what a reader may enter, and the data that it stands for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from twin.units import unit_of

Values = Mapping[str, Sequence[str]]
"""Texts of a form by name."""
Schema = Mapping[str, Any]
Input = Literal["text", "lines", "choice", "number", "date", "record", "records", "pairs", "json"]
MAX_DEPTH = 2
"""Records inside records that a form shows as fields; deeper ones are entered as JSON."""
MAX_RECORDS = 20
"""Most records of a list that a form shows."""
UNIT_WORDS = {"a": "years", "1/a": "0.3 = 30 %", "ratio": "0.3 = 30 %"}
"""Words for units that readers of a form need not know."""
MISSING = object()
"""The value of a field that was left empty."""


@dataclass(frozen=True)
class FormField:
    """A field of a form.

    Attributes:
        name: place of its value in the data, as in errors: `links.tier`, `placement[0].site`.
        key: last part of the name.
        input: kind of input.
        schema: JSON Schema of the value, without null.
        title: label that the schema states; empty = the name in words.
        help: meaning of the field.
        is_required: whether the data needs it.
        default: value where it is left out; None for none.
        fields: fields of a record, or of each of several records.
        is_selector: an id or several may stand for the whole record.
    """

    name: str
    key: str
    input: Input
    schema: Schema
    title: str
    help: str
    is_required: bool
    default: Any = None
    fields: tuple[FormField, ...] = ()
    is_selector: bool = False

    @property
    def unit(self) -> str:
        """Return the unit of a number in words; empty for counts, and where the label says it."""
        unit = (unit_of(self.key) or "") if self.input == "number" else ""
        return "" if unit == "1" or self.key == "years" else UNIT_WORDS.get(unit, unit)

    @property
    def label(self) -> str:
        """Return the title of the field, or its name in words without the unit."""
        if self.title:
            return self.title
        if self.key.startswith("n_"):
            return f"number of {self.key[2:].replace('_', ' ')}"
        words = self.key.removesuffix("_per_year")
        if unit_of(self.key) and "_" in words:
            words = words.rpartition("_")[0]
        return words.replace("_", " ") + " per year" * self.key.endswith("_per_year")

    @property
    def choices(self) -> list[str]:
        """Return the texts of a menu."""
        if self.schema.get("type") == "boolean":
            return ["true", "false"]
        return [str(value) for value in self.schema.get("enum", ()) if value is not None]


def fields_of(
    schema: Schema, names: Sequence[str] | None = None, *, prefix: str = "", depth: int = 0
) -> tuple[FormField, ...]:
    """Return the fields of a record.

    Args:
        schema: JSON Schema of the record, with its definitions.
        names: fields to return, in their order; None = all but `kind`.
        prefix: place of the record, with a dot.
        depth: records around it.
    """
    return tuple(_fields(schema, schema.get("$defs", {}), names, prefix, depth))


def _fields(
    schema: Schema, definitions: Schema, names: Sequence[str] | None, prefix: str, depth: int
) -> Iterator[FormField]:
    required = schema.get("required", ())
    for key in schema["properties"] if names is None else names:
        if key != "kind" or names is not None or "const" not in schema["properties"][key]:
            yield _field(schema["properties"][key], definitions, f"{prefix}{key}", key in required, depth)


def _field(schema: Schema, definitions: Schema, name: str, is_required: bool, depth: int) -> FormField:
    key = name.rpartition(".")[2]
    text = " ".join(schema.get("description", "").split())
    title = schema.get("title", "")
    if title == key.replace("_", " ").title() or "properties" in schema:
        title = ""  # made from the name
    default = schema.get("default")
    options = [_resolved(option, definitions) for option in schema.get("anyOf", [schema])]
    options = [option for option in options if option.get("type") != "null"]
    records = [option for option in options if "properties" in option]
    is_selector = bool(records) and len(options) > 1 and "id" in records[0]["properties"]
    kind: Input = "json"
    chosen, fields = options[0], tuple[FormField, ...]()
    if "enum" in schema:
        kind, chosen = "choice", schema
    elif is_selector:
        kind, chosen = "record", records[0]
    elif len(options) == 1:
        kind = _input(chosen, definitions)
    elif {option.get("type") for option in options} == {"string", "array"} and _is_texts(options, definitions):
        kind = "lines"
    if kind in ("record", "records") and depth >= MAX_DEPTH:
        kind = "json"
    if kind in ("record", "records"):
        record = chosen if kind == "record" else _resolved(chosen["items"], definitions)
        inner = f"{name}." if kind == "record" else ""  # the place of a record in a list has its number
        fields = tuple(_fields(record, definitions, None, inner, depth + 1))
    return FormField(name, key, kind, chosen, title, text, is_required, default, fields, is_selector)


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    if "$ref" in schema:
        return _resolved(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return schema


def _is_texts(options: Sequence[Schema], definitions: Schema) -> bool:
    """Tell whether each option is a text or a list of texts."""
    lists = [_resolved(option.get("items", {}), definitions) for option in options if option.get("type") == "array"]
    return all(item.get("type") == "string" for item in lists)


def _input(schema: Schema, definitions: Schema) -> Input:
    """Return the kind of input of a value that has one form."""
    if "enum" in schema or schema.get("type") == "boolean":
        return "choice"
    if "properties" in schema:
        return "record"
    kind = schema.get("type")
    if kind in ("number", "integer"):
        return "number"
    if kind == "string":
        return "date" if schema.get("format") == "date" else "text"
    if kind == "array":
        item = _resolved(schema.get("items") or schema["prefixItems"][0], definitions)
        return "lines" if item.get("type") == "string" else "records" if "properties" in item else "json"
    if kind == "object" and _value_schema(schema).get("type") in ("string", "number", "integer"):
        return "pairs"
    return "json"


def _value_schema(schema: Schema) -> Schema:
    """Return the schema of the values of a mapping."""
    patterns = schema.get("patternProperties") or {"": schema.get("additionalProperties")}
    found = next(iter(patterns.values()))
    return found if isinstance(found, Mapping) else {}


def numbered(fields: Sequence[FormField], name: str, row: int) -> tuple[FormField, ...]:
    """Return the fields of one record of a list.

    Args:
        fields: fields of any record of the list.
        name: place of the list.
        row: number of the record.
    """
    made = []
    for each in fields:
        inner = numbered_inside(each.fields, f"{name}[{row}].") if each.input == "record" else each.fields
        made.append(replace(each, name=f"{name}[{row}].{each.name}", fields=inner))
    return tuple(made)


def numbered_inside(fields: Sequence[FormField], prefix: str) -> tuple[FormField, ...]:
    """Return the fields of a record that lies in a record of a list."""
    return tuple(replace(each, name=prefix + each.name) for each in fields)


def n_records(field: FormField, values: Values) -> int:
    """Return how many records of a list the form shows."""
    stated = _first(values, f"n.{field.name}")
    n = int(stated) if stated.isdecimal() and len(stated) < 4 else 1
    return min(max(n, 1), MAX_RECORDS)


def data_of(fields: Sequence[FormField], values: Values) -> dict[str, Any]:
    """Return the data that a form stands for. Fields that were left empty are absent.

    Args:
        fields: fields of the form.
        values: texts of the form by name. A text that is no number stays a text, which validation refuses.
    """
    found = ((field.key, _value(field, values)) for field in fields)
    return {key: value for key, value in found if value is not MISSING}


def _value(field: FormField, values: Values) -> Any:
    if field.input == "record":
        data = data_of(field.fields, values)
        if field.is_selector and list(data) == ["id"]:
            return data["id"]
        return data or MISSING
    if field.input == "records":
        rows = [data_of(numbered(field.fields, field.name, i), values) for i in range(n_records(field, values))]
        return [row for row in rows if row] or MISSING
    texts = [text.strip() for text in values.get(field.name, ()) if text.strip()]
    if not texts:
        return MISSING
    if field.input == "lines":
        lines = [line.strip() for text in texts for line in text.splitlines() if line.strip()]
        return lines if len(lines) > 1 or field.schema.get("type") == "array" else lines[0]
    if field.input == "pairs":
        return _pairs(field, texts[0])
    if field.input == "number":
        return number_or_text(texts[0])
    if field.input == "choice" and field.schema.get("type") == "boolean":
        return {"true": True, "false": False}.get(texts[0], texts[0])
    if field.input == "json":
        return _json_or_text(texts[0])
    return texts[0]


def _pairs(field: FormField, text: str) -> Any:
    pairs: dict[str, Any] = {}
    is_number = _value_schema(field.schema).get("type") != "string"
    for line in filter(None, map(str.strip, text.splitlines())):
        key, equals, value = line.partition("=")
        if not equals:
            return text  # validation states what it must be
        pairs[key.strip()] = number_or_text(value.strip()) if is_number else value.strip()
    return pairs


def number_or_text(text: str) -> int | float | str:
    """Return the number that a text states, or the text itself."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        value = float(text)
    except ValueError:
        return text
    return value if abs(value) < 1e300 else text


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _first(values: Values, name: str) -> str:
    return next(iter(values.get(name, ())), "")


def values_of(data: Mapping[str, Any], prefix: str = "") -> dict[str, list[str]]:
    """Return the texts of a form that stand for data.

    Args:
        data: a record as plain data.
        prefix: place of the record, with a dot.
    """
    values: dict[str, list[str]] = {}
    for key, value in data.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            values |= values_of(value, f"{name}.")
            values[name] = ["\n".join(f"{k}={v}" for k, v in value.items())]
        elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            values[f"n.{name}"] = [str(len(value))]
            values[name] = [json.dumps(value, ensure_ascii=False)]
            for i, item in enumerate(value):
                values |= values_of(item, f"{name}[{i}].")
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            values[name] = ["\n".join(value)]
            values[f"{name}.id"] = values[name]
        elif isinstance(value, str | date):
            values[name] = values[f"{name}.id"] = [str(value)]
        else:
            values[name] = [json.dumps(value, ensure_ascii=False)]
    return values
