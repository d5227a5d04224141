"""Congestion: loads of demands, max-min fair rates, utilisation and queueing delay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Bools, Floats, Ints
from ..arrays.sums import sum_of
from ..kernels.congestion import max_min_rates, queue_delay_us, utilisation
from .matrix_routes import MatrixRoutes
from .routes import Routes

MAX_QUEUE_UTILISATION_RATIO = 0.9
"""M/D/1 describes background traffic up to this utilisation; above it the delay stays at its value there."""


@dataclass(frozen=True, eq=False)
class DemandLoads:
    """Loads of a traffic matrix by arc, and offered and max-min fair carried rates by demand.

    NaN where it is unknown: the rate of a demand over a link of unknown rate, and the loads of the arcs it uses.
    """

    arc_offered_gbps: Floats
    arc_carried_gbps: Floats
    offered_gbps: Floats
    carried_gbps: Floats
    reachable: Bools

    @property
    def unrouted_gbps(self) -> float:
        """Demand without a path."""
        return sum_of(self.offered_gbps[~self.reachable])


def load_demands(
    routes: MatrixRoutes, offered_gbps: Floats, arc_capacity_gbps: Floats, *, split_by_rate: bool = False
) -> DemandLoads:
    """Load every demand on its equal-cost paths; where arcs are overloaded, carried rates are max-min fair.

    Args:
        routes: routes of the demands.
        offered_gbps: float64[n_demands].
        arc_capacity_gbps: float64[2 * n_links]; NaN where the rate of an arc is unknown.
        split_by_rate: nodes split traffic by the rate of links, so that an unknown rate leaves the split unknown too.

    Returns:
        Offered and carried loads; NaN where they depend on an unknown rate.
    """
    routed_gbps = np.where(routes.reachable, offered_gbps, 0.0)
    arc_offered_gbps = routes.loads(routed_gbps)
    is_unknown = np.isnan(arc_capacity_gbps)
    capacity_gbps = np.where(is_unknown, np.inf, arc_capacity_gbps)
    loaded = is_unknown & (arc_offered_gbps > 0)
    if (arc_offered_gbps <= capacity_gbps).all() and not loaded.any():
        return DemandLoads(arc_offered_gbps, arc_offered_gbps, offered_gbps, routed_gbps, routes.reachable)
    full = arc_offered_gbps > capacity_gbps
    if loaded.any() and split_by_rate:
        full[:] = True
    # an arc that carries all that is offered to it limits no demand
    first, arc, fraction = arcs_of_pairs(routes.by_pair, len(offered_gbps), full | loaded)
    rate_gbps = np.empty(len(offered_gbps))
    max_min_rates(first, arc, fraction, capacity_gbps, routed_gbps, rate_gbps)
    if not loaded.any():
        return DemandLoads(arc_offered_gbps, routes.loads(rate_gbps), offered_gbps, rate_gbps, routes.reachable)
    crosses = (fraction > 0) & (routed_gbps > 0).repeat(np.diff(first))
    uncertain = _uncertain_demands(first, arc, crosses, loaded, full)
    uncertain_arcs = routes.loads(np.where(uncertain, routed_gbps, 0.0)) > 0
    return DemandLoads(
        np.where(uncertain_arcs, np.nan, arc_offered_gbps) if split_by_rate else arc_offered_gbps,
        np.where(uncertain_arcs, np.nan, routes.loads(rate_gbps)),
        offered_gbps,
        np.where(uncertain, np.nan, rate_gbps),
        routes.reachable,
    )


def _uncertain_demands(first: Ints, arc: Ints, crosses: Bools, is_unknown: Bools, full: Bools) -> Bools:
    """Demands whose rate depends on an unknown one; bool[n_demands].

    These are demands that cross an arc of unknown rate, and demands that share a full arc with one of them, and so on.
    An arc that carries all that is offered to it limits no demand.
    """
    demand = np.repeat(np.arange(len(first) - 1), np.diff(first))[crosses]
    arc = arc[crosses]
    uncertain, shared = np.zeros(len(first) - 1, dtype=np.bool_), is_unknown.copy()
    while True:
        n_before = uncertain.sum()
        uncertain[demand[shared[arc]]] = True
        if uncertain.sum() == n_before:
            return uncertain
        uncertain_arcs = np.zeros(len(is_unknown), dtype=np.bool_)
        uncertain_arcs[arc[uncertain[demand]]] = True
        shared |= uncertain_arcs & full


def arcs_of_pairs(routes: Routes, n_pairs: int, chosen: Bools) -> tuple[Ints, Ints, Floats]:
    """Return the arcs of every pair in CSR form.

    Args:
        routes: routes of the pairs.
        n_pairs: number of pairs.
        chosen: arcs that are returned, bool[n_arcs].

    Returns:
        First row of each pair, int64[n_pairs + 1], and arc and fraction of the traffic of each row.
    """
    inner, own = np.flatnonzero(chosen[routes.inner_arc]), chosen[routes.pair_arc]
    order = inner[np.argsort(routes.inner_route[inner], kind="stable")]
    n_routes = len(routes.trace_first) - 1
    n_per_route = np.bincount(routes.inner_route[inner], minlength=n_routes)
    start = np.cumsum(n_per_route) - n_per_route
    n = n_per_route[routes.route_of_pair]
    pair = np.repeat(np.arange(n_pairs), n)
    row = order[start[routes.route_of_pair[pair]] + np.arange(len(pair)) - np.repeat(np.cumsum(n) - n, n)]
    pairs = np.concatenate((pair, routes.pair_pair[own]))
    arcs = np.concatenate((routes.inner_arc[row], routes.pair_arc[own]))
    fraction = np.concatenate((routes.inner_fraction[row], routes.pair_fraction[own]))
    order = np.lexsort((arcs, pairs))
    counts = np.bincount(pairs, minlength=n_pairs)
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(counts))), arcs[order], fraction[order]


def arc_utilisation_ratio(load_gbps: Floats, capacity_gbps: Floats) -> Floats:
    """Compute load over capacity by arc; without capacity it is 0, or infinite if the arc is loaded.

    NaN where the load is unknown, and where an arc of unknown capacity is loaded.
    """
    out = np.empty(len(load_gbps))
    utilisation(np.nan_to_num(load_gbps), np.nan_to_num(capacity_gbps), out)
    out[np.isnan(load_gbps) | (np.isnan(capacity_gbps) & (load_gbps > 0))] = np.nan
    return out


def arc_queue_us(utilisation_ratio: Floats, member_gbps: Floats, packet_bytes: float) -> Floats:
    """Compute the mean queueing delay of background traffic by arc, at the rate of one member.

    NaN where utilisation is unknown.
    """
    out = np.empty(len(utilisation_ratio))
    known = np.nan_to_num(utilisation_ratio, posinf=np.inf)
    queue_delay_us(known, np.nan_to_num(member_gbps), packet_bytes, MAX_QUEUE_UTILISATION_RATIO, out)
    out[np.isnan(utilisation_ratio)] = np.nan
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
