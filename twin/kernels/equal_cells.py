"""Cells of nodes that carry equal loads: the coarsest equitable partition with each end point in a cell of its own."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twin.kernels.graph import UsableArcs
from twin.kernels.jit import inner_kernel, kernel, scratch_kernel


class Bundles(NamedTuple):
    """Arcs of equal weight and share from the first node of a cell to the nodes of another one, as one.

    n: int64[1], number in use.
    cell: uint32[any], the cell that a bundle leads to, or comes from.
    weight: float64[any].
    share: float64[any], of each arc.
    n_arcs: int64[any], arcs at the first node of the cell.
    n_found: int64[any], arcs at another node; 0 between nodes.
    before: int64[any], another bundle of the same two cells; -1 for none.
    latest: int64[n_nodes], the latest bundle with each cell; -1 between cells.
    of: int64[n_arcs], the bundle of each arc.
    """

    n: npt.NDArray[np.int64]
    cell: npt.NDArray[np.uint32]
    weight: npt.NDArray[np.float64]
    share: npt.NDArray[np.float64]
    n_arcs: npt.NDArray[np.int64]
    n_found: npt.NDArray[np.int64]
    before: npt.NDArray[np.int64]
    latest: npt.NDArray[np.int64]
    of: npt.NDArray[np.int64]


@kernel
def equal_cells(
    arcs: UsableArcs,
    is_end: npt.NDArray[np.bool_],
    word: npt.NDArray[np.int64],
    factor: npt.NDArray[np.int64],
    out_cell: npt.NDArray[np.uint32],
) -> int:
    """Put nodes into cells that may be equal: their arcs lead to and come from equal cells, by sums of random numbers.

    Args:
        arcs: arcs that carry traffic.
        is_end: bool[n_nodes], nodes with demands; each is a cell by itself.
        word: int64[n_nodes], random numbers below 2^44, so that no sum overflows.
        factor: int64[n_arcs], random numbers below 2^31, one for each weight and share; empty where all arcs are equal.
        out_cell: uint32[n_nodes], overwritten: the least node of each cell.

    Returns:
        The number of cells. Sums may agree by chance: `bundle_arcs` tells.

    Source:
        Colour refinement, Weisfeiler and Leman (1968).
    """
    n_nodes = arcs.first.size - 1
    n_slots = 4
    while n_slots < 2 * n_nodes:
        n_slots *= 2
    slot, before = np.empty(n_slots, np.int64), np.empty(n_nodes, np.uint32)
    out, into = np.zeros(n_nodes, np.int64), np.zeros(n_nodes, np.int64)
    for node in range(n_nodes):
        before[node] = node if is_end[node] else 0
        out[node], into[node] = is_end[node], arcs.forwards[node]
    n_cells = _cells(before, out, into, slot, out_cell)
    while True:
        before[:] = out_cell
        for node in range(n_nodes):
            if not is_end[node]:
                out[node], into[node] = _sums(arcs, before, word, factor, node)
        n = _cells(before, out, into, slot, out_cell)
        if n == n_cells:
            return n
        n_cells = n


@inner_kernel
def _sums(
    arcs: UsableArcs,
    cell: npt.NDArray[np.uint32],
    word: npt.NDArray[np.int64],
    factor: npt.NDArray[np.int64],
    node: int,
) -> tuple[int, int]:
    """Return the sums over arcs that leave and enter a node of a number for the arc and its other end."""
    out, into = 0, 0
    if factor.size == 0:
        for arc in range(arcs.first[node], arcs.first[node + 1]):
            out += word[cell[arcs.head[arc]]]
        for k in range(arcs.in_first[node], arcs.in_first[node + 1]):
            into += word[cell[arcs.tail[arcs.in_arc[k]]]]
    else:
        for arc in range(arcs.first[node], arcs.first[node + 1]):
            out += ((word[cell[arcs.head[arc]]] >> 13) * factor[arc]) >> 18
        for k in range(arcs.in_first[node], arcs.in_first[node + 1]):
            into += ((word[cell[arcs.tail[arcs.in_arc[k]]]] >> 13) * factor[arcs.in_arc[k]]) >> 18
    return out, into


@scratch_kernel
def _cells(
    before: npt.NDArray[np.uint32],
    out: npt.NDArray[np.int64],
    into: npt.NDArray[np.int64],
    slot: npt.NDArray[np.int64],
    out_cell: npt.NDArray[np.uint32],
) -> int:
    """Find the least node with equal entries in three lists, in a hash table; returns the number of different ones."""
    slot[:] = -1
    n = 0
    for node in range(before.size):
        key = out[node] ^ (into[node] >> 1) ^ (np.int64(before[node]) << 5)
        place = (key ^ (key >> 15) ^ (key >> 31)) & (slot.size - 1)
        while slot[place] >= 0:
            other = slot[place]
            if before[other] == before[node] and out[other] == out[node] and into[other] == into[node]:
                break
            place = (place + 1) & (slot.size - 1)
        if slot[place] < 0:
            slot[place] = node
            n += 1
        out_cell[node] = slot[place]
    return n


@scratch_kernel
def bundle_arcs(
    arcs: UsableArcs,
    cell: npt.NDArray[np.uint32],
    node: npt.NDArray[np.int64],
    out_out: Bundles,
    out_into: Bundles,
) -> bool:
    """Bundle the arcs of each cell, and compare those of all its nodes one by one, in both directions.

    Args:
        arcs: arcs that carry traffic.
        cell: uint32[n_nodes], as by `equal_cells`.
        node: int64[n_nodes], the nodes, those of a cell beside each other, its first node first.
        out_out: bundles of the arcs that leave cells, in the order of `node`.
        out_into: bundles of those that lead to cells.

    Returns:
        Whether all nodes of each cell have equal arcs to and from nodes of equal cells.
    """
    done = 0
    while done < node.size:
        end, first_out, first_into = done + 1, out_out.n[0], out_into.n[0]
        while end < node.size and cell[node[end]] == cell[node[done]]:
            end += 1
        for i in range(done, end):
            v = node[i]
            n_new, n_new_into = out_out.n[0], out_into.n[0]
            for arc in range(arcs.first[v], arcs.first[v + 1]):
                _count(arc, cell[arcs.head[arc]], arcs.weight[arc], arcs.share[arc], out_out)
            for k in range(arcs.in_first[v], arcs.in_first[v + 1]):
                arc = arcs.in_arc[k]
                _count(arc, cell[arcs.tail[arc]], arcs.weight[arc], arcs.share[arc], out_into)
            is_equal = arcs.forwards[v] == arcs.forwards[node[done]]
            is_equal = is_equal and _close(out_out, first_out, n_new, i == done)
            is_equal = is_equal and _close(out_into, first_into, n_new_into, i == done)
            if not is_equal:
                return False
        for bundles, first in ((out_out, first_out), (out_into, first_into)):
            for b in range(first, bundles.n[0]):
                bundles.latest[bundles.cell[b]] = -1
        done = end
    return True


@inner_kernel
def _count(arc: int, cell: int, weight: float, share: float, bundles: Bundles) -> None:
    """Count an arc to its bundle; make one if there is none."""
    b = bundles.latest[cell]
    while b >= 0 and not (bundles.weight[b] == weight and bundles.share[b] == share):
        b = bundles.before[b]
    if b < 0:
        b = bundles.n[0]
        bundles.n[0] += 1
        bundles.cell[b], bundles.weight[b], bundles.share[b], bundles.n_found[b] = cell, weight, share, 0
        bundles.before[b], bundles.latest[cell] = bundles.latest[cell], b
    bundles.n_found[b] += 1
    bundles.of[arc] = b


@inner_kernel
def _close(bundles: Bundles, first: int, n_before: int, is_first: bool) -> bool:
    """Return whether a node has as many arcs in each bundle as the first of its cell, and no other ones."""
    is_equal = is_first or bundles.n[0] == n_before
    for b in range(first, bundles.n[0]):
        if is_first:
            bundles.n_arcs[b] = bundles.n_found[b]
        is_equal = is_equal and bundles.n_arcs[b] == bundles.n_found[b]
        bundles.n_found[b] = 0
    return is_equal
