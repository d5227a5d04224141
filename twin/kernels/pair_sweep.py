"""Loads after each of many pairs of failures: the second failure in the state after the first.

To most destinations the second failure changes the same loads as alone: where neither changes a flow at a node that
loses next hops by the other, and neither leads flow over what fails in the other. Only the rest is routed anew.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twin.kernels.graph import Failures, RoutingTables, UsableArcs
from twin.kernels.greatest_loads import look_at_all
from twin.kernels.jit import inner_kernel, scratch_kernel
from twin.kernels.reroute import Room, forget, reroute


class Singles(NamedTuple):
    """Single failures, and what they change by destination. Sets of nodes are bits, 64 nodes a word.

    ends: uint64[n_failures, n_words], nodes whose arcs fail.
    split: uint64[n_failures, n_destinations, n_words], nodes that lose next hops.
    touched: uint64[n_failures, n_destinations, n_words], nodes whose flow may change, these included.
    n_split: int64[n_failures, n_destinations], number of nodes that lose next hops.
    lost_gbps: float64[n_failures, n_destinations], demand that loses its path.
    n_lost: int64[n_failures, n_destinations], number of these demands.
    change: float64[n_failures, n_arcs], change of the loads.
    first_node: int64[n_failures * n_destinations + 1], entries of nodes whose flow may change.
    node: uint32[any].
    distance: float64[any], their distances after the failure.
    flow: float64[any], what they send after the failure.
    first_arc: int64[n_failures * n_destinations + 1], entries of arcs whose load may change.
    arc: uint32[any].
    delta: float64[any], change of the load.
    """

    ends: npt.NDArray[np.uint64]
    split: npt.NDArray[np.uint64]
    touched: npt.NDArray[np.uint64]
    n_split: npt.NDArray[np.int64]
    lost_gbps: npt.NDArray[np.float64]
    n_lost: npt.NDArray[np.int64]
    change: npt.NDArray[np.float64]
    first_node: npt.NDArray[np.int64]
    node: npt.NDArray[np.uint32]
    distance: npt.NDArray[np.float64]
    flow: npt.NDArray[np.float64]
    first_arc: npt.NDArray[np.int64]
    arc: npt.NDArray[np.uint32]
    delta: npt.NDArray[np.float64]


@scratch_kernel
def fail_singles(
    arcs: UsableArcs, tables: RoutingTables, failures: Failures, rel_tolerance: float, room: Room, out: Singles
) -> bool:
    """Compute single failures.

    Args:
        arcs: arcs that carry traffic.
        tables: routes without a failure.
        failures: the failures.
        rel_tolerance: path weights that differ by no more than this share are equal.
        room: room.
        out: zeros, with room for entries.

    Returns:
        Whether the room for entries was enough.
    """
    n_destinations = tables.distance.shape[0]
    for f in range(failures.first.size - 1):
        failed = failures.arc[failures.first[f] : failures.first[f + 1]]
        for i in range(failed.size):
            room.nodes.kept[failed[i]] = failures.kept_ratio[failures.first[f] + i]
            _add_bit(out.ends[f], arcs.tail[failed[i]])
        for d in range(n_destinations):
            out.lost_gbps[f, d] = reroute(
                arcs, tables.distance[d], tables.flow_to[d], tables.demand[d], failed, rel_tolerance, room
            )
            fits = _record(tables.distance[d], room, f, d, out)
            forget(room)
            if not fits:
                return False
        for i in range(failed.size):
            room.nodes.kept[failed[i]] = 1.0
    return True


@inner_kernel
def _add_bit(bits: npt.NDArray[np.uint64], node: int) -> None:
    bits[node >> 6] |= np.uint64(1) << np.uint64(node & 63)


@inner_kernel
def _record(distance: npt.NDArray[np.float64], room: Room, f: int, d: int, out: Singles) -> bool:
    """Write the entries of a failure and a destination; returns whether there was room."""
    entry = f * out.lost_gbps.shape[1] + d
    n, n_arcs = out.first_node[entry], out.first_arc[entry]
    if n + room.n[0] + room.n[2] > out.node.size or n_arcs + room.n[3] > out.arc.size:
        return False
    out.n_split[f, d], out.n_lost[f, d] = room.n[0], room.n[4]
    for i in range(room.n[0]):
        node = room.nodes.split[i]
        _add_bit(out.split[f, d], node)
        _add_bit(out.touched[f, d], node)
        out.node[n], out.distance[n], out.flow[n] = node, distance[node], room.nodes.new_flow[node]
        if room.nodes.is_cut[node]:
            out.distance[n] = room.nodes.near[node]
            if room.nodes.near[node] == np.inf:
                out.flow[n] = 0.0
        n += 1
    for i in range(room.n[2]):
        node = room.touched[i]
        _add_bit(out.touched[f, d], node)
        out.node[n], out.distance[n], out.flow[n] = node, distance[node], room.nodes.new_flow[node]
        n += 1
    for i in range(room.n[3]):
        arc = room.changed[i]
        out.arc[n_arcs], out.delta[n_arcs] = arc, room.delta[arc]
        out.change[f, arc] += room.delta[arc]
        n_arcs += 1
    out.first_node[entry + 1], out.first_arc[entry + 1] = n, n_arcs
    return True


@scratch_kernel
def sweep_pairs(
    arcs: UsableArcs,
    tables: RoutingTables,
    failures: Failures,
    singles: Singles,
    pairs: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    begin: int,
    end: int,
    step: int,
    rel_tolerance: float,
    least_gbps: float,
    per_gbps: npt.NDArray[np.float64],
    room: Room,
    out_lost_gbps: npt.NDArray[np.float64],
    out_n_lost: npt.NDArray[np.int64],
    out_ratio: npt.NDArray[np.float64],
    out_arc: npt.NDArray[np.int64],
    out_worst: npt.NDArray[np.int64],
    out_cause: npt.NDArray[np.int64],
) -> None:
    """Compute what the pairs begin, begin + step, ... below `end` lose, and the greatest load of each arc.

    Args:
        arcs: arcs that carry traffic.
        tables: routes without a failure.
        failures: single failures.
        singles: as by `fail_singles`.
        pairs: first and second failure of each pair.
        begin: the first pair.
        end: the pair behind the last.
        step: distance from one pair to the next.
        rel_tolerance: path weights that differ by no more than this share are equal.
        least_gbps: loads up to this one are rounding noise.
        per_gbps: float64[n_arcs], 1 / capacity; 0 where utilisation does not count.
        room: room.
        out_lost_gbps: float64[n_pairs]; this and all others as in `sweep_failures`.
        out_n_lost: int64[n_pairs].
        out_ratio: float64[n_pairs].
        out_arc: int64[n_pairs].
        out_worst: int64[n_arcs], updated.
        out_cause: int64[n_arcs], updated.
    """
    load = room.load
    for pair in range(begin, end, step):
        a, b = pairs[0][pair], pairs[1][pair]
        for arc in range(load.size):
            load[arc] = tables.load[arc] + singles.change[a, arc] + singles.change[b, arc]
        lost_gbps, n_lost = 0.0, 0
        for d in range(tables.distance.shape[0]):
            if _meet(singles, a, b, d):
                # the failure of fewer nodes comes second: where one cuts off all that the other does, little is left
                larger, other = (a, b) if singles.n_split[a, d] >= singles.n_split[b, d] else (b, a)
                more_gbps, n_more = _fail_second(
                    arcs, tables, failures, singles, larger, other, d, rel_tolerance, room
                )  # fmt: skip
                lost_gbps += singles.lost_gbps[larger, d] + more_gbps
                n_lost += singles.n_lost[larger, d] + n_more
            else:
                lost_gbps += singles.lost_gbps[a, d] + singles.lost_gbps[b, d]
                n_lost += singles.n_lost[a, d] + singles.n_lost[b, d]
        for f in (a, b):
            for i in range(failures.first[f], failures.first[f + 1]):
                # as if the load of the members that are left used the whole capacity
                kept, arc = failures.kept_ratio[i], failures.arc[i]
                load[arc] = load[arc] / kept if kept > 0.0 else 0.0
        out_lost_gbps[pair], out_n_lost[pair] = lost_gbps, n_lost
        out_ratio[pair], out_arc[pair] = look_at_all(load, least_gbps, per_gbps, pair, out_worst, out_cause)


@inner_kernel
def _meet(singles: Singles, a: int, b: int, d: int) -> bool:
    """Return whether one failure may change what the other one does to the loads to a destination."""
    met = np.uint64(0)
    for k in range(singles.ends.shape[1]):
        met |= singles.split[b, d, k] & (singles.touched[a, d, k] | singles.ends[a, k])
        met |= singles.split[a, d, k] & (singles.touched[b, d, k] | singles.ends[b, k])
    return bool(met != 0)


@inner_kernel
def _fail_second(
    arcs: UsableArcs,
    tables: RoutingTables,
    failures: Failures,
    singles: Singles,
    a: int,
    b: int,
    d: int,
    rel_tolerance: float,
    room: Room,
) -> tuple[float, int]:
    """Replace the changes by failure b alone by those after a; returns demand that b loses there, and its number."""
    for node in range(room.flow.size):  # a copy of a row would need a count of references
        room.distance[node] = tables.distance[d, node]
        room.flow[node] = tables.flow_to[d, node]
    entry = a * singles.lost_gbps.shape[1] + d
    for i in range(singles.first_node[entry], singles.first_node[entry + 1]):
        room.distance[singles.node[i]] = singles.distance[i]
        room.flow[singles.node[i]] = singles.flow[i]
    for i in range(failures.first[a], failures.first[a + 1]):
        room.before[failures.arc[i]] = room.nodes.kept[failures.arc[i]] = failures.kept_ratio[i]
    for i in range(failures.first[b], failures.first[b + 1]):
        room.nodes.kept[failures.arc[i]] = min(room.nodes.kept[failures.arc[i]], failures.kept_ratio[i])
    failed = failures.arc[failures.first[b] : failures.first[b + 1]]
    lost_gbps = reroute(arcs, room.distance, room.flow, tables.demand[d], failed, rel_tolerance, room)
    n_lost = room.n[4]
    for i in range(room.n[3]):
        room.load[room.changed[i]] += room.delta[room.changed[i]]
    forget(room)
    entry = b * singles.lost_gbps.shape[1] + d
    for i in range(singles.first_arc[entry], singles.first_arc[entry + 1]):
        room.load[singles.arc[i]] -= singles.delta[i]
    for f in (a, b):
        for i in range(failures.first[f], failures.first[f + 1]):
            room.before[failures.arc[i]] = room.nodes.kept[failures.arc[i]] = 1.0
    return lost_gbps, n_lost
