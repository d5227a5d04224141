"""Edge-disjoint paths between sites: how many members can fail before two sites are separated."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_flow

from ..arrays import NO_CODE, Bools, Ints, State
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
    pairs = list(combinations(present, 2))
    rows = np.flatnonzero(lit)
    if len(pairs) * max(len(rows), 1) > MAX_WORK:
        raise TooLargeError(f"{len(pairs):,} pairs of sites over {len(rows):,} links are too many to examine")
    ends, members = state["link_ends"][rows], state.n_members_up[rows]
    names = state.sites
    return {(names[a], names[b]): _n_disjoint(site, state["node_forwards"], ends, members, (a, b)) for a, b in pairs}


def _n_disjoint(site: Ints, forwards: Bools, ends: Ints, members: Ints, pair: tuple[int, int]) -> int:
    """Maximum flow between two sites, each merged to one vertex: 0 and 1."""
    vertex = np.arange(len(site)) + 2
    for i, code in enumerate(pair):
        vertex[site == code] = i
    passes = forwards | np.isin(site, pair)
    used = passes[ends].all(axis=1) & (vertex[ends[:, 0]] != vertex[ends[:, 1]])
    tail, head = vertex[ends[used]].T
    n = len(site) + 2
    both = np.concatenate((tail, head)), np.concatenate((head, tail))
    amount = np.concatenate((members[used], members[used])).astype(np.int32)
    capacity = csr_matrix((amount, both), shape=(n, n), dtype=np.int32)
    return int(maximum_flow(capacity, 0, 1).flow_value)
