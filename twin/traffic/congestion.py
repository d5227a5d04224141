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
    """What a traffic matrix does to a network. Arc columns in Gb/s; `carried_gbps` by demand is max-min fair."""

    arc_offered_gbps: Floats
    arc_carried_gbps: Floats
    offered_gbps: Floats
    carried_gbps: Floats
    reachable: Bools

    @property
    def unrouted_gbps(self) -> float:
        """Demand without a path."""
        return float(self.offered_gbps[~self.reachable].sum())


def load_demands(routes: MatrixRoutes, offered_gbps: Floats, arc_capacity_gbps: Floats) -> DemandLoads:
    """Place every demand on its equal-cost paths; where arcs are too small, rates there are max-min fair."""
    wanted = np.where(routes.reachable, offered_gbps, 0.0)
    arc_offered = routes.loads(wanted)
    if (arc_offered <= arc_capacity_gbps).all():
        return DemandLoads(arc_offered, arc_offered, offered_gbps, wanted, routes.reachable)
    first, arc, usage = _usage(routes.by_pair, len(offered_gbps))
    rate = np.empty(len(offered_gbps))
    max_min_rates(first, arc, usage, arc_capacity_gbps, wanted, rate)
    return DemandLoads(arc_offered, routes.loads(rate), offered_gbps, rate, routes.reachable)


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
    """Load over capacity by arc; arcs without capacity count 0 unless they are loaded, then infinite."""
    out = np.empty(len(load_gbps))
    utilisation(load_gbps, capacity_gbps, out)
    return out


def arc_queue_us(utilisation_ratio: Floats, member_gbps: Floats, packet_bytes: float) -> Floats:
    """Mean wait of background traffic by arc, at the rate of one member."""
    out = np.empty(len(utilisation_ratio))
    queue_delay_us(utilisation_ratio, member_gbps, packet_bytes, MAX_QUEUE_UTILISATION_RATIO, out)
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
