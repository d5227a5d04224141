"""Availability as tables: demands, pairs of sites, jobs, and the likeliest failures that lose traffic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .fitted_table import Column, FittedTable
from .quantities import frequency_text, percent_text
from .table_parts import sentences, verdict

MAX_SHOWN = 20
"""Rows shown of each table."""
IN_SAMPLES = "in random\nstates"
FIGURES = (
    Column("connected", "right"),
    Column(IN_SAMPLES, "right", drop=1),
    Column("down\nmin a year", "right"),
    Column("carried\nin full", "right"),
    Column(IN_SAMPLES, "right", drop=1),
    Column("not in full\nmin a year", "right"),
)
JOB_FIGURES = (
    *FIGURES[:3],
    Column("goes on", "right"),
    Column(IN_SAMPLES, "right", drop=1),
    Column("stops\nmin a year", "right"),
)
"""Columns of availability: the probable states, the share in random states of the same figure, and time lost."""


def availability_table(data: Mapping[str, Any]) -> RenderableType:
    """Show `AvailabilityReport.to_dict()`."""
    parts: list[RenderableType] = [Text(data["network"], style="bold"), *verdict(data["summary"])]
    tables: tuple[tuple[str, Sequence[Mapping[str, Any]], Any], ...] = (
        ("demand", data["demands"], lambda row: row["id"]),
        ("sites", data["site_pairs"], lambda row: " – ".join(row["sites"])),
        ("job", data["jobs"], lambda row: row["id"]),
    )
    for heading, rows, name in tables:
        if rows:
            cells = [(escape(name(row)), *_figures(row)) for row in rows[:MAX_SHOWN]]
            figures = JOB_FIGURES if heading == "job" else FIGURES
            parts += [Text(), FittedTable((Column(heading, folds=True), *figures), cells)]
    if data["failures"]:
        columns = (
            Column("down at a time", folds=True),
            Column("lost", "right"),
            Column("share of time", "right"),
            Column("how often", folds=True),
        )
        parts += [Text(), FittedTable(columns, [_failure(row) for row in data["failures"][:MAX_SHOWN]])]
    if max(data["n_demands"], data["n_site_pairs"], data["n_failures"]) > MAX_SHOWN:
        parts.append(Text("More rows: --json.", style="dim"))
    parts += sentences("Assumptions", data["assumptions"])
    return Group(*parts)


def _figures(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (*_cells(row["connected"]), *_cells(row["goes_on"] if "goes_on" in row else row["carried"]))


def _cells(found: Mapping[str, Any] | None) -> tuple[str, str, str]:
    if found is None:
        return "–", "–", "–"
    sampled = found["sampled_ratio"]
    least, most = (_minutes(found[f"{end}_down_minutes_per_year"]) for end in ("least", "most"))
    minutes = least if least == most else f"{least} to {most}"
    return percent_text(found["least_ratio"]), "–" if sampled is None else percent_text(sampled), minutes


def _minutes(minutes: float) -> str:
    return f"{minutes:,.0f}" if minutes >= 100.0 else f"{minutes:.3g}"


def down_text(name: str, kind: str, n_members_down: int | None) -> str:
    """Return an element that is down in words; the fibre and the amplifiers of a cable are two elements."""
    part = {"cable": "fibre", "amplifiers": "amplifiers"}.get(kind) if n_members_down is None else n_members_down
    return name if part is None else f"{part} of {name}"


def _failure(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        escape(", ".join(down_text(each["id"], each["kind"], each.get("n_members_down")) for each in row["down"])),
        percent_text(row["lost_ratio"]),
        f"{row['probability_ratio']:.2g}",
        frequency_text(row["n_per_year"]),
    )
