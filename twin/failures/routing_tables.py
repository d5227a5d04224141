"""Routing tables of all destinations without a failure, from which the sweep of failures starts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays import Bools, Floats, Ints
from ..kernels.class_loads import class_loads
from ..kernels.graph import Destinations, Groups, RoutingTables, UsableArcs
from ..kernels.next_hops import GroupStore, mark_regions, next_hop_groups
from ..traffic.twin_nodes import Codes, equal_rows
from ..traffic.walk import REL_TOLERANCE

BYTES_PER_ENTRY = 90
"""Bytes for each pair of node and destination: 40 of distance, rank, group, demand and two copies of the flow, some 50
of streams while they are found, and of what waits there in one thread."""

MIN_CLASSES_RATIO = 0.5
"""Classes of destinations over destinations, below which failures are best computed for whole classes."""
MAX_ARCS_PER_DESTINATION = 16
"""Arcs for each destination up to which all arcs are looked at after each failure."""


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
    distance, rank = np.empty((n_destinations, n_nodes)), np.empty((n_destinations, n_nodes), np.int32)
    at_once = np.empty(n_classes, np.bool_)
    flow, load = np.zeros((n_nodes, n_destinations)), np.zeros(len(arcs.head))
    class_loads(arcs, by_hops, destinations, REL_TOLERANCE, True, distance, rank, at_once, flow, load)
    group = np.empty(distance.shape, np.int32)
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
    demand, flow_to = _demand(destinations, n_nodes), np.ascontiguousarray(flow.T)
    return RoutingTables(
        distance=distance,
        rank=rank,
        group=group,
        groups=_groups(arcs, first, group_arc, store.fraction[: first[-1]].copy()),
        at_once=at_once,
        region=region,
        region_row=region_row,
        demand=demand,
        flow=flow,
        flow_to=flow_to,
        class_demand=_by_class(demand, destinations, at_once),
        class_n=_by_class(demand > 0.0, destinations, at_once),
        class_flow=_by_class(flow_to, destinations, at_once),
        load=load,
    )


def single_hops(tables: RoutingTables) -> npt.NDArray[np.int32] | None:
    """Return `hop` of `sweep_plain`; None where a sweep of whole classes is better."""
    n_arcs, n_destinations = len(tables.load), len(tables.group)
    if len(tables.at_once) < MIN_CLASSES_RATIO * n_destinations or n_arcs > MAX_ARCS_PER_DESTINATION * n_destinations:
        return None
    first, group = tables.groups.first, tables.group
    of_group = np.where(
        np.diff(first) == 1, tables.groups.arc[first[:-1]].astype(np.int32), -2 - np.arange(len(first) - 1)
    )
    return np.append(of_group, -1).astype(np.int32)[group]  # group -1 is the last entry


def _demand(destinations: Destinations, n_nodes: int) -> Floats:
    out = np.zeros((len(destinations.node), n_nodes))
    row = np.repeat(np.arange(len(out)), np.diff(destinations.demand_first))
    out[row, destinations.demand_source] = destinations.demand_gbps
    return out


def _store(n_nodes: int, room: int) -> GroupStore:
    first = np.zeros(room + 1, np.int64)
    arc, fraction = np.empty(room, np.uint32), np.empty(room)
    return GroupStore(first, arc, fraction, np.full(n_nodes, -1, np.int64), np.empty(room, np.int64))


def _groups(arcs: UsableArcs, first: Ints, arc: Codes, fraction: Floats) -> Groups:
    last = arc[first[1:] - 1].astype(np.int64) if len(first) > 1 else np.zeros(0, np.int64)
    size = np.diff(first)
    in_a_row = np.asarray(last - arc[first[:-1]] + 1 == size) if len(first) > 1 else np.zeros(0, np.bool_)
    return Groups(first, arc, fraction, in_a_row, _shapes(arcs.head[arc], fraction, first))


def _shapes(head: Codes, fraction: Floats, first: Ints) -> Ints:
    """Number groups so that those with the same next hops and fractions have the same number; int64[n_groups]."""
    size = np.diff(first)
    shape = np.empty(len(size), np.int64)
    n_shapes = 0
    for n in np.unique(size):
        rows = np.flatnonzero(size == n)
        entry = first[rows, None] + np.arange(n)
        table = np.concatenate((head[entry].astype(np.int64), fraction[entry].view(np.int64)), axis=1)
        found = equal_rows(table)
        shape[rows] = found + n_shapes
        n_shapes += int(found.max()) + 1
    return shape


def _by_class(table: npt.NDArray[Any], destinations: Destinations, at_once: Bools) -> npt.NDArray[Any]:
    """Sums of rows of destinations over the members of each class that is routed at once."""
    rows = np.flatnonzero(at_once)
    out = np.zeros((len(rows), table.shape[1]), np.int64 if table.dtype == np.bool_ else table.dtype)
    for row, c in enumerate(rows.tolist()):
        members = table[destinations.class_first[c] : destinations.class_first[c + 1]]
        members.sum(axis=0, out=out[row])
    return out
