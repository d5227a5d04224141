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
        rows = data.get(name, ())
        if rows:
            parts += [Text(), Text(title, style="bold"), _table(rows[:MAX_SHOWN], fields)]
        if len(rows) > MAX_SHOWN:
            parts.append(Text(f"{len(rows) - MAX_SHOWN} more rows: --json.", style="dim"))
    kept = data["kept"]
    if kept:
        shown = ", ".join(f"{row['field']} ({row['n']:,})" for row in kept[:MAX_SHOWN])
        parts += [Text(), Text("Kept", style="bold"), Text(f"  {shown}")]
    return Group(*parts)


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
