"""Changes of flow that move on from the nodes that lose next hops in a failure.

What a node forwards less or more is divided as its flow is. Nodes that lead to the same next hops with the same
fractions pass the sum of their changes on, once.
"""

import numpy as np
import numpy.typing as npt

from twin.kernels.graph import FailedNodes, Groups, Queue
from twin.kernels.jit import inner_kernel
from twin.kernels.pending_loads import PendingLoads, Responses, change_group, close_response


@inner_kernel
def wait_at(queue: Queue, rank: int, node: int, top: int) -> int:
    """Let a node wait at its rank unless it does; returns the greater of that rank and `top`."""
    if queue.waits[node]:
        return top
    queue.waits[node] = True
    queue.after[node] = queue.first[rank]
    queue.first[rank] = node
    return max(top, int(rank))


@inner_kernel
def pass_on(
    heads: npt.NDArray[np.uint32],
    groups: Groups,
    group: int,
    responses: Responses,
    response: int,
    total: float,
    is_cut: npt.NDArray[np.bool_],
    rank: npt.NDArray[np.int32],
    region: npt.NDArray[np.int32],
    queue: Queue,
    top: int,
) -> int:
    """Pass a change on to next hops; not to nodes that were cut, from which all is withdrawn.

    Nodes of the region wait at rank 0. Returns the greatest rank that waits.
    """
    start, value = groups.first[group], responses.first[response]
    for i in range(groups.first[group + 1] - start):
        head = heads[groups.arc[start + i]]
        if not is_cut[head]:
            queue.moved[head] += responses.value[value + i] * total
            top = wait_at(queue, rank[head] if region[head] == -2 else 0, head, top)
    return top


@inner_kernel
def new_fractions(
    heads: npt.NDArray[np.uint32], groups: Groups, group: int, nodes: FailedNodes, old: float, responses: Responses
) -> int:
    """Store the fractions over the next hops that are left, less `old` times those before; returns the response."""
    start, end = groups.first[group], groups.first[group + 1]
    all_kept = 0.0
    for i in range(start, end):
        if not nodes.is_cut[heads[groups.arc[i]]]:
            all_kept += groups.fraction[i] * nodes.kept[groups.arc[i]]
    value = responses.first[responses.n[0]]
    for i in range(start, end):
        kept = 0.0 if nodes.is_cut[heads[groups.arc[i]]] else nodes.kept[groups.arc[i]] / all_kept
        responses.value[value + i - start] = groups.fraction[i] * (kept - old)
    return close_response(responses, end - start)


@inner_kernel
def divide_anew(
    heads: npt.NDArray[np.uint32],
    groups: Groups,
    group: npt.NDArray[np.int32],
    flow: npt.NDArray[np.float64],
    nodes: FailedNodes,
    n_split: int,
    queue: Queue,
    responses: Responses,
    loads: PendingLoads,
) -> int:
    """Divide the flow of nodes that lost next hops over those left, and sum up what changes for these by shape.

    Returns the number of entries of the queue; `entry_of` stays set for all but nodes with failed arcs.
    """
    n_entries = 0
    for i in range(n_split):
        node = nodes.split[i]
        amount = flow[node]
        if nodes.is_cut[node] or amount == 0.0:
            continue
        g = group[node]
        entry = -1 if nodes.fails[node] else queue.entry_of[groups.shape[g]]
        if entry < 0:
            entry = n_entries
            n_entries += 1
            queue.group[entry], queue.total[entry] = g, 0.0
            queue.response[entry] = new_fractions(heads, groups, g, nodes, 1.0, responses)
            if not nodes.fails[node]:
                queue.entry_of[groups.shape[g]] = entry
        queue.total[entry] += amount
        nodes.entry[node] = entry
        change_group(loads, responses, groups, node, g, queue.response[entry], amount)
    return n_entries


@inner_kernel
def withdraw(
    heads: npt.NDArray[np.uint32],
    groups: Groups,
    rank: npt.NDArray[np.int32],
    region: npt.NDArray[np.int32],
    group: npt.NDArray[np.int32],
    flow: npt.NDArray[np.float64],
    nodes: FailedNodes,
    n_cut: int,
    queue: Queue,
    responses: Responses,
    loads: PendingLoads,
    top: int,
) -> int:
    """Take the old flow of the nodes that lost their distance off their arcs. Returns the greatest rank that waits."""
    for i in range(n_cut):
        node = nodes.cut[i]
        if flow[node] > 0.0:
            g = group[node]
            change_group(loads, responses, groups, node, g, g, -flow[node])
            top = pass_on(heads, groups, g, responses, g, -flow[node], nodes.is_cut, rank, region, queue, top)
    return top


@inner_kernel
def pass_entries(
    heads: npt.NDArray[np.uint32],
    groups: Groups,
    rank: npt.NDArray[np.int32],
    region: npt.NDArray[np.int32],
    nodes: FailedNodes,
    begin: int,
    end: int,
    queue: Queue,
    responses: Responses,
    top: int,
) -> int:
    """Pass the entries begin:end on and forget them; returns the greatest rank that waits."""
    for entry in range(begin, end):
        g = queue.group[entry]
        queue.entry_of[groups.shape[g]] = -1
        top = pass_on(
            heads, groups, g, responses, queue.response[entry], queue.total[entry], nodes.is_cut, rank, region, queue,
            top,
        )  # fmt: skip
    return top


@inner_kernel
def move_changes(
    heads: npt.NDArray[np.uint32],
    groups: Groups,
    rank: npt.NDArray[np.int32],
    region: npt.NDArray[np.int32],
    group: npt.NDArray[np.int32],
    nodes: FailedNodes,
    unit_gbps: float,
    whole: float,
    n_kept: int,
    queue: Queue,
    responses: Responses,
    loads: PendingLoads,
    top: int,
) -> None:
    """Move what waits on to the destination, farthest first; each unit of it is `unit_gbps`.

    What arrives at rank 0 stays there. The first n_kept entries of the queue stay as well. Where flow that took another
    way meets its old way, the changes cancel out: up to 2^-46 of the `whole` flow they are rounding, and stay there.
    """
    noise = 2.0**-46 * whole
    for level in range(top, 0, -1):
        node = queue.first[level]
        queue.first[level] = -1
        n_entries = n_kept
        while node >= 0:
            moved, g = queue.moved[node], group[node]
            queue.moved[node] = 0.0
            queue.waits[node] = False
            if abs(moved) <= noise:
                node = queue.after[node]
                continue
            response, entry = int(g), queue.entry_of[groups.shape[g]]
            if nodes.is_split[node]:
                if nodes.new_fraction[node] < 0:
                    nodes.new_fraction[node] = new_fractions(heads, groups, g, nodes, 0.0, responses)
                response, entry = nodes.new_fraction[node], -1
            if entry < 0:
                entry = n_entries
                n_entries += 1
                queue.group[entry], queue.response[entry], queue.total[entry] = g, response, 0.0
                if not nodes.is_split[node]:
                    queue.entry_of[groups.shape[g]] = entry
            queue.total[entry] += moved
            change_group(loads, responses, groups, node, g, response, moved * unit_gbps)
            node = queue.after[node]
        pass_entries(heads, groups, rank, region, nodes, n_kept, n_entries, queue, responses, 0)
