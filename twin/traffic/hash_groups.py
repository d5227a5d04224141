"""Groups of links that hashed flows choose from: links that carry the same flows with the same chance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..arrays import Floats, Ints
from ..arrays.rounding import rounded
from ..arrays.sums import sums_by
from ..errors import TopologyError
from ..kernels.hashing import polarised_fractions

MAX_SINGLE_LINKS = 5_000_000
"""Members of bundles on all routes together, where one hash chooses among them."""
MAX_STATES = 100_000
"""Sets of hashes with a path of their own that a route may have under one hash for all switches."""
MAX_MODULUS = 1 << 30


@dataclass(frozen=True, eq=False)
class HashedRoutes:
    """Routes of one phase between switches, and the flows on each.

    Links of a route are in topological order, all links that leave a node together. Links between cards and switches
    are left out: they never hash. `floor_s` counts for them.
    """

    first: Ints
    """int64[n_routes + 1], CSR of `link` and `split_ratio`."""
    link: Ints
    """Row of the link table."""
    split_ratio: Floats
    """Part of the route's flows on the link under even splitting; on all its members."""
    n_pairs: Floats
    """float64[n_routes], pairs of cards that send on the route."""
    pair_bytes: Floats
    """float64[n_routes], bytes of each pair."""
    capacity_bytes_per_s: Floats
    """float64[n_links], capacity of one member in this direction."""
    n_members: Ints
    """int64[n_links], members of a bundle; each is a link of its own to the hash."""
    tail: Ints
    """int64[n_links], node that a link leaves."""
    head: Ints
    """int64[n_links], node that it leads to."""
    floor_s: float
    """Time of the busiest link that does not hash: of a card, or of a switch that splits evenly."""
    present_ratio: Floats | None = None
    """Part of the route's flows that can cross the link, by the ports of their cards, by entry of `link`; None = all.
    A flow of a rack belongs to a card and its leaf before any switch hashes it."""
    at_node_ratio: Floats | None = None
    """Part of the route's flows that can cross the switch before the link, by entry of `link`; None = all."""

    @cached_property
    def route_of(self) -> Ints:
        """Route of each entry of `link`."""
        return np.repeat(np.arange(len(self.n_pairs)), np.diff(self.first))

    @cached_property
    def even_s(self) -> float:
        """Time of the phase if all switches split evenly."""
        sent = (self.n_pairs * self.pair_bytes)[self.route_of] * self.split_ratio
        load_bytes = sums_by(self.link, sent, len(self.n_members))
        used = load_bytes > 0
        seconds = load_bytes[used] / self.capacity_bytes_per_s[used] / self.n_members[used]
        return rounded(max(self.floor_s, float(seconds.max(initial=0.0))))

    def polarised(self) -> HashedRoutes:
        """Return the same routes under one hash for all switches: link h mod n of n, in the order of the links.

        Raises TopologyError if a route has too many sets of hashes with different paths.
        """
        singles = self.with_single_links()
        n_nodes = int(max(singles.tail.max(initial=-1), singles.head.max(initial=-1))) + 1
        out = np.zeros(len(singles.link))
        older, residue, modulus = (np.empty(MAX_STATES, np.int64) for _ in range(3))
        failed = polarised_fractions(
            singles.first,
            singles.link,
            singles.split_ratio,
            singles.tail,
            singles.head,
            MAX_MODULUS,
            np.full(n_nodes, -1),
            older,
            residue,
            modulus,
            np.empty(MAX_STATES),
            out,
        )
        if failed:
            raise TopologyError(
                f"one hash for all switches gives a route more than {MAX_STATES:,} paths",
                hint="use `ecmp`, or fewer links between the same switches",
            )
        return replace(singles, split_ratio=out)

    def with_single_links(self) -> HashedRoutes:
        """Return the same routes with each member of a bundle as a link of its own."""
        if (self.n_members == 1).all():
            return self
        start = np.cumsum(self.n_members) - self.n_members
        n = self.n_members[self.link]
        if int(n.sum()) > MAX_SINGLE_LINKS:
            raise TopologyError(
                f"one hash for all switches: routes over {int(n.sum()):,} members of bundles",
                where="load_balancing",
                expected=f"at most {MAX_SINGLE_LINKS:,}",
                hint="another mode, or fewer members",
            )
        entry = np.repeat(np.arange(len(self.link)), n)
        member = np.arange(len(entry)) - np.repeat(np.cumsum(n) - n, n)
        n_of_route = np.bincount(self.route_of, weights=n, minlength=len(self.n_pairs)).astype(np.int64)
        row = np.repeat(np.arange(len(self.n_members)), self.n_members)
        return replace(
            self,
            first=np.concatenate((np.zeros(1, np.int64), np.cumsum(n_of_route))),
            link=start[self.link[entry]] + member,
            split_ratio=self.split_ratio[entry] / n[entry],
            present_ratio=None if self.present_ratio is None else self.present_ratio[entry],
            at_node_ratio=None if self.at_node_ratio is None else self.at_node_ratio[entry],
            capacity_bytes_per_s=self.capacity_bytes_per_s[row],
            n_members=np.ones(len(row), np.int64),
            tail=self.tail[row],
            head=self.head[row],
        )


