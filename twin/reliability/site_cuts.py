"""What cuts a job's sites off from each other: links and nodes that may fail, and all else drawn together.

Nodes that are joined by links which cannot fail here become one point. What is left is small: points, the nodes that
may fail, and the links that may fail, these as vertices too, so that one question answers for both. One walk with low
points (Tarjan 1972) finds every single vertex whose loss parts the sites; what falls together is walked around.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ..arrays import Bools, Ints, State

Groups = tuple[int, ...]
"""Places that still reach each other, a bit each; groups of no place are left out."""


class JobSite(NamedTuple):
    """A site of a job."""

    id: str
    racks: Ints
    """Node rows of its accelerators, in any order; a row may stand there for each of them."""
    share_ratio: float
    """Its part of the job's work: of two halves the larger one goes on."""


@dataclass(frozen=True, eq=False)
class SiteGraph:
    """The sites of a job drawn together; vertices are points, then failing nodes among them, then failing links."""

    sites: tuple[JobSite, ...]
    neighbours: list[list[int]]
    vertex_of_node: dict[int, int]
    vertex_of_link: dict[int, int]
    places: dict[int, int]
    """Vertex of a point with accelerators of the job -> its bit."""
    site_places: tuple[int, ...]
    """Bits of each site: several where its racks meet only over what may fail."""
    whole: Groups
    """What reaches each other as long as nothing fails."""
    cut_by: dict[int, tuple[str, ...]]
    """Vertex -> sites that its loss alone cuts off, for those that do."""
    _lost: dict[frozenset[int], tuple[str, ...]] = field(default_factory=dict)
    """Answers about several vertices that were walked around before."""

    def lost_by(self, nodes: Iterable[int], links: Iterable[int]) -> tuple[str, ...]:
        """Sites that can no longer work with the rest once these rows are gone all at once; () where they all can."""
        down = {self.vertex_of_node[row] for row in nodes if row in self.vertex_of_node}
        down.update(self.vertex_of_link[row] for row in links if row in self.vertex_of_link)
        if len(down) > 1:
            together = frozenset(down)
            if together not in self._lost:
                self._lost[together] = self.lost_with(_groups(self, down))
            return self._lost[together]
        return self.cut_by.get(down.pop(), ()) if down else ()

    def lost_with(self, groups: Groups) -> tuple[str, ...]:
        """Sites that are no longer in the group that goes on, where nothing but these groups is left."""
        before, after = self._left_out(self.whole), self._left_out(groups)
        return tuple(site.id for i, site in enumerate(self.sites) if i in after and i not in before)

    def _left_out(self, groups: Groups) -> set[int]:
        """Sites that are not wholly in the group with the largest share of the work, the first of equals."""

        def inside(group: int) -> list[int]:
            return [i for i, bits in enumerate(self.site_places) if bits & ~group == 0]

        kept = max(map(inside, groups), key=lambda rows: sum(self.sites[i].share_ratio for i in rows), default=[])
        return set(range(len(self.sites))) - set(kept)


def site_graph(state: State, lit: Bools, sites: Sequence[JobSite], nodes: Ints, links: Ints) -> SiteGraph:
    """Draw the lit network together around the rows of `nodes` and `links` that may fail."""
    may_fail = np.zeros(state.n_links, dtype=np.bool_)
    may_fail[links] = True
    fails = np.zeros(state.n_nodes, dtype=np.bool_)
    fails[nodes] = True
    ends = state["link_ends"]
    at_failing = fails[ends[:, 0]] | fails[ends[:, 1]]
    point = _points(ends[lit & ~may_fail & ~at_failing], state.n_nodes)
    n_points = int(point.max(initial=-1)) + 1
    steady = point[ends[lit & ~may_fail & at_failing]]
    rows = np.flatnonzero(lit & may_fail)
    vertices = n_points + np.arange(len(rows))
    pairs = np.concatenate((steady, *(np.stack((vertices, point[ends[rows, side]]), axis=1) for side in (0, 1))))
    places: dict[int, int] = {}
    site_places = []
    for site in sites:
        held = np.unique(point[np.flatnonzero(np.bincount(site.racks, minlength=state.n_nodes))])
        site_places.append(sum(1 << places.setdefault(int(vertex), len(places)) for vertex in held))
    graph = SiteGraph(
        sites=tuple(sites),
        neighbours=_neighbours(pairs, n_points + len(rows)),
        vertex_of_node={int(row): int(point[row]) for row in nodes},
        vertex_of_link={int(row): int(vertex) for row, vertex in zip(rows, vertices, strict=True)},
        places=places,
        site_places=tuple(site_places),
        whole=(),
        cut_by={},
    )
    graph = replace(graph, whole=_groups(graph, set()))
    return replace(graph, cut_by=_cut_by(graph))


