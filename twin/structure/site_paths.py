"""Edge-disjoint paths between sites: how many members can fail before two sites are separated."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ..arrays import NO_CODE, Bools, Ints, State
from ..kernels.graph import ArcGraph
from ..kernels.site_flows import site_flows
from .fabric import TooLargeError

MAX_WORK = 20_000_000
"""Most pairs of sites times lit links."""


def disjoint_site_paths(state: State, lit: Bools) -> dict[tuple[str, str], int]:
    """Count the paths between each two sites that share no member of a link.

    The nodes of the two sites count as one end each. Nodes elsewhere that do not forward are on no path. The number is
    also the least number of members whose loss separates the sites (Menger).

    Args:
        state: columns of the network.
        lit: links that carry traffic, bool[n_links].

    Returns:
        Number by pair of site ids, in the order of the ids; empty for fewer than two sites with nodes.

    Raises:
        TooLargeError: too many pairs of sites for the size of the network.
    """
    site = state["node_site"]
    present = np.unique(site[site != NO_CODE]).tolist()
    n_pairs = len(present) * (len(present) - 1) // 2
    rows = np.flatnonzero(lit)
    if n_pairs * max(len(rows), 1) > MAX_WORK:
        raise TooLargeError(f"{n_pairs:,} pairs of sites over {len(rows):,} links are too many to examine")
    if not n_pairs:
        return {}
    pairs = np.array(list(combinations(present, 2)), dtype=np.int64)
    graph = _graph_of(state["link_ends"][rows], state["node_forwards"], len(site))
    n_paths = np.empty(n_pairs, dtype=np.int64)
    site_flows(graph, state.n_members_up[rows], site, pairs, n_paths)
    names = state.sites
    return {(names[a], names[b]): n for (a, b), n in zip(pairs.tolist(), n_paths.tolist(), strict=True)}


def _graph_of(ends: Ints, forwards: Bools, n_nodes: int) -> ArcGraph:
    """Return the links of these ends as arcs, numbered from 0."""
    tail, head = ends.ravel(), ends[:, ::-1].ravel()
    arc = np.argsort(tail, kind="stable")
    first = np.concatenate(([0], np.cumsum(np.bincount(tail, minlength=n_nodes))))
    return ArcGraph(first, arc, head, forwards)
