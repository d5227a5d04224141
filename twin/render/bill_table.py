"""A bill of materials as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .fitted_table import Column, FittedTable
from .quantities import MINUS, usd_text
from .table_parts import verdict

LINES = (
    Column("change", folds=True),
    Column("item", folds=True),
    Column("quantity", "right", folds=True),
    Column("unit price (range)", "right"),
    Column("total", "right"),
    Column("price book", folds=True, drop=1),
)


def bill_table(data: Mapping[str, Any]) -> RenderableType:
    """Show `Bill.to_dict()`."""
    title = f"[bold]{escape(data['network'])}[/] · {escape(data['plan'] or 'changes')}"
    parts: list[RenderableType] = [Text.from_markup(title), *verdict(data["summary"])]
    books = [row["book"] for row in data["books"] if row["book"]]
    n_columns = len(LINES) if len(books) > 1 else len(LINES) - 1
    for paid, heading in (("once", "To buy"), ("a year", "Change of the cost of a year")):
        rows = [_row(line)[:n_columns] for line in data["lines"] if line["paid"] == paid]
        if rows:
            parts += [Text(), Text(heading, style="bold"), FittedTable(LINES[:n_columns], rows)]
    if len(books) == 1:
        parts += [Text(), Text(f"All prices are from: {books[0]}.", style="dim")]
    return Group(*parts)


def _row(line: Mapping[str, Any]) -> tuple[str, ...]:
    quantity = line["quantity"]
    amount = f"{abs(quantity):,.0f}" if quantity == int(quantity) else f"{abs(quantity):,.4g}"
    unit = "" if line["unit"] == "piece" else f" {line['unit']}"
    known = line["unit_price_usd"] is not None
    low, high = line["unit_price_low_usd"], line["unit_price_high_usd"]
    ratio = line["unit"] == "USD"
    price = "" if not known else f"{line['unit_price_usd']:.3g}" if ratio else usd_text(line["unit_price_usd"])
    if known and low != high and not ratio:
        price += f" ({usd_text(low)} to {usd_text(high)})"
    sign = MINUS if quantity < 0 else ""
    return (
        line.get("change", ""),
        escape(line["item"]),
        f"{usd_text(quantity)}" if ratio else f"{sign}{amount}{unit}",
        price,
        "price unknown" if line["total_usd"] is None else usd_text(line["total_usd"]),
        escape(line["book"]),
    )
