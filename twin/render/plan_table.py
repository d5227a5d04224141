"""The answer of the planner as text: verdict, changes, members, Pareto front, others, conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .fitted_table import Column, FittedTable
from .numbers import metric_cell, metric_text, unit_text
from .quantities import usd_text
from .table_parts import answer_title, verdict, warning_lines

UNKNOWN = "–"
NOTHING = "do nothing"
MAX_SHOWN = 20
LESS_PROMISING = "less promising than others; beside the plan: "
"""Start of the reason of a candidate whose sets a search did not look at."""
NOT_ON_FRONT = "The plan is not on it: within 0.1 % of the same goal, it costs less with running cost and rent."


def plan_table(data: Mapping[str, Any]) -> RenderableType:
    """Show `PlanReport.to_dict()`."""
    goal = data["goal"]
    parts: list[RenderableType] = [Text.from_markup(answer_title(data)), *verdict(data["summary"])]
    if data["members"]:
        parts += [Text(), Text("What each member adds", style="bold"), _members(data["members"], goal)]
    heading = "Money against goal" + ("" if data["method"]["is_exact"] else ", of the sets that were looked at")
    parts += [Text(), Text(heading, style="bold"), _options(data["pareto"], goal)]
    if not _is_on_front(data):
        parts.append(Text(NOT_ON_FRONT, style="dim"))
    if data["alternatives"]:
        parts += [Text(), Text("Others within 5 %", style="bold"), _options(data["alternatives"], goal)]
    if data["keeps"]:
        parts += [Text(), Text("Conditions", style="bold"), _conditions(data["keeps"])]
    parts += _left_out(data["left_out"])
    parts += [Text(), Text(data["method"]["sentence"], style="dim"), *warning_lines(data)]
    return Group(*parts)


def _heading(goal: str) -> str:
    unit = unit_text(goal)
    return f"{goal}, {unit}" if unit and not goal.endswith(f"_{unit}") else goal


def _members(rows: Sequence[Mapping[str, Any]], goal: str) -> RenderableType:
    columns = (
        Column("candidate", folds=True),
        Column("cost", "right"),
        Column(f"{_heading(goal)}\nwithout it", "right"),
        Column("why", folds=True, drop=1),
    )
    cells = [
        (
            escape(row["candidate"]),
            _usd(row["capex_usd"]),
            metric_cell(goal, row["goal_without"]),
            escape(row.get("why") or row["note"]),
        )
        for row in rows
    ]
    return FittedTable(columns, cells)


def _options(rows: Sequence[Mapping[str, Any]], goal: str) -> RenderableType:
    columns = (
        Column("cost", "right"),
        Column("more\na year", "right", drop=1),
        Column(_heading(goal), "right"),
        Column("candidates", folds=True),
    )
    cells = [
        (
            _usd(row["capex_usd"]),
            _usd(row["opex_change_usd_per_year"]),
            metric_cell(goal, row["goal"]),
            escape("; ".join(row["candidates"]) or NOTHING),
        )
        for row in rows[:MAX_SHOWN]
    ]
    return FittedTable(columns, cells)


def _conditions(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    columns = (Column("condition", folds=True), Column("today", "right"), Column("with the plan", "right"))
    cells = [
        (
            f"{row['metric']} {row['sense']} {metric_text(row['metric'], row['value'])}",
            metric_cell(row["metric"], row["today"]),
            metric_cell(row["metric"], row["with_plan"]),
        )
        for row in rows
    ]
    return FittedTable(columns, cells)


def _is_on_front(data: Mapping[str, Any]) -> bool:
    plan = data["plan"]
    if plan is None or data["aim"] != "goal":
        return True
    return not plan["candidates"] or any(row["candidates"] == plan["candidates"] for row in data["pareto"])


def _left_out(rows: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    """Candidates that the search left out, by reason: those that are less promising, then all others."""
    reasons: dict[str, dict[str, list[str]]] = {LESS_PROMISING: {}, "": {}}
    for row in rows:
        kind = LESS_PROMISING if row["why"].startswith(LESS_PROMISING) else ""
        reasons[kind].setdefault(row["why"].removeprefix(kind), []).append(row["id"])
    parts: list[RenderableType] = []
    for kind, heading, column in (
        (LESS_PROMISING, "Left out, less promising than others", "beside the plan"),
        ("", "Left out", "why"),
    ):
        if reasons[kind]:
            columns = (Column(column, folds=True), Column("candidates", folds=True))
            cells = [(escape(_short(why)), escape("; ".join(ids))) for why, ids in reasons[kind].items()]
            parts += [Text(), Text(heading, style="bold"), FittedTable(columns, cells)]
    return parts


def _short(why: str) -> str:
    """The first fault of several, and how many more there are."""
    first, *others = why.split("; ")
    return f"{first}; {len(others)} more in --json" if others else why


def _usd(value: float | None) -> str:
    return UNKNOWN if value is None else usd_text(value)
