"""Nodes that lose all next hops to a destination in a failure: their new distances, and their flow on new paths."""

import numpy as np
import numpy.typing as npt

from twin.kernels.flow_changes import wait_at
from twin.kernels.graph import FailedNodes, Queue, UsableArcs
from twin.kernels.heaps import heap_pop, heap_push
from twin.kernels.jit import inner_kernel
from twin.kernels.next_hops import is_next_hop
from twin.kernels.pending_loads import PendingLoads, Responses, touch


@inner_kernel
def nodes_hit(
    arcs: UsableArcs,
    distance: npt.NDArray[np.float64],
    flow: npt.NDArray[np.float64],
    failed: npt.NDArray[np.uint32],
    rel_tolerance: float,
    nodes: FailedNodes,
) -> tuple[int, float]:
    """Find the nodes that use failed arcs, and how many hops are gone; returns their number and all their flow."""
    n_split = 0
    hit_gbps = 0.0
    for i in range(failed.size):
        tail, head = arcs.tail[failed[i]], arcs.head[failed[i]]
        far, near = distance[tail], distance[head]
        if far == np.inf:
            continue
        if is_next_hop(near, far, arcs.weight[failed[i]], rel_tolerance * max(1.0, far), arcs.forwards[head]):
            if not nodes.is_split[tail]:
                nodes.is_split[tail] = True
                nodes.n_gone[tail] = 0
                nodes.split[n_split] = tail
                n_split += 1
                hit_gbps += flow[tail]
            if nodes.kept[failed[i]] == 0.0:
                nodes.n_gone[tail] += 1
    return n_split, hit_gbps


@inner_kernel
def nodes_cut(
    arcs: UsableArcs,
    distance: npt.NDArray[np.float64],
    group: npt.NDArray[np.int32],
    group_first: npt.NDArray[np.int64],
    rel_tolerance: float,
    nodes: FailedNodes,
    n_split: int,
) -> tuple[int, int]:
    """Find the nodes without any next hop left, and all that lose one thereby. Returns the numbers of both."""
    n_cut = 0
    for i in range(n_split):
        node = nodes.split[i]
        if nodes.n_gone[node] == group_first[group[node] + 1] - group_first[group[node]]:
            nodes.is_cut[node] = True
            nodes.cut[n_cut] = node
            n_cut += 1
    done = 0
    while done < n_cut:
        node = nodes.cut[done]
        done += 1
        if not arcs.forwards[node]:
            continue
        near = distance[node]
        for k in range(arcs.in_first[node], arcs.in_first[node + 1]):
            arc = arcs.in_arc[k]
            tail = arcs.tail[arc]
            far = distance[tail]
            if far == np.inf or nodes.kept[arc] == 0.0:
                continue
            if is_next_hop(near, far, arcs.weight[arc], rel_tolerance * max(1.0, far), True):
                if not nodes.is_split[tail]:
                    nodes.is_split[tail] = True
                    nodes.n_gone[tail] = 0
                    nodes.split[n_split] = tail
                    n_split += 1
                nodes.n_gone[tail] += 1
                if nodes.n_gone[tail] == group_first[group[tail] + 1] - group_first[group[tail]]:
                    nodes.is_cut[tail] = True
                    nodes.cut[n_cut] = tail
                    n_cut += 1
    return n_split, n_cut


@inner_kernel
def forget(nodes: FailedNodes, n_split: int) -> None:
    """Clear the marks of all nodes that lost next hops."""
    for i in range(n_split):
        node = nodes.split[i]
        nodes.is_split[node] = False
        nodes.is_cut[node] = False
        nodes.new_fraction[node] = -1


@inner_kernel
def has_demand(demand: npt.NDArray[np.float64], nodes: FailedNodes, n_cut: int) -> bool:
    """Return whether anything enters at nodes that lost their distance; else their new distances do not matter."""
    found = False
    for i in range(n_cut):
        found = found or demand[nodes.cut[i]] > 0.0
    return found


