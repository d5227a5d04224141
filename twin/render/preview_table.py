"""A preview as text: the verdict, records before and after, totals, purchases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from ..errors.wording import counted
from .fitted_table import Column, FittedTable
from .quantities import MINUS, change_percent_text, is_noise, rate_text, usd_text
from .table_parts import verdict

MAX_PURCHASES_SHOWN = 6
SIGNS = {"add": "+", "remove": MINUS, "replace": "±", "change": "~"}
STYLES = {"add": "green", "remove": "red", "replace": "yellow", "change": "yellow"}
TOTALS = (
    Column("total", folds=True),
    Column("before", "right"),
    Column("after", "right"),
    Column("", "right", drop=1),
)


def preview_table(data: Mapping[str, Any]) -> RenderableType:
    """Show `Preview.to_dict()`."""
    title = f"[bold]{escape(data['network'])}[/] · [bold]{escape(data['plan'] or 'changes')}[/] · preview"
    return Group(
        Text.from_markup(title),
        *verdict(data["summary"]),
        *([Text(), *preview_lines(data)] if data["changes"] else []),
        *purchases_table(data["purchases"]),
    )


def preview_lines(data: Mapping[str, Any], limit: int = 0) -> list[RenderableType]:
    """Return the changes as lines, and the totals that change.

    Args:
        data: `Preview.to_dict()`.
        limit: most groups of records; 0 for all.
    """
    changes = data["changes"]
    if not changes:
        return []
    shown = changes[:limit] if limit else changes
    lines: list[RenderableType] = [Text("Changes", style="bold"), *map(_line, shown)]
    if len(changes) > len(shown):
        more = counted(len(changes) - len(shown), "more group of records", "more groups of records")
        lines.append(Text(f"  {more}; --preview shows all.", style="dim"))
    totals = [row for row in data["totals"] if not is_noise(row["before"], row["after"])]
    if totals:
        lines += [Text(), FittedTable(TOTALS, [_total_row(row) for row in totals])]
    return lines


def purchases_table(purchases: Sequence[Mapping[str, Any]], limit: int = MAX_PURCHASES_SHOWN) -> list[RenderableType]:
    """Return the items to buy, most expensive first; nothing where there are none.

    Args:
        purchases: `purchases` of an answer.
        limit: most items; 0 for all.
    """
    if not purchases:
        return []
    limit = limit or len(purchases)
    rows = [
        (_amount_text(purchase["amount"]), escape(purchase["item"]), _price_text(purchase["usd"]))
        for purchase in purchases[:limit]
    ]
    n_more = len(purchases) - limit
    if n_more > 0:
        rest_usd = sum(purchase["usd"] or 0.0 for purchase in purchases[limit:])
        rows.append(("", f"{n_more} more items", usd_text(rest_usd)))
    table = FittedTable((Column("", "right"), Column("item", folds=True), Column("price", "right")), rows)
    return [Text(), Text("To buy", style="bold"), table]


def _price_text(usd: float | None) -> str:
    return "price unknown" if usd is None else usd_text(usd)


def _line(change: Mapping[str, Any]) -> RenderableType:
    sign, style = SIGNS[change["action"]], STYLES[change["action"]]
    text = change_text(change).removeprefix(sign)
    return Padding(Text.assemble((sign, style), text), (0, 0, 0, 2), expand=False)


def change_text(change: Mapping[str, Any]) -> str:
    """Return a change of records as a line: `~ 96 border links: n_parallel 1 → 4 (a, b and 94 more)`."""
    action = change["action"]
    fields = ", ".join(_field_text(row, action) for row in change["fields"])
    n_more = change["n"] - len(change["examples"])
    examples = ", ".join(change["examples"]) + (f" and {n_more:,} more" if n_more > 0 and change["examples"] else "")
    text = f"{_what(change)}: {fields}" if fields else _what(change)
    if examples and change["record"] != "job":
        text += f" ({examples})"
    return f"{SIGNS[action]} {text}"


def _what(change: Mapping[str, Any]) -> str:
    if change["record"] in ("link", "span"):
        return counted(change["n"], f"{change['group'].replace('_', '-')} {change['record']}")
    if change["record"] == "node":
        return counted(change["n"], change["group"], "switches" if change["group"] == "switch" else "")
    if change["record"] == "demands":
        return counted(change["n"], "demand")
    if change["record"] == "lease":
        return f"lease of {change['group']}"
    return f"job {change['examples'][0]}" if change["record"] == "job" else "network"


def _field_text(row: Mapping[str, Any], action: str) -> str:
    before = _value_text(row["before"], row.get("before_high"))
    after = _value_text(row["after"], row.get("after_high"))
    if action in ("add", "remove"):
        return f"{row['name']} {after if action == 'add' else before}"
    return f"{row['name']} {before} → {after}"


def _value_text(value: str | float | None, high: float | None) -> str:
    if value is None or isinstance(value, str):
        return value or "none"
    return _number_text(value) if high is None else f"{_number_text(value)} to {_number_text(high)}"


def _number_text(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"


def _total_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    before, after = row["before"], row["after"]
    share = change_percent_text(before, after) if before else ""
    name = escape(row["name"])
    if row.get("n_unknown"):
        name += f" (without {counted(row['n_unknown'], 'link')} of unknown rate)"
    return name, _total_text(before, row["unit"]), _total_text(after, row["unit"]), share


def _total_text(value: float, unit: str) -> str:
    if unit == "Gb/s":
        return rate_text(value)
    if unit == "MW" and abs(value) < 1.0:
        value, unit = value * 1e3, "kW"
    text = f"{value:,.0f}" if unit == "" else f"{value:,.4g}"
    return f"{text} {unit}".rstrip()


def _amount_text(amount: float) -> str:
    return f"{amount:,.0f}" if amount == int(amount) else f"{amount:,.1f}"
