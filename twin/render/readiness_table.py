"""Readiness of sites as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .fitted_table import Column, FittedTable
from .table_parts import verdict

STEPS = (
    Column("site"),
    Column("from"),
    Column("day", "right"),
    Column("usable", "right"),
    Column("of", "right"),
    Column("blocker", folds=True),
    Column("needed", "right", drop=2),
    Column("limit", "right", drop=2),
)
IN_MEGAWATTS = ("power", "liquid cooling", "air cooling")


def readiness_table(data: Mapping[str, Any]) -> RenderableType:
    """Show `Readiness.to_dict()`."""
    title = f"[bold]{escape(data['network'])}[/] · as of {data['as_of']}"
    title += f" · {escape(data['plan'])}" if data["plan"] else ""
    parts: list[RenderableType] = [Text.from_markup(title), *verdict(data["summary"])]
    if data["steps"]:
        parts += [Text(), FittedTable(STEPS, [_row(row) for row in data["steps"]])]
    return Group(*parts)


def _row(row: Mapping[str, Any]) -> tuple[str, ...]:
    unit = " MW" if row["blocker"] in IN_MEGAWATTS else ""
    numbers = ("", "") if row["needed"] is None else (f"{row['needed']:,.4g}{unit}", f"{row['limit']:,.4g}{unit}")
    usable, owned = f"{row['n_usable']:,}", f"{row['n_accelerators']:,}"
    return escape(row["site"]), row["start"], str(row["day"]), usable, owned, row["blocker"] or "none", *numbers
