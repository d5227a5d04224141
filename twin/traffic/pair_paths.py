"""Shortest paths of one pair: every distinct path with its share of the traffic, or what separates the two nodes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np

from ..arrays import Bools, Floats, Ints, State
from ..kernels.paths import shortest_hops

MAX_COUNTED = 10**15
"""Paths are counted up to this number."""
SHARE_DECIMALS = 12
"""Shares that differ by less than the last decimal are equal when paths are ordered."""


@dataclass(frozen=True, eq=False)
class DistinctPaths:
    """Distinct shortest paths of one pair; two links between the same nodes are two paths."""

    n_paths: int
    """Number of all paths, at most MAX_COUNTED."""
    share_ratio: Floats
    """Share of the traffic on each listed path, largest first."""
    arcs: tuple[tuple[int, ...], ...]
    """Arcs of each listed path, from the source to the target."""


def distinct_paths(arc: Ints, fraction: Floats, head: Ints, limit: int) -> DistinctPaths:
    """List the paths with the largest shares; equal shares are ordered by the arcs of the trace.

    Time and memory grow with arcs times limit, not with the number of paths.

    Args:
        arc: arcs of the pair in the order of `trace_pair`, int64[n].
        fraction: fraction of the traffic on each, float64[n].
        head: node at the end of each arc of the network.
        limit: most paths to list.

    Returns:
        The number of all paths, and the listed ones.
    """
    if not len(arc):
        return DistinctPaths(0, np.zeros(0), ())
    rows = list(zip(head[arc ^ 1].tolist(), arc.tolist(), head[arc].tolist(), fraction.tolist(), strict=True))
    target = rows[-1][2]
    n_from = {target: 1}
    # the rest of each listed path from a node on: share, arc, and which rest of the next node follows
    rests: dict[int, list[tuple[float, int, int]]] = {target: [(1.0, -1, -1)]}
    for tail, group in groupby(reversed(rows), key=lambda row: row[0]):
        leaving = list(group)[::-1]
        total = sum(row[3] for row in leaving)
        found = [
            (part / total * share, link_arc, i)
            for _, link_arc, other, part in leaving
            for i, (share, _, _) in enumerate(rests[other])
        ]
        n_from[tail] = min(sum(n_from[row[2]] for row in leaving), MAX_COUNTED)
        rests[tail] = sorted(found, key=lambda rest: -round(rest[0], SHARE_DECIMALS))[:limit]
    source = rows[0][0]
    shares = np.array([rest[0] for rest in rests[source]])
    listed = tuple(_arcs_of_path(rests, head, source, i) for i in range(len(shares)))
    return DistinctPaths(n_from[source], shares, listed)


def _arcs_of_path(rests: dict[int, list[tuple[float, int, int]]], head: Ints, node: int, i: int) -> tuple[int, ...]:
    arcs: list[int] = []
    while True:
        _, arc, i = rests[node][i]
        if arc < 0:
            return tuple(arcs)
        arcs.append(arc)
        node = int(head[arc])


def hop_positions(arc: Ints, head: Ints) -> Ints:
    """Return the position of each arc of a trace, from 1: one more than the fewest hops from the source to its tail."""
    if not len(arc):
        return np.zeros(0, dtype=np.int64)
    fewest = {int(head[arc[0] ^ 1]): 0}
    for each in arc.tolist():
        reached = fewest[int(head[each ^ 1])] + 1
        fewest[int(head[each])] = min(reached, fewest.get(int(head[each]), reached))
    return np.array([fewest[int(head[each ^ 1])] + 1 for each in arc.tolist()], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Separation:
    """Links and nodes between the part of the network that the source reaches and the target."""

    n_reached: int
    """Nodes that the source reaches, itself included."""
    links: Ints
    """Links without traffic whose repair would reach further towards the target."""
    nodes: Ints
    """Nodes with links towards the target that do not forward."""


def separation(state: State, routed: Bools, source: int, target: int) -> Separation:
    """Find what separates two nodes without a path.

    If the target could be reached over links that carry no traffic, these are links that leave the reached part towards
    the target. Otherwise, nodes that do not forward are named. Both are empty if no links join the two nodes at all.

    Args:
        state: columns of the network.
        routed: links that carry traffic, bool[n_links].
        source: node row.
        target: node row, which the source does not reach.

    Returns:
        Rows of links and nodes, ascending.
    """
    ends, forwards = state["link_ends"], state["node_forwards"]
    every_link = np.ones(state.n_links, dtype=np.bool_)
    reached = _reach(state, routed, source)
    n_reached = int(reached.sum())
    nothing = np.zeros(0, dtype=np.int64)
    if _reach(state, every_link, source)[target]:
        passes_from, passes_to = forwards.copy(), forwards.copy()
        passes_from[source] = passes_to[target] = True
        beyond = _reach(state, ~reached[ends].any(axis=1), target)
        near, far = reached & passes_from, beyond & passes_to
        return Separation(n_reached, np.flatnonzero(_between(ends, near, far)), nothing)
    reached = _reach(state, every_link, source)
    beyond = _reach(state, ~reached[ends].any(axis=1), target, forwards=np.ones_like(forwards))
    end_rows = ends[_between(ends, reached, beyond)].ravel()
    nodes = np.unique(end_rows[reached[end_rows]]) if len(end_rows) else nothing
    return Separation(n_reached, nothing, nodes)


def _reach(state: State, usable: Bools, start: int, forwards: Bools | None = None) -> Bools:
    """Nodes that a node reaches over usable links, itself included; bool[n_nodes]."""
    graph = state.graph if forwards is None else state.graph._replace(forwards=forwards)
    hops = np.empty((1, state.n_nodes))
    shortest_hops(graph, usable, np.array([start], dtype=np.int64), hops)
    return np.asarray(np.isfinite(hops[0]))


def _between(ends: Ints, near: Bools, far: Bools) -> Bools:
    """Links with one end in each of two sets of nodes; bool[n_links]."""
    tail, head = ends.T
    return np.asarray((near[tail] & far[head]) | (near[head] & far[tail]))
