"""Load over equal-cost shortest paths: a node divides its flow over its next hops in proportion to their shares.

The DAG of a destination: arc u->v of link l belongs to it where l is up, v forwards or is the destination, v is nearer
than u, and distance[v] plus the weight of l equals distance[u] within rel_tolerance * max(1, distance[u]). `distance`
is the distance to the destination (a row of `shortest_distances`, or of `shortest_hops` with every weight at one).
`link_share` is what a link counts for in the division: its members up (ECMP) or its capacity (WCMP). A share of 0 is
never a next hop; where all next hops of a node have it, flow ends there, so mark such links down before the distances
are computed.
"""

import numpy as np
import numpy.typing as npt

from twin.kernels.graph import ArcGraph
from twin.kernels.jit import kernel
from twin.kernels.sums import add_exactly, lost_in_sum


@kernel
def trace_pair(
    graph: ArcGraph,
    arc_weight: npt.NDArray[np.float64],
    link_up: npt.NDArray[np.bool_],
    arc_share: npt.NDArray[np.float64],
    distance: npt.NDArray[np.float64],
    source: int,
    rel_tolerance: float,
    node_flow: npt.NDArray[np.float64],
    heap: npt.NDArray[np.int64],
    out_arc: npt.NDArray[np.int64],
    out_fraction: npt.NDArray[np.float64],
) -> int:
    """Find all arcs of traffic from `source` to the destination of `distance`, and the fraction on each.

    Args:
        graph: arcs of the network, by node that they leave.
        arc_weight: float64[2 * n_links], routing metric.
        link_up: bool[n_links].
        arc_share: float64[2 * n_links], weight of an arc where a node splits traffic.
        distance: float64[n_nodes], distance of each node to the destination.
        source: node.
        rel_tolerance: distances that differ by no more than this share are equal.
        node_flow: float64[n_nodes, 2], scratch, zero on entry and on return: flow, and what rounding took from it.
        heap: int64[n_nodes], scratch.
        out_arc: int64[room], arcs in topological order, all arcs of a node together, farthest node first.
        out_fraction: float64[room], fraction of the demand on each arc, 0 to 1.

    Returns:
        The number of arcs written: 0 without a path or from the destination itself. If the out arrays are too short,
        minus the number needed; call again with arrays of that size.
    """
    if distance[source] == np.inf or distance[source] == 0.0:
        return 0
    n_arcs, next_arcs = 0, np.empty(64, np.int64)
    node_flow[source, 0] = 1.0
    n_waiting = _push(heap, 0, distance, source)
    while n_waiting > 0:
        node = heap[0]
        n_waiting = _pop(heap, n_waiting, distance)
        flow = node_flow[node, 0] + node_flow[node, 1]
        node_flow[node] = 0.0
        if graph.first[node + 1] - graph.first[node] > next_arcs.size:
            next_arcs = np.empty(2 * (graph.first[node + 1] - graph.first[node]), np.int64)
        n_next, total, rest = 0, 0.0, 0.0
        for k in range(graph.first[node], graph.first[node + 1]):
            arc = graph.arc[k]
            far, other = distance[node], graph.head[arc]
            if link_up[arc >> 1] and _is_next_hop(graph, distance, far, other, arc_weight[arc], rel_tolerance):
                next_arcs[n_next] = arc
                n_next += 1
                before = total
                total = before + arc_share[arc]
                rest += lost_in_sum(before, arc_share[arc], total)
        total += rest
        if total == 0.0:
            continue
        for arc in next_arcs[:n_next]:
            other = graph.head[arc]
            part = flow * arc_share[arc] / total
            if part > 0.0:
                if n_arcs < out_arc.size:
                    out_arc[n_arcs] = arc
                    out_fraction[n_arcs] = part
                n_arcs += 1
                if distance[other] > 0.0:
                    if node_flow[other, 0] == 0.0:
                        n_waiting = _push(heap, n_waiting, distance, other)
                    add_exactly(node_flow[:, 0], node_flow[:, 1], other, part)
    return n_arcs if n_arcs <= out_arc.size else -n_arcs


