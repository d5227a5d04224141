"""One link: its budget as two waterfalls (power, then signal to noise), its modes, its latency."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from .canvas import CENTRAL, GREY, HARSH, KIND, drawn, headline, leave_empty, sheet, shown

FAINT = "#a9bccf"
LATENCY = {
    "propagation_us": "fibre",
    "fec_us": "FEC",
    "regeneration_us": "regeneration",
    "macsec_us": "encryption",
    "switching_us": "switch",
    "store_and_forward_us": "store and forward",
    "queueing_us": "queue",
}
MAX_LETTERS = 26
"""Of a label beside an axis, in a line."""
N_ROWS = 4
"""Bars that a panel has room for at least: a single one is no wall."""


@drawn
def link_figure(data: Mapping[str, Any]) -> Any:
    """Draw `LinkReport.to_dict()`: budget of the line with the least margin, modes, latency one way."""
    figure, axes = sheet(2, 2, 10.0, 6.8)
    lines = [line for line in data["budget"] if line["steps"]]
    worst = min(lines, key=lambda line: line["steps"][-1]["level_db"], default=None)
    steps = worst["steps"] if worst else []
    _waterfall(axes[0][0], steps, "level_dbm", "power per channel, dBm")
    _waterfall(axes[0][1], steps, "level_db", "what is left for the receiver, dB")
    _modes(axes[1][0], data["modes"])
    _latency(axes[1][1], data["directions"])
    ends = " – ".join(shown(end, 40) for end in data["ends"])
    told = f"{ends}, {data['n_members']} x {shown(data['transceiver'] or 'no part')}"
    told += f", as of {data['as_of']}" if data["as_of"] else ""
    told += f"; budget of the {worst['line']}: the worst of {len(lines)} lines" if worst and len(lines) > 1 else ""
    headline(figure, f"{shown(data['id'], 80)}\n{told}")
    return figure


def _waterfall(axis: Any, every: Sequence[Mapping[str, Any]], name: str, label: str) -> None:
    steps = [step for step in every if step[name] is not None]
    axis.set_title(label)
    if not steps:
        leave_empty(axis, "no optical budget")
        return
    levels = [0.0, *(step[name] for step in steps)]
    top, floor = max(levels), min(levels)
    if floor < 0.0:
        floor -= 0.08 * (top - floor)
    axis.axvline(0.0, color=GREY, linewidth=1.0)
    for row, step in enumerate(steps):
        change, level = step["change_db"], step[name]
        if change is None:
            colour = CENTRAL
            if row == len(steps) - 1 and name == "level_db":
                colour = KIND if level >= 0 and step["step"] == "margin" else HARSH
            _bar(axis, row, floor, level, colour)
        else:
            _bar(axis, row, level - change, level, HARSH if change < 0 else KIND)
        text = f"{level:.1f}" if change is None else f"{change:+.1f}" if abs(change) >= 0.1 else f"{change:+.2f}"
        _say(axis, text, max(level, level - (change or 0.0)), row)
    _label_rows(axis, [step["step"] for step in steps])
    axis.set_xlim(floor, top + 0.16 * ((top - floor) or 1.0))


def _bar(axis: Any, row: float, begin: float, end: float, colour: str, height: float = 0.62, label: str = "") -> None:
    """From one value to another; what is too small to be seen is still a stroke."""
    look = {"color": colour, "edgecolor": colour, "linewidth": 0.8}
    axis.barh(row, end - begin, left=begin, height=height, label=label, **look)


def _label_rows(axis: Any, names: Sequence[str], more_rows: float = 0.0) -> None:
    axis.set_yticks(range(len(names)), [textwrap.fill(name, MAX_LETTERS) for name in names])
    axis.set_ylim(max(len(names) + more_rows, N_ROWS) - 0.4, -0.6)
    axis.grid(visible=False, axis="y")


def _say(axis: Any, text: str, x: float, y: float, size: float = 9.0) -> None:
    behind = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    text = text.replace("-", "−")
    axis.annotate(text, (x, y), (4, 0), textcoords="offset points", va="center", fontsize=size, bbox=behind)


def _modes(axis: Any, modes: Sequence[Mapping[str, Any]]) -> None:
    axis.set_title("margin of each mode, dB")
    if not modes:
        leave_empty(axis, "one rate, no modes")
        return
    axis.axvline(0.0, color=GREY, linewidth=1.0)
    for row, mode in enumerate(modes):
        margin = mode["margin_db"]
        if margin is not None:
            _bar(axis, row, 0.0, margin, CENTRAL if mode["in_use"] else FAINT if margin >= 0 else HARSH)
        _say(axis, "out of reach" if margin is None else f"{margin:.1f}", max(margin or 0.0, 0.0), row)
    _label_rows(axis, [f"{m['rate_gbps']:g}G {m['modulation']}" + (" (in use)" if m["in_use"] else "") for m in modes])
    margins = [0.0, *(mode["margin_db"] for mode in modes if mode["margin_db"] is not None)]
    low, high = min(margins), max(margins)
    across = (high - low) or 1.0
    axis.set_xlim(low - (0.05 * across if low < 0 else 0.0), high + 0.16 * across)


def _latency(axis: Any, directions: Sequence[Mapping[str, Any]]) -> None:
    axis.set_title("latency one way, µs")
    parts = [name for name in LATENCY if any(side[name] for side in directions)]
    if not parts:
        leave_empty(axis, "no latency")
        return
    for row, name in enumerate(parts):
        for half, side in enumerate(directions):
            at, took = row + (half - 0.5) * 0.34, side[name] or 0.0
            # a label that begins with an underscore would be kept out of the legend
            way = " → ".join(shown(end, MAX_LETTERS) for end in side["direction"].split(" → "))
            label = f" {way}" if row == 0 else ""
            _bar(axis, at, 0.0, took, (CENTRAL, FAINT)[half], height=0.3, label=label)
            _say(axis, f"{took:,.0f}" if took >= 1000.0 else f"{took:.3g}", took, at, size=7.5)
    _label_rows(axis, [LATENCY[name] for name in parts], more_rows=1.0)
    axis.set_xlim(0.0, 1.18 * max(side[name] or 0.0 for name in parts for side in directions))
    axis.legend(loc="lower right", fontsize=7.5)
