"""One link: its budget as two waterfalls (power, then signal to noise), its modes, its latency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .canvas import CENTRAL, GREY, HARSH, KIND, drawn, sheet

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


@drawn
def link_figure(data: Mapping[str, Any]) -> Any:
    """Draw `LinkPage.to_dict()`: budget of the line with the least margin, modes, latency one way."""
    figure, axes = sheet(2, 2, 10.0, 6.6)
    lines = [line["steps"] for line in data["budget"] if line["steps"]]
    steps = min(lines, key=lambda line: line[-1]["level_db"]) if lines else []
    _waterfall(axes[0][0], steps, "level_dbm", "power per channel, dBm")
    _waterfall(axes[0][1], steps, "level_db", "what is left for the receiver, dB")
    _modes(axes[1][0], data["modes"])
    _latency(axes[1][1], data["directions"])
    where = f"{data['ends'][0]} – {data['ends'][1]}"
    as_of = f", as of {data['as_of']}" if data["as_of"] else ""
    what = f"{data['n_members']} x {data['transceiver'] or 'no part'}"
    figure.suptitle(f"{data['id']} ({where}), {what}{as_of}", x=0.01, ha="left")
    return figure


def _waterfall(axis: Any, every: Sequence[Mapping[str, Any]], name: str, label: str) -> None:
    steps = [step for step in every if step[name] is not None]
    axis.set_title(label)
    if not steps:
        axis.text(0.5, 0.5, "no optical budget", ha="center", va="center", transform=axis.transAxes, color=GREY)
        axis.set_axis_off()
        return
    levels = [0.0, *(step[name] for step in steps)]
    top, floor = max(levels), min(levels)
    if floor < 0.0:
        floor -= 0.08 * (top - floor)
    for row, step in enumerate(steps):
        change, level = step["change_db"], step[name]
        if change is None:
            last = row == len(steps) - 1
            colour = (KIND if level >= 0 else HARSH) if last and name == "level_db" else CENTRAL
            axis.barh(row, level - floor, left=floor, color=colour, height=0.62)
        else:
            axis.barh(row, -change, left=level, color=HARSH if change < 0 else KIND, height=0.62)
        text = f"{level:.1f}" if change is None else f"{change:+.1f}" if abs(change) >= 0.1 else f"{change:+.2f}"
        _say(axis, text, max(level, level - (change or 0.0)), row)
    axis.set_yticks(range(len(steps)), [step["step"] for step in steps])
    axis.set_ylim(len(steps) - 0.4, -0.6)
    axis.set_xlim(floor, top + 0.14 * (top - floor))
    axis.axvline(0.0, color=GREY, linewidth=1.0)
    axis.grid(visible=False, axis="y")


def _say(axis: Any, text: str, x: float, y: float, size: float = 9.0) -> None:
    axis.annotate(text, (x, y), (4, 0), textcoords="offset points", va="center", fontsize=size)


def _modes(axis: Any, modes: Sequence[Mapping[str, Any]]) -> None:
    axis.set_title("margin of each mode, dB")
    known = [mode for mode in modes if mode["margin_db"] is not None]
    if not known:
        axis.text(0.5, 0.5, "one rate, no modes", ha="center", va="center", transform=axis.transAxes, color=GREY)
        axis.set_axis_off()
        return
    for row, mode in enumerate(known):
        margin = mode["margin_db"]
        colour = CENTRAL if mode["in_use"] else FAINT if margin >= 0 else HARSH
        axis.barh(row, margin, color=colour, height=0.62)
        _say(axis, f"{margin:.1f}", max(margin, 0.0), row)
    names = [f"{m['rate_gbps']:g}G {m['modulation']}" + (" (in use)" if m["in_use"] else "") for m in known]
    axis.set_yticks(range(len(known)), names)
    axis.set_ylim(len(known) - 0.4, -0.6)
    axis.axvline(0.0, color=GREY, linewidth=1.0)
    axis.margins(x=0.12)
    axis.grid(visible=False, axis="y")


def _latency(axis: Any, directions: Sequence[Mapping[str, Any]]) -> None:
    axis.set_title("latency one way, µs")
    parts = [name for name in LATENCY if any(side[name] for side in directions)]
    for row, name in enumerate(parts):
        for half, side in enumerate(directions):
            at, took = row + (half - 0.5) * 0.34, side[name] or 0.0
            label = side["direction"] if row == 0 else None
            axis.barh(at, took, height=0.3, color=(CENTRAL, FAINT)[half], label=label)
            _say(axis, f"{took:.3g}", took, at, size=7.5)
    axis.set_yticks(range(len(parts)), [LATENCY[name] for name in parts])
    axis.set_ylim(len(parts) - 0.4, -0.6)
    axis.margins(x=0.14)
    axis.grid(visible=False, axis="y")
    if parts:
        axis.legend(loc="lower right", fontsize=7.5)
