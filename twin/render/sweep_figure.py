"""A metric over an input: a curve, or one for each value of a second input, with knees and crossings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..units import unit_of
from .canvas import CENTRAL, GREY, HARSH, KIND, drawn, headline, sheet, shown

COLOURS = (CENTRAL, HARSH, KIND, "#8a6fb0", "#b58900", "#4fa3a5", "#7a7a7a", "#c06c84")
UNITS = {"age": "years", "demands": "times those of the document"}
"""Of inputs whose names do not end in one."""


@drawn
def sweep_figure(data: Mapping[str, Any]) -> Any:
    """Draw `Sweep.to_dict()`: numbers by size, however they were ordered; words at places of equal width."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    figure, axes = sheet(1, 1, 8.2, 4.8)
    axis = axes[0][0]
    first = data["axes"][0]
    others = data["axes"][1]["values"] if len(data["axes"]) > 1 else [None]
    words = any(isinstance(value, str) for value in first["values"])
    places = range(len(first["values"]))
    order = list(places) if words else sorted(places, key=lambda i: first["values"][i])
    x = [i if words else first["values"][i] for i in order]
    drawn_of = others if len(others) <= len(COLOURS) else others[:: -(-len(others) // len(COLOURS))]
    for i, (colour, other) in enumerate(zip(COLOURS, drawn_of, strict=False)):
        column = others.index(other)
        values = data["values"][column :: len(others)]
        y = [float("nan") if values[i] is None else values[i] for i in order]
        label = None if other is None else f"{data['axes'][1]['path']} = {_say(other)}"
        axis.plot(x, y, marker="o", markersize=3.2, color=colour, label=label)
        _mark(axis, data, x, y, other, (colour, i))
    if data["against_value"] is not None:
        axis.axhline(data["against_value"], color=GREY, linestyle="--", label=str(data["against"]))
    if words:
        axis.set_xticks(x, [str(value) for value in first["values"]])
    elif min(x) > 0 and max(x) / min(x) >= 30:
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
        axis.xaxis.set_minor_formatter(NullFormatter())
    unit = UNITS.get(first["path"]) or unit_of(first["path"].rsplit(".", 1)[-1])
    each = " of each link" if first["path"].startswith("links.") else ""
    axis.set_xlabel(first["path"] + each + (f" ({unit})" if unit not in (None, "1") else ""), parse_math=False)
    axis.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.10g}"))
    axis.set_ylabel(f"{data['metric']}" + (f" ({data['unit']})" if data["unit"] not in ("", "1") else ""))
    if others != [None] or data["against_value"] is not None:
        axis.legend(fontsize=8)
    plan = f" after {shown(data['plan'])}" if data["plan"] else ""
    job = f", job {shown(data['job'])}" if data["job"] else ""
    n_without = sum(value is None for value in data["values"])
    without = f"; {n_without} of {len(data['values'])} points have no value" if n_without else ""
    headline(figure, f"{shown(data['network'])}{plan}{job}{without}")
    return figure


def _mark(
    axis: Any, data: Mapping[str, Any], x: list[float], y: list[float], other: Any, curve: tuple[str, int]
) -> None:
    """Knees as rings, crossings as upright lines with their value; labels of curves lie above and below by turns."""
    colour, i = curve
    for knee in data["knees"]:
        if other is None or knee[1] == other:
            at = x.index(knee[0])
            axis.plot([x[at]], [y[at]], "o", markersize=11, markerfacecolor="none", color=colour)
            # beside the curve: below one that rises from here, and below every other one that does not
            below = y[at + 1 : at + 2] > y[at : at + 1] or i % 2
            above = -15 - 13 * (i // 2) if below else 8 + 13 * (i // 2)
            _note(axis, f"knee: {_say(knee[0])}", (x[at], y[at]), (8, above), colour)
    for crossing in data["crossings"]:
        if other is None or crossing[1] == other:
            axis.axvline(crossing[0], color=colour, linewidth=0.9, linestyle=":")
            _note(axis, _say(crossing[0]), (crossing[0], data["against_value"]), (4, -12 - 11 * i), colour)


def _note(axis: Any, text: str, place: tuple[float, float], away: tuple[float, float], colour: str) -> None:
    """A label in the colour of its curve that no curve crosses."""
    behind = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    look = {"fontsize": 8, "color": colour, "bbox": behind, "zorder": 5}
    axis.annotate(text, place, away, textcoords="offset points", **look)


def _say(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"
