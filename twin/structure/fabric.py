"""The lit part of a network: its end points, what they are attached to, and the graph of forwarding nodes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ..arrays import LAST_END_POINT, NODE_KINDS, Bools, Ints, State, at_both_ends

MAX_LINKS = 400_000
"""Links up to which the structure is computed."""
NAMES = {"rack": "rack", "host": "host", "storage": "storage node"}
"""Names of end points for readers, by kind."""
MAX_KINDS_OF_ATTACHMENT = 2000
"""Different sets of attachments that are compared pair by pair."""


class TooLargeError(Exception):
    """Raised for a network beyond a stated size; its text is the reason why a figure has no value."""


@dataclass(frozen=True, eq=False)
class Fabric:
    """Lit links between nodes, and the end points whose connection counts.

    Vertices are the nodes, then one for each two nodes that do not forward and have links between them.
    End points are racks, hosts and storage that are up; with fewer than two in the network, leaves; with fewer than two
    of these, all nodes that are up. A network of switches with one server is not judged by this server.
    """

    n_nodes: int
    ends: Ints
    """Vertices of each edge, int64[n_edges, 2]; an edge is a lit link, or half of a direct link."""
    links: Ints
    """Row of the link of each edge, int64[n_edges]."""
    forwards: Bools
    end_points: Ints
    """Rows of the end points, ascending."""
    first_direct: int
    """Number of nodes of the network; vertices from here on stand for links, not for nodes."""
    kind: str
    """Name of the end points for readers: `host`, `rack`, `storage node`, `end point` (several), `leaf` or `node`."""

    @cached_property
    def between_forwarding(self) -> Ints:
        """Positions of lit links whose ends both forward."""
        return np.flatnonzero(at_both_ends(self.forwards[self.ends]))

    @cached_property
    def part_of_node(self) -> Ints:
        """Part of the graph of forwarding nodes that a node is in; a node that does not forward is alone."""
        return components(self.ends[self.between_forwarding], self.n_nodes)

    @cached_property
    def attachments(self) -> tuple[Ints, Ints]:
        """(position among the end points, node) of each attachment, each pair once.

        An end point that forwards is attached to itself. One that does not is attached to its forwarding neighbours.
        """
        position = np.full(self.n_nodes, -1)
        position[self.end_points] = np.arange(len(self.end_points))
        tail, head = np.concatenate((self.ends, self.ends[:, ::-1])).T
        is_attachment = (position[tail] >= 0) & ~self.forwards[tail] & self.forwards[head]
        own = self.end_points[self.forwards[self.end_points]]
        keys = np.concatenate(
            (position[tail[is_attachment]] * self.n_nodes + head[is_attachment], position[own] * self.n_nodes + own)
        )
        keys = np.unique(keys)
        return keys // max(self.n_nodes, 1), keys % max(self.n_nodes, 1)

    @cached_property
    def n_neighbours(self) -> Ints:
        """Different vertices that each vertex has a lit link to; int64[n_nodes]."""
        tail, head = np.concatenate((self.ends, self.ends[:, ::-1])).T
        keys = np.unique(tail * self.n_nodes + head)
        return np.bincount(keys // max(self.n_nodes, 1), minlength=self.n_nodes)

    def signatures(self, part_of_node: Ints) -> dict[frozenset[int], int]:
        """Count the end points by the set of parts that they are attached to; a lone one has the empty set.

        part_of_node: part of each forwarding node, int64[n_nodes]. Two end points that share a part reach each other.
        """
        end_point, node = self.attachments
        parts = part_of_node[node]
        n_attached = np.bincount(end_point, minlength=len(self.end_points))
        single = n_attached[end_point] == 1
        counts: dict[frozenset[int], int] = {}
        for part, n in zip(*np.unique(parts[single], return_counts=True), strict=True):
            counts[frozenset((int(part),))] = int(n)
        sets: dict[int, set[int]] = {}
        for i, part in zip(end_point[~single].tolist(), parts[~single].tolist(), strict=True):
            sets.setdefault(i, set()).add(part)
        for found in sets.values():
            key = frozenset(found)
            counts[key] = counts.get(key, 0) + 1
        n_lone = int((n_attached == 0).sum())
        return counts | ({frozenset(): n_lone} if n_lone else {})


def fabric_of(state: State, lit: Bools) -> Fabric:
    """Return the lit part of a network.

    Args:
        state: columns of the network.
        lit: links that carry traffic, bool[n_links].

    Raises:
        TooLargeError: more than MAX_LINKS links.
    """
    if state.n_links > MAX_LINKS:
        raise TooLargeError(f"{state.n_links:,} links; the structure is computed up to {MAX_LINKS:,}")
    return _fabric(state, np.flatnonzero(lit), state["node_up"])


def fabric_as_built(state: State) -> Fabric:
    """Return the whole network, with links and end points that are down."""
    return _fabric(state, np.arange(state.n_links), np.ones(state.n_nodes, dtype=np.bool_))


def _fabric(state: State, rows: Ints, up: Bools) -> Fabric:
    """Collect some links, and the end points of the network that are up."""
    chosen, name = _end_points(state["node_kind"])
    ends, links = state["link_ends"][rows], rows
    forwards = state["node_forwards"]
    # links between two nodes that do not forward join just these two: one vertex stands for all of them
    is_direct = ~forwards[ends].any(axis=1)
    pairs, pair = np.unique(np.sort(ends[is_direct], axis=1), axis=0, return_inverse=True)
    vertices = state.n_nodes + pair.reshape(-1)
    halves = [np.stack((ends[is_direct][:, side], vertices), axis=1) for side in (0, 1)]
    return Fabric(
        n_nodes=state.n_nodes + len(pairs),
        ends=np.concatenate((ends[~is_direct], *halves)),
        links=np.concatenate((links[~is_direct], links[is_direct], links[is_direct])),
        forwards=np.concatenate((forwards, np.ones(len(pairs), dtype=np.bool_))),
        end_points=np.flatnonzero(chosen & up),
        first_direct=state.n_nodes,
        kind=name,
    )


def _end_points(kind: Ints) -> tuple[Bools, str]:
    """Return the nodes whose connection counts, and their name."""
    is_host, is_leaf = kind <= LAST_END_POINT, kind == NODE_KINDS.index("leaf")
    if is_host.sum() > 1:
        kinds = np.unique(kind[is_host])
        return is_host, NAMES[NODE_KINDS[int(kinds[0])]] if len(kinds) == 1 else "end point"
    return (is_leaf, "leaf") if is_leaf.sum() > 1 else (np.ones(len(kind), dtype=np.bool_), "node")


def components(ends: Ints, n_nodes: int) -> Ints:
    """Return the component of each node in the graph of these links; ends: int64[n, 2]."""
    adjacency = coo_matrix((np.ones(len(ends), np.bool_), (ends[:, 0], ends[:, 1])), shape=(n_nodes, n_nodes))
    return np.asarray(connected_components(adjacency, directed=False)[1], dtype=np.int64)
