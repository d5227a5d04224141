"""Changes of flow that move on from the nodes that lose next hops in a failure."""

import numpy as np
import numpy.typing as npt

from twin.kernels.graph import Groups, Queue, RoutingTables
from twin.kernels.jit import inner_kernel, kernel


@inner_kernel
def touch(queue: Queue, node: int) -> None:
    """Note that loads change on arcs that leave a node."""
    if not queue.is_touched[node]:
        queue.is_touched[node] = True
        queue.touched[queue.n_touched[0]] = node
        queue.n_touched[0] += 1


@inner_kernel
def wait_at(queue: Queue, rank: int, node: int, top: int) -> int:
    """Let a node wait at its rank unless it does; returns the greater of that rank and `top`."""
    if queue.waits[node]:
        return top
    queue.waits[node] = True
    touch(queue, node)
    queue.after[node] = queue.first[rank]
    queue.first[rank] = node
    return max(top, int(rank))


@kernel
def split_for_class(
    heads: npt.NDArray[np.uint32],
    tables: RoutingTables,
    start: int,
    stop: int,
    region: npt.NDArray[np.int32],
    node: int,
    kept: npt.NDArray[np.float64],
    queue: Queue,
    change: npt.NDArray[np.float64],
    load: npt.NDArray[np.float64],
) -> None:
    """Divide the flow of a node to all members of a class anew: one unit moves on, and all flows follow it.

    Nodes of the region wait at rank 0; from there each flow takes the last arcs to its own member.
    """
    flow = tables.flow[node]
    amount = 0.0
    for d in range(start, stop):
        amount += flow[d]
    if amount == 0.0:
        return
    rank, group = tables.rank[start], tables.group[start]
    g = group[node]
    all_kept = 0.0
    for i in range(tables.groups.first[g], tables.groups.first[g + 1]):
        all_kept += tables.groups.fraction[i] * kept[tables.groups.arc[i]]
    top = 0
    for i in range(tables.groups.first[g], tables.groups.first[g + 1]):
        arc = tables.groups.arc[i]
        head = heads[arc]
        part = tables.groups.fraction[i] * (kept[arc] / all_kept - 1.0)
        load[arc] += part * amount
        change[head] += part
        top = wait_at(queue, rank[head] if region[head] == -2 else 0, head, top)
    for level in range(top, 0, -1):
        waiting = queue.first[level]
        queue.first[level] = -1
        while waiting >= 0:
            moved = change[waiting]
            change[waiting] = 0.0
            queue.waits[waiting] = False
            g = group[waiting]
            for i in range(tables.groups.first[g], tables.groups.first[g + 1]):
                arc = tables.groups.arc[i]
                head = heads[arc]
                part = tables.groups.fraction[i] * moved
                load[arc] += part * amount
                change[head] += part
                top = wait_at(queue, rank[head] if region[head] == -2 else 0, head, top)
            waiting = queue.after[waiting]
    gate = queue.first[0]
    queue.first[0] = -1
    while gate >= 0:
        moved = change[gate]
        change[gate] = 0.0
        queue.waits[gate] = False
        straight = region[gate]
        if straight >= 0:
            for d in range(start, stop):
                load[straight + d - start] += moved * flow[d]
        else:
            for d in range(start, stop):
                g = tables.group[d, gate]
                for i in range(tables.groups.first[g], tables.groups.first[g + 1]):
                    load[tables.groups.arc[i]] += moved * flow[d] * tables.groups.fraction[i]
        gate = queue.after[gate]


