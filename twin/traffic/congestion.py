"""Loads against capacities: demands placed and shared, utilisation, queues."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Bools, Floats, Ints
from ..kernels.congestion import max_min_rates, queue_delay_us, utilisation
from .matrix_routes import MatrixRoutes
from .routing import Routes

MAX_QUEUE_UTILISATION_RATIO = 0.9
"""M/D/1 describes background traffic below this; above it the queue is held at its value there."""


@dataclass(frozen=True, eq=False)
class DemandLoads:
    """What a traffic matrix does to a network. Arc columns in Gb/s; `carried_gbps` by demand is max-min fair.

    NaN where it is unknown: what a demand gets over a link of unknown rate, and what the arcs on its way carry.
    """

    arc_offered_gbps: Floats
    arc_carried_gbps: Floats
    offered_gbps: Floats
    carried_gbps: Floats
    reachable: Bools

    @property
    def unrouted_gbps(self) -> float:
        """Demand without a path."""
        return float(self.offered_gbps[~self.reachable].sum())


def load_demands(
    routes: MatrixRoutes, offered_gbps: Floats, arc_capacity_gbps: Floats, *, split_by_rate: bool = False
) -> DemandLoads:
    """Place every demand on its equal-cost paths; where arcs are too small, rates there are max-min fair.

    arc_capacity_gbps: NaN where the rate of an arc is unknown. split_by_rate: nodes split traffic by the rate of links,
    so that an unknown rate leaves the split unknown too.
    """
    wanted = np.where(routes.reachable, offered_gbps, 0.0)
    arc_offered = routes.loads(wanted)
    unknown = np.isnan(arc_capacity_gbps)
    capacity = np.where(unknown, np.inf, arc_capacity_gbps)
    loaded = unknown & (arc_offered > 0)
    if (arc_offered <= capacity).all() and not loaded.any():
        return DemandLoads(arc_offered, arc_offered, offered_gbps, wanted, routes.reachable)
    first, arc, usage = _usage(routes.by_pair, len(offered_gbps))
    rate = np.empty(len(offered_gbps))
    max_min_rates(first, arc, usage, capacity, wanted, rate)
    if not loaded.any():
        return DemandLoads(arc_offered, routes.loads(rate), offered_gbps, rate, routes.reachable)
    full = np.ones(len(capacity), dtype=np.bool_) if split_by_rate else arc_offered > capacity
    unsure = _unsure(first, arc, (usage > 0) & (wanted > 0).repeat(np.diff(first)), loaded, full)
    on_the_way = routes.loads(np.where(unsure, wanted, 0.0)) > 0
    return DemandLoads(
        np.where(on_the_way, np.nan, arc_offered) if split_by_rate else arc_offered,
        np.where(on_the_way, np.nan, routes.loads(np.where(unsure, 0.0, rate))),
        offered_gbps,
        np.where(unsure, np.nan, rate),
        routes.reachable,
    )


def _unsure(first: Ints, arc: Ints, crosses: Bools, unknown: Bools, full: Bools) -> Bools:
    """Demands whose rate depends on an unknown one: bool[n_demands].

    Those that cross an arc of unknown rate, and those that share a full arc with one of them, however far that goes.
    An arc that holds all that is offered to it limits nobody.
    """
    demand = np.repeat(np.arange(len(first) - 1), np.diff(first))[crosses]
    arc = arc[crosses]
    unsure, shared = np.zeros(len(first) - 1, dtype=np.bool_), unknown.copy()
    while True:
        n_before = unsure.sum()
        unsure[demand[shared[arc]]] = True
        if unsure.sum() == n_before:
            return unsure
        on_the_way = np.zeros(len(unknown), dtype=np.bool_)
        on_the_way[arc[unsure[demand]]] = True
        shared |= on_the_way & full


def _usage(routes: Routes, n_pairs: int) -> tuple[Ints, Ints, Floats]:
    """Arcs and fractions of every single pair, in CSR form."""
    order = np.argsort(routes.inner_route, kind="stable")
    n_routes = len(routes.trace_first) - 1
    per_route = np.bincount(routes.inner_route, minlength=n_routes)
    start = np.cumsum(per_route) - per_route
    n = per_route[routes.route_of_pair]
    pair = np.repeat(np.arange(n_pairs), n)
    row = order[start[routes.route_of_pair[pair]] + np.arange(len(pair)) - np.repeat(np.cumsum(n) - n, n)]
    pairs = np.concatenate((pair, routes.pair_pair))
    arcs = np.concatenate((routes.inner_arc[row], routes.pair_arc))
    usage = np.concatenate((routes.inner_fraction[row], routes.pair_fraction))
    order = np.lexsort((arcs, pairs))
    counts = np.bincount(pairs, minlength=n_pairs)
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(counts))), arcs[order], usage[order]


def arc_utilisation_ratio(load_gbps: Floats, capacity_gbps: Floats) -> Floats:
    """Load over capacity by arc; arcs without capacity count 0 unless they are loaded, then infinite.

    NaN where the load is unknown, and where there is one on an unknown capacity.
    """
    out = np.empty(len(load_gbps))
    utilisation(np.nan_to_num(load_gbps), np.nan_to_num(capacity_gbps), out)
    out[np.isnan(load_gbps) | (np.isnan(capacity_gbps) & (load_gbps > 0))] = np.nan
    return out


def arc_queue_us(utilisation_ratio: Floats, member_gbps: Floats, packet_bytes: float) -> Floats:
    """Mean wait of background traffic by arc, at the rate of one member; NaN where the utilisation is unknown."""
    out = np.empty(len(utilisation_ratio))
    known = np.nan_to_num(utilisation_ratio, posinf=np.inf)
    queue_delay_us(known, np.nan_to_num(member_gbps), packet_bytes, MAX_QUEUE_UTILISATION_RATIO, out)
    out[np.isnan(utilisation_ratio)] = np.nan
    return out


def max_min(capacity_gbps: Floats, flows: list[list[int]]) -> Floats:
    """Max-min fair rates of flows given as lists of link rows, without limits of their own; direction plays no part."""
    counts = np.array([len(flow) for flow in flows], dtype=np.int64)
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    link = np.array([row for flow in flows for row in flow], dtype=np.int64)
    rate = np.empty(len(flows))
    max_min_rates(first, link, np.ones(len(link)), capacity_gbps, np.full(len(flows), np.inf), rate)
    return rate


MIN_LEFT_RATIO = 0.01
"""Share of an arc that background demands always leave to a job."""


def left_for_job(capacity_gbps: Floats, carried_gbps: Floats) -> Floats:
    """What demands in the background leave of arcs to a job."""
    return np.maximum(capacity_gbps - carried_gbps, capacity_gbps * MIN_LEFT_RATIO)
