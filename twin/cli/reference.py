"""Commands that list what a question may name: kinds of changes, and metrics."""

from __future__ import annotations

from typing import Annotated

import typer

from .terminal import AsJson, refuse, show_data


def changes(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="Show one: fields, selectors and an example.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the kinds of changes, or describe one with its fields and an example."""
    from ..errors import did_you_mean
    from ..render.reference_tables import change_table, changes_table
    from ..scenario.change_reference import change_row, change_rows
    from ..scenario.changes import CHANGES

    if kind is not None and kind not in CHANGES:
        refuse(f"no kind of change {kind!r}", did_you_mean(kind, CHANGES) or "`twin changes` lists them")
    if kind is not None:
        row = change_row(kind)
        show_data(row, as_json, lambda: change_table(row))
    else:
        rows = change_rows()
        show_data({"changes": rows}, as_json, lambda: changes_table(rows))


def metrics(as_json: AsJson = False) -> None:
    """List the metrics: key, unit, better direction and meaning."""
    from ..answers.metrics import metric_rows
    from ..render.reference_tables import metrics_table

    rows = metric_rows()
    show_data({"metrics": rows}, as_json, lambda: metrics_table(rows))
