"""Loads of a symmetric network from one node of each cell of nodes that carry equal loads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Bools, Floats, Ints
from ..kernels.class_loads import class_loads
from ..kernels.equal_cells import Bundles, bundle_arcs, equal_cells
from ..kernels.graph import Destinations, UsableArcs
from .twin_nodes import arcs_of, equal_rows
from .walk import REL_TOLERANCE

MAX_CELLS_RATIO = 0.75
"""Cells over nodes, above which the whole network is routed."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells as a network of their first nodes, with the same numbers; the other nodes have no arcs there.

    The nodes of a cell have equal arcs to and from nodes of equal cells, and no demands if there are several. So they
    are equally far from each destination and divide equal flows equally. An arc between two cells stands for all equal
    ones: its share is their sum at one node.
    """

    arcs: UsableArcs
    by_hops: bool
    arc: Ints
    """Arc between cells for each arc of the network, int64[n_arcs]."""
    part_ratio: Floats
    """Part of its load that each arc carries, float64[n_arcs]."""

    @classmethod
    def of(cls, arcs: UsableArcs, by_hops: bool, is_end: Bools) -> Cells | None:
        """Find the cells of a network; None where there are too many of them.

        Args:
            arcs: arcs that carry traffic.
            by_hops: whether all weights are 1.
            is_end: nodes with demands, bool[n_nodes].
        """
        n_nodes, n_arcs = len(arcs.forwards), len(arcs.head)
        if n_arcs == 0 or is_end.mean() > MAX_CELLS_RATIO:
            return None
        cell, word = np.empty(n_nodes, np.uint32), np.random.default_rng(0).integers(1 << 43, 1 << 44, n_nodes)
        if equal_cells(arcs, is_end, word, _factors(arcs), cell) > MAX_CELLS_RATIO * n_nodes:
            return None
        # numpy sorts integers of 16 bits by radix
        order = np.argsort(cell.astype(np.uint16) if n_nodes < 1 << 16 else cell, kind="stable")
        out = _room(n_nodes, n_arcs)
        if not bundle_arcs(arcs, cell, order, out, _room(n_nodes, n_arcs)):
            return None
        n = int(out.n[0])
        tail = np.empty(n, np.uint32)
        tail[out.of] = cell[arcs.tail]
        order = np.lexsort((out.cell[:n], tail))
        size = np.bincount(cell, minlength=n_nodes)
        share = out.share[:n] * out.n_arcs[:n]
        number = np.empty(n, np.int64)
        number[order] = np.arange(n)
        per_cell = arcs_of(tail[order], out.cell[:n][order], out.weight[:n][order], share[order], arcs.forwards)
        return cls(per_cell, by_hops, number[out.of], (1.0 / (out.n_arcs[:n] * size[tail]))[out.of])

    def loads(self, destinations: Destinations) -> tuple[Floats, float]:
        """Route all demands.

        Returns:
            Load of each arc of the network, float64[n_arcs] in Gb/s, and the demand without a path.
        """
        load, lost_gbps = routed_loads(self.arcs, self.by_hops, destinations)
        return load[self.arc] * self.part_ratio, lost_gbps


def routed_loads(arcs: UsableArcs, by_hops: bool, destinations: Destinations) -> tuple[Floats, float]:
    """Route all demands over the whole network; returns as `Cells.loads`."""
    load = np.zeros(len(arcs.head))
    lost_gbps = class_loads(
        arcs,
        by_hops,
        destinations,
        REL_TOLERANCE,
        False,
        np.empty((0, 0)),
        np.empty((0, 0), np.int32),
        np.empty(len(destinations.class_first) - 1, np.bool_),
        np.zeros((len(arcs.forwards), int(np.diff(destinations.class_first).max(initial=0)))),
        load,
    )
    return load, lost_gbps


def _factors(arcs: UsableArcs) -> Ints:
    """Return a random number below 2^31 for the weight and share of each arc; none where all are equal."""
    if (arcs.weight == arcs.weight[0]).all() and (arcs.share == arcs.share[0]).all():
        return np.zeros(0, np.int64)
    kind = equal_rows(np.stack((arcs.weight.view(np.int64), arcs.share.view(np.int64)), axis=1))
    return np.random.default_rng(1).integers(1 << 30, 1 << 31, int(kind.max()) + 1)[kind]


def _room(n_nodes: int, n_arcs: int) -> Bundles:
    return Bundles(
        n=np.zeros(1, np.int64),
        cell=np.empty(n_arcs, np.uint32),
        weight=np.empty(n_arcs),
        share=np.empty(n_arcs),
        n_arcs=np.empty(n_arcs, np.int64),
        n_found=np.empty(n_arcs, np.int64),
        before=np.empty(n_arcs, np.int64),
        latest=np.full(n_nodes, -1, np.int64),
        of=np.empty(n_arcs, np.int64),
    )
