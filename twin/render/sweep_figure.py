"""A metric over an input: a curve, or one for each value of a second input, with knees and crossings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .canvas import BLUE, GREEN, GREY, RED, label_text, new_figure, set_title, with_style
from .labels import PointLabel, place_labels
from .words import input_words, with_unit

COLOURS = (BLUE, RED, GREEN, "#8a6fb0", "#b58900", "#4fa3a5", "#7a7a7a", "#c06c84")
MIN_LOG_RANGE_RATIO = 30
"""Largest over smallest value from which the x axis is logarithmic."""
MAX_LISTED = 4
"""Values that the label of several equal curves lists."""
MARGIN_RATIO = 0.08
"""Space between the curves and the edges, as a share of the height."""


@with_style
def sweep_figure(data: Mapping[str, Any]) -> Any:
    """Draw `Sweep.to_dict()` with the `label` of its metric: numbers in ascending order, names at equal distances."""
    figure, axes = new_figure(1, 1, 8.2, 4.8)
    axis = axes[0][0]
    x_axis = data["axes"][0]
    curves = data["axes"][1]["values"] if len(data["axes"]) > 1 else [None]
    is_text = any(isinstance(value, str) for value in x_axis["values"])
    positions = range(len(x_axis["values"]))
    order = list(positions) if is_text else sorted(positions, key=lambda i: x_axis["values"][i])
    x = [i if is_text else x_axis["values"][i] for i in order]
    groups = _groups_of_equal_curves(data, order, curves)
    drawn_groups = groups if len(groups) <= len(COLOURS) else groups[:: -(-len(groups) // len(COLOURS))]
    labels: list[PointLabel] = []
    for colour, (y, members) in zip(COLOURS, drawn_groups, strict=False):
        axis.plot(x, y, marker="o", markersize=3.2, color=colour, label=_curve_label(data, members))
        labels += _mark_points(axis, data, x, y, members[0], colour)
    if data["against_value"] is not None:
        axis.axhline(data["against_value"], color=GREY, linestyle="--", label=label_text(str(data["against"])))
    _scale_axes(axis, data, x, is_text=is_text)
    has_legend = curves != [None] or data["against_value"] is not None
    obstacles = [axis.legend(fontsize=8)] if has_legend else []
    set_title(figure, _title(data))
    place_labels(figure, axis, labels, obstacles)
    return figure


def _groups_of_equal_curves(
    data: Mapping[str, Any], order: list[int], curves: list[Any]
) -> list[tuple[list[float], list[Any]]]:
    """Return (values in ascending order of the input, values of the second input that give them) of each curve."""
    groups: dict[tuple[str, ...], tuple[list[float], list[Any]]] = {}
    for number, curve in enumerate(curves):
        values = data["values"][number :: len(curves)]
        y = [float("nan") if values[i] is None else values[i] for i in order]
        groups.setdefault(tuple(f"{value:.6g}" for value in y), (y, []))[1].append(curve)
    return list(groups.values())


def _curve_label(data: Mapping[str, Any], members: list[Any]) -> str | None:
    if members == [None]:
        return None
    texts = [_value_text(member) for member in members]
    shown = ", ".join(texts if len(texts) <= MAX_LISTED else [*texts[:2], "...", texts[-1]])
    return f"{input_words(data['axes'][1]['path'])[0]}: {shown}"


def _scale_axes(axis: Any, data: Mapping[str, Any], x: list[float], *, is_text: bool) -> None:
    """Set the scales and labels of both axes; numbers over a wide range have a logarithmic scale."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    path, values = data["axes"][0]["path"], data["axes"][0]["values"]
    if is_text:
        axis.set_xticks(x, [str(value) for value in values])
    else:
        if min(x) > 0 and max(x) / min(x) >= MIN_LOG_RANGE_RATIO:
            axis.set_xscale("log")
            axis.xaxis.set_minor_formatter(NullFormatter())
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    words, unit = input_words(path)
    axis.set_xlabel(label_text(with_unit(words, unit), 80), parse_math=False)
    axis.margins(y=MARGIN_RATIO)
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_ylabel(with_unit(data["label"], data["unit"]))


def _title(data: Mapping[str, Any]) -> str:
    label = data["label"]
    over = label_text(input_words(data["axes"][0]["path"])[0])
    plan = f" after {label_text(data['plan'])}" if data["plan"] else ""
    job = f", job {label_text(data['job'])}" if data["job"] else ""
    n_empty = sum(value is None for value in data["values"])
    note = f"; {n_empty} of {len(data['values'])} points have no value" if n_empty else ""
    return f"{label[:1].upper()}{label[1:]} by {over}\n{label_text(data['network'])}{plan}{job}{note}"


def _mark_points(
    axis: Any, data: Mapping[str, Any], x: list[float], y: list[float], curve: Any, colour: str
) -> Iterator[PointLabel]:
    """Mark the knees of a curve with rings and its crossings with vertical lines.

    Args:
        axis: the panel.
        data: `Sweep.to_dict()`.
        x: positions of the points, ascending.
        y: values of the curve at these positions; nan where there is none.
        curve: value of the second input, or None.
        colour: colour of the curve.

    Yields:
        A label for each mark.
    """
    for knee in data["knees"]:
        if curve is None or knee[1] == curve:
            at = x.index(knee[0])
            axis.plot([x[at]], [y[at]], "o", markersize=11, markerfacecolor="none", color=colour)
            yield PointLabel(f"knee at {_value_text(knee[0])}", x[at], y[at], colour)
    for crossing in data["crossings"]:
        if curve is None or crossing[1] == curve:
            axis.axvline(crossing[0], color=colour, linewidth=0.9, linestyle=":")
            yield PointLabel(f"crosses at {_value_text(crossing[0])}", crossing[0], None, colour)


def _value_text(value: float | str) -> str:
    return value if isinstance(value, str) else f"{float(f'{value:.4g}'):,.10g}"
