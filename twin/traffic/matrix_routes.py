"""Routes of a traffic matrix: loads and latencies destination by destination, single pairs only on request."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ..arrays import Floats, Ints, State
from ..kernels.ecmp import place_demands, worst_to_destination_us
from .routing import Router, Routes
from .walk import REL_TOLERANCE


class MatrixRoutes:
    """Routes of the pairs of a traffic matrix.

    Everything that enters for one destination goes there in one pass over the network, so the time grows with the
    number of destinations and not with the number of pairs. Only max-min sharing needs the routes of single pairs.
    """

    def __init__(self, state: State, router: Router, share: Floats, source: Ints, target: Ints) -> None:
        """`router`: on the same state; the other arguments as in `Router.routes`."""
        self._state, self._router, self._share = state, router, share
        self._source, self._target = source, target
        order = np.argsort(target, kind="stable")
        targets, first = np.unique(target[order], return_index=True)
        self._rows = list(zip(targets.tolist(), np.split(order, first[1:]), strict=True)) if len(order) else []
        self.reachable = np.zeros(len(source), dtype=np.bool_)
        for node, rows in self._rows:
            self.reachable[rows] = np.isfinite(router.distances_to(node)[source[rows]])

    @cached_property
    def by_pair(self) -> Routes:
        """The route of every single pair."""
        return self._router.routes(self._share, self._source, self._target)

    def loads(self, amount: Floats) -> Floats:
        """What each arc carries when every pair sends its amount; float64[2 * n_links] in the unit of `amount`."""
        out = np.zeros(2 * self._state.n_links)
        for node, rows in self._rows:
            distance = self._router.distances_to(node)
            place_demands(
                self._state.graph,
                self._router.weight,
                self._router.lit,
                self._share,
                np.array([node], dtype=np.int64),
                distance.reshape(1, -1),
                np.array([0, len(rows)], dtype=np.int64),
                self._source[rows],
                amount[rows],
                REL_TOLERANCE,
                out,
                np.empty(len(rows), dtype=np.bool_),
            )
        return out

    def worst_latency_us(self, arc_latency_us: Floats) -> Floats:
        """Latency of the slowest path of each pair, one way."""
        out = np.zeros(len(self._source))
        for node, rows in self._rows:
            found = np.empty(len(rows))
            worst_to_destination_us(
                self._state.graph,
                self._router.weight,
                self._router.lit,
                self._share,
                self._router.distances_to(node),
                self._source[rows],
                REL_TOLERANCE,
                arc_latency_us,
                found,
            )
            out[rows] = found
        return out
