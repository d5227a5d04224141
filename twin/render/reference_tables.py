"""Kinds of changes and metrics as tables: what each is called, what it holds and what it means."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from ..units import unit_of
from .fitted_table import Column, FittedTable

UNIT_WORDS = {"a": "year", "mo": "month", "d": "day"}
"""Units of time that tables of names write as a word."""


def changes_table(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Show kinds of changes by level. A row is one of `change_rows()`."""
    parts: list[RenderableType] = []
    for level, kinds in groupby(rows, key=itemgetter("level")):
        cells = [(kind["kind"], escape(kind["summary"])) for kind in kinds]
        parts += [FittedTable((Column(level), Column("change", folds=True)), cells), Text()]
    return Group(*parts, Text("`twin changes KIND` shows the fields and an example.", style="dim"))


def change_table(row: Mapping[str, Any]) -> RenderableType:
    """Show one kind of change: fields, records and selectors in them, an example. `row` is a `change_row()`."""
    title = Text.assemble((row["kind"], "bold"), f" · {row['level']} change")
    parts: list[RenderableType] = [title, Text(row["summary"]), *([Text(row["notes"])] if row["notes"] else [])]
    parts += [Text(), _fields_table(row["fields"])]
    for name, record in row["records"].items():
        parts += [Text(), Text.assemble((name, "bold"), f" · {record['summary']}"), _fields_table(record["fields"])]
        if record["forms"]:
            parts += [Text("Forms:"), *(_indented(yaml_text(form)) for form in record["forms"])]
    return Group(*parts, *_example(row["example"]))


def metrics_table(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Show metrics, one in each row. A row is one of `metric_rows()`."""
    columns = (
        Column("key", folds=True),
        Column("label", folds=True, drop=1),
        Column("unit", folds=True),
        Column("better"),
        Column("meaning", folds=True),
    )
    cells = [
        (row["key"], escape(row["label"]), unit_words(row["key"]), row["better"], escape(row["meaning"]))
        for row in rows
    ]
    return FittedTable(columns, cells)


def unit_words(name: str) -> str:
    """Return the unit of a field or metric: `count` and `ratio` in words, money as `USD per year`, else the symbol."""
    unit = "count" if name.startswith("n_") else unit_of(name) or ""
    first, *per = unit.split("/")
    if first == "USD" and per:
        return f"USD per {'-'.join(UNIT_WORDS.get(word, word) for word in per)}"
    return {"1": "ratio", "a": "years", "d": "days"}.get(unit, unit)


def yaml_text(data: Any) -> str:
    """Return data as YAML, inner mappings and lists in one line, as people write changes in a document."""
    import yaml

    text: str = yaml.safe_dump(data, sort_keys=False, default_flow_style=None, allow_unicode=True, width=72)
    return text.removesuffix("...\n").rstrip()


def _fields_table(fields: Sequence[Mapping[str, Any]]) -> RenderableType:
    columns = [
        Column("field", folds=True),
        Column("values", folds=True),
        Column("unit", drop=1),
        Column("default", folds=True),
        Column("meaning", folds=True),
    ]
    rows = [
        (
            field["name"],
            escape(field["values"]),
            unit_words(field["name"]) if field["unit"] else "",
            _default_text(field),
            escape(field["meaning"]),
        )
        for field in fields
    ]
    used = [i for i in range(len(columns)) if any(row[i] for row in rows)]  # often no field has a unit
    return FittedTable([columns[i] for i in used], [[row[i] for i in used] for row in rows])


def _default_text(field: Mapping[str, Any]) -> str:
    """Return the default of a field in words; `required` without one."""
    if field["required"]:
        return "required"
    default = field["default"]
    if default in (None, "", []):
        return "none"
    return escape(default if isinstance(default, str) else json.dumps(default))


def _example(example: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Return an example in a document and on the command line; both can be pasted."""
    change = example["change"]
    yield Text("\nExample under `changes` of a plan", style="bold")
    yield _indented(yaml_text([change]))
    yield Text("Example on the command line", style="bold")
    yield _indented(f"twin whatif {example['network']} --change \\\n'{json.dumps(change, ensure_ascii=False)}'")


def _indented(text: str) -> RenderableType:
    return Padding(Text(text), (0, 0, 0, 2), expand=False)
