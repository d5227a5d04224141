"""Pairs of failures in classes of equal places, so that one pair stands for all of its class.

Equal places change by any order of the twins of a node and by any order of equal parts (`symmetry.py`), each by itself.
So two pairs are equal if their failures are, and if the same of their nodes are one node, or stand in one part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..arrays import Bools, Ints
from .kinds import Kind
from .pairs import PairFailures, all_pairs
from .reduced import Reduced, reduce_fabric
from .sweep import EXPAND_BITS, FailureLoads, rounded_bits
from .symmetry import Symmetry, find_symmetry


@dataclass(frozen=True, eq=False)
class PairClasses:
    """All pairs of the failures of a kind, in classes."""

    single: Kind
    reduced: Reduced
    first: Ints
    """First failure of every pair, int64[n_pairs]."""
    second: Ints
    of: Ints
    """Class of every pair, int64[n_pairs]; a class has the place of its first pair."""
    model: Ints
    """First pair of each class, int64[n_classes]."""

    @property
    def n_equal(self) -> Ints:
        """Pairs in each class."""
        return np.bincount(self.of, minlength=len(self.model))

    @property
    def models(self) -> PairFailures:
        """The first pair of each class."""
        return PairFailures(self.single, self.first[self.model], self.second[self.model])

    def expanded(self, loads: FailureLoads) -> tuple[PairFailures, FailureLoads]:
        """Return greatest loads over all pairs, from those over the first pair of each class.

        Args:
            loads: answers for `models`.

        Returns:
            `models` and the pairs that cause greatest loads; the loads, with causes among these.
        """
        canonical = self.reduced.canonical_arc
        order = np.lexsort((loads.cause, -rounded_bits(loads.greatest_gbps, EXPAND_BITS), canonical))
        starts = np.flatnonzero(np.diff(canonical[order], prepend=-1))
        best = np.empty(len(canonical), np.int64)
        best[canonical[order[starts]]] = order[starts]
        best = best[canonical]
        cause_at_best = loads.cause[best]
        by_class = np.argsort(self.of, kind="stable")
        class_first = np.concatenate((np.zeros(1, np.int64), np.cumsum(self.n_equal)))
        pair = np.full(len(best), -1, np.int64)
        for arc in np.flatnonzero(cause_at_best >= 0).tolist():
            c = int(cause_at_best[arc])
            members = by_class[class_first[c] : class_first[c + 1]]
            pair[arc] = members[self._stands_so(members, arc, int(self.model[c]), int(best[arc])).argmax()]
        found, cause = np.unique(pair, return_inverse=True)
        n_none = int(found[0] < 0)
        cause = np.where(pair < 0, -1, cause.reshape(-1) - n_none + len(self.model))
        pairs = np.concatenate((self.model, found[n_none:]))
        named = PairFailures(self.single, self.first[pairs], self.second[pairs])
        return named, replace(loads, greatest_gbps=loads.greatest_gbps[best], cause=cause)

    def _stands_so(self, pairs: Ints, arc: int, model: int, model_arc: int) -> Bools:
        """Find pairs that stand to an arc as a pair of the same class stands to an equal arc, bool[n]."""
        fabric, out = self.single.fabric, np.zeros(len(pairs), np.bool_)
        ends, model_ends = ([fabric.tail[[one]], fabric.head[[one]]] for one in (arc, model_arc))
        of_model = [self._relation(side[[model]], model_ends) for side in (self.first, self.second)]
        of_pairs = [self._relation(side[pairs], ends) for side in (self.first, self.second)]
        for a, b in ((0, 1), (1, 0)):
            alike = (self._of_single[self.first[pairs]] == self._of_single[(self.first, self.second)[a][model]]) & (
                self._of_single[self.second[pairs]] == self._of_single[(self.first, self.second)[b][model]]
            )
            out |= alike & (of_pairs[0] == of_model[a]) & (of_pairs[1] == of_model[b])
        return out

    @cached_property
    def _of_single(self) -> Ints:
        return self.single.classes(self.reduced).of

    def _relation(self, failure: Ints, nodes: list[Ints]) -> Ints:
        return _relation(self.reduced.symmetry, [side[failure] for side in _anchors(self.single, self.reduced)], nodes)


def pair_classes(single: Kind) -> PairClasses:
    """Group all pairs of the failures of a kind by place; each failure is at one or two nodes (`Kind.anchors`)."""
    reduced = reduce_fabric(single.fabric, find_symmetry(single.fabric, single.apart))
    of = single.classes(reduced).of
    first, second = all_pairs(len(of))
    turned = of[first] > of[second]
    a, b = np.where(turned, second, first), np.where(turned, first, second)
    anchors = _anchors(single, reduced)
    relation = _relation(reduced.symmetry, [side[a] for side in anchors], [side[b] for side in anchors])
    n_relations = int(relation.max(initial=0)) + 1
    key = (of[a] * (int(of.max(initial=0)) + 1) + of[b]) * n_relations + relation
    _, model, of_pair = np.unique(key, return_index=True, return_inverse=True)
    place = np.empty(len(model), np.int64)
    place[np.argsort(model)] = np.arange(len(model))
    return PairClasses(single, reduced, first, second, place[of_pair.reshape(-1)], np.sort(model))


def _anchors(single: Kind, reduced: Reduced) -> list[Ints]:
    """Nodes of each failure, in the order of their canonical nodes, which is that of equal failures."""
    nodes = single.anchors
    if len(nodes) < 2:
        return nodes
    canonical = reduced.symmetry.canonical
    turned = canonical[nodes[0]] > canonical[nodes[1]]
    return [np.where(turned, nodes[1], nodes[0]), np.where(turned, nodes[0], nodes[1])]


def _relation(symmetry: Symmetry, nodes: list[Ints], others: list[Ints]) -> Ints:
    """Return which nodes are one node, and which stand in one part, as bits; int64[n]."""
    bits = np.zeros(len(nodes[0]), np.int64)
    for node in nodes:
        for other in others:
            part = symmetry.part[node]
            bits = 4 * bits + 2 * (node == other) + ((part >= 0) & (part == symmetry.part[other]))
    return bits
