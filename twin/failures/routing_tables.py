"""Routing tables of all destinations without a failure, from which the sweep of failures starts."""

from __future__ import annotations

import numpy as np

from ..arrays import Bools, Floats, Ints
from ..kernels.class_loads import class_loads
from ..kernels.graph import Destinations, Groups, RoutingTables, UsableArcs
from ..kernels.next_hops import GroupStore, mark_regions, next_hop_groups
from ..traffic.walk import REL_TOLERANCE

BYTES_PER_ENTRY = 40
"""Bytes of distance, rank, group, demand and two copies of the flow, for each pair of node and destination."""


def table_bytes(n_nodes: int, n_destinations: int) -> int:
    """Estimate the memory of the tables."""
    return BYTES_PER_ENTRY * n_nodes * n_destinations


def routing_tables(arcs: UsableArcs, by_hops: bool, destinations: Destinations) -> RoutingTables:
    """Route all demands, and keep distances, next hops and flows by destination.

    Args:
        arcs: arcs that carry traffic; parallel arcs of twins in the same order.
        by_hops: whether all weights are 1.
        destinations: destinations in classes, with their demands.
    """
    n_nodes, n_destinations, n_classes = len(arcs.forwards), len(destinations.node), len(destinations.class_first) - 1
    distance = np.empty((n_destinations, n_nodes))
    at_once = np.empty(n_classes, np.bool_)
    flow, load = np.zeros((n_nodes, n_destinations)), np.zeros(len(arcs.head))
    class_loads(arcs, by_hops, destinations, REL_TOLERANCE, True, distance, at_once, flow, load)
    rank, group = np.empty(distance.shape, np.int32), np.empty(distance.shape, np.int32)
    room = 4 * (n_nodes + len(arcs.head)) + n_destinations + 1024
    while True:
        store = _store(n_nodes, room)
        n_groups = next_hop_groups(arcs, destinations, at_once, REL_TOLERANCE, distance, rank, group, store)
        if n_groups >= 0:
            break
        room *= 4
    first = store.first[: n_groups + 1].copy()
    group_arc = store.arc[: first[-1]].copy()
    region_row = np.where(at_once, np.cumsum(at_once) - 1, -1)
    region = np.empty((int(at_once.sum()), n_nodes), np.int32)
    mark_regions(arcs, destinations, group, first, group_arc, region_row, region)
    return RoutingTables(
        distance=distance,
        rank=rank,
        group=group,
        groups=Groups(first, group_arc, store.fraction[: first[-1]].copy(), _in_a_row(first, group_arc)),
        at_once=at_once,
        region=region,
        region_row=region_row,
        twin_class=_twin_class(destinations, at_once, n_nodes),
        demand=_demand(destinations, n_nodes),
        flow=flow,
        flow_to=np.ascontiguousarray(flow.T),
        load=load,
    )


def _demand(destinations: Destinations, n_nodes: int) -> Floats:
    out = np.zeros((len(destinations.node), n_nodes))
    row = np.repeat(np.arange(len(out)), np.diff(destinations.demand_first))
    out[row, destinations.demand_source] = destinations.demand_gbps
    return out


def _store(n_nodes: int, room: int) -> GroupStore:
    first = np.zeros(room + 1, np.int64)
    arc, fraction = np.empty(room, np.uint32), np.empty(room)
    return GroupStore(first, arc, fraction, np.full(n_nodes, -1, np.int64), np.empty(room, np.int64))


def _in_a_row(first: Ints, arc: np.ndarray[tuple[int], np.dtype[np.uint32]]) -> Bools:
    """Groups of consecutive arcs, bool[n_groups]; no group is empty."""
    if len(first) == 1:
        return np.zeros(0, np.bool_)
    last = arc[first[1:] - 1].astype(np.int64)
    return np.asarray(last - arc[first[:-1]] + 1 == np.diff(first))


def _twin_class(destinations: Destinations, at_once: Bools, n_nodes: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    out = np.full(n_nodes, -1, np.int32)
    of_destination = np.repeat(np.where(at_once, np.arange(len(at_once)), -1), np.diff(destinations.class_first))
    out[destinations.node] = of_destination
    return out
