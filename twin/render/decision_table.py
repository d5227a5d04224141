"""A decision as text: options with their money, bars of net dollars, and a tornado for each job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .fitted_table import Column, FittedTable
from .interval_bars import SHORT_BAR, interval_bar, span_of, tornado_bar
from .numbers import short_text
from .quantities import percent_text, usd_text
from .table_parts import answer_title, figure_text, warning_lines

N_TORNADO = 6
"""Rows of the tornado of each job in a terminal."""


def decision_table(data: Mapping[str, Any]) -> RenderableType:
    """Return a decision as a rich renderable.

    data: `DecisionReport.to_dict()`.
    """
    parts: list[RenderableType] = [Text.from_markup(_title(data)), *warning_lines(data)]
    for job in data["jobs"]:
        parts += [Text(), *(Text(line, style="bold" if i == 0 else "") for i, line in enumerate(job["summary"]))]
        parts += [Text(), _options(job), Text(), _net(job), *_tornado(job)]
    parts += [Text(), *(Text(line, style="dim") for line in data["summary"])]
    return Group(*parts)


def _title(data: Mapping[str, Any]) -> str:
    """Title with all jobs where there are several."""
    names = ", ".join(row["job"] for row in data["jobs"])
    return answer_title({**data, "job": names}).replace(
        " · job ", " · jobs " if len(data["jobs"]) > 1 else " · job ", 1
    )


def _range(amount: Mapping[str, Any]) -> str:
    if amount["p50"] is None:
        return "–"
    if amount["p10"] == amount["p90"]:
        return usd_text(amount["p50"])
    return f"{usd_text(amount['p10'])}\nto {usd_text(amount['p90'])}"


def _options(job: Mapping[str, Any]) -> RenderableType:
    columns = (
        Column("option", folds=True),
        Column("capex", "right"),
        Column("lease\nincome", "right"),
        Column("rent\nlost", "right"),
        Column("tokens/s", "right"),
        Column("net\na year", "right"),
        Column("best\nin", "right"),
    )
    rows = [
        (
            escape(row["name"]),
            _range(row["capex_usd"]),
            _range(row["lease_usd_per_year"]),
            _range(row["lost_rent_usd_per_year"]),
            _tokens(row["goodput_tokens_per_s"]),
            _range(row["net_usd_per_year"]),
            percent_text(row["best_ratio"]),
        )
        for row in job["options"]
    ]
    return FittedTable(columns, rows, f"[bold]Job {escape(job['job'])}, p10 to p90; income, rent and net a year[/]")


def _tokens(amount: Mapping[str, Any]) -> str:
    if amount["p50"] is None:
        return "–"
    return f"{short_text(amount['p10'])}\nto {short_text(amount['p90'])}"


def _net(job: Mapping[str, Any]) -> RenderableType:
    nets = [row["net_usd_per_year"] for row in job["options"]]
    span = span_of([net[key] for net in nets for key in ("p10", "p90")])
    columns = (
        Column("net = worth + income − cost", folds=True),
        Column("worth of\ntokens", "right"),
        Column("cost\na year", "right"),
        Column("net, p50", "right"),
        Column("net, p10 to p90", is_drawing=True),
    )
    rows = [
        (
            escape(row["name"]),
            _range(row["work_usd_per_year"]),
            _range(row["cost_usd_per_year"]),
            "–" if net["p50"] is None else usd_text(net["p50"]),
            "" if net["p50"] is None else interval_bar(net["p10"], net["p50"], net["p90"], span),
        )
        for row, net in zip(job["options"], nets, strict=True)
    ]
    return FittedTable(columns, rows)


def _tornado(job: Mapping[str, Any]) -> Sequence[RenderableType]:
    noise_usd, names = job["worth_noise_usd_per_year"], [row["name"] for row in job["options"]]
    rows = [row for row in job["tornado"] if row["flips"] or row["worth"] > noise_usd][:N_TORNADO]
    if not rows:
        return []
    column = names.index(job["best"])
    at_value = job["options"][column]["net_usd_per_year"]["at_value"]
    span = span_of([at_value, *(row[key][column] for row in rows for key in ("at_low", "at_high"))])
    columns = (
        Column("input, range", folds=True),
        Column("net a year", "right"),
        Column("low to high", is_drawing=True),
        Column("worth", "right"),
        Column("flips"),
        Column("settled by", folds=True),
    )
    cells = []
    for row in rows:
        low, high = row["at_low"][column], row["at_high"][column]
        is_known = None not in (low, high, at_value)
        is_noise = row["worth"] <= noise_usd
        name = row["where"].rpartition(".")[2]
        cells.append(
            (
                escape(f"{row['label']}\n{figure_text(name, row['low'])} to {figure_text(name, row['high'])}"),
                f"{usd_text(low)}\nto {usd_text(high)}" if is_known else "fails",
                tornado_bar(low, at_value, high, span, SHORT_BAR) if is_known else "",
                "noise" if is_noise else usd_text(row["worth"]),
                "yes" if row["flips"] else "",
                escape(row["settled_by"]),
            )
        )
    title = f"[bold]What moves the choice, and the net of {escape(job['best'])}[/]"
    return [Text(), FittedTable(columns, cells, title)]
