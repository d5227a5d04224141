"""The pictures of the README: the answers that they show, and what is drawn in them as plain data."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import Any

from twin import load

SAME_RATIO = 1e-6
"""Largest relative difference of two numbers that are drawn alike."""
N_COLOURS = 64
"""Colours of a compressed picture."""


def step_time_by_capacity() -> Any:
    """From which capacity on does the first of three campuses help?"""
    return (
        load("memphis-small")
        .sweep(
            ["links.wan-*.total_gbps=400..51200:log22", "job.split=uniform,balanced"],
            changes="fibre-upgrade",
            against="leave-out-first-campus",
        )
        .figure()
    )


def bottlenecks() -> Any:
    """Which limits make the step as long as it is?"""
    return load("memphis-small").explain().figure()


def ageing_links() -> Any:
    """When do the links between the campuses lose their margin and their rate, and when are they full?"""
    return load("memphis-small").forecast(30, growth_ratio_per_year=0.05, links="wan-*").figure()


PICTURES: dict[str, Callable[[], Any]] = {
    "bottlenecks": bottlenecks,
    "step_time_by_capacity": step_time_by_capacity,
    "ageing_links": ageing_links,
}
"""File name without its ending, and the function that draws the picture."""


def drawn_data(figure: Any) -> dict[str, Any]:
    """Return what a figure shows as plain data: its texts, and the points of its curves and bars."""
    return {"title": figure.get_suptitle(), "panels": [_panel(axis) for axis in figure.axes]}


def _panel(axis: Any) -> dict[str, Any]:
    legend = axis.get_legend()
    return {
        "title": axis.get_title(loc="left"),
        "labels": [axis.get_xlabel(), axis.get_ylabel()],
        "texts": [text.get_text() for text in axis.texts],
        "legend": [text.get_text() for text in legend.get_texts()] if legend else [],
        "curves": [[_plain(values) for values in line.get_data()] for line in axis.lines],
        "bars": [_plain((bar.get_y(), bar.get_height())) for bar in axis.patches],
    }


def _plain(values: Any) -> list[float | None]:
    return [None if math.isnan(value) else float(f"{float(value):.9g}") for value in values]


def differences(old: Any, new: Any, place: str = "picture") -> list[str]:
    """Return the places where two pictures differ, each with both values; numbers may differ by `SAME_RATIO`."""
    if isinstance(old, dict) and isinstance(new, dict) and set(old) == set(new):
        return [found for key in old for found in differences(old[key], new[key], f"{place}.{key}")]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [found for i, (one, other) in pairs for found in differences(one, other, f"{place}[{i}]")]
    numbers = isinstance(old, int | float) and isinstance(new, int | float)
    same = math.isclose(old, new, rel_tol=SAME_RATIO, abs_tol=1e-12) if numbers else old == new
    return [] if same else [f"{place}: {str(old)[:80]} is now {str(new)[:80]}"]


def compressed_png(figure: Any) -> bytes:
    """Return a figure as a PNG with few colours, a third of the usual size."""
    from PIL import Image

    content, small = io.BytesIO(), io.BytesIO()
    figure.savefig(content, format="png", dpi=150)
    Image.open(content).convert("RGB").quantize(N_COLOURS, dither=Image.Dither.NONE).save(small, "png", optimize=True)
    return small.getvalue()
