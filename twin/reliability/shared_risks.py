"""Which links one cut takes at once: stretches of glass that lie in a shared risk together.

A stretch is counted in one risk: of those it lies in, the one with the most paths, the first by name of equals. Paths
are taken to lie along a risk from its start, as far as their length in it goes, so that of two the shorter length is
cut with the longer one; that of a protected link, as far as both its paths go. A risk named on a link itself covers it
from end to end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..arrays import Ints, State


class SharedCut(NamedTuple):
    """A stretch of a shared risk, and the links that lose their last path when it is cut."""

    risk: int
    """Code of the risk."""
    length_km: float
    links: Ints
    """Rows of `link_*`, ascending."""


def shared_cuts(state: State, links: Ints) -> tuple[SharedCut, ...]:
    """Stretches that take some of `links` (rows) down, by risk, the one that takes the most links first."""
    risk, link, length_km = _in_risks(state, links)
    found = []
    for code in np.unique(risk):
        here = np.flatnonzero(risk == code)
        here = here[np.argsort(length_km[here], kind="stable")]
        reach = length_km[here]
        before = np.concatenate((np.zeros(1), reach[:-1]))
        for i in np.flatnonzero(reach > before):
            found.append(SharedCut(int(code), float(reach[i] - before[i]), np.sort(link[here[i:]])))
    return tuple(found)


def _in_risks(state: State, links: Ints) -> tuple[Ints, Ints, np.ndarray]:
    """(risk, link, km whose cut takes the link down) of links and risks where there is any."""
    chosen = np.zeros(state.n_links, dtype=np.bool_)
    chosen[links] = True
    span, code = _memberships(state, chosen)
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
        np.bincount(row.reshape(-1), weights=np.where(standby == path, length_km, 0.0), minlength=len(keys))
        for path in (False, True)
    )
    risk, link = keys // max(state.n_links, 1), keys % max(state.n_links, 1)
    protected = state["link_protection"][link] >= 0
    down_km = np.where(protected, np.minimum(working_km, standby_km), working_km)
    kept = down_km > 0
    return risk[kept], link[kept], down_km[kept]


def _memberships(state: State, chosen: np.ndarray) -> tuple[Ints, Ints]:
    """(span, code) of chosen links, each once: risks of the spans, and those of the link for all of its spans."""
    n_risks = max(len(state.srlgs), 1)
    of_spans = chosen[state["span_link"][state["span_srlg_span"]]]
    span, code = state["span_srlg_span"][of_spans], state["span_srlg_code"][of_spans]
    listed = chosen[state["srlg_link"]]
    link_key = state["srlg_link"][listed] * n_risks + state["srlg_code"][listed]
    own = link_key[~np.isin(link_key, state["span_link"][span] * n_risks + code)]
    spans = [np.arange(state["span_first"][key // n_risks], state["span_first"][key // n_risks + 1]) for key in own]
    span = np.concatenate((span, *spans))
    code = np.concatenate((code, np.repeat(own % n_risks, [len(rows) for rows in spans]).astype(np.int64)))
    return span, code
