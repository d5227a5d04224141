"""Parts of several tables: the title of an answer, lists of sentences, the line about assumptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..errors.wording import counted
from ..units import unit_of
from .fitted_table import Column, FittedTable
from .numbers import metric_cell, unit_text
from .quantities import MINUS, bytes_text, percent_text, usd_text

PLACEHOLDER = "placeholder"
"""Status of a shipped price that the user has not replaced."""


def answer_title(data: Mapping[str, Any]) -> str:
    """Return the network, job and date of an answer as rich markup."""
    job, as_of = data["job"], data.get("as_of")
    fields = [
        f"[bold]{escape(data['network'])}[/]",
        f"job {escape(job)}" if job else "no job",
        f"as of {as_of}" if as_of else "",
    ]
    return " · ".join(field for field in fields if field)


def bare_table(title: str | None = None, **options: Any) -> Table:
    """Create a table without lines, its title on the left."""
    return Table(title=title, title_justify="left", box=None, pad_edge=False, **options)


def add_plain_row(table: Table, *cells: str) -> None:
    """Add a row of plain texts: brackets in them, as of `dc-twin[excel]`, are no markup."""
    table.add_row(*map(escape, cells))


def verdict(lines: Sequence[str]) -> list[RenderableType]:
    """Return the verdict of an answer: its first line in bold."""
    return [Text(line, style="bold" if i == 0 else "") for i, line in enumerate(lines)]


def sentences(heading: str, lines: Sequence[str]) -> list[RenderableType]:
    """Return a blank line, a heading and indented lines; nothing if there are no lines."""
    if not lines:
        return []
    return [Text(), Text(heading, style="bold"), *(Padding(Text(line), (0, 0, 0, 2), expand=False) for line in lines)]


def main_assumptions_table(rows: Sequence[Mapping[str, Any]], *, of_change: bool = False) -> list[RenderableType]:
    """Return the main assumptions as a table: figure, range, effect on the answer, what narrows the range.

    Args:
        rows: `main_assumptions` of an answer.
        of_change: the effect is on a change, as a share of the value before.
    """
    if not rows:
        return []
    heading = ("change of " if of_change else "") + _metric_label(rows[0]["moves"])
    columns = (
        Column("assumption", folds=True),
        Column("value", "right"),
        Column("range", "right"),
        Column(heading, "right", folds=True),
        Column("settled by", folds=True, drop=1),
    )
    cells = [
        (
            escape(row["label"]),
            figure_text(row["name"], row["value"]),
            f"{figure_text(row['name'], row['low'])} to {figure_text(row['name'], row['high'])}",
            f"{_effect_text(row, 'at_low', of_change)} to {_effect_text(row, 'at_high', of_change)}",
            escape(row["settled_by"]),
        )
        for row in rows
    ]
    return [Text(), Text("Main assumptions", style="bold"), FittedTable(columns, cells)]


def _metric_label(metric: str) -> str:
    unit = unit_text(metric)
    name = metric.removesuffix("_tokens_per_s").removesuffix("_ratio").removesuffix("_db").replace("_", " ")
    return f"{name}, {unit}" if unit else name


def _effect_text(row: Mapping[str, Any], side: str, of_change: bool) -> str:
    value, metric = row[side], row["moves"]
    if value is None:
        return "fails"
    if not of_change:
        return metric_cell(metric, value)
    if unit_text(metric) == "dB":
        return f"{value:+.1f}".replace("-", MINUS)
    return ("+" if value > 0 else "") + percent_text(value)


def figure_text(name: str, value: float) -> str:
    """Return a figure of the catalogue with its unit: shares as per cent, bytes in MB."""
    bare_name = name.partition(" at ")[0]
    unit = unit_of(bare_name) or ""
    if bare_name.endswith("_bytes"):
        return bytes_text(value)
    if bare_name.endswith("_ratio") and 0.0 <= value < 1.0:
        return percent_text(value)
    if unit.startswith("USD"):
        return usd_text(value)
    return f"{value:.4g}" + ("" if unit in ("1", "") else f" {unit}")


def assumptions_line(data: Mapping[str, Any]) -> RenderableType:
    """Return a line with the numbers of estimates and placeholder prices of a score."""
    assumptions = data["assumptions"]
    n_prices = sum(assumption["status"] == PLACEHOLDER for assumption in assumptions)
    text = f"Uses {data['n_figures']} figures, of which {len(assumptions) - n_prices} are estimates"
    text += f" and {n_prices} are placeholder prices (--prices replaces them)" if n_prices else ""
    return Text(text + ". --json lists them with ranges and sources.", style="dim")


def warning_lines(answer: Mapping[str, Any]) -> list[RenderableType]:
    """Return a line for each broken rule and each kind of input that links leave out, from the data of an answer."""
    lines: list[RenderableType] = []
    for row in answer.get("warnings", ()):
        if not row["n_links"]:
            lines.append(Text(f"Warning: {row['where']}: {row['problem']}, {row['effect']}."))
            continue
        n_more = row["n_links"] - len(row["links"])
        links = ", ".join(row["links"]) + (f" and {n_more:,} more" if n_more else "")
        n_links = counted(row["n_links"], "link")
        lines.append(Text(f"Warning: {n_links} {row['problem']}: {row['effect']} ({links}). {row['hint']}."))
    return lines


def two_columns(heading: str, rows: Sequence[tuple[str, str]], value_heading: str = "") -> RenderableType:
    """Create a table of names and texts."""
    columns = (Column(heading, folds=True), Column(value_heading, folds=True))
    return FittedTable(columns, [(escape(name), escape(text)) for name, text in rows])
