"""Units of readings: from what a file states to the unit of the quantity in documents."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from ..model.measurements import READINGS, Quantity

Convert = Callable[[float], float]


def _times(factor: float) -> Convert:
    return lambda value: value * factor


def _dbm_of(mw_per_unit: float) -> Convert:
    """Return a function from a power to dBm; minus infinity for no power."""
    return lambda value: 10.0 * math.log10(value * mw_per_unit) if value > 0 else -math.inf


SAME = _times(1.0)
UNITS: dict[str, dict[str, Convert]] = {
    "value_db": {"db": SAME},
    "value_dbm": {"dbm": SAME, "mw": _dbm_of(1.0), "uw": _dbm_of(1e-3), "w": _dbm_of(1e3)},
    "value_ratio": {"ratio": SAME, "1": SAME, "%": _times(1e-2), "percent": _times(1e-2), "ppm": _times(1e-6)},
    "value_ps_per_nm": {"ps/nm": SAME, "ps_per_nm": SAME},
    "value_gbps": {
        "gbps": SAME, "gb/s": SAME, "gbit/s": SAME, "mbps": _times(1e-3), "mb/s": _times(1e-3),
        "mbit/s": _times(1e-3), "kbps": _times(1e-6), "bps": _times(1e-9), "bit/s": _times(1e-9),
        "bytes/s": _times(8e-9), "GB/s": _times(8.0), "MB/s": _times(8e-3), "kB/s": _times(8e-6), "B/s": _times(8e-9),
    },
    "value_us": {"us": SAME, "ms": _times(1e3), "s": _times(1e6), "ns": _times(1e-3)},
    "value_per_day": {"1/d": SAME, "per_day": SAME, "per day": SAME, "/d": SAME, "1/h": _times(24.0)},
}  # fmt: skip
"""Units by field of a measurement; keys are lower case, those with a capital B are bytes."""
HEADING = re.compile(r"^(.+?)\s*[\[(]\s*([^\])]{1,12})\s*[\])]\s*$")
"""A heading with a unit in brackets: `rx power (dBm)`."""
VALUE = re.compile(r"([-+]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][-+]?\d{1,3})?|[-+]?inf)\s*(\S{0,12})", re.I)


def converter(quantity: Quantity, unit: str) -> Convert | None:
    """Return the function from a unit to that of the quantity in documents; None for a unit of something else."""
    table = UNITS[READINGS[quantity].field]
    text = unit.strip().replace("µ", "u").replace("μ", "u")
    return table.get(text) or table.get(text.lower())


def plain_unit(quantity: Quantity) -> str:
    """Return the unit of a quantity in documents, as files write it."""
    return next(iter(UNITS[READINGS[quantity].field]))


def split_heading(heading: str) -> tuple[str, str]:
    """Split `rx power (dBm)` or `rx_power_dbm` into name and unit; the unit is empty if there is none."""
    match = HEADING.match(heading.strip())
    if match:
        return match[1], match[2]
    words = re.split(r"[\s_]+", heading.strip())
    for n in (3, 2, 1):
        tail = "_".join(words[-n:])
        if len(words) > n and any(tail in table or tail.lower() in table for table in UNITS.values()):
            return " ".join(words[:-n]), tail
    return heading.strip(), ""


def split_value(text: str) -> tuple[float, str] | None:
    """Split `-3.1 dBm` into number and unit; None for another text. Minus infinity is a power of nothing."""
    match = VALUE.fullmatch(text.strip())
    return (float(match[1]), match[2]) if match else None
