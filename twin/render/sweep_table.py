"""A sweep as a table: a metric over its inputs, and sentences about knees and crossings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .numbers import cell_text, number_text
from .table_parts import answer_title, bare_table

MAX_POINTS_SHOWN = 60


def sweep_table(data: Mapping[str, Any]) -> RenderableType:
    """Show `Sweep.to_dict()`."""
    table = bare_table()
    for axis in data["axes"]:
        table.add_column(axis["path"])
    table.add_column(data["metric"], justify="right")
    points = product(*(axis["values"] for axis in data["axes"]))
    rows = list(zip(points, data["values"], data["why"], strict=True))
    for point, value, why in rows[:MAX_POINTS_SHOWN]:
        text = why if value is None else number_text(value, data["unit"])
        table.add_row(*(escape(cell_text(value)) for value in point), text)
    parts: list[RenderableType] = [Text.from_markup(answer_title(data)), table]
    if len(rows) > MAX_POINTS_SHOWN:
        parts.append(Text(f"… and {len(rows) - MAX_POINTS_SHOWN} more points; --csv or --json has all"))
    return Group(*parts, *(Text(line) for line in _sentences(data)))


def _sentences(data: Mapping[str, Any]) -> Iterator[str]:
    for knee in data["knees"]:
        yield f"Bends most at {_point_text(data, knee)}."
    if data["against_value"] is not None:
        yield f"{data['against']} has {number_text(data['against_value'], data['unit'])}."
        for crossing in data["crossings"]:
            yield f"Crossed at {_point_text(data, crossing)}."
        if not data["crossings"]:
            yield "It is crossed nowhere in this range."


def _point_text(data: Mapping[str, Any], point: Sequence[float | str]) -> str:
    inputs = zip(data["axes"], point, strict=True)
    return ", ".join(f"{axis['path']} = {escape(cell_text(value))}" for axis, value in inputs)
