"""Loads to one destination after a failure, as a change of those in a state that may have failures already.

Next hops are found from distances where they are needed, so a state is two rows: distances, and what each node sends.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twin.kernels.failed_paths import enter, new_next_hops, search_cut
from twin.kernels.graph import FailedNodes, UsableArcs
from twin.kernels.heaps import heap_pop, heap_push
from twin.kernels.jit import inner_kernel
from twin.kernels.next_hops import is_next_hop


class Room(NamedTuple):
    """Room for one thread. Between failures no node and no arc is marked, and changes are 0.

    before: float64[n_arcs], part of each arc that the state has; 0 = failed.
    nodes: the parts of arcs after the failure (`kept`), nodes that lose some next hops (`split`) or all (`cut`), and
        what these and those that are touched send after the failure (`new_flow`).
    pending: float64[n_nodes], change of flow that a node has not moved on.
    waits: bool[n_nodes], nodes with something pending.
    touched: uint32[n_nodes], other nodes whose flow may change.
    delta: float64[n_arcs], change of the load.
    is_changed: bool[n_arcs]; changed: uint32[n_arcs], arcs whose load may change.
    n: int64[5], numbers of split, cut, touched nodes, of changed arcs, and of demands that lose their path.
    distance, flow: float64[n_nodes], a state; load: float64[n_arcs]: room for the caller.
    """

    before: npt.NDArray[np.float64]
    nodes: FailedNodes
    pending: npt.NDArray[np.float64]
    waits: npt.NDArray[np.bool_]
    touched: npt.NDArray[np.uint32]
    delta: npt.NDArray[np.float64]
    is_changed: npt.NDArray[np.bool_]
    changed: npt.NDArray[np.uint32]
    n: npt.NDArray[np.int64]
    distance: npt.NDArray[np.float64]
    flow: npt.NDArray[np.float64]
    load: npt.NDArray[np.float64]


@inner_kernel
def reroute(
    arcs: UsableArcs,
    distance: npt.NDArray[np.float64],
    flow: npt.NDArray[np.float64],
    demand: npt.NDArray[np.float64],
    failed: npt.NDArray[np.uint32],
    rel_tolerance: float,
    room: Room,
) -> float:
    """Change the loads to one destination by a failure; returns the demand that loses its path, in Gb/s.

    Args:
        arcs: arcs that carry traffic.
        distance: float64[n_nodes], of the state.
        flow: float64[n_nodes], what nodes send in the state.
        demand: float64[n_nodes], what enters.
        failed: uint32[any], arcs of which `room.nodes.kept` is less than `room.before`.
        rel_tolerance: path weights that differ by no more than this share are equal.
        room: receives all answers.
    """
    for i in range(room.n.size):
        room.n[i] = 0
    for i in range(failed.size):
        if room.nodes.kept[failed[i]] < room.before[failed[i]] and _is_used(arcs, distance, failed[i], rel_tolerance):
            _split(room, arcs.tail[failed[i]])
    if room.n[0] == 0:
        return 0.0
    _cut_nodes(arcs, distance, rel_tolerance, room)
    lost_gbps, size = 0.0, 0
    if room.n[1] > 0:
        n_reached = search_cut(arcs, distance, room.nodes, room.n[1])
        for i in range(room.n[1]):
            node = room.nodes.cut[i]
            if flow[node] != 0.0:
                size = _withdraw(arcs, distance, flow[node], node, rel_tolerance, room, size)
        lost_gbps, room.n[4] = enter(demand, room.nodes, room.n[1])
        for i in range(n_reached - 1, -1, -1):
            if room.nodes.new_flow[room.nodes.order[i]] != 0.0:
                size = _route(arcs, distance, room.nodes.order[i], rel_tolerance, room, size)
    for i in range(room.n[0]):
        if not room.nodes.is_cut[room.nodes.split[i]]:
            size = _wait(distance, room.nodes.split[i], 0.0, room, size)
    while size > 0:
        node = room.nodes.heap_node[0]
        size = heap_pop(room.nodes.heap_key, room.nodes.heap_node, size)
        size = _move_on(arcs, distance, flow[node], node, rel_tolerance, room, size)
    return lost_gbps


@inner_kernel
def forget(room: Room) -> None:
    """Remove the marks and changes of a failure."""
    for i in range(room.n[0]):
        room.nodes.is_split[room.nodes.split[i]] = False
        room.nodes.is_cut[room.nodes.split[i]] = False
    for i in range(room.n[3]):
        room.is_changed[room.changed[i]] = False
        room.delta[room.changed[i]] = 0.0


@inner_kernel
def _is_used(arcs: UsableArcs, distance: npt.NDArray[np.float64], arc: int, rel_tolerance: float) -> bool:
    """Return whether an arc is on a shortest path, if it has not failed."""
    head = arcs.head[arc]
    far = distance[arcs.tail[arc]]
    slack = rel_tolerance * max(1.0, far)
    return far < np.inf and is_next_hop(distance[head], far, arcs.weight[arc], slack, arcs.forwards[head])


@inner_kernel
def _split(room: Room, node: int) -> None:
    if not room.nodes.is_split[node]:
        room.nodes.is_split[node] = True
        room.nodes.split[room.n[0]] = node
        room.n[0] += 1


@inner_kernel
def _cut_if_alone(
    arcs: UsableArcs, distance: npt.NDArray[np.float64], node: int, rel_tolerance: float, room: Room
) -> None:
    """Mark a node as cut if no next hop is left."""
    if room.nodes.is_cut[node]:
        return
    for arc in range(arcs.first[node], arcs.first[node + 1]):
        is_left = room.nodes.kept[arc] > 0.0 and not room.nodes.is_cut[arcs.head[arc]]
        if is_left and _is_used(arcs, distance, arc, rel_tolerance):
            return
    room.nodes.is_cut[node] = True
    room.nodes.cut[room.n[1]] = node
    room.n[1] += 1


@inner_kernel
def _cut_nodes(arcs: UsableArcs, distance: npt.NDArray[np.float64], rel_tolerance: float, room: Room) -> None:
    """Find the nodes that lose all next hops, and those that lose some thereby."""
    for i in range(room.n[0]):
        _cut_if_alone(arcs, distance, room.nodes.split[i], rel_tolerance, room)
    done = 0
    while done < room.n[1]:
        node = room.nodes.cut[done]
        done += 1
        for k in range(arcs.in_first[node], arcs.in_first[node + 1] if arcs.forwards[node] else arcs.in_first[node]):
            arc = arcs.in_arc[k]
            if room.before[arc] > 0.0 and _is_used(arcs, distance, arc, rel_tolerance):
                _split(room, arcs.tail[arc])
                _cut_if_alone(arcs, distance, arcs.tail[arc], rel_tolerance, room)


@inner_kernel
def _add(room: Room, arc: int, gbps: float) -> None:
    if not room.is_changed[arc]:
        room.is_changed[arc] = True
        room.changed[room.n[3]] = arc
        room.n[3] += 1
    room.delta[arc] += gbps


@inner_kernel
def _wait(distance: npt.NDArray[np.float64], node: int, gbps: float, room: Room, size: int) -> int:
    """Let a node that was not cut wait for its turn, farthest first, unless it is the destination."""
    if distance[node] == 0.0:
        return size
    room.pending[node] += gbps
    if room.waits[node]:
        return size
    room.waits[node] = True
    return int(heap_push(room.nodes.heap_key, room.nodes.heap_node, size, -distance[node], node))


@inner_kernel
def _withdraw(
    arcs: UsableArcs,
    distance: npt.NDArray[np.float64],
    flow: float,
    node: int,
    rel_tolerance: float,
    room: Room,
    size: int,
) -> int:
    """Take what a node sent in the state off its arcs."""
    all_shares = 0.0
    for arc in range(arcs.first[node], arcs.first[node + 1]):
        if room.before[arc] > 0.0 and _is_used(arcs, distance, arc, rel_tolerance):
            all_shares += arcs.share[arc] * room.before[arc]
    for arc in range(arcs.first[node], arcs.first[node + 1]):
        if room.before[arc] > 0.0 and _is_used(arcs, distance, arc, rel_tolerance):
            part = flow * arcs.share[arc] * room.before[arc] / all_shares
            _add(room, arc, -part)
            if not room.nodes.is_cut[arcs.head[arc]]:
                size = _wait(distance, arcs.head[arc], -part, room, size)
    return size


@inner_kernel
def _route(
    arcs: UsableArcs, distance: npt.NDArray[np.float64], node: int, rel_tolerance: float, room: Room, size: int
) -> int:
    """Send what a node that was cut has now over its new next hops."""
    n_hops, all_shares = new_next_hops(arcs, distance, node, rel_tolerance, room.nodes)
    for k in range(n_hops):
        arc = room.nodes.next_hop[k]
        head = arcs.head[arc]
        part = room.nodes.new_flow[node] * arcs.share[arc] * room.nodes.kept[arc] / all_shares
        _add(room, arc, part)
        if room.nodes.is_cut[head]:
            room.nodes.new_flow[head] += part
        else:
            size = _wait(distance, head, part, room, size)
    return size


@inner_kernel
def _move_on(
    arcs: UsableArcs,
    distance: npt.NDArray[np.float64],
    flow: float,
    node: int,
    rel_tolerance: float,
    room: Room,
    size: int,
) -> int:
    """Move the change of a node that was not cut on to its next hops; one that lost some divides all its flow anew."""
    moved, splits = room.pending[node], room.nodes.is_split[node]
    room.pending[node] = 0.0
    room.waits[node] = False
    room.nodes.new_flow[node] = flow + moved
    if not splits:
        room.touched[room.n[2]] = node
        room.n[2] += 1
    shares_before, shares = 0.0, 0.0
    for arc in range(arcs.first[node], arcs.first[node + 1]):
        if room.before[arc] > 0.0 and _is_used(arcs, distance, arc, rel_tolerance):
            shares_before += arcs.share[arc] * room.before[arc]
            if not room.nodes.is_cut[arcs.head[arc]]:
                shares += arcs.share[arc] * room.nodes.kept[arc]
    for arc in range(arcs.first[node], arcs.first[node + 1]):
        if room.before[arc] > 0.0 and _is_used(arcs, distance, arc, rel_tolerance):
            head = arcs.head[arc]
            kept = 0.0 if room.nodes.is_cut[head] else room.nodes.kept[arc]
            gbps = arcs.share[arc] * kept / shares * moved
            if splits:
                gbps += flow * arcs.share[arc] * (kept / shares - room.before[arc] / shares_before)
            _add(room, arc, gbps)
            if not room.nodes.is_cut[head]:
                size = _wait(distance, head, gbps, room, size)
    return size
