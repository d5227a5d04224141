"""Failures looked at one by one: which demands keep a path, and what is carried where links are overloaded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Bools, Floats, Ints, State
from ..arrays.wcmp_groups import WcmpTable
from ..kernels.congestion import max_min_rates
from ..traffic.congestion import DemandLoads, load_demands
from ..traffic.matrix_routes import MatrixRoutes
from ..traffic.routing import Router

MAX_CELLS = 20_000_000
"""Most destinations times nodes, and most pairs of a demand and a full arc, for which full arcs are looked at alone."""


@dataclass(frozen=True, eq=False)
class OneFailure:
    """Demands of a network, routed anew after single failures."""

    state: State
    lit: Bools
    """Links that carry traffic, bool[n_links]."""
    share: Floats
    """Weight of each arc when a node splits traffic, float64[2 * n_links]."""
    arc_capacity_gbps: Floats
    """float64[2 * n_links]; NaN where the rate of an arc is unknown."""
    split_by_rate: bool
    source: Ints
    target: Ints
    offered_gbps: Floats
    groups: WcmpTable | None = None
    """Next hops that are stated in place of shortest paths."""

    def routes(self, kept_ratio: Floats) -> MatrixRoutes:
        """Find the routes of the demands.

        Args:
            kept_ratio: what is left of each link's members, float64[n_links].
        """
        router = Router(self.state, self.lit & (kept_ratio > 0.0))
        share = self.share * np.repeat(kept_ratio, 2)
        return MatrixRoutes(self.state, router, share, self.source, self.target, self.groups)

    def loads(self, routes: MatrixRoutes, kept_ratio: Floats) -> DemandLoads:
        """Compute offered and carried loads, max-min fair where links are overloaded.

        Args:
            routes: as by `routes` for the same failure.
            kept_ratio: what is left of each link's members, float64[n_links].
        """
        capacity_gbps = self.arc_capacity_gbps * np.repeat(kept_ratio, 2)
        routed_gbps = np.where(routes.reachable, self.offered_gbps, 0.0)
        arc_offered_gbps = routes.loads(routed_gbps)
        is_full = arc_offered_gbps > capacity_gbps
        is_unknown = (np.isnan(capacity_gbps) & (arc_offered_gbps > 0.0)).any()
        if not (is_full.any() or is_unknown):
            return DemandLoads(arc_offered_gbps, arc_offered_gbps, self.offered_gbps, routed_gbps, routes.reachable)
        rate_gbps = None
        if not is_unknown and self.groups is None:
            rate_gbps = _shared_gbps(routes, routed_gbps, is_full, capacity_gbps)
        if rate_gbps is None:
            return load_demands(routes, self.offered_gbps, capacity_gbps, split_by_rate=self.split_by_rate)
        return DemandLoads(arc_offered_gbps, routes.loads(rate_gbps), self.offered_gbps, rate_gbps, routes.reachable)


def _shared_gbps(routes: MatrixRoutes, routed_gbps: Floats, is_full: Bools, capacity_gbps: Floats) -> Floats | None:
    """Compute max-min fair rates, float64[n_pairs]; None where too many demands cross too many full arcs.

    An arc that can carry all that is offered to it limits no demand. So only overloaded arcs count, and demands that
    cross none of them are carried in full.
    """
    found = routes.crossings(routed_gbps, is_full, MAX_CELLS)
    if found is None:
        return None
    first, arc, fraction, pairs = found
    place = np.cumsum(is_full) - 1
    shared_gbps, rate_gbps = np.empty(len(pairs)), routed_gbps.copy()
    max_min_rates(first, place[arc], fraction, capacity_gbps[is_full], routed_gbps[pairs], shared_gbps)
    rate_gbps[pairs] = shared_gbps
    return rate_gbps
