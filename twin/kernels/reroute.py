"""Loads to one destination after a failure, as a change of those in a state that may have failures already.

Next hops are found from distances where they are needed, so a state is two rows: distances, and what each node sends.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twin.kernels.graph import UsableArcs
from twin.kernels.heaps import heap_pop, heap_push
from twin.kernels.jit import inner_kernel
from twin.kernels.next_hops import is_next_hop


class Room(NamedTuple):
    """Room for one thread. Between failures no node and no arc is marked, and changes are 0.

    before: float64[n_arcs], part of each arc that the state has; 0 = failed.
    kept: float64[n_arcs], the part that it has after the failure.
    near: float64[n_nodes], new distance of the nodes that were cut.
    new_flow: float64[n_nodes], what nodes send after the failure, of those that were split or touched.
    pending: float64[n_nodes], change of flow that a node has not moved on.
    is_split: bool[n_nodes], nodes that lose next hops; split: uint32[n_nodes], these nodes.
    is_cut: bool[n_nodes], those that lose all; cut: uint32[n_nodes].
    waits: bool[n_nodes], nodes with something pending.
    order: uint32[n_nodes], nodes that were cut and have a path, nearest first.
    touched: uint32[n_nodes], other nodes whose flow may change.
    heap_key, heap_node: float64 and uint32[n_arcs + n_nodes].
    delta: float64[n_arcs], change of the load.
    is_changed: bool[n_arcs]; changed: uint32[n_arcs], arcs whose load may change.
    n: int64[5], numbers of split, cut, touched nodes, of changed arcs, and of demands that lose their path.
    distance, flow: float64[n_nodes], a state; load: float64[n_arcs]: room for the caller.
    """

    before: npt.NDArray[np.float64]
    kept: npt.NDArray[np.float64]
    near: npt.NDArray[np.float64]
    new_flow: npt.NDArray[np.float64]
    pending: npt.NDArray[np.float64]
    is_split: npt.NDArray[np.bool_]
    split: npt.NDArray[np.uint32]
    is_cut: npt.NDArray[np.bool_]
    cut: npt.NDArray[np.uint32]
    waits: npt.NDArray[np.bool_]
    order: npt.NDArray[np.uint32]
    touched: npt.NDArray[np.uint32]
    heap_key: npt.NDArray[np.float64]
    heap_node: npt.NDArray[np.uint32]
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
        failed: uint32[any], arcs of which `room.kept` is less than `room.before`.
        rel_tolerance: path weights that differ by no more than this share are equal.
        room: receives all answers.
    """
    for i in range(room.n.size):
        room.n[i] = 0
    for i in range(failed.size):
        if room.kept[failed[i]] < room.before[failed[i]] and _is_used(arcs, distance, failed[i], rel_tolerance):
            _split(room, arcs.tail[failed[i]])
    if room.n[0] == 0:
        return 0.0
    _cut_nodes(arcs, distance, rel_tolerance, room)
    lost_gbps, size = 0.0, 0
    if room.n[1] > 0:
        n_reached = _search(arcs, distance, room)
        for i in range(room.n[1]):
            node = room.cut[i]
            if flow[node] != 0.0:
                size = _withdraw(arcs, distance, flow[node], node, rel_tolerance, room, size)
            room.new_flow[node] = demand[node]
            if room.near[node] == np.inf and demand[node] > 0.0:
                lost_gbps += demand[node]
                room.n[4] += 1
        for i in range(n_reached - 1, -1, -1):
            if room.new_flow[room.order[i]] != 0.0:
                size = _route(arcs, distance, room.order[i], rel_tolerance, room, size)
    for i in range(room.n[0]):
        if not room.is_cut[room.split[i]]:
            size = _wait(distance, room.split[i], 0.0, room, size)
    while size > 0:
        node = room.heap_node[0]
        size = heap_pop(room.heap_key, room.heap_node, size)
        size = _move_on(arcs, distance, flow[node], node, rel_tolerance, room, size)
    return lost_gbps


@inner_kernel
def forget(room: Room) -> None:
    """Remove the marks and changes of a failure."""
    for i in range(room.n[0]):
        room.is_split[room.split[i]] = False
        room.is_cut[room.split[i]] = False
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
    if not room.is_split[node]:
        room.is_split[node] = True
        room.split[room.n[0]] = node
        room.n[0] += 1


@inner_kernel
def _cut_if_alone(
    arcs: UsableArcs, distance: npt.NDArray[np.float64], node: int, rel_tolerance: float, room: Room
) -> None:
    """Mark a node as cut if no next hop is left."""
    if room.is_cut[node]:
        return
    for arc in range(arcs.first[node], arcs.first[node + 1]):
        if room.kept[arc] > 0.0 and not room.is_cut[arcs.head[arc]] and _is_used(arcs, distance, arc, rel_tolerance):
            return
    room.is_cut[node] = True
    room.cut[room.n[1]] = node
    room.n[1] += 1


