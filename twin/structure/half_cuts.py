"""Least cut between two halves of the end points: exact for few inner nodes, else the best of many cuts.

The graph is reduced first: inner nodes with one or two neighbours go. What is left is the core and the end points that
hang on the core alone. Once each core node is on a side, every hanging end point takes the side where it cuts less, and
the end points whose move costs least make the halves equal. Ids decide nothing: a value is the least one of a set of
cuts that follows from the graph alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from ..arrays import Bools, Floats, Ints

MAX_EXACT_WORK = 2**22
"""Assignments of the core times nodes up to which all of them are tried."""
MAX_WORK = 2**25
"""Cuts of a family times their size up to which the family is tried."""
CHUNK = 2**20
"""Numbers that cuts have at a time."""
MAX_SPECTRAL = 600
"""Core nodes up to which eigenvectors are computed."""
MAX_EIGENVECTORS = 4
LEAST_GAP = 1e-6
"""Distance of single eigenvalues from others, as a share of the largest."""
N_DECIMALS = 8
"""Digits to which entries of an eigenvector agree; rounding differs in the last ones."""
MAX_SITES = 10
"""Sites whose sets are all tried; beyond it each site alone."""


@dataclass(frozen=True, eq=False)
class Reduced:
    """A graph without inner nodes of one or two neighbours. Nodes 0 to n_core - 1 are the core."""

    n_core: int
    is_core_end_point: Bools
    """Core nodes that are end points; bool[n_core]."""
    core_gbps: csr_matrix
    """Gb/s between core nodes; float64[n_core, n_core], symmetric. Links of 0 Gb/s are entries too."""
    hanging_gbps: csr_matrix
    """Gb/s of each end point that hangs on the core; float64[n_hanging, n_core]."""
    node: Ints
    """Vertex of the graph of each core node; int64[n_core]."""

    @property
    def n_nodes(self) -> int:
        """Core nodes and hanging end points."""
        n_hanging: int = self.hanging_gbps.shape[0]
        return self.n_core + n_hanging

    @property
    def cut_size(self) -> int:
        """Numbers that one cut takes to compute."""
        n_links: int = self.core_gbps.nnz + self.hanging_gbps.nnz
        return n_links + 8 * self.n_nodes + 1


def reduced(ends: Ints, gbps: Floats, is_end_point: Bools) -> Reduced:
    """Reduce a graph.

    Args:
        ends: vertices of each edge, int64[n_edges, 2].
        gbps: capacity of each edge, float64[n_edges].
        is_end_point: bool[n_vertices].
    """
    near: dict[int, dict[int, float]] = {int(node): {} for node in np.flatnonzero(is_end_point)}
    for (a, b), rate in zip(ends.tolist(), gbps.tolist(), strict=True):
        for one, other in ((a, b), (b, a)):
            of_one = near.setdefault(one, {})
            of_one[other] = of_one.get(other, 0.0) + rate
    pending = [node for node in near if not is_end_point[node]]
    while pending:
        node = pending.pop()
        if node not in near or len(near[node]) > 2:
            continue
        others = list(near.pop(node).items())
        for other, _ in others:
            del near[other][node]
        if len(others) == 2:
            (a, at_a), (b, at_b) = others
            near[a][b] = near[b][a] = near[a].get(b, 0.0) + min(at_a, at_b)
        pending += [other for other, _ in others if not is_end_point[other]]
    core = sorted(node for node, links in near.items() if not is_end_point[node] or _is_coupled(links, is_end_point))
    at = {node: i for i, node in enumerate(core)}
    hanging = sorted(near.keys() - at.keys())
    rows = np.array(core, dtype=np.int64)
    matrices = _matrix(near, core, at), _matrix(near, hanging, at)
    return Reduced(len(core), is_end_point[rows], *matrices, rows)


def _matrix(near: dict[int, dict[int, float]], nodes: list[int], at: dict[int, int]) -> csr_matrix:
    entries = [
        (i, at[other], rate) for i, node in enumerate(nodes) for other, rate in near[node].items() if other in at
    ]
    rows, columns, rates = zip(*entries, strict=True) if entries else ((), (), ())
    return csr_matrix((np.array(rates, dtype=np.float64), (rows, columns)), shape=(len(nodes), len(at)))


def _is_coupled(links: dict[int, float], is_end_point: Bools) -> bool:
    return any(is_end_point[other] for other in links)


def exact_gbps(graph: Reduced) -> float | None:
    """Return the least cut between two halves; None where there are too many assignments of the core to try."""
    n_free = max(graph.n_core - 1, 0)
    if n_free > 40 or 2**n_free * max(graph.n_nodes, 1) > MAX_EXACT_WORK:
        return None
    best, step = np.inf, max(1, CHUNK // max(graph.n_nodes, 1))
    for first in range(0, 2**n_free, step):
        numbers = np.arange(first, min(first + step, 2**n_free))
        sides = np.zeros((len(numbers), graph.n_core))
        sides[:, 1:] = (numbers[:, None] >> np.arange(n_free)) & 1
        best = min(best, float(_half_cuts(graph, sides).min()))
    return best


def bound_gbps(graph: Reduced, site: Ints) -> float:
    """Return the least of many cuts between two halves: by site, by eigenvectors, round core nodes and links, and more.

    Families of cuts that are too large for MAX_WORK are left out as a whole.

    Args:
        graph: the reduced graph. All of its links tell distances, also those of 0 Gb/s.
        site: site of each vertex, negative for none; int64[n_vertices].
    """
    best = np.inf
    for n_cuts, sides in _families(graph, site):
        if n_cuts * graph.cut_size <= MAX_WORK:
            while chunk := list(islice(sides, max(1, CHUNK // graph.cut_size))):
                best = min(best, float(_half_cuts(graph, np.array(chunk)).min()))
    return best


def _families(graph: Reduced, site: Ints) -> Iterator[tuple[int, Iterator[Floats]]]:
    """Yield (number of cuts, sides of the core for each of them) of each family."""
    n = graph.n_core
    yield 1, iter([np.zeros(n)])
    of_core = np.where(graph.node < len(site), site[np.minimum(graph.node, len(site) - 1)], -1)
    codes = np.unique(of_core)
    sets = [1 << i for i in range(len(codes))] if len(codes) > MAX_SITES else list(range(1, 2 ** (len(codes) - 1)))
    place = np.searchsorted(codes, of_core)
    yield len(sets), ((np.array([chosen >> int(i) & 1 for i in place], dtype=np.float64)) for chosen in sets)
    if n < 2 or n * graph.cut_size > MAX_WORK:
        return
    links = csr_matrix((np.ones(graph.core_gbps.nnz), graph.core_gbps.indices, graph.core_gbps.indptr), shape=(n, n))
    distance = dijkstra(links, unweighted=True)
    yield _balls(distance)
    tail, head = np.repeat(np.arange(n), np.diff(links.indptr)), links.indices
    rows = tail < head
    if rows.sum() * graph.cut_size <= MAX_WORK:
        yield _balls(np.minimum(distance[tail[rows]], distance[head[rows]]))
    if n <= MAX_SPECTRAL:
        yield _sweeps(links.toarray())
    yield n * (n - 1), ((distance[a] < distance[b]).astype(np.float64) for a in range(n) for b in range(n) if a != b)


def _sweeps(links: Floats) -> tuple[int, Iterator[Floats]]:
    """(number, sides) of all core nodes up to some value of an eigenvector of the Laplacian, for the first of them.

    Only eigenvectors of single eigenvalues count; others depend on the order of the nodes.

    Source: Fiedler 1973.
    """
    values, vectors = np.linalg.eigh(np.diag(links.sum(axis=1)) - links)
    gap = np.diff(values, prepend=-np.inf, append=np.inf) > LEAST_GAP * max(1.0, float(values[-1]))
    chosen = [i for i in range(len(values)) if gap[i] and gap[i + 1]][: MAX_EIGENVECTORS + 1]
    columns = [np.round(vectors[:, i], N_DECIMALS) for i in chosen]
    thresholds = [np.unique(column)[:-1].tolist() for column in columns]
    sides = ((column <= x).astype(np.float64) for column, found in zip(columns, thresholds, strict=True) for x in found)
    return sum(map(len, thresholds)), sides


def _balls(distance: Floats) -> tuple[int, Iterator[Floats]]:
    """(number, sides) of all core nodes up to some distance, for each row of distances and each radius."""
    radii = [np.unique(row[np.isfinite(row)]).tolist() for row in distance]
    sides = ((row <= r).astype(np.float64) for row, found in zip(distance, radii, strict=True) for r in found)
    return sum(map(len, radii)), sides


def _half_cuts(graph: Reduced, sides: Floats) -> Floats:
    """Least cut between halves found for each assignment of the core; float64[n], infinite where there is none.

    Args:
        graph: capacities.
        sides: 1 for core nodes on the second side, else 0; float64[n, n_core].

    A cut is submodular: moving several end points costs at most the sum of their single moves. For hanging end points
    it costs just that.
    """
    core_end = graph.is_core_end_point
    to_second = (graph.core_gbps @ sides.T).T
    to_first = _sums(graph.core_gbps, 1) - to_second
    cut = (sides * to_first).sum(axis=1)
    second = (graph.hanging_gbps @ sides.T).T
    first = _sums(graph.hanging_gbps, 1) - second
    on_second = second > first
    cut += np.minimum(first, second).sum(axis=1)
    # a hanging end point that follows a core node makes its move dearer or cheaper, but never more than its links
    hanging_at_core = (graph.hanging_gbps.T @ np.where(on_second, 1.0, 0.0).T).T
    all_at_core = _sums(graph.hanging_gbps, 0)
    own = np.where(sides > 0, to_second - to_first, to_first - to_second)
    own += np.where(sides > 0, 2 * hanging_at_core - all_at_core, all_at_core - 2 * hanging_at_core)
    delta = np.concatenate((np.abs(first - second), own[:, core_end]), axis=1)
    is_second = np.concatenate((on_second, sides[:, core_end] > 0), axis=1)
    n_end_points = delta.shape[1]
    n_second = is_second.sum(axis=1)
    best = np.full(len(sides), np.inf)
    cumulative = [
        np.concatenate(
            (np.zeros((len(sides), 1)), np.cumsum(np.sort(np.where(mask, delta, np.inf), axis=1), axis=1)), 1
        )
        for mask in (is_second, ~is_second)
    ]
    rows = np.arange(len(sides))
    for half in {n_end_points // 2, n_end_points - n_end_points // 2}:
        excess = n_second - half
        moved = np.where(excess > 0, cumulative[0][rows, np.abs(excess)], cumulative[1][rows, np.abs(excess)])
        best = np.minimum(best, cut + moved)
    return best


def _sums(matrix: csr_matrix, axis: int) -> Floats:
    return np.asarray(matrix.sum(axis=axis), dtype=np.float64).reshape(-1)
