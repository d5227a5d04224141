"""Demands as a table: offered, carried, and the link that limits each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .fitted_table import Column, FittedTable
from .numbers import cell_text
from .quantities import percent_text
from .table_parts import verdict

MAX_SHOWN = 40
"""Demands shown."""
COLUMNS = (
    Column("demand", folds=True),
    Column("from", folds=True, drop=2),
    Column("to", folds=True, drop=2),
    Column("offered\nGb/s", "right"),
    Column("carried\nGb/s", "right"),
    Column("share", "right", drop=3),
    Column("limited by", folds=True),
    Column("latency\nµs", "right", drop=4),
)


def demands_table(data: Mapping[str, Any]) -> RenderableType:
    """Show `DemandTable.to_dict()`."""
    rows = data["demands"]
    parts: list[RenderableType] = [Text(data["network"], style="bold"), *verdict(data["summary"]), Text()]
    parts.append(FittedTable(COLUMNS, [_row(row) for row in rows[:MAX_SHOWN]]))
    n_more = data["n_demands"] - min(len(rows), MAX_SHOWN)
    if n_more > 0:
        parts.append(Text(f"{n_more:,} more demands; use --json, or --sort and --top.", style="dim"))
    return Group(*parts)


def _row(row: Mapping[str, Any]) -> tuple[str, ...]:
    limit = "" if row["limit"] == "not limited" else row["limit"]
    if row["limited_by"] is not None:
        limit = f"{row['limited_by']} ({row['direction']})"
    if row["source"] == row["target"]:
        limit = "local traffic"
    share = row["carried_ratio"]
    return (
        escape(row["id"]),
        escape(row["source"]),
        escape(row["target"]),
        cell_text(row["offered_gbps"]),
        cell_text(row["carried_gbps"]),
        "–" if share is None else percent_text(share),
        escape(limit),
        cell_text(row["latency_us"]),
    )
