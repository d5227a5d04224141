"""Edge-disjoint paths between groups of nodes: maximum flows whose capacities are numbers of members."""

import numpy as np
import numpy.typing as npt

from twin.kernels.graph import ArcGraph
from twin.kernels.jit import kernel, scratch_kernel


@kernel
def site_flows(
    graph: ArcGraph,
    members: npt.NDArray[np.int64],
    site: npt.NDArray[np.int64],
    pairs: npt.NDArray[np.int64],
    out_n: npt.NDArray[np.int64],
) -> None:
    """Count the paths between the nodes of two sites that share no member, for each pair of sites.

    Args:
        graph: the links that carry traffic, numbered from 0.
        members: int64[n_links], members of each link.
        site: int64[n_nodes], site of each node; -1 for none.
        pairs: int64[n_pairs, 2], two different sites each.
        out_n: int64[n_pairs], overwritten.

    Source:
        Shortest augmenting paths, Edmonds and Karp (1972). The nodes of a site are one end: the search starts at all of
        them at once.
    """
    n_nodes = site.size
    n_sites = site.max() + 1
    first, node = np.zeros(n_sites + 1, np.int64), np.empty(n_nodes, np.int64)
    outside = np.zeros(n_sites, np.int64)
    for v in range(n_nodes):
        if site[v] >= 0:
            first[site[v] + 1] += 1
            for i in range(graph.first[v], graph.first[v + 1]):
                arc = graph.arc[i]
                if site[graph.head[arc]] != site[v]:
                    outside[site[v]] += members[arc >> 1]
    for i in range(n_sites):
        first[i + 1] += first[i]
    filled = first[:-1].copy()
    for v in range(n_nodes):
        if site[v] >= 0:
            node[filled[site[v]]] = v
            filled[site[v]] += 1
    left, came_by = np.empty(graph.head.size, np.int64), np.empty(n_nodes, np.int64)
    queue = np.empty(n_nodes, np.int64)
    for pair in range(len(pairs)):
        a, b = pairs[pair]
        for arc in range(left.size):
            left[arc] = members[arc >> 1]
        at_most = min(outside[a], outside[b])
        n = 0
        while n < at_most:
            end = _search(graph, left, site, node[first[a] : first[a + 1]], b, came_by, queue)
            if end < 0:
                break
            n += _augment(graph, left, came_by, end)
        out_n[pair] = n


@scratch_kernel
def _search(
    graph: ArcGraph,
    left: npt.NDArray[np.int64],
    site: npt.NDArray[np.int64],
    starts: npt.NDArray[np.int64],
    target: int,
    came_by: npt.NDArray[np.int64],
    queue: npt.NDArray[np.int64],
) -> int:
    """Return the first node of the target site that is reached over members that are left; -1 if none is.

    `came_by` is the arc that led to each node, -1 for nodes that were not reached, -2 for those of the start. Nodes
    that do not forward are reached, but not passed.
    """
    came_by[:] = -1
    n_queued = 0
    for v in starts:
        came_by[v] = -2
        queue[n_queued] = v
        n_queued += 1
    i = 0
    while i < n_queued:
        v = queue[i]
        i += 1
        for j in range(graph.first[v], graph.first[v + 1]):
            arc = graph.arc[j]
            w = graph.head[arc]
            if came_by[w] != -1 or left[arc] == 0:
                continue
            came_by[w] = arc
            if site[w] == target:
                return int(w)
            if graph.forwards[w]:
                queue[n_queued] = w
                n_queued += 1
    return -1


@scratch_kernel
def _augment(graph: ArcGraph, left: npt.NDArray[np.int64], came_by: npt.NDArray[np.int64], end: int) -> int:
    """Use up the members of the path that was found to a node; return their number."""
    n, v = left[came_by[end]], end
    while came_by[v] >= 0:
        n = min(n, left[came_by[v]])
        v = graph.head[came_by[v] ^ 1]
    v = end
    while came_by[v] >= 0:
        arc = came_by[v]
        left[arc] -= n
        left[arc ^ 1] += n
        v = graph.head[arc ^ 1]
    return int(n)
