"""An explanation as tables: the parts of a step, the causes, and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .explanation_rows import CAUSE_COLUMNS, PHASES_NOTE, cause_rows, step_parts
from .numbers import number_text
from .table_parts import answer_title, bare_table, two_columns

SHARE_NOTE = "Share: Shapley value over all orders of removal; alone, last: removed first, or after all others."


def explanation_table(data: Mapping[str, Any]) -> RenderableType:
    """Show `Explanation.to_dict()`."""
    plan = f" · after [bold]{escape(data['plan'])}[/]" if data["plan"] else ""
    parts: list[RenderableType] = [Text.from_markup(answer_title(data) + plan), Text()]
    parts += [two_columns("a step", _step_rows(data)), Text(PHASES_NOTE, style="dim"), Text()]
    table = bare_table()
    for heading in CAUSE_COLUMNS:
        table.add_column(heading, justify="left" if heading == "cause" else "right")
    for row in cause_rows(data):
        table.add_row(*row)
    parts += [table, Text(), *(Text(line) for line in data["summary"])]
    return Group(*parts, Text(SHARE_NOTE, style="dim"))


def _step_rows(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    step = [*step_parts(data), ("step", data["step_time_s"]), ("with nothing in the way", data["ideal_step_time_s"])]
    ratios = (("waiting for the slowest", "straggler_ratio"), ("goodput", "goodput_ratio"))
    rows = [(name, number_text(seconds, "s")) for name, seconds in step]
    return [*rows, *((name, number_text(data[ratio], "1")) for name, ratio in ratios)]
