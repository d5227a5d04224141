"""The network with equal places merged: one representative of each, and one node for all others.

The node of the others is an ordinary node of a weighted split: an arc's share is the sum over the merged arcs divided
by the number of merged tails, its capacity is the sum, and each merged arc carries the load divided by their number.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..arrays import Bools, Floats, Ints
from ..kernels.graph import Destinations, UsableArcs
from ..traffic.twin_nodes import arcs_of, destinations_of, twin_labels
from .fabric import Fabric
from .symmetry import Symmetry

N_RELATIONS = 8
"""Where an arc may stand to a failure: in the same part or another, its tail and its head the same twin or another."""


@dataclass(frozen=True, eq=False)
class ArcIndex:
    """Finds the arc between two nodes that is equal to another arc, and at the same place among parallel ones."""

    n_nodes: int
    n_codes: int
    n_ordinals: int
    tail: Ints
    head: Ints
    code: Ints
    ordinal: Ints

    def find(self, tail: Ints, head: Ints, like: Ints) -> Ints:
        """Return the arcs from `tail` to `head` that are like given ones; each of them exists."""
        keys, order = self._sorted
        wanted = (tail * self.n_nodes + head) * self.n_codes + self.code[like]
        return order[np.searchsorted(keys, wanted * self.n_ordinals + self.ordinal[like])]

    @cached_property
    def _sorted(self) -> tuple[Ints, Ints]:
        key = ((self.tail * self.n_nodes + self.head) * self.n_codes + self.code) * self.n_ordinals + self.ordinal
        order = np.argsort(key, kind="stable")
        return key[order], order


@dataclass(frozen=True, eq=False)
class Reduced:
    """The merged network, and where the arcs and nodes of the whole network are in it."""

    symmetry: Symmetry
    index: ArcIndex
    arcs: UsableArcs
    first_arc: Ints
    """An arc of the network in each arc, int64[n_arcs]."""
    n_merged: Ints
    """Arcs of the network in each arc, int64[n_arcs]."""
    arc: Ints
    """Arc of the merged network for each arc of the network, int64[2 * n_links]."""
    node: Ints
    """Node for each node of the network, int64[n_nodes]."""
    of_canonical: Ints
    """Node for each canonical node, int64[n_nodes]; -1 for others."""
    per_gbps: Floats
    """1 / capacity of each arc, float64[n_arcs]; 0 for an infinite capacity."""
    destinations: Destinations
    canonical_arc: Ints
    """Arc of the network at the canonical place of each arc, int64[2 * n_links]."""
    related: npt.NDArray[np.int64]
    """Arc of the merged network that carries, after a canonical failure, what an arc carries after a failure to which
    it has this relation; int64[N_RELATIONS, n_places], -1 for none. Bits: other part, other tail, other head."""
    place: Ints
    """Column of `related` for each arc of the network, int64[2 * n_links]."""


def reduce_fabric(fabric: Fabric, symmetry: Symmetry) -> Reduced:
    """Merge equal places."""
    n, tail, head, code = fabric.n_nodes, fabric.tail, fabric.head, fabric.arc_code
    n_codes = int(code.max(initial=0)) + 1
    other_part, other_twin = symmetry.in_other_part.astype(np.int64), symmetry.is_other_twin.astype(np.int64)
    cell_key, node = np.unique(symmetry.canonical * 4 + other_part * 2 + other_twin, return_inverse=True)
    node, number = _number(fabric, node.reshape(-1), len(cell_key))
    cell_of = np.full(4 * n, -1, np.int64)
    cell_of[cell_key] = number
    n_cells = len(cell_key)
    size = np.bincount(node, minlength=n_cells)

    is_single = (other_part[tail] | other_twin[tail] | other_part[head] | other_twin[head]) == 0
    ordinal = ordinals((tail * n + head) * n_codes + code)
    n_ordinals = int(ordinal.max(initial=0)) + 1
    key = ((node[tail] * n_cells + node[head]) * n_codes + code) * n_ordinals + np.where(is_single, ordinal, 0)
    arc_key, first, arc, n_merged = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    tails = node[tail[first]]
    arcs = arcs_of(
        tails,
        node[head[first]],
        fabric.weight[first],
        fabric.share[first] * n_merged / size[tails],
        _forwards(fabric, node, n_cells),
    )
    amounts = node[fabric.source], node[fabric.target], fabric.offered_gbps
    index = ArcIndex(n, n_codes, n_ordinals, tail, head, code, ordinal)
    canonical = symmetry.canonical
    merged = bool((symmetry.in_other_part | symmetry.is_other_twin).any())
    canonical_arc = (
        index.find(canonical[tail], canonical[head], np.arange(len(tail))) if merged else np.arange(len(tail))
    )
    arc = arc.reshape(-1)
    place, of_place = arc, first
    if merged and n_ordinals > 1:  # arcs that are merged into one differ in the arc at their canonical place
        _, of_place, place = np.unique(arc * n_ordinals + ordinal, return_index=True, return_inverse=True)
    related = np.full((N_RELATIONS, len(of_place)), -1, np.int64)
    related[0] = arc[of_place]
    if merged:
        _relate(fabric, symmetry, cell_of, of_place, arc_key, ordinal, related)
    return Reduced(
        symmetry=symmetry,
        index=index,
        arcs=arcs,
        first_arc=first,
        n_merged=n_merged,
        arc=arc,
        node=node,
        of_canonical=np.where(canonical == np.arange(n), cell_of[4 * np.arange(n)], -1),
        per_gbps=_inverse(fabric.capacity_gbps[first] * n_merged),
        destinations=destinations_of(arcs, *amounts)[0],
        canonical_arc=canonical_arc,
        related=related,
        place=place.reshape(-1),
    )


def _relate(
    fabric: Fabric, symmetry: Symmetry, cell_of: Ints, arcs: Ints, arc_key: Ints, ordinal: Ints, out: Ints
) -> None:
    """Find the merged arcs that are related to each arc.

    Args:
        fabric: links and demands.
        symmetry: equal places.
        cell_of: number of each cell by 4 * canonical node + 2 * other part + other twin, -1 for none.
        arcs: arcs of the network, int64[n_places].
        arc_key: key of each merged arc, ascending.
        ordinal: place of each arc of the network among parallel ones.
        out: int64[N_RELATIONS, n_places], overwritten.
    """
    n_cells, code = int(cell_of.max(initial=-1)) + 1, fabric.arc_code
    n_codes, n_ordinals = int(code.max(initial=0)) + 1, int(ordinal.max(initial=0)) + 1
    ends = fabric.tail[arcs], fabric.head[arcs]
    canonical = [symmetry.canonical[nodes] for nodes in ends]
    is_end = [symmetry.part[nodes] == -1 for nodes in ends]
    for bits in range(N_RELATIONS):
        part, twins = bits & 1, (bits >> 1 & 1, bits >> 2 & 1)
        a, b = (
            cell_of[4 * node + np.where(fixed, 0, 2 * part + twin)]
            for node, fixed, twin in zip(canonical, is_end, twins, strict=True)
        )
        exists = (a >= 0) & (b >= 0) & ~(is_end[0] & is_end[1] & bool(part))
        for fixed, twin in zip(is_end, twins, strict=True):
            exists &= ~(fixed & bool(twin))
        wanted = ((a * n_cells + b) * n_codes + code[arcs]) * n_ordinals + (ordinal[arcs] if bits == 0 else 0)
        found = np.minimum(np.searchsorted(arc_key, wanted), len(arc_key) - 1)
        exists &= arc_key[found] == wanted
        out[bits] = np.where(exists, found, -1)


def _number(fabric: Fabric, cell: Ints, n_cells: int) -> tuple[Ints, Ints]:
    """Number the cells so that end points that are twins have neighbouring numbers.

    Returns the number of each node's cell and of each cell.
    """
    ends = fabric.end_points
    order = np.lexsort((fabric.head, fabric.tail))
    arcs = arcs_of(fabric.tail[order], fabric.head[order], fabric.weight[order], fabric.share[order], fabric.forwards)
    label = twin_labels(arcs, fabric.arc_code[order], ends)
    first = np.full(n_cells, len(ends), np.int64)
    first[cell[ends]] = label
    number = np.empty(n_cells, np.int64)
    number[np.argsort(first, kind="stable")] = np.arange(n_cells)
    return number[cell], number


def _forwards(fabric: Fabric, node: Ints, n_cells: int) -> Bools:
    out = np.zeros(n_cells, np.bool_)
    out[node] = fabric.forwards
    return out


def _inverse(values: Floats) -> Floats:
    """1 / values; infinite for 0."""
    with np.errstate(divide="ignore"):
        return np.asarray(1.0 / values)


def ordinals(key: Ints) -> Ints:
    """Place of each entry among those of the same key, 0 for the first."""
    order = np.argsort(key, kind="stable")
    starts = np.diff(key[order], prepend=-1) != 0
    rows = np.arange(len(key))
    out = np.empty(len(key), np.int64)
    out[order] = rows - np.maximum.accumulate(np.where(starts, rows, 0))
    return out
