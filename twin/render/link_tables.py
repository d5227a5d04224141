"""Links as tables: several links, or one link with its budget, modes, failures and forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from .forecast_table import forecast_table
from .numbers import cell_text, level_text
from .table_parts import bare_table, two_columns

MAX_LINKS_SHOWN = 4
"""Links shown; those with the smallest share of their line rate come first."""


def links_table(data: Mapping[str, Any], notes: Sequence[str] = ()) -> RenderableType:
    """Show `LinkTable.to_dict()`: a block with both directions of each link, then notes."""
    blocks: list[RenderableType] = []
    rows = data["links"]
    pairs = list(zip(rows[::2], rows[1::2], strict=True))
    pairs.sort(key=lambda pair: _capacity_ratio(pair[0]))
    for forward, back in pairs[:MAX_LINKS_SHOWN]:
        blocks.append(_direction_table(forward, back))
    if len(pairs) > MAX_LINKS_SHOWN:
        blocks.append(Text(f"… and {len(pairs) - MAX_LINKS_SHOWN} more links; narrow the choice, or --json"))
    return Group(*blocks, *(Text(note) for note in notes))


def _capacity_ratio(row: Mapping[str, Any]) -> float:
    """Return capacity over line rate; infinity if the rate is unknown, so that these links come last."""
    if row["capacity_gbps"] is None:
        return float("inf")
    return float(row["capacity_gbps"] / (row["member_gbps"] * row["n_members_up"] or 1.0))


def link_report_table(data: Mapping[str, Any]) -> RenderableType:
    """Show `LinkReport.to_dict()`: sentences, budget, modes, directions, failures, forecast."""
    equipment = f"{data['n_members']} x {data['transceiver'] or 'no part'}"
    heading = f"[bold]{escape(data['id'])}[/] · {escape(' – '.join(data['ends']))} · {equipment}"
    parts: list[RenderableType] = [Text.from_markup(heading), *(Text(f"  {line}") for line in data["summary"])]
    for line in data["budget"]:
        if line["steps"]:
            parts += [Text(), _budget_table(line)]
    if data["modes"]:
        parts += [Text(), _modes_table(data["modes"])]
    parts += [Text(), _direction_table(*data["directions"])]
    figures = data["failures"].items()
    failures = [(name, cell_text(value)) for name, value in figures if isinstance(value, float) and value]
    parts += [Text(), two_columns("failures (line: all members at once)", failures)]
    if data["forecast"] is not None:
        parts += [Text(), forecast_table(data["forecast"])]
    return Group(*parts)


def _budget_table(line: Mapping[str, Any]) -> Table:
    table = bare_table(f"budget, {line['line']}")
    table.add_column("step", no_wrap=True)
    table.add_column("", justify="right")
    table.add_column("level", justify="right")
    for step in line["steps"]:
        change, level = step["change_db"], level_text(step)
        if change is None:
            table.add_row(step["step"], "", f"[bold]{level}[/]")
        else:
            table.add_row(step["step"], f"{change:+.2f} dB", f"[dim]{level}[/]")
    return table


def _modes_table(modes: Sequence[Mapping[str, Any]]) -> Table:
    table = bare_table("modes")
    for heading in ("rate", "modulation", "needs", "margin", ""):
        table.add_column(heading, justify="right" if heading in ("rate", "needs", "margin") else "left")
    for mode in modes:
        margin = "out of reach" if mode["margin_db"] is None else f"{mode['margin_db']:+.2f} dB"
        rate, required = f"{mode['rate_gbps']:g}G", f"{mode['required_snr_db']:.2f} dB"
        table.add_row(rate, mode["modulation"], required, margin, "in use" if mode["in_use"] else "")
    return table


def _direction_table(forward: Mapping[str, Any], back: Mapping[str, Any]) -> Table:
    table = bare_table(f"[bold]{escape(forward['id'])}[/]")
    table.add_column("", no_wrap=True)
    table.add_column(escape(forward["direction"]), justify="right")
    table.add_column(escape(back["direction"]), justify="right")
    for name in forward:
        if name not in ("id", "direction") and (forward[name] is not None or back[name] is not None):
            table.add_row(name, escape(cell_text(forward[name])), escape(cell_text(back[name])))
    return table
