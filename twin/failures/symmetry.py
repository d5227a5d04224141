"""Equal places of a network: nodes and parts that can change places without changing anything for the end points.

Two steps find them, and both compare lists entry by entry. Twin nodes have no demands and the same neighbours over
equal links. Twin parts are what is left if the end points are removed: two parts are equal if a one-to-one map between
them keeps all links, those to the end points included. The loads after a failure are then those after the failure of
its image, at the images of the arcs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Bools, Ints
from ..kernels.graph import UsableArcs
from ..kernels.parts import label_parts
from ..traffic.twin_nodes import arcs_of, equal_rows, twin_labels
from .fabric import Fabric


@dataclass(frozen=True, eq=False)
class Symmetry:
    """Where each node stands among equal ones. Equal nodes have one canonical node."""

    twin: Ints
    """The least twin of each node, itself for most; int64[n_nodes]."""
    canonical: Ints
    """The place of that twin in the first of equal parts, int64[n_nodes]."""
    part: Ints
    """The part that a node belongs to, int64[n_nodes]; -1 for end points."""
    part_class: Ints
    """Number of each part's class, int64[n_parts]; the first part of a class is the canonical one."""

    @property
    def in_other_part(self) -> Bools:
        """Nodes whose part is not the first of its class, bool[n_nodes]."""
        return np.asarray(self.canonical != self.twin)

    @property
    def is_other_twin(self) -> Bools:
        """Nodes that are not the least of their twins, bool[n_nodes]."""
        return np.asarray(self.twin != np.arange(len(self.twin)))


def no_symmetry(fabric: Fabric) -> Symmetry:
    """Return that each node is equal to itself alone."""
    nodes = np.arange(fabric.n_nodes)
    return Symmetry(nodes, nodes, np.full(fabric.n_nodes, -1), np.zeros(0, np.int64))


def find_symmetry(fabric: Fabric, apart: Ints) -> Symmetry:
    """Find equal places.

    Args:
        fabric: links and demands.
        apart: nodes that are equal to no other, because a failure touches them together with others.
    """
    order = np.lexsort((fabric.arc_code, fabric.head, fabric.tail))
    code = fabric.arc_code[order]
    arcs = arcs_of(fabric.tail[order], fabric.head[order], fabric.weight[order], fabric.share[order], fabric.forwards)
    is_end = np.zeros(fabric.n_nodes, np.bool_)
    is_end[fabric.end_points] = True
    may_merge = ~is_end & (np.diff(arcs.first) > 0)
    may_merge[apart] = False
    twin = np.arange(fabric.n_nodes)
    chosen = np.flatnonzero(may_merge)
    label = twin_labels(arcs, code, chosen)
    twin[chosen] = chosen[_first_with(label)[label]] if len(chosen) else chosen
    is_inner = (twin == np.arange(fabric.n_nodes)) & ~is_end
    usable = is_inner[fabric.ends].all(axis=1)
    part = np.empty(fabric.n_nodes, np.int64)
    label_parts(fabric.ends, usable, part)
    inner = np.flatnonzero(is_inner)
    _, part[inner] = np.unique(part[inner], return_inverse=True)
    part[~is_inner] = -1
    colour = colours(arcs, code, twin, may_merge)
    image, part_class = _match_parts(arcs, code, inner, part, colour, is_end, twin)
    part[~is_end] = part[twin[~is_end]]
    return Symmetry(twin, image[twin], part, part_class)


