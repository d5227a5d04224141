"""Equal-cost shortest paths between pairs of nodes, kept as shares of arcs; nodes attached alike share them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays import NODE_KINDS, Bools, Floats, Ints, State
from ..kernels.ecmp import spread_amounts, trace_pair, worst_path_us
from ..kernels.paths import shortest_distances, shortest_hops

REL_TOLERANCE = 1e-12
"""Two path weights closer than this are equal: enough for sums of decimal weights."""


@dataclass(frozen=True, eq=False)
class Routes:
    """Routes of pairs of node rows.

    Pairs whose ends are attached alike share one route (`route_of_pair`); `inner_*` are its arcs between the two
    attachments, `pair_*` the first and last arcs of each single pair. `trace_*` is the whole route of a representative.
    """

    n_arcs: int
    reachable: Bools
    route_of_pair: Ints
    inner_route: Ints
    inner_arc: Ints
    inner_fraction: Floats
    pair_pair: Ints
    pair_arc: Ints
    pair_fraction: Floats
    trace_first: Ints
    trace_arc: Ints

    def loads(self, amount: Floats) -> Floats:
        """What each arc carries when every pair sends its amount; float64[2 * n_links] in the unit of `amount`."""
        out = np.zeros(self.n_arcs)
        inner = self.inner_route, self.inner_arc, self.inner_fraction
        ends = self.pair_pair, self.pair_arc, self.pair_fraction
        spread_amounts(amount, self.route_of_pair, *inner, *ends, np.zeros(len(self.trace_first) - 1), out)
        return out

    def worst_latency_us(self, arc_head: Ints, arc_latency_us: Floats, n_nodes: int) -> Floats:
        """Latency of the slowest path of each pair, one way."""
        out = np.zeros(len(self.trace_first) - 1)
        worst_path_us(self.trace_first, self.trace_arc, arc_head, arc_latency_us, np.zeros(n_nodes), out)
        return out[self.route_of_pair] if len(self.route_of_pair) else np.zeros(0)


class Router:
    """Routes on one set of lit links; remembers distances to targets, and traces over links whose shares stay.

    So the same job without a site, or with wider links, is not walked again.
    """

    MAX_BYTES = 400_000_000
    """Of remembered distances."""

    def __init__(self, state: State, lit: Bools, access_us: Floats | None = None) -> None:
        """`access_us`: latency by link that sets cables of racks apart; None where latency is not asked for."""
        self._state = state
        self.lit = lit
        self._access_us = np.zeros(state.n_links) if access_us is None else access_us
        weight = state["link_weight"]
        self._by_hops = bool(len(weight) == 0 or (weight == weight[0]).all())
        self.weight = np.ones_like(weight) if self._by_hops else weight
        self._distances: dict[int, npt.NDArray[Any]] = {}
        self._share: Floats | None = None
        self._groups = np.arange(state.n_nodes)
        self._at_end = np.flatnonzero(_is_end(state)[state["link_ends"]].any(axis=1))
        self._grouped_by: tuple[bytes, bytes] | None = None
        self._traces: dict[tuple[int, int], _Trace] = {}
        self._known_slots: tuple[bytes, tuple[Ints, Ints, Ints]] | None = None

    def routes(self, share: Floats, source: Ints, target: Ints) -> Routes:
        """Routes over links that are lit, a node splitting among its next hops in proportion to `share` (by link).

        source, target: int64[n_pairs], different node rows. Weights are the links'; equal ones are counted as hops.
        """
        if self._share is None or not np.array_equal(self._share, share):
            if self._share is not None:  # a node's division depends on the links of the trace alone
                other = self._share != share
                self._traces = {key: trace for key, trace in self._traces.items() if not other[trace.arc // 2].any()}
            self._share = share
            # groups depend on the links of racks alone, which most changes of capacity leave as they are
            of_ends = share[self._at_end]
            by = (self.lit[self._at_end] & (of_ends > 0)).tobytes(), of_ends.tobytes()
            if self._grouped_by != by:
                self._grouped_by, self._traces = by, {}
                self._groups = attachment_groups(self._state, self.lit & (share > 0), share, self._access_us)
        n = self._state.n_nodes
        kinds, first_pair, route_of_pair = np.unique(
            self._groups[source] * n + self._groups[target], return_index=True, return_inverse=True
        )
        keys = [(int(key) // n, int(key) % n) for key in kinds]
        missing = []
        for key, pair in zip(keys, first_pair, strict=True):
            if key not in self._traces:
                # groups are named by their first member; two members of one group stand for all pairs within it
                alike = key[0] == key[1]
                missing.append((key, (int(source[pair]), int(target[pair])) if alike else key))
        self._walk(missing)
        traces = [self._traces[key] for key in keys]
        return _assemble(self._state, self._slots(share > 0), traces, source, target, route_of_pair.reshape(-1))

    def _slots(self, has_share: Bools) -> tuple[Ints, Ints, Ints]:
        """(place of each arc among its tail's usable ones, these, where each node's begin)."""
        key = has_share.tobytes()
        if self._known_slots is None or self._known_slots[0] != key:
            out, first = _outgoing(self._state, self.lit & has_share)
            slot = np.zeros(2 * self._state.n_links, dtype=np.int64)
            slot[out] = np.arange(len(out)) - first[self._state["arc_head"][out ^ 1]]
            self._known_slots = key, (slot, out, first)
        return self._known_slots[1]

    def _walk(self, missing: list[tuple[tuple[int, int], tuple[int, int]]]) -> None:
        """Send one unit along each missing route; those of one target share its distances."""
        state, share = self._state, self._share
        assert share is not None
        usable = self.lit & (share > 0)
        node_flow, heap = np.zeros(state.n_nodes), np.zeros(state.n_nodes, dtype=np.int64)
        out_arc, out_fraction = np.empty(4096, np.int64), np.empty(4096)
        last, distance = -1, np.zeros(state.n_nodes)
        for key, (source, target) in sorted(missing, key=lambda item: (item[1][1], item[1][0])):
            if target != last:
                last = target
                distance = self.distances_to(last)
            while True:
                n = trace_pair(
                    state.graph,
                    self.weight,
                    usable,
                    share,
                    distance,
                    source,
                    REL_TOLERANCE,
                    node_flow,
                    heap,
                    out_arc,
                    out_fraction,
                )
                if n >= 0:
                    break
                out_arc, out_fraction = np.empty(-2 * n, np.int64), np.empty(-2 * n)
            self._traces[key] = _Trace(source, target, out_arc[:n].copy(), out_fraction[:n].copy())

    def distances_to(self, target: int) -> Floats:
        """Distances of all nodes to one over lit links; float64[n_nodes], infinite where there is no path."""
        known = self._distances.get(target)
        if known is not None:
            far = known < 0
            distance: Floats = known.astype(np.float64)
            distance[far] = np.inf
            return distance
        out = np.empty((1, self._state.n_nodes))
        sources = np.array([target], dtype=np.int64)
        if self._by_hops:
            shortest_hops(self._state.graph, self.lit, sources, out)
        else:
            shortest_distances(self._state.graph, self.weight, self.lit, sources, out)
        distance = np.asarray(out[0])
        finite = np.isfinite(distance)
        small = self._by_hops and float(distance[finite].max(initial=0.0)) < np.iinfo(np.int16).max
        kept = np.where(finite, distance, -1.0).astype(np.int16 if small else np.float64)
        if (len(self._distances) + 1) * kept.nbytes <= self.MAX_BYTES:
            self._distances[target] = kept
        return distance


def attachment_groups(state: State, usable: Bools, share: Floats, access_us: Floats) -> Ints:
    """A group number per node: racks and hosts with the same neighbours over the same usable links share one.

    Links that are down count as absent, so that failing one adds up, bit by bit, as removing it does. Only nodes that
    are all attached to switches qualify; everything else is a group of its own. Paths between members of the same two
    groups differ in their first and last arcs alone.
    """
    group = np.arange(state.n_nodes)
    is_end = _is_end(state)
    arcs, first = _outgoing(state, usable)
    arc_link, head = arcs // 2, state["arc_head"][arcs]
    known: dict[bytes, int] = {}
    for node in np.flatnonzero(is_end):
        rows = slice(first[node], first[node + 1])
        heads, links = head[rows], arc_link[rows]
        if not len(heads) or is_end[heads].any():
            continue
        columns = (heads, state["link_weight"][links], share[links], access_us[links])
        key = b"".join(column.tobytes() for column in columns)
        group[node] = known.setdefault(key, int(node))
    return group


def _is_end(state: State) -> Bools:
    """Racks and hosts."""
    return np.asarray(state["node_kind"] <= NODE_KINDS.index("host"))


def _outgoing(state: State, usable: Bools) -> tuple[Ints, Ints]:
    """Usable arcs by tail, as `arc_sorted` and `arc_first` are of all arcs."""
    arcs = state["arc_sorted"][usable[state["arc_sorted"] // 2]]
    n = np.bincount(state["arc_head"][arcs ^ 1], minlength=state.n_nodes)
    return arcs, np.concatenate((np.zeros(1, np.int64), np.cumsum(n)))


@dataclass(frozen=True, eq=False)
class _Trace:
    source: int
    target: int
    arc: Ints
    fraction: Floats


def _assemble(
    state: State,
    slots: tuple[Ints, Ints, Ints],
    found: list[_Trace],
    source: Ints,
    target: Ints,
    route_of_pair: Ints,
) -> Routes:
    n_routes = len(found)
    counts = np.array([len(trace.arc) for trace in found], dtype=np.int64)
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    trace_arc = np.concatenate([np.zeros(0, np.int64), *(trace.arc for trace in found)])
    trace_fraction = np.concatenate([np.zeros(0), *(trace.fraction for trace in found)])
    route = np.repeat(np.arange(n_routes), counts)
    head = state["arc_head"]
    tail_of, head_of = head[trace_arc ^ 1], head[trace_arc]
    at_source = tail_of == np.repeat(np.array([trace.source for trace in found], np.int64), counts)
    at_target = head_of == np.repeat(np.array([trace.target for trace in found], np.int64), counts)
    # an arc from end to end belongs to the one that others may stand for: a rack or host, never the switch it hangs on
    is_end = state["node_kind"][head_of] <= NODE_KINDS.index("host")
    at_source &= ~(at_target & is_end)
    at_target &= ~at_source
    slot, out, first_out = slots
    outgoing = _ends(at_source, trace_arc, slot, route, n_routes, route_of_pair)
    incoming = _ends(at_target, trace_arc ^ 1, slot, route, n_routes, route_of_pair)
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
    )


def _ends(
    mask: Bools, arc: Ints, slot: Ints, route: Ints, n_routes: int, route_of_pair: Ints
) -> tuple[Ints, Ints, Ints]:
    """For every pair and every masked arc of its route: (pair, slot of the arc at its end node, row of the trace)."""
    rows = np.flatnonzero(mask)
    per_route = np.bincount(route[rows], minlength=n_routes)
    start = np.concatenate((np.zeros(1, np.int64), np.cumsum(per_route)))[:-1]
    n = per_route[route_of_pair] if len(route_of_pair) else np.zeros(0, np.int64)
    pair = np.repeat(np.arange(len(route_of_pair)), n)
    within = np.arange(len(pair)) - np.repeat(np.cumsum(n) - n, n)
    row = rows[start[route_of_pair[pair]] + within]
    return pair, slot[arc[row]], row
