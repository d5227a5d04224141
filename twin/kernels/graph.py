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


class Groups(NamedTuple):
    """Groups: sets of next hops of one node, with the fraction of its flow that each of them takes.

    first: int64[n_groups + 1], the next hops of group g are arc[first[g]:first[g + 1]].
    arc: uint32[any], ascending in a group.
    fraction: float64[any].
    in_a_row: bool[n_groups], whether the arcs of a group are consecutive.
    shape: int64[n_groups], equal for groups that lead to the same nodes with the same fractions.
    """

    first: npt.NDArray[np.int64]
    arc: npt.NDArray[np.uint32]
    fraction: npt.NDArray[np.float64]
    in_a_row: npt.NDArray[np.bool_]
    shape: npt.NDArray[np.int64]


class Streams(NamedTuple):
    """Streams: what goes to a destination, or to all members of a class that is routed at once.

    Streams towards places near each other are in a row, so that most nodes forward a range of them alike.

    destination: int64[n_streams], the destination, or the first member.
    n_members: int64[n_streams].
    region_row: int64[n_streams], row of the class in `RoutingTables.region`; -1 for a single destination.
    of: int64[n_destinations], the stream of each destination.
    first: int64[n_nodes + 1], the ranges of node v are first[v]:first[v + 1], and cover all streams.
    node: uint32[n_ranges].
    begin: uint32[n_ranges], range r consists of the streams begin[r]:end[r].
    end: uint32[n_ranges].
    group: int32[n_ranges], next hops; -1 where there are none, or where the stream ends.
    rank: int32[n_ranges], as in `RoutingTables`; 0 where a stream ends, the only one of its range then: where all goes
        over one arc to the destination, or in the region of a class. -1 elsewhere without next hops.
    through: uint32[n_ranges], the arc to the only next hop, `NO_ARC` where there are none or several.
    behind: uint32[n_ranges], the node that it leads to.
    straight: int32[n_ranges], where a stream ends that arc, or the entry of `RoutingTables.region`.
    range_at: uint32[n_nodes, n_streams], the range that each stream is in.
    """

    destination: npt.NDArray[np.int64]
    n_members: npt.NDArray[np.int64]
    region_row: npt.NDArray[np.int64]
    of: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    node: npt.NDArray[np.uint32]
    begin: npt.NDArray[np.uint32]
    end: npt.NDArray[np.uint32]
    group: npt.NDArray[np.int32]
    rank: npt.NDArray[np.int32]
    through: npt.NDArray[np.uint32]
    behind: npt.NDArray[np.uint32]
    straight: npt.NDArray[np.int32]
    range_at: npt.NDArray[np.uint32]


class RoutingTables(NamedTuple):
    """Distances, next hops and flows of all destinations, as they are without a failure.

    distance: float64[n_destinations, n_nodes], of each node to each destination.
    rank: int32[n_destinations, n_nodes], place of that distance among all of the destination, 0 for the destination;
        -1 without a path.
    group: int32[n_destinations, n_nodes], -1 without next hops.
    at_once: bool[n_classes], classes whose members differ only in their region: the members and the nodes with an arc
        to them, all of which use their direct arcs alone.
    region: int32[n_classes, n_nodes]; -2 outside the region, else the arc to the first member if the node has one arc
        to each member and these are consecutive, else -1. No rows for classes that are not routed at once.
    region_row: int64[n_classes], row of `region`, `class_demand`, `class_n` and `class_flow`.
    demand: float64[n_destinations, n_nodes], what enters at a node for each destination.
    flow: float64[n_nodes, n_destinations], what a node sends or forwards to each destination.
    flow_to: float64[n_destinations, n_nodes], the same.
    class_demand: float64[n_rows, n_nodes], what enters at a node for all members of a class.
    class_n: int64[n_rows, n_nodes], number of these demands.
    class_flow: float64[n_rows, n_nodes], what a node sends or forwards to all members.
    load: float64[n_arcs].
    """

    distance: npt.NDArray[np.float64]
    rank: npt.NDArray[np.int32]
    group: npt.NDArray[np.int32]
    groups: Groups
    at_once: npt.NDArray[np.bool_]
    region: npt.NDArray[np.int32]
    region_row: npt.NDArray[np.int64]
    demand: npt.NDArray[np.float64]
    flow: npt.NDArray[np.float64]
    flow_to: npt.NDArray[np.float64]
    class_demand: npt.NDArray[np.float64]
    class_n: npt.NDArray[np.int64]
    class_flow: npt.NDArray[np.float64]
    load: npt.NDArray[np.float64]


