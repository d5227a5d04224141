"""Sweep of failures: what each loses, and the greatest load of each arc with the failure that causes it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ..arrays import Bools, Floats, Ints
from ..errors import TopologyError
from ..kernels.failure_sweep import sweep_failures
from ..traffic.walk import REL_TOLERANCE
from .kinds import Kind, Seen
from .places import Anchor, Places
from .reduced import Reduced, reduce_fabric
from .routing_tables import routing_tables, table_bytes
from .scratch import scratch_for
from .symmetry import find_symmetry, no_symmetry

MAX_BYTES = 2_000_000_000
"""Most memory for routing tables."""
NOISE_RATIO = 2.0**-46
"""Loads up to this share of all demands are rounding noise."""
SWEEP_BITS = 10
"""Last bits of a load that do not count where loads after failures are compared; as in `kernels/failure_sweep.py`."""
EXPAND_BITS = 13
"""Last bits that do not count where the loads of equal places are compared."""


@dataclass(frozen=True, eq=False)
class FailureLoads:
    """Answers of a sweep. Failures are numbered as given, arcs are 2 * link + direction."""

    lost_gbps: Floats
    """Demand that loses its path, its own end points included; float64[n_failures]."""
    n_lost: Ints
    """Number of demands that do."""
    worst_ratio: Floats
    """Greatest load over capacity of an arc, after the failure; float64[n_failures]."""
    worst_arc: Ints
    """Arc with it, one of those that are equal; int64[n_failures], -1 without load."""
    intact_gbps: Floats
    """Load of each arc without a failure, float64[2 * n_links]."""
    greatest_gbps: Floats
    """Greatest load of each arc over all failures and the intact network. Of an arc that lost members it is the load
    that would use its whole capacity as much."""
    cause: Ints
    """The failure with that load, the first of equal ones; int64[2 * n_links], -1 where the intact network has it."""
    class_of: Ints
    """Class of each failure; those of a class have equal places. int64[n_failures]."""
    model: Ints
    """The failure that was computed for each class, int64[n_classes]."""
    is_idle: Bools
    """Classes whose arcs carry nothing without a failure, so that nothing changes; bool[n_classes]."""


class Sweep:
    """Failures of one kind on one network; `run` computes some of them, `loads` returns the answers."""

    def __init__(self, kind: Kind, *, uses_symmetry: bool = True) -> None:
        """Route the intact network, and merge equal places.

        Args:
            kind: the failures, with the network.
            uses_symmetry: False = compute each failure by itself.

        Raises:
            TopologyError: the routing tables would be larger than `MAX_BYTES`.
        """
        self._kind, fabric = kind, kind.fabric
        symmetry = find_symmetry(fabric, kind.apart) if uses_symmetry else no_symmetry(fabric)
        self._reduced = reduce_fabric(fabric, symmetry)
        self._classes = kind.classes(self._reduced)
        _check_size(self._reduced)
        self._tables = routing_tables(self._reduced.arcs, fabric.by_hops, self._reduced.destinations)
        n, n_arcs = self.n_classes, len(self._reduced.arcs.head)
        self._lost_gbps, self._n_lost = np.zeros(n), np.zeros(n, np.int64)
        self._ratio, self._arc = np.zeros(n), np.full(n, -1, np.int64)
        self._least_gbps = float(fabric.offered_gbps.sum()) * NOISE_RATIO
        self._greatest = rounded_bits(np.maximum(self._tables.load, self._least_gbps), SWEEP_BITS)
        self._cause = np.full(n_arcs, -1, np.int64)
        intact_ratio = np.where(self._tables.load > self._least_gbps, self._tables.load * self._reduced.per_gbps, 0.0)
        order = np.lexsort((-intact_ratio, self._reduced.arcs.tail))
        first = order[np.diff(self._reduced.arcs.tail[order].astype(np.int64), prepend=-1) > 0]
        self._fullest_arc = first[np.argsort(-intact_ratio[first], kind="stable")]

    @property
    def n_classes(self) -> int:
        """Failures to compute, one of each class."""
        return len(self._classes.model)

    def run(self, begin: int, end: int, pool: ThreadPoolExecutor | None = None, n_threads: int = 1) -> None:
        """Compute the classes begin:end, ascending from call to call; the answers do not depend on batches or threads.

        Args:
            begin: the first class.
            end: the class behind the last.
            pool: threads; None = this thread alone.
            n_threads: threads that share the work.
        """
        if pool is None or n_threads == 1:
            self._sweep(begin, end, 1, self._greatest, self._cause)
            return
        parts = [(self._greatest.copy(), np.full(len(self._cause), -1, np.int64)) for _ in range(n_threads)]
        jobs = [pool.submit(self._sweep, begin + i, end, n_threads, *part) for i, part in enumerate(parts)]
        for job in jobs:
            job.result()
        for greatest, cause in parts:
            more = greatest > self._greatest
            earlier = (greatest == self._greatest) & (cause >= 0) & (cause < self._cause)
            self._greatest[more] = greatest[more]
            self._cause[more | earlier] = cause[more | earlier]

    def _sweep(self, begin: int, end: int, step: int, greatest: Ints, cause: Ints) -> None:
        sweep_failures(
            self._reduced.arcs,
            self._reduced.destinations,
            self._tables,
            self._classes.failures,
            begin,
            end,
            step,
            REL_TOLERANCE,
            self._least_gbps,
            self._reduced.per_gbps,
            self._fullest_arc,
            scratch_for(self._tables, int(np.diff(self._reduced.destinations.class_first).max(initial=1))),
            self._lost_gbps,
            self._n_lost,
            self._ratio,
            self._arc,
            greatest,
            cause,
        )

    def loads(self) -> FailureLoads:
        """Return the answers for all failures and arcs, those of equal places included."""
        reduced, of = self._reduced, self._classes.of
        intact_gbps = (self._tables.load / reduced.n_merged)[reduced.arc]
        greatest_gbps = from_rounded_bits(self._greatest, SWEEP_BITS)
        greatest_gbps = np.where(self._cause < 0, self._tables.load, greatest_gbps) / reduced.n_merged
        rounded = rounded_bits(greatest_gbps, EXPAND_BITS)
        value = np.where(reduced.related >= 0, rounded[reduced.related], -1)
        best = value.argmax(axis=0)
        arcs = np.arange(len(best))
        cause = self._causes(value == value[best, arcs])
        worst_gbps = np.where(cause < 0, intact_gbps, greatest_gbps[reduced.related[best, arcs]][reduced.place])
        return FailureLoads(
            lost_gbps=self._lost_gbps[of],
            n_lost=self._n_lost[of],
            worst_ratio=self._ratio[of],
            worst_arc=self._worst_arcs(),
            intact_gbps=intact_gbps,
            greatest_gbps=worst_gbps,
            cause=cause,
            class_of=of,
            model=self._classes.model,
            is_idle=self._is_idle(),
        )

    def _is_idle(self) -> Bools:
        failures = self._classes.failures
        is_loaded = self._tables.load[failures.arc] > self._least_gbps
        of_class = np.repeat(np.arange(self.n_classes), np.diff(failures.first))
        return np.asarray(np.bincount(of_class[is_loaded], minlength=self.n_classes) == 0)

    def _causes(self, has_greatest: Bools) -> Ints:
        """Find the first failure with the greatest load of each arc; -1 where the intact network has it.

        Args:
            has_greatest: whether the related arc has the greatest load, bool[N_RELATIONS, n_places].
        """
        reduced, places = self._reduced, Places(self._reduced.symmetry)
        none = len(self._classes.of)
        cause = np.full(len(reduced.arc), none)
        for relation in range(len(has_greatest)):
            rows = np.flatnonzero(has_greatest[relation][reduced.place] & (cause >= 0))
            found = self._cause[reduced.related[relation, reduced.place[rows]]]
            cause[rows[found < 0]] = -1
            rows, model = rows[found >= 0], self._classes.model[found[found >= 0]]
            beside = self._kind.beside(Seen(reduced, places, rows, model, relation))
            cause[rows] = np.minimum(cause[rows], beside)
        return cause

    def _worst_arcs(self) -> Ints:
        """Find an arc with the greatest utilisation after each failure; -1 without load."""
        reduced, symmetry, fabric = self._reduced, self._reduced.symmetry, self._kind.fabric
        merged_arc = self._arc[self._classes.of]
        rows = np.flatnonzero(merged_arc >= 0)
        arc = reduced.first_arc[merged_arc[rows]]
        nodes = [node[rows] for node in self._kind.anchors]
        out = np.full(len(merged_arc), -1)
        if nodes and len(rows):
            places, ends = Places(symmetry), []
            for end in (fabric.tail[arc], fabric.head[arc]):
                anchors = [Anchor(node, symmetry.is_other_twin[end]) for node in nodes]
                ends.append(places.near(symmetry.canonical[end], symmetry.in_other_part[end], anchors))
            arc = reduced.index.find(ends[0], ends[1], arc)
        out[rows] = arc
        return out


def _check_size(reduced: Reduced) -> None:
    n_nodes, n_destinations = len(reduced.arcs.forwards), len(reduced.destinations.node)
    n_bytes = table_bytes(n_nodes, n_destinations)
    if n_bytes > MAX_BYTES:
        raise TopologyError(
            f"routes of {n_nodes:,} nodes to {n_destinations:,} destinations need {n_bytes / 1e9:.1f} GB",
            where="demands",
            expected=f"at most {MAX_BYTES / 1e9:g} GB",
            hint="fewer destinations: let demands enter and leave at leaves, or leave some out",
        )


def rounded_bits(values: Floats, n_bits: int) -> Ints:
    """Return the bits of numbers >= 0 without the last ones, rounded; they have the order of the numbers."""
    return (values.view(np.int64) + (1 << n_bits - 1)) >> n_bits


def from_rounded_bits(bits: Ints, n_bits: int) -> Floats:
    """Return the numbers with these bits, and zeros as the last ones."""
    return (bits << n_bits).view(np.float64)
