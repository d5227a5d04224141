"""A network as a picture: places by tier, and lines coloured by use, margin, worst failure or age."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .canvas import GREY, label_text, new_figure, set_title, with_style
from .heat import COLOURS, DOWN, HEATS, NO_VALUE, step_labels
from .labels import PointLabel, place_labels

MARKERS = {"rack": "s", "host": "s", "storage": "D", "leaf": "o", "spine": "o", "core": "o", "border": "^"}
"""Marks of the kinds of nodes; other kinds are circles."""
MAX_LABELS = 80
"""Most places whose names are written."""
LABEL_CHARACTERS = 24
LABEL_BOX = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6}
N_CURVE_POINTS = 17


@with_style
def drawing_figure(data: Mapping[str, Any]) -> Any:
    """Draw `Drawing.to_dict()` with the field `heat`, which colours the lines."""
    from matplotlib.lines import Line2D

    heat = HEATS[data["heat"]]
    places = {place["id"]: place for place in data["places"]}
    figure, axes = new_figure(1, 1, 11.0, 6.2)
    axis = axes[0][0]
    for line in data["lines"]:
        ends = [places[line[end]] for end in ("source", "target")]
        colour = DOWN if line["n_down"] == line["n_links"] else heat.colour(line[heat.key])
        style = ":" if line["n_down"] == line["n_links"] else "--" if line["n_down"] else "-"
        width = 1.2 + 0.5 * len(str(line["n_links"]))
        if ends[0] is ends[1]:
            axis.plot(ends[0]["x_ratio"], ends[0]["y_ratio"], "o", ms=17, mfc="none", mec=colour, mew=width)
            continue
        start, end = ((end["x_ratio"], end["y_ratio"]) for end in ends)
        points = _curve(start, end, line.get("bend_ratio", 0.0))
        axis.plot(*points, color=colour, linewidth=width, linestyle=style, solid_capstyle="round", zorder=1)
    marks = []
    for place in data["places"]:
        marker, face = MARKERS.get(place["kind"], "o"), "#f2b8a8" if place["n_down"] else "white"
        at = place["x_ratio"], place["y_ratio"]
        marks += axis.plot(*at, marker, ms=9, mfc=face, mec="#303030", mew=1.1, zorder=2)
    axis.set_axis_off()
    axis.margins(0.06, 0.12)
    keys = [Line2D([], [], color=colour, linewidth=3) for colour in COLOURS]
    labels = step_labels(heat)
    if any(line[heat.key] is None for line in data["lines"]):
        keys, labels = [*keys, Line2D([], [], color=NO_VALUE, linewidth=3)], [*labels, "no value"]
    figure.legend(keys, labels, loc="outside lower center", ncols=6, title=f"lines: {heat.label}", labelcolor=GREY)
    plan = f", after {label_text(data['plan'], 40)}" if data["plan"] else ""
    set_title(figure, f"{label_text(data['network'], 60)}{plan}: {data['n_nodes']:,} nodes, {data['n_links']:,} links")
    if len(places) <= MAX_LABELS:
        texts = [_label(place) for place in data["places"]]
        place_labels(figure, axis, texts, marks, {"fontsize": 7.0, "bbox": LABEL_BOX})
    return figure


def _label(place: Mapping[str, Any]) -> PointLabel:
    n = f"\n× {place['n_nodes']:,}" if place["n_nodes"] > 1 else ""
    return PointLabel(label_text(place["id"], LABEL_CHARACTERS) + n, place["x_ratio"], place["y_ratio"], "#303030")


def _curve(start: tuple[float, float], end: tuple[float, float], bend_ratio: float) -> tuple[list[float], list[float]]:
    """Return x and y of a quadratic curve between two points, bent to its left by a share of its length."""
    (x, y), (to_x, to_y) = start, end
    middle = (x + to_x) / 2.0 - bend_ratio * (to_y - y), (y + to_y) / 2.0 + bend_ratio * (to_x - x)
    n = N_CURVE_POINTS if bend_ratio else 2
    shares = [i / (n - 1) for i in range(n)]
    return tuple(
        [(1 - t) ** 2 * a + 2 * t * (1 - t) * b + t * t * c for t in shares]
        for a, b, c in zip(start, middle, end, strict=True)
    )  # type: ignore[return-value]