class Failures(NamedTuple):
    """Failures as lists of arcs that lose members.

    first: int64[n_failures + 1], failure f consists of the entries first[f]:first[f + 1].
    arc: uint32[any], each arc once in a failure.
    kept_ratio: float64[any], part of the arc's share and capacity that is left, 0 to below 1; 0 = the arc is gone.
    """

    first: npt.NDArray[np.int64]
    arc: npt.NDArray[np.uint32]
    kept_ratio: npt.NDArray[np.float64]


class FailedNodes(NamedTuple):
    """Room to find the nodes that a failure changes, for one destination after the other.

    kept: float64[n_arcs], what is left of each arc in this failure.
    fails: bool[n_nodes], whether an arc that leaves the node fails.
    split: uint32[n_nodes], nodes that lose next hops.
    is_split: bool[n_nodes].
    n_gone: int64[n_nodes], number of next hops that such a node loses.
    entry: int64[n_nodes], the entry of the queue that such a node belongs to.
    new_fraction: int64[n_nodes], response with the fractions of a node afterwards; -1 where none was made.
    cut: uint32[n_nodes], nodes that lose all next hops.
    is_cut: bool[n_nodes].
    near: float64[n_nodes], new distances of these.
    new_flow: float64[n_nodes], what they send on new paths.
    order: uint32[n_nodes], those that still have a path, nearest first.
    heap_key, heap_node: room for a heap.
    next_hop: uint32[n_arcs], new next hops of one of these.
    """

    kept: npt.NDArray[np.float64]
    fails: npt.NDArray[np.bool_]
    split: npt.NDArray[np.uint32]
    is_split: npt.NDArray[np.bool_]
    n_gone: npt.NDArray[np.int64]
    entry: npt.NDArray[np.int64]
    new_fraction: npt.NDArray[np.int64]
    cut: npt.NDArray[np.uint32]
    is_cut: npt.NDArray[np.bool_]
    near: npt.NDArray[np.float64]
    new_flow: npt.NDArray[np.float64]
    order: npt.NDArray[np.uint32]
    heap_key: npt.NDArray[np.float64]
    heap_node: npt.NDArray[np.uint32]
    next_hop: npt.NDArray[np.uint32]


class Queue(NamedTuple):
    """Changes of flow on their way, in a list of nodes for each rank; nodes of greater rank go first.

    first: int64[n_nodes + 1], a node of each rank, -1 for none.
    after: int64[n_nodes], the next node of the same rank.
    waits: bool[n_nodes].
    moved: float64[n_nodes], change of what enters at a node; 0 where none waits.
    entry_of: int64[n_shapes], the entry of a shape, -1 for none.
    group: int64[2 * n_nodes], for each entry a group whose next hops its total goes to.
    response: int64[2 * n_nodes], how it is divided over them.
    total: float64[2 * n_nodes].
    """

    first: npt.NDArray[np.int64]
    after: npt.NDArray[np.int64]
    waits: npt.NDArray[np.bool_]
    moved: npt.NDArray[np.float64]
    entry_of: npt.NDArray[np.int64]
    group: npt.NDArray[np.int64]
    response: npt.NDArray[np.int64]
    total: npt.NDArray[np.float64]
