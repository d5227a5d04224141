"""Answers as CSV: the main table of an answer, one row a record. Nested fields have dots in their column."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from itertools import product
from typing import Any, Literal, get_args, get_type_hints

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


FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""First characters of a text that a spreadsheet takes for a formula."""


def csv_text(path: str, data: Mapping[str, Any], answer: type) -> str:
    """Return the table of an answer as CSV (RFC 4180), with line feeds. A cell without a value is empty.

    A text that a spreadsheet would take for a formula has a single quote before it.

    Args:
        path: question by its path in the table of questions.
        data: the answer as plain data.
        answer: class of the answer, which has the columns of a table without rows.
    """
    rows = [dict(_flat(row)) for row in _rows(path, data)]
    columns = list(dict.fromkeys(name for row in rows for name in row)) or list(_columns(_class_of_rows(path, answer)))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(map(_cell, columns))
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
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


def _class_of_rows(path: str, answer: type) -> Any:
    """Return the class of the records of a table, or of the values of a mapping."""
    (name,) = (row.name for row in data_fields(answer) if row.key == TABLES[path])
    return next(arg for arg in reversed(get_args(get_type_hints(answer)[name])) if arg is not Ellipsis)


def _columns(kind: Any, prefix: str = "") -> Iterator[str]:
    hints = get_type_hints(kind)
    for row in data_fields(kind):
        if is_dataclass(hints[row.name]):
            yield from _columns(hints[row.name], f"{prefix}{row.key}.")
        else:
            yield prefix + row.key


def _flat(row: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | Mapping) else value
