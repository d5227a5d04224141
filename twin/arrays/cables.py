"""Fibre that several links share: which spans stand for it."""

from __future__ import annotations

import numpy as np

from .columns import Bools
from .state import State


def counted_spans(state: State) -> Bools:
    """Find the spans that count where each stretch of fibre counts once.

    Of the links on a cable the one with the most kilometres of fibre pairs counts, of equals the first by id. Spans
    without a cable all count.

    Returns:
        bool[n_spans].
    """
    cable, link = state["span_cable"], state["span_link"]
    counts = cable < 0
    shared = np.flatnonzero(~counts)
    if not len(shared):
        return np.asarray(counts)
    pair_km = state["span_length_km"] * state["link_n_fibre_pairs"][link]
    keys, row = np.unique(np.stack((cable, link), axis=1)[shared], axis=0, return_inverse=True)
    total_km = np.bincount(row.reshape(-1), weights=pair_km[shared], minlength=len(keys))
    order = np.lexsort((keys[:, 1], -total_km, keys[:, 0]))
    first = order[np.unique(keys[order, 0], return_index=True)[1]]
    counts = counts.copy()
    counts[shared] = np.isin(row.reshape(-1), first)
    return np.asarray(counts)


def new_spans(before: State, after: State) -> Bools:
    """Find the spans that count and whose cable, if they have one, is not in the state before; bool[n_spans]."""
    cable = after["span_cable"]
    if not (cable >= 0).any():
        return np.ones(len(cable), dtype=np.bool_)
    known = {before.srlgs[code] for code in np.unique(before["span_cable"]) if code >= 0}
    is_known = np.array([name in known for name in after.srlgs] + [False], dtype=np.bool_)
    return np.asarray(counted_spans(after) & ~is_known[cable])
