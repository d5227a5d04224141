"""Walks of single pairs over their shortest paths."""

from __future__ import annotations

import numpy as np

from ..arrays import Bools, Floats, Ints, State
from ..kernels.ecmp import prune_trace, trace_pair

REL_TOLERANCE = 1e-12
"""Path weights that differ by less are equal cost; this covers rounding in sums of decimal weights."""


class Walk:
    """Traces of single pairs with one set of scratch arrays."""

    def __init__(self, state: State, weight: Floats, usable: Bools, share: Floats) -> None:
        self._graph, self._weight, self._usable, self._share = state.graph, weight, usable, share
        self._node_flow, self._heap = np.zeros((state.n_nodes, 2)), np.zeros(state.n_nodes, dtype=np.int64)
        self._out_arc, self._out_fraction = np.empty(4096, np.int64), np.empty(4096)

    def trace(self, distance: Floats, source: int) -> tuple[Ints, Floats]:
        """Return the arcs of one unit from the source to the destination of `distance`, and their fractions."""
        while True:
            n = trace_pair(
                self._graph,
                self._weight,
                self._usable,
                self._share,
                distance,
                source,
                REL_TOLERANCE,
                self._node_flow,
                self._heap,
                self._out_arc,
                self._out_fraction,
            )
            if n >= 0:
                return self._out_arc[:n].copy(), self._out_fraction[:n].copy()
            self._out_arc, self._out_fraction = np.empty(-2 * n, np.int64), np.empty(-2 * n)

    def pruned(self, arc: Ints, fraction: Floats, hops_before: Floats, hops: Floats) -> tuple[Ints, Floats] | None:
        """Return the trace of a pair from that before links failed or shares changed; None where it must be found anew.

        Args:
            arc: arcs of the pair before, int64[n].
            fraction: part of its traffic on each, float64[n].
            hops_before: hops of each node to the destination before, float64[n_nodes].
            hops: hops now, nowhere less, float64[n_nodes].
        """
        out_arc, out_fraction = np.empty(len(arc), np.int64), np.empty(len(arc))
        n = prune_trace(
            arc,
            fraction,
            self._graph.head,
            self._usable,
            self._share,
            hops_before,
            hops,
            self._node_flow,
            out_arc,
            out_fraction,
        )
        return None if n < 0 else (out_arc[:n].copy(), out_fraction[:n].copy())
