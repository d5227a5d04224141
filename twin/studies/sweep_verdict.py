"""Verdict on a sweep: the best point, the knee, and where the metric crosses that of another plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from ..answers.metrics import METRICS
from ..render.numbers import cell_text, metric_text
from ..render.quantities import change_percent_text, is_noise

MAX_SENTENCES = 3
"""Knees or crossings that a verdict names."""


def sweep_verdict(data: Mapping[str, Any]) -> Iterator[str]:
    """Return the verdict as sentences.

    data: `Sweep.to_dict()`.
    """
    metric = METRICS[data["metric"]]
    points = product(*(axis["values"] for axis in data["axes"]))
    known = [(value, point) for value, point in zip(data["values"], points, strict=True) if value is not None]
    if not known:
        reason = next((why for why in data["why"] if why), "no reason given")
        yield f"No point has a {metric.label}: {reason}."
        return
    values = [value for value, _ in known]
    if is_noise(min(values), max(values)):
        yield f"No effect: {metric.label} is {metric_text(data['metric'], values[0])} at every point."
    else:
        pick = min if metric.better == "lower" else max
        best = pick(values)
        first = next(point for value, point in known if is_noise(value, best))
        change = change_percent_text(values[0], best)
        change = f", {change} against the first point" if change and change != "0 %" else ""
        yield f"Best {metric.label}: {metric_text(data['metric'], best)} at {_place(data, first)}{change}."
    n_missing = len(data["values"]) - len(known)
    if n_missing:
        reason = next(why for why in data["why"] if why)
        yield f"{n_missing} of {len(data['values'])} points have no value, the first because: {reason}."
    for knee in data["knees"][:MAX_SENTENCES]:
        yield f"Knee, the sharpest bend, at {_place(data, knee)}."
    yield from _crossings(data)


def _crossings(data: Mapping[str, Any]) -> Iterator[str]:
    level = data["against_value"]
    if level is None:
        return
    plan, text = data["against"], metric_text(data["metric"], level)
    if not data["crossings"]:
        yield f"Plan {plan} has {text}; no point of this range reaches it."
    for crossing in data["crossings"][:MAX_SENTENCES]:
        yield f"Plan {plan} has {text}; equal at {_place(data, crossing)}."


def _place(data: Mapping[str, Any], point: Sequence[float | str]) -> str:
    places = zip(data["axes"], point, strict=True)
    return ", ".join(f"{axis['path']} = {cell_text(value)}" for axis, value in places)
