"""Routes of node pairs as fractions of arcs, shared by nodes that are attached alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..arrays import LAST_END_POINT, Bools, Floats, Ints, State, distinct_rows
from ..kernels.ecmp import spread_amounts, worst_path_us


@dataclass(frozen=True, eq=False)
class Routes:
    """Routes of pairs of node rows.

    Pairs whose ends are attached alike share one route. A route consists of the arcs between the two attachments and of
    the first and last arcs of each single pair.
    """

    n_arcs: int
    reachable: Bools
    route_of_pair: Ints
    """int64[n_pairs]."""
    inner_route: Ints
    inner_arc: Ints
    inner_fraction: Floats
    """Route, arc and fraction of the traffic, one row for each arc between attachments."""
    pair_pair: Ints
    pair_arc: Ints
    pair_fraction: Floats
    """Pair, arc and fraction of the traffic, one row for each first or last arc of a pair."""
    trace_first: Ints
    trace_arc: Ints
    """All arcs of one representative pair of each route, in CSR form."""
    trace_fraction: Floats = field(default_factory=lambda: np.zeros(0))
    """Part of the traffic of that pair on each of these arcs."""

    def loads(self, amount: Floats) -> Floats:
        """Compute the load of each arc when every pair sends its amount.

        Args:
            amount: traffic of each pair in any unit, float64[n_pairs].

        Returns:
            float64[2 * n_links] in the unit of `amount`.
        """
        out = np.zeros(self.n_arcs)
        out[self.arc] = self.loads_by_row(amount)
        return out

    def loads_by_row(self, amount: Floats) -> Floats:
        """Compute the load of each arc of `arc` when every pair sends its amount, as `loads`; float64[len(arc)]."""
        arc, (inner_row, pair_row) = self._rows
        out = np.zeros(len(arc))
        inner, ends = (self.inner_route, inner_row, self.inner_fraction), (self.pair_pair, pair_row, self.pair_fraction)
        spread_amounts(amount, self.route_of_pair, *inner, *ends, np.zeros(len(self.trace_first) - 1), out)
        return out

    @property
    def arc(self) -> Ints:
        """Arcs of all routes, ascending; few of the arcs of a network, so that loads by row are fast."""
        return self._rows[0]

    @cached_property
    def _rows(self) -> tuple[Ints, list[Ints]]:
        """(arcs of all routes, ascending; row of each inner and of each first or last arc among them)."""
        return distinct_rows(self.n_arcs, self.inner_arc, self.pair_arc)

    def worst_latency_us(self, arc_head: Ints, arc_latency_us: Floats, n_nodes: int) -> Floats:
        """Compute the one-way latency of the slowest path of each pair, float64[n_pairs]."""
        out = np.zeros(len(self.trace_first) - 1)
        worst_path_us(self.trace_first, self.trace_arc, arc_head, arc_latency_us, np.zeros(n_nodes), out)
        return out[self.route_of_pair] if len(self.route_of_pair) else np.zeros(0)


@dataclass(frozen=True, eq=False)
class Trace:
    """One unit of traffic of a pair of nodes."""

    source: int
    target: int
    arc: Ints
    fraction: Floats


def build_routes(
    state: State,
    slots: tuple[Ints, Ints, Ints],
    traces: list[Trace],
    source: Ints,
    target: Ints,
    route_of_pair: Ints,
) -> Routes:
    """Collect traces as routes of pairs.

    Args:
        state: columns of the network.
        slots: position of each arc among the usable arcs of its tail, usable arcs by tail, and first of each node, at
            the ends of pairs.
        traces: one for each route.
        source: node rows, int64[n_pairs].
        target: node rows, int64[n_pairs].
        route_of_pair: row of `traces` by pair, int64[n_pairs].
    """
    n_routes = len(traces)
    counts = np.array([len(trace.arc) for trace in traces], dtype=np.int64)
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    trace_arc = np.concatenate([np.zeros(0, np.int64), *(trace.arc for trace in traces)])
    trace_fraction = np.concatenate([np.zeros(0), *(trace.fraction for trace in traces)])
    route = np.repeat(np.arange(n_routes), counts)
    head = state["arc_head"]
    tail_of, head_of = head[trace_arc ^ 1], head[trace_arc]
    at_source = tail_of == np.repeat(np.array([trace.source for trace in traces], np.int64), counts)
    at_target = head_of == np.repeat(np.array([trace.target for trace in traces], np.int64), counts)
    # an arc that is both first and last belongs to the rack or host, whose group has other members; never to the switch
    leads_to_endpoint = state["node_kind"][head_of] <= LAST_END_POINT
    at_source &= ~(at_target & leads_to_endpoint)
    at_target &= ~at_source
    slot, out, first_out = slots
    outgoing = _arcs_at_endpoints(at_source, trace_arc, slot, route, n_routes, route_of_pair)
    incoming = _arcs_at_endpoints(at_target, trace_arc ^ 1, slot, route, n_routes, route_of_pair)
    pairs = np.concatenate((outgoing[0], incoming[0]))
    arcs = np.concatenate(
        (
            out[first_out[source[outgoing[0]]] + outgoing[1]],
            out[first_out[target[incoming[0]]] + incoming[1]] ^ 1,
        )
    )
    fractions = trace_fraction[np.concatenate((outgoing[2], incoming[2]))]
    inner = ~(at_source | at_target)
    return Routes(
        n_arcs=2 * state.n_links,
        reachable=(counts > 0)[route_of_pair] if len(route_of_pair) else np.zeros(0, np.bool_),
        route_of_pair=route_of_pair,
        inner_route=route[inner],
        inner_arc=trace_arc[inner],
        inner_fraction=trace_fraction[inner],
        pair_pair=pairs,
        pair_arc=arcs,
        pair_fraction=fractions,
        trace_first=first,
        trace_arc=trace_arc,
        trace_fraction=trace_fraction,
    )


def _arcs_at_endpoints(
    mask: Bools, arc: Ints, slot: Ints, route: Ints, n_routes: int, route_of_pair: Ints
) -> tuple[Ints, Ints, Ints]:
    """(pair, position of the arc at its endpoint, row of the trace), for every pair and masked arc of its route."""
    rows = np.flatnonzero(mask)
    n_per_route = np.bincount(route[rows], minlength=n_routes)
    start = np.concatenate((np.zeros(1, np.int64), np.cumsum(n_per_route)))[:-1]
    n = n_per_route[route_of_pair] if len(route_of_pair) else np.zeros(0, np.int64)
    pair = np.repeat(np.arange(len(route_of_pair)), n)
    within = np.arange(len(pair)) - np.repeat(np.cumsum(n) - n, n)
    row = rows[start[route_of_pair[pair]] + within]
    return pair, slot[arc[row]], row