@inner_kernel
def search_cut(arcs: UsableArcs, distance: npt.NDArray[np.float64], nodes: FailedNodes, n_cut: int) -> int:
    """Find the new distances of nodes that lost theirs; returns how many have one, in `order`, nearest first."""
    size = 0
    for i in range(n_cut):
        node = nodes.cut[i]
        best = np.inf
        for k in range(arcs.first[node], arcs.first[node + 1]):
            arc = np.uint32(k)
            head = arcs.head[arc]
            if not nodes.is_cut[head] and nodes.kept[arc] > 0.0 and (arcs.forwards[head] or distance[head] == 0.0):
                best = min(best, distance[head] + arcs.weight[arc])
        nodes.near[node] = best
        if best < np.inf:
            size = heap_push(nodes.heap_key, nodes.heap_node, size, best, node)
    n_reached = 0
    while size > 0:
        key, node = nodes.heap_key[0], nodes.heap_node[0]
        size = heap_pop(nodes.heap_key, nodes.heap_node, size)
        if key > nodes.near[node]:
            continue
        nodes.order[n_reached] = node
        n_reached += 1
        for k in range(arcs.in_first[node], arcs.in_first[node + 1] if arcs.forwards[node] else arcs.in_first[node]):
            arc = arcs.in_arc[k]
            tail = arcs.tail[arc]
            if nodes.is_cut[tail] and nodes.kept[arc] > 0.0 and key + arcs.weight[arc] < nodes.near[tail]:
                nodes.near[tail] = key + arcs.weight[arc]
                size = heap_push(nodes.heap_key, nodes.heap_node, size, nodes.near[tail], tail)
    return n_reached


@inner_kernel
def enter(demand: npt.NDArray[np.float64], nodes: FailedNodes, n_cut: int) -> tuple[float, int]:
    """Let the own demands of nodes enter anew. Returns the sum and the number of those that have no path any more."""
    lost_gbps, n_lost = 0.0, 0
    for i in range(n_cut):
        node = nodes.cut[i]
        nodes.new_flow[node] = demand[node]
        if nodes.near[node] == np.inf and demand[node] > 0.0:
            lost_gbps += demand[node]
            n_lost += 1
    return lost_gbps, n_lost


@inner_kernel
def new_next_hops(
    arcs: UsableArcs, distance: npt.NDArray[np.float64], node: int, rel_tolerance: float, nodes: FailedNodes
) -> tuple[int, float]:
    """Find the next hops of a node with a new distance, as `nodes.next_hop`; returns their number and all shares."""
    far = nodes.near[node]
    slack = rel_tolerance * max(1.0, far)
    n, all_shares = 0, 0.0
    for k in range(arcs.first[node], arcs.first[node + 1]):
        arc = np.uint32(k)
        head = arcs.head[arc]
        there = nodes.near[head] if nodes.is_cut[head] else distance[head]
        if nodes.kept[arc] > 0.0 and is_next_hop(there, far, arcs.weight[arc], slack, arcs.forwards[head]):
            nodes.next_hop[n] = arc
            n += 1
            all_shares += arcs.share[arc] * nodes.kept[arc]
    return n, all_shares


@inner_kernel
def route_cut(
    arcs: UsableArcs,
    distance: npt.NDArray[np.float64],
    rank: npt.NDArray[np.int32],
    rel_tolerance: float,
    nodes: FailedNodes,
    n_reached: int,
    queue: Queue,
    responses: Responses,
    loads: PendingLoads,
    top: int,
) -> int:
    """Route what enters at nodes with a new distance, farthest first, up to the first node that kept its distance.

    No node that kept its distance sends to one that lost it. Returns the greatest rank that waits.
    """
    for i in range(n_reached - 1, -1, -1):
        node = nodes.order[i]
        amount = nodes.new_flow[node]
        if amount == 0.0:
            continue
        touch(loads, responses, node)
        n_hops, all_shares = new_next_hops(arcs, distance, node, rel_tolerance, nodes)
        for k in range(n_hops):
            arc = nodes.next_hop[k]
            head, part = arcs.head[arc], amount * arcs.share[arc] * nodes.kept[arc] / all_shares
            loads.load[arc] += part
            if nodes.is_cut[head]:
                nodes.new_flow[head] += part
            else:
                queue.moved[head] += part
                top = wait_at(queue, rank[head], head, top)
    return top
