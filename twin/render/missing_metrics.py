"""Metrics without a value, grouped by the reason."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import RenderableType
from rich.markup import escape
from rich.text import Text

from .fitted_table import Column, FittedTable

COLUMNS = (Column("no value, since", folds=True), Column("metrics", folds=True))


def missing_metrics(reasons: Mapping[str, str]) -> list[RenderableType]:
    """Show one row for each reason, the most frequent first; nothing if no metric lacks a value.

    reasons: why a metric has no value, by its key.
    """
    by_reason: dict[str, list[str]] = {}
    for name, why in reasons.items():
        by_reason.setdefault(why, []).append(name)
    rows = sorted(by_reason.items(), key=lambda row: -len(row[1]))
    cells = [(escape(why or "it does not apply"), escape(", ".join(names))) for why, names in rows]
    return [Text(), FittedTable(COLUMNS, cells)] if cells else []
