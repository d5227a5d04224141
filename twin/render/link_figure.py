"""One link: link budget as two waterfalls (power and signal-to-noise ratio), modes, latency."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from .canvas import BLUE, GREEN, GREY, RED, draw_empty_panel, label_text, new_figure, set_title, with_style

LIGHT_BLUE = "#a9bccf"
LATENCY_LABELS = {
    "propagation_us": "fibre",
    "fec_us": "FEC",
    "regeneration_us": "regeneration",
    "macsec_us": "encryption",
    "switching_us": "switch",
    "store_and_forward_us": "store and forward",
    "queueing_us": "queue",
}
MAX_CHARACTERS = 26
"""Length of a line in a label beside an axis."""
MIN_ROWS = 4
"""Least bars that a panel has space for, so that a single bar is not as high as the panel."""


@with_style
def link_figure(data: Mapping[str, Any]) -> Any:
    """Draw `LinkReport.to_dict()`: link budget of the worst optical path, modes, latency in one direction."""
    figure, axes = new_figure(2, 2, 10.0, 6.8)
    lines = [line for line in data["budget"] if line["steps"]]
    worst = min(lines, key=lambda line: line["steps"][-1]["level_db"], default=None)
    steps = worst["steps"] if worst else []
    _waterfall(axes[0][0], steps, "level_dbm", "power per channel, dBm")
    _waterfall(axes[0][1], steps, "level_db", "what is left for the receiver, dB")
    _modes(axes[1][0], data["modes"])
    _latency(axes[1][1], data["directions"])
    ends = " – ".join(label_text(end, 40) for end in data["ends"])
    subtitle = f"{ends}, {data['n_members']} x {label_text(data['transceiver'] or 'no part')}"
    subtitle += f", as of {data['as_of']}" if data["as_of"] else ""
    subtitle += f"; budget of the {worst['line']}: the worst of {len(lines)} lines" if worst and len(lines) > 1 else ""
    set_title(figure, f"{label_text(data['id'], 80)}\n{subtitle}")
    return figure


def _waterfall(axis: Any, all_steps: Sequence[Mapping[str, Any]], field: str, label: str) -> None:
    steps = [step for step in all_steps if step[field] is not None]
    axis.set_title(label)
    if not steps:
        draw_empty_panel(axis, "no optical budget")
        return
    levels = [0.0, *(step[field] for step in steps)]
    top, floor = max(levels), min(levels)
    if floor < 0.0:
        floor -= 0.08 * (top - floor)
    axis.axvline(0.0, color=GREY, linewidth=1.0)
    for row, step in enumerate(steps):
        change, level = step["change_db"], step[field]
        if change is None:
            colour = BLUE
            if row == len(steps) - 1 and field == "level_db":
                colour = GREEN if level >= 0 and step["step"] == "margin" else RED
            _bar(axis, row, floor, level, colour)
        else:
            _bar(axis, row, level - change, level, RED if change < 0 else GREEN)
        text = f"{level:.1f}" if change is None else f"{change:+.1f}" if abs(change) >= 0.1 else f"{change:+.2f}"
        _annotate(axis, text, max(level, level - (change or 0.0)), row)
    _label_rows(axis, [step["step"] for step in steps])
    axis.set_xlim(floor, top + 0.16 * ((top - floor) or 1.0))


def _bar(axis: Any, row: float, start: float, end: float, colour: str, height: float = 0.62, label: str = "") -> None:
    """Draw a bar from one value to another; its edge stays visible where the bar is too thin."""
    style = {"color": colour, "edgecolor": colour, "linewidth": 0.8}
    axis.barh(row, end - start, left=start, height=height, label=label, **style)


def _label_rows(axis: Any, names: Sequence[str], more_rows: float = 0.0) -> None:
    axis.set_yticks(range(len(names)), [textwrap.fill(name, MAX_CHARACTERS) for name in names])
    axis.set_ylim(max(len(names) + more_rows, MIN_ROWS) - 0.4, -0.6)
    axis.grid(visible=False, axis="y")


def _annotate(axis: Any, text: str, x: float, y: float, size: float = 9.0) -> None:
    background = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    text = text.replace("-", "−")
    axis.annotate(text, (x, y), (4, 0), textcoords="offset points", va="center", fontsize=size, bbox=background)


def _modes(axis: Any, modes: Sequence[Mapping[str, Any]]) -> None:
    axis.set_title("margin of each mode, dB")
    if not modes:
        draw_empty_panel(axis, "one rate, no modes")
        return
    axis.axvline(0.0, color=GREY, linewidth=1.0)
    for row, mode in enumerate(modes):
        margin = mode["margin_db"]
        if margin is not None:
            _bar(axis, row, 0.0, margin, BLUE if mode["in_use"] else LIGHT_BLUE if margin >= 0 else RED)
        _annotate(axis, "out of reach" if margin is None else f"{margin:.1f}", max(margin or 0.0, 0.0), row)
    _label_rows(axis, [_mode_name(mode) for mode in modes])
    margins = [0.0, *(mode["margin_db"] for mode in modes if mode["margin_db"] is not None)]
    low, high = min(margins), max(margins)
    margin_range_db = (high - low) or 1.0
    axis.set_xlim(low - (0.05 * margin_range_db if low < 0 else 0.0), high + 0.16 * margin_range_db)


def _mode_name(mode: Mapping[str, Any]) -> str:
    return f"{mode['rate_gbps']:g}G {mode['modulation']}" + (" (in use)" if mode["in_use"] else "")


def _latency(axis: Any, directions: Sequence[Mapping[str, Any]]) -> None:
    axis.set_title("latency one way, µs")
    parts = [name for name in LATENCY_LABELS if any(side[name] for side in directions)]
    if not parts:
        draw_empty_panel(axis, "no latency")
        return
    for row, name in enumerate(parts):
        for index, side in enumerate(directions):
            position, latency_us = row + (index - 0.5) * 0.34, side[name] or 0.0
            # the leading space keeps a name with an underscore in the legend
            direction = " → ".join(label_text(end, MAX_CHARACTERS) for end in side["direction"].split(" → "))
            label = f" {direction}" if row == 0 else ""
            _bar(axis, position, 0.0, latency_us, (BLUE, LIGHT_BLUE)[index], height=0.3, label=label)
            text = f"{latency_us:,.0f}" if latency_us >= 1000.0 else f"{latency_us:.3g}"
            _annotate(axis, text, latency_us, position, size=7.5)
    _label_rows(axis, [LATENCY_LABELS[name] for name in parts], more_rows=1.0)
    axis.set_xlim(0.0, 1.18 * max(side[name] or 0.0 for name in parts for side in directions))
    axis.legend(loc="lower right", fontsize=7.5)
