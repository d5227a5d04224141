"""An order of works as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .fitted_table import Column, FittedTable, two_lines
from .numbers import metric_text
from .table_parts import verdict


def schedule_table(data: Mapping[str, Any]) -> RenderableType:
    """Show `Schedule.to_dict()`."""
    title = f"[bold]{escape(data['network'])}[/] · {escape(data['plan'] or 'changes')} · order of works"
    parts: list[RenderableType] = [Text.from_markup(title), *verdict(data["summary"])]
    if data["states"]:
        is_cut_off = any(row["unrouted_gbps"] for row in data["states"])
        columns = (
            Column("day", "right", drop=1 if data["as_of"] else 0),
            Column("from"),
            Column("days", "right"),
            Column("work", folds=True),
            Column("wave", "right"),
            Column("state"),
            Column(two_lines(data["goal"]), "right"),
            *([Column("no path,\nGb/s", "right")] if is_cut_off else []),
            Column(""),
        )
        parts += [Text(), FittedTable(columns, [_row(row, data["goal"], is_cut_off) for row in data["states"]])]
    return Group(*parts)


def _row(row: Mapping[str, Any], goal: str, is_cut_off: bool) -> tuple[str, ...]:
    return (
        str(row["day"]),
        row["start"] or "",
        str(row["n_days"]),
        row["work"],
        str(row["wave"]),
        row["state"],
        metric_text(goal, row["value"]),
        *([f"{row['unrouted_gbps']:,.0f}"] if is_cut_off else []),
        "risk" if row["at_risk"] else "",
    )
