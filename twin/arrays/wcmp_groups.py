"""WCMP groups as arrays: the next hops towards each target, ordered so that a node stands behind its next hops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import Issue, TopologyError
from ..errors.wording import counted
from ..model.records import WcmpGroup
from ..model.wcmp_rules import by_target, forwarding_order, wcmp_issues
from .columns import Floats, Ints, NetworkArrays
from .state import State


@dataclass(frozen=True, eq=False)
class WcmpTable:
    """Next hops by target."""

    target: Ints
    """Node rows with groups towards them, ascending, int64[n_targets]."""
    first: Ints
    """Entries of target t are first[t]:first[t + 1]; int64[n_targets + 1]."""
    arc: Ints
    """Arc of each entry. Those of a node lie side by side, behind those of all its next hops."""
    weight: Floats
    """Weight of each entry, float64[n_entries]."""

    @classmethod
    def of(cls, state: State, groups: Sequence[WcmpGroup]) -> WcmpTable | None:
        """Convert checked groups; None without any."""
        if not groups:
            return None
        index, link_index, link_ends = state.node_index, state.link_index, state["link_ends"]
        ends = _Ends(link_ends, link_index, state.node_ids)
        found = sorted((index[target], of_target) for target, of_target in by_target(groups).items())
        arcs, weights, first = [], [], [0]
        for _, of_target in found:
            for group in forwarding_order(of_target, ends):
                node = index[group.node]
                for link, weight in sorted(group.next_hops.items()):
                    row = link_index[link]
                    arcs.append(2 * row + int(link_ends[row, 0] != node))
                    weights.append(float(weight))
            first.append(len(arcs))
        return cls(
            np.array([target for target, _ in found]), np.array(first), np.array(arcs, np.int64), np.array(weights)
        )


class _Ends(dict[str, tuple[str, str]]):
    """Both ends of each link by id, read when they are asked for."""

    def __init__(self, link_ends: Ints, link_index: Mapping[str, int], node_ids: Sequence[str]) -> None:
        super().__init__()
        self._link_ends, self._link_index, self._node_ids = link_ends, link_index, node_ids

    def __missing__(self, link: str) -> tuple[str, str]:
        a, b = self._link_ends[self._link_index[link]].tolist()
        self[link] = ends = self._node_ids[a], self._node_ids[b]
        return ends

    def __contains__(self, link: object) -> bool:
        return link in self._link_index

    def __iter__(self) -> Iterator[str]:
        return iter(self._link_index)


def check_groups(arrays: NetworkArrays, groups: Sequence[WcmpGroup], where: str) -> None:
    """Check WCMP groups against the nodes and links that exist.

    Raises:
        TopologyError: unknown names, next hops that do not forward or have no group, and loops.
    """
    if not groups:
        return
    index = arrays.node_index
    ends = _Ends(arrays.link_ends, arrays.link_index, arrays.node_ids)
    found: list[Issue] = list(wcmp_issues(groups, index, ends, lambda name: bool(arrays.node_forwards[index[name]])))
    if found:
        raise TopologyError(f"{counted(len(found), 'fault')} in the WCMP groups", where=where, found=found)
