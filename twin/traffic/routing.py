"""Routing: equal-cost shortest paths of node pairs, traced once for all pairs that are attached alike."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..arrays import LAST_END_POINT, Bools, Floats, Ints, State, at_an_end, at_both_ends
from ..kernels.paths import shortest_distances, shortest_hops
from ..kernels.repaired_hops import repair_hops
from .rail_split import RailSplit, merged_traces
from .routes import Routes, Trace, build_routes
from .walk import REL_TOLERANCE, Walk

SEARCHED_TOGETHER = 64
"""Targets whose distances one search finds; they take 512 bytes a node."""
MAX_REPAIRED_LINKS = 64
"""Links that may be missing where distances are corrected and not searched anew."""
MAX_REPAIRED_NODES = 4096
"""Nodes whose distance may change then."""

_TraceKey = tuple[int, bytes]
"""Pair of groups, coded, and the weights of its first arcs where they are not those of all traffic."""


class Router:
    """Finds routes on one set of lit links; caches distances to targets, and traces over links with unchanged shares.

    The same job without a site, or with larger links, therefore reuses most traces.
    """

    MAX_BYTES = 400_000_000
    """Limit of the cached distances."""

    def __init__(self, state: State, lit: Bools, access_class: Ints | None = None) -> None:
        """Prepare a router.

        Args:
            state: columns of the network.
            lit: links that carry traffic, bool[n_links].
            access_class: class by link that distinguishes cables of racks, int64[n_links]; None if they do not differ.
        """
        self._state = state
        self.lit = lit
        self._access_class = np.zeros(state.n_links, np.int64) if access_class is None else access_class
        weight = state["arc_weight"]
        self._by_hops = bool(len(weight) == 0 or (weight == weight[0]).all())
        self.weight = np.ones_like(weight) if self._by_hops else weight
        self.weight.flags.writeable = False
        self._distances: dict[int, npt.NDArray[Any]] = {}
        self._share: Floats | None = None
        self._groups: Ints
        self._access_links = np.flatnonzero(at_an_end(_is_endpoint(state)[state["link_ends"]]))
        self._group_key: tuple[bytes, bytes] | None = None
        self._traces: dict[_TraceKey, Trace] = {}
        self._joined_traces: _JoinedTraces | None = None
        self._larger: Router | None = None
        self._missing = np.zeros(0, np.int64)
        self._inherited: dict[_TraceKey, Trace] = {}
        """Traces of the larger router, over its usable links at that time."""
        self._usable_before = self.lit

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
            regroups = True
            if self._share is not None:  # the split at a node depends only on links of the trace
                changed = self._share != share
                links = at_an_end(changed.reshape(-1, 2))
                self._drop_traces(links & self.lit, changed)
                regroups = bool(links[self._access_links].any())
            self._set_share(share, regroups=regroups)
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
        slots = _slots(self._state, self._usable, np.concatenate((source, target)))
        return build_routes(self._state, slots, traces, source, target, route_of_pair.ravel())

    def start_from(self, other: Router) -> None:
        """Take over the traces of a router with more links where they use none of the links that are missing here.

        A missing link takes no path from pairs whose shortest paths avoid it, and gives none. Answers do not change.

        Args:
            other: a router of the same network, weights and cables; ignored if this one has a link that it lacks.
        """
        missing = other.lit & ~self.lit
        if self._share is not None or other._share is None or (self.lit & ~other.lit).any():
            return
        self._groups, self._group_key = other._groups, other._group_key
        self._traces, self._joined_traces = other._traces, other._joined()
        if self._by_hops and int(missing.sum()) <= MAX_REPAIRED_LINKS:
            self._larger, self._missing = other, np.flatnonzero(missing)
            self._inherited, self._usable_before = other._traces, other._usable
        self._drop_traces(missing, np.repeat(missing, 2))
        self._set_share(other._share, regroups=bool(missing[self._access_links].any()))

    def _set_share(self, share: Floats, *, regroups: bool) -> None:
        """Route over links with these shares; groups depend only on the links of racks."""
        self._share, self._usable = share, self.lit & links_with_share(share)
        if regroups:
            self._regroup(share)

    def _joined(self) -> _JoinedTraces:
        """All traces in one array, which many routers start from; also some that were dropped and not found again."""
        if self._joined_traces is None:
            traces = self._traces
            n = np.array([len(trace.arc) for trace in traces.values()], np.int64)
            arcs = np.concatenate([np.zeros(0, np.int64), *(trace.arc for trace in traces.values())])
            self._joined_traces = _JoinedTraces(tuple(traces), arcs, np.repeat(np.arange(len(n)), n))
        return self._joined_traces

    def _drop_traces(self, changed_links: Bools, changed_arcs: Bools) -> None:
        """Forget the traces with a changed arc; links that changed in any direction tell quickly that there is none."""
        if not changed_links.any():
            return
        joined = self._joined()
        dropped = {joined.keys[i] for i in np.unique(joined.trace[changed_arcs[joined.arc]]).tolist()}
        self._traces = {key: trace for key, trace in self._traces.items() if key not in dropped}

    def _regroup(self, share: Floats) -> None:
        """Group the racks again where their links differ; traces whose ends still stand for their groups stay."""
        access_share = share.reshape(-1, 2)[self._access_links]
        group_key = self.lit[self._access_links].tobytes(), access_share.tobytes()
        if self._group_key != group_key:
            self._group_key = group_key
            self._groups = attachment_groups(self._state, self.lit & links_with_share(share), share, self._access_class)
            self._traces = {key: t for key, t in self._traces.items() if self._represents(key, t)}

    def _represents(self, key: _TraceKey, trace: Trace) -> bool:
        """Return whether the ends of a trace stand for the groups of its key."""
        groups = int(self._groups[trace.source]), int(self._groups[trace.target])
        return groups == divmod(key[0], self._state.n_nodes) and len(trace.arc) > 0

    def _arcs_at(self, node: int) -> Ints:
        """Usable arcs that leave a node."""
        graph = self._state.graph
        arcs = graph.arc[graph.first[node] : graph.first[node + 1]]
        return np.asarray(arcs[self._usable[arcs // 2]])

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
        walk = Walk(self._state, self.weight, self._usable, share)
        self._find_distances(sorted({target for _, target in missing.values()}))
        traces = dict(self._traces)
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
            found = found or self._pruned_trace(walk, key, source, target, distance)
            traces[key] = Trace(source, target, *(found or walk.trace(distance, source)))
        if missing:
            self._traces, self._joined_traces = traces, None

    def _pruned_trace(
        self, walk: Walk, key: _TraceKey, source: int, target: int, distance: Floats
    ) -> tuple[Ints, Floats] | None:
        """Trace one unit from its trace in the larger router; None where that does not tell."""
        before, larger = self._inherited.get(key), self._larger
        if before is None or larger is None or key[1] or (before.source, before.target) != (source, target):
            return None
        if target not in larger._distances or (self._usable & ~self._usable_before).any():
            return None
        return walk.pruned(before.arc, before.fraction, larger.distances_to(target), distance)

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
        self._find_distances([target])
        cached = self._distances.get(target)
        if cached is None:
            return np.asarray(self._search([target])[0])
        unreachable = cached < 0
        distance: Floats = cached.astype(np.float64)
        distance[unreachable] = np.inf
        return distance

    def _find_distances(self, targets: list[int]) -> None:
        """Cache the distances to these targets while there is room, many in one search: each first reads all arcs."""
        if self._larger is not None:
            self._repair_distances(self._larger, targets)
        unknown = [target for target in targets if target not in self._distances]
        n_bytes = (np.dtype(np.int16) if self._by_hops else np.dtype(np.float64)).itemsize * self._state.n_nodes
        room = min(self.MAX_BYTES // n_bytes - len(self._distances), len(unknown))
        for i in range(0, room, SEARCHED_TOGETHER):
            self._search(unknown[i : min(i + SEARCHED_TOGETHER, room)])

    def _repair_distances(self, larger: Router, targets: list[int]) -> None:
        """Cache the distances to the targets that a router with a few more links knows."""
        queue, farther = np.empty(MAX_REPAIRED_NODES, np.int64), np.empty(MAX_REPAIRED_NODES, np.int64)
        for target in targets:
            if target in larger._distances and target not in self._distances:
                hops = larger.distances_to(target)
                if repair_hops(self._state.graph, self.lit, self._missing, target, queue, farther, hops) >= 0:
                    self._cache_distance(target, hops)

    def _search(self, targets: list[int]) -> Floats:
        """Search the distances to targets, and cache them while there is room; float64[n_targets, n_nodes]."""
        out = np.empty((len(targets), self._state.n_nodes))
        sources = np.array(targets, dtype=np.int64)
        if self._by_hops:
            shortest_hops(self._state.graph, self.lit, sources, out)
        else:
            shortest_distances(self._state.graph, self.weight, self.lit, sources, out)
        for target, distance in zip(targets, out, strict=True):
            self._cache_distance(target, distance)
        return out

    def _cache_distance(self, target: int, distance: Floats) -> None:
        finite = np.isfinite(distance)
        fits_int16 = self._by_hops and float(distance[finite].max(initial=0.0)) < np.iinfo(np.int16).max
        stored = np.where(finite, distance, -1.0).astype(np.int16 if fits_int16 else np.float64)
        if (len(self._distances) + 1) * stored.nbytes <= self.MAX_BYTES:
            self._distances[target] = stored


def attachment_groups(state: State, usable: Bools, share: Floats, access_class: Ints) -> Ints:
    """Group the racks and hosts that have the same neighbours over equal usable links.

    Links that are down count as absent, so a failed link gives bit by bit the result of a removed one. Only nodes that
    are attached to switches alone are grouped; every other node is its own group. Paths between members of the same two
    groups differ only in their first and last arcs.

    Args:
        state: columns of the network.
        usable: links that are lit and have a share, bool[n_links].
        share: weight of each arc when a node splits traffic, float64[2 * n_links].
        access_class: class by link that distinguishes cables, int64[n_links].

    Returns:
        The first member of each node's group, int64[n_nodes].
    """
    group = np.arange(state.n_nodes)
    is_endpoint = _is_endpoint(state)
    arcs, first = _outgoing(state, usable, is_endpoint)
    head, weight = state["arc_head"], state["arc_weight"]
    of_arc = [column[arcs ^ back].view(np.int64) for column in (weight, share) for back in (0, 1)]
    keys = np.stack((head[arcs], *of_arc, access_class[arcs // 2]), axis=1)
    text, width = keys.tobytes(), keys.itemsize * keys.shape[1]
    n_ends_beside = np.bincount(head[arcs ^ 1], weights=is_endpoint[head[arcs]], minlength=state.n_nodes)
    nodes = np.flatnonzero(is_endpoint & (np.diff(first) > 0) & (n_ends_beside == 0.0))
    group_of_key: dict[bytes, int] = {}
    begin, end = (width * first[nodes]).tolist(), (width * first[nodes + 1]).tolist()
    group[nodes] = [
        group_of_key.setdefault(text[i:j], node) for node, i, j in zip(nodes.tolist(), begin, end, strict=True)
    ]
    return group


def links_with_share(share: Floats) -> Bools:
    """Find the links that have a share in both directions; bool[n_links].

    share: weight of each arc when a node splits traffic, float64[2 * n_links].
    """
    return at_both_ends(share.reshape(-1, 2) > 0)


def _is_endpoint(state: State) -> Bools:
    """Racks and hosts, bool[n_nodes]."""
    return np.asarray(state["node_kind"] <= LAST_END_POINT)


def _slots(state: State, usable: Bools, nodes: Ints) -> tuple[Ints, Ints, Ints]:
    """(position of each arc among the usable arcs of its tail, usable arcs by tail, first of each), at some nodes."""
    is_end = np.zeros(state.n_nodes, np.bool_)
    is_end[nodes] = True
    out, first = _outgoing(state, usable, is_end)
    slot = np.zeros(2 * state.n_links, dtype=np.int64)
    slot[out] = np.arange(len(out)) - first[state["arc_head"][out ^ 1]]
    return slot, out, first


def _outgoing(state: State, usable: Bools, is_tail: Bools) -> tuple[Ints, Ints]:
    """(usable arcs by tail, first of each node) of the arcs that leave some nodes."""
    graph = state.graph
    n = np.where(is_tail, np.diff(graph.first), 0)
    begin = np.cumsum(n) - n
    arcs = graph.arc[np.arange(int(n.sum())) + np.repeat(graph.first[:-1] - begin, n)]
    arcs = arcs[usable[arcs // 2]]
    n = np.bincount(state["arc_head"][arcs ^ 1], minlength=state.n_nodes)
    return arcs, np.concatenate((np.zeros(1, np.int64), np.cumsum(n)))


class _JoinedTraces(NamedTuple):
    """Traces in one array: their keys, all arcs, and the trace of each."""

    keys: tuple[_TraceKey, ...]
    arc: Ints
    trace: Ints
