"""Leases and stranded capacity as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .fitted_table import Column, FittedTable
from .quantities import usd_text
from .table_parts import answer_title, verdict

UNKNOWN = "–"
LEASES = (
    Column("tenant", folds=True),
    Column("site"),
    Column("accelerators", "right"),
    Column("a month", "right"),
    Column("earliest end", "right"),
    Column("firm", "right"),
    Column("term ends", "right", drop=1),
    Column("power", drop=2),
)
USE = ("useful", "leased", "no_job", "waiting", "network", "power_or_cooling", "failures", "out_of_service")
HEADINGS = {"no_job": "no job", "power_or_cooling": "power or cooling", "out_of_service": "out of service"}


def lease_table(data: Mapping[str, Any]) -> RenderableType:
    """Show `LeaseReport.to_dict()`."""
    title = answer_title(data) + (f" · {escape(data['plan'])}" if data["plan"] else "")
    parts: list[RenderableType] = [Text.from_markup(title), *verdict(data["summary"])]
    if data["leases"]:
        parts += [Text(), FittedTable(LEASES, [_lease_row(row) for row in data["leases"]])]
        parts += _unknown_lines(data["leases"])
    if len(data["run_rates"]) > 1:
        parts += [Text(), Text("Rent a year", style="bold"), _rates(data["run_rates"])]
    if data["use"]:
        parts += [Text(), Text("Accelerators by what they do", style="bold"), _use(data["use"], data["stranded"])]
    return Group(*parts)


def _lease_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        escape(row["tenant"]),
        escape(row["site"]),
        f"{row['n_accelerators']:,}",
        _usd(row["usd_per_month"]),
        row["earliest_end"] or (UNKNOWN if row["earliest_end_day"] is None else f"day {row['earliest_end_day']}"),
        _usd(row["firm_usd"]),
        row["term_end"] or UNKNOWN,
        row["power_paid_by"] or UNKNOWN,
    )


def _unknown_lines(rows: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    lines = []
    for row in rows:
        reasons = sorted(set(row.get("why", {}).values()), key=len, reverse=True)
        if reasons:
            lines.append(Text(f"{row['tenant']}: {reasons[0]}.", style="dim"))
    return list(lines)


def _rates(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    columns = (Column("from"), Column("until"), Column("rent a year", "right"), Column("tenants", folds=True))
    cells = [
        (row["since"] or UNKNOWN, row["until"] or UNKNOWN, _usd(row["usd_per_year"]), escape(", ".join(row["tenants"])))
        for row in rows
    ]
    return FittedTable(columns, cells)


def _use(rows: Sequence[Mapping[str, Any]], stranded: Sequence[Mapping[str, Any]]) -> RenderableType:
    usd = {(part["site"], part["reason"]): part["usd_per_month"] for part in stranded}
    columns = (Column("site"), Column(""), Column("accelerators", "right"), Column("a month", "right"))
    cells = []
    for row in rows:
        cells.append((escape(row["site"]), "owned", f"{row['n_owned']:,}", ""))
        cells += [
            ("", HEADINGS.get(name, name), f"{row[name]:,.0f}", _usd(usd.get((row["site"], name)), ""))
            for name in USE
            if row[name]
        ]
    return FittedTable(columns, cells)


def _usd(value: float | None, unknown: str = UNKNOWN) -> str:
    return unknown if value is None else usd_text(value)
