"""Site cuts: which sites of a job lose their connection when given nodes and links fail.

Nodes that are joined by links which cannot fail are merged into one vertex. The remaining graph is small: merged
vertices, the nodes that may fail, and the links that may fail, which are vertices too, so that one search covers both.
One depth-first search with low points finds every single vertex whose loss separates the sites. Where terminals do not
forward and have several neighbours, it finds the few vertices that may; each of them gets a search without it, as do
losses of several vertices at once.

Nodes that do not forward join nothing. Such a node belongs to the vertex that all its links lead to. If they lead to
several, it is a vertex of its own, which a search does not pass through. It is then in several components.

Source: Tarjan 1972, depth-first search and articulation points.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ..arrays import Bools, Ints, State, at_an_end, at_both_ends

Components = tuple[int, ...]
"""Terminals that reach each other: one bitmask for each component; components without terminals are omitted.

A terminal that does not forward may be in several components."""


class JobSite(NamedTuple):
    """A site of a job."""

    id: str
    racks: Ints
    """Node rows of its accelerators, in any order; a row may repeat for each accelerator."""


@dataclass(frozen=True, eq=False)
class SiteGraph:
    """The merged graph of a job's sites.

    Vertices are numbered: first merged nodes with the failing nodes among them, then failing links. A terminal is a
    vertex with accelerators of the job.
    """

    sites: tuple[JobSite, ...]
    neighbours: list[list[int]]
    forwards: list[bool]
    """Whether a vertex joins its neighbours; False for a node that does not forward and has links of its own."""
    joined: list[list[int]]
    """Neighbours of each vertex that join their own neighbours."""
    attached: list[int]
    """Bitmask of each vertex that joins its neighbours: itself, and the terminals beside it that do not join theirs."""
    vertex_of_node: dict[int, int]
    vertex_of_link: dict[int, int]
    terminals: dict[int, int]
    """Vertex of a terminal -> its bit."""
    site_terminals: tuple[int, ...]
    """Bitmask of each site; several bits where its racks are connected only over elements that may fail."""
    intact: Components
    """Components without any failure."""
    remaining: dict[int, Components]
    """Vertex -> components that its loss alone leaves; vertices whose loss separates no terminals have no entry."""
    _without: dict[frozenset[int], Components] = field(default_factory=dict)
    """Cached components without sets of several vertices."""

    def sites_isolated_by(
        self, nodes: Iterable[int], links: Iterable[int], share_ratio: Sequence[float]
    ) -> tuple[str, ...]:
        """Find the sites that can no longer work with the rest when these rows fail together; () if all can.

        Sites that are already isolated in the intact network do not count.

        Args:
            nodes: rows of nodes that fail.
            links: rows of links that fail.
            share_ratio: share of the job's work of each site; the component with the largest share continues.
        """
        failed = {self.vertex_of_node[row] for row in nodes if row in self.vertex_of_node}
        failed.update(self.vertex_of_link[row] for row in links if row in self.vertex_of_link)
        components = self._components_without(failed)
        if components is None:
            return ()
        before = self._sites_outside_largest(self.intact, share_ratio)
        after = self._sites_outside_largest(components, share_ratio)
        return tuple(site.id for i, site in enumerate(self.sites) if i in after and i not in before)

    def _components_without(self, failed: set[int]) -> Components | None:
        """Find the components without these vertices; None where they are those of the intact network."""
        if len(failed) < 2:
            return self.remaining.get(next(iter(failed))) if failed else None
        key = frozenset(failed)
        if key not in self._without:
            self._without[key] = _components_without(self, failed)
        return self._without[key]

    def _sites_outside_largest(self, components: Components, share_ratio: Sequence[float]) -> set[int]:
        """Sites that are not entirely in the component with the largest share of work, the first of equals."""

        def sites_within(component: int) -> list[int]:
            return [i for i, bits in enumerate(self.site_terminals) if bits & ~component == 0]

        largest = max(map(sites_within, components), key=lambda rows: sum(share_ratio[i] for i in rows), default=[])
        return set(range(len(self.sites))) - set(largest)


def site_graph(state: State, lit: Bools, sites: Sequence[JobSite], nodes: Ints, links: Ints) -> SiteGraph:
    """Merge the lit network around the nodes and links that may fail.

    Args:
        state: columns of the network.
        lit: links that carry traffic, bool[n_links].
        sites: sites of the job.
        nodes: rows of nodes that may fail.
        links: rows of links that may fail.

    Returns:
        The merged graph.
    """
    may_fail = np.zeros(state.n_links, dtype=np.bool_)
    may_fail[links] = True
    node_may_fail = np.zeros(state.n_nodes, dtype=np.bool_)
    node_may_fail[nodes] = True
    ends = state["link_ends"]
    at_failing_node = node_may_fail[ends[:, 0]] | node_may_fail[ends[:, 1]]
    vertex = _merged_vertices(state["node_forwards"], ends[lit], (~may_fail & ~at_failing_node)[lit])
    n_merged = int(vertex.max(initial=-1)) + 1
    permanent = vertex[ends[lit & ~may_fail]]
    permanent = permanent[permanent[:, 0] != permanent[:, 1]]
    rows = np.flatnonzero(lit & may_fail)
    link_vertices = n_merged + np.arange(len(rows))
    link_edges = (np.stack((link_vertices, vertex[ends[rows, side]]), axis=1) for side in (0, 1))
    edges = np.concatenate((permanent, *link_edges))
    terminals: dict[int, int] = {}
    site_terminals = []
    for site in sites:
        of_site = np.unique(vertex[np.flatnonzero(np.bincount(site.racks, minlength=state.n_nodes))])
        site_terminals.append(sum(1 << terminals.setdefault(int(v), len(terminals)) for v in of_site))
    neighbours = _neighbours(edges, n_merged + len(rows))
    forwards = _forwarding_vertices(state["node_forwards"], vertex, n_merged + len(rows))
    graph = SiteGraph(
        sites=tuple(sites),
        neighbours=neighbours,
        forwards=forwards,
        joined=[[n for n in near if forwards[n]] for near in neighbours],
        attached=_attached(neighbours, forwards, terminals),
        vertex_of_node={int(row): int(vertex[row]) for row in nodes},
        vertex_of_link={int(row): int(v) for row, v in zip(rows, link_vertices, strict=True)},
        terminals=terminals,
        site_terminals=tuple(site_terminals),
        intact=(),
        remaining={},
    )
    graph = replace(graph, intact=_components_without(graph, set()))
    return replace(graph, remaining=_remaining_without_vertex(graph))


def _merged_vertices(forwards: Bools, ends: Ints, permanent: Bools) -> Ints:
    """Vertex of each node, the same for nodes joined by permanent links; ends: int64[n, 2] of all lit links."""
    joins = permanent & at_both_ends(forwards[ends])
    vertex = _components(ends[joins], len(forwards))
    tail, head = np.concatenate((ends, ends[:, ::-1])).T
    attached = np.concatenate((permanent, permanent)) & forwards[head]
    lowest, highest = np.full(len(forwards), len(forwards)), np.full(len(forwards), -1)
    np.minimum.at(lowest, tail, np.where(attached, vertex[head], -1))
    np.maximum.at(highest, tail, np.where(attached, vertex[head], len(forwards)))
    has_one_vertex = ~forwards & (lowest == highest)
    return _components(ends[joins | (permanent & at_an_end(has_one_vertex[ends]))], len(forwards))


def _components(ends: Ints, n_nodes: int) -> Ints:
    """Component of each node in the graph of these links."""
    adjacency = coo_matrix((np.ones(len(ends), np.bool_), (ends[:, 0], ends[:, 1])), shape=(n_nodes, n_nodes))
    return np.asarray(connected_components(adjacency, directed=False)[1], dtype=np.int64)


def _forwarding_vertices(forwards: Bools, vertex: Ints, n: int) -> list[bool]:
    """Whether each of n vertices joins its neighbours: links do, and merged nodes of which one forwards."""
    joins = np.ones(n, dtype=np.bool_)
    joins[vertex] = False
    joins[vertex[forwards]] = True
    return joins.tolist()


def _neighbours(edges: Ints, n: int) -> list[list[int]]:
    """Adjacent vertices of each vertex, each once."""
    keys = np.unique(np.concatenate((edges[:, 0] * n + edges[:, 1], edges[:, 1] * n + edges[:, 0])))
    bounds = np.searchsorted(keys // max(n, 1), np.arange(n + 1)).tolist()
    heads = (keys % max(n, 1)).tolist()
    return [heads[first:last] for first, last in pairwise(bounds)]


def _attached(neighbours: list[list[int]], forwards: list[bool], terminals: dict[int, int]) -> list[int]:
    """Bitmask of each vertex: itself, and for one that joins its neighbours the terminals beside it that do not."""
    attached = [0] * len(neighbours)
    for terminal, bit in terminals.items():
        attached[terminal] |= 1 << bit
        if not forwards[terminal]:
            for neighbour in neighbours[terminal]:
                attached[neighbour] |= 1 << bit if forwards[neighbour] else 0
    return attached


def _components_without(graph: SiteGraph, failed: set[int]) -> Components:
    """Components of terminals without these vertices, in the order of their lowest bits."""
    seen = set(failed)
    alive = ~sum(1 << graph.terminals[vertex] for vertex in failed if vertex in graph.terminals)
    components = []
    for start, bit in graph.terminals.items():
        if start in failed:
            continue
        for root in [start] if graph.forwards[start] else graph.joined[start]:
            if root not in seen:
                components.append(_reached_from(graph, root, seen) & alive)
        if not graph.forwards[start]:
            beside = [graph.terminals[n] for n in graph.neighbours[start] if n in graph.terminals and n not in failed]
            components += [1 << bit, *(1 << bit | 1 << n for n in beside)]
    return _by_lowest_bit(_maximal(components))


def _reached_from(graph: SiteGraph, root: int, seen: set[int]) -> int:
    """Terminals that a forwarding vertex reaches; adds the forwarding vertices on the way to `seen`."""
    seen.add(root)
    pending, bits = [root], 0
    while pending:
        vertex = pending.pop()
        bits |= graph.attached[vertex]
        unseen = [neighbour for neighbour in graph.joined[vertex] if neighbour not in seen]
        seen.update(unseen)
        pending += unseen
    return bits


def _maximal(components: list[int]) -> list[int]:
    """Components that are not part of another one, each once."""
    distinct = sorted(set(components), key=int.bit_count, reverse=True)
    maximal: list[int] = []
    for bits in distinct:
        if all(bits & ~larger for larger in maximal):
            maximal.append(bits)
    return maximal


def _remaining_without_vertex(graph: SiteGraph) -> dict[int, Components]:
    """Components without each single vertex whose loss separates terminals."""
    if not all(joins or len(near) < 2 for joins, near in zip(graph.forwards, graph.neighbours, strict=True)):
        may_fail = {*graph.vertex_of_node.values(), *graph.vertex_of_link.values()}
        searched = {vertex: _components_without(graph, {vertex}) for vertex in sorted(may_fail & _possible_cuts(graph))}
        return {vertex: components for vertex, components in searched.items() if components != graph.intact}
    remaining: dict[int, Components] = {}
    for component in graph.intact:
        if component & (component - 1) == 0:
            continue  # a single terminal cannot be separated
        unaffected = [other for other in graph.intact if other != component]
        root = next(vertex for vertex, bit in graph.terminals.items() if component >> bit & 1)
        for vertex, parts in _separated_subtrees(graph.neighbours, graph.attached, root)[0].items():
            separated = [part for part in (*parts, component & ~sum(parts)) if part]
            if len(separated) > 1:
                remaining[vertex] = _by_lowest_bit(separated + unaffected)
    return remaining


def _possible_cuts(graph: SiteGraph) -> set[int]:
    """Vertices whose loss may change which terminals reach each other; each needs a search without it.

    They are terminals, vertices that hold parts with terminals together, and the only vertex by which a terminal that
    does not forward is attached to a part. One root of each part is among them, since its own cuts are not looked for.
    """
    forwards, terminals = graph.forwards, graph.terminals
    possible = set(terminals)
    part_of: dict[int, int] = {}
    for root, joins in enumerate(forwards):
        if joins and root not in part_of:
            separated, reached = _separated_subtrees(graph.joined, graph.attached, root)
            possible |= {root, *separated}
            part_of.update(dict.fromkeys(reached, root))
    for terminal in terminals:
        if not forwards[terminal]:
            parts = Counter(part_of[n] for n in graph.joined[terminal])
            possible |= {n for n in graph.joined[terminal] if parts[part_of[n]] == 1}
    return possible


def _by_lowest_bit(components: Iterable[int]) -> Components:
    """Order components by their lowest bits; of several with the same lowest bit, by the next one."""
    return tuple(sorted(components, key=lambda bits: bin(bits)[:1:-1], reverse=True))


def _separated_subtrees(
    neighbours: list[list[int]], own_bits: list[int], root: int
) -> tuple[dict[int, list[int]], Iterable[int]]:
    """Search from a root for the subtrees that the loss of one vertex separates from it.

    Args:
        neighbours: adjacent vertices of each vertex.
        own_bits: terminals of each vertex.
        root: vertex whose own loss is not looked at.

    Returns:
        Vertex -> terminals of each subtree with terminals that its loss separates; all vertices reached.
    """
    order = {root: 0}
    low = {root: 0}
    bits = {root: own_bits[root]}
    separated: dict[int, list[int]] = {}
    path = [(root, -1, iter(neighbours[root]))]
    while path:
        vertex, parent, unvisited = path[-1]
        for neighbour in unvisited:
            if neighbour not in order:
                order[neighbour] = low[neighbour] = len(order)
                bits[neighbour] = own_bits[neighbour]
                path.append((neighbour, vertex, iter(neighbours[neighbour])))
                break
            if neighbour != parent:
                low[vertex] = min(low[vertex], order[neighbour])
        else:
            path.pop()
            if parent >= 0:
                low[parent] = min(low[parent], low[vertex])
                bits[parent] |= bits[vertex]
                if low[vertex] >= order[parent] and parent != root and bits[vertex]:
                    separated.setdefault(parent, []).append(bits[vertex])
    return separated, order
