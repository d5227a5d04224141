"""Rounding to significant digits, so that sums in another order count as equal, to the last bit."""

from __future__ import annotations

import numpy as np

from .columns import Floats

N_DIGITS = 11
"""Digits to which figures of equal things agree; sums in another order differ in the last ones."""


def rounded(number: float) -> float:
    """Round a number to N_DIGITS significant digits."""
    return float(f"{number:.{N_DIGITS}g}")


def rounded_column(column: Floats) -> Floats:
    """Round each finite value of a column to N_DIGITS significant digits; float64[n]."""
    out = np.array(column, dtype=np.float64)
    finite = np.isfinite(out) & (out != 0)
    scale = 10.0 ** (N_DIGITS - np.ceil(np.log10(np.abs(out[finite]))))
    out[finite] = np.round(out[finite] * scale) / scale
    return out
