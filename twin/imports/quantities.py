"""Reads quantities with units as other tools write them: rates, lengths, bundles."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

GBPS_OF: dict[str, float] = {
    "": 1e-9,
    "k": 1e-6,
    "m": 1e-3,
    "g": 1.0,
    "t": 1e3,
}
"""Gb/s of one bit per second with a decimal prefix."""
KM_OF: dict[str, float] = {
    "km": 1.0,
    "m": 1e-3,
    "cm": 1e-5,
    "mi": 1.609344,
    "mile": 1.609344,
    "miles": 1.609344,
    "ft": 0.3048e-3,
    "feet": 0.3048e-3,
    "in": 0.0254e-3,
}
"""Kilometres of one unit of length. Source: exact by the international yard and pound agreement, 1959."""
NUMBER = r"(\d{1,15}(?:\.\d{1,15})?(?:[eE][-+]?\d{1,2})?)"
RATE = re.compile(rf"{NUMBER} ?([kKmMgGtT]?)(?:b|bps|b/s|[bB]its?|[bB]its?/s|[bB]E)?", re.ASCII)
"""A rate in bits per second; `GB/s` are bytes, which no interface states, and are refused."""
BUNDLE = re.compile(r"(\d{1,6}) ?[x×*] ?(.{1,30})", re.ASCII)
LENGTH = re.compile(rf"{NUMBER} ?([a-zA-Z]{{1,5}})?", re.ASCII)
UNIT_IN_HEADER = re.compile(r"(?:[_ ]|[\[(])(km|m|cm|mi|ft|in|gbps|mbps|kbps|bps|gb/s|mb/s|us|ms)[\])]?\s*$", re.I)


class Bundle(NamedTuple):
    """Members of a bundle, and the rate of each."""

    n_parallel: int
    capacity_gbps: float


def finite(value: object) -> float | None:
    """Return a finite number, or None for anything else; texts are read too, true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and len(value) > 40:
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def rate_gbps(text: str, *, bare_unit: str = "") -> float | None:
    """Return a rate in Gb/s: `400G`, `10 Gbps`, `100Mbit/s`; None for another text.

    bare_unit: prefix of a number without a unit; empty = a bare number is none.
    """
    match = RATE.fullmatch(text.strip())
    if match is None:
        return None
    number, prefix = float(match[1]), match[2].lower()
    bare = match[0].strip() == match[1]
    if bare and not bare_unit:
        return None
    return number * GBPS_OF[bare_unit if bare else prefix]


def both_ways(there: float, back: float | None) -> float | tuple[float, float]:
    """Return one value, or both where the way back states another."""
    return there if back is None or back == there else (there, back)


def bundle_of(text: str) -> Bundle | None:
    """Return members and rate of `2x10G` or `10G`; None for another text."""
    match = BUNDLE.fullmatch(text.strip())
    n, rest = (int(match[1]), match[2]) if match else (1, text)
    gbps = rate_gbps(rest)
    return Bundle(n, gbps) if gbps and n > 0 else None


def length_km(text: str, unit: str = "") -> float | None:
    """Return a length in km: `30 m`, `12.4km`; `unit` is that of a bare number. None for another text or unit."""
    match = LENGTH.fullmatch(text.strip())
    if match is None:
        return None
    factor = KM_OF.get((match[2] or unit).lower())
    return None if factor is None else float(match[1]) * factor


def unit_in_header(header: str) -> tuple[str, str]:
    """Split a heading such as `Length (m)` or `length_m` into name and unit; the unit is empty if there is none."""
    match = UNIT_IN_HEADER.search(header)
    return (header[: match.start()].strip(), match[1].lower()) if match else (header.strip(), "")
