"""Links, demands and jobs that got better or worse, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.text import Text

from ..errors.wording import counted
from .fitted_table import Column, FittedTable
from .numbers import is_share, metric_text
from .quantities import percent_text, rate_text

MAX_EFFECTS_SHOWN = 3
"""Effects of each kind and direction on one screen."""
KINDS = (("links", "link_counts", "Links"), ("demands", "demand_counts", "Demands"), ("jobs", "job_counts", "Jobs"))
STYLES = {"worse": "red", "better": "green", "neither": "dim"}
FIGURES = {
    "capacity_gbps": "capacity",
    "utilisation_ratio": "utilisation",
    "margin_db": "margin",
    "carried_ratio": "carried",
    "latency_us": "latency",
    "step_time_s": "step",
    "goodput_tokens_per_s": "goodput",
}
"""Figures by their names in a table."""
COLUMNS = (
    Column("", folds=True),
    Column("", "left"),
    Column("before", "right"),
    Column("after", "right"),
    Column("cause", folds=True),
)


def effects_tables(data: Mapping[str, Any], top: int = MAX_EFFECTS_SHOWN) -> list[RenderableType]:
    """Show `Diff.to_dict()["effects"]`: a table for each kind that has any; neither better nor worse is counted only.

    Args:
        data: the effects.
        top: most rows of each kind and direction.
    """
    parts: list[RenderableType] = []
    for kind, counts, title in KINDS:
        all_rows = [[row for row in data[kind] if row["direction"] == direction] for direction in ("worse", "better")]
        rows = [row for listed in all_rows for row in listed[:top]]
        if rows:
            heading = Text(f"{title}: {_counts_text(data[counts])}", style="bold")
            parts += [Text(), heading, FittedTable(COLUMNS, [_cells(row) for row in rows])]
        if (n_hidden := sum(map(len, all_rows)) - len(rows)) > 0:
            parts.append(Text(f"{counted(n_hidden, 'more figure')}; --top shows more of them.", style="dim"))
    return parts


def _counts_text(counts: Mapping[str, int]) -> str:
    texts = [f"{counts[f'n_{name}']:,} {name}" for name in ("worse", "better") if counts[f"n_{name}"]]
    texts += [f"{counts['n_neither']:,} with other load only"] if counts["n_neither"] else []
    return ", ".join(texts)


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    name = f"{row['id']} and {row['n'] - 1:,} alike" if row["n"] > 1 else row["id"]
    style = STYLES[row["direction"]]
    figure = FIGURES.get(row["figure"], row["figure"])
    before, after = (_value(row["figure"], row[side]) for side in ("before", "after"))
    return escape(name), f"[{style}]{escape(figure)}[/]", before, after, escape(row["cause"])


def _value(figure: str, value: float | None) -> str:
    if value is None:
        return "–"
    if figure == "capacity_gbps":
        return rate_text(value)
    return percent_text(value) if is_share(figure) else metric_text(figure, value)
