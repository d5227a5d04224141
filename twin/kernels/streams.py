"""Changes of many streams at once: what goes to different destinations over the same next hops moves on together.

Most failures take one arc from one node and leave it others. The change begins there alike towards most destinations,
and goes the same way until shortly before them.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twin.kernels.flow_changes import new_fractions
from twin.kernels.graph import FailedNodes, Groups, Queue, RoutingTables, Streams
from twin.kernels.jit import inner_kernel, scratch_kernel
from twin.kernels.pending_loads import (
    PendingLoads,
    Responses,
    change_group,
    change_loads,
    close_response,
    make_room,
    touch,
)

MOST_ARCS = 4
"""Arcs of a failure up to which streams move together."""
NO_ARC = np.uint32(0xFFFFFFFF)
"""Mark of ranges without one next hop alone."""


class Together(NamedTuple):
    """Changes of streams on their way.

    n_hit: int64[n_streams], failed arcs that carry a stream; at least 2 where it has to be routed by itself.
    flow_gbps: float64[n_streams], what the node sends that divides a stream anew.
    by_member: int64[n_streams], response with what it sends to each member.
    moved: float64[n_nodes, n_streams], what moves on from a node, in units of that flow; 0 where nothing does.
    unit: float64[n_streams], all 1.
    waits: bool[n_ranges].
    after: int64[n_ranges], the next range of the same rank.
    end: uint32[n_streams], end of a part of a range that begins at the stream, 0 for none.
    head: uint32[n_streams], the node that the part comes to.
    factor: float64[n_streams], how much of it.
    gbps: float64[n_streams], what it is in sum.
    part: uint32[n_streams], where parts begin.
    """

    n_hit: npt.NDArray[np.int64]
    flow_gbps: npt.NDArray[np.float64]
    by_member: npt.NDArray[np.int64]
    moved: npt.NDArray[np.float64]
    unit: npt.NDArray[np.float64]
    waits: npt.NDArray[np.bool_]
    after: npt.NDArray[np.int64]
    end: npt.NDArray[np.uint32]
    head: npt.NDArray[np.uint32]
    factor: npt.NDArray[np.float64]
    gbps: npt.NDArray[np.float64]
    part: npt.NDArray[np.uint32]


@scratch_kernel
def find_hit(
    tails: npt.NDArray[np.uint32],
    tables: RoutingTables,
    streams: Streams,
    failed: npt.NDArray[np.uint32],
    nodes: FailedNodes,
    together: Together,
) -> None:
    """Count the failed arcs that carry each stream.

    A stream counts twice where that arc is the only next hop, or leaves a neighbour of the members of a class.

    Args:
        tails: uint32[n_arcs], the node that each arc leaves.
        tables: routes without a failure.
        streams: all streams.
        failed: arcs that fail.
        nodes: what is left of the arcs.
        together: updated.
    """
    n_hit, groups = together.n_hit, tables.groups
    if failed.size > MOST_ARCS:
        n_hit[:] = 2
        return
    n_hit[:] = 0
    for arc in failed:
        for r in range(streams.first[tails[arc]], streams.first[tails[arc] + 1]):
            hits = 0
            if streams.rank[r] == 0 and (streams.straight[r] == arc or streams.region_row[streams.begin[r]] >= 0):
                hits = 2
            if streams.rank[r] > 0 and _contains(groups, streams.group[r], arc):
                g = streams.group[r]
                hits = 2 if nodes.kept[arc] == 0.0 and groups.first[g + 1] - groups.first[g] == 1 else 1
            if hits > 0:
                for stream in range(streams.begin[r], streams.end[r]):
                    n_hit[stream] += hits


@inner_kernel
def _contains(groups: Groups, group: int, arc: int) -> bool:
    found = False
    for i in range(groups.first[group], groups.first[group + 1]):
        found = found or groups.arc[i] == arc
    return found


@scratch_kernel
def move_together(
    tails: npt.NDArray[np.uint32],
    heads: npt.NDArray[np.uint32],
    tables: RoutingTables,
    streams: Streams,
    failed: npt.NDArray[np.uint32],
    room: tuple[int, int, int],
    nodes: FailedNodes,
    queue: Queue,
    responses: Responses,
    loads: PendingLoads,
    together: Together,
) -> None:
    """Move the changes of all streams that one failed arc carries, and set their counts to 0.

    Args:
        tails: uint32[n_arcs], the node that each arc leaves.
        heads: uint32[n_arcs], the node that it leads to.
        tables: routes without a failure.
        streams: all streams.
        failed: arcs that fail.
        room: the last three arguments of `make_room`.
        nodes: what is left of the arcs.
        queue: room.
        responses: room.
        loads: updated.
        together: room; the counts of `find_hit`.
    """
    groups, top = tables.groups, 0
    make_room(loads, responses, room[0], room[1], room[2])
    for arc in failed:
        for r in range(streams.first[tails[arc]], streams.first[tails[arc] + 1]):
            if streams.rank[r] > 0 and _contains(groups, streams.group[r], arc):
                top = _begin(heads, tables, streams, r, nodes, queue, responses, loads, together, top)
    for rank in range(top, 0, -1):
        r = queue.first[rank]
        queue.first[rank] = -1
        while r >= 0:
            together.waits[r] = False
            _pass_along(heads, tables, streams, r, queue, responses, loads, together)
            r = together.after[r]


@inner_kernel
def _begin(
    heads: npt.NDArray[np.uint32],
    tables: RoutingTables,
    streams: Streams,
    r: int,
    nodes: FailedNodes,
    queue: Queue,
    responses: Responses,
    loads: PendingLoads,
    together: Together,
    top: int,
) -> int:
    """Divide the streams of a range anew that lose nothing else; returns the greatest rank that waits."""
    groups, n_hit, node, g = tables.groups, together.n_hit, streams.node[r], int(streams.group[r])
    begin, end = np.int64(streams.begin[r]), np.int64(streams.end[r])
    n = 0
    for stream in range(begin, end):
        if n_hit[stream] == 1:
            n_hit[stream] = -1 if _leaves(tables, streams, stream, node, responses, together) else 0
            n += n_hit[stream] < 0
    if n == 0:
        return top
    response = new_fractions(heads, groups, g, nodes, 1.0, responses)
    value = responses.first[response] - groups.first[g]
    while begin < end:
        after = begin
        while after < end and n_hit[after] < 0:
            n_hit[after] = 0
            after += 1
        if after > begin:
            gbps = _sum(together.unit, together.flow_gbps, begin, after)
            change_group(loads, responses, groups, node, g, response, gbps)
        for i in range(groups.first[g], groups.first[g + 1] if after > begin else groups.first[g]):
            top = _bring(
                tables, streams, heads[groups.arc[i]], begin, after, together.unit, responses.value[value + i], queue,
                responses, loads, together, top,
            )  # fmt: skip
        begin = after + 1
    responses.n[0] -= 1  # nothing waits with it, because the node is touched
    return top


@inner_kernel
def _leaves(
    tables: RoutingTables, streams: Streams, stream: int, node: int, responses: Responses, together: Together
) -> bool:
    """Note what a node sends to a stream; returns whether it is anything."""
    d = streams.destination[stream]
    flow, value = tables.flow[node, d : d + streams.n_members[stream]], responses.first[responses.n[0]]
    gbps = 0.0
    for j in range(flow.size):
        gbps += flow[j]
        responses.value[value + j] = flow[j]
    together.flow_gbps[stream] = gbps
    if gbps > 0.0:
        together.by_member[stream] = close_response(responses, flow.size)
    return bool(gbps > 0.0)


@inner_kernel
def _sum(amount: npt.NDArray[np.float64], flow_gbps: npt.NDArray[np.float64], begin: np.int64, end: np.int64) -> float:
    total = 0.0
    for stream in range(begin, end):
        total += amount[stream] * flow_gbps[stream]
    return total


@inner_kernel
def _bring(
    tables: RoutingTables,
    streams: Streams,
    node: int,
    begin: np.int64,
    end: np.int64,
    amount: npt.NDArray[np.float64],
    factor: float,
    queue: Queue,
    responses: Responses,
    loads: PendingLoads,
    together: Together,
    top: int,
) -> int:
    """Bring streams to a node, where their ranges wait or arrive; returns the greatest rank that waits."""
    low = np.uint32(begin)
    while low < end:
        r = streams.range_at[node, low]
        rank, high = streams.rank[r], min(np.uint32(end), streams.end[r])
        if rank > 0:
            moved = together.moved[node]
            for stream in range(low, high):
                moved[stream] += factor * amount[stream]
            if not together.waits[r]:
                together.waits[r] = True
                together.after[r] = queue.first[rank]
                queue.first[rank] = r
                top = max(top, rank)
        elif rank == 0:
            _arrive(tables, streams, node, r, low, factor * amount[low], responses, loads, together)
        low = high
    return top


@inner_kernel
def _arrive(
    tables: RoutingTables,
    streams: Streams,
    node: int,
    r: int,
    stream: np.uint32,
    amount: float,
    responses: Responses,
    loads: PendingLoads,
    together: Together,
) -> None:
    """Send what arrived at a neighbour of the destination, or of the members of a class, over its arcs to them."""
    straight = streams.straight[r]
    by_member = together.by_member[stream]
    if amount != 0.0 and straight >= 0:
        change_loads(loads, responses, node, by_member, straight, amount)
    elif amount != 0.0:
        touch(loads, responses, node)
        groups, value = tables.groups, responses.first[by_member]
        for j in range(streams.n_members[stream]):
            g = tables.group[streams.destination[stream] + j, node]
            for i in range(groups.first[g], groups.first[g + 1]):
                loads.load[groups.arc[i]] += amount * responses.value[value + j] * groups.fraction[i]


@inner_kernel
def _pass_along(
    heads: npt.NDArray[np.uint32],
    tables: RoutingTables,
    streams: Streams,
    r: int,
    queue: Queue,
    responses: Responses,
    loads: PendingLoads,
    together: Together,
) -> None:
    """Pass a range of streams on to its next hops, and over those that have one next hop themselves.

    What comes to the node behind over some of these is added there once.
    """
    groups, g, own = tables.groups, int(streams.group[r]), together.moved[streams.node[r]]
    begin, end = streams.begin[r], streams.end[r]
    while begin < end and own[begin] == 0.0:
        begin += np.uint32(1)
    while begin < end and own[end - np.uint32(1)] == 0.0:
        end -= np.uint32(1)
    if begin == end:
        return
    change_group(loads, responses, groups, streams.node[r], g, g, _sum(own, together.flow_gbps, begin, end))
    n_parts = 0
    for i in range(groups.first[g], groups.first[g + 1]):
        hop, fraction = heads[groups.arc[i]], groups.fraction[i]
        low = begin
        if streams.end[streams.range_at[hop, begin]] < end:
            touch(loads, responses, hop)
        while low < end:
            k = streams.range_at[hop, low]
            high, arc, behind = min(end, streams.end[k]), streams.through[k], streams.behind[k]
            if arc != NO_ARC and together.end[low] == 0:
                together.part[n_parts] = low
                n_parts += 1
                together.end[low], together.head[low], together.factor[low] = high, behind, 0.0
                together.gbps[low] = _sum(own, together.flow_gbps, low, high)
            if arc != NO_ARC and together.end[low] == high and together.head[low] == behind:
                together.factor[low] += fraction
                amount = fraction * together.gbps[low]
                if loads.is_touched[hop]:
                    loads.load[arc] += amount
                else:
                    change_loads(loads, responses, hop, streams.group[k], arc, amount)
            else:
                _bring(tables, streams, hop, low, high, own, fraction, queue, responses, loads, together, 0)
            low = high
    for j in range(n_parts):
        low = together.part[j]
        _bring(
            tables, streams, together.head[low], low, together.end[low], own, together.factor[low], queue,
            responses, loads, together, 0,
        )  # fmt: skip
        together.end[low] = 0
    own[begin:end] = 0.0
