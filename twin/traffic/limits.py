"""Arcs that limit demands: where a max-min fair rate is below the offered one."""

from __future__ import annotations

import numpy as np

from ..arrays import Floats, Ints
from ..arrays.sums import sums_by
from .congestion import arcs_of_pairs
from .routes import Routes

REL_TOLERANCE = 1e-9
"""Rates and loads that differ by less, as a share of the larger one, are equal."""


def limiting_arcs(routes: Routes, offered_gbps: Floats, carried_gbps: Floats, capacity_gbps: Floats) -> Ints:
    """Find the arc that limits each pair whose carried rate is below the offered one.

    A max-min fair rate is limited by a full arc on which no other pair has a larger rate. Of several such arcs, the
    answer is the one with the most offered load over capacity, then the one with the lowest number.

    Args:
        routes: routes of the pairs.
        offered_gbps: float64[n_pairs].
        carried_gbps: float64[n_pairs]; NaN where it is unknown.
        capacity_gbps: float64[2 * n_links]; NaN where the rate of an arc is unknown.

    Returns:
        int64[n_pairs]; -1 for a pair that is not limited, has no path, or whose rate is unknown.

    Source:
        Bertsekas and Gallager, Data Networks, 6.5.2: each rate of a max-min fair vector has a bottleneck link.
    """
    out = np.full(len(offered_gbps), -1, dtype=np.int64)
    is_limited = carried_gbps < offered_gbps * (1.0 - REL_TOLERANCE)
    if not is_limited.any():
        return out
    first, arc, fraction = arcs_of_pairs(routes, len(offered_gbps), np.ones(routes.n_arcs, np.bool_))
    pair = np.repeat(np.arange(len(offered_gbps)), np.diff(first))
    used = fraction > 0.0
    pair, arc, fraction = pair[used], arc[used], fraction[used]
    known_gbps = np.nan_to_num(carried_gbps)
    n_arcs = len(capacity_gbps)
    load_gbps = sums_by(arc, known_gbps[pair] * fraction, n_arcs)
    pressure_gbps = sums_by(arc, offered_gbps[pair] * fraction, n_arcs)
    largest_gbps = np.zeros(n_arcs)
    np.maximum.at(largest_gbps, arc, known_gbps[pair])
    full = load_gbps >= capacity_gbps * (1.0 - REL_TOLERANCE)
    limits = is_limited[pair] & full[arc] & (known_gbps[pair] >= largest_gbps[arc] * (1.0 - REL_TOLERANCE))
    pair, arc = pair[limits], arc[limits]
    with np.errstate(divide="ignore"):
        excess = pressure_gbps[arc] / capacity_gbps[arc]
    order = np.argsort(-excess, kind="stable")  # arcs of a pair ascend already
    pairs, rows = np.unique(pair[order], return_index=True)
    out[pairs] = arc[order][rows]
    return out
