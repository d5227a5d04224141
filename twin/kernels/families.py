"""Families: classes of destinations towards which traffic takes the same next hops over most of the network.

Racks of one pod that lost different cables are no twins, but everything outside their pod that uses none of these
cables forwards to all of them alike. A change that begins there moves once for the whole family.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twin.kernels.flow_changes import wait_at
from twin.kernels.graph import Destinations, FailedNodes, Groups, Queue, RoutingTables, UsableArcs
from twin.kernels.jit import inner_kernel, kernel, scratch_kernel
from twin.kernels.pending_loads import (
    PendingLoads,
    Responses,
    change_group,
    change_loads,
    close_response,
    make_room,
)


class Together(NamedTuple):
    """Changes of some classes of a family on their way.

    n: int64[1], number of these classes.
    member: int64[n_most], the classes.
    node: uint32[n_most], the node that divides its flow to each anew.
    n_starts: int64[1].
    start: uint32[n_nodes], nodes at which changes begin.
    is_start: bool[n_nodes].
    moved: float64[n_nodes, n_most + 1], what moves on from a node: in Gb/s to all together, then to each class in units
        of its flow, or in Gb/s if it has one member.
    """

    n: npt.NDArray[np.int64]
    member: npt.NDArray[np.int64]
    node: npt.NDArray[np.uint32]
    n_starts: npt.NDArray[np.int64]
    start: npt.NDArray[np.uint32]
    is_start: npt.NDArray[np.bool_]
    moved: npt.NDArray[np.float64]


@kernel
def find_families(
    arcs: UsableArcs,
    destinations: Destinations,
    tables: RoutingTables,
    order: npt.NDArray[np.int64],
    out_first: npt.NDArray[np.int64],
    out_member: npt.NDArray[np.int64],
    out_agrees: npt.NDArray[np.bool_],
) -> int:
    """Put classes that share a neighbour into families, each led by a class that is routed at once.

    Args:
        arcs: arcs that carry traffic.
        destinations: destinations in classes.
        tables: routes without a failure.
        order: int64[n_classes], classes in the order in which they may lead.
        out_first: int64[n_classes + 1], family i consists of the classes out_member[out_first[i]:out_first[i + 1]].
        out_member: int64[n_classes], the leader of each family first.
        out_agrees: bool[n_classes, n_nodes], False on entry; nodes from which traffic to a class goes as to the leader,
            up to the neighbours of both. Stays False for a class that is a family by itself.

    Returns:
        Number of families.
    """
    n_most = 15
    class_of, is_taken = np.full(arcs.first.size - 1, -1, np.int64), np.zeros(order.size, np.bool_)
    tried_by = np.full(order.size, -1, np.int64)
    for c in range(order.size):
        for d in range(destinations.class_first[c], destinations.class_first[c + 1]):
            class_of[destinations.node[d]] = c
    n_families, n = 0, 0
    out_first[0] = 0
    for leader in order:
        if is_taken[leader]:
            continue
        is_taken[leader] = True
        out_member[n] = leader
        n += 1
        if tables.at_once[leader]:
            nearest = np.zeros(0, np.int64)
            root = destinations.node[destinations.class_first[leader]]
            for k in range(arcs.in_first[root], arcs.in_first[root + 1]):
                gate = arcs.tail[arcs.in_arc[k]]
                for arc in range(arcs.first[gate], arcs.first[gate + 1]):
                    c = class_of[arcs.head[arc]]
                    if c < 0 or is_taken[c] or tried_by[c] == leader or n - out_first[n_families] == n_most:
                        continue
                    tried_by[c] = leader
                    if not tables.at_once[c] and destinations.class_first[c + 1] - destinations.class_first[c] > 1:
                        continue
                    if nearest.size == 0:
                        nearest = np.argsort(tables.rank[destinations.class_first[leader]])
                        _agree(arcs.head, destinations, tables, leader, leader, nearest, out_agrees[leader])
                    if 4 * _agree(arcs.head, destinations, tables, leader, c, nearest, out_agrees[c]) > nearest.size:
                        is_taken[c] = True
                        out_member[n] = c
                        n += 1
        n_families += 1
        out_first[n_families] = n
    return n_families


@scratch_kernel
def _agree(
    heads: npt.NDArray[np.uint32],
    destinations: Destinations,
    tables: RoutingTables,
    leader: int,
    c: int,
    nearest: npt.NDArray[np.int64],
    out_agrees: npt.NDArray[np.bool_],
) -> int:
    """Find the nodes from which traffic to a class goes as to the leader; returns their number."""
    d, other = destinations.class_first[leader], destinations.class_first[c]
    region, group, groups = tables.region[tables.region_row[leader]], tables.group[d], tables.groups
    n_agree = 0
    for node in nearest:
        g, straight = tables.group[other, node], int(region[node])
        at_gate = -2
        if tables.at_once[c]:
            at_gate = int(tables.region[tables.region_row[c], node])
        agrees = g >= 0 and straight != -1
        if agrees and straight >= 0:
            agrees = at_gate >= 0
            if not tables.at_once[c]:
                agrees = True
                for i in range(groups.first[g], groups.first[g + 1]):
                    agrees = agrees and heads[groups.arc[i]] == destinations.node[other]
        elif agrees:
            agrees = g == group[node] and at_gate == -2
            for i in range(groups.first[g], groups.first[g + 1]):
                agrees = agrees and out_agrees[heads[groups.arc[i]]]
        out_agrees[node] = agrees
        n_agree += agrees
    return n_agree


@inner_kernel
def join(
    heads: npt.NDArray[np.uint32],
    groups: Groups,
    agrees: npt.NDArray[np.bool_],
    c: int,
    flow_gbps: float,
    unit: float,
    nodes: FailedNodes,
    queue: Queue,
    responses: Responses,
    together: Together,
) -> bool:
    """Let the only node that divides anew pass its change on with the family, if all its next hops agree.

    Args:
        heads: uint32[n_arcs].
        groups: next hops.
        agrees: bool[n_nodes], nodes from which traffic to the class goes as to the leader.
        c: the class.
        flow_gbps: what the node sends to the class.
        unit: the same in units of the class.
        nodes: the node that divides anew.
        queue: its change, as the first entry.
        responses: how its change is divided.
        together: updated.
    """
    g, value = queue.group[0], responses.first[queue.response[0]]
    start, end = groups.first[g], groups.first[g + 1]
    for i in range(start, end):
        if not agrees[heads[groups.arc[i]]]:
            return False
    slot = together.n[0]
    together.n[0] += 1
    together.member[slot], together.node[slot] = c, nodes.split[0]
    for i in range(start, end):
        head, change = heads[groups.arc[i]], responses.value[value + i - start]
        together.moved[head, 0] += change * flow_gbps
        together.moved[head, slot + 1] += change * unit
        if not together.is_start[head]:
            together.is_start[head] = True
            together.start[together.n_starts[0]] = head
            together.n_starts[0] += 1
    queue.entry_of[groups.shape[g]] = -1
    return True


@scratch_kernel
def move_together(
    arcs: UsableArcs,
    destinations: Destinations,
    tables: RoutingTables,
    leader: int,
    room: tuple[int, int, int],
    queue: Queue,
    responses: Responses,
    loads: PendingLoads,
    together: Together,
) -> None:
    """Move the changes of a family on to its members; nothing is left of them.

    The loads of a node change as soon as something reaches it. Of nodes with the same next hops and fractions one
    passes on what reached them all.

    Args:
        arcs: arcs that carry traffic.
        destinations: destinations in classes.
        tables: routes without a failure.
        leader: the class whose next hops all changes take.
        room: the last three arguments of `make_room`.
        queue: room.
        responses: room for one more, with the members of a class as values.
        loads: updated.
        together: what moves; empty afterwards.
    """
    d, n_columns = destinations.class_first[leader], together.n[0] + 1
    rank, group, groups = tables.rank[d], tables.group[d], tables.groups
    region = tables.region[tables.region_row[leader]]
    moved, top = together.moved, 0
    for i in range(together.n_starts[0]):
        node = together.start[i]
        together.is_start[node] = False
        if region[node] >= 0:
            wait_at(queue, 0, node, 0)
            continue
        g = group[node]
        change_group(loads, responses, groups, node, g, g, moved[node, 0])
        speaker, top = _speaker(node, groups.shape[g], rank, queue, top)
        if speaker != node:
            _add(moved, node, 1.0, speaker, n_columns)
            moved[node, :n_columns] = 0.0
    together.n_starts[0] = 0
    for level in range(top, 0, -1):
        node = queue.first[level]
        queue.first[level] = -1
        while node >= 0:
            queue.waits[node] = False
            g = group[node]
            queue.entry_of[groups.shape[g]] = -1
            _pass_along(arcs.head, groups, node, int(g), rank, group, region, n_columns, queue, responses, loads, moved)
            moved[node, :n_columns] = 0.0
            node = queue.after[node]
    for slot in range(n_columns - 1):
        make_room(loads, responses, room[0], room[1], room[2])
        _arrive(destinations, tables, slot, queue, responses, loads, together)
    gate = queue.first[0]
    queue.first[0] = -1
    while gate >= 0:
        queue.waits[gate] = False
        moved[gate, :n_columns] = 0.0
        gate = queue.after[gate]
    together.n[0] = 0


@inner_kernel
def _speaker(node: int, shape: int, rank: npt.NDArray[np.int32], queue: Queue, top: int) -> tuple[int, int]:
    """Return the node that passes on for all of a shape, and the greatest rank that waits."""
    speaker = queue.entry_of[shape]
    if speaker < 0:
        speaker = int(node)
        queue.entry_of[shape] = speaker
        top = wait_at(queue, rank[node], node, top)
    return speaker, top


@inner_kernel
def _add(moved: npt.NDArray[np.float64], node: int, factor: float, speaker: int, n_columns: int) -> None:
    own, there = moved[node, :n_columns], moved[speaker, :n_columns]
    for j in range(n_columns):
        there[j] += factor * own[j]


@inner_kernel
def _pass_along(
    heads: npt.NDArray[np.uint32],
    groups: Groups,
    node: int,
    node_group: int,
    rank: npt.NDArray[np.int32],
    group: npt.NDArray[np.int32],
    region: npt.NDArray[np.int32],
    n_columns: int,
    queue: Queue,
    responses: Responses,
    loads: PendingLoads,
    moved: npt.NDArray[np.float64],
) -> None:
    """Pass what moves at a node on to its next hops; those of one shape beside each other get it in one sum."""
    shape, factor, speaker = -1, 0.0, 0
    for i in range(groups.first[node_group], groups.first[node_group + 1]):
        head, fraction = heads[groups.arc[i]], groups.fraction[i]
        if region[head] >= 0:
            wait_at(queue, 0, head, 0)
            _add(moved, node, fraction, head, n_columns)
            continue
        g = group[head]
        change_group(loads, responses, groups, head, g, g, fraction * moved[node, 0])
        if groups.shape[g] != shape:
            if shape >= 0:
                _add(moved, node, factor, speaker, n_columns)
            shape, factor = groups.shape[g], 0.0
            speaker, _ = _speaker(head, shape, rank, queue, 0)
        factor += fraction
    if shape >= 0:
        _add(moved, node, factor, speaker, n_columns)


@inner_kernel
def _arrive(
    destinations: Destinations,
    tables: RoutingTables,
    slot: int,
    queue: Queue,
    responses: Responses,
    loads: PendingLoads,
    together: Together,
) -> None:
    """Send what arrived at neighbours of a class over their arcs to its members."""
    c = together.member[slot]
    start, end = destinations.class_first[c], destinations.class_first[c + 1]
    at_once, by_member = tables.at_once[c], -1
    if at_once:
        value = responses.first[responses.n[0]]
        for i in range(end - start):
            responses.value[value + i] = tables.flow[together.node[slot], start + i]
        by_member = close_response(responses, end - start)
    gate = queue.first[0]
    while gate >= 0:
        change = together.moved[gate, slot + 1]
        if change != 0.0:
            if at_once:
                straight = int(tables.region[tables.region_row[c], gate])
                change_loads(loads, responses, gate, by_member, straight, change)
            else:
                g = int(tables.group[start, gate])
                change_group(loads, responses, tables.groups, gate, g, g, change)
        gate = queue.after[gate]
