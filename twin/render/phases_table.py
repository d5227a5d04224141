"""Phases of a step as a table: time, load on the busiest arc, and incast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.text import Text

from .fitted_table import Column, FittedTable
from .numbers import seconds_text
from .quantities import bytes_text, percent_text

COLUMNS = (
    Column("phase", folds=True),
    Column("time", "right"),
    Column("at card rate", "right", drop=3),
    Column("exposed", "right"),
    Column("use", "right"),
    Column("busiest link", folds=True, drop=4),
    Column("senders", "right", drop=2),
    Column("buffer", "right", folds=True, drop=1),
)
NOTE = (
    "Time: the bits of the phase alone. Use: offered load at card rate over the capacity of the busiest link. "
    "Senders: accelerators that send to one at once; buffer: what their first round trip needs of the switch."
)


def phases_table(rows: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    """Show the phases of an answer; nothing without a step or without traffic between racks."""
    if not rows:
        return []
    title = Text("Phases of the step on the network", style="bold")
    return [Text(), title, FittedTable(COLUMNS, phase_cells(rows)), Text(NOTE, style="dim")]


def phase_cells(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Return the cells of each phase as text."""
    return [
        (
            row["name"].replace("_", "-"),
            seconds_text(row["duration_s"]),
            seconds_text(row["card_time_s"]),
            seconds_text(row["exposed_s"]),
            percent_text(row["utilisation_ratio"]),
            escape(row["busiest_arc"]),
            f"{row['n_senders']:.3g}",
            _buffer_text(row),
        )
        for row in rows
    ]


def _buffer_text(row: Mapping[str, Any]) -> str:
    if row["buffer_switch"] is None:
        return "–"
    needed = bytes_text(row["buffer_needed_bytes"])
    if row["buffer_bytes"] is None:
        return f"{needed} of unknown"
    return f"{needed} of {bytes_text(row['buffer_bytes'])}{'' if row['buffer_holds'] else ', too small'}"
