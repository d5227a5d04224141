"""WCMP groups near the best routing: its flows by destination without cycles, as integer weights of next hops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from graphlib import TopologicalSorter

import numpy as np

from ..arrays import Floats, Ints, State
from ..model.records import WcmpGroup
from .optimum import TargetFlows

NOISE_RATIO = 1e-9
"""Flows up to this share of all traffic to a destination are rounding."""


def optimal_groups(
    state: State, flows: TargetFlows, source: Ints, target: Ints, offered_gbps: Floats, n_entries: int
) -> list[WcmpGroup]:
    """Return groups that divide the traffic of each node as these flows do, as far as integers can.

    Args:
        state: columns of the network.
        flows: flows by destination.
        source: node rows of the demands, int64[n_demands].
        target: node rows of the demands, int64[n_demands].
        offered_gbps: float64[n_demands].
        n_entries: largest sum of the weights of a group: entries that a switch has for it.

    Returns:
        Groups of the nodes that carry traffic, by destination and node.
    """
    head = state["arc_head"]
    ids, links = state.node_ids, state.link_ids
    found: list[WcmpGroup] = []
    for row, node in enumerate(flows.target.tolist()):
        flow = flows.gbps[row]
        used = np.flatnonzero(flow > NOISE_RATIO * flow.sum())
        arcs, gbps = flows.arc_id[used], flow[used].copy()
        cancel_cycles(head[arcs ^ 1].tolist(), head[arcs].tolist(), gbps)
        senders = np.unique(source[(target == node) & (offered_gbps > 0)])
        for tail, hops in _groups_towards(node, arcs, gbps, head, senders, n_entries):
            found.append(WcmpGroup(ids[tail], ids[node], {links[arc // 2]: n for arc, n in hops}))
    return found


def _groups_towards(
    target: int, arcs: Ints, gbps: Floats, head: Ints, senders: Ints, n_entries: int
) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Yield the nodes that traffic of the senders comes to, and the arcs of each with their weights."""
    out_arcs: dict[int, list[int]] = {}
    for i in np.flatnonzero(gbps > 0.0).tolist():
        out_arcs.setdefault(int(head[arcs[i] ^ 1]), []).append(i)
    active: dict[int, list[tuple[int, int]]] = {target: []}
    heads = {node: [int(head[arcs[i]]) for i in rows] for node, rows in out_arcs.items()}
    for node in TopologicalSorter(heads).static_order():
        rows = [i for i in out_arcs.get(node, ()) if int(head[arcs[i]]) in active]
        if not rows:
            continue
        weights = quantised(gbps[rows] / gbps[rows].sum(), n_entries)
        active[node] = [(int(arcs[i]), n) for i, n in zip(rows, weights, strict=True) if n]
    waiting, reached = [node for node in senders.tolist() if node in active], set[int]()
    while waiting:
        node = waiting.pop()
        if node not in reached and node != target:
            reached.add(node)
            waiting += [int(head[arc]) for arc, _ in active[node]]
    for node in sorted(reached):
        yield node, active[node]


def cancel_cycles(tail: Sequence[int], head: Sequence[int], flow: Floats) -> None:
    """Take the flow around each cycle away, in place, so that arcs with flow form none.

    Args:
        tail: node that each arc leaves.
        head: node that it leads to.
        flow: float64[n_arcs], >= 0; its divergence at each node stays.
    """
    out_arcs: dict[int, list[int]] = {}
    for arc, node in enumerate(tail):
        out_arcs.setdefault(node, []).append(arc)
    finished: set[int] = set()
    for root in out_arcs:
        path: list[int] = []
        place = {root: 0}
        node = root
        while node not in finished:
            arcs = out_arcs.get(node, [])
            while arcs and (flow[arcs[-1]] <= 0.0 or head[arcs[-1]] in finished):
                arcs.pop()
            if not arcs:
                finished.add(node)
                del place[node]
                if path:
                    node = tail[path.pop()]
                continue
            arc = arcs[-1]
            if head[arc] not in place:
                path.append(arc)
                node = head[arc]
                place[node] = len(path)
                continue
            first = place[head[arc]]
            cycle = [*path[first:], arc]
            flow[cycle] -= flow[cycle].min()
            for passed in path[first:]:
                del place[head[passed]]
            node = head[arc]
            place[node] = first
            del path[first:]


def quantised(fraction: Floats, n_entries: int) -> list[int]:
    """Return integers whose parts of their sum are closest to these fractions.

    Args:
        fraction: float64[n], > 0, sums to 1.
        n_entries: largest sum of the integers.

    Returns:
        Integers >= 0; the largest error of a part is the least possible with sums up to `n_entries` that round by
        largest remainders, and the sum is the least with that error.
    """
    if len(fraction) == 1:
        return [1]
    total = np.arange(1, n_entries + 1)[:, None]
    exact = total * fraction
    whole = np.floor(exact)
    missing = (total[:, 0] - whole.sum(axis=1)).astype(np.int64)
    rank = np.argsort(np.argsort(-(exact - whole), axis=1, kind="stable"), axis=1, kind="stable")
    whole += rank < missing[:, None]
    error = np.abs(whole / total - fraction).max(axis=1)
    best = int(np.flatnonzero(error <= error.min() + 1e-12)[0])
    return [int(n) for n in whole[best]]
