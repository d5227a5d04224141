"""Numbers as text for people: four digits, a unit, and k, M or B for large numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def number_text(value: float | None, unit: str) -> str:
    """Return a value with its unit: four digits, thousands separators, money in M and B; a dash for None."""
    if value is None:
        return "–"
    if unit == "USD" or unit.startswith("USD/"):
        return f"{'-' if value < 0 else ''}${_scaled(abs(value))}{unit.removeprefix('USD')}"
    return _digits(value) + ("" if unit == "1" else f" {unit}")


def short_text(value: float | None) -> str:
    """Return a value without its unit: three digits, with k, M and B for large numbers; a dash for None."""
    if value is None:
        return "–"
    for scale, suffix in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= scale:
            return f"{value / scale:.3g}{suffix}"
    return f"{value:.3g}"


def cell_text(value: Any) -> str:
    """Return a value of any type: five digits of a float, a dash for None."""
    return "–" if value is None else f"{value:.5g}" if isinstance(value, float) else str(value)


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
