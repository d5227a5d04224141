"""Real nodes and arcs for canonical ones: where a failure or an arc stands, seen from another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..arrays import Bools, Ints
from .symmetry import Symmetry


class Anchor(NamedTuple):
    """Nodes that are given, and whether a node of the same twins is another one, an entry for each place."""

    node: Ints
    is_other: Bools


@dataclass(frozen=True, eq=False)
class Places:
    """Nodes at the place of canonical nodes, beside nodes that are given."""

    symmetry: Symmetry

    def near(self, canonical: Ints, in_other_part: Bools, anchors: Sequence[Anchor]) -> Ints:
        """Find a node at the place of each canonical node.

        Args:
            canonical: canonical nodes, int64[n].
            in_other_part: whether the node is in another part than the anchors, if in an equal one; bool[n].
            anchors: one or two nodes of one link, for each entry.

        Returns:
            The node of lowest number that stands so, int64[n]; an end point is its own place.
        """
        s = self.symmetry
        part = s.part[canonical]
        anchor_part = s.part[anchors[0].node]
        if len(anchors) > 1:
            anchor_part = np.where(anchor_part >= 0, anchor_part, s.part[anchors[1].node])
        inner = np.flatnonzero(part >= 0)
        if not len(inner):
            return canonical
        target = part[inner]
        beside = anchor_part[inner]
        alike = (beside >= 0) & (s.part_class[target] == s.part_class[beside])
        target = np.where(alike, np.where(in_other_part[inner], self._other_part[beside], beside), target)
        found = canonical.copy()
        found[inner] = self._in_part(target, canonical[inner])
        for anchor in anchors:
            same = np.flatnonzero((s.twin[found] == s.twin[anchor.node]) & (part >= 0))
            node = anchor.node[same]
            found[same] = np.where(anchor.is_other[same], self._other_twin[node], node)
        return found

    def _in_part(self, part: Ints, canonical: Ints) -> Ints:
        """The least twin in a part that stands for a canonical node."""
        nodes, keys = self._least_twins
        n = len(self.symmetry.twin)
        return nodes[np.searchsorted(keys, part * n + canonical)]

    @cached_property
    def _least_twins(self) -> tuple[Ints, Ints]:
        s = self.symmetry
        nodes = np.flatnonzero(~s.is_other_twin & (s.part >= 0))
        key = s.part[nodes] * len(s.twin) + s.canonical[nodes]
        order = np.argsort(key)
        return nodes[order], key[order]

    @cached_property
    def _other_part(self) -> Ints:
        return another(self.symmetry.part_class)

    @cached_property
    def _other_twin(self) -> Ints:
        return another(self.symmetry.twin)


def another(label: Ints) -> Ints:
    """Return for each entry the first other entry of the same label; itself if there is none. int64[n]."""
    order = np.argsort(label, kind="stable")
    is_first = np.diff(label[order], prepend=-1) != 0
    first = np.maximum.accumulate(np.where(is_first, np.arange(len(label)), 0))
    second = np.minimum(first + 1, len(label) - 1)
    has_second = label[order[second]] == label[order]
    out = np.empty(len(label), np.int64)
    out[order] = np.where(is_first, np.where(has_second, order[second], order), order[first])
    return out
