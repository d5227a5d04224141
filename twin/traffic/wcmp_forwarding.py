"""Routes of demands whose destination has WCMP groups; a node without a group uses shortest paths."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..arrays import Bools, Floats, Ints, State
from ..arrays.wcmp_groups import WcmpTable
from ..kernels.class_loads import class_loads
from ..kernels.ecmp import worst_to_destination_us
from ..kernels.graph import Destinations
from ..kernels.group_forwarding import group_forwarding
from .routes import Routes
from .routing import Router, links_with_share
from .twin_nodes import arcs_of
from .walk import REL_TOLERANCE, Walk


class Forwarding(NamedTuple):
    """Heights, weights and shares of `group_forwarding` towards one destination."""

    height: Floats
    weight: Floats
    share: Floats


@dataclass(frozen=True, eq=False)
class WcmpForwarding:
    """Forwarding towards the destinations of a table on one set of links."""

    state: State
    router: Router
    share: Floats
    table: WcmpTable

    @property
    def used(self) -> Bools:
        """Links that carry traffic, bool[n_links]."""
        return np.asarray(self.router.lit & links_with_share(self.share))

    def has_groups(self, node: Ints) -> Bools:
        """Find the nodes with groups towards them; bool[n]."""
        return np.isin(node, self.table.target)

    def towards(self, target: int) -> Forwarding:
        """Compute the forwarding towards a destination with groups."""
        row = int(np.searchsorted(self.table.target, target))
        entries = slice(int(self.table.first[row]), int(self.table.first[row + 1]))
        n_arcs = 2 * self.state.n_links
        found = Forwarding(np.empty(self.state.n_nodes), np.empty(n_arcs), np.empty(n_arcs))
        group_forwarding(
            self.state.graph,
            self.router.weight,
            self.used,
            self.share,
            self.router.distances_to(target),
            self.table.arc[entries],
            self.table.weight[entries],
            REL_TOLERANCE,
            *found,
        )
        return found

    def add_loads(self, source: Ints, target: Ints, amount: Floats, out: Floats) -> None:
        """Add the load of pairs whose destinations have groups to `out`, float64[2 * n_links]."""
        for node, rows in rows_by_target(target):
            self._add_load(node, source[rows], amount[rows], out)

    def _add_load(self, target: int, source: Ints, amount: Floats, out: Floats) -> None:
        graph, found = self.state.graph, self.towards(target)
        arc_id = graph.arc[found.weight[graph.arc] > 0.0]
        tail, head = graph.head[arc_id ^ 1], graph.head[arc_id]
        arcs = arcs_of(tail, head, found.weight[arc_id], found.share[arc_id], graph.forwards)
        load, order = np.zeros(len(arc_id)), np.argsort(source, kind="stable")
        one = np.array([0, 1])
        class_loads(
            arcs,
            False,
            Destinations(
                one,
                np.array([target], np.uint32),
                np.array([0, len(source)]),
                source[order].astype(np.uint32),
                amount[order],
            ),
            REL_TOLERANCE,
            False,
            np.empty((0, 0)),
            np.empty((0, 0), np.int32),
            np.empty(1, np.bool_),
            np.zeros((self.state.n_nodes, 1)),
            load,
        )
        out[arc_id] += load

    def worst_latency_us(self, target: int, source: Ints, arc_latency_us: Floats) -> Floats:
        """Compute the latency of the slowest path from each source to a destination with groups."""
        found, out = self.towards(target), np.empty(len(source))
        worst_to_destination_us(
            self.state.graph,
            found.weight,
            self.used,
            found.share,
            found.height,
            source,
            REL_TOLERANCE,
            arc_latency_us,
            out,
        )
        return out

    def trace(self, source: int, target: int) -> tuple[Ints, Floats]:
        """Trace one unit of traffic; arcs and fractions as `Router.trace`."""
        if not self.has_groups(np.array([target]))[0]:
            return self.router.trace(self.share, source, target)
        found = self.towards(target)
        return Walk(self.state, found.weight, self.used, found.share).trace(found.height, source)

    def routes(self, source: Ints, target: Ints) -> Routes:
        """Trace every pair by itself."""
        arcs: list[Ints] = [np.zeros(0, np.int64)] * len(source)
        fractions: list[Floats] = [np.zeros(0)] * len(source)
        plain = Walk(self.state, self.router.weight, self.used, self.share)
        for node, rows in rows_by_target(target):
            walk, distance = plain, self.router.distances_to(node)
            if self.has_groups(np.array([node]))[0]:
                found = self.towards(node)
                walk, distance = Walk(self.state, found.weight, self.used, found.share), found.height
            for row in rows.tolist():
                arcs[row], fractions[row] = walk.trace(distance, int(source[row]))
        counts = np.array([len(found) for found in arcs], dtype=np.int64)
        pairs, nothing = np.arange(len(source)), np.zeros(0, np.int64)
        first = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
        arc, fraction = np.concatenate([nothing, *arcs]), np.concatenate([np.zeros(0), *fractions])
        return Routes(
            n_arcs=2 * self.state.n_links,
            reachable=counts > 0,
            route_of_pair=pairs,
            inner_first=first,
            inner_arc=arc,
            inner_fraction=fraction,
            pair_first=np.zeros(2 * len(source) + 1, np.int64),
            pair_arc=nothing,
            pair_fraction=np.zeros(0),
            trace_first=first,
            trace_arc=arc,
            trace_fraction=fraction,
        )


def rows_by_target(target: Ints) -> Iterator[tuple[int, Ints]]:
    """Yield each target, ascending, with its rows."""
    order = np.argsort(target, kind="stable")
    targets, first = np.unique(target[order], return_index=True)
    if len(order):
        yield from zip(targets.tolist(), np.split(order, first[1:]), strict=True)
