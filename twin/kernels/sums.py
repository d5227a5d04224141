"""Sums of floats that do not depend on the order of their terms.

Each sum keeps what rounding took from it. Total and rest together have twice the digits of a float, so that another
order of the terms, after other names of nodes for example, gives the same float.

Source: Knuth, The Art of Computer Programming 2 (1997), 4.2.2, theorem B; Ogita, Rump and Oishi, Accurate sum and dot
product, SIAM J. Sci. Comput. 26 (2005), algorithm 4.4.
"""

import numpy as np
import numpy.typing as npt

from twin.kernels.jit import inner_kernel, kernel


@inner_kernel
def lost_in_sum(before: float, term: float, after: float) -> float:
    """Return what rounding took from `after` = `before` + `term`; exact for finite numbers."""
    part = after - before
    return (before - (after - part)) + (term - part)


@inner_kernel
def add_exactly(total: npt.NDArray[np.float64], rest: npt.NDArray[np.float64], row: int, term: float) -> None:
    """Add a finite term to one of the totals, and what rounding takes from it to its rest."""
    before = total[row]
    total[row] = before + term
    rest[row] += lost_in_sum(before, term, total[row])


@kernel
def exact_total(values: npt.NDArray[np.float64]) -> float:
    """Return the sum of values, of any unit, infinite ones included; float64[n]."""
    total, rest = 0.0, 0.0
    for value in values:
        before = total
        total = before + value
        if np.isfinite(total):
            rest += lost_in_sum(before, value, total)
    return total + rest


@kernel
def exact_totals(
    row: npt.NDArray[np.int64], values: npt.NDArray[np.float64], out_total: npt.NDArray[np.float64]
) -> None:
    """Add the values to the totals of their rows.

    Args:
        row: int64[n], 0 to the number of totals - 1.
        values: float64[n], finite, any unit.
        out_total: float64[n_totals], added to.
    """
    rest = np.zeros(out_total.size)
    for k in range(row.size):
        add_exactly(out_total, rest, row[k], values[k])
    for i in range(rest.size):
        out_total[i] += rest[i]
