"""Routes of node pairs as fractions of arcs, shared by nodes that are attached alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..arrays import LAST_END_POINT, Bools, Floats, Ints, State, distinct_rows
from ..kernels.ecmp import worst_path_us
from ..kernels.route_arcs import arcs_at_ends, split_traces, spread_amounts


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
    inner_first: Ints
    inner_arc: Ints
    inner_fraction: Floats
    """Arc and fraction of the traffic, one row for each arc between attachments, by route; and their CSR."""
    pair_first: Ints
    pair_arc: Ints
    pair_fraction: Floats
    """Arc and fraction of the traffic: the first arcs by pair, then the last arcs by pair; int64[2 * n_pairs + 1] is
    their CSR."""
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
        inner, ends = (
            (self.inner_first, inner_row, self.inner_fraction),
            (self.pair_first, pair_row, self.pair_fraction),
        )
        spread_amounts(amount, self.route_of_pair, *inner, *ends, out)
        return out

    @property
    def arc(self) -> Ints:
        """Arcs of all routes, ascending; few of the arcs of a network, so that loads by row are fast."""
        return self._rows[0]

    @cached_property
    def _rows(self) -> tuple[Ints, list[Ints]]:
        """(arcs of all routes, ascending; row of each inner and of each first or last arc among them)."""
        return distinct_rows(self.n_arcs, self.inner_arc, self.pair_arc)

    @property
    def inner_route(self) -> Ints:
        """Route of each arc between attachments."""
        return np.repeat(np.arange(len(self.inner_first) - 1), np.diff(self.inner_first))

    @property
    def pair_pair(self) -> Ints:
        """Pair of each first or last arc."""
        n_pairs = len(self.pair_first) // 2
        return np.repeat(np.arange(2 * n_pairs) % max(n_pairs, 1), np.diff(self.pair_first))

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
    n_routes, nothing, head = len(traces), np.zeros(0, np.int64), state["arc_head"]
    counts = np.array([len(trace.arc) for trace in traces], dtype=np.int64)
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    trace_arc = np.concatenate([nothing, *(trace.arc for trace in traces)])
    trace_fraction = np.concatenate([np.zeros(0), *(trace.fraction for trace in traces)])
    trace_ends = np.array([[trace.source for trace in traces], [trace.target for trace in traces]], np.int64)
    inner, inner_first = np.empty(len(trace_arc), np.int64), np.empty(n_routes + 1, np.int64)
    end, end_first = np.empty(len(trace_arc), np.int64), np.empty(2 * n_routes + 1, np.int64)
    is_endpoint = np.asarray(state["node_kind"] <= LAST_END_POINT)
    split_traces(first, trace_arc, trace_ends, head, is_endpoint, inner, inner_first, end, end_first)
    inner = inner[: inner_first[-1]]
    n_of_route = np.diff(end_first).reshape(2, -1).sum(axis=0)
    n_ends = int(n_of_route[route_of_pair].sum()) if len(route_of_pair) else 0
    pair_first, pair_arc, pair_fraction = (
        np.empty(2 * len(source) + 1, np.int64),
        np.empty(n_ends, np.int64),
        np.empty(n_ends),
    )
    arcs_at_ends(
        route_of_pair,
        np.stack((source, target)),
        end,
        end_first,
        trace_arc,
        trace_fraction,
        *slots,
        pair_first,
        pair_arc,
        pair_fraction,
    )
    return Routes(
        n_arcs=2 * state.n_links,
        reachable=(counts > 0)[route_of_pair] if len(route_of_pair) else np.zeros(0, np.bool_),
        route_of_pair=route_of_pair,
        inner_first=inner_first,
        inner_arc=trace_arc[inner],
        inner_fraction=trace_fraction[inner],
        pair_first=pair_first,
        pair_arc=pair_arc,
        pair_fraction=pair_fraction,
        trace_first=first,
        trace_arc=trace_arc,
        trace_fraction=trace_fraction,
    )
