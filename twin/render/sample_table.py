"""A study of samples as text: intervals of each plan, a tornado, and the inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .fitted_table import Column, FittedTable, two_lines
from .interval_bars import SHORT_BAR, interval_bar, span_of, tornado_bar
from .numbers import metric_cell
from .quantities import percent_text
from .table_parts import answer_title, figure_text, verdict, warning_lines

AS_IT_IS = "as it is"
N_TORNADO = 10
"""Rows of the tornado in a terminal."""
SHORT = (
    "step_time_s",
    "goodput_tokens_per_s",
    "max_link_utilisation_ratio",
    "demand_satisfied_ratio",
    "min_coherent_margin_db",
    "n_links_below_margin",
    "capex_usd",
    "opex_usd_per_year",
    "usd_per_effective_pflop_day",
)
"""Metrics of the short table, beside that of the decision."""


def sample_table(data: Mapping[str, Any], *, all_metrics: bool = False) -> RenderableType:
    """Return a study of samples as a rich renderable.

    Args:
        data: `SampleReport.to_dict()`.
        all_metrics: every metric, not the short table.
    """
    return Group(
        Text.from_markup(answer_title(data)),
        *warning_lines(data),
        *verdict(data["summary"]),
        Text(),
        _decision(data),
        Text(),
        _intervals(data, all_metrics),
        *_tornado(data),
        *_inputs_line(data),
    )


def plan_name(plan: str | None) -> str:
    """Return the name of a plan in a table."""
    return AS_IT_IS if plan is None else plan


def _decision(data: Mapping[str, Any]) -> RenderableType:
    """Intervals of the metric of the decision, with bars on one axis."""
    metric = data["metric"]
    columns = (
        Column(metric, folds=True),
        Column("p10", "right"),
        Column("p50", "right"),
        Column("p90", "right"),
        Column("p10 to p90", is_drawing=True),
        Column("best", "right", drop=1),
    )
    rows = [(plan, plan["metrics"][metric]) for plan in data["plans"]]
    span = span_of([row[key] for _, row in rows for key in ("p10", "p90")])
    cells = [
        (
            escape(plan_name(plan["plan"])),
            *(metric_cell(metric, row[key]) for key in ("p10", "p50", "p90")),
            "" if row["p50"] is None else interval_bar(row["p10"], row["p50"], row["p90"], span),
            percent_text(plan["best_ratio"]) if len(rows) > 1 else "",
        )
        for plan, row in rows
    ]
    later = f", {data['years']:g} years later" if data["years"] else ""
    return FittedTable(columns, cells, f"[bold]{data['n_samples']:,} samples[/], seed {data['seed']}{later}")


def _intervals(data: Mapping[str, Any], all_metrics: bool) -> RenderableType:
    names = list(data["plans"][0]["metrics"]) if all_metrics else SHORT
    columns = (
        Column("metric, plan"),
        Column("p10", "right"),
        Column("p50", "right"),
        Column("p90", "right"),
        Column("at values", "right", drop=1),
        Column("better", "right"),
        Column("no value", "right", drop=2),
    )
    rows = []
    for name in names:
        intervals = [(plan["plan"], plan["metrics"][name]) for plan in data["plans"] if name in plan["metrics"]]
        known = [(plan, row) for plan, row in intervals if row["p50"] is not None]
        rows += [(name, *[""] * (len(columns) - 1))] if known else []
        for plan, row in known:
            rows.append(
                (
                    f"  {escape(plan_name(plan))}",
                    *(metric_cell(name, row[key]) for key in ("p10", "p50", "p90")),
                    metric_cell(name, row["at_value"]),
                    "" if row.get("beats_ratio") is None else percent_text(row["beats_ratio"]),
                    f"{row['n_null']:,}" if row.get("n_null") else "",
                )
            )
    shown = [i for i, column in enumerate(columns) if not column.drop or any(row[i] for row in rows)]
    return FittedTable([columns[i] for i in shown], [[row[i] for i in shown] for row in rows])


def _tornado(data: Mapping[str, Any]) -> Sequence[RenderableType]:
    metric, plans = data["metric"], data["plans"]
    n_plans, names = len(plans), [plan["plan"] for plan in plans]
    column = names.index(data["best"])
    rows = [row for row in data["tornado"] if _moves(row, column, data["worth_noise"])][:N_TORNADO]
    if not rows:
        return []
    at_value = plans[column]["metrics"][metric]["at_value"]
    span = span_of([at_value, *(row[key][column] for row in rows for key in ("at_low", "at_high"))])
    columns = [
        Column("input, range", folds=True),
        Column(f"{two_lines(metric)}\nof {plan_name(data['best'])}", "right", folds=True),
        Column("low to high", is_drawing=True),
    ]
    if n_plans > 1:
        columns += [Column("worth", "right"), Column("flips", drop=1)]
    columns.append(Column("settled by", folds=True))
    cells = []
    for row in rows:
        low, high = row["at_low"][column], row["at_high"][column]
        bar = "" if None in (low, high, at_value) else tornado_bar(low, at_value, high, span, SHORT_BAR)
        ends = f"{metric_cell(metric, low)}\nto {metric_cell(metric, high)}"
        name = row["where"].rpartition(".")[2]
        ends_of_input = f"{figure_text(name, row['low'])} to {figure_text(name, row['high'])}"
        cell = [escape(f"{row['label']}\n{ends_of_input}"), ends, bar]
        if n_plans > 1:
            is_noise = row["worth"] <= data["worth_noise"]
            cell += ["noise" if is_noise else metric_cell(metric, row["worth"]), "yes" if row["flips"] else ""]
        cells.append([*cell, escape(row["settled_by"])])
    order = "what moves the decision most comes first" if n_plans > 1 else "what moves it most comes first"
    note = Text(f"░ to the low end, █ to the high end of an input; {order}.", style="dim")
    return [Text(), FittedTable(columns, cells, "[bold]Tornado[/]"), note]


def _moves(row: Mapping[str, Any], column: int, noise: float) -> bool:
    """Return whether an input moves the plan of a column or the choice, or makes the plan fail."""
    ends = row["at_low"][column], row["at_high"][column]
    return bool(row["flips"] or row["worth"] > noise or None in ends or ends[0] != ends[1])


def _inputs_line(data: Mapping[str, Any]) -> Sequence[RenderableType]:
    inputs = data["inputs"]
    by_kind: dict[str, int] = {}
    for row in inputs:
        by_kind[row["distribution"]] = by_kind.get(row["distribution"], 0) + 1
    kinds = ", ".join(f"{n} {name}" for name, n in sorted(by_kind.items()))
    text = f"{len(inputs):,} inputs were sampled, independently of each other ({kinds or 'none has a range'})."
    return [Text(), Text(text + " --json lists them with their ranges.", style="dim")]