@inner_kernel
def move_changes(
    heads: npt.NDArray[np.uint32],
    groups: Groups,
    twin_class: npt.NDArray[np.int32],
    rank: npt.NDArray[np.int32],
    group: npt.NDArray[np.int32],
    flow: npt.NDArray[np.float64],
    kept: npt.NDArray[np.float64],
    is_split: npt.NDArray[np.bool_],
    is_cut: npt.NDArray[np.bool_],
    class_is_hit: npt.NDArray[np.bool_],
    top: int,
    queue: Queue,
    change: npt.NDArray[np.float64],
    response: npt.NDArray[np.float64],
    load: npt.NDArray[np.float64],
) -> None:
    """Move the changes of flow on to one destination, farthest first; nodes that lost next hops divide anew.

    Twins that do so without a change of their own share one response, each with its own flow.
    """
    for level in range(top, 0, -1):
        node = queue.first[level]
        queue.first[level] = -1
        twins, total, g_twins = -1, 0.0, 0
        while node >= 0:
            moved, g = change[node], group[node]
            change[node] = 0.0
            queue.waits[node] = False
            mine = twin_class[node]
            alike = is_split[node] and moved == 0.0 and mine >= 0 and groups.in_a_row[g] and not class_is_hit[mine]
            if twins >= 0 and (not alike or mine != twins):
                _pass_on(heads, groups, g_twins, total, is_cut, rank, response, queue, change)
                twins = -1
            if alike:
                if twins < 0:
                    twins, total, g_twins = mine, 0.0, g
                    _divide(heads, groups, g, 1.0, 0.0, kept, is_cut, response)
                arc = np.int64(groups.arc[groups.first[g]])
                n_arcs = groups.first[g + 1] - groups.first[g]
                own = flow[node]
                for i in range(n_arcs):
                    load[arc + i] += response[i] * own
                total += own
            elif is_split[node]:
                _divide(heads, groups, g, flow[node], moved, kept, is_cut, response)
                for i in range(groups.first[g], groups.first[g + 1]):
                    load[groups.arc[i]] += response[i - groups.first[g]]
                _pass_on(heads, groups, g, 1.0, is_cut, rank, response, queue, change)
            elif moved != 0.0:
                for i in range(groups.first[g], groups.first[g + 1]):
                    arc = groups.arc[i]
                    part = moved * groups.fraction[i]
                    load[arc] += part
                    change[heads[arc]] += part
                    wait_at(queue, rank[heads[arc]], heads[arc], 0)
            node = queue.after[node]
        if twins >= 0:
            _pass_on(heads, groups, g_twins, total, is_cut, rank, response, queue, change)
    node = queue.first[0]
    if node >= 0:
        queue.first[0] = -1
        queue.waits[node] = False
        change[node] = 0.0


@inner_kernel
def _divide(
    heads: npt.NDArray[np.uint32],
    groups: Groups,
    group: int,
    flow: float,
    moved: float,
    kept: npt.NDArray[np.float64],
    is_cut: npt.NDArray[np.bool_],
    out_change: npt.NDArray[np.float64],
) -> None:
    """Compute the change on each arc of a node that divides flow + moved, and divided flow before."""
    start = groups.first[group]
    all_kept = 0.0
    for i in range(start, groups.first[group + 1]):
        if not is_cut[heads[groups.arc[i]]]:
            all_kept += groups.fraction[i] * kept[groups.arc[i]]
    for i in range(start, groups.first[group + 1]):
        new = 0.0 if is_cut[heads[groups.arc[i]]] else kept[groups.arc[i]] * (flow + moved) / all_kept
        out_change[i - start] = groups.fraction[i] * (new - flow)


@inner_kernel
def _pass_on(
    heads: npt.NDArray[np.uint32],
    groups: Groups,
    group: int,
    factor: float,
    is_cut: npt.NDArray[np.bool_],
    rank: npt.NDArray[np.int32],
    response: npt.NDArray[np.float64],
    queue: Queue,
    change: npt.NDArray[np.float64],
) -> None:
    """Pass a multiple of a response on to next hops; not to nodes that were cut, from which all is withdrawn."""
    start = groups.first[group]
    for i in range(start, groups.first[group + 1]):
        head = heads[groups.arc[i]]
        if not is_cut[head]:
            change[head] += factor * response[i - start]
            wait_at(queue, rank[head], head, 0)
