"""A what-if as a table: before, after and change of each metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .numbers import number_text
from .score_table import SHORT_METRICS
from .table_parts import answer_title, assumptions_line, bare_table, sentences

MAX_PURCHASES_SHOWN = 6
ZERO = 1e-12
"""Changes below it are rounding."""


def diff_table(
    data: Mapping[str, Any], after: Mapping[str, Any], *, every: bool = False, note: str = ""
) -> RenderableType:
    """Show `Diff.to_dict()` on one screen.

    Args:
        data: the difference.
        after: `Diff.after.to_dict()`, whose assumptions are counted.
        every: all metrics, not the short table.
        note: what the plan says about itself.
    """
    table = bare_table(f"{answer_title(data)} · [bold]{escape(data['plan'] or 'changes')}[/]")
    table.add_column("metric", no_wrap=True)
    for name in ("before", "after", "change"):
        table.add_column(name, justify="right")
    for name, row in data["metrics"].items():
        if every or (name in SHORT_METRICS and not row["before"] is row["after"] is None):
            sides = (number_text(row[side], row["unit"]) for side in ("before", "after"))
            table.add_row(name, *sides, _change(row["change"], row["unit"], row["better"]))
    parts: list[RenderableType] = [Text(note, style="italic")] if note else []
    parts += [table, Text()]
    for side in ("before", "after"):
        parts += sentences(side.capitalize(), data["bottlenecks"][side])
    if data["purchases"]:
        parts.append(_purchases(data))
    return Group(*parts, assumptions_line(after))


def _purchases(data: Mapping[str, Any]) -> Text:
    bought = ", ".join(
        f"{_amount(each['amount'])} {each['item']} {number_text(each['usd'], 'USD')}"
        for each in data["purchases"][:MAX_PURCHASES_SHOWN]
    )
    return Text(f"To buy: {bought}.", overflow="fold")


def _change(change: float | None, unit: str, better: str) -> str:
    if change is None:
        return "–"
    if abs(change) < ZERO:
        return "[dim]0[/]"
    good = (change < 0) == (better == "lower")
    sign = "+" if change > 0 else "-"
    return f"[{'green' if good else 'red'}]{sign}{number_text(abs(change), unit)}[/]"


def _amount(n: float) -> str:
    return f"{n:,.0f} x" if n == int(n) else f"{n:,.1f}"
