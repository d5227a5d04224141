"""Next hops of every node towards every destination, each set of next hops of a node stored once."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twin.kernels.graph import Destinations, UsableArcs
from twin.kernels.jit import inner_kernel, kernel, scratch_kernel


@inner_kernel
def is_next_hop(near: float, far: float, weight: float, slack: float, forwards: bool) -> bool:
    """Return whether an arc is on a shortest path from distance `far`; `near` and `forwards` belong to its head."""
    return near < far and abs(near + weight - far) <= slack and (forwards or near == 0.0)


class GroupStore(NamedTuple):
    """Room for groups, each a set of next hops of one node.

    first: int64[room + 1], the next hops of group g are entries first[g]:first[g + 1]; first[0] is 0.
    arc: uint32[room], arcs, ascending within a group.
    fraction: float64[room], the part of the node's flow on each.
    latest: int64[n_nodes], the group of each node that was stored last; all -1 on entry.
    before: int64[room], the group of the same node that was stored before.
    """

    first: npt.NDArray[np.int64]
    arc: npt.NDArray[np.uint32]
    fraction: npt.NDArray[np.float64]
    latest: npt.NDArray[np.int64]
    before: npt.NDArray[np.int64]


@kernel
def next_hop_groups(
    arcs: UsableArcs,
    destinations: Destinations,
    at_once: npt.NDArray[np.bool_],
    rel_tolerance: float,
    distance: npt.NDArray[np.float64],
    out_rank: npt.NDArray[np.int32],
    out_group: npt.NDArray[np.int32],
    out_store: GroupStore,
) -> int:
    """Find the next hops of each node, and the rank of its distance.

    Args:
        arcs: arcs that carry traffic.
        destinations: destinations in classes.
        at_once: bool[n_classes], classes whose members differ only at themselves and their neighbours.
        rel_tolerance: path weights that differ by no more than this share are equal.
        distance: float64[n_destinations, n_nodes]. Of a class that is routed at once, only the row of the first member
            is filled; the others are written.
        out_rank: int32[n_destinations, n_nodes], place of the distance among those to the destination; -1 without one.
        out_group: int32[n_destinations, n_nodes], -1 without next hops.
        out_store: the groups.

    Returns:
        The number of groups, or -1 where there is too little room.
    """
    n_groups = 0
    for c in range(destinations.class_first.size - 1):
        start, end = destinations.class_first[c], destinations.class_first[c + 1]
        for d in range(start, end):
            row, group = distance[d], out_group[d]
            if d > start and at_once[c]:
                first, other = destinations.node[start], destinations.node[d]
                row[:] = distance[start]
                out_rank[d] = out_rank[start]
                group[:] = out_group[start]
                row[first] = distance[start, other]
                out_rank[d, first] = out_rank[start, other]
                row[other] = 0.0
                out_rank[d, other] = 0
                group[other] = -1
                n_groups = _store(arcs, first, row, rel_tolerance, n_groups, out_store, group)
                for k in range(arcs.in_first[other], arcs.in_first[other + 1]):
                    gate = arcs.tail[arcs.in_arc[k]]
                    n_groups = _store(arcs, gate, row, rel_tolerance, n_groups, out_store, group)
            else:
                _rank(row, out_rank[d])
                for node in range(row.size):
                    n_groups = _store(arcs, node, row, rel_tolerance, n_groups, out_store, group)
            if n_groups < 0:
                return -1
    return n_groups


@kernel
def _rank(distance: npt.NDArray[np.float64], out_rank: npt.NDArray[np.int32]) -> None:
    """Number the distinct distances, least first; -1 where there is no path."""
    order = np.argsort(distance)
    rank = -1
    last = -1.0
    for i in range(order.size):
        if distance[order[i]] > last:
            rank += 1
            last = distance[order[i]]
        out_rank[order[i]] = rank if last < np.inf else -1


@scratch_kernel
def _store(
    arcs: UsableArcs,
    node: int,
    distance: npt.NDArray[np.float64],
    rel_tolerance: float,
    n_groups: int,
    store: GroupStore,
    out_group: npt.NDArray[np.int32],
) -> int:
    """Find the next hops of a node among its groups, or add a group; returns the number of groups, -1 without room."""
    far = distance[node]
    out_group[node] = -1
    if n_groups < 0 or far == 0.0 or far == np.inf:
        return n_groups
    start = store.first[n_groups]
    end = start
    slack = rel_tolerance * max(1.0, far)
    all_shares = 0.0
    for arc in range(arcs.first[node], arcs.first[node + 1]):
        head = arcs.head[arc]
        if is_next_hop(distance[head], far, arcs.weight[arc], slack, arcs.forwards[head]):
            if end == store.arc.size:
                return -1
            store.arc[end] = arc
            end += 1
            all_shares += arcs.share[arc]
    group = store.latest[node]
    while group >= 0:
        known = store.first[group]
        same = store.first[group + 1] - known == end - start
        i = 0
        while same and i < end - start:
            same = store.arc[known + i] == store.arc[start + i]
            i += 1
        if same:
            out_group[node] = group
            return n_groups
        group = store.before[group]
    if n_groups + 1 == store.first.size:
        return -1
    for i in range(start, end):
        store.fraction[i] = arcs.share[store.arc[i]] / all_shares
    store.before[n_groups] = store.latest[node]
    store.latest[node] = n_groups
    out_group[node] = n_groups
    store.first[n_groups + 1] = end
    return n_groups + 1


@scratch_kernel
def mark_regions(
    arcs: UsableArcs,
    destinations: Destinations,
    group: npt.NDArray[np.int32],
    group_first: npt.NDArray[np.int64],
    group_arc: npt.NDArray[np.uint32],
    region_row: npt.NDArray[np.int64],
    out_region: npt.NDArray[np.int32],
) -> None:
    """Mark where the next hops towards the members of a class differ: at the members and their neighbours.

    Args:
        arcs: arcs that carry traffic.
        destinations: destinations in classes.
        group: int32[n_destinations, n_nodes], as by `next_hop_groups`.
        group_first: int64[n_groups + 1], as by `next_hop_groups`.
        group_arc: uint32[any], as by `next_hop_groups`.
        region_row: int64[n_classes], row of each class in out_region; -1 for a class that is not routed at once.
        out_region: int32[n_rows, n_nodes], overwritten: -2 outside; else the arc to the first member if the node has
            one arc to each member and these are consecutive, else -1.
    """
    out_region[:] = -2
    for c in range(region_row.size):
        if region_row[c] < 0:
            continue
        region = out_region[region_row[c]]
        start, end = destinations.class_first[c], destinations.class_first[c + 1]
        for d in range(start, end):
            region[destinations.node[d]] = -1
        for k in range(arcs.in_first[destinations.node[start]], arcs.in_first[destinations.node[start] + 1]):
            gate = arcs.tail[arcs.in_arc[k]]
            straight = int(group_arc[group_first[group[start, gate]]])
            for d in range(start, end):
                entry = group_first[group[d, gate]]
                if group_first[group[d, gate] + 1] - entry > 1 or group_arc[entry] != straight + d - start:
                    straight = -1
                    break
            region[gate] = straight
