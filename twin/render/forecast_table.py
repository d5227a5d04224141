"""A forecast as a table: dates of the problems of each link, in three ageing cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from .forecast_rows import CASE_NAMES, FORECAST_COLUMNS, forecast_rows
from .table_parts import answer_title, bare_table, warning_lines

MAX_FORECASTS_SHOWN = 12
"""Links shown; those with the earliest problems come first."""
WIDTHS = (11, 14, 9, 18, 9, 9)
AGEING_NOTE = "Ageing is the least certain part of the twin: three cases, figures and sources in --json."


def forecast_table(data: Mapping[str, Any]) -> RenderableType:
    """Show `Forecast.to_dict()`."""
    growth = f"traffic {data['growth_ratio_per_year']:+.0%} a year"
    title = f"{answer_title(data)} · next {data['years'][-1]:g} years, {growth}"
    parts: list[RenderableType] = [Text.from_markup(title)]
    n_cases = len(CASE_NAMES)
    rows = forecast_rows({**data, "links": data["links"][:MAX_FORECASTS_SHOWN]})
    for first in range(0, len(rows), n_cases):
        equal_links = f"  and {int(rows[first][1]) - 1:,} alike" if rows[first][1] != "1" else ""
        parts.append(Text(rows[first][0] + equal_links, style="bold"))
        parts.append(_cases_table(rows[first : first + n_cases], with_header=first == 0))
    n_more = len(data["links"]) - MAX_FORECASTS_SHOWN
    if n_more > 0:
        parts.append(Text(f"… and {n_more} more links that fare no worse; narrow the choice, or --json"))
    return Group(*parts, Text(AGEING_NOTE, style="dim"), *warning_lines(data))


def _cases_table(rows: Sequence[tuple[str, ...]], *, with_header: bool) -> Table:
    table = bare_table(show_header=with_header)
    for heading, width in zip(FORECAST_COLUMNS[2:], WIDTHS, strict=True):
        table.add_column(heading, width=width)
    for i, row in enumerate(rows):
        table.add_row(*(escape(cell) for cell in row[2:]), style="" if i == 1 else "dim")
    return table
