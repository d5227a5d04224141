"""Clos fabrics as trees: a fabric whose nodes split traffic evenly over the tier above has the cuts of a tree.

Levels are distances from the end points. Remove the highest level: each remaining part hangs below it. Two conditions
must hold. All parts have capacities to the top nodes in the same proportions. The top nodes of a part have uplinks in
the proportions in which they receive traffic from below. An even split then carries whatever a tree carries whose edges
are the sums of these capacities. So the minimum cut between any two groups of end points is that of the tree (max-flow
min-cut), and so is the bisection.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from ..arrays import Floats
from ..arrays.rounding import rounded

MAX_LEVELS = 8
MAX_END_POINTS = 20_000
"""End points up to which the best halves of a tree are found."""
REL_TOLERANCE = 1e-9
Adjacency = dict[int, dict[int, float]]
"""Gb/s by node and neighbour, parallel links added up."""


@dataclass(frozen=True)
class Tree:
    """A vertex of the tree: end points that stay together, or merged nodes of a level with what hangs below them."""

    n_end_points: int
    children: tuple[tuple[float, Tree, int], ...] = ()
    """Gb/s of the edge, the subtree, and how many of exactly this kind there are."""


@dataclass
class _Part:
    """A recognised part: its tree, and the share of its traffic that each of its top nodes carries."""

    tree: Tree
    shares: dict[int, float]


@dataclass
class _Search:
    adjacency: Adjacency
    level: dict[int, int]

    def part(self, nodes: list[int]) -> _Part | None:
        """Recognise a connected set of nodes; None if it is no Clos fabric."""
        top = max(self.level[node] for node in nodes)
        if len(nodes) == 1 and top == 0:
            return _Part(Tree(1), {nodes[0]: 1.0})
        if top == 0 or top > MAX_LEVELS:
            return None
        tops = [node for node in nodes if self.level[node] == top]
        below = {node for node in nodes if self.level[node] < top}
        is_top = set(tops)
        if any(other in is_top for node in tops for other in self.adjacency[node]):
            return None
        shares: dict[int, float] | None = None
        counts: Counter[tuple[float, Tree]] = Counter()
        for members in _parts(self.adjacency, below):
            part = self.part(members)
            uplinks = None if part is None else self._uplinks(members, part, is_top)
            if part is None or uplinks is None:
                return None
            total_gbps = sum(uplinks.values())
            own = {node: uplinks.get(node, 0.0) / total_gbps for node in tops}
            if shares is not None and not _same(shares, own):
                return None
            shares = own
            counts[rounded(total_gbps), part.tree] += 1
        if shares is None:
            return None
        children = tuple(sorted(((gbps, tree, n) for (gbps, tree), n in counts.items()), key=repr))
        return _Part(Tree(sum(n * tree.n_end_points for _, tree, n in children), children), shares)

    def _uplinks(self, members: list[int], part: _Part, tops: set[int]) -> dict[int, float] | None:
        """Gb/s of a part to each top node; None if its own nodes do not share the traffic as their uplinks do."""
        from_node = dict.fromkeys(part.shares, 0.0)
        to_top: dict[int, float] = {}
        for node in members:
            for other, gbps in self.adjacency[node].items():
                if other in tops:
                    if node not in from_node:
                        return None
                    from_node[node] += gbps
                    to_top[other] = to_top.get(other, 0.0) + gbps
        total_gbps = sum(to_top.values())
        if total_gbps <= 0.0:
            return None
        return to_top if _same(part.shares, {node: gbps / total_gbps for node, gbps in from_node.items()}) else None


def _same(a: dict[int, float], b: dict[int, float]) -> bool:
    return a.keys() == b.keys() and all(abs(a[node] - b[node]) <= REL_TOLERANCE for node in a)


def _parts(adjacency: Adjacency, nodes: set[int]) -> list[list[int]]:
    """Connected parts of a set of nodes, by their first node."""
    parts, rest = [], set(nodes)
    for start in sorted(nodes):
        if start in rest:
            rest.discard(start)
            found = [start]
            for node in found:
                near = [other for other in sorted(adjacency[node]) if other in rest]
                rest.difference_update(near)
                found += near
            parts.append(sorted(found))
    return parts


def clos_tree(adjacency: Adjacency, end_points: list[int]) -> Tree | None:
    """Return the tree of a Clos fabric; None for a network that is none.

    Parts without a path between them hang on one vertex over edges of 0 Gb/s. Nodes that no end point reaches are left
    out.

    Args:
        adjacency: Gb/s by node and neighbour, the same both ways.
        end_points: rows of the end points.
    """
    level = _levels(adjacency, end_points)
    search = _Search(adjacency, level)
    parts = [search.part(members) for members in _parts(adjacency, set(level))]
    trees = [part.tree for part in parts if part is not None]
    if len(trees) < len(parts) or not trees:
        return None
    if len(trees) == 1:
        return trees[0]
    return Tree(len(end_points), tuple((0.0, tree, n) for tree, n in Counter(trees).items()))


def level_tree(adjacency: Adjacency, end_points: list[int]) -> Tree:
    """Return the tree that a network becomes if the nodes of a level merge; its cuts are cuts of the network.

    Levels are distances from the end points. End points that are next to each other stay together.

    Args:
        adjacency: Gb/s by node and neighbour, the same both ways; links of 0 Gb/s join, too.
        end_points: rows of the end points.
    """
    level = _levels(adjacency, end_points)

    def merged(nodes: list[int]) -> Tree:
        top = max(level[node] for node in nodes)
        if top == 0:
            return Tree(len(nodes))
        below = {node for node in nodes if level[node] < top}
        counts: Counter[tuple[float, Tree]] = Counter()
        for members in _parts(adjacency, below):
            rates = [gbps for node in members for other, gbps in adjacency[node].items() if level[other] == top]
            counts[rounded(math.fsum(rates)), merged(members)] += 1
        children = tuple(sorted(((gbps, tree, n) for (gbps, tree), n in counts.items()), key=repr))
        return Tree(sum(n * tree.n_end_points for _, tree, n in children), children)

    trees = Counter(merged(members) for members in _parts(adjacency, set(level)))
    return Tree(len(end_points), tuple((0.0, tree, n) for tree, n in trees.items()))


def _levels(adjacency: Adjacency, end_points: list[int]) -> dict[int, int]:
    """Distance of each node from the nearest end point, without nodes that no end point reaches."""
    level = dict.fromkeys(end_points, 0)
    queue = list(end_points)
    for node in queue:
        for other in adjacency[node]:
            if other not in level:
                level[other] = level[node] + 1
                queue.append(other)
    return level


def tree_bisection_gbps(tree: Tree) -> float:
    """Return the least capacity that a tree has between two halves of its end points.

    With an odd number of end points one half has one more.

    Source:
        Dynamic programming over the end points on one side; halves of trees, Goldberg and Burstein 1976.
    """
    costs = _costs(tree, {})
    half = tree.n_end_points // 2
    return float(min(costs[half], costs[tree.n_end_points - half]))


def _costs(tree: Tree, known: dict[Tree, Floats]) -> Floats:
    """Least cut below a vertex on side A, by the number of end points on side A; float64[n_end_points + 1]."""
    if tree not in known:
        if not tree.children:
            # end points that stay together are all on side A
            known[tree] = np.append(np.full(tree.n_end_points, np.inf), 0.0)
        else:
            total = np.zeros(1)
            for gbps, child, n in tree.children:
                costs = _costs(child, known)
                # the child itself on side A, or on side B over a cut edge
                total = _plus(total, _times(np.minimum(costs, costs[::-1] + gbps), n))
            known[tree] = total
    return known[tree]


def _times(costs: Floats, n: int) -> Floats:
    """Costs of n equal subtrees together."""
    total, power = np.zeros(1), costs
    while n:
        if n & 1:
            total = _plus(total, power)
        n >>= 1
        if n:
            power = _plus(power, power)
    return total


def _plus(a: Floats, b: Floats) -> Floats:
    """Costs of two subtrees together: the least sum for each total number of end points."""
    if len(a) < len(b):
        a, b = b, a
    out = np.full(len(a) + len(b) - 1, np.inf)
    for i, cost in enumerate(b.tolist()):
        np.minimum(out[i : i + len(a)], a + cost, out=out[i : i + len(a)])
    return out