@dataclass(frozen=True, eq=False)
class LinkFlows:
    """Entries of a phase: a route on a link that it uses; and the groups of the links."""

    routes: HashedRoutes
    route: Ints
    """int64[n_entries]."""
    link: Ints
    """int64[n_entries], row of the link table."""
    n_pairs: Floats
    """float64[n_entries], pairs of the route whose flows can cross the link."""
    chance_ratio: Floats
    """float64[n_entries], chance that such a flow takes this link, a member of a bundle."""
    n_next: Ints
    """int64[n_entries], links that the switch chose this one from; 1 where it had no choice."""
    at_node_ratio: Floats
    """float64[n_entries], chance that such a flow passes the switch before the link."""
    group: Ints
    """int64[n_links], group of each link, -1 for an unused one."""
    of_first: Ints
    """Entries of the first link of each group."""

    @classmethod
    def of(cls, routes: HashedRoutes) -> LinkFlows:
        """Find the entries and groups of routes. Links with the same routes, chances and capacity are one group."""
        n_members, tail = routes.n_members[routes.link], routes.tail[routes.link]
        starts = np.ones(len(tail), dtype=np.bool_)
        starts[1:] = (tail[1:] != tail[:-1]) | (routes.route_of[1:] != routes.route_of[:-1])
        block = np.cumsum(starts) - 1
        at_node = sums_by(block, routes.split_ratio)[block]
        sends = routes.n_pairs * routes.pair_bytes > 0
        used = np.flatnonzero((routes.split_ratio > 0) & sends[routes.route_of])
        route, link, chance = routes.route_of[used], routes.link[used], (routes.split_ratio / n_members)[used]
        n_pairs, at_node = routes.n_pairs[route], at_node[used]
        if routes.present_ratio is not None:
            n_pairs, chance = n_pairs * routes.present_ratio[used], chance / routes.present_ratio[used]
        if routes.at_node_ratio is not None:
            at_node = np.minimum(1.0, at_node / routes.at_node_ratio[used])
        # links to other ports of the target's cards are no choice
        n_next = np.maximum(1, np.round(at_node / chance).astype(np.int64))
        group, of_first = _groups_of_links(routes, route, link, chance)
        return cls(routes, route, link, n_pairs, chance, n_next, at_node, group, of_first)

    @cached_property
    def load_bytes(self) -> Floats:
        """Mean bytes of each entry on its link; float64[n_entries]."""
        return self.n_pairs * self.routes.pair_bytes[self.route] * self.chance_ratio

    def n_counted(self, *, one_hash: bool = False) -> Floats:
        """Count the links of each group whose load a switch decided; float64[n_groups].

        A link that no switch chose carries exactly the flows of a link of its group before it, if there is one.
        """
        routes, link, group = self.routes, self.link, self.group
        n_groups = int(group.max(initial=-1)) + 1
        counted = np.zeros(len(group), dtype=np.bool_)
        if not one_hash:
            counted[link[self.n_next > 1]] = True
        n_chosen = np.bincount(group[counted], weights=routes.n_members[counted], minlength=n_groups)
        used = np.flatnonzero(group >= 0)
        n_nodes = int(max(routes.tail.max(initial=0), routes.head.max(initial=0))) + 1
        behind = np.isin((group * n_nodes + routes.tail)[used], (group * n_nodes + routes.head)[used])
        ahead = used[~behind]
        n_ahead = np.bincount(group[ahead], weights=routes.n_members[ahead], minlength=n_groups)
        return np.where(n_chosen > 0, n_chosen, n_ahead).astype(np.float64)

    def total_of_group(self, values: Floats) -> Floats:
        """Add up values of entries over the entries of one link of each group; float64[n_groups]."""
        rows = self.of_first
        return sums_by(self.group[self.link[rows]], values[rows])

    @cached_property
    def flow_bytes(self) -> Floats:
        """Bytes of a flow of each group, one per pair: those of equal flows with the same variance of the load."""
        size = self.routes.pair_bytes[self.route]
        return self.total_of_group(self.load_bytes * size) / self.total_of_group(self.load_bytes)

    @cached_property
    def flow_s(self) -> Floats:
        """Time that a flow of each group occupies its link, one per pair; float64[n_groups]."""
        links, capacity = self.link[self.of_first], np.zeros(len(self.flow_bytes))
        capacity[self.group[links]] = self.routes.capacity_bytes_per_s[links]
        return self.flow_bytes / capacity


