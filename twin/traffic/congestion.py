"""Congestion: loads of demands, max-min fair rates, utilisation and queueing delay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Bools, Floats, Ints
from ..kernels.congestion import max_min_rates, queue_delay_us, utilisation
from .routing import Routes

MAX_QUEUE_UTILISATION_RATIO = 0.9
"""M/D/1 describes background traffic up to this utilisation; above it the delay stays at its value there."""


@dataclass(frozen=True, eq=False)
class DemandLoads:
    """Loads of a traffic matrix by arc, and offered and max-min fair carried rates by demand."""

    arc_offered_gbps: Floats
    arc_carried_gbps: Floats
    offered_gbps: Floats
    carried_gbps: Floats
    reachable: Bools

    @property
    def unrouted_gbps(self) -> float:
        """Demand without a path."""
        return float(self.offered_gbps[~self.reachable].sum())


def load_demands(routes: Routes, offered_gbps: Floats, arc_capacity_gbps: Floats) -> DemandLoads:
    """Load every demand on its equal-cost paths; where arcs are overloaded, carried rates are max-min fair.

    Args:
        routes: routes of the demands.
        offered_gbps: float64[n_demands].
        arc_capacity_gbps: float64[2 * n_links].

    Returns:
        Offered and carried loads.
    """
    routed_gbps = np.where(routes.reachable, offered_gbps, 0.0)
    arc_offered_gbps = routes.loads(routed_gbps)
    if (arc_offered_gbps <= arc_capacity_gbps).all():
        return DemandLoads(arc_offered_gbps, arc_offered_gbps, offered_gbps, routed_gbps, routes.reachable)
    first, arc, fraction = _arcs_of_pairs(routes, len(offered_gbps))
    rate_gbps = np.empty(len(offered_gbps))
    max_min_rates(first, arc, fraction, arc_capacity_gbps, routed_gbps, rate_gbps)
    return DemandLoads(arc_offered_gbps, routes.loads(rate_gbps), offered_gbps, rate_gbps, routes.reachable)


def _arcs_of_pairs(routes: Routes, n_pairs: int) -> tuple[Ints, Ints, Floats]:
    """(first row, arc, fraction) of every pair, in CSR form."""
    order = np.argsort(routes.inner_route, kind="stable")
    n_routes = len(routes.trace_first) - 1
    n_per_route = np.bincount(routes.inner_route, minlength=n_routes)
    start = np.cumsum(n_per_route) - n_per_route
    n = n_per_route[routes.route_of_pair]
    pair = np.repeat(np.arange(n_pairs), n)
    row = order[start[routes.route_of_pair[pair]] + np.arange(len(pair)) - np.repeat(np.cumsum(n) - n, n)]
    pairs = np.concatenate((pair, routes.pair_pair))
    arcs = np.concatenate((routes.inner_arc[row], routes.pair_arc))
    fraction = np.concatenate((routes.inner_fraction[row], routes.pair_fraction))
    order = np.lexsort((arcs, pairs))
    counts = np.bincount(pairs, minlength=n_pairs)
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(counts))), arcs[order], fraction[order]


def arc_utilisation_ratio(load_gbps: Floats, capacity_gbps: Floats) -> Floats:
    """Compute load over capacity by arc; without capacity it is 0, or infinite if the arc is loaded."""
    out = np.empty(len(load_gbps))
    utilisation(load_gbps, capacity_gbps, out)
    return out


def arc_queue_us(utilisation_ratio: Floats, member_gbps: Floats, packet_bytes: float) -> Floats:
    """Compute the mean queueing delay of background traffic by arc, at the rate of one member."""
    out = np.empty(len(utilisation_ratio))
    queue_delay_us(utilisation_ratio, member_gbps, packet_bytes, MAX_QUEUE_UTILISATION_RATIO, out)
    return out


def max_min(capacity_gbps: Floats, flows: list[list[int]]) -> Floats:
    """Compute the max-min fair rates of flows that have no rate limit of their own.

    Args:
        capacity_gbps: capacity of each link, float64[n_links]; directions are not distinguished.
        flows: the link rows of each flow.

    Returns:
        Gb/s, float64[n_flows].
    """
    counts = np.array([len(flow) for flow in flows], dtype=np.int64)
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    link = np.array([row for flow in flows for row in flow], dtype=np.int64)
    rate = np.empty(len(flows))
    max_min_rates(first, link, np.ones(len(link)), capacity_gbps, np.full(len(flows), np.inf), rate)
    return rate


MIN_REMAINING_RATIO = 0.01
"""Share of an arc's capacity that background demands always leave to a job."""


def remaining_for_job_gbps(capacity_gbps: Floats, carried_gbps: Floats) -> Floats:
    """Compute the capacity of arcs that background demands leave to a job."""
    return np.maximum(capacity_gbps - carried_gbps, capacity_gbps * MIN_REMAINING_RATIO)
