"""Nodes that lose all next hops to a destination in a failure: their new distances, and their flow on new paths."""

import numpy as np
import numpy.typing as npt

from twin.kernels.flow_changes import wait_at
from twin.kernels.graph import Groups, Queue, UsableArcs
from twin.kernels.heaps import heap_pop, heap_push
from twin.kernels.jit import inner_kernel
from twin.kernels.next_hops import is_next_hop


@inner_kernel
def nodes_hit(
    tails: npt.NDArray[np.uint32],
    heads: npt.NDArray[np.uint32],
    weight: npt.NDArray[np.float64],
    forwards: npt.NDArray[np.bool_],
    distance: npt.NDArray[np.float64],
    flow: npt.NDArray[np.float64],
    failed: npt.NDArray[np.uint32],
    kept: npt.NDArray[np.float64],
    rel_tolerance: float,
    is_split: npt.NDArray[np.bool_],
    n_gone: npt.NDArray[np.int64],
    split: npt.NDArray[np.uint32],
) -> tuple[int, bool]:
    """Find the nodes that use failed arcs, and how many hops are gone; returns their number, and if any has flow."""
    n_split = 0
    has_flow = False
    for i in range(failed.size):
        tail, head = tails[failed[i]], heads[failed[i]]
        far, near = distance[tail], distance[head]
        if far == np.inf:
            continue
        if is_next_hop(near, far, weight[failed[i]], rel_tolerance * max(1.0, far), forwards[head]):
            if not is_split[tail]:
                is_split[tail] = True
                n_gone[tail] = 0
                split[n_split] = tail
                n_split += 1
                has_flow = has_flow or flow[tail] > 0.0
            if kept[failed[i]] == 0.0:
                n_gone[tail] += 1
    return n_split, has_flow


@inner_kernel
def nodes_cut(
    arcs: UsableArcs,
    distance: npt.NDArray[np.float64],
    group: npt.NDArray[np.int32],
    group_first: npt.NDArray[np.int64],
    kept: npt.NDArray[np.float64],
    rel_tolerance: float,
    is_split: npt.NDArray[np.bool_],
    n_gone: npt.NDArray[np.int64],
    split: npt.NDArray[np.uint32],
    n_split: int,
    is_cut: npt.NDArray[np.bool_],
    cut: npt.NDArray[np.uint32],
) -> tuple[int, int]:
    """Find the nodes without any next hop left, and all that lose one thereby. Returns the numbers of both."""
    n_cut = 0
    for i in range(n_split):
        g = group[split[i]]
        if n_gone[split[i]] == group_first[g + 1] - group_first[g]:
            is_cut[split[i]] = True
            cut[n_cut] = split[i]
            n_cut += 1
    done = 0
    while done < n_cut:
        node = cut[done]
        done += 1
        if not arcs.forwards[node]:
            continue
        near = distance[node]
        for k in range(arcs.in_first[node], arcs.in_first[node + 1]):
            arc = arcs.in_arc[k]
            tail = arcs.tail[arc]
            far = distance[tail]
            if far == np.inf or kept[arc] == 0.0:
                continue
            if is_next_hop(near, far, arcs.weight[arc], rel_tolerance * max(1.0, far), True):
                if not is_split[tail]:
                    is_split[tail] = True
                    n_gone[tail] = 0
                    split[n_split] = tail
                    n_split += 1
                n_gone[tail] += 1
                g = group[tail]
                if n_gone[tail] == group_first[g + 1] - group_first[g]:
                    is_cut[tail] = True
                    cut[n_cut] = tail
                    n_cut += 1
    return n_split, n_cut


@inner_kernel
def search_cut(
    arcs: UsableArcs,
    distance: npt.NDArray[np.float64],
    kept: npt.NDArray[np.float64],
    is_cut: npt.NDArray[np.bool_],
    cut: npt.NDArray[np.uint32],
    n_cut: int,
    out_near: npt.NDArray[np.float64],
    heap_key: npt.NDArray[np.float64],
    heap_node: npt.NDArray[np.uint32],
    out_order: npt.NDArray[np.uint32],
) -> int:
    """Find the new distances of nodes that lost theirs; returns how many have one, in `out_order`, nearest first."""
    size = 0
    for i in range(n_cut):
        node = cut[i]
        best = np.inf
        for arc in range(arcs.first[node], arcs.first[node + 1]):
            head = arcs.head[arc]
            if not is_cut[head] and kept[arc] > 0.0 and (arcs.forwards[head] or distance[head] == 0.0):
                best = min(best, distance[head] + arcs.weight[arc])
        out_near[node] = best
        if best < np.inf:
            size = heap_push(heap_key, heap_node, size, best, node)
    n_reached = 0
    while size > 0:
        key, node = heap_key[0], heap_node[0]
        size = heap_pop(heap_key, heap_node, size)
        if key > out_near[node]:
            continue
        out_order[n_reached] = node
        n_reached += 1
        for k in range(arcs.in_first[node], arcs.in_first[node + 1] if arcs.forwards[node] else arcs.in_first[node]):
            arc = arcs.in_arc[k]
            tail = arcs.tail[arc]
            if is_cut[tail] and kept[arc] > 0.0 and key + arcs.weight[arc] < out_near[tail]:
                out_near[tail] = key + arcs.weight[arc]
                size = heap_push(heap_key, heap_node, size, out_near[tail], tail)
    return n_reached


