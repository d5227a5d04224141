"""Sweep of failures: what each loses, and the greatest load of each arc with the failure that causes it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import NamedTuple

import numpy as np

from ..arrays import Bools, Floats, Ints
from ..errors import TopologyError
from ..kernels.failure_sweep import sweep_failures
from ..kernels.plain_sweep import sweep_plain
from ..traffic.walk import REL_TOLERANCE
from .kinds import Kind, Seen
from .places import Anchor, Places
from .reduced import Reduced, reduce_fabric
from .routing_tables import routing_tables, single_hops, table_bytes
from .scratch import plain_room, scratch_for
from .streams import streams_of
from .symmetry import find_symmetry, no_symmetry

MAX_BYTES = 4_000_000_000
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


class Part(NamedTuple):
    """Answers to some classes, and the greatest load of each arc among them."""

    begin: int
    end: int
    step: int
    """The classes begin, begin + step, ... below `end`."""
    lost_gbps: Floats
    n_lost: Ints
    ratio: Floats
    arc: Ints
    """Lists by class: lost demand, number of lost demands, greatest utilisation, arc with it; all of length n."""
    greatest: Ints
    """Rounded bits of the greatest load of each arc, the intact network included, int64[n_arcs]."""
    cause: Ints
    """First class with that load, int64[n_arcs]; -1 for the intact network."""


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
        self._hop = single_hops(self._tables)
        if self._hop is None:
            self._streams = streams_of(self._reduced.arcs, self._reduced.destinations, self._tables)
        n = self.n_classes
        self._lost_gbps, self._n_lost = np.zeros(n), np.zeros(n, np.int64)
        self._ratio, self._arc = np.zeros(n), np.full(n, -1, np.int64)
        self.is_done = np.zeros(n, np.bool_)
        """Classes that are computed, bool[n_classes]."""
        self._least_gbps = float(fabric.offered_gbps.sum()) * NOISE_RATIO
        self._worst = self._intact_worst()
        intact_ratio = np.where(self._tables.load > self._least_gbps, self._tables.load * self._reduced.per_gbps, 0.0)
        order = np.lexsort((-intact_ratio, self._reduced.arcs.tail))
        first = order[np.diff(self._reduced.arcs.tail[order].astype(np.int64), prepend=-1) > 0]
        self._fullest_arc = first[np.argsort(-intact_ratio[first], kind="stable")]

    @property
    def n_classes(self) -> int:
        """Failures to compute, one of each class."""
        return len(self._classes.model)

    def run(self, begin: int, end: int, pool: ThreadPoolExecutor | None = None, n_threads: int = 1) -> None:
        """Compute the classes begin:end; the answers do not depend on batches, their order or threads.

        Args:
            begin: the first class.
            end: the class behind the last.
            pool: threads; None = this thread alone.
            n_threads: threads that share the work.
        """
        if pool is None or n_threads == 1:
            self.take(self.part(begin, end))
            return
        for job in [pool.submit(self.part, begin + i, end, n_threads) for i in range(n_threads)]:
            self.take(job.result())

    def part(self, begin: int, end: int, step: int = 1) -> Part:
        """Compute the classes begin, begin + step, ... below `end`. The sweep does not count them as done."""
        rows = slice(begin, end, step)
        greatest, cause = self._intact_worst()
        self._compute(begin, end, step, greatest, cause)
        return Part(
            begin,
            end,
            step,
            self._lost_gbps[rows].copy(),
            self._n_lost[rows].copy(),
            self._ratio[rows].copy(),
            self._arc[rows].copy(),
            greatest,
            cause,
        )

    def _compute(self, begin: int, end: int, step: int, greatest: Ints, cause: Ints) -> None:
        """Compute some classes, and update the greatest loads and their causes."""
        if self._hop is not None:
            sweep_plain(
                self._reduced.arcs,
                self._tables,
                self._hop,
                self._classes.failures,
                begin,
                end,
                step,
                REL_TOLERANCE,
                self._least_gbps,
                self._reduced.per_gbps,
                plain_room(self._tables),
                self._lost_gbps,
                self._n_lost,
                self._ratio,
                self._arc,
                greatest,
                cause,
            )
            return
        sweep_failures(
            self._reduced.arcs,
            self._reduced.destinations,
            self._tables,
            self._streams,
            self._classes.failures,
            begin,
            end,
            step,
            REL_TOLERANCE,
            self._least_gbps,
            self._reduced.per_gbps,
            self._fullest_arc,
            scratch_for(
                self._tables, self._streams, int(np.diff(self._reduced.destinations.class_first).max(initial=1))
            ),
            self._lost_gbps,
            self._n_lost,
            self._ratio,
            self._arc,
            greatest,
            cause,
        )

    def take(self, part: Part) -> None:
        """Take over answers that `part` of an equal sweep has computed, in any order."""
        rows = slice(part.begin, part.end, part.step)
        self._lost_gbps[rows], self._n_lost[rows] = part.lost_gbps, part.n_lost
        self._ratio[rows], self._arc[rows] = part.ratio, part.arc
        greatest, cause = self._worst
        more = part.greatest > greatest
        earlier = (part.greatest == greatest) & (part.cause >= 0) & (part.cause < cause)
        # one assignment: an interrupt leaves both as they were, or both new
        self._worst = np.where(more, part.greatest, greatest), np.where(more | earlier, part.cause, cause)
        self.is_done[rows] = True

    def _intact_worst(self) -> tuple[Ints, Ints]:
        """Return greatest loads and causes before any failure."""
        greatest = rounded_bits(np.maximum(self._tables.load, self._least_gbps), SWEEP_BITS)
        return greatest, np.full(len(greatest), -1, np.int64)

    def columns(self) -> dict[str, np.ndarray]:
        """Return the answers so far as arrays, for `restore`."""
        greatest, cause = self._worst
        return {
            "lost_gbps": self._lost_gbps,
            "n_lost": self._n_lost,
            "ratio": self._ratio,
            "arc": self._arc,
            "is_done": self.is_done,
            "greatest": greatest,
            "cause": cause,
        }

    def restore(self, columns: Mapping[str, np.ndarray]) -> None:
        """Begin from the answers of an equal sweep."""
        for name, column in self.columns().items():
            column[:] = columns[name]

    def digest(self) -> str:
        """Return a digest of everything that the answers depend on."""
        total = sha256()
        fabric = self._kind.fabric
        for values in (*(getattr(fabric, field.name) for field in fields(fabric)), *self._classes.failures):
            total.update(f"{values.dtype} {values.shape} ".encode())
            total.update(np.ascontiguousarray(values).tobytes())
        return total.hexdigest()

    def loads(self) -> FailureLoads:
        """Return the answers for all failures and arcs, those of equal places included."""
        reduced, of = self._reduced, self._classes.of
        intact_gbps = (self._tables.load / reduced.n_merged)[reduced.arc]
        greatest_gbps = from_rounded_bits(self._worst[0], SWEEP_BITS)
        greatest_gbps = np.where(self._worst[1] < 0, self._tables.load, greatest_gbps) / reduced.n_merged
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
            found = self._worst[1][reduced.related[relation, reduced.place[rows]]]
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