@kernel
def prune_trace(
    arc: npt.NDArray[np.int64],
    fraction: npt.NDArray[np.float64],
    head: npt.NDArray[np.int64],
    link_up: npt.NDArray[np.bool_],
    arc_share: npt.NDArray[np.float64],
    distance_before: npt.NDArray[np.float64],
    distance: npt.NDArray[np.float64],
    node_flow: npt.NDArray[np.float64],
    out_arc: npt.NDArray[np.int64],
    out_fraction: npt.NDArray[np.float64],
) -> int:
    """Find the arcs of `trace_pair` from those before links failed, or before shares changed, to the last bit.

    A node whose hops to the destination stay keeps the next hops that are up and whose own hops stay; it gains none,
    because failures bring no node nearer. Hops are whole numbers, so no tolerance decides.

    Args:
        arc: int64[n], arcs of the pair before, in the order of `trace_pair`.
        fraction: float64[n], part of the demand on each, 0 to 1.
        head: int64[2 * n_links], node at the end of each arc.
        link_up: bool[n_links], no link is up that was not.
        arc_share: float64[2 * n_links], weight of an arc where a node splits traffic, above 0 where the link is up.
        distance_before: float64[n_nodes], hops to the destination before.
        distance: float64[n_nodes], hops now; nowhere less.
        node_flow: float64[n_nodes, 2], scratch, zero on entry and on return: flow, and what rounding took from it.
        out_arc: int64[n], overwritten.
        out_fraction: float64[n], overwritten.

    Returns:
        The number of arcs written; -1 where the hops of the source changed, or a part was so small that rounding may
        have dropped other arcs: trace anew.
    """
    if arc.size == 0:
        return -1
    source = head[arc[0] ^ 1]
    if distance[source] != distance_before[source]:
        return -1
    for k in range(arc.size):
        if fraction[k] < 1e-200:
            return -1
    node_flow[source, 0] = 1.0
    n_arcs, block = 0, 0
    while block < arc.size:
        node = head[arc[block] ^ 1]
        end, total, rest = block, 0.0, 0.0
        while end < arc.size and head[arc[end] ^ 1] == node:
            other = head[arc[end]]
            if link_up[arc[end] >> 1] and distance[other] == distance_before[other]:
                before = total
                total = before + arc_share[arc[end]]
                rest += lost_in_sum(before, arc_share[arc[end]], total)
            end += 1
        flow, total = node_flow[node, 0] + node_flow[node, 1], total + rest
        node_flow[node] = 0.0
        if flow > 0.0:
            for k in range(block, end):
                other = head[arc[k]]
                if link_up[arc[k] >> 1] and distance[other] == distance_before[other]:
                    out_arc[n_arcs] = arc[k]
                    out_fraction[n_arcs] = flow * arc_share[arc[k]] / total
                    if distance[other] > 0.0:
                        add_exactly(node_flow[:, 0], node_flow[:, 1], other, out_fraction[n_arcs])
                    n_arcs += 1
        block = end
    return n_arcs


@kernel
def worst_path_us(
    pair_first: npt.NDArray[np.int64],
    pair_arc: npt.NDArray[np.int64],
    head: npt.NDArray[np.int64],
    arc_latency_us: npt.NDArray[np.float64],
    node_scratch: npt.NDArray[np.float64],
    out_us: npt.NDArray[np.float64],
) -> None:
    """Compute the latency of the slowest equal-cost path of each pair.

    Args:
        pair_first: int64[n_pairs + 1]; arcs pair_first[i]:pair_first[i + 1] belong to pair i.
        pair_arc: int64[any], the arcs of each pair in the order of `trace_pair`.
        head: int64[2 * n_links], node at the end of each arc.
        arc_latency_us: float64[2 * n_links], >= 0.
        node_scratch: float64[n_nodes], zero on entry and on return.
        out_us: float64[n_pairs], 0 for a pair without arcs.

    Source:
        Longest path in a DAG, one relaxation per arc in topological order.
    """
    for pair in range(pair_first.size - 1):
        out_us[pair] = 0.0
        for k in range(pair_first[pair], pair_first[pair + 1]):
            arc = pair_arc[k]
            reached = node_scratch[head[arc ^ 1]] + arc_latency_us[arc]
            node_scratch[head[arc]] = max(node_scratch[head[arc]], reached)
        if pair_first[pair + 1] > pair_first[pair]:
            out_us[pair] = node_scratch[head[pair_arc[pair_first[pair + 1] - 1]]]
        for k in range(pair_first[pair], pair_first[pair + 1]):
            node_scratch[head[pair_arc[k]]] = 0.0


