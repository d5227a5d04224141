"""A metric over an input: a curve, or one for each value of a second input, with knees and crossings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..units import unit_of
from .canvas import CENTRAL, GREY, HARSH, KIND, drawn, sheet

COLOURS = (CENTRAL, HARSH, KIND, "#8a6fb0", "#b58900", "#4fa3a5", "#7a7a7a", "#c06c84")


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
    shown = others if len(others) <= len(COLOURS) else others[:: -(-len(others) // len(COLOURS))]
    for i, (colour, other) in enumerate(zip(COLOURS, shown, strict=False)):
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
    unit = unit_of(first["path"].rsplit(".", 1)[-1])
    each = " of each link" if first["path"].startswith("links.") else ""
    axis.set_xlabel(first["path"] + each + (f" ({unit})" if unit not in (None, "1") else ""), parse_math=False)
    axis.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.10g}"))
    axis.set_ylabel(f"{data['metric']}" + (f" ({data['unit']})" if data["unit"] not in ("", "1") else ""))
    if others != [None] or data["against_value"] is not None:
        axis.legend(fontsize=8)
    plan = f" after {data['plan']}" if data["plan"] else ""
    job = f", job {data['job']}" if data["job"] else ""
    figure.suptitle(f"{data['network']}{plan}{job}", x=0.01, ha="left", parse_math=False)
    return figure


def _mark(
    axis: Any, data: Mapping[str, Any], x: list[float], y: list[float], other: Any, curve: tuple[str, int]
) -> None:
    """Knees as rings, crossings as upright lines with their value; labels of further curves lie higher."""
    colour, i = curve
    for knee in data["knees"]:
        if other is None or knee[1] == other:
            at = x.index(knee[0])
            axis.plot([x[at]], [y[at]], "o", markersize=11, markerfacecolor="none", color=colour)
            said = f"knee: {_say(knee[0])}"
            axis.annotate(said, (x[at], y[at]), (8, 8 + 13 * i), textcoords="offset points", fontsize=8)
    for crossing in data["crossings"]:
        if other is None or crossing[1] == other:
            axis.axvline(crossing[0], color=colour, linewidth=0.9, linestyle=":")
            place = crossing[0], data["against_value"]
            axis.annotate(_say(crossing[0]), place, (4, -12 - 11 * i), textcoords="offset points", fontsize=8)


def _say(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"
