"""Distinct rows of a table that some columns name, and their numbers."""

from __future__ import annotations

import numpy as np

from .columns import Ints


def distinct_rows(n: int, *columns: Ints) -> tuple[Ints, list[Ints]]:
    """Number the rows that some columns name, in ascending order.

    As `np.unique` with `return_inverse` of all columns together, by a mask in place of sorting.

    Args:
        n: rows of the table.
        columns: rows, 0..n - 1; int64[any] each.

    Returns:
        The distinct rows, ascending, and the position of each entry of each column among them.
    """
    is_named = np.zeros(n, np.bool_)
    for column in columns:
        is_named[column] = True
    distinct = np.flatnonzero(is_named)
    position = np.empty(n, np.int64)
    position[distinct] = np.arange(len(distinct))
    return distinct, [position[column] for column in columns]
