"""A forecast as text: the verdict, and a table with the dates of the problems of each link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .fitted_table import Column, FittedTable
from .forecast_rows import CASE_NAMES, FORECAST_COLUMNS, forecast_rows
from .table_parts import answer_title, verdict, warning_lines

MAX_FORECASTS_SHOWN = 12
"""Links shown; those with the earliest problems come first."""
DROPS = {"90 % used": 3, "70 % used": 2, "below required": 1}
"""Columns that may be dropped where there is no room, the highest first."""
N_NAME_COLUMNS = 2
"""Columns that name a row; a table with no other column is left out."""
AGEING_NOTE = "Ageing is the least certain input, so there are three cases; --json lists their figures and sources."


def forecast_table(data: Mapping[str, Any]) -> RenderableType:
    """Show `Forecast.to_dict()`."""
    growth = f"traffic {data['growth_ratio_per_year']:+.0%} a year".replace("%", " %")
    title = f"{answer_title(data)} · next {data['years'][-1]:g} years, {growth}"
    rows = forecast_rows({**data, "links": data["links"][:MAX_FORECASTS_SHOWN]})
    names = [name for name in FORECAST_COLUMNS if name != "alike"]
    used = [i for i, name in enumerate(names) if i < N_NAME_COLUMNS or any(row[i + 1] != "–" for row in rows)]
    columns = [Column(names[i], folds=names[i] in ("link", "rate falls"), drop=DROPS.get(names[i], 0)) for i in used]
    cells = [_cells(row, first=i % len(CASE_NAMES) == 0) for i, row in enumerate(rows)]
    table = FittedTable(columns, [[row[i] for i in used] for row in cells])
    parts: list[RenderableType] = [Text.from_markup(title), *verdict(data["summary"])]
    parts += [Text(), table] if len(used) > N_NAME_COLUMNS else []
    n_more = len(data["links"]) - MAX_FORECASTS_SHOWN
    if n_more > 0:
        parts.append(Text(f"{n_more} more links are no worse; select links, or use --json.", style="dim"))
    return Group(*parts, *warning_lines(data), Text(AGEING_NOTE, style="dim"))


def _cells(row: tuple[str, ...], *, first: bool) -> list[str]:
    link, n_alike, *rest = row
    alike = f" and {int(n_alike) - 1:,} alike" if n_alike != "1" else ""
    return [escape(link + alike) if first else "", *(escape(cell) for cell in rest)]
