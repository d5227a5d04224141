"""Loads of a traffic matrix over equal-cost shortest paths, one class of twin destinations after the other.

Destinations that are twins have the same distances from all other nodes, so one search serves a whole class, and the
flows towards its members move through the network as vectors. The rule of equal cost is that of `kernels/ecmp.py`.
Sums keep what rounding takes from them (`kernels/sums.py`), so loads do not depend on the order of nodes and links.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twin.kernels.graph import Destinations, UsableArcs
from twin.kernels.heaps import heap_pop, heap_push
from twin.kernels.jit import inner_kernel, kernel, scratch_kernel
from twin.kernels.next_hops import is_next_hop
from twin.kernels.sums import add_exactly, lost_in_sum


class _Sums(NamedTuple):
    """Sums of class loads, each with what rounding took from it.

    total, total_rest: float64[n_nodes], what each node forwards or sends to the members of the class together.
    flow: float64[n_nodes, n_columns], the same by member.
    flow_rest: float64[n_nodes, n_columns]; without columns, nothing is kept of the flows.
    load, load_rest: float64[n_arcs].
    """

    total: npt.NDArray[np.float64]
    total_rest: npt.NDArray[np.float64]
    flow: npt.NDArray[np.float64]
    flow_rest: npt.NDArray[np.float64]
    load: npt.NDArray[np.float64]
    load_rest: npt.NDArray[np.float64]


@kernel
def class_loads(
    arcs: UsableArcs,
    by_hops: bool,
    destinations: Destinations,
    rel_tolerance: float,
    keeps_all: bool,
    out_distance: npt.NDArray[np.float64],
    out_rank: npt.NDArray[np.int32],
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
        keeps_all: whether distances and the flows of nodes are kept; otherwise out_flow is scratch. Flows that are
            kept depend on the order of nodes in their last bits.
        out_distance: float64[n_destinations, n_nodes] if kept, else of any size: distance of each node to each
            destination. Of a class that is routed at once, only the row of the first member is written.
        out_rank: int32, the same rows: place of that distance among all to the destination, 0 for the destination; -1
            without a path.
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
    next_hop = np.empty(arcs.head.size, np.uint32)
    sums = _Sums(
        np.zeros(n_nodes),
        np.zeros(n_nodes),
        out_flow,
        np.zeros((n_nodes, 0 if keeps_all else out_flow.shape[1])),
        out_load,
        np.zeros(out_load.size),
    )
    total = sums.total
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
            lost += _add_demands(destinations, first, last, distance, column, sums)
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
                    next_hop,
                    column,
                    last - first,
                    sums,
                )
            for i in range(n_reached - 1, -1, -1):
                node = order[i]
                if total[node] == 0.0 or member[node] >= 0:
                    continue
                far = distance[node]
                if is_gate[node] and at_once:
                    _hand_over(arcs, far, node, member, rel_tolerance, column, last - first, sums)
                else:
                    _forward(
                        arcs,
                        distance,
                        node,
                        far,
                        member,
                        rel_tolerance,
                        next_hop,
                        column,
                        last - first,
                        sums,
                    )
            for i in range(last - first):
                total[destinations.node[first + i]] = 0.0
                sums.total_rest[destinations.node[first + i]] = 0.0
                out_flow[destinations.node[first + i], column + i] = 0.0
            if keeps_all:
                out_distance[first] = distance
                _rank(distance, order[:n_reached], out_rank[first])
            else:
                for i in range(n_reached):
                    out_flow[order[i], : last - first] = 0.0
            _mark(arcs, destinations.node[first:last], False, member, is_gate)
    for arc in range(out_load.size):
        out_load[arc] += sums.load_rest[arc]
    return lost


@scratch_kernel
def _add_demands(
    destinations: Destinations,
    first: int,
    last: int,
    distance: npt.NDArray[np.float64],
    column: int,
    sums: _Sums,
) -> float:
    """Let the demands for destinations first:last enter at their sources. Returns those without a path."""
    lost = 0.0
    root = destinations.node[first]
    to_twin = distance[destinations.node[last - 1]]  # of the root, whose own distance is 0
    for i in range(last - first):
        for k in range(destinations.demand_first[first + i], destinations.demand_first[first + i + 1]):
            source, gbps = destinations.demand_source[k], destinations.demand_gbps[k]
            if (to_twin if source == root else distance[source]) < np.inf:
                add_exactly(sums.total, sums.total_rest, source, gbps)
                if sums.flow[source, column + i] == 0.0 or sums.flow_rest.size == 0:
                    sums.flow[source, column + i] += gbps  # the rest is another row of memory
                else:
                    add_exactly(sums.flow[source], sums.flow_rest[source], column + i, gbps)
            else:
                lost += gbps
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


@inner_kernel
def _amount_at(sums: _Sums, node: int, column: int, width: int) -> float:
    """Take what is to be forwarded at a node, and complete its flows to the members; the latter remain."""
    amount = float(sums.total[node] + sums.total_rest[node])
    sums.total[node] = sums.total_rest[node] = 0.0
    if sums.flow_rest.size and amount != 0.0:
        flow, rest = sums.flow[node, column : column + width], sums.flow_rest[node, :width]
        for j in range(width):
            flow[j] += rest[j]
            rest[j] = 0.0
    return amount


@inner_kernel
def _forward(
    arcs: UsableArcs,
    distance: npt.NDArray[np.float64],
    node: int,
    far: float,
    member: npt.NDArray[np.int64],
    rel_tolerance: float,
    next_hop: npt.NDArray[np.uint32],
    column: int,
    width: int,
    sums: _Sums,
) -> None:
    """Divide the flow vector of a node at distance `far` over its next hops; its own row remains."""
    amount = _amount_at(sums, node, column, width)
    if amount == 0.0:
        return
    slack = rel_tolerance * max(1.0, far)
    all_shares, rest = 0.0, 0.0
    n_next = 0
    for arc in range(arcs.first[node], arcs.first[node + 1]):
        head = arcs.head[arc]
        if is_next_hop(distance[head], far, arcs.weight[arc], slack, arcs.forwards[head]):
            next_hop[n_next] = arc
            n_next += 1
            before = all_shares
            all_shares = before + arcs.share[arc]
            rest += lost_in_sum(before, arcs.share[arc], all_shares)
    all_shares += rest
    own = sums.flow[node, column : column + width]
    for i in range(n_next):
        arc = next_hop[i]
        head = arcs.head[arc]
        part = arcs.share[arc] / all_shares
        add_exactly(sums.load, sums.load_rest, arc, amount * part)
        add_exactly(sums.total, sums.total_rest, head, amount * part)
        if member[head] < 0:
            there = sums.flow[head, column : column + width]
            if sums.flow_rest.size:
                there_rest = sums.flow_rest[head, :width]
                for j in range(width):
                    add_exactly(there, there_rest, j, own[j] * part)
            else:
                for j in range(width):
                    there[j] += own[j] * part


@scratch_kernel
def _hand_over(
    arcs: UsableArcs,
    far: float,
    node: int,
    member: npt.NDArray[np.int64],
    rel_tolerance: float,
    column: int,
    width: int,
    sums: _Sums,
) -> None:
    """Send the flow to each member over the direct arcs of a gate; arcs to the same member lie side by side."""
    _amount_at(sums, node, column, width)
    own = sums.flow[node]
    slack = rel_tolerance * max(1.0, far)
    arc = arcs.first[node]
    end = arcs.first[node + 1]
    while arc < end:
        head = arcs.head[arc]
        after = arc
        all_shares, rest = 0.0, 0.0
        while after < end and arcs.head[after] == head:
            if abs(arcs.weight[after] - far) <= slack:
                before = all_shares
                all_shares = before + arcs.share[after]
                rest += lost_in_sum(before, arcs.share[after], all_shares)
            after += 1
        if member[head] >= 0:
            for k in range(arc, after):
                if abs(arcs.weight[k] - far) <= slack:
                    amount = own[column + member[head]] * arcs.share[k] / (all_shares + rest)
                    add_exactly(sums.load, sums.load_rest, k, amount)
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
def _rank(distance: npt.NDArray[np.float64], nearest: npt.NDArray[np.uint32], out_rank: npt.NDArray[np.int32]) -> None:
    """Number the distinct distances of the nodes that have a path, nearest first; -1 for others."""
    out_rank[:] = -1
    rank, last = 0, 0.0
    for node in nearest:
        if distance[node] > last:
            rank += 1
            last = distance[node]
        out_rank[node] = rank


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
