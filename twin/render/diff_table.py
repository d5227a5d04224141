"""A what-if as a table: before, after and change of each metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .numbers import number_text
from .score_table import SHORT_METRICS
from .table_parts import answer_title, assumptions_line, bare_table, sentences, warning_lines

MAX_PURCHASES_SHOWN = 6
MIN_CHANGE_SHOWN = 1e-12
"""Smaller changes are rounding errors and shown as 0."""


def diff_table(
    data: Mapping[str, Any], after: Mapping[str, Any], *, all_metrics: bool = False, note: str = ""
) -> RenderableType:
    """Show `Diff.to_dict()` on one screen.

    Args:
        data: the difference between two scores.
        after: `Diff.after.to_dict()`; its assumptions are counted.
        all_metrics: show every metric, also those without a value.
        note: note of the plan.
    """
    table = bare_table(f"{answer_title(data)} · [bold]{escape(data['plan'] or 'changes')}[/]")
    table.add_column("metric", no_wrap=True)
    for name in ("before", "after", "change"):
        table.add_column(name, justify="right")
    for name, row in data["metrics"].items():
        if all_metrics or (name in SHORT_METRICS and not row["before"] is row["after"] is None):
            before_and_after = (number_text(row[side], row["unit"]) for side in ("before", "after"))
            table.add_row(name, *before_and_after, _change_text(row["change"], row["unit"], row["better"]))
    parts: list[RenderableType] = [Text(note, style="italic")] if note else []
    parts += [table, Text()]
    for side in ("before", "after"):
        parts += sentences(side.capitalize(), data["bottlenecks"][side])
    if data["purchases"]:
        parts.append(_purchases(data))
    return Group(*parts, assumptions_line(after), *warning_lines(after))


def _purchases(data: Mapping[str, Any]) -> Text:
    items = ", ".join(
        f"{_amount_text(purchase['amount'])} {purchase['item']} {number_text(purchase['usd'], 'USD')}"
        for purchase in data["purchases"][:MAX_PURCHASES_SHOWN]
    )
    return Text(f"To buy: {items}.", overflow="fold")


def _change_text(change: float | None, unit: str, better: str) -> str:
    if change is None:
        return "–"
    if abs(change) < MIN_CHANGE_SHOWN:
        return "[dim]0[/]"
    is_better = (change < 0) == (better == "lower")
    sign = "+" if change > 0 else "-"
    return f"[{'green' if is_better else 'red'}]{sign}{number_text(abs(change), unit)}[/]"


def _amount_text(amount: float) -> str:
    return f"{amount:,.0f} x" if amount == int(amount) else f"{amount:,.1f}"
