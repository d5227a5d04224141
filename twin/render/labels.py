"""Labels of points: beside their point, where they cover neither a curve nor another label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

DIRECTIONS = ((1, 1), (1, -1), (-1, 1), (-1, -1), (0, 1), (0, -1), (1, 0), (-1, 0))
"""Places of a label around its point, the preferred ones first: right and above, right and below, ..."""
DISTANCES_POINTS = (9.0, 16.0, 24.0, 34.0)
"""Distances of a label from its point, the preferred one first."""
SAMPLE_PIXELS = 3.0
"""Distance between two places at which a curve is looked for under a label."""
ALIGNMENTS = {-1: "right", 0: "center", 1: "left"}


@dataclass(frozen=True)
class PointLabel:
    """A text for a point of a panel, in data coordinates."""

    text: str
    x: float
    y: float | None
    """None = at the top of the panel, for a vertical line."""
    colour: str


def place_labels(
    figure: Any,
    axis: Any,
    labels: Sequence[PointLabel],
    obstacles: Sequence[Any] = (),
    style: Mapping[str, Any] | None = None,
) -> None:
    """Write each label near its point, at the place that covers least; labels of equal text and point are one.

    Args:
        figure: the figure; its layout must be complete but for these labels.
        axis: the panel, with its curves.
        labels: the labels, in the order in which they are placed.
        obstacles: what labels must not cover, such as a legend.
        style: properties of matplotlib texts, such as their size.
    """
    if not labels:
        return
    figure.draw_without_rendering()  # settles the layout, so that pixels are final
    curves = _curve_pixels(axis)
    taken = [obstacle.get_window_extent() for obstacle in obstacles]
    for label in dict.fromkeys(labels):
        choices = [(i, sides) for i in DISTANCES_POINTS for sides in DIRECTIONS]
        costs, texts = [], []
        for distance, (right, up) in choices:
            text = _write(axis, label, (distance, right, up), style or {})
            box = text.get_window_extent()
            costs.append(_cost(box, axis.get_window_extent(), curves, taken))
            texts.append(text)
            if costs[-1] == 0.0:
                break
        best = costs.index(min(costs))
        for i, text in enumerate(texts):
            if i != best:
                text.remove()
        taken.append(texts[best].get_window_extent())


def _write(axis: Any, label: PointLabel, place: tuple[float, int, int], own_style: Mapping[str, Any]) -> Any:
    distance, right, up = place
    across = distance if right and up else 1.3 * distance
    style = {
        "fontsize": 8,
        "color": label.colour,
        "ha": ALIGNMENTS[right],
        "va": {-1: "top", 0: "center", 1: "bottom"}[up],
        "zorder": 5,
        **own_style,
    }
    offset = (right * across * (0.8 if up else 1.0), up * distance * 0.8)
    y = axis.get_ylim()[1] if label.y is None else label.y
    return axis.annotate(label.text, (label.x, y), offset, textcoords="offset points", **style)


def _curve_pixels(axis: Any) -> np.ndarray:
    """Places on all curves and lines of a panel in pixels, close to each other (n, 2)."""
    import numpy as np  # tables are printed without it

    pieces = [np.empty((0, 2))]
    for line in axis.lines:
        points = line.get_transform().transform(line.get_xydata().astype(float))
        points = points[np.isfinite(points).all(axis=1)]
        for start, end in pairwise(points):
            n = 1 + int(np.hypot(*(end - start)) / SAMPLE_PIXELS)
            pieces.append(start + np.linspace(0.0, 1.0, n + 1)[:, None] * (end - start))
    return np.concatenate(pieces)


def _cost(box: Any, panel: Any, curves: np.ndarray, taken: Sequence[Any]) -> float:
    """How bad a place is: outside of the panel or over another label is worse than over a curve."""
    outside = bool(box.x0 < panel.x0 or box.x1 > panel.x1 or box.y0 < panel.y0 or box.y1 > panel.y1)
    n_covered = sum(bool(box.overlaps(other)) for other in taken)
    inside = (curves > (box.x0 - 1, box.y0 - 1)).all(axis=1) & (curves < (box.x1 + 1, box.y1 + 1)).all(axis=1)
    return 1e6 * outside + 1e5 * n_covered + float(inside.sum())
