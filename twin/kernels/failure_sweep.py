"""Loads after each of many failures, each as a change of the loads without one.

A failure changes little: a node that loses some of its next hops divides its flow anew, and the change moves on. Only
nodes that lose all next hops change their distances; new distances are found among these nodes alone. Every failure
begins from the loads without one, so no rounding adds up from failure to failure.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twin.kernels.failed_paths import (
    enter,
    forget,
    has_demand,
    nodes_cut,
    nodes_hit,
    route_cut,
    search_cut,
)
from twin.kernels.flow_changes import divide_anew, move_changes, pass_entries, withdraw
from twin.kernels.graph import Destinations, FailedNodes, Failures, Queue, RoutingTables, Streams, UsableArcs
from twin.kernels.greatest_loads import Limits, greatest_ratio, set_limits
from twin.kernels.jit import inner_kernel, scratch_kernel
from twin.kernels.pending_loads import PendingLoads, Responses, make_room, touch
from twin.kernels.reroute_class import reroute_class
from twin.kernels.streams import Together, find_hit, move_together


class Scratch(NamedTuple):
    """Room for one thread, without anything pending; `twin/failures/scratch.py` makes it.

    flows: float64[any, n_widest], flows of nodes that divide alike to the members of a class.
    nowhere: int32[n_nodes], all -2: the region of a single destination.
    together: changes of streams.
    """

    nodes: FailedNodes
    queue: Queue
    responses: Responses
    loads: PendingLoads
    limits: Limits
    flows: npt.NDArray[np.float64]
    nowhere: npt.NDArray[np.int32]
    together: Together


@scratch_kernel
def sweep_failures(
    arcs: UsableArcs,
    destinations: Destinations,
    tables: RoutingTables,
    streams: Streams,
    failures: Failures,
    begin: int,
    end: int,
    step: int,
    rel_tolerance: float,
    least_gbps: float,
    per_gbps: npt.NDArray[np.float64],
    fullest_arc: npt.NDArray[np.int64],
    scratch: Scratch,
    out_lost_gbps: npt.NDArray[np.float64],
    out_n_lost: npt.NDArray[np.int64],
    out_ratio: npt.NDArray[np.float64],
    out_arc: npt.NDArray[np.int64],
    out_worst: npt.NDArray[np.int64],
    out_cause: npt.NDArray[np.int64],
) -> None:
    """Compute what failures begin, begin + step, ... below `end` lose, and the greatest load of each arc.

    Loads are compared after rounding to 43 significant bits, so that equal loads that were summed in another order are
    equal: then the case without a failure counts as the cause, else the failure of lowest number.

    Args:
        arcs: arcs that carry traffic.
        destinations: destinations in classes, with their demands.
        tables: routes without a failure.
        streams: destinations and classes in streams.
        failures: the failures.
        begin: the first failure.
        end: the failure behind the last.
        step: distance from one failure to the next, the number of threads.
        rel_tolerance: path weights that differ by no more than this share are equal.
        least_gbps: loads up to this one are rounding noise.
        per_gbps: float64[n_arcs], 1 / capacity; 0 where utilisation does not count.
        fullest_arc: int64[n_nodes or less], the fullest arc of each node without a failure, the fullest first.
        scratch: room, loads as without a failure.
        out_lost_gbps: float64[n_failures], demand that loses its path.
        out_n_lost: int64[n_failures], number of these demands.
        out_ratio: float64[n_failures], the greatest load over what is left of the capacity.
        out_arc: int64[n_failures], the arc with it, the lowest of equal ones; -1 without any load.
        out_worst: int64[n_arcs], greatest load of each arc, bits of the number divided by 2^10; updated. Of an arc that
            lost members, the load counts that would use its whole capacity as much.
        out_cause: int64[n_arcs], the failure with the greatest load; updated, never where the load stays equal.
    """
    nodes, queue, responses, loads = scratch.nodes, scratch.queue, scratch.responses, scratch.loads
    n_groups = int(tables.groups.shape.size)
    together = scratch.together
    n_values = 2 * arcs.head.size + scratch.flows.size + destinations.node.size
    room = n_groups, 3 * (arcs.first.size - 1), n_values
    set_limits(arcs, tables.load, per_gbps, out_worst, scratch.limits)
    for f in range(begin, end, step):
        failed = failures.arc[failures.first[f] : failures.first[f + 1]]
        for i in range(failed.size):
            touch(loads, responses, arcs.tail[failed[i]])
            nodes.fails[arcs.tail[failed[i]]] = True
            nodes.kept[failed[i]] = failures.kept_ratio[failures.first[f] + i]
        out_lost_gbps[f], out_n_lost[f] = 0.0, 0
        find_hit(arcs.tail, tables, streams, failed, nodes, together)
        move_together(arcs.tail, arcs.head, tables, streams, failed, room, nodes, queue, responses, loads, together)
        for c in range(destinations.class_first.size - 1):
            lost_gbps, n_lost = _reroute_all(
                arcs, destinations, tables, streams, c, failed, rel_tolerance, room, scratch
            )
            out_lost_gbps[f] += lost_gbps
            out_n_lost[f] += n_lost
        for i in range(failed.size):
            # an arc that lost members counts with the load that would use its whole capacity as much
            kept = nodes.kept[failed[i]]
            loads.load[failed[i]] = loads.load[failed[i]] / kept if kept > 0.0 else 0.0
            nodes.kept[failed[i]] = 1.0
            nodes.fails[arcs.tail[failed[i]]] = False
        out_ratio[f], out_arc[f] = greatest_ratio(
            arcs,
            tables.load,
            least_gbps,
            per_gbps,
            fullest_arc,
            f,
            responses,
            loads,
            scratch.limits,
            out_worst,
            out_cause,
        )
        responses.n[0] = n_groups


@inner_kernel
def _reroute_all(
    arcs: UsableArcs,
    destinations: Destinations,
    tables: RoutingTables,
    streams: Streams,
    c: int,
    failed: npt.NDArray[np.uint32],
    rel_tolerance: float,
    room: tuple[int, int, int],
    scratch: Scratch,
) -> tuple[float, int]:
    """Change the loads for the members of a class, together if possible; returns as `_reroute`."""
    nodes, queue, responses, loads = scratch.nodes, scratch.queue, scratch.responses, scratch.loads
    n_hit = scratch.together.n_hit
    start, stop = destinations.class_first[c], destinations.class_first[c + 1]
    if tables.at_once[c]:
        if n_hit[streams.of[start]] == 0:
            return 0.0, 0
        make_room(loads, responses, room[0], room[1], room[2])
        is_done, lost_gbps, n_lost = reroute_class(
            arcs, tables, c, start, stop, failed, rel_tolerance, nodes, queue, responses, scratch.flows, loads
        )
        if is_done:
            return lost_gbps, n_lost
    all_lost_gbps, n_all_lost = 0.0, 0
    for d in range(start, stop):
        if n_hit[streams.of[d]] == 0:
            continue
        make_room(loads, responses, room[0], room[1], room[2])
        lost_gbps, n_lost = _reroute(
            arcs, tables, d, failed, rel_tolerance, scratch.nowhere, nodes, queue, responses, loads
        )
        all_lost_gbps += lost_gbps
        n_all_lost += n_lost
    return all_lost_gbps, n_all_lost


@inner_kernel
def _reroute(
    arcs: UsableArcs,
    tables: RoutingTables,
    d: int,
    failed: npt.NDArray[np.uint32],
    rel_tolerance: float,
    nowhere: npt.NDArray[np.int32],
    nodes: FailedNodes,
    queue: Queue,
    responses: Responses,
    loads: PendingLoads,
) -> tuple[float, int]:
    """Change the loads for one destination; returns the demand without a path in Gb/s, and the number of demands."""
    groups = tables.groups
    distance, rank, group, flow = tables.distance[d], tables.rank[d], tables.group[d], tables.flow_to[d]
    n_split, hit_gbps = nodes_hit(arcs, distance, flow, failed, rel_tolerance, nodes)
    lost_gbps, n_lost, top = 0.0, 0, 0
    if hit_gbps > 0.0:
        n_split, n_cut = nodes_cut(arcs, distance, group, groups.first, rel_tolerance, nodes, n_split)
        n_entries = divide_anew(arcs.head, groups, group, flow, nodes, n_split, queue, responses, loads)
        top = pass_entries(arcs.head, groups, rank, nowhere, nodes, 0, n_entries, queue, responses, 0)
        if n_cut > 0:
            top = withdraw(
                arcs.head, groups, rank, nowhere, group, flow, nodes, n_cut, queue, responses, loads, top
            )  # fmt: skip
            if has_demand(tables.demand[d], nodes, n_cut):
                n_reached = search_cut(arcs, distance, nodes, n_cut)
                lost_gbps, n_lost = enter(tables.demand[d], nodes, n_cut)
                top = route_cut(
                    arcs, distance, rank, rel_tolerance, nodes, n_reached, queue, responses, loads, top
                )  # fmt: skip
        move_changes(
            arcs.head, groups, rank, nowhere, group, nodes, 1.0, hit_gbps, 0, queue, responses, loads, top
        )  # fmt: skip
        root = queue.first[0]
        if root >= 0:
            queue.first[0] = -1
            queue.waits[root] = False
            queue.moved[root] = 0.0
    forget(nodes, n_split)
    return lost_gbps, n_lost
