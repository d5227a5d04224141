"""Sweep of pairs of failures that computes each second failure in the state after the first."""

from __future__ import annotations

import numpy as np

from ..arrays import Ints
from ..kernels.pair_sweep import Singles, fail_singles, sweep_pairs
from ..kernels.reroute import Room
from ..traffic.walk import REL_TOLERANCE
from .kinds import Kind
from .pairs import PairFailures
from .routing_tables import MIN_CLASSES_RATIO
from .scratch import failed_nodes
from .sweep import Sweep

MIN_PAIRS_PER_SINGLE = 4
"""Pairs for each single failure from which states are worth their time."""
MAX_STATE_BYTES = 500_000_000
"""Most memory for what is kept of single failures."""
FIRST_ENTRIES = 32
"""Changes for each failure and destination, for which there is room at first."""
BYTES_PER_ENTRY = 32
"""Bytes of one change: a node with its distance and flow, and an arc with the change of its load."""


class PairSweep(Sweep):
    """Pairs of failures. Without destinations that are twins, single failures are computed and kept first."""

    def __init__(self, kind: PairFailures) -> None:
        """Route the intact network, and compute the single failures.

        Raises:
            TopologyError: the routing tables would be too large.
        """
        super().__init__(kind, uses_symmetry=False)
        self._pairs = kind.first, kind.second
        self._of_single = kind.single.classes(self._reduced).failures
        self._singles = self._fail_singles()

    def _fail_singles(self) -> Singles | None:
        """Compute the single failures; None where pairs are computed as well or better one by one."""
        tables = self._tables
        n_destinations, n_nodes = tables.distance.shape
        n, n_words, n_arcs = len(self._of_single.first) - 1, (n_nodes + 63) // 64, len(tables.load)
        n_bytes = 8 * n * ((2 * n_destinations + 1) * n_words + 5 * n_destinations + n_arcs)
        n_classes = len(self._reduced.destinations.class_first) - 1
        has_twins = n_classes < MIN_CLASSES_RATIO * n_destinations
        if len(self._pairs[0]) < MIN_PAIRS_PER_SINGLE * n or has_twins or n_bytes > MAX_STATE_BYTES:
            return None
        most = (MAX_STATE_BYTES - n_bytes) // BYTES_PER_ENTRY
        n_entries = min(most, FIRST_ENTRIES * n * n_destinations)
        while True:
            singles = _empty(n, n_destinations, n_words, n_arcs, n_entries)
            if fail_singles(
                self._reduced.arcs, tables, self._of_single, REL_TOLERANCE, _room(n_nodes, n_arcs), singles
            ):
                return singles
            if n_entries == most:
                return None
            n_entries = min(most, 4 * n_entries)

    def _compute(self, begin: int, end: int, step: int, greatest: Ints, cause: Ints) -> None:
        if self._singles is None:
            super()._compute(begin, end, step, greatest, cause)
            return
        sweep_pairs(
            self._reduced.arcs,
            self._tables,
            self._of_single,
            self._singles,
            self._pairs,
            begin,
            end,
            step,
            REL_TOLERANCE,
            self._least_gbps,
            self._reduced.per_gbps,
            _room(self._tables.distance.shape[1], len(self._tables.load)),
            self._lost_gbps,
            self._n_lost,
            self._ratio,
            self._arc,
            greatest,
            cause,
        )


def sweep_of(kind: Kind) -> Sweep:
    """Return the sweep of single failures or of pairs."""
    return PairSweep(kind) if isinstance(kind, PairFailures) else Sweep(kind)


def _empty(n: int, n_destinations: int, n_words: int, n_arcs: int, n_entries: int) -> Singles:
    return Singles(
        ends=np.zeros((n, n_words), np.uint64),
        split=np.zeros((n, n_destinations, n_words), np.uint64),
        touched=np.zeros((n, n_destinations, n_words), np.uint64),
        n_split=np.zeros((n, n_destinations), np.int64),
        lost_gbps=np.zeros((n, n_destinations)),
        n_lost=np.zeros((n, n_destinations), np.int64),
        change=np.zeros((n, n_arcs)),
        first_node=np.zeros(n * n_destinations + 1, np.int64),
        node=np.empty(n_entries, np.uint32),
        distance=np.empty(n_entries),
        flow=np.empty(n_entries),
        first_arc=np.zeros(n * n_destinations + 1, np.int64),
        arc=np.empty(n_entries, np.uint32),
        delta=np.empty(n_entries),
    )


def _room(n_nodes: int, n_arcs: int) -> Room:
    return Room(
        before=np.ones(n_arcs),
        nodes=failed_nodes(n_nodes, n_arcs),
        pending=np.zeros(n_nodes),
        waits=np.zeros(n_nodes, np.bool_),
        touched=np.empty(n_nodes, np.uint32),
        delta=np.zeros(n_arcs),
        is_changed=np.zeros(n_arcs, np.bool_),
        changed=np.empty(n_arcs, np.uint32),
        n=np.zeros(5, np.int64),
        distance=np.empty(n_nodes),
        flow=np.empty(n_nodes),
        load=np.empty(n_arcs),
    )
