"""Columns by link from columns by end or direction. Reductions of numpy over a row of two are ten times slower."""

from __future__ import annotations

import numpy as np

from .columns import Bools, Floats


def at_both_ends(mask: Bools) -> Bools:
    """Find the links with a true value at both ends; from bool[n_links, 2] to bool[n_links]."""
    return mask[:, 0] & mask[:, 1]


def at_an_end(mask: Bools) -> Bools:
    """Find the links with a true value at one end or both; from bool[n_links, 2] to bool[n_links]."""
    return mask[:, 0] | mask[:, 1]


def greater_of_both(by_arc: Floats) -> Floats:
    """Take the greater value of the two directions of each link; from float64[2 * n_links] to float64[n_links]."""
    return np.maximum(by_arc[0::2], by_arc[1::2])


def lesser_of_both(by_arc: Floats) -> Floats:
    """Take the lesser value of the two directions of each link; from float64[2 * n_links] to float64[n_links]."""
    return np.minimum(by_arc[0::2], by_arc[1::2])
