"""An explanation as text: the verdict, the causes, the parts of the step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .explanation_rows import CAUSE_COLUMNS, PHASES_NOTE, SMALL_S, cause_rows, step_parts
from .fitted_table import Column, FittedTable
from .numbers import seconds_text
from .phases_table import phases_table
from .table_parts import answer_title, verdict

SHARE_NOTE = (
    "Share: Shapley value over all orders of removal. Removed alone: only this cause is removed. Removed last: all "
    "others were removed before."
)
DROPS = (0, 0, 0, 1, 2)
"""Order in which columns of causes are dropped where there is no room."""


def explanation_table(data: Mapping[str, Any]) -> RenderableType:
    """Show `Explanation.to_dict()`."""
    plan = f" · after [bold]{escape(data['plan'])}[/]" if data["plan"] else ""
    columns = [
        Column(heading, "left" if heading == "cause" else "right", drop=drop, folds=heading == "cause")
        for heading, drop in zip(CAUSE_COLUMNS, DROPS, strict=True)
    ]
    parts: list[RenderableType] = [Text.from_markup(answer_title(data) + plan), *verdict(data["summary"]), Text()]
    parts += [FittedTable(columns, cause_rows(data)), Text(SHARE_NOTE, style="dim"), Text()]
    parts += [_step_table(data), Text(PHASES_NOTE, style="dim"), *phases_table(data["phases"])]
    return Group(*parts)


def _step_table(data: Mapping[str, Any]) -> FittedTable:
    step_s = data["step_time_s"]
    parts = [(name, seconds) for name, seconds in step_parts(data) if abs(seconds) >= SMALL_S]
    rows = [(name, seconds_text(seconds), f"{seconds / step_s:.0%}".replace("%", " %")) for name, seconds in parts]
    rows.append(("[bold]step[/]", f"[bold]{seconds_text(step_s)}[/]", ""))
    rows.append(("step without these causes", seconds_text(data["ideal_step_time_s"]), ""))
    return FittedTable(
        (Column("part of the step", folds=True), Column("time", "right"), Column("share", "right")), rows
    )
