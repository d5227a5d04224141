"""Arcs that carry traffic, numbered for the kernels, and nodes that are attached alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..arrays import Bools, Floats, Ints
from ..kernels.graph import ArcGraph, Destinations, UsableArcs
from ..kernels.groups import group_rows, sort_by

Codes = npt.NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class ArcTable:
    """Arcs that carry traffic, with the arc of the network that each of them is.

    Raises:
        ValueError: a weight or share that is not above 0 and finite.
    """

    arcs: UsableArcs
    arc_id: Ints
    """Arc of the network, 2 * link + direction, int64[n_arcs]; each link has both of its arcs here or none."""
    by_hops: bool
    """Whether all weights are 1."""

    @classmethod
    def of(cls, graph: ArcGraph, arc_weight: Floats, arc_share: Floats, link_is_used: Bools) -> ArcTable:
        """Collect the arcs of links.

        Args:
            graph: arcs of the network, by node that they leave.
            arc_weight: float64[2 * n_links], routing metric.
            arc_share: float64[2 * n_links], weight of an arc where a node splits traffic.
            link_is_used: links that carry traffic, bool[n_links]; both directions of such a link have a share.
        """
        arc_id = graph.arc[link_is_used[graph.arc >> 1]]
        weight, share = arc_weight[arc_id], arc_share[arc_id]
        if not (np.isfinite(weight) & (weight > 0) & np.isfinite(share) & (share > 0)).all():
            raise ValueError("weights and shares are finite and above 0")
        arcs = arcs_of(graph.head[arc_id ^ 1], graph.head[arc_id], weight, share, graph.forwards)
        return cls(arcs, arc_id, bool((weight == 1.0).all()))

    @cached_property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.arcs.first) - 1


def arcs_of(tail: Ints | Codes, head: Ints | Codes, weight: Floats, share: Floats, forwards: Bools) -> UsableArcs:
    """Return arcs for the kernels.

    Args:
        tail: nodes that the arcs leave, ascending; arcs of equal tail in ascending order of `head`.
        head: nodes that they lead to.
        weight: float64[n_arcs].
        share: float64[n_arcs].
        forwards: bool[n_nodes].
    """
    n_nodes = len(forwards)
    return UsableArcs(
        first=_first_of(tail, n_nodes),
        tail=tail.astype(np.uint32),
        head=head.astype(np.uint32),
        weight=weight,
        share=share,
        in_first=_first_of(head, n_nodes),
        in_arc=np.argsort(head, kind="stable").astype(np.uint32),
        forwards=forwards,
    )


def twin_labels(arcs: UsableArcs, arc_code: Ints, chosen: Ints) -> Ints:
    """Number the chosen nodes so that twins have the same number.

    Twins have the same neighbours over equal arcs, in both directions, and both forward or both do not. Their lists of
    neighbours are compared entry by entry.

    Args:
        arcs: arcs that carry traffic.
        arc_code: int64[n_arcs], equal for arcs that are equal.
        chosen: nodes, int64[n_chosen].

    Returns:
        int64[n_chosen], from 0, in no order that means anything.
    """
    n_codes = int(arc_code.max(initial=0)) + 1
    out_first, in_first = arcs.first[chosen], arcs.in_first[chosen]
    n_out, n_in = arcs.first[chosen + 1] - out_first, arcs.in_first[chosen + 1] - in_first
    out_key = arcs.head * np.int64(n_codes) + arc_code
    in_key = arcs.tail[arcs.in_arc] * np.int64(n_codes) + arc_code[arcs.in_arc]
    label = np.zeros(len(chosen), np.int64)
    n_labels = 0
    for degree in np.unique(np.stack((n_out, n_in), axis=1), axis=0) if len(chosen) else ():
        rows = np.flatnonzero((n_out == degree[0]) & (n_in == degree[1]))
        # parallel arcs to one neighbour stand in any order of their codes
        out_list = np.sort(out_key[out_first[rows, None] + np.arange(degree[0])], axis=1)
        in_list = np.sort(in_key[in_first[rows, None] + np.arange(degree[1])], axis=1)
        table = np.concatenate((arcs.forwards[chosen[rows], None].astype(np.int64), out_list, in_list), axis=1)
        group = equal_rows(table)
        label[rows] = group + n_labels
        n_labels += int(group.max()) + 1
    return label


def equal_rows(table: Ints) -> Ints:
    """Number the distinct rows of a table in the order of their first appearance; int64[n_rows]."""
    n_rows = len(table)
    slots = np.full(1 << (2 * n_rows + 1).bit_length(), -1, np.int64)
    group, first = np.empty(n_rows, np.int64), np.empty(n_rows, np.int64)
    group_rows(np.ascontiguousarray(table), slots, group, first)
    return group


def destinations_of(arcs: UsableArcs, source: Ints, target: Ints, amount: Floats) -> tuple[Destinations, Ints]:
    """Arrange demands by destination, twins beside each other.

    Args:
        arcs: arcs that carry traffic.
        source: nodes, int64[n_pairs].
        target: nodes, int64[n_pairs], different from the source.
        amount: what each pair sends, float64[n_pairs].

    Returns:
        The destinations, and the pair of each of their demands, int64[n_pairs].
    """
    n_nodes = len(arcs.first) - 1
    receives = np.zeros(n_nodes, np.bool_)
    receives[target] = True
    node = np.flatnonzero(receives)
    weight_and_share = np.stack((arcs.weight.view(np.int64), arcs.share.view(np.int64)), axis=1)
    label = twin_labels(arcs, equal_rows(weight_and_share), node)
    by_class = np.lexsort((node, label))
    node, label = node[by_class], label[by_class]
    place = np.zeros(n_nodes, np.int64)
    place[node] = np.arange(len(node))
    order = np.arange(len(source))
    if (np.diff(source) < 0).any():
        order = _sorted_by(source, n_nodes, order)[1]
    demand_first, order = _sorted_by(place[target], len(node), order)
    class_first = np.flatnonzero(np.r_[True, label[1:] != label[:-1], True]) if len(node) else np.zeros(1, np.int64)
    destinations = Destinations(
        class_first=class_first,
        node=node.astype(np.uint32),
        demand_first=demand_first,
        demand_source=source[order].astype(np.uint32),
        demand_gbps=amount[order],
    )
    return destinations, order


def _sorted_by(key: Ints, n_keys: int, before: Ints) -> tuple[Ints, Ints]:
    """Return the first entry of each key, and entries in the order of keys; equal ones as before."""
    first, order = np.zeros(n_keys + 1, np.int64), np.empty(len(key), np.int64)
    sort_by(key, before, first, order)
    return first, order


def _first_of(row: Ints | Codes, n_rows: int) -> Ints:
    """Position of the first entry of each row in a list that is sorted by row; int64[n_rows + 1]."""
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(np.bincount(row, minlength=n_rows))))
