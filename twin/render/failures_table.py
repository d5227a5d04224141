"""Failures as tables: what each loses, and the fullest links."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .fitted_table import Column, FittedTable
from .numbers import cell_text, seconds_text
from .quantities import change_percent_text, frequency_text, hours_text, percent_text
from .table_parts import verdict

MAX_SHOWN = 20
"""Rows shown of failures and of links."""
FAILURES = (
    Column("failure", folds=True),
    Column("no path\nGb/s", "right"),
    Column("pairs of\nnodes", "right", drop=5),
    Column("not carried\nGb/s", "right"),
    Column("sites cut off", folds=True, drop=3),
    Column("fullest link", folds=True),
    Column("use", "right"),
    Column("how often", folds=True, drop=2),
    Column("repair", "right", drop=4),
)
OUTCOMES = (
    Column("failures", "right"),
    Column("first of them", folds=True),
    Column("step", "right"),
    Column("change", "right"),
    Column("how often", folds=True, drop=6),
    Column("cards\nlost", "right", drop=2),
    Column("accelerators\nidle", "right", drop=3),
    Column("accelerators\nlost", "right", drop=4),
    Column("replicas\nleft", "right", drop=1),
)
LINKS = (
    Column("link", folds=True),
    Column("direction", folds=True),
    Column("intact", "right"),
    Column("worst", "right"),
    Column("after", folds=True),
    Column("headroom\nGb/s", "right", drop=2),
    Column("how often", drop=3),
)


def failures_table(data: Mapping[str, Any]) -> RenderableType:
    """Show `FailureReport.shown()`."""
    parts: list[RenderableType] = [Text(data["network"], style="bold"), *verdict(data["summary"])]
    n_rows = 0
    if data["job"] is not None:
        rows = [_outcome(row, data["step_time_s"]) for row in data["job_outcomes"][:MAX_SHOWN]]
        parts += [Text(), FittedTable(OUTCOMES, rows)]
        n_rows = len(data["job_outcomes"])
    if data["links"]:
        parts += [Text(), FittedTable(FAILURES, [_failure(row) for row in data["failures"][:MAX_SHOWN]])]
        parts += [Text(), FittedTable(LINKS, [_link(row) for row in data["links"][:MAX_SHOWN]])]
        n_rows = max(n_rows, data["n_failures"], data["n_links"])
    if n_rows > MAX_SHOWN:
        parts.append(Text("More rows: --json.", style="dim"))
    return Group(*parts)


def _outcome(row: Mapping[str, Any], intact_s: float) -> tuple[str, ...]:
    job = row["job"]
    step_s = job["step_time_s"]
    counts = (job[name] for name in ("n_cards_lost", "n_accelerators_idled", "n_accelerators_lost", "n_replicas"))
    return (
        f"{row['n_failures']:,}",
        escape(row["first"]),
        "stops" if step_s is None else seconds_text(step_s),
        "" if step_s is None else change_percent_text(intact_s, step_s),
        "" if row["n_failures_per_year"] is None else frequency_text(row["n_failures_per_year"]),
        *("–" if n is None else f"{n:,}" for n in counts),
    )


def _failure(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        escape(row["id"]),
        cell_text(row["lost_gbps"]),
        f"{row['n_demand_pairs_lost']:,}",
        cell_text(row["not_carried_gbps"]),
        escape(", ".join(row["sites_cut_off"] or ())),
        escape(row["worst_link"] or ""),
        _ratio(row["worst_utilisation_ratio"]),
        _often(row["n_failures_per_year"]),
        "–" if row["repair_h"] is None else hours_text(row["repair_h"]),
    )


def _link(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        escape(row["id"]),
        escape(row["direction"]),
        _ratio(row["intact_utilisation_ratio"]),
        _ratio(row["worst_utilisation_ratio"]),
        escape(row["cause"] or ""),
        cell_text(row["headroom_gbps"]),
        _often(row["n_worst_cases_per_year"]),
    )


def _ratio(value: float | None) -> str:
    return "–" if value is None else percent_text(value)


def _often(n_per_year: float | None) -> str:
    return "–" if n_per_year is None else frequency_text(n_per_year)