def _points(ends: Ints, n_nodes: int) -> Ints:
    """A number for each node, the same for those joined by these links."""
    joined = coo_matrix((np.ones(len(ends), np.bool_), (ends[:, 0], ends[:, 1])), shape=(n_nodes, n_nodes))
    return np.asarray(connected_components(joined, directed=False)[1], dtype=np.int64)


def _neighbours(pairs: Ints, n: int) -> list[list[int]]:
    """Adjacent vertices of each vertex, each once."""
    keys = np.unique(np.concatenate((pairs[:, 0] * n + pairs[:, 1], pairs[:, 1] * n + pairs[:, 0])))
    cuts = np.searchsorted(keys // max(n, 1), np.arange(n + 1)).tolist()
    heads = (keys % max(n, 1)).tolist()
    return [heads[first:last] for first, last in pairwise(cuts)]


def _groups(graph: SiteGraph, gone: set[int]) -> Groups:
    """Places that reach each other without these vertices, in the order of their lowest bits."""
    seen = set(gone)
    found = []
    for start in graph.places:
        if start in seen:
            continue
        seen.add(start)
        waiting, bits = [start], 0
        while waiting:
            vertex = waiting.pop()
            bits |= 1 << graph.places[vertex] if vertex in graph.places else 0
            fresh = [other for other in graph.neighbours[vertex] if other not in seen]
            seen.update(fresh)
            waiting += fresh
        found.append(bits)
    return _in_order(found)


def _cut_by(graph: SiteGraph) -> dict[int, tuple[str, ...]]:
    """Single vertices whose loss cuts sites off; one walk for each group, from its first place."""
    found: dict[int, tuple[str, ...]] = {}
    for group in graph.whole:
        if group & (group - 1) == 0:
            continue  # a single place is not parted
        others = [bits for bits in graph.whole if bits != group]
        root = next(vertex for vertex, bit in graph.places.items() if group >> bit & 1)
        for vertex, parts in _hanging(graph, root).items():
            left = [bits for bits in (*parts, group & ~sum(parts)) if bits]
            lost = graph.lost_with(_in_order(left + others)) if len(left) > 1 else ()
            if lost:
                found[vertex] = lost
    return found


def _in_order(groups: Iterable[int]) -> Groups:
    """By their lowest bits."""
    return tuple(sorted(groups, key=lambda bits: bits & -bits))


def _hanging(graph: SiteGraph, root: int) -> dict[int, list[int]]:
    """Vertex -> places of each subtree that hangs on it alone, seen from the root (which holds a place, so stays)."""
    order = {root: 0}
    low = {root: 0}
    bits = {root: 1 << graph.places[root]}
    hanging: dict[int, list[int]] = {}
    path = [(root, -1, iter(graph.neighbours[root]))]
    while path:
        vertex, parent, ahead = path[-1]
        for other in ahead:
            if other not in order:
                order[other] = low[other] = len(order)
                bits[other] = 1 << graph.places[other] if other in graph.places else 0
                path.append((other, vertex, iter(graph.neighbours[other])))
                break
            if other != parent:
                low[vertex] = min(low[vertex], order[other])
        else:
            path.pop()
            if parent >= 0:
                low[parent] = min(low[parent], low[vertex])
                bits[parent] |= bits[vertex]
                if low[vertex] >= order[parent] and parent != root and bits[vertex]:
                    hanging.setdefault(parent, []).append(bits[vertex])
    return hanging