@dataclass(frozen=True, eq=False)
class LinkGroups:
    """Kinds of groups of one phase, sorted: one row stands for `n_groups` groups that are alike.

    A group is `n_links` equal links; each of `n_flows` flows takes one of them and occupies it for `flow_s`. Figures
    are for one flow per pair.
    """

    n_flows: Floats
    """float64[n]."""
    n_links: Floats
    """float64[n]; whole numbers where the links are symmetric."""
    flow_s: Floats
    """float64[n], time that one flow occupies a link."""
    n_groups: Floats
    """float64[n], independent groups of this kind; a part of one where only some of its links are alike."""
    even_s: float
    """Time of the phase if all switches split evenly, busy cards included."""

    @classmethod
    def of(cls, routes: HashedRoutes, *, one_hash: bool = False) -> LinkGroups:
        """Describe the groups of the links of a phase.

        Flows of different bytes count as (sum w)^2 / sum w^2 equal ones. Groups of uneven chances count as even ones
        with the same mean and variance.

        Args:
            routes: routes of the phase.
            one_hash: all switches use one hash per flow (`polarised`).

        Source:
            Group law of the project's own simulation of flows (fixtures/hash_collisions.json).
        """
        flows = LinkFlows.of(routes.polarised() if one_hash else routes)
        if not len(flows.link):
            return cls._of_columns(np.zeros((4, 0)), routes)
        total = flows.total_of_group(flows.load_bytes)
        n_links = np.maximum(1.0, total / flows.total_of_group(flows.load_bytes * flows.chance_ratio))
        n_flows = total * n_links / flows.flow_bytes
        columns = n_flows, n_links, flows.flow_s, flows.n_counted(one_hash=one_hash) / n_links
        return cls._of_columns(_merged(np.stack(columns)), routes)

    @classmethod
    def _of_columns(cls, columns: Floats, routes: HashedRoutes) -> LinkGroups:
        n_flows, n_links, flow_s, n_groups = columns
        return cls(n_flows, n_links, flow_s, n_groups, routes.even_s)


def _groups_of_links(routes: HashedRoutes, route: Ints, link: Ints, chance: Floats) -> tuple[Ints, Ints]:
    """(group of each link, -1 for an unused one; entries of the first link of each group)."""
    order = np.argsort(link, kind="stable")
    digits = np.round(np.log(chance[order]) * 1e9).astype(np.int64)
    keys = np.stack((route[order], digits), axis=1)
    start = np.flatnonzero(np.diff(link[order], prepend=-1))
    links, bounds = link[order][start], np.append(start, len(order)).tolist()
    group = np.full(len(routes.n_members), -1)
    number: dict[tuple[bytes, float], int] = {}
    firsts: list[Ints] = [np.zeros(0, np.int64)]
    capacity = routes.capacity_bytes_per_s[links].tolist()
    for i, row in enumerate(links.tolist()):
        entries = slice(bounds[i], bounds[i + 1])
        key = keys[entries].tobytes(), rounded(capacity[i])  # what demands leave depends on the order of their sums
        if key not in number:
            number[key] = len(number)
            firsts.append(order[entries])
        group[row] = number[key]
    return group, np.concatenate(firsts)


def _merged(columns: Floats) -> Floats:
    """Sort groups and add up the numbers of those that are alike, so that names and order change no bit.

    Args:
        columns: n_flows, n_links, flow_s, n_groups by row; float64[4, n].
    """
    figures = np.array([[rounded(x) for x in column] for column in columns.tolist()])
    keys, rows = np.unique(figures[:3], axis=1, return_inverse=True)
    rows = rows.ravel()
    order = np.argsort(figures[3])
    return np.vstack((keys, sums_by(rows[order], figures[3][order])))
