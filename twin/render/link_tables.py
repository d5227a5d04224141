"""Links as tables: several links, or one link with its budget, modes, failures and forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from ..errors.wording import counted
from ..units import unit_of
from .fitted_table import Column, FittedTable
from .forecast_table import forecast_table
from .numbers import cell_text, level_text, number_text
from .quantities import bytes_text, frequency_text, hours_text, percent_text
from .residual_table import decibel_text, residual_table
from .table_parts import sentences, verdict

MAX_LINKS_SHOWN = 20
"""Links shown; those with the smallest share of their line rate come first."""
MAX_BLOCKS_SHOWN = 4
"""Links shown with every column."""
COLUMNS = (
    Column("link", folds=True),
    Column("line", "right"),
    Column("up", drop=5),
    Column("length\nkm", "right", drop=4),
    Column("margin\ndB", "right", drop=1),
    Column("capacity\nGb/s", "right"),
    Column("limit", folds=True, drop=3),
    Column("used", "right", drop=2),
    Column("latency\nµs", "right", drop=6),
)
"""Columns of the table of links."""
RESIDUAL = Column("residual\ndB", "right", drop=2)
"""Column that stands beside them where something was measured."""
HOURS_PER_YEAR = 8766.0
SMALL_RATIO = 1e-4
"""Smaller ratios are shown as numbers, not as per cent."""


def links_table(data: Mapping[str, Any], notes: Sequence[str] = (), *, all_columns: bool = False) -> RenderableType:
    """Show `LinkTable.to_dict()`: one row for each link, two where its directions differ.

    Args:
        data: the table of links.
        notes: warnings for readers.
        all_columns: a block with every column for each link.
    """
    rows = data["links"]
    pairs = list(zip(rows[::2], rows[1::2], strict=True))
    if "sorted_by" not in data:
        pairs.sort(key=lambda pair: min(map(_capacity_ratio, pair)))
    parts: list[RenderableType] = [Text(data["network"], style="bold"), *verdict(data["summary"])]
    parts += [Text()] if pairs else []
    n_links = data.get("n_links", len(pairs))
    n_shown = MAX_BLOCKS_SHOWN if all_columns else max(MAX_LINKS_SHOWN, len(pairs) if len(pairs) < n_links else 0)
    if all_columns:
        parts += [_direction_table(forward, back) for forward, back in pairs[:n_shown]]
    elif pairs:
        measured = any(row["residual_db"] is not None for row in rows)
        cells = [row for pair in pairs[:n_shown] for row in _link_rows(*pair, measured=measured)]
        parts.append(FittedTable((*COLUMNS, RESIDUAL) if measured else COLUMNS, cells))
        if len(pairs) < n_links and len(cells) > len(pairs):
            parts.append(Text(f"{counted(len(pairs), 'link')}; one whose directions differ has two rows."))
    n_more = n_links - min(len(pairs), n_shown)
    if n_more:
        parts.append(Text(f"{n_more:,} more links; select links by id or glob, or use --json.", style="dim"))
    if data.get("residuals"):
        parts += [Text(), residual_table(data["residuals"], with_links=True)]
    return Group(*parts, *(Text(note) for note in notes))


def _capacity_ratio(row: Mapping[str, Any]) -> float:
    """Return capacity over line rate; infinity if the rate is unknown, so that these links come last."""
    if row["capacity_gbps"] is None:
        return float("inf")
    return float(row["capacity_gbps"] / (row["member_gbps"] * row["n_members_up"] or 1.0))


def _link_rows(forward: Mapping[str, Any], back: Mapping[str, Any], *, measured: bool) -> list[tuple[str, ...]]:
    """One row where both directions show the same, else one for each direction."""
    rows = [_link_row(side)[: None if measured else -1] for side in (forward, back)]
    if rows[0] == rows[1]:
        return [(escape(forward["id"]), *rows[0])]
    sides = zip((forward, back), rows, strict=True)
    return [(escape(f"{side['id']} ({side['direction']})"), *row) for side, row in sides]


def _link_row(side: Mapping[str, Any]) -> tuple[str, ...]:
    rate = "?" if side["member_gbps"] is None else cell_text(side["member_gbps"])
    return (
        f"{side['n_members_up']:,} x {rate}",
        "yes" if side["up"] else "[red]no[/]",
        "?" if side["length_km"] is None else f"{side['length_km']:.4g}",
        "–" if side["margin_db"] is None else f"{side['margin_db']:.1f}",
        "–" if side["capacity_gbps"] is None else number_text(side["capacity_gbps"], "1"),
        side["limit"],
        "–" if side["utilisation_ratio"] is None else percent_text(side["utilisation_ratio"]),
        "–" if side["latency_us"] is None else f"{side['latency_us']:,.4g}",
        decibel_text(side["residual_db"]),
    )


def link_report_table(data: Mapping[str, Any]) -> RenderableType:
    """Show `LinkReport.to_dict()`: sentences, budget, modes, directions, failures, forecast."""
    equipment = f"{data['n_members']} x {data['transceiver'] or 'no transceiver'}"
    heading = f"[bold]{escape(data['id'])}[/] · {escape(' – '.join(data['ends']))} · {equipment}"
    parts: list[RenderableType] = [Text.from_markup(heading), *verdict(data["summary"])]
    for line in data["budget"]:
        if line["steps"]:
            parts += [Text(), _budget_table(line)]
    if data["modes"]:
        parts += [Text(), _modes_table(data["modes"])]
    if data.get("residuals"):
        parts += [Text(), residual_table(data["residuals"])]
    parts += [Text(), _direction_table(*data["directions"])]
    parts += sentences("Failures", failure_lines(data["failures"]))
    if data["forecast"] is not None:
        parts += [Text(), Text("Forecast", style="bold"), forecast_table(data["forecast"])]
    return Group(*parts)


def failure_lines(failures: Mapping[str, Any]) -> list[str]:
    """Return the failures of a line and of one member as sentences."""
    lines = []
    times = (("All members at once", "line_mtbf_h", "line_mttr_h"), ("One member", "member_mtbf_h", "member_mttr_h"))
    for text, mtbf, mttr in times:
        mtbf_h, mttr_h = failures[mtbf], failures[mttr]
        if mtbf_h and mttr_h is not None:
            lines.append(f"{text}: fails {frequency_text(HOURS_PER_YEAR / mtbf_h)}, {hours_text(mttr_h)} to repair.")
    causes = (("n_cuts_per_year", "fibre cuts"), ("n_amplifier_failures_per_year", "amplifiers"))
    listed = [f"{text} {frequency_text(failures[name])}" for name, text in causes if failures[name]]
    if failures["n_transceiver_failures_per_year"]:
        listed.append(f"transceivers {frequency_text(failures['n_transceiver_failures_per_year'])}")
    return [*lines, f"Causes: {', '.join(listed)}."] if listed else lines


def _budget_table(line: Mapping[str, Any]) -> FittedTable:
    rows = []
    for step in line["steps"]:
        change, level = step["change_db"], level_text(step)
        is_level = change is None
        rows.append((step["step"], "" if is_level else f"{change:+.2f} dB", f"[bold]{level}[/]" if is_level else level))
    columns = (Column("step", folds=True), Column("change", "right"), Column("level", "right"))
    return FittedTable(columns, rows, f"link budget, {escape(line['line'])}")


def _modes_table(modes: Sequence[Mapping[str, Any]]) -> FittedTable:
    headings = ("rate", "modulation", "required SNR", "margin", "")
    columns = [Column(name, "right" if i in (0, 2, 3) else "left") for i, name in enumerate(headings)]
    rows = []
    for mode in modes:
        margin = "out of reach" if mode["margin_db"] is None else f"{mode['margin_db']:+.2f} dB"
        rate, required = f"{mode['rate_gbps']:g}G", f"{mode['required_snr_db']:.2f} dB"
        rows.append((rate, mode["modulation"], required, margin, "in use" if mode["in_use"] else ""))
    return FittedTable(columns, rows, "modes")


def _direction_table(forward: Mapping[str, Any], back: Mapping[str, Any]) -> FittedTable:
    """Every column with a value; one column of values where both directions are equal."""
    names = [name for name in forward if name not in ("id", "direction")]
    rows = [
        (_heading(name), _cell(name, forward[name]), _cell(name, back[name]))
        for name in names
        if forward[name] is not None or back[name] is not None
    ]
    title = f"[bold]{escape(forward['id'])}[/]"
    if all(row[1] == row[2] for row in rows):
        both = (Column("figure", folds=True), Column("both directions", "right"))
        return FittedTable(both, [row[:2] for row in rows], title)
    columns = (
        Column("figure", folds=True),
        Column(forward["direction"], "right", folds=True),
        Column(back["direction"], "right", folds=True),
    )
    return FittedTable(columns, rows, title)


def _heading(name: str) -> str:
    unit = unit_of(name) or ""
    if unit in ("B", "1", "") or name.endswith(("_mtbf_h", "_mttr_h")):
        unit = ""
    words = name.rpartition("_")[0] if unit_of(name) and not name.startswith("n_") else name
    words = words.removesuffix("_per").removeprefix("n_").replace("_", " ")
    return f"{words}, {unit}" if unit else words


def _cell(name: str, value: Any) -> str:
    """A figure of a link for readers: hours as years, bytes as MB, shares as per cent."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return escape(cell_text(value).replace("_", " "))
    if name.endswith(("_mtbf_h", "_mttr_h")):
        return hours_text(value)
    if name.endswith("_bytes"):
        return bytes_text(value)
    if name.endswith("_ratio") and (value >= SMALL_RATIO or value == 0):
        return percent_text(value)
    return cell_text(value)
