"""Sums over records that do not depend on their order, and so not on the names of records."""

from __future__ import annotations

import numpy as np

from ..kernels.sums import exact_total, exact_totals
from .columns import Bools, Floats, Ints


def sum_of(values: Floats) -> float:
    """Sum values of any unit and shape; 0 of none, NaN where one is NaN."""
    return float(exact_total(np.ascontiguousarray(values, dtype=np.float64).reshape(-1)))


def sums_by(row: Ints, values: Floats | Ints | Bools, n: int = 0) -> Floats:
    """Sum values by row.

    Args:
        row: int64[any], >= 0.
        values: float64[any], finite, any unit.
        n: number of rows; more where a row is greater.

    Returns:
        float64[n] in the unit of `values`.
    """
    out = np.zeros(max(n, int(row.max(initial=-1)) + 1))
    exact_totals(np.asarray(row, dtype=np.int64), np.asarray(values, dtype=np.float64), out)
    return out
