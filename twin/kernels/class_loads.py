"""Loads of a traffic matrix over equal-cost shortest paths, one class of twin destinations after the other.

Destinations that are twins have the same distances from all other nodes, so one search serves a whole class, and the
flows towards its members move through the network as vectors. The rule of equal cost is that of `kernels/ecmp.py`.
"""

import numpy as np
import numpy.typing as npt

from twin.kernels.graph import Destinations, UsableArcs
from twin.kernels.heaps import heap_pop, heap_push
from twin.kernels.jit import kernel, scratch_kernel
from twin.kernels.next_hops import is_next_hop


@kernel
def class_loads(
    arcs: UsableArcs,
    by_hops: bool,
    destinations: Destinations,
    rel_tolerance: float,
    keeps_all: bool,
    out_distance: npt.NDArray[np.float64],
    out_at_once: npt.NDArray[np.bool_],
    out_flow: npt.NDArray[np.float64],
    out_load: npt.NDArray[np.float64],
) -> float:
    """Route all demands; each node divides its flow over its next hops in proportion to their shares.

    Args:
        arcs: arcs that carry traffic.
        by_hops: whether all weights are 1, so that a breadth-first search suffices.
        destinations: destinations in classes, with their demands.
        rel_tolerance: path weights that differ by no more than this share are equal.
        keeps_all: whether distances and the flows of nodes are kept; otherwise out_flow is scratch.
        out_distance: float64[n_destinations, n_nodes] if kept, else of any size: distance of each node to each
            destination. Of a class that is routed at once, only the row of the first member is written.
        out_at_once: bool[n_classes], classes whose members were routed at once.
        out_flow: float64[n_nodes, n_destinations] if kept, else as many columns as the largest class has members; zero
            on entry, and on return if it is scratch. What a node forwards or sends to each destination.
        out_load: float64[n_arcs] in Gb/s, added to.

    Returns:
        Demand without a path in Gb/s.
    """
    n_nodes = arcs.first.size - 1
    distance, order = np.empty(n_nodes), np.empty(n_nodes, np.uint32)
    heap_key, heap_node = np.empty(arcs.head.size + 1), np.empty(arcs.head.size + 1, np.uint32)
    member = np.full(n_nodes, -1, np.int64)
    is_gate = np.zeros(n_nodes, np.bool_)
    total, next_hop = np.zeros(n_nodes), np.empty(arcs.head.size, np.uint32)
    lost = 0.0
    for c in range(destinations.class_first.size - 1):
        start, end = destinations.class_first[c], destinations.class_first[c + 1]
        at_once = False
        if end - start > 1:
            n_reached = _search(arcs, by_hops, destinations.node[start], distance, order, heap_key, heap_node)
            at_once = _gates_lead_straight(arcs, distance, destinations.node[start], rel_tolerance)
        out_at_once[c] = at_once
        for first in range(start, start + 1 if at_once else end):
            last = end if at_once else first + 1
            if not at_once:
                n_reached = _search(arcs, by_hops, destinations.node[first], distance, order, heap_key, heap_node)
            column = first if keeps_all else 0
            lost += _add_demands(destinations, first, last, distance, total, column, out_flow)
            _mark(arcs, destinations.node[first:last], True, member, is_gate)
            for i in range(last - first if at_once else 0):  # what members send to each other
                node = destinations.node[first + i]
                far = distance[destinations.node[first + 1]]
                _forward(
                    arcs,
                    distance,
                    node,
                    far,
                    member,
                    rel_tolerance,
                    total,
                    next_hop,
                    column,
                    last - first,
                    out_flow,
                    out_load,
                )
            for i in range(n_reached - 1, -1, -1):
                node = order[i]
                if total[node] == 0.0 or member[node] >= 0:
                    continue
                far = distance[node]
                if is_gate[node] and at_once:
                    _hand_over(arcs, far, node, member, rel_tolerance, out_flow[node][column:], out_load)
                    total[node] = 0.0
                else:
                    _forward(
                        arcs,
                        distance,
                        node,
                        far,
                        member,
                        rel_tolerance,
                        total,
                        next_hop,
                        column,
                        last - first,
                        out_flow,
                        out_load,
                    )
            for i in range(last - first):
                total[destinations.node[first + i]] = 0.0
                out_flow[destinations.node[first + i], column + i] = 0.0
            if keeps_all:
                out_distance[first] = distance
            else:
                for i in range(n_reached):
                    out_flow[order[i], : last - first] = 0.0
            _mark(arcs, destinations.node[first:last], False, member, is_gate)
    return lost


@scratch_kernel
def _add_demands(
    destinations: Destinations,
    first: int,
    last: int,
    distance: npt.NDArray[np.float64],
    total: npt.NDArray[np.float64],
    column: int,
    flow: npt.NDArray[np.float64],
) -> float:
    """Let the demands for destinations first:last enter at their sources. Returns those without a path."""
    lost = 0.0
    root = destinations.node[first]
    to_twin = distance[destinations.node[last - 1]]  # of the root, whose own distance is 0
    for i in range(last - first):
        for k in range(destinations.demand_first[first + i], destinations.demand_first[first + i + 1]):
            source = destinations.demand_source[k]
            if (to_twin if source == root else distance[source]) < np.inf:
                flow[source, column + i] += destinations.demand_gbps[k]
                total[source] += destinations.demand_gbps[k]
            else:
                lost += destinations.demand_gbps[k]
    return lost


