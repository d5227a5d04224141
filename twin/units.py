"""Units live in names: the table of suffixes is the authority, and a few constants sit beside it."""

from __future__ import annotations

SPEED_OF_LIGHT_KM_PER_S = 299_792.458
"""Vacuum, exact by the definition of the metre."""
HOURS_PER_MONTH = 730.0
DAYS_PER_YEAR = 365.25
MONTHS_PER_YEAR = 12.0

SUFFIXES: dict[str, str] = {
    "gbps": "Gb/s",
    "bps": "b/s",
    "bytes": "B",
    "bits": "b",
    "gbit": "Gb",
    "us": "µs",
    "s": "s",
    "km": "km",
    "m": "m",
    "db": "dB",
    "dbm": "dBm",
    "mw": "mW",
    "w": "W",
    "megawatts": "MW",
    "thz": "THz",
    "ghz": "GHz",
    "mhz": "MHz",
    "gbd": "GBd",
    "nm": "nm",
    "um2": "µm²",
    "ps": "ps",
    "usd": "USD",
    "years": "a",
    "year": "a",
    "months": "mo",
    "month": "mo",
    "days": "d",
    "day": "d",
    "hour": "h",
    "minutes": "min",
    "h": "h",
    "fit": "FIT",
    "ratio": "1",
    "flops": "FLOP/s",
    "tflops": "TFLOP/s",
    "pflop": "PFLOP",
    "flop": "FLOP",
    "tokens": "tokens",
    "deg": "°",
    "mwh": "MWh",
    "accelerator": "accelerator",
    "unit": "unit",
    "mile": "mile",
    "pair": "pair",
    "parameter": "parameter",
    "port": "port",
    "sqrt": "√",
}
"""Last word of a name -> unit as printed. Compounds join words of this table with `_per_`."""

QUALIFIERS = {"effective": "", "million": "million "}
"""Words that may stand before a unit in a compound without being one -> how the unit shows them."""


def unit_of(name: str) -> str | None:
    """The unit that a field's or metric's name carries, or None: `n_links` -> count, `tokens_per_s` -> tokens/s."""
    if name.startswith("n_"):
        return "1"
    if "_per_" not in name:
        return SUFFIXES.get(name.rsplit("_", 1)[-1])
    first, *rest = name.split("_per_")
    units = [SUFFIXES.get(first.rsplit("_", 1)[-1])]
    before = ""
    for word in (word for part in rest for word in part.split("_")):
        if word in QUALIFIERS:
            before = QUALIFIERS[word]
            continue
        unit = SUFFIXES.get(word)
        units.append(unit if unit is None else before + unit)
        before = ""
    return None if None in units else "/".join(str(unit) for unit in units)
