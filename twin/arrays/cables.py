"""Fibre that several links share: which spans stand for it."""

from __future__ import annotations

import numpy as np

from .columns import Bools, Ints
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


def new_pairs_by_span(before: State, after: State, n_pairs_before: Ints) -> Ints:
    """Count the fibre pairs that each span has more than before; on a cable, more than any of its links had.

    Args:
        before: state before a change.
        after: state after it.
        n_pairs_before: int64[n_links], pairs of each link of `after` before the change, 0 for a new link.

    Returns:
        int64[n_spans]; of a shared cable, only the spans that count have any.
    """
    link, cable = after["span_link"], after["span_cable"]
    base = n_pairs_before[link]
    if (cable >= 0).any():
        most: dict[str, int] = {}
        pairs = np.repeat(before["link_n_fibre_pairs"], np.diff(before["span_first"]))
        for code, n in zip(before["span_cable"].tolist(), pairs.tolist(), strict=True):
            if code >= 0:
                most[before.srlgs[code]] = max(n, most.get(before.srlgs[code], 0))
        on_cable = np.array([*(most.get(name, 0) for name in after.srlgs), 0], dtype=np.int64)[cable]
        base = np.where(cable >= 0, on_cable, base)
    return np.asarray(np.maximum(after["link_n_fibre_pairs"][link] - base, 0) * counted_spans(after))
