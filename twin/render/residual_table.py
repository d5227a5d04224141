"""Residuals as a table: measured values beside the model of their day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .fitted_table import Column, FittedTable
from .numbers import cell_text
from .quantities import MINUS, is_noise

MAX_SHOWN = 40
"""Rows shown; `--json` has all."""
HEADINGS = ("quantity", "of", "day", "measured", "model", "residual", "unit")
COLUMNS = (
    Column("quantity", folds=True),
    Column("of", folds=True),
    Column("day", drop=3),
    Column("measured", "right"),
    Column("model", "right"),
    Column("residual", "right"),
    Column("unit"),
)
MODEL_NOTE = "Residual = measured minus model. The model is that of the day of the reading, without any measurement."
IN_BUDGET = "The link budget uses the measured value in place of the model."


def residual_table(rows: Sequence[Mapping[str, Any]], *, with_links: bool = False) -> RenderableType:
    """Show residuals: `residuals` of a link report, or of a table of links with their links."""
    columns = (Column("link", folds=True), *COLUMNS) if with_links else COLUMNS
    cells = [((escape(row["link"]),) if with_links else ()) + residual_cells(row) for row in rows[:MAX_SHOWN]]
    parts: list[RenderableType] = [FittedTable(columns, cells, "measured and model")]
    if len(rows) > MAX_SHOWN:
        parts.append(Text(f"{len(rows) - MAX_SHOWN:,} more readings: --json.", style="dim"))
    parts.append(Text(MODEL_NOTE))
    if any(row["in_budget"] for row in rows):
        parts.append(Text(f"* {IN_BUDGET}"))
    whys = dict.fromkeys(f"{quantity_text(row['quantity'])}: {row['why']}." for row in rows if row["why"])
    return Group(*parts, *(Text(f"No model of {why}") for why in whys))


def residual_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the cells of one residual as text."""
    place = [f"{name} {row[name]}" for name in ("span", "lane") if row[name] is not None]
    place += [row["direction"]] if row["direction"] else []
    return (
        quantity_text(row["quantity"]) + ("*" if row["in_budget"] else ""),
        escape(", ".join(place)),
        row["at"] or "",
        cell_text(row["measured"]),
        cell_text(row["model"]),
        _residual_text(row),
        "" if row["unit"] == "1" else row["unit"],
    )


def quantity_text(quantity: str) -> str:
    """Return the name of a quantity for readers."""
    return quantity.replace("_", " ").replace("snr", "SNR").replace("oSNR", "OSNR").replace("fec ber", "FEC BER")


def _residual_text(row: Mapping[str, Any]) -> str:
    """Return a residual with its sign; 0 for rounding."""
    if row["residual"] is None:
        return "–"
    if is_noise(row["measured"], row["model"]):
        return "0"
    return f"{MINUS if row['residual'] < 0 else '+'}{cell_text(abs(row['residual']))}"


def decibel_text(value: float | None) -> str:
    """Return a difference in decibels with its sign and two decimals; a dash for None."""
    return "–" if value is None else f"{value:+.2f}".replace("-", MINUS)
