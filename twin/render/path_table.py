"""A path report as text: the verdict, the hops by position, the paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .fitted_table import Column, FittedTable
from .numbers import cell_text
from .quantities import percent_text
from .table_parts import sentences, verdict, warning_lines

MAX_HOPS_SHOWN = 40
"""Hops shown, the nearest to the source first."""
MAX_PATHS_SHOWN = 4
"""Paths shown, those with the largest shares first."""
MAX_SEPARATORS_SHOWN = 16
HOP_COLUMNS = (
    Column("hop", "right"),
    Column("to", folds=True),
    Column("share", "right"),
    Column("link", folds=True, drop=1),
    Column("capacity\nGb/s", "right", drop=2),
    Column("used", "right"),
    Column("latency\nµs", "right", drop=3),
)
PATH_COLUMNS = (
    Column("share", "right"),
    Column("round\ntrip µs", "right"),
    Column("path", folds=True),
)


def path_table(data: Mapping[str, Any]) -> RenderableType:
    """Show `PathReport.to_dict()`."""
    title = f"{data['network']} · {data['source']} → {data['target']}"
    parts: list[RenderableType] = [Text(title, style="bold"), *verdict(data["summary"])]
    hops, paths = data["hops"], data["paths"]
    if hops:
        parts += [Text(), FittedTable(HOP_COLUMNS, [_hop_row(hop) for hop in hops[:MAX_HOPS_SHOWN]])]
    if len(hops) > MAX_HOPS_SHOWN:
        parts.append(Text(f"{len(hops) - MAX_HOPS_SHOWN:,} more hops; use --json.", style="dim"))
    if paths:
        parts += [Text(), FittedTable(PATH_COLUMNS, [_path_row(path) for path in paths[:MAX_PATHS_SHOWN]])]
    if len(paths) > MAX_PATHS_SHOWN:
        parts.append(Text(f"{len(paths) - MAX_PATHS_SHOWN:,} more paths; use --json.", style="dim"))
    separators = [f"{row['kind']} {row['id']}: {row['why']}" for row in data["separated_by"]]
    n_more = len(separators) - MAX_SEPARATORS_SHOWN
    more = [f"{n_more:,} more; use --json."] if n_more > 0 else []
    parts += sentences("Separated by", [*separators[:MAX_SEPARATORS_SHOWN], *more])
    return Group(*parts, *warning_lines(data))


def _hop_row(hop: Mapping[str, Any]) -> tuple[str, ...]:
    used = hop["utilisation_ratio"]
    return (
        str(hop["position"]),
        escape(hop["target"]),
        percent_text(hop["share_ratio"]),
        escape(hop["link"]),
        cell_text(hop["capacity_gbps"]),
        "–" if used is None else percent_text(used),
        cell_text(hop["latency_us"]),
    )


def _path_row(path: Mapping[str, Any]) -> tuple[str, ...]:
    return percent_text(path["share_ratio"]), cell_text(path["rtt_us"]), escape(" → ".join(path["nodes"]))
