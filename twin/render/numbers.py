"""Numbers as text for people: four digits, a unit, and k, M or B for large numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..units import unit_of
from .quantities import MINUS, is_noise, percent_text

PER_TEXTS = {"a": "per year", "mo": "per month", "d": "per day"}
NOT_PERCENT = frozenset({"training_loss_ratio", "leaf_oversubscription_ratio", "spine_oversubscription_ratio"})
"""Ratios near 1 that are factors, not shares."""


def number_text(value: float | None, unit: str) -> str:
    """Return a value with its unit: four digits, thousands separators, money in M and B; a dash for None."""
    if value is None:
        return "–"
    if unit == "USD" or unit.startswith("USD/"):
        return f"{MINUS if value < 0 else ''}${_scaled(abs(value))}{unit.removeprefix('USD')}"
    return _digits(value).replace("-", MINUS) + ("" if unit == "1" else f" {unit}")


def is_share(metric: str) -> bool:
    """Tell whether a metric is a share, which tables show as per cent."""
    return metric.endswith("_ratio") and metric not in NOT_PERCENT


def metric_text(metric: str, value: float | None) -> str:
    """Return a metric with its unit, for a sentence: shares as per cent, money with its sign."""
    text, unit = metric_cell(metric, value), unit_text(metric)
    return text if value is None or not unit else f"{text} {unit}"


def metric_cell(metric: str, value: float | None) -> str:
    """Return a metric without its unit, for a cell of a table; `unit_text` stands beside its name."""
    if value is None:
        return "–"
    if is_share(metric):
        return percent_text(value)
    sign = MINUS if value < 0 else ""
    return f"{sign}${_scaled(abs(value))}" if "_usd" in f"_{metric}" else f"{sign}{_digits(abs(value))}"


def change_cell(metric: str, before: float | None, after: float | None) -> str:
    """Return a change for a cell of a table: points of per cent for shares, 0 for rounding, a dash for None."""
    if before is None or after is None:
        return "–"
    if is_noise(before, after):
        return "0"
    change = after - before
    sign = MINUS if change < 0 else "+"
    if is_share(metric):
        text = percent_text(abs(change))
        return f"{sign}{text.removesuffix(' %')} pp" if text.endswith(" %") else f"{sign}{text}"
    return sign + metric_cell(metric, abs(change))


def unit_text(metric: str) -> str:
    """Return the unit of a metric for the place beside its name; empty for counts, shares and plain money."""
    unit = unit_of(metric) or ""
    if unit in ("1", "USD"):
        return ""
    if unit.startswith("USD/"):
        return PER_TEXTS.get(unit.removeprefix("USD/"), "")
    return {"d": "days"}.get(unit, unit)


def short_text(value: float | None) -> str:
    """Return a value without its unit: three digits, with k, M and B for large numbers; a dash for None."""
    if value is None:
        return "–"
    for scale, suffix in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= scale:
            return f"{value / scale:.3g}{suffix}"
    return f"{value:.3g}"


def cell_text(value: Any) -> str:
    """Return a value of any type: five digits of a float, or all whole ones from 100,000 on; a dash for None."""
    if not isinstance(value, float):
        return "–" if value is None else str(value)
    return f"{value:,.0f}" if 99_999.5 <= abs(value) < 1e15 else f"{value:.5g}"


def level_text(step: Mapping[str, Any]) -> str:
    """Return the level after a step of a link budget: power in dBm, or a ratio in dB."""
    return f"{step['level_dbm']:.2f} dBm" if step["level_db"] is None else f"{step['level_db']:.2f} dB"


def seconds_text(value_s: float) -> str:
    """Return a time with three digits, in s or ms."""
    if abs(value_s) < 5e-7:
        return "0 s"
    return f"{value_s:.3g} s" if abs(value_s) >= 0.1 else f"{value_s * 1e3:.3g} ms"


def _scaled(value: float) -> str:
    for scale, suffix in ((1e9, "B"), (1e6, "M")):
        if value >= scale:
            return f"{value / scale:.4g}{suffix}"
    return _digits(value)


def _digits(value: float) -> str:
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"
