"""Bisection: the least capacity between two halves of the end points, exact where that can be told, else a bound."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ..arrays import Floats, Ints, State, lesser_of_both
from .clos_tree import MAX_END_POINTS, Adjacency, clos_tree, level_tree, tree_bisection_gbps
from .fabric import Fabric, TooLargeError, fabric_as_built
from .half_cuts import bound_gbps, exact_gbps, reduced

MAX_LINKS = 200_000
"""Links up to which a network that is no Clos fabric has a bisection."""
EXACT = "exact: a Clos fabric, whose cuts are those of a tree"
EXACT_BY_TRIAL = "exact: the least of all cuts of a small network"
BOUND = "upper bound: the best cut found by tiers, sites, eigenvectors, round nodes and links, and between two nodes"


@dataclass(frozen=True)
class Bisection:
    """The bisection, one direction."""

    gbps: float
    status: Literal["exact", "upper bound"]
    method: str


def bisection(state: State, fabric: Fabric, arc_capacity_gbps: Floats) -> Bisection | str:
    """Compute the least capacity between two halves of the end points.

    A link counts with the lower capacity of its two directions. Nodes that are no end points are on either side,
    whichever cuts less. End points that are down count, without links. So a failure never makes it larger: cuts are
    found in the network as built, and their capacity is that of the lit links.

    Args:
        state: columns of the network.
        fabric: the lit part of the network.
        arc_capacity_gbps: float64[2 * n_links]; 0 for dark links, NaN where the rate is unknown.

    Returns:
        The bisection, or the reason why there is none.

    Raises:
        TooLargeError: no Clos fabric, and beyond the bound on size.
    """
    built = fabric_as_built(state)
    if len(built.end_points) < 2:
        return "fewer than two end points"
    fabric, built = (_without_dead_ends(found, built.end_points) for found in (fabric, built))
    link_gbps = lesser_of_both(arc_capacity_gbps)
    gbps = link_gbps[fabric.links]
    if np.isnan(gbps).any():
        return f"the rate of {state.link_ids[int(fabric.links[int(np.argmax(np.isnan(gbps)))])]} is unknown"
    few, end_points = len(built.end_points) <= MAX_END_POINTS, built.end_points.tolist()
    tree = clos_tree(_adjacency(fabric, gbps), end_points) if few else None
    if tree is not None:
        return Bisection(tree_bisection_gbps(tree), "exact", EXACT)
    if len(built.ends) > MAX_LINKS:
        raise TooLargeError(f"{len(built.ends):,} links; without a Clos fabric it is computed up to {MAX_LINKS:,}")
    is_lit = np.zeros(state.n_links, dtype=np.bool_)
    is_lit[fabric.links] = True
    gbps = np.where(is_lit, link_gbps, 0.0)[built.links]
    is_end_point = np.zeros(built.n_nodes, dtype=np.bool_)
    is_end_point[built.end_points] = True
    graph = reduced(built.ends, gbps, is_end_point)
    exact = exact_gbps(graph)
    if exact is not None:
        return Bisection(exact, "exact", EXACT_BY_TRIAL)
    best = bound_gbps(graph, state["node_site"].astype(np.int64))
    if few:
        best = min(best, tree_bisection_gbps(level_tree(_adjacency(built, gbps), end_points)))
    return Bisection(best, "upper bound", BOUND)


def _without_dead_ends(fabric: Fabric, end_points: Ints) -> Fabric:
    """Return a fabric without the links to nodes that neither forward nor are end points: no path uses them."""
    carries = fabric.forwards.copy()
    carries[end_points] = True
    rows = carries[fabric.ends].all(axis=1)
    return replace(fabric, ends=fabric.ends[rows], links=fabric.links[rows])


def _adjacency(fabric: Fabric, gbps: Floats) -> Adjacency:
    found: Adjacency = {node: {} for node in range(fabric.n_nodes)}
    for (a, b), rate in zip(fabric.ends.tolist(), gbps.tolist(), strict=True):
        found[a][b] = found[a].get(b, 0.0) + rate
        found[b][a] = found[b].get(a, 0.0) + rate
    return found
