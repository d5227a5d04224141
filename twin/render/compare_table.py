"""Comparison of the plans of a network as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType

from .numbers import short_text
from .table_parts import answer_title, bare_table

PLAN_COLUMNS = {
    "step_time_s": "step",
    "exposed_comm_time_s": "exposed",
    "goodput_tokens_per_s": "goodput",
    "max_link_utilisation_ratio": "busiest",
    "min_coherent_margin_db": "margin",
    "capex_usd": "capex",
    "usd_per_effective_pflop_day": "cost",
}
"""Metrics of the table and the headings of their columns."""


def compare_table(diffs: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Show `Diff.to_dict()` of each plan: a row for the unchanged network, then a row for each plan."""
    first = diffs[0]["metrics"]
    table = bare_table(answer_title(diffs[0]))
    table.add_column("plan", no_wrap=True)
    for name, heading in PLAN_COLUMNS.items():
        unit = first[name]["unit"] if first[name]["unit"] != "1" else ""
        table.add_column(f"{heading}\n[dim]{unit}[/]", justify="right", no_wrap=True)
    table.add_row("as it is", *(short_text(first[name]["before"]) for name in PLAN_COLUMNS))
    for data in diffs:
        table.add_row(data["plan"] or "", *(short_text(data["metrics"][name]["after"]) for name in PLAN_COLUMNS))
    return table
