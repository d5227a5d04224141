"""A sweep as text: the verdict, and the metric at each point."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .fitted_table import Column, FittedTable
from .numbers import cell_text, metric_cell, unit_text
from .quantities import change_percent_text
from .table_parts import answer_title, verdict

MAX_POINTS_SHOWN = 60


def sweep_table(data: Mapping[str, Any]) -> RenderableType:
    """Show `Sweep.to_dict()`."""
    metric, unit = data["metric"], unit_text(data["metric"])
    columns = [Column(axis["path"], "right", folds=True) for axis in data["axes"]]
    columns += [Column(f"{metric}\n{unit}" if unit else metric, "right", folds=True), Column("change", "right", drop=1)]
    points = product(*(axis["values"] for axis in data["axes"]))
    rows = list(zip(points, data["values"], data["why"], strict=True))
    first = next((value for value in data["values"] if value is not None), None)
    cells = []
    for point, value, why in rows[:MAX_POINTS_SHOWN]:
        change = "" if value is None or first is None else change_percent_text(first, value)
        text = escape(why) if value is None else metric_cell(metric, value)
        cells.append((*(escape(cell_text(at)) for at in point), text, change))
    parts: list[RenderableType] = [Text.from_markup(answer_title(data)), *verdict(data["summary"]), Text()]
    parts.append(FittedTable(columns, cells))
    if len(rows) > MAX_POINTS_SHOWN:
        parts.append(Text(f"{len(rows) - MAX_POINTS_SHOWN} more points; --csv or --json has all.", style="dim"))
    return Group(*parts)
