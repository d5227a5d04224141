"""Two networks side by side as text: the verdict, records, metrics that differ, what is better or worse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ..errors.wording import counted
from .diff_table import metrics_table
from .effects_table import MAX_EFFECTS_SHOWN, effects_tables
from .table_parts import verdict

MAX_RECORDS_SHOWN = 12
MAX_FIELDS_SHOWN = 4
SIGNS = {"added": "+", "removed": "−", "changed": "~", "renamed": "→"}
STYLES = {"added": "green", "removed": "red", "changed": "yellow", "renamed": "cyan"}


def network_diff_table(
    data: Mapping[str, Any],
    labels: Mapping[str, str],
    *,
    all_metrics: bool = False,
    top: int = MAX_EFFECTS_SHOWN,
) -> RenderableType:
    """Show `NetworkDiff.to_dict()`.

    Args:
        data: the differences.
        labels: label of each metric.
        all_metrics: show every metric by its key.
        top: most links, demands and jobs to show of each kind and direction.
    """
    names = data["networks"]
    title = (
        f"[bold]{escape(names['before'])}[/] → [bold]{escape(names['after'])}[/] · {escape(data['job'] or 'no job')}"
    )
    records = data["records"]
    lines: list[RenderableType] = [_line(record) for record in records[:MAX_RECORDS_SHOWN]]
    if len(records) > len(lines):
        more = counted(len(records) - len(lines), "more difference", "more differences")
        lines.append(Text(f"  {more}; --json lists all.", style="dim"))
    parts: list[RenderableType] = [Text.from_markup(title), *verdict(data["summary"])]
    if lines:
        parts += [Text(), Text("Records", style="bold"), *lines]
    parts += [Text(), *metrics_table(data["metrics"], labels, all_metrics=all_metrics)]
    return Group(*parts, *effects_tables(data["effects"], top))


def _line(record: Mapping[str, Any]) -> RenderableType:
    what, n = record["what"], record["n"]
    name = f"{record['id']} and {n - 1:,} alike" if n > 1 else record["id"]
    fields = list(record["fields"])
    more = f", {len(fields) - MAX_FIELDS_SHOWN} more" if len(fields) > MAX_FIELDS_SHOWN else ""
    text = f": {', '.join(fields[:MAX_FIELDS_SHOWN])}{more}" if fields else f" {what}"
    kind = "" if record["kind"] == record["id"] else f"{record['kind']} "
    line = Table.grid(padding=(0, 1, 0, 0))
    line.add_row(Text(f"  {SIGNS[what]}", style=STYLES[what]), Text(f"{kind}{name}{text}", style=STYLES[what]))
    return line