@scratch_kernel
def _mark(
    arcs: UsableArcs,
    nodes: npt.NDArray[np.uint32],
    is_set: bool,
    member: npt.NDArray[np.int64],
    is_gate: npt.NDArray[np.bool_],
) -> None:
    """Mark the members of a class and the nodes with an arc to them, or clear the marks."""
    for i in range(nodes.size):
        member[nodes[i]] = i if is_set else -1
    for k in range(arcs.in_first[nodes[0]], arcs.in_first[nodes[0] + 1]):
        is_gate[arcs.tail[arcs.in_arc[k]]] = is_set


@scratch_kernel
def _forward(
    arcs: UsableArcs,
    distance: npt.NDArray[np.float64],
    node: int,
    far: float,
    member: npt.NDArray[np.int64],
    rel_tolerance: float,
    total: npt.NDArray[np.float64],
    next_hop: npt.NDArray[np.uint32],
    column: int,
    width: int,
    flow: npt.NDArray[np.float64],
    out_load: npt.NDArray[np.float64],
) -> None:
    """Divide the flow vector of a node at distance `far` over its next hops; its own row remains."""
    amount = total[node]
    total[node] = 0.0
    if amount == 0.0:
        return
    slack = rel_tolerance * max(1.0, far)
    all_shares = 0.0
    n_next = 0
    for arc in range(arcs.first[node], arcs.first[node + 1]):
        head = arcs.head[arc]
        if is_next_hop(distance[head], far, arcs.weight[arc], slack, arcs.forwards[head]):
            next_hop[n_next] = arc
            n_next += 1
            all_shares += arcs.share[arc]
    own = flow[node]
    for i in range(n_next):
        arc = next_hop[i]
        head = arcs.head[arc]
        part = arcs.share[arc] / all_shares
        out_load[arc] += amount * part
        total[head] += amount * part
        if member[head] < 0:
            there = flow[head]
            for j in range(column, column + width):
                there[j] += own[j] * part


@scratch_kernel
def _hand_over(
    arcs: UsableArcs,
    far: float,
    node: int,
    member: npt.NDArray[np.int64],
    rel_tolerance: float,
    own: npt.NDArray[np.float64],
    out_load: npt.NDArray[np.float64],
) -> None:
    """Send the flow to each member over the direct arcs of a gate; arcs to the same member lie side by side."""
    slack = rel_tolerance * max(1.0, far)
    arc = arcs.first[node]
    end = arcs.first[node + 1]
    while arc < end:
        head = arcs.head[arc]
        after = arc
        all_shares = 0.0
        while after < end and arcs.head[after] == head:
            if abs(arcs.weight[after] - far) <= slack:
                all_shares += arcs.share[after]
            after += 1
        if member[head] >= 0:
            for k in range(arc, after):
                if abs(arcs.weight[k] - far) <= slack:
                    out_load[k] += own[member[head]] * arcs.share[k] / all_shares
        arc = after


@scratch_kernel
def _gates_lead_straight(arcs: UsableArcs, distance: npt.NDArray[np.float64], node: int, rel_tolerance: float) -> bool:
    """Return whether all nodes with an arc to `node` reach it over their direct arcs alone."""
    for k in range(arcs.in_first[node], arcs.in_first[node + 1]):
        gate = arcs.tail[arcs.in_arc[k]]
        far = distance[gate]
        slack = rel_tolerance * max(1.0, far)
        for arc in range(arcs.first[gate], arcs.first[gate + 1]):
            head = arcs.head[arc]
            near = distance[head]
            if head != node and is_next_hop(near, far, arcs.weight[arc], slack, arcs.forwards[head]):
                return False
    return True


@scratch_kernel
def _search(
    arcs: UsableArcs,
    by_hops: bool,
    root: int,
    out_distance: npt.NDArray[np.float64],
    out_order: npt.NDArray[np.uint32],
    heap_key: npt.NDArray[np.float64],
    heap_node: npt.NDArray[np.uint32],
) -> int:
    """Compute the distance of each node to the root, and the nodes that reach it, nearest first.

    Returns the number of these nodes. Source: Moore (1959) and Dijkstra (1959).
    """
    out_distance[:] = np.inf
    out_distance[root] = 0.0
    n_reached = 0
    if by_hops:
        out_order[0] = root
        n_reached = 1
        done = 0
        while done < n_reached:
            node = out_order[done]
            done += 1
            if arcs.forwards[node] or node == root:
                for k in range(arcs.in_first[node], arcs.in_first[node + 1]):
                    tail = arcs.tail[arcs.in_arc[k]]
                    if out_distance[tail] == np.inf:
                        out_distance[tail] = out_distance[node] + 1.0
                        out_order[n_reached] = tail
                        n_reached += 1
        return n_reached
    size = heap_push(heap_key, heap_node, 0, 0.0, root)
    while size > 0:
        key, node = heap_key[0], heap_node[0]
        size = heap_pop(heap_key, heap_node, size)
        if key > out_distance[node]:
            continue
        out_order[n_reached] = node
        n_reached += 1
        if arcs.forwards[node] or node == root:
            for k in range(arcs.in_first[node], arcs.in_first[node + 1]):
                arc = arcs.in_arc[k]
                tail = arcs.tail[arc]
                reached = key + arcs.weight[arc]
                if reached < out_distance[tail]:
                    out_distance[tail] = reached
                    size = heap_push(heap_key, heap_node, size, reached, tail)
    return n_reached
