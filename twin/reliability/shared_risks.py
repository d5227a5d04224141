"""Shared risks: which links one cut takes down together.

A stretch of fibre counts in one risk only: of the risks it lies in, the one with the most paths, or of equals the first
by name. Paths are assumed to run along a risk from its start, for as long as their length in it. A cut of the shorter
length therefore also takes the longer one. A protected link counts as far as both its paths run in the risk. A risk
named on a link covers it from end to end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..arrays import Bools, Floats, Ints, State
from ..arrays.sums import sums_by


class SharedCut(NamedTuple):
    """A stretch of a shared risk, and the links that lose their last path when it is cut."""

    risk: int
    """Code of the risk."""
    length_km: float
    links: Ints
    """Rows of `link_*`, ascending."""


def shared_cuts(state: State, links: Ints) -> tuple[SharedCut, ...]:
    """List the stretches of shared risks whose cut takes some of `links` (rows) down.

    Returns:
        Stretches by risk; within a risk the one that takes the most links comes first.
    """
    risk, link, length_km = _exposed_lengths(state, links)
    cuts = []
    for code in np.unique(risk):
        rows = np.flatnonzero(risk == code)
        rows = rows[np.argsort(length_km[rows], kind="stable")]
        end_km = length_km[rows]
        start_km = np.concatenate((np.zeros(1), end_km[:-1]))
        for i in np.flatnonzero(end_km > start_km):
            cuts.append(SharedCut(int(code), float(end_km[i] - start_km[i]), np.sort(link[rows[i:]])))
    return tuple(cuts)


def risks_without_length(state: State, links: Ints) -> int:
    """Count the shared risks of at least two of `links` (rows) that state fibre for fewer than two of them.

    Nothing states how often such a risk takes links down together, so no stretch of it is among `shared_cuts`.
    """
    selected, has_fibre = np.zeros((2, state.n_links), dtype=np.bool_)
    selected[links] = True
    has_fibre[state["span_link"][state["span_length_km"] > 0]] = True
    link, code = state["srlg_link"], state["srlg_code"]
    pairs = np.unique(code[selected[link]] * state.n_links + link[selected[link]])
    risk = pairs // max(state.n_links, 1)
    n_links = np.bincount(risk, minlength=1)
    n_with_fibre = np.bincount(risk[has_fibre[pairs % max(state.n_links, 1)]], minlength=len(n_links))
    return int(((n_links > 1) & (n_with_fibre < 2)).sum())


def _exposed_lengths(state: State, links: Ints) -> tuple[Ints, Ints, Floats]:
    """(risk, link, km whose cut takes the link down), for pairs with more than 0 km."""
    selected = np.zeros(state.n_links, dtype=np.bool_)
    selected[links] = True
    span, code = _memberships(state, selected)
    link, standby = state["span_link"][span], state["span_standby"][span]
    n_risks = len(state.srlgs)
    paths = np.unique((code * state.n_links + link) * 2 + standby)
    n_paths = np.bincount(paths // (2 * state.n_links), minlength=n_risks) if len(paths) else np.zeros(n_risks)
    order = np.lexsort((code, -n_paths[code], span))
    first = order[np.unique(span[order], return_index=True)[1]]
    span, code, link, standby = span[first], code[first], link[first], standby[first]
    keys, row = np.unique(code * state.n_links + link, return_inverse=True)
    length_km = state["span_length_km"][span]
    working_km, standby_km = (
        sums_by(row.reshape(-1), np.where(standby == path, length_km, 0.0), len(keys)) for path in (False, True)
    )
    risk, link = keys // max(state.n_links, 1), keys % max(state.n_links, 1)
    protected = state["link_protection"][link] >= 0
    down_km = np.where(protected, np.minimum(working_km, standby_km), working_km)
    exposed = down_km > 0
    return risk[exposed], link[exposed], down_km[exposed]


def _memberships(state: State, selected: Bools) -> tuple[Ints, Ints]:
    """(span, risk code) of selected links, each once: risks of the spans, and those of the link for all its spans."""
    n_risks = max(len(state.srlgs), 1)
    in_selected = selected[state["span_link"][state["span_srlg_span"]]]
    span, code = state["span_srlg_span"][in_selected], state["span_srlg_code"][in_selected]
    on_link = selected[state["srlg_link"]]
    link_key = state["srlg_link"][on_link] * n_risks + state["srlg_code"][on_link]
    only_on_link = link_key[~np.isin(link_key, state["span_link"][span] * n_risks + code)]
    first = state["span_first"]
    spans = [np.arange(first[key // n_risks], first[key // n_risks + 1]) for key in only_on_link]
    span = np.concatenate((span, *spans))
    code = np.concatenate((code, np.repeat(only_on_link % n_risks, [len(rows) for rows in spans]).astype(np.int64)))
    return span, code
