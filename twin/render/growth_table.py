"""A growth report as tables: links that pass the limit, and upgrades."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .fitted_table import Column, FittedTable
from .quantities import percent_text, usd_text
from .table_parts import verdict

MAX_SHOWN = 20
MAX_LINKS_SHOWN = 2
LINKS = (
    Column("link", folds=True),
    Column("direction", folds=True),
    Column("intact\ntoday", "right", drop=1),
    Column("worst\ntoday", "right", drop=2),
    Column("passes", "right"),
    Column("after a\nfailure", "right"),
    Column("failure", folds=True),
)
UPGRADES = (
    Column("upgrade", folds=True),
    Column("members", "right", drop=3),
    Column("cost", "right"),
    Column("passes then", "right"),
    Column("years\ngained", "right", drop=2),
    Column("cost of a\nyear gained", "right"),
    Column("why", folds=True),
)


def growth_table(data: Mapping[str, Any]) -> RenderableType:
    """Show `GrowthReport.to_dict()`."""
    parts: list[RenderableType] = [Text(data["network"], style="bold"), *verdict(data["summary"])]
    if data["links"]:
        parts += [Text(), FittedTable(LINKS, [_link(row) for row in data["links"][:MAX_SHOWN]])]
    if data["upgrades"]:
        parts += [Text(), FittedTable(UPGRADES, [_upgrade(row) for row in data["upgrades"]])]
    if len(data["links"]) > MAX_SHOWN:
        parts.append(Text(f"{len(data['links']) - MAX_SHOWN:,} more links; use --json.", style="dim"))
    return Group(*parts)


def when_text(moment: Mapping[str, Any] | None) -> str:
    """Return a moment as its day, or years from today without one; `–` for none."""
    if moment is None:
        return "–"
    if moment["years"] == 0.0:
        return "already"
    return str(moment["date"]) if moment["date"] is not None else f"{moment['years']:.3g} years"


def _link(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        escape(row["id"]),
        escape(row["direction"]),
        percent_text(row["intact_utilisation_ratio"]),
        percent_text(row["worst_utilisation_ratio"]),
        when_text(row["intact_passes"]),
        when_text(row["worst_passes"]),
        escape(row["cause"] or "none is worse"),
    )


def _upgrade(row: Mapping[str, Any]) -> tuple[str, ...]:
    is_built = row["gained_years"] is not None
    return (
        escape(_links_text(row["links"])),
        ", ".join(map(str, sorted(set(row["n_parallel"])))),
        "–" if row["capex_usd"] is None else usd_text(row["capex_usd"]),
        when_text(row["passes"]) if row["passes"] is not None or not is_built else "not in time",
        f"{row['gained_years']:.2f}" if is_built else "–",
        "–" if row["usd_per_year"] is None else usd_text(row["usd_per_year"]),
        escape(row["why"] or ""),
    )


def _links_text(links: Sequence[str]) -> str:
    """Return links of an upgrade; of many their number and the first ones."""
    shown = ", ".join(links[:MAX_LINKS_SHOWN] if len(links) > MAX_LINKS_SHOWN + 1 else links)
    return shown if len(links) <= MAX_LINKS_SHOWN + 1 else f"{len(links)} links: {shown}, …"
