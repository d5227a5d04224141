"""A what-if as text: the verdict, the metrics that change, purchases, the main assumptions, the reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from ..errors.wording import counted
from .effects_table import MAX_EFFECTS_SHOWN, effects_tables
from .fitted_table import Column, FittedTable
from .jobs_table import jobs_table
from .missing_metrics import missing_metrics
from .numbers import change_cell, metric_cell
from .preview_table import preview_lines, purchases_table
from .quantities import change_percent_text, is_noise
from .score_table import SHORT_METRICS, metric_heading
from .table_parts import answer_title, assumptions_line, main_assumptions_table, sentences, verdict, warning_lines

MAX_CHANGES_SHOWN = 6
ALWAYS_SHOWN = ("step_time_s", "goodput_tokens_per_s", "demand_satisfied_ratio", "max_link_utilisation_ratio")
"""Metrics that the short table shows also where they do not change."""
COLUMNS = (
    Column("metric", folds=True),
    Column("before", "right"),
    Column("after", "right"),
    Column("change", "right", drop=1),
    Column("", "right"),
)


def diff_table(
    data: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    all_metrics: bool = False,
    note: str = "",
    top: int = MAX_EFFECTS_SHOWN,
) -> RenderableType:
    """Show `Diff.to_dict()` on one screen.

    Args:
        data: the difference between two scores.
        after: `Diff.after.to_dict()`; its assumptions are counted.
        all_metrics: show every metric by its key, those without a value last.
        note: note of the plan.
        top: most links, demands and jobs to show of each kind and direction.
    """
    title = f"{answer_title(data)} · [bold]{escape(data['plan'] or 'changes')}[/]"
    parts: list[RenderableType] = [Text.from_markup(title), *verdict(data["summary"])]
    parts += [*([Text(), Text(f"The plan: {note}", style="italic")] if note else []), Text()]
    labels = {name: row["label"] for name, row in after["metrics"].items()}
    parts += metrics_table(data["metrics"], labels, all_metrics=all_metrics)
    parts += effects_tables(data["effects"], top)
    parts += [Text(), *preview_lines(data["preview"], MAX_CHANGES_SHOWN)]
    parts += purchases_table(data["purchases"])
    parts += jobs_table(after.get("jobs", ()))
    parts += main_assumptions_table(data["main_assumptions"], of_change=True)
    before_reasons, after_reasons = (data["bottlenecks"][side] for side in ("before", "after"))
    common = set(before_reasons) & set(after_reasons)
    for heading, lines in (
        ("Reasons before", [line for line in before_reasons if line not in common]),
        ("Reasons after", [line for line in after_reasons if line not in common]),
        ("Before and after", [line for line in after_reasons if line in common]),
    ):
        parts += sentences(heading, lines)
    return Group(*parts, Text(), *warning_lines(after), assumptions_line(after))


def metrics_table(
    metrics: Mapping[str, Mapping[str, Any]], labels: Mapping[str, str], *, all_metrics: bool = False
) -> list[RenderableType]:
    """Show metrics before and after; without `all_metrics` those of the short table that change.

    Args:
        metrics: rows of `Diff.to_dict()["metrics"]`.
        labels: label of each metric.
        all_metrics: show every metric by its key, those without a value last.
    """
    changed = [name for name in metrics if _changes(metrics[name])]
    known = [name for name, row in metrics.items() if row["before"] is not None or row["after"] is not None]
    shown = known if all_metrics else [name for name in SHORT_METRICS if _is_shown(name, metrics, changed)]
    rows = [_row(name, metrics[name], with_key=all_metrics, label=labels[name]) for name in shown]
    parts: list[RenderableType] = [FittedTable(COLUMNS, rows)] if rows else []
    if all_metrics:
        parts += missing_metrics(
            {name: metrics[name].get("why", {}).get("after", "") for name in metrics if name not in known}
        )
    else:
        n_hidden = len([name for name in changed if name not in shown])
        more = f"{counted(n_hidden, 'more metric changes', 'more metrics change')}; " if n_hidden else ""
        parts.append(Text(f"{more}--all shows every metric.", style="dim"))
    return parts


def _changes(row: Mapping[str, Any]) -> bool:
    before, after = row["before"], row["after"]
    if before is None or after is None:
        return before is not after
    return not is_noise(before, after)


def _is_shown(name: str, metrics: Mapping[str, Mapping[str, Any]], changed: Sequence[str]) -> bool:
    return name in changed or (name in ALWAYS_SHOWN and metrics[name]["after"] is not None)


def _row(name: str, row: Mapping[str, Any], *, with_key: bool, label: str) -> tuple[str, ...]:
    before, after = row["before"], row["after"]
    share = "" if before is None or after is None or is_noise(before, after) else change_percent_text(before, after)
    change = change_cell(name, before, after)
    style = ""
    if before is not None and after is not None and not is_noise(before, after):
        style = "green" if (after < before) == (row["better"] == "lower") else "red"
        style = "yellow" if row.get("caveat") else style
    change, share = (f"[{style}]{text}[/]" if style and text else text for text in (change, share))
    heading = name if with_key else metric_heading(name, label)
    return escape(heading), metric_cell(name, before), metric_cell(name, after), change, share
