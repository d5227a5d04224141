"""Differences between two imports as a table: the verdict, then each record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .fitted_table import Column, FittedTable
from .table_parts import verdict

MAX_SHOWN = 50
COLUMNS = (
    Column("record"),
    Column("id", folds=True),
    Column("source id", folds=True, drop=2),
    Column("what"),
    Column("fields", folds=True),
    Column("not in the plan", folds=True, drop=1),
)


def difference_table(data: Mapping[str, Any]) -> RenderableType:
    """Show `ImportDifference.to_dict()`."""
    parts: list[RenderableType] = [*verdict(data["summary"])]
    records = data["records"]
    if records:
        parts += [Text(), FittedTable(COLUMNS, [_cells(record) for record in records[:MAX_SHOWN]])]
    if len(records) > MAX_SHOWN:
        parts.append(Text(f"{len(records) - MAX_SHOWN} more rows: --json.", style="dim"))
    return Group(*parts)


def _cells(record: Mapping[str, Any]) -> tuple[str, ...]:
    texts = (record["kind"], record["id"], record["source_id"], record["what"], "; ".join(record["fields"]))
    return tuple(map(escape, (*texts, record["why_not"])))
