"""Partitions, and single nodes and links whose loss makes more of them.

Source: Hopcroft and Tarjan 1973, articulation points and bridges by one depth-first search.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import numpy as np

from ..arrays import Ints
from .fabric import MAX_KINDS_OF_ATTACHMENT, Fabric, TooLargeError, components

MAX_WORK = 300_000_000
"""Most candidates for a single point of failure times links of the network."""


@dataclass(frozen=True, eq=False)
class Partitions:
    """Connection of the end points. Counts of failures are of single nodes or links, one at a time."""

    kind: str
    """Name of the end points for readers."""
    n_end_points: int
    n_partitions: int
    """Parts of the network that forward among themselves and hold end points which no other part holds all of.

    1 where each two end points have a path.
    """
    n_pairs: int
    """Pairs of end points."""
    n_unreachable_pairs: int
    """Pairs without a path; two end points may both reach a third one and not each other."""
    single_points: Ints
    """Forwarding nodes whose loss separates end points that are attached elsewhere, too, ascending."""
    bridges: Ints
    """Links between forwarding nodes whose loss, with all members, separates end points, ascending.

    The only uplink of an end point that forwards is none.
    """
    n_single_homed: int
    """End points that are attached to exactly one node, forwarding or not."""
    worst_home: int = -1
    """Row of the forwarding node at which most single-homed end points are attached; -1 = none."""
    n_at_worst_home: int = 0
    """Single-homed end points there."""
    n_homes: int = 0
    """Nodes at which single-homed end points are attached."""
    end_points: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    """Rows of the end points, ascending."""
    cut_off: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    """Rows of the end points without a lit link, ascending."""
    why: str = ""
    """Why single points and bridges are unknown; empty if they are known."""


def find_partitions(fabric: Fabric) -> Partitions:
    """Find the partitions of the end points, single points of failure and bridges.

    Raises:
        TooLargeError: too many different sets of attachments.
    """
    n = len(fabric.end_points)
    counts = fabric.signatures(fabric.part_of_node)
    single_points, bridges, why = np.zeros(0, np.int64), np.zeros(0, np.int64), ""
    try:
        single_points, bridges = _single_failures(fabric)
    except TooLargeError as error:
        why = str(error)
    n_pairs = n * (n - 1) // 2
    n_unreachable_pairs = n_pairs - _n_reachable_pairs(counts)
    homes = _homes(fabric)
    return Partitions(
        kind=fabric.kind,
        n_end_points=n,
        n_partitions=_n_parts(counts) if n_unreachable_pairs else min(n, 1),
        n_pairs=n_pairs,
        n_unreachable_pairs=n_unreachable_pairs,
        single_points=single_points,
        bridges=bridges,
        n_single_homed=int((fabric.n_neighbours[fabric.end_points] == 1).sum()),
        worst_home=int(np.argmax(homes)) if homes.any() else -1,
        n_at_worst_home=int(homes.max(initial=0)),
        n_homes=int((homes > 0).sum()),
        end_points=fabric.end_points,
        cut_off=fabric.end_points[fabric.n_neighbours[fabric.end_points] == 0],
        why=why,
    )


def _homes(fabric: Fabric) -> Ints:
    """Return the number of single-homed end points at each node; one that forwards is not at itself."""
    end_point, attached_to = fabric.attachments
    rows = fabric.end_points[end_point]
    is_alone = (fabric.n_neighbours[rows] == 1) & (rows != attached_to)
    return np.bincount(attached_to[is_alone], minlength=fabric.n_nodes)[: fabric.first_direct]


def _n_parts(counts: dict[frozenset[int], int]) -> int:
    """Number of parts of the network that hold end points which no other part holds all of; a lone end point is a part.

    An end point in two parts that does not forward joins them for nobody else. Parts with the same end points are one.
    """
    holders: dict[int, frozenset[int]] = {}
    for signature in counts:
        for part in signature:
            holders[part] = holders.get(part, signature) & signature
    # a part that another one covers has all of its end points there, too
    largest = {found for part, found in holders.items() if all(part in holders[other] for other in found)}
    return len(largest) + counts.get(frozenset(), 0)


def _n_reachable_pairs(counts: dict[frozenset[int], int]) -> int:
    within = sum(n * (n - 1) // 2 for signature, n in counts.items() if signature)
    several = [(signature, n) for signature, n in counts.items() if len(signature) > 1]
    if len(counts) > MAX_KINDS_OF_ATTACHMENT and several:
        raise TooLargeError(
            f"{len(counts):,} different sets of attachments; pairs are counted up to {MAX_KINDS_OF_ATTACHMENT:,}"
        )
    across = sum(n * m for (a, n), (b, m) in combinations(counts.items(), 2) if not a.isdisjoint(b)) if several else 0
    return within + across


def _single_failures(fabric: Fabric) -> tuple[Ints, Ints]:
    """(single points of failure, bridges); rows of nodes and links."""
    nodes, bridges = articulation_points(fabric.n_nodes, fabric.ends[fabric.between_forwarding])
    if (len(nodes) + len(bridges)) * max(len(fabric.ends), 1) > MAX_WORK:
        raise TooLargeError(
            f"{len(nodes) + len(bridges):,} nodes and links are alone on the way to others; too many to examine"
        )
    separating_nodes = {node for node in nodes if _separates(fabric, node, None)} | _separating_ends(fabric, set(nodes))
    positions = fabric.between_forwarding[np.array(bridges, dtype=np.int64)]
    separating_links = [int(fabric.links[i]) for i in positions.tolist() if _separates(fabric, None, i)]
    return np.array(sorted(separating_nodes), dtype=np.int64), np.array(sorted(separating_links), dtype=np.int64)


def _separating_ends(fabric: Fabric, known: set[int]) -> set[int]:
    """Nodes whose loss leaves their part whole, but takes from it the only attachment of an end point with others.

    Args:
        fabric: the lit part of the network.
        known: nodes whose loss divides their part; they are left out.

    Raises:
        TooLargeError: too many different sets of attachments.
    """
    end_point, attached_to = fabric.attachments
    keys = np.unique(end_point * fabric.n_nodes + fabric.part_of_node[attached_to])
    if len(keys) == len(np.unique(end_point)):
        return set()  # no end point is attached to two parts
    parts: dict[int, dict[int, set[int]]] = {}
    for i, node in zip(end_point.tolist(), attached_to.tolist(), strict=True):
        parts.setdefault(i, {}).setdefault(int(fabric.part_of_node[node]), set()).add(node)
    only: dict[int, Counter[frozenset[int]]] = {}
    in_part: dict[int, Counter[frozenset[int]]] = {}
    for of_part in parts.values():
        for part, nodes in of_part.items():
            others = frozenset(of_part.keys() - {part})
            in_part.setdefault(part, Counter())[others] += 1
            for node in nodes if len(nodes) == 1 else ():
                only.setdefault(node, Counter())[others] += 1
    found = set()
    for node in sorted(only.keys() - known):
        leave, stay = only[node], in_part[int(fabric.part_of_node[node])]
        lost = [others for others in leave if others]
        if len(lost) * len(stay) > MAX_KINDS_OF_ATTACHMENT**2:
            raise TooLargeError(f"{len(stay):,} different sets of attachments beside one node; too many to examine")
        rest = [others for others, n in stay.items() if n > leave[others]]
        if node < fabric.first_direct and any(a.isdisjoint(b) for a in lost for b in (*rest, *lost)):
            found.add(node)
    return found


def _separates(fabric: Fabric, node: int | None, link: int | None) -> bool:
    """Whether the loss of a node or of a lit link separates two end points that are attached to other nodes, too."""
    removed_at = node if node is not None else int(fabric.ends[link, 0])
    part = fabric.part_of_node[removed_at]
    rows = fabric.between_forwarding
    keeps = fabric.part_of_node[fabric.ends[rows, 0]] == part
    keeps &= rows != link if node is None else (fabric.ends[rows] != node).all(axis=1)
    label = components(fabric.ends[rows[keeps]], fabric.n_nodes)
    end_point, attached_to = fabric.attachments
    is_end_point = np.zeros(fabric.n_nodes, dtype=np.bool_)
    is_end_point[fabric.end_points] = True
    in_part = fabric.part_of_node[attached_to] == part
    # hosts that forward and hang on the lost node alone are like those that do not forward
    stays = ~np.isin(attached_to, [] if node is None else [node, *_hanging(fabric, node)])
    inside = in_part & stays
    n_on_side = np.bincount(label[attached_to[inside]], minlength=fabric.n_nodes)
    if link is not None and any(n_on_side[label[end]] == 1 for end in fabric.ends[link] if is_end_point[end]):
        return False  # the only uplink of an end point that forwards, such as a leaf without hosts
    concerned = np.zeros(len(fabric.end_points), dtype=np.bool_)
    concerned[end_point[in_part]] = True
    sets: dict[int, set[int]] = {}
    for i, at in zip(end_point[inside].tolist(), label[attached_to[inside]].tolist(), strict=True):
        sets.setdefault(i, set()).add(at)
    outside = ~in_part & concerned[end_point]
    for i, at in zip(end_point[outside].tolist(), fabric.part_of_node[attached_to[outside]].tolist(), strict=True):
        sets.setdefault(i, set()).add(-1 - at)
    return _any_disjoint(list({frozenset(found) for found in sets.values()}))


def _hanging(fabric: Fabric, node: int) -> Ints:
    """Hosts that forward and have a lit link to this node alone. Leaves that stand for hosts are none."""
    if fabric.kind in ("leaf", "node"):
        return np.zeros(0, dtype=np.int64)
    at_node = fabric.ends[(fabric.ends == node).any(axis=1)]
    rows = np.intersect1d(fabric.end_points, at_node[at_node != node])
    alone = fabric.n_neighbours[rows] == 1
    return np.asarray(rows[alone & fabric.forwards[rows]], dtype=np.int64)


def _any_disjoint(signatures: Sequence[frozenset[int]]) -> bool:
    """Whether two of these sets have nothing in common; two different sets of one element decide at once."""
    if len({signature for signature in signatures if len(signature) == 1}) > 1:
        return True
    if not signatures or frozenset.intersection(*signatures):
        return False
    if len(signatures) > MAX_KINDS_OF_ATTACHMENT:
        raise TooLargeError(f"{len(signatures):,} different sets of attachments behind one node; too many to examine")
    return any(a.isdisjoint(b) for a, b in combinations(signatures, 2))


def articulation_points(n_nodes: int, ends: Ints) -> tuple[list[int], list[int]]:
    """Find the nodes and links whose loss makes more components of a graph.

    Args:
        n_nodes: number of nodes.
        ends: nodes of each link, int64[n_links, 2]; two links between the same nodes are no bridges.

    Returns:
        Nodes, and positions of links, ascending.
    """
    tail = np.concatenate((ends[:, 0], ends[:, 1]))
    order = np.argsort(tail, kind="stable")
    bounds = np.searchsorted(tail[order], np.arange(n_nodes + 1)).tolist()
    head = np.concatenate((ends[:, 1], ends[:, 0]))[order].tolist()
    link = (order % max(len(ends), 1)).tolist()
    adjacent = [range(first, last) for first, last in pairwise(bounds)]
    visited_at, low = [-1] * n_nodes, [0] * n_nodes
    nodes: set[int] = set()
    bridges: list[int] = []
    clock = 0
    for root in range(n_nodes):
        if visited_at[root] >= 0 or not adjacent[root]:
            continue
        visited_at[root] = low[root] = clock
        clock += 1
        n_subtrees = 0
        path: list[tuple[int, int, Iterator[int]]] = [(root, -1, iter(adjacent[root]))]
        while path:
            node, by, rest = path[-1]
            for k in rest:
                if link[k] == by:
                    continue
                other = head[k]
                if visited_at[other] >= 0:
                    low[node] = min(low[node], visited_at[other])
                    continue
                visited_at[other] = low[other] = clock
                clock += 1
                path.append((other, link[k], iter(adjacent[other])))
                break
            else:
                path.pop()
                if not path:
                    continue
                parent = path[-1][0]
                low[parent] = min(low[parent], low[node])
                if low[node] > visited_at[parent]:
                    bridges.append(by)
                if parent == root:
                    n_subtrees += 1
                elif low[node] >= visited_at[parent]:
                    nodes.add(parent)
        if n_subtrees > 1:
            nodes.add(root)
    return sorted(nodes), sorted(bridges)