@kernel
def worst_to_destination_us(
    graph: ArcGraph,
    arc_weight: npt.NDArray[np.float64],
    link_up: npt.NDArray[np.bool_],
    arc_share: npt.NDArray[np.float64],
    distance: npt.NDArray[np.float64],
    sources: npt.NDArray[np.int64],
    rel_tolerance: float,
    arc_latency_us: npt.NDArray[np.float64],
    out_us: npt.NDArray[np.float64],
) -> None:
    """Compute the latency of the slowest equal-cost path from each source to the destination of `distance`.

    Args:
        graph: arcs of the network, by node that they leave.
        arc_weight: float64[2 * n_links], routing metric.
        link_up: bool[n_links].
        arc_share: float64[2 * n_links], weight of an arc where a node splits traffic.
        distance: float64[n_nodes], distance of each node to the destination.
        sources: int64[n_sources], nodes.
        rel_tolerance: distances that differ by no more than this share are equal.
        arc_latency_us: float64[2 * n_links], >= 0.
        out_us: float64[n_sources], 0 without a path and from the destination itself.

    Source:
        Longest path in a DAG; nodes are collected farthest first and relaxed in the reverse order.
    """
    n_nodes = graph.first.size - 1
    heap, order = np.empty(n_nodes, np.int64), np.empty(n_nodes, np.int64)
    known, node_us = np.zeros(n_nodes, np.bool_), np.zeros(n_nodes)
    n_waiting = 0
    n_known = 0
    for source in sources:
        if 0.0 < distance[source] < np.inf and not known[source]:
            known[source] = True
            n_waiting = _push(heap, n_waiting, distance, source)
    while n_waiting > 0:
        node = heap[0]
        n_waiting = _pop(heap, n_waiting, distance)
        order[n_known] = node
        n_known += 1
        for k in range(graph.first[node], graph.first[node + 1]):
            arc = graph.arc[k]
            link = arc >> 1
            other = graph.head[arc]
            if (
                link_up[link]
                and arc_share[arc] > 0.0
                and not known[other]
                and distance[other] > 0.0
                and _is_next_hop(graph, distance, distance[node], other, arc_weight[arc], rel_tolerance)
            ):
                known[other] = True
                n_waiting = _push(heap, n_waiting, distance, other)
    for i in range(n_known - 1, -1, -1):
        node = order[i]
        for k in range(graph.first[node], graph.first[node + 1]):
            arc = graph.arc[k]
            link = arc >> 1
            other = graph.head[arc]
            if (
                link_up[link]
                and arc_share[arc] > 0.0
                and _is_next_hop(graph, distance, distance[node], other, arc_weight[arc], rel_tolerance)
            ):
                node_us[node] = max(node_us[node], arc_latency_us[arc] + node_us[other])
    for i in range(sources.size):
        out_us[i] = node_us[sources[i]]


@kernel
def _is_next_hop(
    graph: ArcGraph, distance: npt.NDArray[np.float64], far: float, other: int, weight: float, rel_tolerance: float
) -> bool:
    """Return whether a link of this weight to `other` is on a shortest path from distance `far` to the destination."""
    near = distance[other]
    is_on_path = near < far and abs(near + weight - far) <= rel_tolerance * max(1.0, far)
    return bool(is_on_path and (graph.forwards[other] or near == 0.0))


@kernel
def _push(heap: npt.NDArray[np.int64], size: int, distance: npt.NDArray[np.float64], node: int) -> int:
    """Add a node to the heap of waiting nodes, farthest first, then by index; returns the new size."""
    hole = size
    while hole > 0:
        parent = (hole - 1) >> 1
        above = heap[parent]
        if distance[above] > distance[node] or (distance[above] == distance[node] and above < node):
            break
        heap[hole] = above
        hole = parent
    heap[hole] = node
    return size + 1


@kernel
def _pop(heap: npt.NDArray[np.int64], size: int, distance: npt.NDArray[np.float64]) -> int:
    """Remove the top, heap[0], from the heap of waiting nodes; returns the new size."""
    size -= 1
    node = heap[size]
    hole = 0
    while 2 * hole + 1 < size:
        child = 2 * hole + 1
        below = heap[child]
        if child + 1 < size:
            right = heap[child + 1]
            if distance[right] > distance[below] or (distance[right] == distance[below] and right < below):
                child += 1
                below = right
        if distance[node] > distance[below] or (distance[node] == distance[below] and node < below):
            break
        heap[hole] = below
        hole = child
    heap[hole] = node
    return size