def colours(arcs: UsableArcs, code: Ints, twin: Ints, may_merge: Bools) -> Ints:
    """Colour the least twins so that nodes of one colour have equal links to nodes of equal colours; int64[n_nodes].

    Each end point, and each node that is equal to no other, has a colour of its own.

    Source:
        Colour refinement (Weisfeiler and Leman 1968), with lists in place of hashes.
    """
    n_nodes, nodes = len(twin), np.arange(len(twin))
    n_twins = np.bincount(twin, minlength=n_nodes)
    colour = nodes.copy()
    refined = np.flatnonzero((twin == nodes) & may_merge)
    rows = np.stack((n_twins[refined], arcs.forwards[refined]), axis=1).astype(np.int64)
    colour[refined] = n_nodes + equal_rows(rows)
    kept = np.flatnonzero((twin[arcs.tail] == arcs.tail) & (twin[arcs.head] == arcs.head))
    tail, head, code = arcs.tail[kept].astype(np.int64), arcs.head[kept].astype(np.int64), code[kept]
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.bincount(tail, minlength=n_nodes))))
    degree = np.diff(first)[refined]
    n_codes = int(code.max(initial=0)) + 1
    n_colours = -1
    while len(refined):
        key = colour[head] * n_codes + code
        new = np.empty(len(refined), np.int64)
        n_new = 0
        for d in np.unique(degree):
            rows = np.flatnonzero(degree == d)
            lists = np.sort(key[first[refined[rows], None] + np.arange(d)], axis=1)
            group = equal_rows(np.concatenate((colour[refined[rows], None], lists), axis=1))
            new[rows] = n_new + group
            n_new += int(group.max()) + 1
        colour[refined] = n_nodes + new
        if n_new == n_colours:
            break
        n_colours = n_new
    return colour


def _match_parts(
    arcs: UsableArcs, code: Ints, inner: Ints, part: Ints, colour: Ints, is_end: Bools, twin: Ints
) -> tuple[Ints, Ints]:
    """Map each node of a part to that of the same colour in the first equal part.

    Parts are candidates if each has all its colours once, and all have the same. The map is then tested arc by arc.

    Returns:
        Image of each node, int64[n_nodes], and the class of each part.
    """
    image = np.arange(len(twin))
    n_parts = int(part[inner].max(initial=-1)) + 1
    nodes = inner[np.lexsort((colour[inner], part[inner]))]
    size = np.bincount(part[inner], minlength=n_parts)
    first = np.cumsum(size) - size
    repeats = (np.diff(colour[nodes], prepend=-1) == 0) & (np.diff(part[nodes], prepend=-1) == 0)
    is_distinct = np.bincount(part[nodes], weights=repeats, minlength=n_parts) == 0
    model = np.arange(n_parts)
    for n in np.unique(size[is_distinct]):
        rows = np.flatnonzero(is_distinct & (size == n))
        group = equal_rows(colour[nodes[first[rows, None] + np.arange(n)]])
        model[rows] = rows[_first_with(group)[group]]
    of_part = part[nodes]
    image[nodes] = nodes[first[model[of_part]] + np.arange(len(nodes)) - first[of_part]]
    differs = _differing_parts(arcs, code, part, image, model, is_end, twin)
    apart = np.isin(part[inner], differs)
    image[inner[apart]] = inner[apart]
    model[differs] = differs
    return image, np.unique(model, return_inverse=True)[1].reshape(-1)


def _differing_parts(
    arcs: UsableArcs, code: Ints, part: Ints, image: Ints, model: Ints, is_end: Bools, twin: Ints
) -> Ints:
    """Find the parts whose arcs, mapped, are not those of their model."""
    kept = (twin[arcs.tail] == arcs.tail) & (twin[arcs.head] == arcs.head) & ~(is_end[arcs.tail] & is_end[arcs.head])
    tail, head, code = arcs.tail[kept].astype(np.int64), arcs.head[kept].astype(np.int64), code[kept]
    owner = np.where(is_end[tail], part[head], part[tail])
    key = (image[tail] * len(part) + image[head]) * (int(code.max(initial=0)) + 1) + code
    order = np.lexsort((key, owner))
    n_arcs = np.bincount(owner, minlength=len(model))
    first = np.cumsum(n_arcs) - n_arcs
    differs = n_arcs != n_arcs[model]
    same = np.flatnonzero(~differs[owner[order]])
    of_part = owner[order][same]
    mapped, wanted = key[order][same], key[order][first[model[of_part]] + same - first[of_part]]
    differs[of_part[mapped != wanted]] = True
    return np.flatnonzero(differs)


def _first_with(label: Ints) -> Ints:
    """Position of the first entry with each label; int64[n_labels]."""
    return np.unique(label, return_index=True)[1]