@inner_kernel
def withdraw(
    heads: npt.NDArray[np.uint32],
    groups: Groups,
    rank: npt.NDArray[np.int32],
    group: npt.NDArray[np.int32],
    flow: npt.NDArray[np.float64],
    is_cut: npt.NDArray[np.bool_],
    cut: npt.NDArray[np.uint32],
    n_cut: int,
    queue: Queue,
    change: npt.NDArray[np.float64],
    load: npt.NDArray[np.float64],
) -> int:
    """Take the old flow of the nodes that lost their distance off their arcs. Returns the greatest rank that waits."""
    top = 0
    for i in range(n_cut):
        if flow[cut[i]] > 0.0:
            g = group[cut[i]]
            for k in range(groups.first[g], groups.first[g + 1]):
                arc = groups.arc[k]
                part = flow[cut[i]] * groups.fraction[k]
                load[arc] -= part
                if not is_cut[heads[arc]]:
                    change[heads[arc]] -= part
                    top = wait_at(queue, rank[heads[arc]], heads[arc], top)
    return top


@inner_kernel
def enter(
    demand: npt.NDArray[np.float64],
    cut: npt.NDArray[np.uint32],
    n_cut: int,
    near: npt.NDArray[np.float64],
    new_flow: npt.NDArray[np.float64],
) -> tuple[float, int]:
    """Let the own demands of nodes enter anew. Returns the sum and the number of those that have no path any more."""
    lost_gbps, n_lost = 0.0, 0
    for i in range(n_cut):
        new_flow[cut[i]] = demand[cut[i]]
        if near[cut[i]] == np.inf and demand[cut[i]] > 0.0:
            lost_gbps += demand[cut[i]]
            n_lost += 1
    return lost_gbps, n_lost


@inner_kernel
def route_cut(
    arcs: UsableArcs,
    distance: npt.NDArray[np.float64],
    near: npt.NDArray[np.float64],
    rank: npt.NDArray[np.int32],
    kept: npt.NDArray[np.float64],
    rel_tolerance: float,
    is_cut: npt.NDArray[np.bool_],
    order: npt.NDArray[np.uint32],
    n_reached: int,
    new_flow: npt.NDArray[np.float64],
    queue: Queue,
    change: npt.NDArray[np.float64],
    top: int,
    load: npt.NDArray[np.float64],
) -> int:
    """Route what enters at nodes with a new distance, farthest first, up to the first node that kept its distance.

    No node that kept its distance sends to one that lost it. Returns the greatest rank that waits.
    """
    for i in range(n_reached - 1, -1, -1):
        node = order[i]
        amount = new_flow[node]
        if amount == 0.0:
            continue
        far = near[node]
        slack = rel_tolerance * max(1.0, far)
        all_shares = 0.0
        for arc in range(arcs.first[node], arcs.first[node + 1]):
            head = arcs.head[arc]
            there = near[head] if is_cut[head] else distance[head]
            if kept[arc] > 0.0 and is_next_hop(there, far, arcs.weight[arc], slack, arcs.forwards[head]):
                all_shares += arcs.share[arc] * kept[arc]
        for arc in range(arcs.first[node], arcs.first[node + 1]):
            head = arcs.head[arc]
            there = near[head] if is_cut[head] else distance[head]
            if kept[arc] > 0.0 and is_next_hop(there, far, arcs.weight[arc], slack, arcs.forwards[head]):
                part = amount * arcs.share[arc] * kept[arc] / all_shares
                load[arc] += part
                if is_cut[head]:
                    new_flow[head] += part
                else:
                    change[head] += part
                    top = wait_at(queue, rank[head], head, top)
    return top
