"""Routing: equal-cost shortest paths of node pairs as fractions of arcs, shared by nodes that are attached alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays import LAST_END_POINT, Bools, Floats, Ints, State
from ..kernels.ecmp import spread_amounts, worst_path_us
from ..kernels.paths import shortest_distances, shortest_hops
from .rail_split import RailSplit, merged_traces
from .walk import REL_TOLERANCE, Walk


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
        inner = self.inner_route, self.inner_arc, self.inner_fraction
        ends = self.pair_pair, self.pair_arc, self.pair_fraction
        spread_amounts(amount, self.route_of_pair, *inner, *ends, np.zeros(len(self.trace_first) - 1), out)
        return out

    def worst_latency_us(self, arc_head: Ints, arc_latency_us: Floats, n_nodes: int) -> Floats:
        """Compute the one-way latency of the slowest path of each pair, float64[n_pairs]."""
        out = np.zeros(len(self.trace_first) - 1)
        worst_path_us(self.trace_first, self.trace_arc, arc_head, arc_latency_us, np.zeros(n_nodes), out)
        return out[self.route_of_pair] if len(self.route_of_pair) else np.zeros(0)


_TraceKey = tuple[int, bytes]
"""Pair of groups, coded, and the weights of its first arcs where they are not those of all traffic."""


class Router:
    """Finds routes on one set of lit links; caches distances to targets, and traces over links with unchanged shares.

    The same job without a site, or with larger links, therefore reuses most traces.
    """

    MAX_BYTES = 400_000_000
    """Limit of the cached distances."""

    def __init__(self, state: State, lit: Bools, access_us: Floats | None = None) -> None:
        """Prepare a router.

        Args:
            state: columns of the network.
            lit: links that carry traffic, bool[n_links].
            access_us: latency by link that distinguishes cables of racks; None if latency does not matter.
        """
        self._state = state
        self.lit = lit
        self._access_us = np.zeros(state.n_links) if access_us is None else access_us
        weight = state["arc_weight"]
        self._by_hops = bool(len(weight) == 0 or (weight == weight[0]).all())
        self.weight = np.ones_like(weight) if self._by_hops else weight
        self.weight.flags.writeable = False
        self._distances: dict[int, npt.NDArray[Any]] = {}
        self._share: Floats | None = None
        self._groups: Ints
        self._access_links = np.flatnonzero(_is_endpoint(state)[state["link_ends"]].any(axis=1))
        self._group_key: tuple[bytes, bytes] | None = None
        self._traces: dict[_TraceKey, _Trace] = {}
        self._cached_slots: tuple[bytes, tuple[Ints, Ints, Ints]] | None = None

    def routes(self, share: Floats, source: Ints, target: Ints, split: RailSplit | None = None) -> Routes:
        """Find the routes of pairs over lit links.

        Path weights are the links' weights; if all are equal, paths count hops.

        Args:
            share: weight of each arc when a node splits traffic among its next hops, float64[2 * n_links].
            source: node rows, int64[n_pairs].
            target: node rows, int64[n_pairs], different from the source.
            split: how senders split over their first links where ports are lost; None: by `share` alone.

        Returns:
            Routes of the pairs.
        """
        if self._share is None or not np.array_equal(self._share, share):
            if self._share is not None:  # the split at a node depends only on links of the trace
                changed = self._share != share
                self._traces = {key: trace for key, trace in self._traces.items() if not changed[trace.arc].any()}
            self._share = share
            self._regroup(share)
        n = self._state.n_nodes
        groups = self._groups if split is None else split.groups(self._groups)
        group_pairs, first_pair, route_of_pair = np.unique(
            groups[source] * n + groups[target], return_index=True, return_inverse=True
        )
        keys = []
        missing: dict[_TraceKey, tuple[int, int]] = {}
        for group_pair, pair in zip(group_pairs.tolist(), first_pair.tolist(), strict=True):
            ends = group_pair // n, group_pair % n
            # a group's number is its first member; a pair within one group is represented by two of its members
            ends = ends if ends[0] != ends[1] else (int(source[pair]), int(target[pair]))
            weights = b"" if split is None else self._weights(split, *ends)
            key = group_pair, weights
            keys.append(key)
            if key not in self._traces:
                missing[key] = ends
        self._trace(missing)
        traces = [self._traces[key] for key in keys]
        return _build_routes(
            self._state, self._slots(links_with_share(share)), traces, source, target, route_of_pair.ravel()
        )

    def start_from(self, other: Router) -> None:
        """Take over the traces of a router with more links where they use none of the links that are missing here.

        A missing link takes no path from pairs whose shortest paths avoid it, and gives none. Answers do not change.

        Args:
            other: a router of the same network, weights and cables; ignored if this one has a link that it lacks.
        """
        missing = other.lit & ~self.lit
        if self._share is not None or other._share is None or (self.lit & ~other.lit).any():
            return
        self._share, self._groups, self._group_key = other._share, other._groups, other._group_key
        self._traces = {key: trace for key, trace in other._traces.items() if not missing[trace.arc // 2].any()}
        self._regroup(self._share)

    def _regroup(self, share: Floats) -> None:
        """Group the racks again where their links differ, and keep the traces whose ends still stand for their groups.

        Groups depend only on the links of racks, which most changes of capacity do not touch.
        """
        access_share = share.reshape(-1, 2)[self._access_links]
        group_key = self.lit[self._access_links].tobytes(), access_share.tobytes()
        if self._group_key != group_key:
            self._group_key = group_key
            self._groups = attachment_groups(self._state, self.lit & links_with_share(share), share, self._access_us)
            self._traces = {key: trace for key, trace in self._traces.items() if self._represents(key, trace)}

    def _represents(self, key: _TraceKey, trace: _Trace) -> bool:
        """Return whether the ends of a trace stand for the groups of its key."""
        groups = int(self._groups[trace.source]), int(self._groups[trace.target])
        return groups == divmod(key[0], self._state.n_nodes) and len(trace.arc) > 0

    def _slots(self, has_share: Bools) -> tuple[Ints, Ints, Ints]:
        """(position of each arc among the usable arcs of its tail, usable arcs by tail, first of each node)."""
        key = has_share.tobytes()
        if self._cached_slots is None or self._cached_slots[0] != key:
            out, first = _outgoing(self._state, self.lit & has_share)
            slot = np.zeros(2 * self._state.n_links, dtype=np.int64)
            slot[out] = np.arange(len(out)) - first[self._state["arc_head"][out ^ 1]]
            self._cached_slots = key, (slot, out, first)
        return self._cached_slots[1]

    def _arcs_at(self, node: int) -> Ints:
        """Usable arcs that leave a node."""
        assert self._share is not None
        _, out, first = self._slots(links_with_share(self._share))
        return out[first[node] : first[node + 1]]

    def _weights(self, split: RailSplit, source: int, target: int) -> bytes:
        """Weights of the first and last arcs of a pair as bytes; empty where each node splits by its own links."""
        assert self._share is not None
        if not split.applies(source, target):
            return b""
        out, into, head = self._arcs_at(source), self._arcs_at(target), self._state["arc_head"]
        ends = (head[out], self._share[out]), (head[into], self._share[into ^ 1])
        return np.concatenate(split.weights(source, target, *ends)).tobytes()

    def _trace(self, missing: dict[_TraceKey, tuple[int, int]]) -> None:
        """Trace one unit of traffic along each missing route; routes to one target share its distances."""
        assert self._share is not None
        share = self._share.copy()
        walk = Walk(self._state, self.weight, self.lit & links_with_share(share), share)
        last_target, distance = -1, np.zeros(self._state.n_nodes)
        for key, (source, target) in sorted(missing.items(), key=lambda item: (item[1][1], item[1][0], item[0])):
            if target != last_target:
                last_target = target
                distance = self.distances_to(target)
            found = None
            if key[1] and distance[source] < np.inf:
                out = self._arcs_at(source)
                share[out] = np.frombuffer(key[1])[: len(out)]
                found = self._split_trace(walk, source, target, distance[source], np.frombuffer(key[1])[len(out) :])
                share[out] = self._share[out]
            self._traces[key] = _Trace(source, target, *(found or walk.trace(distance, source)))

    def _split_trace(
        self, walk: Walk, source: int, target: int, distance: float, received: Floats
    ) -> tuple[Ints, Floats] | None:
        """Trace one unit over the switches of the receiver by their weights; None where no shortest path has one."""
        into, head = self._arcs_at(target) ^ 1, self._state["arc_head"]
        parts, total = [], 0.0
        for arc, switch, weight in zip(into.tolist(), head[into ^ 1].tolist(), received.tolist(), strict=True):
            to_switch = self.distances_to(switch)
            if weight <= 0.0 or not to_switch[source] + self.weight[arc] <= distance * (1.0 + REL_TOLERANCE):
                continue
            arcs, fractions = walk.trace(to_switch, source)
            if len(arcs) == 0:
                continue
            total += weight
            arcs, tails = np.append(arcs, arc), np.append(head[arcs ^ 1], switch)
            parts.append((arcs, tails, weight * np.append(fractions, 1.0), to_switch[source] - to_switch[tails]))
        if not parts:
            return None
        arcs, fractions = merged_traces(parts)
        return arcs, fractions / total

    def trace(self, share: Floats, source: int, target: int) -> tuple[Ints, Floats]:
        """Trace one unit of traffic of a single pair; nothing is cached but the distances.

        Args:
            share: weight of each arc when a node splits traffic among its next hops, float64[2 * n_links].
            source: node row.
            target: another node row.

        Returns:
            Arcs in topological order, and the fraction of the traffic on each; both empty without a path.
        """
        walk = Walk(self._state, self.weight, self.lit & links_with_share(share), share)
        return walk.trace(self.distances_to(target), source)

    def distances_to(self, target: int) -> Floats:
        """Distances of all nodes to one over lit links; float64[n_nodes], infinite where there is no path."""
        cached = self._distances.get(target)
        if cached is not None:
            unreachable = cached < 0
            distance: Floats = cached.astype(np.float64)
            distance[unreachable] = np.inf
            return distance
        out = np.empty((1, self._state.n_nodes))
        sources = np.array([target], dtype=np.int64)
        if self._by_hops:
            shortest_hops(self._state.graph, self.lit, sources, out)
        else:
            shortest_distances(self._state.graph, self.weight, self.lit, sources, out)
        distance = np.asarray(out[0])
        finite = np.isfinite(distance)
        fits_int16 = self._by_hops and float(distance[finite].max(initial=0.0)) < np.iinfo(np.int16).max
        stored = np.where(finite, distance, -1.0).astype(np.int16 if fits_int16 else np.float64)
        if (len(self._distances) + 1) * stored.nbytes <= self.MAX_BYTES:
            self._distances[target] = stored
        return distance


def attachment_groups(state: State, usable: Bools, share: Floats, access_us: Floats) -> Ints:
    """Group the racks and hosts that have the same neighbours over equal usable links.

    Links that are down count as absent, so a failed link gives bit by bit the result of a removed one. Only nodes that
    are attached to switches alone are grouped; every other node is its own group. Paths between members of the same two
    groups differ only in their first and last arcs.

    Args:
        state: columns of the network.
        usable: links that are lit and have a share, bool[n_links].
        share: weight of each arc when a node splits traffic, float64[2 * n_links].
        access_us: latency by link that distinguishes cables, float64[n_links].

    Returns:
        The first member of each node's group, int64[n_nodes].
    """
    group = np.arange(state.n_nodes)
    is_endpoint = _is_endpoint(state)
    arcs, first = _outgoing(state, usable)
    arc_link, head = arcs // 2, state["arc_head"][arcs]
    columns = state["arc_weight"].reshape(-1, 2), share.reshape(-1, 2)
    group_of_key: dict[bytes, int] = {}
    for node in np.flatnonzero(is_endpoint):
        rows = slice(first[node], first[node + 1])
        heads, links = head[rows], arc_link[rows]
        if not len(heads) or is_endpoint[heads].any():
            continue
        own_first = (state["link_ends"][links, 0] == node)[:, None]
        outward_first = (np.where(own_first, c[links], c[links, ::-1]) for c in columns)
        key = b"".join(column.tobytes() for column in (heads, *outward_first, access_us[links]))
        group[node] = group_of_key.setdefault(key, int(node))
    return group


def links_with_share(share: Floats) -> Bools:
    """Find the links that have a share in both directions; bool[n_links].

    share: weight of each arc when a node splits traffic, float64[2 * n_links].
    """
    return np.asarray((share.reshape(-1, 2) > 0).all(axis=1))


def _is_endpoint(state: State) -> Bools:
    """Racks and hosts, bool[n_nodes]."""
    return np.asarray(state["node_kind"] <= LAST_END_POINT)


def _outgoing(state: State, usable: Bools) -> tuple[Ints, Ints]:
    """(usable arcs by tail, first of each node), as `arc_sorted` and `arc_first` of all arcs."""
    arcs = state["arc_sorted"][usable[state["arc_sorted"] // 2]]
    n = np.bincount(state["arc_head"][arcs ^ 1], minlength=state.n_nodes)
    return arcs, np.concatenate((np.zeros(1, np.int64), np.cumsum(n)))


@dataclass(frozen=True, eq=False)
class _Trace:
    source: int
    target: int
    arc: Ints
    fraction: Floats


def _build_routes(
    state: State,
    slots: tuple[Ints, Ints, Ints],
    traces: list[_Trace],
    source: Ints,
    target: Ints,
    route_of_pair: Ints,
) -> Routes:
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
