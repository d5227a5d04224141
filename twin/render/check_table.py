"""Fixtures as tables: rows outside their tolerance, and the errors of each figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from .quantities import names_text
from .table_parts import bare_table, verdict

MAX_ROWS_SHOWN = 40
"""Rows shown of one fixture file; the others are counted."""


def check_table(results: Sequence[Mapping[str, Any]], *, all_rows: bool = False) -> RenderableType:
    """Show fixtures: rows outside their tolerance, then the largest and mean error of each figure of a file.

    Args:
        results: `FileResult.to_dict()` of each file, with `problem` replaced by the text of the error or None.
        all_rows: show all rows of a file, not only those outside their tolerance.
    """
    parts: list[RenderableType] = list(verdict([check_verdict(results)]))
    for result in results:
        rows = result["rows"] if all_rows else [row for row in result["rows"] if row["within"] is False]
        if rows:
            parts.append(_rows_table(result, rows if all_rows else rows[:MAX_ROWS_SHOWN]))
            if not all_rows and len(rows) > MAX_ROWS_SHOWN:
                parts.append(Text(f"… and {len(rows) - MAX_ROWS_SHOWN} more rows that are out"))
        if result["problem"] is not None:
            parts.append(Text(f"{result['path']}: no fixture: {result['problem']}", style="red"))
        else:
            parts.append(_figures_table(result))
    return Group(*parts)


def check_verdict(results: Sequence[Mapping[str, Any]]) -> str:
    """Say how many checks pass; a check is one figure of one file."""
    checks = [(f"{r['path']} {figure['figure']}", figure["within"]) for r in results for figure in r["figures"]]
    failed = [name for name, within in checks if not within]
    broken = [str(result["path"]) for result in results if result["problem"] is not None]
    n = len(checks)
    text = f"{len(failed)} of {n} checks fail: {names_text(failed)}." if failed else f"{n} of {n} checks pass."
    return text + (f" No fixture: {names_text(broken)}." if broken else "")


def _figures_table(result: Mapping[str, Any]) -> Table:
    title = f"[bold]{escape(result['path'])}[/] · {result['n_cases']} cases · {result['kind']} · {result['source']}"
    table = bare_table(title)
    table.add_column("figure", no_wrap=True)
    for name in ("numbers", "out", "largest error", "mean error"):
        table.add_column(name, justify="right")
    table.add_column("within")
    for figure in result["figures"]:
        within = "[green]yes[/]" if figure["within"] else "[red]no[/]"
        largest = _error_text(figure["largest_off_by"], figure["largest_ratio"])
        mean = _error_text(figure["mean_off_by"], figure["mean_ratio"])
        table.add_row(escape(figure["figure"]), str(figure["n"]), str(figure["n_out"]), largest, mean, within)
    return table


def _rows_table(result: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Table:
    table = bare_table(escape(result["path"]))
    table.add_column("case", overflow="fold")
    table.add_column("figure", overflow="fold")
    for name in ("expected", "got", "off by"):
        table.add_column(name, justify="right", overflow="fold")
    table.add_column("within")
    table.add_column("", style="dim", overflow="fold")
    for row in rows:
        within = {True: "[green]yes[/]", False: "[red]no[/]", None: "mean decides"}[row["within"]]
        cells = (_value_text(row["expected"]), _value_text(row["got"]), _error_text(row["off_by"], row["off_by_ratio"]))
        table.add_row(escape(row["case"]), escape(_figure_name(row)), *cells, within, escape(row.get("why", "")))
    return table


def _figure_name(row: Mapping[str, Any]) -> str:
    return str(row["figure"]) if row["key"] is None else f"{row['figure']}[{row['key']}]"


def _value_text(value: float | str | None) -> str:
    return "–" if value is None else escape(value) if isinstance(value, str) else f"{value:.9g}"


def _error_text(off_by: float | None, ratio: float | None) -> str:
    if off_by is None:
        return "–"
    return f"{off_by:.2g}" + (f" ({ratio:.2g})" if ratio is not None else "")
