"""A metric over an input: a curve, or one for each value of a second input, with knees and crossings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..units import unit_of
from .canvas import BLUE, GREEN, GREY, RED, label_text, new_figure, set_title, with_style

COLOURS = (BLUE, RED, GREEN, "#8a6fb0", "#b58900", "#4fa3a5", "#7a7a7a", "#c06c84")
UNITS = {"age": "years", "demands": "times those of the document"}
"""Units of inputs whose names have no unit suffix."""
MIN_LOG_RANGE_RATIO = 30
"""Largest over smallest value from which the x axis is logarithmic."""


@with_style
def sweep_figure(data: Mapping[str, Any]) -> Any:
    """Draw `Sweep.to_dict()`: numbers in ascending order, names at equal distances."""
    figure, axes = new_figure(1, 1, 8.2, 4.8)
    axis = axes[0][0]
    x_axis = data["axes"][0]
    curves = data["axes"][1]["values"] if len(data["axes"]) > 1 else [None]
    is_text = any(isinstance(value, str) for value in x_axis["values"])
    positions = range(len(x_axis["values"]))
    order = list(positions) if is_text else sorted(positions, key=lambda i: x_axis["values"][i])
    x = [i if is_text else x_axis["values"][i] for i in order]
    drawn_curves = curves if len(curves) <= len(COLOURS) else curves[:: -(-len(curves) // len(COLOURS))]
    for i, (colour, curve) in enumerate(zip(COLOURS, drawn_curves, strict=False)):
        values = data["values"][curves.index(curve) :: len(curves)]
        y = [float("nan") if values[i] is None else values[i] for i in order]
        label = None if curve is None else f"{data['axes'][1]['path']} = {_value_text(curve)}"
        axis.plot(x, y, marker="o", markersize=3.2, color=colour, label=label)
        _mark_points(axis, data, x, y, curve, (colour, i))
    if data["against_value"] is not None:
        axis.axhline(data["against_value"], color=GREY, linestyle="--", label=str(data["against"]))
    _scale_axes(axis, data, x, is_text=is_text)
    if curves != [None] or data["against_value"] is not None:
        axis.legend(fontsize=8)
    set_title(figure, _title(data))
    return figure


def _scale_axes(axis: Any, data: Mapping[str, Any], x: list[float], *, is_text: bool) -> None:
    """Set the scales and labels of both axes; numbers over a wide range have a logarithmic scale."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    path, values = data["axes"][0]["path"], data["axes"][0]["values"]
    if is_text:
        axis.set_xticks(x, [str(value) for value in values])
    elif min(x) > 0 and max(x) / min(x) >= MIN_LOG_RANGE_RATIO:
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.xaxis.set_minor_formatter(NullFormatter())
    unit = UNITS.get(path) or unit_of(path.rsplit(".", 1)[-1])
    of_each_link = " of each link" if path.startswith("links.") else ""
    axis.set_xlabel(path + of_each_link + (f" ({unit})" if unit not in (None, "1") else ""), parse_math=False)
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_ylabel(f"{data['metric']}" + (f" ({data['unit']})" if data["unit"] not in ("", "1") else ""))


def _title(data: Mapping[str, Any]) -> str:
    plan = f" after {label_text(data['plan'])}" if data["plan"] else ""
    job = f", job {label_text(data['job'])}" if data["job"] else ""
    n_empty = sum(value is None for value in data["values"])
    note = f"; {n_empty} of {len(data['values'])} points have no value" if n_empty else ""
    return f"{label_text(data['network'])}{plan}{job}{note}"


def _mark_points(
    axis: Any, data: Mapping[str, Any], x: list[float], y: list[float], curve: Any, style: tuple[str, int]
) -> None:
    """Mark knees with rings and crossings with vertical lines.

    Args:
        axis: the panel.
        data: `Sweep.to_dict()`.
        x: positions of the points, ascending.
        y: values of the curve at these positions; nan where there is none.
        curve: value of the second input, or None.
        style: colour and number of the curve; labels lie above or below the curve by its number.
    """
    colour, i = style
    for knee in data["knees"]:
        if curve is None or knee[1] == curve:
            at = x.index(knee[0])
            axis.plot([x[at]], [y[at]], "o", markersize=11, markerfacecolor="none", color=colour)
            # below a curve that rises from here, and below every second of the others
            below = y[at + 1 : at + 2] > y[at : at + 1] or i % 2
            offset = -15 - 13 * (i // 2) if below else 8 + 13 * (i // 2)
            _annotate(axis, f"knee: {_value_text(knee[0])}", (x[at], y[at]), (8, offset), colour)
    for crossing in data["crossings"]:
        if curve is None or crossing[1] == curve:
            axis.axvline(crossing[0], color=colour, linewidth=0.9, linestyle=":")
            _annotate(axis, _value_text(crossing[0]), (crossing[0], data["against_value"]), (4, -12 - 11 * i), colour)


def _annotate(axis: Any, text: str, point: tuple[float, float], offset: tuple[float, float], colour: str) -> None:
    """Write a label in the colour of its curve, on a white background."""
    background = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    style = {"fontsize": 8, "color": colour, "bbox": background, "zorder": 5}
    axis.annotate(text, point, offset, textcoords="offset points", **style)


def _value_text(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"
