"""Loads after each of many failures, destination by destination, where hardly any are twins.

On a wide-area network most nodes have one next hop, and most failures cut a few nodes off from it. Loads are kept by
arc, and all of them are looked at after each failure: a network in which each node is a destination has few arcs.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twin.kernels.failed_paths import enter, forget, has_demand, new_next_hops, search_cut
from twin.kernels.flow_changes import wait_at
from twin.kernels.graph import FailedNodes, Failures, Groups, Queue, RoutingTables, UsableArcs
from twin.kernels.greatest_loads import look_at_all
from twin.kernels.jit import inner_kernel, scratch_kernel


class PlainRoom(NamedTuple):
    """Room for one thread, without anything pending.

    nodes: what is left of arcs, and nodes that lose next hops.
    queue: changes of flow on their way.
    load: float64[n_arcs].
    """

    nodes: FailedNodes
    queue: Queue
    load: npt.NDArray[np.float64]


@scratch_kernel
def sweep_plain(
    arcs: UsableArcs,
    tables: RoutingTables,
    hop: npt.NDArray[np.int32],
    failures: Failures,
    begin: int,
    end: int,
    step: int,
    rel_tolerance: float,
    least_gbps: float,
    per_gbps: npt.NDArray[np.float64],
    room: PlainRoom,
    out_lost_gbps: npt.NDArray[np.float64],
    out_n_lost: npt.NDArray[np.int64],
    out_ratio: npt.NDArray[np.float64],
    out_arc: npt.NDArray[np.int64],
    out_worst: npt.NDArray[np.int64],
    out_cause: npt.NDArray[np.int64],
) -> None:
    """Compute what failures begin, begin + step, ... below `end` lose, and the greatest load of each arc.

    Args:
        arcs: arcs that carry traffic.
        tables: routes without a failure.
        hop: int32[n_destinations, n_nodes], the only next hop of a node, an arc; -1 without one, -2 - group where there
            are more.
        failures: the failures.
        begin: the first failure.
        end: the failure behind the last.
        step: distance from one failure to the next.
        rel_tolerance: path weights that differ by no more than this share are equal.
        least_gbps: loads up to this one are rounding noise.
        per_gbps: float64[n_arcs], 1 / capacity; 0 where utilisation does not count.
        room: room.
        out_lost_gbps: float64[n_failures]; this and all others as in `sweep_failures`.
        out_n_lost: int64[n_failures].
        out_ratio: float64[n_failures].
        out_arc: int64[n_failures].
        out_worst: int64[n_arcs], updated.
        out_cause: int64[n_arcs], updated.
    """
    nodes, load = room.nodes, room.load
    for f in range(begin, end, step):
        failed = failures.arc[failures.first[f] : failures.first[f + 1]]
        for arc in range(load.size):
            load[arc] = tables.load[arc]
        for i in range(failed.size):
            nodes.kept[failed[i]] = failures.kept_ratio[failures.first[f] + i]
        out_lost_gbps[f], out_n_lost[f] = 0.0, 0
        for d in range(hop.shape[0]):
            lost_gbps, n_lost = _reroute(arcs, tables, hop[d], d, failed, rel_tolerance, room)
            out_lost_gbps[f] += lost_gbps
            out_n_lost[f] += n_lost
        for i in range(failed.size):
            # an arc that lost members counts with the load that would use its whole capacity as much
            kept = nodes.kept[failed[i]]
            load[failed[i]] = load[failed[i]] / kept if kept > 0.0 else 0.0
            nodes.kept[failed[i]] = 1.0
        out_ratio[f], out_arc[f] = look_at_all(load, least_gbps, per_gbps, f, out_worst, out_cause)


@inner_kernel
def _reroute(
    arcs: UsableArcs,
    tables: RoutingTables,
    hop: npt.NDArray[np.int32],
    d: int,
    failed: npt.NDArray[np.uint32],
    rel_tolerance: float,
    room: PlainRoom,
) -> tuple[float, int]:
    """Change the loads for one destination; returns the demand without a path in Gb/s, and the number of demands."""
    distance, rank, flow, demand = tables.distance[d], tables.rank[d], tables.flow_to[d], tables.demand[d]
    groups, nodes, queue, load = tables.groups, room.nodes, room.queue, room.load
    n_split, n_cut = _nodes_hit(arcs, hop, groups, failed, nodes)
    hit_gbps = 0.0
    for i in range(n_split):
        hit_gbps += flow[nodes.split[i]]
    lost_gbps, n_lost, top = 0.0, 0, 0
    if hit_gbps > 0.0:
        n_split, n_cut = _nodes_cut(arcs, hop, groups, nodes, n_split, n_cut)
        top = _withdraw(arcs.head, hop, groups, flow, rank, nodes, n_cut, queue, load)
        if has_demand(demand, nodes, n_cut):
            n_reached = search_cut(arcs, distance, nodes, n_cut)
            lost_gbps, n_lost = enter(demand, nodes, n_cut)
            top = _route(arcs, distance, rank, rel_tolerance, n_reached, top, room)
        for i in range(n_split):
            node = nodes.split[i]
            if not nodes.is_cut[node] and flow[node] > 0.0:
                top = _divide(arcs.head, hop, groups, rank, node, flow[node], 1.0, nodes, queue, load, top)
        _move(arcs.head, hop, groups, rank, 2.0**-46 * hit_gbps, nodes, queue, load, top)
    forget(nodes, n_split)
    return lost_gbps, n_lost


@inner_kernel
def _leads(hop: int, arc: int, groups: Groups) -> bool:
    """Return whether an arc is among the next hops of its tail."""
    if hop >= -1:
        return hop == np.int64(arc)
    found = False
    for i in range(groups.first[-2 - hop], groups.first[-1 - hop]):
        found = found or groups.arc[i] == arc
    return found


@inner_kernel
def _lose(
    node: int, hop: int, n_gone: int, groups: Groups, nodes: FailedNodes, n_split: int, n_cut: int
) -> tuple[int, int]:
    """Let a node lose a next hop, or some members of it; returns the numbers of nodes that lose some and all."""
    if not nodes.is_split[node]:
        nodes.is_split[node] = True
        nodes.n_gone[node] = 0
        nodes.split[n_split] = node
        n_split += 1
    nodes.n_gone[node] += n_gone
    n_hops = 1 if hop >= 0 else groups.first[-1 - hop] - groups.first[-2 - hop]
    if n_gone > 0 and nodes.n_gone[node] == n_hops:
        nodes.is_cut[node] = True
        nodes.cut[n_cut] = node
        n_cut += 1
    return n_split, n_cut


@inner_kernel
def _nodes_hit(
    arcs: UsableArcs, hop: npt.NDArray[np.int32], groups: Groups, failed: npt.NDArray[np.uint32], nodes: FailedNodes
) -> tuple[int, int]:
    """Find the nodes that use failed arcs; returns the numbers of those that lose some next hops, and all."""
    n_split, n_cut = 0, 0
    for i in range(failed.size):
        tail = arcs.tail[failed[i]]
        if _leads(hop[tail], failed[i], groups):
            n_gone = 1 if nodes.kept[failed[i]] == 0.0 else 0
            n_split, n_cut = _lose(tail, hop[tail], n_gone, groups, nodes, n_split, n_cut)
    return n_split, n_cut


@inner_kernel
def _nodes_cut(
    arcs: UsableArcs, hop: npt.NDArray[np.int32], groups: Groups, nodes: FailedNodes, n_split: int, n_cut: int
) -> tuple[int, int]:
    """Find all nodes that lose next hops because others lost all of theirs; returns the new numbers of both."""
    done = 0
    while done < n_cut:
        node = nodes.cut[done]
        done += 1
        for k in range(arcs.in_first[node], arcs.in_first[node + 1]):
            arc = arcs.in_arc[k]
            tail = arcs.tail[arc]
            if _leads(hop[tail], arc, groups) and nodes.kept[arc] > 0.0:
                n_split, n_cut = _lose(tail, hop[tail], 1, groups, nodes, n_split, n_cut)
    return n_split, n_cut


@inner_kernel
def _change(
    heads: npt.NDArray[np.uint32],
    arc: int,
    gbps: float,
    rank: npt.NDArray[np.int32],
    queue: Queue,
    load: npt.NDArray[np.float64],
    top: int,
) -> int:
    """Change the load of an arc whose head was not cut, and let the change wait there unless it has arrived."""
    load[arc] += gbps
    head = heads[arc]
    if rank[head] > 0:
        queue.moved[head] += gbps
        top = wait_at(queue, rank[head], head, top)
    return top


@inner_kernel
def _withdraw(
    heads: npt.NDArray[np.uint32],
    hop: npt.NDArray[np.int32],
    groups: Groups,
    flow: npt.NDArray[np.float64],
    rank: npt.NDArray[np.int32],
    nodes: FailedNodes,
    n_cut: int,
    queue: Queue,
    load: npt.NDArray[np.float64],
) -> int:
    """Take the flow of nodes that were cut off their arcs; returns the greatest rank that waits."""
    top = 0
    for i in range(n_cut):
        node = nodes.cut[i]
        h, amount = hop[node], flow[node]
        if amount == 0.0:
            continue
        if h >= 0:
            arc = int(h)
            if nodes.is_cut[heads[arc]]:
                load[arc] -= amount
            else:
                top = _change(heads, arc, -amount, rank, queue, load, top)
            continue
        for k in range(groups.first[-2 - h], groups.first[-1 - h]):
            arc = groups.arc[k]
            if nodes.is_cut[heads[arc]]:
                load[arc] -= amount * groups.fraction[k]
            else:
                top = _change(heads, arc, -amount * groups.fraction[k], rank, queue, load, top)
    return top


@inner_kernel
def _route(
    arcs: UsableArcs,
    distance: npt.NDArray[np.float64],
    rank: npt.NDArray[np.int32],
    rel_tolerance: float,
    n_reached: int,
    top: int,
    room: PlainRoom,
) -> int:
    """Route what enters at nodes with a new distance, farthest first; returns the greatest rank that waits."""
    nodes, load = room.nodes, room.load
    for i in range(n_reached - 1, -1, -1):
        node = nodes.order[i]
        amount = nodes.new_flow[node]
        if amount == 0.0:
            continue
        n_hops, all_shares = new_next_hops(arcs, distance, node, rel_tolerance, nodes)
        for k in range(n_hops):
            arc = nodes.next_hop[k]
            part = amount * arcs.share[arc] * nodes.kept[arc] / all_shares
            if nodes.is_cut[arcs.head[arc]]:
                load[arc] += part
                nodes.new_flow[arcs.head[arc]] += part
            else:
                top = _change(arcs.head, arc, part, rank, room.queue, load, top)
    return top


@inner_kernel
def _divide(
    heads: npt.NDArray[np.uint32],
    hop: npt.NDArray[np.int32],
    groups: Groups,
    rank: npt.NDArray[np.int32],
    node: int,
    amount: float,
    before: float,
    nodes: FailedNodes,
    queue: Queue,
    load: npt.NDArray[np.float64],
    top: int,
) -> int:
    """Divide an amount over what is left of the next hops, less `before` times the fractions without a failure."""
    h = hop[node]
    if h >= 0:  # some members of the only next hop are left
        return _change(heads, int(h), amount * (1.0 - before), rank, queue, load, top)
    all_kept = 0.0
    for k in range(groups.first[-2 - h], groups.first[-1 - h]):
        if not nodes.is_cut[heads[groups.arc[k]]]:
            all_kept += groups.fraction[k] * nodes.kept[groups.arc[k]]
    for k in range(groups.first[-2 - h], groups.first[-1 - h]):
        arc = groups.arc[k]
        if nodes.is_cut[heads[arc]]:
            load[arc] -= before * amount * groups.fraction[k]
        else:
            gbps = amount * groups.fraction[k] * (nodes.kept[arc] / all_kept - before)
            top = _change(heads, arc, gbps, rank, queue, load, top)
    return top


@inner_kernel
def _move(
    heads: npt.NDArray[np.uint32],
    hop: npt.NDArray[np.int32],
    groups: Groups,
    rank: npt.NDArray[np.int32],
    noise_gbps: float,
    nodes: FailedNodes,
    queue: Queue,
    load: npt.NDArray[np.float64],
    top: int,
) -> None:
    """Move changes on to the destination, farthest first.

    Where flow that took another way meets its old way, the changes cancel out: the rest is rounding, and stays there.
    """
    for level in range(top, 0, -1):
        node = queue.first[level]
        queue.first[level] = -1
        while node >= 0:
            moved, h = queue.moved[node], hop[node]
            queue.moved[node] = 0.0
            queue.waits[node] = False
            if abs(moved) > noise_gbps:
                if nodes.is_split[node]:
                    _divide(heads, hop, groups, rank, node, moved, 0.0, nodes, queue, load, 0)
                elif h >= 0:
                    _change(heads, int(h), moved, rank, queue, load, 0)
                else:
                    for k in range(groups.first[-2 - h], groups.first[-1 - h]):
                        _change(heads, groups.arc[k], moved * groups.fraction[k], rank, queue, load, 0)
            node = queue.after[node]
