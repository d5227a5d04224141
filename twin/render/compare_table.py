"""Comparison of the plans of a network as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .fitted_table import Column, FittedTable
from .numbers import is_share, short_text, unit_text
from .quantities import change_percent_text, percent_text
from .table_parts import answer_title, verdict

HEADINGS = {
    "step_time_s": "step",
    "goodput_tokens_per_s": "goodput",
    "exposed_comm_time_s": "exposed",
    "training_loss_ratio": "loss",
    "demand_satisfied_ratio": "carried",
    "unrouted_gbps": "no path",
    "max_link_utilisation_ratio": "busiest",
    "min_coherent_margin_db": "margin",
    "min_margin_db": "margin",
    "worst_rtt_us": "RTT",
    "capex_usd": "capex",
    "opex_usd_per_year": "running",
    "usd_per_effective_pflop_day": "cost",
}
"""Metrics of the table and the headings of their columns."""
UNITS = {"usd_per_effective_pflop_day": "$/PFLOP-d", "capex_usd": "$", "opex_usd_per_year": "$/year"}
"""Units that a heading shows instead of the metric's own."""
HEADLINES = ("goodput_tokens_per_s", "demand_satisfied_ratio", "max_link_utilisation_ratio")
JOB_ORDER = (
    "step_time_s",
    "goodput_tokens_per_s",
    "capex_usd",
    "training_loss_ratio",
    "exposed_comm_time_s",
    "max_link_utilisation_ratio",
    "min_coherent_margin_db",
    "min_margin_db",
    "usd_per_effective_pflop_day",
)
"""Columns of a network with a job, the most important first."""
DEMAND_ORDER = (
    "demand_satisfied_ratio",
    "max_link_utilisation_ratio",
    "capex_usd",
    "unrouted_gbps",
    "worst_rtt_us",
    "min_coherent_margin_db",
    "min_margin_db",
    "opex_usd_per_year",
)
"""Columns of a network without a job."""


def compare_table(diffs: Sequence[Mapping[str, Any]], summary: Sequence[str] = ()) -> RenderableType:
    """Show `Diff.to_dict()` of each plan: a row for the unchanged network, then a row for each plan.

    Args:
        diffs: one difference for each plan.
        summary: the verdict.
    """
    order = [name for name in (JOB_ORDER if diffs[0]["job"] else DEMAND_ORDER) if _applies(name, diffs)]
    if "min_coherent_margin_db" in order and "min_margin_db" in order:
        order.remove("min_margin_db")
    shown = [name for name in HEADINGS if name in order]
    headline = next((name for name in HEADLINES if name in shown), None)
    columns = [Column("plan", folds=True)]
    for name in shown:
        columns.append(Column(f"{HEADINGS[name]}\n{_unit(name)}", "right", drop=order.index(name)))
        if name == headline:
            columns.append(Column("change\n", "right"))
    rows = [("as it is", *_cells(diffs[0], "before", shown, headline))]
    rows += [(escape(data["plan"] or ""), *_cells(data, "after", shown, headline)) for data in diffs]
    title = Text.from_markup(answer_title(diffs[0]))
    return Group(title, *verdict(summary), Text(), FittedTable(columns, rows))


def _applies(name: str, diffs: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether any plan has a value that says something: not null, and not neutral, everywhere."""
    values = [data["metrics"][name][side] for data in diffs for side in ("before", "after")]
    neutral = 1.0 if name == "training_loss_ratio" else 0.0
    return any(value is not None and value != neutral for value in values)


def _cells(data: Mapping[str, Any], side: str, shown: Sequence[str], headline: str | None) -> list[str]:
    cells = []
    for name in shown:
        before, value = data["metrics"][name]["before"], data["metrics"][name][side]
        cells.append(percent_text(value) if value is not None and is_share(name) else short_text(value))
        if name == headline:
            known = side == "after" and before is not None and value is not None
            cells.append(change_percent_text(before, value) if known else "")
    return cells


def _unit(name: str) -> str:
    return UNITS.get(name, unit_text(name))
