"""Orbits of a network: nodes and links that exchanges of equal nodes carry to each other, while some nodes stay fixed.

An exchange starts with two nodes of one colour and grows: what hangs at one of them is exchanged with what hangs at
the other in the same way. It counts only if it then keeps every arc of the nodes that it moves. So a whole rail can
change places with another one, although both hang at the same racks and border routers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..arrays import Bools, Ints
from ..kernels.graph import UsableArcs
from ..traffic.twin_nodes import arcs_of
from .reduced import ArcIndex, ordinals
from .symmetry import colours

MAX_STEPS = 3_000_000
"""Most arcs that exchanges look at; nodes whose exchange is not found in time stay apart."""
MAX_TRIES = 3
"""Most nodes of other orbits of one colour that a node is tried with."""


@dataclass(frozen=True, eq=False)
class Orbits:
    """The least node and the least link of the orbit of each."""

    node: Ints
    """int64[n_nodes]."""
    link: Ints
    """int64[n_links]."""


def find_orbits(ends: Ints, arc_code: Ints, forwards: Bools, fixed: Bools, wanted: Bools) -> Orbits:
    """Find orbits under exchanges that keep all arcs and the fixed nodes.

    Args:
        ends: int64[n_links, 2].
        arc_code: int64[2 * n_links], equal for arcs that are equal in both directions, their end nodes included.
        forwards: nodes that carry traffic of others, bool[n_nodes].
        fixed: nodes that stay in their place, bool[n_nodes].
        wanted: nodes whose orbits matter, bool[n_nodes]; others may stay apart.
    """
    n_nodes = len(forwards)
    tail, head = ends.reshape(-1), np.ascontiguousarray(ends[:, ::-1]).reshape(-1)
    order = np.lexsort((arc_code, head, tail))
    ones = np.ones(len(tail))
    arcs = arcs_of(tail[order], head[order], ones, ones, forwards)
    nodes = np.arange(n_nodes)
    colour = colours(arcs, arc_code[order], nodes, ~fixed & (np.diff(arcs.first) > 0))
    search = _Search(arcs, arc_code[order], colour)
    search.run(wanted & ~fixed)
    n_codes = int(arc_code.max(initial=0)) + 1
    ordinal = ordinals((tail * n_nodes + head) * n_codes + arc_code)
    index = ArcIndex(n_nodes, n_codes, int(ordinal.max(initial=0)) + 1, tail, head, arc_code, ordinal)
    pairs = [np.zeros((2, 0), np.int64)]
    for image in search.images:
        moved = np.flatnonzero((image != nodes)[ends].any(axis=1))
        pairs.append(np.stack((moved, index.find(image[tail[2 * moved]], image[head[2 * moved]], 2 * moved) // 2)))
    of_nodes = [np.stack((nodes, image)) for image in search.images]
    return Orbits(least_connected(of_nodes, n_nodes), least_connected(pairs, len(ends)))


def least_connected(pairs: list[Ints], n: int) -> Ints:
    """Return the least entry that pairs connect each entry with, int64[n].

    Args:
        pairs: entries that belong together, int64[2, any] each.
        n: number of entries.
    """
    a, b = np.concatenate([np.zeros((2, 0), np.int64), *pairs], axis=1)
    _, label = connected_components(coo_array((np.ones(len(a), np.int8), (a, b)), shape=(n, n)), directed=False)
    _, first = np.unique(label, return_index=True)
    return np.asarray(first[label])


class _Search:
    """Exchanges of nodes of one network, found one after the other."""

    def __init__(self, arcs: UsableArcs, arc_code: Ints, colour: Ints) -> None:
        self.images: list[Ints] = []
        """Nodes that stand at the place of each node, int64[n_nodes] by exchange."""
        self._colour = colour
        n_codes = int(arc_code.max(initial=0)) + 1
        self._first, self._head = arcs.first.tolist(), arcs.head.astype(np.int64).tolist()
        self._kind: list[int] = (colour[arcs.head] * n_codes + arc_code).tolist()
        self._code: list[int] = arc_code.tolist()
        self._parent = list(range(len(colour)))
        self._n_steps = 0

    def run(self, chosen: Bools) -> None:
        """Look for exchanges of chosen nodes."""
        nodes = np.flatnonzero(chosen)
        nodes = nodes[np.argsort(self._colour[nodes], kind="stable")]
        bounds = np.flatnonzero(np.diff(self._colour[nodes])) + 1
        for cell in np.split(nodes, bounds):
            apart = [int(cell[0])] if len(cell) else []
            for node in cell[1:].tolist():
                if self._n_steps > MAX_STEPS:
                    return
                if any(self._root(node) == self._root(other) for other in apart):
                    continue
                if not any(self._exchange(other, node) for other in apart[:MAX_TRIES]):
                    apart.append(node)

    def _root(self, node: int) -> int:
        parent = self._parent
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def _exchange(self, a: int, b: int) -> bool:
        """Exchange two nodes, and keep the exchange if nothing else changes."""
        found = self._grow(a, b)
        if found is None or not self._keeps_arcs(found):
            return False
        image = np.arange(len(self._parent))
        image[list(found)] = list(found.values())
        self.images.append(image)
        for node, other in found.items():
            self._parent[self._root(node)] = self._root(other)
        return True

    def _arcs(self, node: int) -> list[tuple[int, int]]:
        """(kind, head) of the arcs of a node: colour of the head and code of the arc."""
        rows = slice(self._first[node], self._first[node + 1])
        self._n_steps += rows.stop - rows.start
        return list(zip(self._kind[rows], self._head[rows], strict=True))

    def _grow(self, a: int, b: int) -> dict[int, int] | None:
        """Find the nodes to exchange so that the neighbours of each become those of its image; None if there are none.

        Neighbours of both stay; the others of one kind are paired in their order.
        """
        image, waiting = {a: b, b: a}, [(a, b)]
        while waiting:
            pair = waiting.pop()
            mine, other = (self._arcs(node) for node in pair)
            common = set(mine) & set(other)
            left, right = (sorted({arc for arc in arcs if arc not in common}) for arcs in (mine, other))
            mapped = {head: image.get(head) for _, head in left}
            taken = {node for node in mapped.values() if node is not None}
            free = [arc for arc in left if mapped[arc[1]] is None]
            places = [arc for arc in right if arc[1] not in taken and arc[1] not in image]
            if len(free) != len(places):
                return None
            for (kind, node), (other_kind, place) in zip(free, places, strict=True):
                if image.get(node, place) != place or image.get(place, node) != node or kind != other_kind:
                    return None
                if node not in image:
                    image[node], image[place] = place, node
                    waiting.append((node, place))
        return image

    def _keeps_arcs(self, image: dict[int, int]) -> bool:
        """Return whether the arcs of each moved node, moved, are those of its image."""
        for node, place in image.items():
            rows, others = (slice(self._first[n], self._first[n + 1]) for n in (node, place))
            self._n_steps += rows.stop - rows.start
            moved = [(image.get(h, h), code) for h, code in zip(self._head[rows], self._code[rows], strict=True)]
            if sorted(moved) != sorted(zip(self._head[others], self._code[others], strict=True)):
                return False
        return True
