"""Bisection: the least capacity between two halves of the end points, exact for Clos fabrics, else a bound."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_flow

from ..arrays import Bools, Floats, Ints, State
from .clos_tree import MAX_END_POINTS, Adjacency, clos_tree, tree_bisection_gbps
from .fabric import Fabric, TooLargeError

MAX_LINKS = 200_000
"""Lit links up to which a bound is computed."""
INT_TOTAL = 2**29
"""Sum of whole-number capacities in a flow search, which has 32 bits."""
EXACT = "exact: a Clos fabric, whose cuts are those of a tree"
BOUND = "upper bound: minimum cuts between halves of the end points by site and id, and by distance"


@dataclass(frozen=True)
class Bisection:
    """The bisection, one direction."""

    gbps: float
    status: Literal["exact", "upper bound"]
    method: str


def bisection(state: State, fabric: Fabric, arc_capacity_gbps: Floats) -> Bisection | str:
    """Compute the least capacity between two halves of the end points.

    A link counts with the lower capacity of its two directions. Nodes that are no end points are on either side,
    whichever cuts less.

    Args:
        state: columns of the network.
        fabric: the lit part of the network.
        arc_capacity_gbps: float64[2 * n_links]; NaN where the rate is unknown.

    Returns:
        The bisection, or the reason why there is none.

    Raises:
        TooLargeError: no Clos fabric, and beyond the bound on size.
    """
    if len(fabric.end_points) < 2:
        return "fewer than two end points"
    link_gbps = arc_capacity_gbps.reshape(-1, 2).min(axis=1)
    gbps = link_gbps[fabric.links]
    if np.isnan(gbps).any():
        return f"the rate of {state.link_ids[int(fabric.links[int(np.argmax(np.isnan(gbps)))])]} is unknown"
    tree = None
    if len(fabric.end_points) <= MAX_END_POINTS:
        tree = clos_tree(_adjacency(fabric, gbps), fabric.end_points.tolist())
    if tree is not None:
        return Bisection(tree_bisection_gbps(tree), "exact", EXACT)
    if len(fabric.ends) > MAX_LINKS:
        raise TooLargeError(f"{len(fabric.ends):,} links; without a Clos fabric it is computed up to {MAX_LINKS:,}")
    halves = (_half_by_site(state, fabric, 0.0), _half_by_site(state, fabric, 0.25), _half_by_distance(fabric))
    return Bisection(min(_minimum_cut_gbps(fabric, gbps, half) for half in halves), "upper bound", BOUND)


def _adjacency(fabric: Fabric, gbps: Floats) -> Adjacency:
    found: Adjacency = {node: {} for node in range(fabric.n_nodes)}
    for (a, b), rate in zip(fabric.ends.tolist(), gbps.tolist(), strict=True):
        found[a][b] = found[a].get(b, 0.0) + rate
        found[b][a] = found[b].get(a, 0.0) + rate
    return found


def _half_by_site(state: State, fabric: Fabric, start_ratio: float) -> Bools:
    """Half of the end points, one after the other by site and id, from a share of them on; bool[n_vertices]."""
    order = np.lexsort((fabric.end_points, state["node_site"][fabric.end_points]))
    return _first_half(fabric, np.roll(fabric.end_points[order], -int(start_ratio * len(order))))


def _half_by_distance(fabric: Fabric) -> Bools:
    """First half of the end points in the order in which a search from the first one meets them."""
    near: list[list[int]] = [[] for _ in range(fabric.n_nodes)]
    for a, b in fabric.ends.tolist():
        near[a].append(b)
        near[b].append(a)
    met: dict[int, None] = {}
    for start in fabric.end_points.tolist():
        if start not in met:
            met[start] = None
            queue = deque([start])
            while queue:
                for other in sorted(near[queue.popleft()]):
                    if other not in met:
                        met[other] = None
                        queue.append(other)
    is_end_point = set(fabric.end_points.tolist())
    return _first_half(fabric, np.array([node for node in met if node in is_end_point], dtype=np.int64))


def _first_half(fabric: Fabric, order: Ints) -> Bools:
    half = np.zeros(fabric.n_nodes, dtype=np.bool_)
    half[order[: len(order) // 2]] = True
    return half


def _minimum_cut_gbps(fabric: Fabric, gbps: Floats, half: Bools) -> float:
    """Capacity of the minimum cut between the end points of a half and the others.

    The flow is found in whole numbers; the cut that it proves is added up in Gb/s.
    """
    n = fabric.n_nodes
    others = np.setdiff1d(fabric.end_points, np.flatnonzero(half))
    scale = INT_TOTAL / max(float(gbps.sum()), 1e-300)
    whole = np.maximum(np.floor(gbps * scale), 0.0).astype(np.int32)
    ends = np.concatenate((fabric.ends, fabric.ends[:, ::-1]))
    inner = csr_matrix((np.concatenate((whole, whole)), ends.T), shape=(n + 2, n + 2), dtype=np.int32)
    tails = np.concatenate((np.full(int(half.sum()), n), others))
    heads = np.concatenate((np.flatnonzero(half), np.full(len(others), n + 1)))
    outer = csr_matrix((np.full(len(tails), INT_TOTAL, np.int32), (tails, heads)), shape=(n + 2, n + 2), dtype=np.int32)
    capacity = csr_matrix(inner + outer, dtype=np.int32)
    residual = csr_matrix(capacity - maximum_flow(capacity, n, n + 1).flow)
    side = _reached(residual, n)
    crosses = side[fabric.ends[:, 0]] != side[fabric.ends[:, 1]]
    return float(gbps[crosses].sum())


def _reached(residual: csr_matrix, start: int) -> Bools:
    """Vertices that a search reaches over edges with capacity left."""
    side = np.zeros(residual.shape[0], dtype=np.bool_)
    side[start] = True
    pending = [start]
    while pending:
        node = pending.pop()
        row = slice(residual.indptr[node], residual.indptr[node + 1])
        new = [i for i in residual.indices[row][residual.data[row] > 0].tolist() if not side[i]]
        side[new] = True
        pending += new
    return side