@inner_kernel
def _cut_nodes(arcs: UsableArcs, distance: npt.NDArray[np.float64], rel_tolerance: float, room: Room) -> None:
    """Find the nodes that lose all next hops, and those that lose some thereby."""
    for i in range(room.n[0]):
        _cut_if_alone(arcs, distance, room.split[i], rel_tolerance, room)
    done = 0
    while done < room.n[1]:
        node = room.cut[done]
        done += 1
        for k in range(arcs.in_first[node], arcs.in_first[node + 1] if arcs.forwards[node] else arcs.in_first[node]):
            arc = arcs.in_arc[k]
            if room.before[arc] > 0.0 and _is_used(arcs, distance, arc, rel_tolerance):
                _split(room, arcs.tail[arc])
                _cut_if_alone(arcs, distance, arcs.tail[arc], rel_tolerance, room)


@inner_kernel
def _search(arcs: UsableArcs, distance: npt.NDArray[np.float64], room: Room) -> int:
    """Find the new distances of the nodes that were cut; returns how many have one."""
    size = 0
    for i in range(room.n[1]):
        node = room.cut[i]
        best = np.inf
        for arc in range(arcs.first[node], arcs.first[node + 1]):
            head = arcs.head[arc]
            if not room.is_cut[head] and room.kept[arc] > 0.0 and (arcs.forwards[head] or distance[head] == 0.0):
                best = min(best, distance[head] + arcs.weight[arc])
        room.near[node] = best
        if best < np.inf:
            size = heap_push(room.heap_key, room.heap_node, size, best, node)
    n_reached = 0
    while size > 0:
        key, node = room.heap_key[0], room.heap_node[0]
        size = heap_pop(room.heap_key, room.heap_node, size)
        if key > room.near[node]:
            continue
        room.order[n_reached] = node
        n_reached += 1
        for k in range(arcs.in_first[node], arcs.in_first[node + 1] if arcs.forwards[node] else arcs.in_first[node]):
            arc = arcs.in_arc[k]
            tail = arcs.tail[arc]
            if room.is_cut[tail] and room.kept[arc] > 0.0 and key + arcs.weight[arc] < room.near[tail]:
                room.near[tail] = key + arcs.weight[arc]
                size = heap_push(room.heap_key, room.heap_node, size, room.near[tail], tail)
    return n_reached


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
    return int(heap_push(room.heap_key, room.heap_node, size, -distance[node], node))


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
            if not room.is_cut[arcs.head[arc]]:
                size = _wait(distance, arcs.head[arc], -part, room, size)
    return size


@inner_kernel
def _route(
    arcs: UsableArcs, distance: npt.NDArray[np.float64], node: int, rel_tolerance: float, room: Room, size: int
) -> int:
    """Send what a node that was cut has now over its new next hops."""
    far = room.near[node]
    slack = rel_tolerance * max(1.0, far)
    all_shares = 0.0
    for arc in range(arcs.first[node], arcs.first[node + 1]):
        head = arcs.head[arc]
        there = room.near[head] if room.is_cut[head] else distance[head]
        if room.kept[arc] > 0.0 and is_next_hop(there, far, arcs.weight[arc], slack, arcs.forwards[head]):
            all_shares += arcs.share[arc] * room.kept[arc]
    for arc in range(arcs.first[node], arcs.first[node + 1]):
        head = arcs.head[arc]
        there = room.near[head] if room.is_cut[head] else distance[head]
        if room.kept[arc] > 0.0 and is_next_hop(there, far, arcs.weight[arc], slack, arcs.forwards[head]):
            part = room.new_flow[node] * arcs.share[arc] * room.kept[arc] / all_shares
            _add(room, arc, part)
            if room.is_cut[head]:
                room.new_flow[head] += part
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
    moved, splits = room.pending[node], room.is_split[node]
    room.pending[node] = 0.0
    room.waits[node] = False
    room.new_flow[node] = flow + moved
    if not splits:
        room.touched[room.n[2]] = node
        room.n[2] += 1
    shares_before, shares = 0.0, 0.0
    for arc in range(arcs.first[node], arcs.first[node + 1]):
        if room.before[arc] > 0.0 and _is_used(arcs, distance, arc, rel_tolerance):
            shares_before += arcs.share[arc] * room.before[arc]
            if not room.is_cut[arcs.head[arc]]:
                shares += arcs.share[arc] * room.kept[arc]
    for arc in range(arcs.first[node], arcs.first[node + 1]):
        if room.before[arc] > 0.0 and _is_used(arcs, distance, arc, rel_tolerance):
            head = arcs.head[arc]
            kept = 0.0 if room.is_cut[head] else room.kept[arc]
            gbps = arcs.share[arc] * kept / shares * moved
            if splits:
                gbps += flow * arcs.share[arc] * (kept / shares - room.before[arc] / shares_before)
            _add(room, arc, gbps)
            if not room.is_cut[head]:
                size = _wait(distance, head, gbps, room, size)
    return size
