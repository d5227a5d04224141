"""Hashed routes of pairs of cards in a fabric that is given as plain links, routed by hops."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arrays import Floats, Ints
from ..arrays.sums import sums_by
from ..kernels.ecmp import trace_pair
from ..kernels.graph import ArcGraph
from ..kernels.paths import shortest_hops
from .hash_groups import HashedRoutes
from .walk import REL_TOLERANCE


def fabric_routes(
    n_cards: int,
    n_nodes: int,
    ends: Ints,
    capacity_bytes_per_s: Floats,
    pairs: Ints,
    pair_bytes: Floats,
) -> HashedRoutes:
    """Find the routes of a pattern over all shortest paths; parallel links are links of their own.

    Args:
        n_cards: network cards, the first nodes; each has one link.
        n_nodes: cards and switches.
        ends: int64[n_links, 2], nodes of each link.
        capacity_bytes_per_s: float64[n_links], in each direction.
        pairs: int64[n_pairs, 2], cards that send and receive at once.
        pair_bytes: float64[n_pairs].

    Returns:
        Routes by pair of switches and bytes. Arcs are numbered 2 * link + direction.

    Raises:
        ValueError: a card without exactly one link to a switch, or a pair without a path.
    """
    card_arc = _card_arcs(n_cards, ends)
    floor_s = _busiest_card_s(card_arc, ends, capacity_bytes_per_s, pairs, pair_bytes)
    head = ends[:, ::-1].ravel()
    switch = head[card_arc]
    source, target = switch[pairs[:, 0]], switch[pairs[:, 1]]
    crosses = source != target
    keys, n_pairs = np.unique(
        np.stack((target[crosses], source[crosses], pair_bytes[crosses]), axis=1), axis=0, return_counts=True
    )
    first, arc, fraction = _traces(_switch_graph(n_cards, n_nodes, ends), len(ends), keys[:, :2].astype(np.int64))
    return HashedRoutes(
        first=first,
        link=arc,
        split_ratio=fraction,
        n_pairs=n_pairs.astype(np.float64),
        pair_bytes=keys[:, 2],
        capacity_bytes_per_s=np.repeat(capacity_bytes_per_s, 2),
        n_members=np.ones(2 * len(ends), np.int64),
        tail=ends.ravel(),
        head=head,
        floor_s=floor_s,
    )


def _switch_graph(n_cards: int, n_nodes: int, ends: Ints) -> ArcGraph:
    """Build the arcs between switches; the arcs of a node are in the order of the list of links."""
    head, tail = ends[:, ::-1].ravel(), ends.ravel()
    between = np.flatnonzero(np.repeat((ends >= n_cards).all(axis=1), 2))
    arc = between[np.argsort(tail[between], kind="stable")]
    counts = np.bincount(tail[arc], minlength=n_nodes)
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    return ArcGraph(first, arc, head, np.arange(n_nodes) >= n_cards)


def _card_arcs(n_cards: int, ends: Ints) -> Ints:
    """Arc from each card to its switch."""
    is_card = ends < n_cards
    n_links = np.bincount(ends[is_card], minlength=n_cards)
    if (n_links != 1).any() or is_card.all(axis=1).any():
        card = int(np.flatnonzero(n_links != 1)[0]) if (n_links != 1).any() else int(ends[is_card.all(axis=1)][0, 0])
        raise ValueError(f"node {card} is a network card and has {n_links[card]} links; one link to a switch is needed")
    arc = np.zeros(n_cards, np.int64)
    link, side = np.nonzero(is_card)
    arc[ends[link, side]] = 2 * link + side
    return arc


def _busiest_card_s(card_arc: Ints, ends: Ints, capacity: Floats, pairs: Ints, pair_bytes: Floats) -> float:
    """Time of the busiest link between a card and its switch."""
    sent = sums_by(card_arc[pairs[:, 0]], pair_bytes, 2 * len(ends))
    received = sums_by(card_arc[pairs[:, 1]] ^ 1, pair_bytes, 2 * len(ends))
    return float(((sent + received) / np.repeat(capacity, 2)).max(initial=0.0))


def _traces(graph: ArcGraph, n_links: int, keys: Ints) -> tuple[Ints, Ints, Floats]:
    """(first, arc, fraction) of the routes of (target, source) switches, sorted by target."""
    up = np.ones(n_links, np.bool_)
    one = np.ones(2 * n_links)
    n_nodes = len(graph.forwards)
    node_flow, heap = np.zeros((n_nodes, 2)), np.zeros(n_nodes, np.int64)
    out_arc, out_fraction = np.empty(n_links, np.int64), np.empty(n_links)
    distance, last, way = np.empty((1, n_nodes)), -1, graph
    arcs: list[Ints] = [np.zeros(0, np.int64)]
    fractions: list[Floats] = [np.zeros(0)]
    counts = [0]
    for target, source in keys.tolist():
        if target != last:
            last = target
            shortest_hops(graph, up, np.array([target]), distance)
            way = _towards(graph, distance[0])
        n = trace_pair(way, one, up, one, distance[0], source, REL_TOLERANCE, node_flow, heap, out_arc, out_fraction)
        if n <= 0:
            raise ValueError(f"no path from node {source} to node {target}")
        arcs.append(out_arc[:n].copy())
        fractions.append(out_fraction[:n].copy())
        counts.append(n)
    return np.cumsum(counts), np.concatenate(arcs), np.concatenate(fractions)


def _towards(graph: ArcGraph, distance: Floats) -> ArcGraph:
    """Return the arcs that lead one hop nearer to the destination; all sources share them."""
    tail = np.repeat(np.arange(len(distance)), np.diff(graph.first))
    head = graph.head[graph.arc]
    nearer = np.flatnonzero((distance[head] == distance[tail] - 1.0) & np.isfinite(distance[tail]))
    return ArcGraph(np.searchsorted(nearer, graph.first), graph.arc[nearer], graph.head, graph.forwards)


def pairs_array(pairs: Sequence[Sequence[int]]) -> Ints:
    """Pairs as int64[n_pairs, 2], also for none."""
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
