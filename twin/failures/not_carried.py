"""Single failures looked at by themselves: which demands keep a path, and what full links do not carry."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..arrays import Bools, Floats
from ..kernels.class_loads import class_loads
from ..kernels.congestion import max_min_rates
from ..kernels.crossings import crossings
from ..kernels.graph import Destinations, UsableArcs
from ..traffic.twin_nodes import destinations_of
from ..traffic.walk import REL_TOLERANCE
from .fabric import Fabric
from .reduced import reduce_fabric
from .symmetry import find_symmetry

MAX_CROSSINGS = 20_000_000
"""Most pairs of a demand and a full arc that it crosses; 500 MB."""
FIRST_CROSSINGS = 1 << 16
"""Pairs that there is room for at first."""
STEPS_PER_LINK, STEPS_PER_DEMAND = 500, 50
"""Work on a link and on a demand, beside the walks of demands that cross full arcs, in arcs looked at."""


class AfterFailure(NamedTuple):
    """Demands after a failure."""

    has_path: Bools
    """bool[n_demands]."""
    not_carried_gbps: float | None
    """Demand with a path that is not carried, as rates are max-min fair. None where it depends on a link of unknown
    rate, or where demands cross too many full arcs."""
    n_steps: int
    """Work, in arcs looked at; it depends on nothing but the input."""


def after_failure(fabric: Fabric, kept_ratio: Floats) -> AfterFailure:
    """Route the demands anew, and share full links.

    Places that are equal after the failure are merged, since their arcs carry the same and fill at the same time. An
    arc that could carry all that is offered to it limits no demand, so that only full arcs are shared.

    Args:
        fabric: links that carry traffic, infinite capacity where the rate is unknown.
        kept_ratio: what is left of each link's members, float64[n_links].
    """
    n_steps = STEPS_PER_LINK * fabric.n_links + STEPS_PER_DEMAND * len(fabric.source)
    if not (kept_ratio > 0.0).any():
        return AfterFailure(np.zeros(len(fabric.source), np.bool_), 0.0, n_steps)
    routed = _route(_left_of(fabric, kept_ratio))
    n_steps += routed.distance.size
    if (routed.load_gbps[np.isinf(routed.capacity_gbps)] > 0.0).any():
        return AfterFailure(routed.has_path, None, n_steps)
    missing_gbps, n_walked = _missing_gbps(routed)
    return AfterFailure(routed.has_path, missing_gbps, n_steps + n_walked)


def paths_after(fabric: Fabric, kept_ratio: Floats) -> Bools:
    """Return which demands have a path after a failure, bool[n_demands]; arguments as of `after_failure`."""
    if not (kept_ratio > 0.0).any():
        return np.zeros(len(fabric.source), np.bool_)
    return _route(_left_of(fabric, kept_ratio)).has_path


class _Routed(NamedTuple):
    """Demands on the merged network."""

    arcs: UsableArcs
    destinations: Destinations
    distance: Floats
    """float64[n_destinations, n_nodes]."""
    load_gbps: Floats
    """float64[n_arcs]."""
    capacity_gbps: Floats
    has_path: Bools
    """bool[n_demands], in the order of the fabric."""


def _left_of(fabric: Fabric, kept_ratio: Floats) -> Fabric:
    is_left = kept_ratio > 0.0
    arcs, ratio = np.repeat(is_left, 2), np.repeat(kept_ratio[is_left], 2)
    return Fabric(
        forwards=fabric.forwards,
        ends=fabric.ends[is_left],
        weight=fabric.weight[arcs],
        share=fabric.share[arcs] * ratio,
        capacity_gbps=fabric.capacity_gbps[arcs] * ratio,
        n_members=fabric.n_members[is_left],
        source=fabric.source,
        target=fabric.target,
        offered_gbps=fabric.offered_gbps,
    )


def _route(fabric: Fabric) -> _Routed:
    reduced = reduce_fabric(fabric, find_symmetry(fabric, np.zeros(0, np.int64)))
    arcs = reduced.arcs
    amounts = reduced.node[fabric.source], reduced.node[fabric.target], fabric.offered_gbps
    found, order = destinations_of(arcs, *amounts)
    n = len(found.node)
    found = found._replace(class_first=np.arange(n + 1))  # each by itself, so that all distances are written
    distance, load_gbps = np.empty((n, len(arcs.forwards))), np.zeros(len(arcs.head))
    at_once, flow = np.empty(n, np.bool_), np.zeros((len(arcs.forwards), n))
    rank = np.empty(distance.shape, np.int32)
    class_loads(arcs, fabric.by_hops, found, REL_TOLERANCE, True, distance, rank, at_once, flow, load_gbps)
    target = np.repeat(np.arange(n), np.diff(found.demand_first))
    has_path = np.empty(len(order), np.bool_)
    has_path[order] = np.isfinite(distance[target, found.demand_source])
    capacity_gbps = fabric.capacity_gbps[reduced.first_arc] * reduced.n_merged
    return _Routed(arcs, found, distance, load_gbps, capacity_gbps, has_path)


def _missing_gbps(routed: _Routed) -> tuple[float | None, int]:
    """Demand that full arcs do not carry, None where too many demands cross too many; and the arcs looked at."""
    destinations, is_full = routed.destinations, routed.load_gbps > routed.capacity_gbps
    first, room, n_walked = np.empty(len(destinations.demand_source) + 1, np.int64), FIRST_CROSSINGS, 0
    while True:
        arc, fraction = np.empty(room, np.int64), np.empty(room)
        walked = routed.arcs, destinations, REL_TOLERANCE, routed.distance, is_full
        n, n_steps = crossings(*walked, first, arc, fraction)
        n_walked += n_steps
        if n > MAX_CROSSINGS:
            return None, n_walked
        if n <= room:
            break
        room = n
    place = np.cumsum(is_full) - 1
    rows = np.flatnonzero(np.diff(first) > 0)
    limit_gbps, rate_gbps = destinations.demand_gbps[rows], np.empty(len(rows))
    first = np.concatenate((first[rows], first[-1:]))
    full_gbps = routed.capacity_gbps[is_full]
    max_min_rates(first, place[arc[:n]], fraction[:n], full_gbps, limit_gbps, rate_gbps)
    return max(0.0, float((limit_gbps - rate_gbps).sum())), n_walked + 4 * n
