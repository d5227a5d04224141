"""A routing report as text: the verdict, and the links that set the optimum."""

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

MAX_SHOWN = 20
COLUMNS = (
    Column("link", folds=True),
    Column("direction", folds=True),
    Column("capacity\nGb/s", "right", drop=2),
    Column("in use", "right"),
    Column("at the\noptimum", "right"),
    Column("share of\nthe limit", "right"),
)


def routing_table(data: Mapping[str, Any], n_shown: int = MAX_SHOWN) -> RenderableType:
    """Show `RoutingReport.to_dict()`, at most `n_shown` of its links."""
    rows = data["links"]
    parts: list[RenderableType] = [Text(data["network"], style="bold"), *verdict(data["summary"])]
    if rows:
        parts += [Text(), FittedTable(COLUMNS, [_row(row) for row in rows[:n_shown]])]
    if len(rows) > n_shown:
        parts.append(Text(f"{len(rows) - n_shown:,} more links; use --top or --json.", style="dim"))
    return Group(*parts)


def _row(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        escape(row["id"]),
        escape(row["direction"]),
        cell_text(row["capacity_gbps"]),
        percent_text(row["utilisation_ratio"]),
        percent_text(row["optimal_utilisation_ratio"]),
        percent_text(row["price_ratio"]),
    )
