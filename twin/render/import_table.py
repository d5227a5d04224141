"""The report of an import or export as text: the verdict, then what was assumed, found, dropped and converted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .fitted_table import Column, FittedTable
from .table_parts import verdict

MAX_SHOWN = 25
"""Rows of each list; `--json` has all."""
NO_EFFECT = "not in the document; no answer uses it"
"""Effect of fields that are listed by name only; `twin.imports.fields` writes it."""
COUNT = Column("times", "right")
PLACES = Column("first at", folds=True, drop=2)
LISTS: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    ("Findings", "findings", (("kind", "finding"), ("problem", "what follows"), ("hint", "hint"))),
    ("Assumed", "assumed", (("what", "value"), ("value", "assumed"), ("why", "why"), ("option", "stated by"))),
    ("Dropped", "dropped", (("field", "field"), ("effect", "what it could change"))),
    ("Converted", "converted", (("field", "field"), ("conversion", "conversion"))),
)


def import_table(data: Mapping[str, Any]) -> RenderableType:
    """Show `ImportReport.to_dict()` or `ExportReport.to_dict()`."""
    parts: list[RenderableType] = [*verdict(data["summary"])]
    for title, name, fields in LISTS:
        rows = [row for row in data.get(name, ()) if row.get("effect") != NO_EFFECT]
        if rows:
            parts += [Text(), Text(title, style="bold"), _table(rows[:MAX_SHOWN], fields)]
        if len(rows) > MAX_SHOWN:
            parts.append(Text(f"{len(rows) - MAX_SHOWN} more rows: --json.", style="dim"))
    parts += _fields(
        "Dropped, and no answer uses them", [r for r in data.get("dropped", ()) if r["effect"] == NO_EFFECT]
    )
    return Group(*parts, *_fields("Kept", data["kept"]))


def _fields(title: str, rows: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    if not rows:
        return []
    shown = ", ".join(f"{row['field']} ({row['n']:,})" for row in rows[:MAX_SHOWN])
    shown += f" and {len(rows) - MAX_SHOWN} more" if len(rows) > MAX_SHOWN else ""
    return [Text(), Text(title, style="bold"), Text(f"  {shown}")]


def _table(rows: Sequence[Mapping[str, Any]], fields: Sequence[tuple[str, str]]) -> RenderableType:
    has_places = "places" in rows[0]
    columns = [COUNT, *(Column(heading, folds=True) for _, heading in fields), *([PLACES] if has_places else ())]
    cells = [
        (
            f"{row['n']:,}",
            *(escape(row[name]) for name, _ in fields),
            *([escape("; ".join(row["places"]))] if has_places else ()),
        )
        for row in rows
    ]
    return FittedTable(columns, cells)
