"""Routes of a traffic matrix: loads and latencies destination by destination, single pairs only on request."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ..arrays import Bools, Floats, Ints, State
from ..arrays.wcmp_groups import WcmpTable
from ..kernels.crossings import crossings
from ..kernels.ecmp import worst_to_destination_us
from ..kernels.graph import Destinations
from .equal_cells import Cells, routed_loads
from .routes import Routes
from .routing import Router, links_with_share
from .twin_nodes import ArcTable, destinations_of
from .walk import REL_TOLERANCE
from .wcmp_forwarding import WcmpForwarding, rows_by_target


class MatrixRoutes:
    """Routes of the pairs of a traffic matrix.

    Everything that enters for one class of twin destinations goes there in one pass over the network, so the time
    grows with the number of destinations and not with the number of pairs. Only max-min sharing needs the routes of
    single pairs.
    """

    def __init__(
        self,
        state: State,
        router: Router,
        share: Floats,
        source: Ints,
        target: Ints,
        groups: WcmpTable | None = None,
    ) -> None:
        """`router`: on the same state; `groups`: next hops in place of shortest paths; others as in `Router.routes`."""
        self._state, self._router, self._share = state, router, share
        self._source, self._target = source, target
        self._forwarding = None if groups is None else WcmpForwarding(state, router, share, groups)
        self._rows = list(rows_by_target(target))
        self.reachable = np.zeros(len(source), dtype=np.bool_)
        for node, rows in self._rows:
            self.reachable[rows] = np.isfinite(router.distances_to(node)[source[rows]])

    @cached_property
    def by_pair(self) -> Routes:
        """The route of every single pair."""
        if self._forwarding is not None:
            return self._forwarding.routes(self._source, self._target)
        return self._router.routes(self._share, self._source, self._target)

    @cached_property
    def _table(self) -> ArcTable:
        """The arcs that carry traffic."""
        used = self._router.lit & links_with_share(self._share)
        return ArcTable.of(self._state.graph, self._router.weight, self._share, used)

    @cached_property
    def _in_groups(self) -> Bools:
        """Pairs whose destination has WCMP groups, bool[n_pairs]."""
        none = np.zeros(len(self._target), np.bool_)
        return none if self._forwarding is None else self._forwarding.has_groups(self._target)

    @cached_property
    def _destinations(self) -> tuple[Destinations, Ints]:
        """Destinations without groups, and the pair of each of their demands."""
        rows = np.flatnonzero(~self._in_groups)
        found, order = destinations_of(self._table.arcs, self._source[rows], self._target[rows], np.zeros(len(rows)))
        return found, rows[order]

    @cached_property
    def _cells(self) -> Cells | None:
        """Nodes that carry equal loads, where there are many."""
        is_end = np.zeros(self._table.n_nodes, np.bool_)
        destinations, _ = self._destinations
        is_end[destinations.node] = is_end[destinations.demand_source] = True
        return Cells.of(self._table.arcs, self._table.by_hops, is_end)

    def loads(self, amount: Floats) -> Floats:
        """Compute the load of each arc when every pair sends its amount.

        Args:
            amount: traffic of each pair in any unit, float64[n_pairs]; that of a pair without a path loads nothing.

        Returns:
            float64[2 * n_links] in the unit of `amount`.
        """
        destinations, pair = self._destinations
        destinations = destinations._replace(demand_gbps=amount[pair])
        if self._cells is not None:
            load, _ = self._cells.loads(destinations)
        else:
            load, _ = routed_loads(self._table.arcs, self._table.by_hops, destinations)
        out = np.zeros(2 * self._state.n_links)
        out[self._table.arc_id] = load
        if self._forwarding is not None:
            rows = np.flatnonzero(self._in_groups & self.reachable)
            self._forwarding.add_loads(self._source[rows], self._target[rows], amount[rows], out)
        return out

    def crossings(self, amount: Floats, is_chosen: Bools, max_cells: int) -> tuple[Ints, Ints, Floats, Ints] | None:
        """Find which pairs send over some arcs; not for pairs with WCMP groups.

        Args:
            amount: traffic of each pair in any unit, float64[n_pairs]; pairs without traffic are left out.
            is_chosen: arcs that are asked about, bool[2 * n_links].
            max_cells: most destinations times nodes, and most crossings.

        Returns:
            First crossing of each pair that has any, int64[n + 1]; arc and fraction of the traffic of each crossing;
            and these pairs, int64[n]. None where more than `max_cells` would be kept.
        """
        rows = np.flatnonzero((amount > 0.0) & self.reachable)
        table = self._table
        found, order = destinations_of(table.arcs, self._source[rows], self._target[rows], amount[rows])
        if len(found.node) * table.n_nodes > max_cells:
            return None
        distance = np.stack([self._router.distances_to(node) for node in found.node.tolist()])
        first = np.empty(len(rows) + 1, np.int64)
        walked = table.arcs, found, REL_TOLERANCE, distance, is_chosen[table.arc_id], first
        n, _ = crossings(*walked, np.empty(0, np.int64), np.empty(0))
        if n > max_cells:
            return None
        arc, fraction = np.empty(n, np.int64), np.empty(n)
        crossings(*walked, arc, fraction)
        crosses = np.flatnonzero(np.diff(first) > 0)
        return np.append(first[crosses], n), table.arc_id[arc], fraction, rows[order[crosses]]

    def worst_latency_us(self, arc_latency_us: Floats) -> Floats:
        """Latency of the slowest path of each pair, one way."""
        out = np.zeros(len(self._source))
        for node, rows in self._rows:
            if self._forwarding is not None and self._in_groups[rows[0]]:
                out[rows] = self._forwarding.worst_latency_us(node, self._source[rows], arc_latency_us)
                continue
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
