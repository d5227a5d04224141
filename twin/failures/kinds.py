"""Kinds of failures: which arcs of the merged network fail, and where equal failures stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from ..arrays import Floats, Ints
from ..kernels.graph import Failures
from .fabric import Fabric
from .places import Anchor, Places
from .reduced import Reduced


class Classes(NamedTuple):
    """Failures in classes of equal places."""

    of: Ints
    """Class of each failure, int64[n_failures]."""
    model: Ints
    """The failure that is computed for each class, int64[n_classes]."""
    failures: Failures
    """That failure, as arcs of the merged network."""


class Seen(NamedTuple):
    """Arcs of the network, and for each the class of a failure and how it stands to it."""

    reduced: Reduced
    places: Places
    arc: Ints
    """int64[n]."""
    model: Ints
    """The failure that is computed for the class, int64[n]."""
    relation: int
    """Row of `Reduced.related`."""


class Kind(Protocol):
    """Failures of one kind on one network."""

    @property
    def fabric(self) -> Fabric:
        """The network."""
        ...

    @property
    def apart(self) -> Ints:
        """Nodes that have to stay apart from equal ones."""
        ...

    @property
    def anchors(self) -> list[Ints]:
        """Nodes of each failure, one or two for all; none where failures are equal to no other."""
        ...

    def classes(self, reduced: Reduced) -> Classes:
        """Group the failures by place."""
        ...

    def beside(self, seen: Seen) -> Ints:
        """Find the failures of these classes that stand so to the arcs, int64[n]."""
        ...

    def kept_ratio(self, failure: int) -> Floats:
        """What a failure leaves of the members of each link, float64[n_links]."""
        ...

    def left_ratio(self, failures: Ints, links: Ints) -> Floats:
        """Compute the part of the members of one link each that a failure leaves, float64[n]."""
        ...


@dataclass(frozen=True, eq=False)
class LinkFailures:
    """Every link by itself, all or one of its members."""

    fabric: Fabric
    own_ratio: Floats
    """What each failure leaves of its link's members, float64[n_links]; 0 = the whole link fails."""

    @property
    def apart(self) -> Ints:
        """No node."""
        return np.zeros(0, np.int64)

    @property
    def anchors(self) -> list[Ints]:
        """Both ends."""
        return [self.fabric.ends[:, 0], self.fabric.ends[:, 1]]

    def classes(self, reduced: Reduced) -> Classes:
        """Group links by canonical link."""
        model, of = np.unique(reduced.canonical_arc[0::2] // 2, return_inverse=True)
        arc = np.stack((reduced.arc[2 * model], reduced.arc[2 * model + 1]), axis=1).reshape(-1)
        failures = Failures(2 * np.arange(len(model) + 1), arc.astype(np.uint32), np.repeat(self.own_ratio[model], 2))
        return Classes(of.reshape(-1), model, failures)

    def beside(self, seen: Seen) -> Ints:
        """Find links."""
        anchors = _anchors_of_arc(self.fabric, seen)
        other_part = np.full(len(seen.arc), bool(seen.relation & 1))
        tail = seen.places.near(self.fabric.tail[2 * seen.model], other_part, anchors)
        head = seen.places.near(self.fabric.head[2 * seen.model], other_part, anchors)
        return seen.reduced.index.find(tail, head, 2 * seen.model) // 2

    def kept_ratio(self, failure: int) -> Floats:
        """All of every other link."""
        out = np.ones(self.fabric.n_links)
        out[failure] = self.own_ratio[failure]
        return out

    def left_ratio(self, failures: Ints, links: Ints) -> Floats:
        """All of every other link."""
        return np.where(failures == links, self.own_ratio[links], 1.0)


@dataclass(frozen=True, eq=False)
class NodeFailures:
    """Every one of some nodes by itself, with all its links."""

    fabric: Fabric
    nodes: Ints
    """int64[n_failures], each once."""

    @property
    def apart(self) -> Ints:
        """The other nodes, so that equal nodes all fail or none does."""
        return np.setdiff1d(np.arange(self.fabric.n_nodes), self.nodes)

    @property
    def anchors(self) -> list[Ints]:
        """The node."""
        return [self.nodes]

    def classes(self, reduced: Reduced) -> Classes:
        """Group nodes by canonical node."""
        canonical = reduced.symmetry.canonical[self.nodes]
        _, model, of = np.unique(canonical, return_index=True, return_inverse=True)
        arcs, lists = reduced.arcs, []
        for node in reduced.of_canonical[canonical[model]].tolist():
            into = arcs.in_arc[arcs.in_first[node] : arcs.in_first[node + 1]]
            lists.append(np.concatenate((np.arange(arcs.first[node], arcs.first[node + 1]), into)))
        return Classes(of.reshape(-1), model, _whole(lists))

    def beside(self, seen: Seen) -> Ints:
        """Find nodes."""
        canonical = seen.reduced.symmetry.canonical[self.nodes[seen.model]]
        other_part = np.full(len(seen.arc), bool(seen.relation & 1))
        node = seen.places.near(canonical, other_part, _anchors_of_arc(self.fabric, seen))
        row = np.empty(self.fabric.n_nodes, np.int64)
        row[self.nodes] = np.arange(len(self.nodes))
        return row[node]

    def kept_ratio(self, failure: int) -> Floats:
        """Nothing of the links of the node."""
        return np.where((self.fabric.ends == self.nodes[failure]).any(axis=1), 0.0, 1.0)

    def left_ratio(self, failures: Ints, links: Ints) -> Floats:
        """Nothing of the links of the node."""
        return np.where((self.fabric.ends[links] == self.nodes[failures][:, None]).any(axis=1), 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class GroupFailures:
    """Links that fail together."""

    fabric: Fabric
    groups: Sequence[Ints]
    """Links of each failure."""

    @property
    def apart(self) -> Ints:
        """The ends of all these links."""
        links = np.unique(np.concatenate([np.zeros(0, np.int64), *self.groups]))
        return np.unique(self.fabric.ends[links])

    @property
    def anchors(self) -> list[Ints]:
        """None: no group is equal to another."""
        return []

    def classes(self, reduced: Reduced) -> Classes:
        """Compute every group."""
        own = np.arange(len(self.groups))
        both = [np.concatenate((reduced.arc[2 * links], reduced.arc[2 * links + 1])) for links in self.groups]
        return Classes(own, own, _whole([np.unique(arcs) for arcs in both]))

    def beside(self, seen: Seen) -> Ints:
        """Return the groups themselves."""
        return seen.model

    def kept_ratio(self, failure: int) -> Floats:
        """Nothing of the links of the group."""
        out = np.ones(self.fabric.n_links)
        out[self.groups[failure]] = 0.0
        return out

    def left_ratio(self, failures: Ints, links: Ints) -> Floats:
        """Nothing of the links of the group."""
        pairs = zip(failures.tolist(), links.tolist(), strict=True)
        return np.array([0.0 if (self.groups[failure] == link).any() else 1.0 for failure, link in pairs])


def _anchors_of_arc(fabric: Fabric, seen: Seen) -> list[Anchor]:
    """The ends of the arcs, whose other twin may be meant."""
    others = (np.full(len(seen.arc), bool(seen.relation & bit)) for bit in (2, 4))
    nodes = (fabric.tail[seen.arc], fabric.head[seen.arc])
    return [Anchor(node, other) for node, other in zip(nodes, others, strict=True)]


def _whole(lists: list[Ints]) -> Failures:
    """Failures that take all members of arcs."""
    first = np.cumsum([0, *(len(arcs) for arcs in lists)]).astype(np.int64)
    arc = np.concatenate([np.zeros(0, np.int64), *lists]).astype(np.uint32)
    return Failures(first, arc, np.zeros(len(arc)))
