"""Quantities as text for sentences: shares, frequencies, durations, bytes, money."""

from __future__ import annotations

from collections.abc import Sequence

MINUS = "−"
HOURS_PER_DAY, DAYS_PER_YEAR, DAYS_PER_MONTH = 24.0, 365.25, 30.4375
NOISE_RATIO = 1e-6
"""Smaller changes, as a share of the larger value, are rounding."""
MAX_NAMES = 3
"""Number of names that a sentence lists."""
FOUR_DIGITS_USD = 9.995e9
"""Money from here on has four digits: what is rounded away of three is tens of millions."""
FEW_TIMES = 20.0
"""Ratios from here on are shown as multiples, not as per cent."""


def percent_text(ratio: float) -> str:
    """Return a share as per cent with three digits; more digits close to 100 %, so that 99.98 % is not 100 %.

    From FEW_TIMES on it is a multiple: a load of 70 times a capacity, not of 7,000 %.
    """
    if abs(ratio) >= FEW_TIMES:
        return f"{ratio:,.0f} times".replace("-", MINUS)
    percent = 100.0 * ratio
    if 99.0 < percent < 100.0:
        text = f"{percent:.2f}" if percent < 99.995 else f"{percent:.4f}"
    elif abs(percent) >= 100.0:
        text = f"{percent:,.0f}"
    else:
        text = f"{percent:.3g}"
    return f"{text} %".replace("-", MINUS)


def change_percent_text(before: float, after: float) -> str:
    """Return a change as signed per cent without decimals; one decimal below 10 %, empty for values below 0."""
    if before <= 0 or after < 0:
        return ""
    percent = 100.0 * (after / before - 1.0)
    if is_noise(before, after):
        return "0 %"
    size = abs(percent)
    text = f"{percent:+,.0f}" if size >= 9.95 else f"{percent:+.1f}" if size >= 0.95 else f"{percent:+.2g}"
    return f"{text} %".replace("-", MINUS)


def is_noise(before: float, after: float) -> bool:
    """Tell whether a change is rounding."""
    return abs(after - before) <= NOISE_RATIO * max(abs(before), abs(after))


MIN_PER_YEAR = 1e-9
"""Least rate that is stated as a number."""


def frequency_text(n_per_year: float) -> str:
    """Return a rate of events: `once in 19 years`, `4 a year`, `25 a day`."""
    if n_per_year <= 0:
        return "never"
    n_per_day = n_per_year / DAYS_PER_YEAR
    if n_per_day >= 1.0:
        return f"{_digits(n_per_day)} a day"
    if n_per_year >= 1.5:
        return f"{_digits(n_per_year)} a year"
    if n_per_year < MIN_PER_YEAR:
        return "less than once in a billion years"
    years = 1.0 / n_per_year
    if years >= 1e6:
        return f"once in {_digits(years / 1e6)} million years"
    return "once a year" if years < 1.05 else f"once in {_digits(years)} years"


def hours_text(hours: float) -> str:
    """Return a duration in the unit that suits it: seconds, minutes, hours, days or years."""
    seconds = hours * 3600.0
    if seconds < 90.0:
        return f"{_digits(seconds)} s"
    if hours < 1.5:
        return f"{_digits(seconds / 60.0)} min"
    if hours < 2.0 * HOURS_PER_DAY:
        return f"{_digits(hours)} h"
    days = hours / HOURS_PER_DAY
    return f"{_digits(days)} days" if days < DAYS_PER_YEAR else f"{_digits(days / DAYS_PER_YEAR)} years"


def bytes_text(n_bytes: float) -> str:
    """Return bytes in kB, MB or GB with two or three digits."""
    for size, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if n_bytes >= size:
            return f"{n_bytes / size:.3g} {unit}"
    return f"{n_bytes:.0f} B"


def rate_text(gbps: float) -> str:
    """Return a rate in Gb/s or, from 10,000 Gb/s on, in Tb/s: `400 Gb/s`, `1,638 Tb/s`."""
    value, unit = (gbps / 1e3, "Tb/s") if abs(gbps) >= 1e4 else (gbps, "Gb/s")
    return f"{value:,.4g} {unit}" if abs(value) < 1e4 else f"{value:,.0f} {unit}"


def usd_text(usd: float) -> str:
    """Return money with three digits, four from 10 billion on: `$5.46M`, `$26.04B`, `$254k`."""
    sign = MINUS if usd < 0 else ""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(usd) >= 0.9995 * size:
            return f"{sign}${abs(usd) / size:.{4 if abs(usd) >= FOUR_DIGITS_USD else 3}g}{letter}"
    return f"{sign}${abs(usd):.3g}"


def names_text(names: Sequence[str], limit: int = MAX_NAMES) -> str:
    """Return the first names of a list, and how many more there are."""
    listed = ", ".join(names[:limit])
    return listed if len(names) <= limit else f"{listed} and {len(names) - limit:,} more"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.2g}"
