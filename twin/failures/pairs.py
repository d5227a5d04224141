"""Pairs of failures of one kind: two of them at the same time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Floats, Ints
from ..kernels.graph import Failures
from .fabric import Fabric
from .kinds import Classes, Kind, Seen
from .reduced import Reduced


@dataclass(frozen=True, eq=False)
class PairFailures:
    """Pairs of failures. No pair is taken as equal to another one: each is computed on the whole network."""

    single: Kind
    """Failures of which two happen at the same time."""
    first: Ints
    """int64[n_pairs]."""
    second: Ints
    """Another failure, int64[n_pairs]."""

    @property
    def fabric(self) -> Fabric:
        """The network."""
        return self.single.fabric

    @property
    def apart(self) -> Ints:
        """All nodes."""
        return np.arange(self.fabric.n_nodes)

    @property
    def anchors(self) -> list[Ints]:
        """None."""
        return []

    def classes(self, reduced: Reduced) -> Classes:
        """Compute every pair. An arc of both failures fails as a whole, since only whole failures share arcs."""
        one = self.single.classes(reduced)
        assert len(one.model) == len(one.of), "the network must not be reduced"
        own = np.arange(len(self.first))
        return Classes(own, own, joined(one.failures, self.first, self.second))

    def beside(self, seen: Seen) -> Ints:
        """Return the pairs themselves."""
        return seen.model

    def kept_ratio(self, failure: int) -> Floats:
        """Compute what both leave."""
        first, second = (self.single.kept_ratio(int(one[failure])) for one in (self.first, self.second))
        return np.minimum(first, second)

    def left_ratio(self, failures: Ints, links: Ints) -> Floats:
        """Compute what both leave."""
        first, second = (self.single.left_ratio(one[failures], links) for one in (self.first, self.second))
        return np.minimum(first, second)


def n_pairs(n: int) -> int:
    """Return the number of pairs of n failures."""
    return n * (n - 1) // 2


def all_pairs(n: int) -> tuple[Ints, Ints]:
    """Return the first and the second failure of every pair, in their order."""
    first, second = np.triu_indices(n, 1)
    return first.astype(np.int64), second.astype(np.int64)


def sampled_pairs(n: int, n_sampled: int, seed: int) -> tuple[Ints, Ints]:
    """Draw pairs of n failures without replacement, each with the same probability.

    Args:
        n: number of failures.
        n_sampled: pairs to draw; all of them where there are no more.
        seed: seed of the random numbers, PCG64.

    Returns:
        First and second failure of each pair, in the order of all pairs.
    """
    if n_sampled >= n_pairs(n):
        return all_pairs(n)
    row = np.sort(np.random.default_rng(seed).choice(n_pairs(n), n_sampled, replace=False, shuffle=False))
    rows_before = np.arange(n) * (2 * n - np.arange(n) - 1) // 2
    first = np.searchsorted(rows_before, row, side="right") - 1
    return first, row - rows_before[first] + first + 1


def joined(single: Failures, first: Ints, second: Ints) -> Failures:
    """Return pairs of failures, the arcs of each once and ascending; of an arc in both the least is left."""
    count = np.diff(single.first)
    n_arcs = count[first] + count[second]
    pair = np.repeat(np.arange(len(first)), n_arcs)
    start = np.cumsum(n_arcs) - n_arcs
    place = np.arange(len(pair)) - start[pair]
    is_second = place >= count[first][pair]
    begin = np.where(is_second, single.first[second][pair] - count[first][pair], single.first[first][pair])
    entry = begin + place
    arc, kept_ratio = single.arc[entry], single.kept_ratio[entry]
    order = np.lexsort((kept_ratio, arc, pair))
    pair, arc, kept_ratio = pair[order], arc[order], kept_ratio[order]
    is_new = np.ones(len(pair), np.bool_)
    is_new[1:] = (np.diff(pair) != 0) | (arc[1:] != arc[:-1])
    begins = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.bincount(pair[is_new], minlength=len(first)))))
    return Failures(begins, arc[is_new], kept_ratio[is_new])
