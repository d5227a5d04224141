"""Lines of a drawing as a table: what they join, their capacity and their worst figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from ..errors.wording import counted
from .fitted_table import Column, FittedTable
from .numbers import cell_text
from .quantities import percent_text, rate_text

COLUMNS = (
    Column("from", folds=True),
    Column("to", folds=True),
    Column("links", "right"),
    Column("down", "right", drop=3),
    Column("capacity", "right"),
    Column("used", "right"),
    Column("margin\ndB", "right", drop=1),
    Column("age\nyears", "right", drop=2),
)
MAX_LINES_SHOWN = 30
"""Lines shown, the fullest first."""


def drawing_table(data: Mapping[str, Any]) -> RenderableType:
    """Show `Drawing.to_dict()` as text: one row for each line, the fullest first."""
    lines = fullest_first(data["lines"])
    plan = f" after {data['plan']}" if data["plan"] else ""
    title = f"{data['network']}{plan}: {counted(data['n_nodes'], 'node')}, {counted(data['n_links'], 'link')}"
    parts: list[RenderableType] = [Text(title, style="bold"), Text()]
    parts.append(FittedTable(COLUMNS, [line_cells(line) for line in lines[:MAX_LINES_SHOWN]]))
    if len(lines) > MAX_LINES_SHOWN:
        parts.append(Text(f"{MAX_LINES_SHOWN} of {len(lines):,} lines, the fullest first."))
    return Group(*parts)


def fullest_first(lines: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return lines in the order of tables."""
    return sorted(lines, key=lambda line: (-(line["utilisation_ratio"] or 0.0), line["source"], line["target"]))


def line_cells(line: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the cells of one line."""
    use = line["utilisation_ratio"]
    return (
        escape(line["source"]),
        escape(line["target"]),
        f"{line['n_links']:,}",
        f"{line['n_down']:,}" if line["n_down"] else "–",
        "unknown" if line["capacity_gbps"] is None else rate_text(line["capacity_gbps"]),
        "–" if use is None else percent_text(use),
        "–" if line["margin_db"] is None else cell_text(line["margin_db"]),
        "–" if line["age_years"] is None else cell_text(line["age_years"]),
    )
