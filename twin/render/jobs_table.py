"""Jobs that run together as a table: step alone, step among the others, and what slows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.text import Text

from .fitted_table import Column, FittedTable
from .numbers import seconds_text

COLUMNS = (
    Column("job", folds=True),
    Column("alone", "right"),
    Column("together", "right"),
    Column("p90", "right", drop=2),
    Column("slowed by", folds=True, drop=1),
)


def jobs_table(rows: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    """Show the jobs of an answer; nothing for a single job."""
    if not rows:
        return []
    return [
        Text(),
        Text("Jobs that run together, s a step", style="bold"),
        FittedTable(COLUMNS, [_cells(row) for row in rows]),
    ]


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    slowed_by = [
        f"{other['job']} +{seconds_text(other['time_s'])} ({other['phase']}, {other['link']})"
        for other in row["slowed_by"]
    ]
    times = (row["alone"]["step_time_s"], row["shared"]["step_time_s"], row["shared"]["p90_step_time_s"])
    cells = ["no step" if time_s is None else f"{time_s:.4g}" for time_s in times]
    return (escape(row["id"]), *cells, escape("; ".join(slowed_by) or row["alone"].get("why", "")))
