"""The money of a plan as text: present values part by part, and the cost of what it gains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .fitted_table import Column, FittedTable
from .numbers import number_text
from .quantities import percent_text, usd_text
from .table_parts import answer_title, verdict

PARTS = (
    ("capex_usd", "purchases"),
    ("opex_usd", "operation"),
    ("leases_usd", "leases"),
    ("work_usd", "work of the job"),
    ("residual_usd", "residual value"),
    ("npv_usd", "net present value"),
)


def money_table(data: Mapping[str, Any]) -> RenderableType:
    """Show `PlanMoney.to_dict()`."""
    title = answer_title(data) + f" · {escape(data['plan'] or 'changes')}"
    parts: list[RenderableType] = [Text.from_markup(title), *verdict(data["summary"])]
    known = [(name, data[name]) for name in ("horizon", "firm") if data[name] is not None]
    if known:
        heading = f"Present value at {percent_text(data['discount_ratio_per_year'])} a year"
        columns = (Column(""), *(Column(_time_text(name, row["years"]), "right") for name, row in known))
        rows = [(text, *(usd_text(row[key]) for _, row in known)) for key, text in PARTS]
        parts += [Text(), Text(heading, style="bold"), FittedTable(columns, rows)]
        parts += [Text(f"Work valued at: {data['work_basis']}.", style="dim")] if data["work_usd_per_year"] else []
    columns = (Column("cost of"), Column("gain", "right"), Column("each", "right"), Column("", folds=True))
    parts += [Text(), Text("Cost of what the plan gains", style="bold")]
    parts.append(FittedTable(columns, [_unit_row(row) for row in data["unit_costs"]]))
    return Group(*parts)


def _time_text(name: str, years: float) -> str:
    return f"firm part, {years * 365:.0f} days" if name == "firm" else f"{years:g} years"


def _unit_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    gain = "" if row["gain"] is None else number_text(row["gain"], "1")
    return row["unit"], gain, "–" if row["usd"] is None else usd_text(row["usd"]), escape(row.get("why", ""))
