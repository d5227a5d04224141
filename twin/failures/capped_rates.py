"""Failures looked at one by one: which demands keep a path, and what is carried where links are overloaded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Bools, Floats, Ints, State
from ..arrays.wcmp_groups import WcmpTable
from ..traffic.congestion import DemandLoads, load_demands
from ..traffic.matrix_routes import MatrixRoutes
from ..traffic.routing import Router


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
        return load_demands(routes, self.offered_gbps, capacity_gbps, split_by_rate=self.split_by_rate)
