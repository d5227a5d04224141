"""The graph as arrays for the kernels; this file has no kernel."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class ArcGraph(NamedTuple):
    """Outgoing arcs of every node in CSR form; arc = 2 * link + direction, its reverse is `arc ^ 1`.

    first: int64[n_nodes + 1], the arcs that leave node v are arc[first[v]:first[v + 1]].
    arc: int64[2 * n_links], arc ids, in each node ordered by (head, link).
    head: int64[2 * n_links] by arc id: the node an arc leads to; its tail is head[arc ^ 1].
    forwards: bool[n_nodes], whether a node carries traffic of others; every node sends and receives its own.
    """

    first: npt.NDArray[np.int64]
    arc: npt.NDArray[np.int64]
    head: npt.NDArray[np.int64]
    forwards: npt.NDArray[np.bool_]


class UsableArcs(NamedTuple):
    """The arcs that carry traffic, numbered by (tail, head), so that the arcs leaving a node are a range.

    Numbers are unsigned, because an index that may be negative costs a check in each access.

    first: int64[n_nodes + 1], the arcs that leave node v are first[v]:first[v + 1].
    tail: uint32[n_arcs], the node that an arc leaves.
    head: uint32[n_arcs], the node that it leads to.
    weight: float64[n_arcs], > 0, routing metric.
    share: float64[n_arcs], > 0, weight of an arc where a node splits traffic.
    in_first: int64[n_nodes + 1], the arcs that lead to node v are in_arc[in_first[v]:in_first[v + 1]].
    in_arc: uint32[n_arcs], ordered by (head, tail).
    forwards: bool[n_nodes], whether a node carries traffic of others.
    """

    first: npt.NDArray[np.int64]
    tail: npt.NDArray[np.uint32]
    head: npt.NDArray[np.uint32]
    weight: npt.NDArray[np.float64]
    share: npt.NDArray[np.float64]
    in_first: npt.NDArray[np.int64]
    in_arc: npt.NDArray[np.uint32]
    forwards: npt.NDArray[np.bool_]


class Destinations(NamedTuple):
    """Destinations in classes of twins: nodes with the same neighbours over equal arcs in both directions.

    class_first: int64[n_classes + 1], class c consists of the destinations class_first[c]:class_first[c + 1].
    node: uint32[n_destinations].
    demand_first: int64[n_destinations + 1], the demands of destination d are demand_first[d]:demand_first[d + 1].
    demand_source: uint32[n_demands], nodes, ascending within a destination; never the destination itself.
    demand_gbps: float64[n_demands].
    """

    class_first: npt.NDArray[np.int64]
    node: npt.NDArray[np.uint32]
    demand_first: npt.NDArray[np.int64]
    demand_source: npt.NDArray[np.uint32]
    demand_gbps: npt.NDArray[np.float64]
