"""Streams: destinations and classes in such an order that most nodes forward a range of them alike."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..arrays import Ints
from ..kernels.graph import Destinations, RoutingTables, Streams, UsableArcs
from ..kernels.parts import label_parts
from ..kernels.streams import NO_ARC
from ..traffic.twin_nodes import Codes


def streams_of(arcs: UsableArcs, destinations: Destinations, tables: RoutingTables) -> Streams:
    """Find the streams, and at each node the ranges of streams with the same next hops and rank.

    Args:
        arcs: arcs that carry traffic.
        destinations: destinations in classes.
        tables: routes without a failure.
    """
    n_nodes, n_destinations = len(arcs.forwards), len(destinations.node)
    n_members = np.diff(destinations.class_first)
    class_of = np.repeat(np.arange(len(n_members)), n_members)
    is_first = np.arange(n_destinations) == destinations.class_first[class_of]
    chosen = np.flatnonzero(~tables.at_once[class_of] | is_first)
    chosen = chosen[np.argsort(_place(arcs, destinations)[chosen], kind="stable")]
    at_once, n = tables.at_once[class_of[chosen]], len(chosen)
    of = np.empty(n_destinations, np.int64)
    of[chosen] = np.arange(n)
    of = np.where(tables.at_once[class_of], of[destinations.class_first[class_of]], of)

    region_row = np.where(at_once, tables.region_row[class_of[chosen]], -1)
    group, rank = tables.group[chosen].T.copy(), tables.rank[chosen].T.copy()
    only, leads_to = _only_hops(arcs, tables)
    straight = np.where(leads_to[group] == destinations.node[chosen], only[group], -2)  # group -1 is the last entry
    straight[:, at_once] = tables.region[region_row[at_once]].T
    ends_here = straight > -2
    rank[group < 0] = -1
    group[ends_here], rank[ends_here] = -1, 0
    starts = np.ones((n_nodes, n), np.bool_)
    starts[:, 1:] = (np.diff(group, axis=1) != 0) | (np.diff(rank, axis=1) != 0) | ends_here[:, 1:]
    node, begin = np.nonzero(starts)
    next_begin = np.append(begin[1:], 0)
    group = group[node, begin]
    return Streams(
        destination=chosen,
        n_members=np.where(at_once, n_members[class_of[chosen]], 1),
        region_row=region_row,
        of=of,
        first=np.searchsorted(node, np.arange(n_nodes + 1)),
        node=node.astype(np.uint32),
        begin=begin.astype(np.uint32),
        end=np.where(next_begin == 0, n, next_begin).astype(np.uint32),
        group=group,
        rank=rank[node, begin],
        through=np.where(only[group] >= 0, only[group], NO_ARC).astype(np.uint32),
        behind=leads_to[group],
        straight=straight[node, begin],
        range_at=(np.cumsum(starts).reshape(n_nodes, n) - 1).astype(np.uint32),
    )


def _only_hops(arcs: UsableArcs, tables: RoutingTables) -> tuple[npt.NDArray[np.int32], Codes]:
    """Find the arc of each group with one next hop and the node that it leads to; else -2, as the last."""
    n_groups, first = len(tables.groups.shape), tables.groups.first
    single = np.flatnonzero(np.diff(first) == 1)
    only, leads_to = np.full(n_groups + 1, -2, np.int32), np.full(n_groups + 1, NO_ARC, np.uint32)
    only[single] = tables.groups.arc[first[single]]
    leads_to[single] = arcs.head[only[single]]
    return only, leads_to


def _place(arcs: UsableArcs, destinations: Destinations) -> Ints:
    """Label destinations that hang together over nodes that are none; int64[n_destinations]."""
    ends = np.stack((arcs.tail, arcs.head), axis=1).astype(np.int64)
    is_destination = np.zeros(len(arcs.forwards), np.bool_)
    is_destination[destinations.node] = True
    label = np.empty(len(is_destination), np.int64)
    label_parts(ends, is_destination[ends[:, 0]] != is_destination[ends[:, 1]], label)
    return label[destinations.node]
