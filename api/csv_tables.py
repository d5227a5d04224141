"""Answers as CSV: the main table of an answer, one row a record. Nested fields have dots in their column."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from itertools import product
from types import UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from twin.answers.data_fields import data_fields

Form = Literal["json", "csv"]
"""Form of an answer."""
MEDIA_TYPES: dict[Form, str] = {"json": "application/json", "csv": "text/csv; charset=utf-8"}
TABLES: dict[str, str] = {
    "score": "metrics",
    "what-if": "metrics",
    "diff": "metrics",
    "compare": "plans",
    "links": "links",
    "path": "paths",
    "demands": "demands",
    "leases": "free",
    "bill": "lines",
    "money": "unit_costs",
    "readiness": "steps",
    "schedule": "states",
    "sweep": "values",
    "failures": "failures",
    "availability": "demands",
    "growth": "links",
    "optimum": "links",
    "sample": "plans",
}
"""Field of the answer that is the table, by question. Other answers have no CSV."""
Column = tuple[str, ...]
"""Keys from a row to a cell, from the outside in."""
MAPPINGS = (dict, Mapping)

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""First characters of a text that a spreadsheet takes for a formula."""


def csv_text(path: str, data: Mapping[str, Any], answer: type) -> str:
    """Return the table of an answer as CSV (RFC 4180), with line feeds. A cell without a value is empty.

    The columns are those of the class of the records, so they are the same for any rows. A record inside of a record
    has a column for each of its fields; a list or a mapping with free keys is one column, as JSON. A text that a
    spreadsheet would take for a formula has a single quote before it.

    Args:
        path: question by its path in the table of questions.
        data: the answer as plain data.
        answer: class of the answer.
    """
    columns = list(_columns_of_table(path, data, answer))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_cell(".".join(column)) for column in columns)
    writer.writerows([_cell(_value(row, column)) for column in columns] for row in _rows(path, data))
    return out.getvalue()


def _rows(path: str, data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    table = data[TABLES[path]]
    if path == "sweep":
        points = product(*(axis["values"] for axis in data["axes"]))
        names = [axis["path"] for axis in data["axes"]]
        for point, value, why in zip(points, table, data["why"], strict=True):
            yield {**dict(zip(names, point, strict=True)), data["metric"]: value, "why": why}
    elif path == "sample":
        for plan in table:
            yield from ({"plan": plan["plan"], "metric": name} | row for name, row in plan["metrics"].items())
    elif path == "compare":
        for plan, diff in table.items():
            yield from ({"plan": plan, "metric": name} | row for name, row in diff["metrics"].items())
    elif isinstance(table, Mapping):
        yield from ({"metric": name} | row for name, row in table.items())
    else:
        yield from table


def _columns_of_table(path: str, data: Mapping[str, Any], answer: type) -> Iterator[Column]:
    """Yield the columns of a table; those of a sweep are its axes, its metric and the reason."""
    if path == "sweep":
        yield from ((name,) for name in (*(axis["path"] for axis in data["axes"]), data["metric"], "why"))
        return
    kind, keys = _member(answer, TABLES[path])
    if path in ("sample", "compare"):
        kind, _ = _member(kind, "metrics")
        keys = ("plan", "metric")
    yield from ((key,) for key in keys)
    yield from _columns(kind)


def _member(answer: type, key: str) -> tuple[type, tuple[str, ...]]:
    """Return the class of the records of a list or mapping, and the columns of the keys of a mapping."""
    (name,) = (row.name for row in data_fields(answer) if row.key == key)
    hint = get_type_hints(answer)[name]
    kind = next(arg for arg in reversed(get_args(hint)) if arg is not Ellipsis)
    return kind, ("metric",) if get_origin(hint) in MAPPINGS else ()


def _columns(kind: type, prefix: Column = ()) -> Iterator[Column]:
    hints = get_type_hints(kind)
    for row in data_fields(kind):
        column = (*prefix, row.key)
        records = [option for option in (hints[row.name], *get_args(hints[row.name])) if is_dataclass(option)]
        if records and get_origin(hints[row.name]) in (None, Union, UnionType):
            assert len(records) == 1, f"{kind.__name__}.{row.name} has several kinds of records"
            yield from _columns(cast("type", records[0]), column)
        else:
            yield from ((*column, key) for key in keys) if (keys := _fixed_keys(hints[row.name])) else (column,)


def _fixed_keys(hint: Any) -> tuple[str, ...]:
    """Return the keys of a mapping that its type lists; none for other types."""
    if get_origin(hint) in MAPPINGS and get_origin(get_args(hint)[0]) is Literal:
        return get_args(get_args(hint)[0])
    return ()


def _value(row: Mapping[str, Any], column: Column) -> Any:
    value: Any = row
    for key in column:
        value = value.get(key) if value is not None else None
    return value


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | Mapping) else value
