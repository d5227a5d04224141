"""Changes after a failure for a whole class of twin destinations: each change moves once, and all flows follow it."""

import numpy as np
import numpy.typing as npt

from twin.kernels.failed_paths import forget, has_demand, nodes_cut, nodes_hit, search_cut
from twin.kernels.flow_changes import divide_anew, move_changes, pass_on
from twin.kernels.graph import FailedNodes, Queue, RoutingTables, UsableArcs
from twin.kernels.jit import scratch_kernel
from twin.kernels.pending_loads import PendingLoads, Responses, change_group, change_loads, close_response, touch


@scratch_kernel
def reroute_class(
    arcs: UsableArcs,
    tables: RoutingTables,
    c: int,
    start: int,
    stop: int,
    failed: npt.NDArray[np.uint32],
    rel_tolerance: float,
    nodes: FailedNodes,
    queue: Queue,
    responses: Responses,
    flows: npt.NDArray[np.float64],
    loads: PendingLoads,
) -> tuple[bool, float, int]:
    """Change the loads for all members of a class, if the failure allows it.

    It does not if next hops differ between members where it changes something, or if a node with demands needs a path
    over nodes that were no next hops before.

    Args:
        arcs: arcs that carry traffic.
        tables: routes without a failure.
        c: the class.
        start: its first destination.
        stop: the destination behind its last.
        failed: arcs that fail.
        rel_tolerance: path weights that differ by no more than this share are equal.
        nodes: what is left of the arcs; for the rest room.
        queue: room.
        responses: room for two for each node, and their values.
        flows: float64[n_most, stop - start or more], room for the flows of those that divide alike, n_most > 0.
        loads: updated.

    Returns:
        Whether it was possible, the demand without a path in Gb/s, and the number of these demands.
    """
    row = tables.region_row[c]
    region = tables.region[row]
    distance, group = tables.distance[start], tables.group[start]
    for i in range(failed.size):
        if region[arcs.tail[failed[i]]] != -2:
            return False, 0.0, 0
    n_split, hit_gbps = nodes_hit(arcs, distance, tables.class_flow[row], failed, rel_tolerance, nodes)
    is_possible, lost_gbps, n_lost = True, 0.0, 0
    if hit_gbps > 0.0:
        n_split, n_cut = nodes_cut(arcs, distance, group, tables.groups.first, rel_tolerance, nodes, n_split)
        for i in range(n_split):
            is_possible = is_possible and region[nodes.split[i]] == -2
        if is_possible and n_cut > 0 and has_demand(tables.class_demand[row], nodes, n_cut):
            search_cut(arcs, distance, nodes, n_cut)
            for i in range(n_cut):
                demand_gbps = tables.class_demand[row, nodes.cut[i]]
                if demand_gbps > 0.0:
                    is_possible = is_possible and nodes.near[nodes.cut[i]] == np.inf
                    lost_gbps += demand_gbps
                    n_lost += tables.class_n[row, nodes.cut[i]]
        is_possible = is_possible and n_split <= flows.shape[0]
        if is_possible:
            _move_all(arcs.head, tables, c, start, stop, region, nodes, n_split, n_cut, queue, responses, flows, loads)
    forget(nodes, n_split)
    return is_possible, lost_gbps, n_lost


@scratch_kernel
def _move_all(
    heads: npt.NDArray[np.uint32],
    tables: RoutingTables,
    c: int,
    start: int,
    stop: int,
    region: npt.NDArray[np.int32],
    nodes: FailedNodes,
    n_split: int,
    n_cut: int,
    queue: Queue,
    responses: Responses,
    flows: npt.NDArray[np.float64],
    loads: PendingLoads,
) -> None:
    """Divide flows anew, withdraw those of nodes without a path, and move each of these changes on by itself."""
    groups, class_flow, group = tables.groups, tables.class_flow[tables.region_row[c]], tables.group[start]
    n_entries = divide_anew(heads, groups, group, class_flow, nodes, n_split, queue, responses, loads)
    for entry in range(n_entries):
        queue.entry_of[groups.shape[queue.group[entry]]] = -1
        flows[entry, : stop - start] = 0.0
    for i in range(n_split):
        node = nodes.split[i]
        if not nodes.is_cut[node] and class_flow[node] > 0.0:
            for d in range(start, stop):
                flows[nodes.entry[node], d - start] += tables.flow[node, d]
    for entry in range(n_entries):
        flow, g, response = flows[entry, : stop - start], queue.group[entry], queue.response[entry]
        _move(
            heads, tables, start, region, nodes, g, response, flow, 1.0, queue.total[entry], n_entries, queue,
            responses, loads,
        )  # fmt: skip
    for i in range(n_cut):
        node = nodes.cut[i]
        if class_flow[node] > 0.0:
            flow, g = tables.flow[node, start:stop], int(group[node])
            change_group(loads, responses, groups, node, g, g, -class_flow[node])
            _move(
                heads, tables, start, region, nodes, g, g, flow, -1.0, class_flow[node], n_entries, queue, responses,
                loads,
            )  # fmt: skip


@scratch_kernel
def _move(
    heads: npt.NDArray[np.uint32],
    tables: RoutingTables,
    start: int,
    region: npt.NDArray[np.int32],
    nodes: FailedNodes,
    from_group: int,
    response: int,
    flow: npt.NDArray[np.float64],
    factor: float,
    flow_gbps: float,
    n_entries: int,
    queue: Queue,
    responses: Responses,
    loads: PendingLoads,
) -> None:
    """Move one unit on from the next hops of a group; all flows to the members, `flow_gbps` in sum, follow it.

    From the nodes of the region each flow takes the last arcs to its own member.
    """
    groups, rank, group = tables.groups, tables.rank[start], tables.group[start]
    top = pass_on(heads, groups, from_group, responses, response, factor, nodes.is_cut, rank, region, queue, 0)
    move_changes(
        heads, groups, rank, region, group, nodes, flow_gbps, 1.0, n_entries, queue, responses, loads, top
    )  # fmt: skip
    value = responses.first[responses.n[0]]
    for j in range(flow.size):
        responses.value[value + j] = flow[j]
    by_member = close_response(responses, flow.size)
    gate = queue.first[0]
    queue.first[0] = -1
    while gate >= 0:
        moved, straight = queue.moved[gate], int(region[gate])
        queue.moved[gate] = 0.0
        queue.waits[gate] = False
        if straight >= 0:
            change_loads(loads, responses, gate, by_member, straight, moved)
        else:
            touch(loads, responses, gate)
            for j in range(flow.size):
                g = tables.group[start + j, gate]
                for i in range(groups.first[g], groups.first[g + 1]):
                    loads.load[groups.arc[i]] += moved * flow[j] * groups.fraction[i]
        gate = queue.after[gate]
