"""Equal-cost shortest paths between pairs of nodes, kept as shares of arcs; nodes attached alike share them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import NODE_KINDS, Bools, Floats, Ints, NetworkArrays
from ..kernels.ecmp import trace_pair, worst_path_us
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
        n_routes = len(self.trace_first) - 1
        by_route = np.bincount(self.route_of_pair, weights=amount, minlength=n_routes)
        inner = np.bincount(
            self.inner_arc, weights=self.inner_fraction * by_route[self.inner_route], minlength=self.n_arcs
        )
        ends = np.bincount(self.pair_arc, weights=self.pair_fraction * amount[self.pair_pair], minlength=self.n_arcs)
        return inner + ends

    def worst_latency_us(self, arc_head: Ints, arc_latency_us: Floats, n_nodes: int) -> Floats:
        """Latency of the slowest path of each pair, one way."""
        out = np.zeros(len(self.trace_first) - 1)
        worst_path_us(self.trace_first, self.trace_arc, arc_head, arc_latency_us, np.zeros(n_nodes), out)
        return out[self.route_of_pair] if len(self.route_of_pair) else np.zeros(0)


def route_pairs(arrays: NetworkArrays, lit: Bools, share: Floats, source: Ints, target: Ints) -> Routes:
    """Routes over links that are lit, a node splitting among its next hops in proportion to `share` (by link).

    source, target: int64[n_pairs], different node rows. Weights are the links'; equal ones are counted as hops.
    """
    usable = lit & (share > 0)
    group = attachment_groups(arrays, usable, share)
    ends = np.stack((group[source], group[target]), axis=1) if len(source) else np.zeros((0, 2), np.int64)
    _, first_pair, route_of_pair = np.unique(ends, axis=0, return_index=True, return_inverse=True)
    traces = _trace(arrays, usable, share, source[first_pair], target[first_pair])
    return _assemble(arrays, traces, source, target, route_of_pair.reshape(-1), first_pair)


def attachment_groups(arrays: NetworkArrays, usable: Bools, share: Floats) -> Ints:
    """A group number per node: racks and hosts with the same neighbours over the same links share one.

    Only nodes that are all attached to switches qualify; everything else is a group of its own. Paths between
    members of the same two groups differ in their first and last arcs alone.
    """
    group = np.arange(arrays.n_nodes)
    is_end = arrays.node_kind <= NODE_KINDS.index("host")
    arc_link = arrays.arc_sorted // 2
    head = arrays.arc_head[arrays.arc_sorted]
    known: dict[bytes, int] = {}
    for node in np.flatnonzero(is_end):
        rows = slice(arrays.arc_first[node], arrays.arc_first[node + 1])
        heads, links = head[rows], arc_link[rows]
        if not len(heads) or is_end[heads].any():
            continue
        key = b"".join(
            (heads.tobytes(), arrays.link_weight[links].tobytes(), share[links].tobytes(), usable[links].tobytes())
        )
        group[node] = known.setdefault(key, int(node))
    return group


@dataclass(frozen=True, eq=False)
class _Traces:
    first: Ints
    arc: Ints
    fraction: Floats


def _trace(arrays: NetworkArrays, usable: Bools, share: Floats, source: Ints, target: Ints) -> _Traces:
    """One unit from each source to its target; pairs of the same target share their distances."""
    weight = arrays.link_weight
    by_hops = bool(len(weight) == 0 or (weight == weight[0]).all())
    weight = np.ones_like(weight) if by_hops else weight
    distance = np.empty((1, arrays.n_nodes))
    node_flow, heap = np.zeros(arrays.n_nodes), np.zeros(arrays.n_nodes, dtype=np.int64)
    arcs: list[Ints] = [np.zeros(0, np.int64)] * len(source)
    fractions: list[Floats] = [np.zeros(0)] * len(source)
    room = 4096
    out_arc, out_fraction = np.empty(room, np.int64), np.empty(room)
    last = -1
    for i in np.lexsort((source, target)):
        if target[i] != last:
            last = target[i]
            sources = np.array([last], dtype=np.int64)
            if by_hops:
                shortest_hops(arrays.graph, usable, sources, distance)
            else:
                shortest_distances(arrays.graph, weight, usable, sources, distance)
        while True:
            n = trace_pair(
                arrays.graph, weight, usable, share, distance[0], source[i], REL_TOLERANCE, node_flow, heap, out_arc, out_fraction
            )
            if n >= 0:
                break
            room = max(-n, 2 * room)
            out_arc, out_fraction = np.empty(room, np.int64), np.empty(room)
        arcs[i], fractions[i] = out_arc[:n].copy(), out_fraction[:n].copy()
    counts = np.array([len(a) for a in arcs], dtype=np.int64)
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    return _Traces(
        first, np.concatenate([np.zeros(0, np.int64), *arcs]), np.concatenate([np.zeros(0), *fractions])
    )


def _assemble(
    arrays: NetworkArrays,
    traces: _Traces,
    source: Ints,
    target: Ints,
    route_of_pair: Ints,
    first_pair: Ints,
) -> Routes:
    n_routes = len(traces.first) - 1
    counts = np.diff(traces.first)
    route = np.repeat(np.arange(n_routes), counts)
    head = arrays.arc_head
    tail_of, head_of = head[traces.arc ^ 1], head[traces.arc]
    at_source = tail_of == source[first_pair][route]
    at_target = (head_of == target[first_pair][route]) & ~at_source
    slot = np.empty(2 * arrays.n_links, dtype=np.int64)
    tails = head[arrays.arc_sorted ^ 1]
    slot[arrays.arc_sorted] = np.arange(len(arrays.arc_sorted)) - arrays.arc_first[tails]
    outgoing = _ends(at_source, traces.arc, slot, route, n_routes, route_of_pair)
    incoming = _ends(at_target, traces.arc ^ 1, slot, route, n_routes, route_of_pair)
    pairs = np.concatenate((outgoing[0], incoming[0]))
    arcs = np.concatenate(
        (
            arrays.arc_sorted[arrays.arc_first[source[outgoing[0]]] + outgoing[1]],
            arrays.arc_sorted[arrays.arc_first[target[incoming[0]]] + incoming[1]] ^ 1,
        )
    )
    fractions = traces.fraction[np.concatenate((outgoing[2], incoming[2]))]
    inner = ~(at_source | at_target)
    return Routes(
        n_arcs=2 * arrays.n_links,
        reachable=(counts > 0)[route_of_pair] if len(route_of_pair) else np.zeros(0, np.bool_),
        route_of_pair=route_of_pair,
        inner_route=route[inner],
        inner_arc=traces.arc[inner],
        inner_fraction=traces.fraction[inner],
        pair_pair=pairs,
        pair_arc=arcs,
        pair_fraction=fractions,
        trace_first=traces.first,
        trace_arc=traces.arc,
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
