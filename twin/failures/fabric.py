"""The network as the failure analysis sees it: links that carry traffic, and demands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order

from ..arrays import Bools, Floats, Ints
from ..traffic.twin_nodes import equal_rows


@dataclass(frozen=True, eq=False)
class Fabric:
    """Links that carry traffic, with both of their arcs: arc 2 * link leads from ends[link, 0] to ends[link, 1]."""

    forwards: Bools
    """Nodes that carry traffic of others, bool[n_nodes]."""
    ends: Ints
    """int64[n_links, 2]."""
    weight: Floats
    """Routing metric, float64[2 * n_links], > 0."""
    share: Floats
    """Weight of an arc where a node splits traffic, float64[2 * n_links], > 0."""
    capacity_gbps: Floats
    """float64[2 * n_links], >= 0; infinite where utilisation does not count."""
    n_members: Ints
    """Members that are up, int64[n_links]; each has an equal part of share and capacity."""
    source: Ints
    """Node that each demand enters at, int64[n_demands]."""
    target: Ints
    """Node that it leaves at, int64[n_demands], another one; no pair of nodes stands twice."""
    offered_gbps: Floats
    """float64[n_demands], > 0."""

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.forwards)

    @property
    def n_links(self) -> int:
        """Number of links that carry traffic."""
        return len(self.ends)

    @cached_property
    def tail(self) -> Ints:
        """Node that each arc leaves, int64[2 * n_links]."""
        return self.ends.reshape(-1)

    @cached_property
    def head(self) -> Ints:
        """Node that each arc leads to, int64[2 * n_links]."""
        return np.ascontiguousarray(self.ends[:, ::-1]).reshape(-1)

    @cached_property
    def by_hops(self) -> bool:
        """Whether all weights are 1."""
        return bool((self.weight == 1.0).all())

    @cached_property
    def end_points(self) -> Ints:
        """Nodes with demands, ascending."""
        has_demand = np.zeros(self.n_nodes, np.bool_)
        has_demand[self.source] = has_demand[self.target] = True
        return np.flatnonzero(has_demand)

    @cached_property
    def n_hops_across(self) -> int:
        """Hops between two nodes far apart, at most the diameter: the farthest from an end point, and from that one."""
        if not len(self.end_points):
            return 0
        arcs = coo_array((np.ones(len(self.tail), np.int8), (self.tail, self.head)), shape=(self.n_nodes, self.n_nodes))
        node, n_hops = int(self.end_points[0]), 0
        for _ in range(2):
            order, before = breadth_first_order(arcs.tocsr(), node)
            node, n_hops, at = int(order[-1]), 0, int(order[-1])
            while before[at] >= 0:
                n_hops, at = n_hops + 1, int(before[at])
        return n_hops

    @cached_property
    def arc_code(self) -> Ints:
        """Number of each arc's kind: equal for arcs that are equal in both directions; int64[2 * n_links].

        Kinds are in the order of weight, then share, so that parallel arcs sorted by kind are sorted by these.
        """
        members = np.repeat(self.n_members, 2).astype(np.float64)
        columns = np.stack((self.weight, self.share, self.capacity_gbps, members), axis=1)
        both = np.concatenate((columns, columns.reshape(-1, 2, 4)[:, ::-1].reshape(-1, 4)), axis=1)
        if len(both) and (both == both[0]).all():
            return np.zeros(len(both), np.int64)
        kind = equal_rows(both.view(np.int64))
        _, first = np.unique(kind, return_index=True)
        place = np.empty(len(first), np.int64)
        place[np.lexsort(both[first].T[::-1])] = np.arange(len(first))
        return place[kind]
