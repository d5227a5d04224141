"""Time that a sweep of failures takes, estimated before it starts."""

from __future__ import annotations

from .fabric import Fabric

MAX_S = 600.0
"""Longest study."""
S_PER_PATH = 1.2e-6
"""Time of one failure and destination; a short way."""
S_PER_HOP = 1e-7
"""Time of each hop that a change of flow moves on."""


def sweep_s(fabric: Fabric, n_failures: int, n_destinations: int) -> float:
    """Estimate the time of a sweep.

    Args:
        fabric: the network; the time grows with the hops across it.
        n_failures: failures that are computed, one of each class of equal places.
        n_destinations: nodes that demands leave at.
    """
    return n_failures * n_destinations * (S_PER_PATH + S_PER_HOP * fabric.n_hops_across)
