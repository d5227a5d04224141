"""Masks by link from masks by end or direction. Reductions of numpy over a row of two are ten times slower."""

from __future__ import annotations

from .columns import Bools


def at_both_ends(mask: Bools) -> Bools:
    """Find the links with a true value at both ends; from bool[n_links, 2] to bool[n_links]."""
    return mask[:, 0] & mask[:, 1]


def at_an_end(mask: Bools) -> Bools:
    """Find the links with a true value at one end or both; from bool[n_links, 2] to bool[n_links]."""
    return mask[:, 0] | mask[:, 1]
