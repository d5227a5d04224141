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
STANDARD_GBPS: dict[str, float] = {
    "T1": 1.544e-3,
    "DS1": 1.544e-3,
    "T3": 44.736e-3,
    "DS3": 44.736e-3,
    "E1": 2.048e-3,
    "E3": 34.368e-3,
    "GIGE": 1.0,
}
"""Gb/s of names of interfaces. Source: ITU-T G.702; IEEE 802.3."""
OC1_GBPS, STM1_GBPS = 51.84e-3, 155.52e-3
"""Gb/s of one unit of SONET and of SDH. Source: ANSI T1.105; ITU-T G.707."""
RATE_WORD = re.compile(
    r"(?<![\w.,-])(?:(?P<n>\d{1,4}) ?[x×*] ?)?(?:"
    r"(?P<rate>\d{1,6}(?:\.\d{1,6})? ?[kKmMgGtT](?:bps|b/s|[bB]its?/s|[bB]its?|b|[bB]?E)?)"
    r"|(?P<unit>OC|STM)-?(?P<units>\d{1,4})c?"
    r"|(?P<name>DS-?[13]|[TE][13]|GigE)"
    r")(?: ?[x×*] ?(?P<times>\d{1,4}))?(?![\w-])",
    re.ASCII,
)
"""A rate inside of a label: `Peering, 10 Gbps`, `OC-192c`, `2 x STM-16`, `45 Mbps DS-3`."""
RANGE = re.compile(
    r"[<>≤≥~]|\d ?[kKmMgGtT]?(?:bps|b/s)? ?- ?\d|\b(?:less|more|below|above|up to|about|max|min)\b", re.I
)
"""A limit or a range, which is no rate."""
SAME_RATE_RATIO = 0.05
"""Difference of two names of one rate, such as 45 Mbps and DS-3."""
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
    return _rounded(number * GBPS_OF[bare_unit if bare else prefix])


def _rounded(gbps: float) -> float:
    """Return a rate without the last digits that a change of unit adds: 205 Mb/s is 0.205 Gb/s."""
    return float(f"{gbps:.12g}")


def both_ways(there: float, back: float | None) -> float | tuple[float, float]:
    """Return one value, or both where the way back states another."""
    return there if back is None or back == there else (there, back)


def bundle_of(text: str) -> Bundle | None:
    """Return members and rate of `2x10G` or `10G`; None for another text."""
    match = BUNDLE.fullmatch(text.strip())
    n, rest = (int(match[1]), match[2]) if match else (1, text)
    gbps = rate_gbps(rest)
    return Bundle(n, gbps) if gbps and n > 0 else None


def bundle_in(text: str) -> Bundle | None:
    """Return members and rate that a label names: `OC-192c`, `Peering, 10 Gbps`, `STM-64x2`.

    None for a label without a rate, with a limit or a range, or with several rates.
    """
    whole = bundle_of(text)
    if whole is not None or len(text) > 200 or RANGE.search(text):
        return whole
    found = [_bundle_of_word(match) for match in RATE_WORD.finditer(text)]
    if not found:
        return None
    first = found[0]
    is_one = all(
        each.n_parallel == first.n_parallel
        and abs(each.capacity_gbps - first.capacity_gbps) <= SAME_RATE_RATIO * first.capacity_gbps
        for each in found
    )
    return first if is_one and first.capacity_gbps > 0 and first.n_parallel > 0 else None


def _bundle_of_word(match: re.Match[str]) -> Bundle:
    """Return members and rate of one word of a label."""
    n = int(match["n"] or 1) * int(match["times"] or 1)
    if match["rate"]:
        text = match["rate"].replace(" ", "")
        number = text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/")
        return Bundle(n, _rounded(float(number) * GBPS_OF[text[len(number)].lower()]))
    if match["unit"]:
        return Bundle(n, _rounded(int(match["units"]) * (OC1_GBPS if match["unit"] == "OC" else STM1_GBPS)))
    return Bundle(n, STANDARD_GBPS[match["name"].replace("-", "").upper()])


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
