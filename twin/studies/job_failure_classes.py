"""Classes of failures that do the same to a job: what it uses, and what stands in equal places."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, cast

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..arrays import TIERS, Bools, Floats, Ints, State, at_an_end, at_both_ends
from ..failures.swaps import Orbits, find_orbits
from ..stages.evaluation import Evaluation
from ..structure.partitions import articulation_points
from ..traffic.network_cards import CardPorts
from ..traffic.routing import Router
from ..traffic.twin_nodes import equal_rows
from ..training.balancing_rules import BalancingRules
from ..training.cards import members_down
from ..training.link_loads import PairTable
from ..training.placement import JobPlacement
from ..workload.job_arithmetic import layout_of
from .alike_links import alike_links
from .equal_surroundings import links_in_equal_surroundings
from .shifted_replicas import shifted_links

BY_ORBIT, BY_CARDS, BY_PLACE, BY_SHIFT, ALONE, ALIKE = "orbit", "cards", "place", "shift", "alone", "alike"
"""Failures are equal by exchange of equal places, by the cards that they take, by equal surroundings of racks, by a
shift of all replicas, to no other, or only alike."""


class FailureClass(NamedTuple):
    """Failures that do the same to a job: why they do, and what they have in common."""

    mode: str
    """BY_ORBIT, BY_CARDS, BY_PLACE, BY_SHIFT, ALONE or ALIKE."""
    key: Hashable


NODE_COLUMNS = ("node_part", "node_kind", "node_forwards", "node_site", "node_accelerator", "node_n_accelerators")


@dataclass(frozen=True, eq=False)
class Failed:
    """Links and nodes that fail together."""

    id: str
    links: Ints
    """Rows of links; int64[any]."""
    nodes: Ints
    """Rows of nodes, which fail with all their links; int64[any]."""
    whole: bool = True
    """True where all members of the links fail, not one."""
    of: tuple[Failed, ...] = ()
    """The two failures of a pair; empty for a single failure."""

    def applied(self, state: State) -> State:
        """Return the state after the failure, as the changes `fail_links`, `fail_nodes` and `fail_srlg` give it."""
        if len(self.nodes):
            return state.with_values("node_up", self.nodes, False)
        if self.whole:
            return state.with_values("link_up", self.links, False)
        n_failed = np.minimum(state["link_n_failed"][self.links] + 1, state["link_n_parallel"][self.links])
        return state.with_values("link_n_failed", self.links, n_failed)


class JobPlaces:
    """Where the links and nodes of a network stand to a job."""

    def __init__(self, e: Evaluation, links: Ints) -> None:
        """Find what the job uses.

        Args:
            e: evaluation of the intact network with a job that runs.
            links: rows of the links that carry traffic.
        """
        self._e, self._state, self._links = e, e.case.state, links
        state, ends = self._state, self._state["link_ends"]
        self._placed = cast(JobPlacement, e.outcome("allocation"))
        pairs = cast(PairTable, e.outcome("job_pairs"))
        self._is_job_node = np.zeros(state.n_nodes, np.bool_)
        for rows in (pairs.source, pairs.target, *(group.rack for group in self._placed.groups)):
            self._is_job_node[rows] = True
        self._at_job = at_an_end(self._is_job_node[ends])
        self._is_wide = np.asarray(state.link_tier == TIERS.index("wide_area"))
        self._has_accelerators = state["node_n_accelerators"] > 0
        self._is_busy = self._loaded() | self._at_job | self._is_wide
        cut_nodes, bridges = self._cuts()
        self._is_busy[bridges] = True
        self._is_cut = np.zeros(state.n_nodes, np.bool_)
        self._is_cut[cut_nodes] = True
        assert e.case.job is not None
        rails_are_whole = self._rails_are_whole()
        self._by_cards = e.case.job.on_card_loss == "stop" and rails_are_whole
        self._keeps_ranks = e.case.job.on_card_loss == "pxn" and rails_are_whole

    def classes(self, failed: Sequence[Failed]) -> Iterator[FailureClass | None]:
        """Yield the class of each failure; None where the job goes on as before."""
        state, ends = self._state, self._state["link_ends"]
        n_busy = np.zeros(state.n_nodes, np.int64)
        for side in (0, 1):
            n_busy += np.bincount(
                ends[self._links, side], weights=self._is_busy[self._links], minlength=len(n_busy)
            ).astype(np.int64)
        for item in failed:
            if item.of:
                yield self._key_of_pair(item)
            elif len(item.links) == 1 and not len(item.nodes):
                yield self._key_of_link(int(item.links[0]), item)
            elif len(item.nodes) == 1 and not len(item.links):
                yield self._key_of_node(int(item.nodes[0]), bool(n_busy[item.nodes[0]]), item)
            else:
                yield FailureClass(ALONE, item.id)

    def alike(self, key: FailureClass, first: Failed) -> FailureClass:
        """Return the coarser class of a class: failures of single links that are alike, but in unequal places.

        Args:
            key: the class.
            first: a failure of the class.
        """
        is_link = len(first.links) == 1 and not len(first.nodes) and not first.of
        place = int(self._place_of_link[first.links[0]]) if is_link else -1
        if key.mode == BY_CARDS or place < 0:
            return key
        return FailureClass(ALIKE, int(self._likeness[place]))

    def is_idle(self, failed: Failed) -> bool:
        """Return whether a failure is of one link alone that the job, and what counts beside it, does without."""
        return len(failed.links) == 1 and not len(failed.nodes) and not self._is_busy[failed.links[0]]

    def _key_of_pair(self, pair: Failed) -> FailureClass | None:
        """Class of two failures together: alone, unless both are idle links without which all stays connected.

        A link that carries nothing may be the way around another one, so a pair is not what its failures are.
        """
        if len(pair.nodes) or any(len(item.links) != 1 for item in pair.of):
            return FailureClass(ALONE, pair.id)
        a, b = (self._key_of_link(int(item.links[0]), item) for item in pair.of)
        if a is None and b is None and self._stays_connected(pair.links):
            return None
        are_cards = a is not None and b is not None and a.mode == b.mode == BY_CARDS
        return FailureClass(BY_CARDS if are_cards else ALONE, pair.id)

    def _stays_connected(self, failed: Ints) -> bool:
        """Return whether switches are connected without some links as they are with them."""
        return self._n_parts(self._switch_links[~np.isin(self._switch_links, failed)]) == self._n_intact_parts

    def _n_parts(self, links: Ints) -> int:
        first, second = self._state["link_ends"][links].T
        n = self._state.n_nodes
        graph = coo_array((np.ones(len(links), np.int8), (first, second)), shape=(n, n))
        return int(connected_components(graph, directed=False, return_labels=False))

    @cached_property
    def _n_intact_parts(self) -> int:
        return self._n_parts(self._switch_links)

    @cached_property
    def _switch_links(self) -> Ints:
        """Links between nodes that forward."""
        ends = self._state["link_ends"][self._links]
        return np.asarray(self._links[at_both_ends(self._state["node_forwards"][ends])])

    def _key_of_link(self, link: int, item: Failed) -> FailureClass | None:
        if not self._is_busy[link]:
            return None
        if not self._at_job[link]:
            return FailureClass(BY_ORBIT, int(self._orbits.link[self._place_of_link[link]]))
        place = int(self._place_of_link[link])
        if self._keeps_ranks and place >= 0:
            if self._surroundings[place] >= 0:
                return FailureClass(BY_PLACE, int(self._surroundings[place]))
            first = int(self._shifted[place])
            return FailureClass(BY_SHIFT, first) if self._n_shifted[first] > 1 else FailureClass(ALONE, item.id)
        port = self._ports_by_link.get(link) if self._by_cards else None
        return FailureClass(ALONE, item.id) if port is None else FailureClass(BY_CARDS, port)

    def _key_of_node(self, node: int, is_busy: bool, item: Failed) -> FailureClass | None:
        if self._has_accelerators[node]:
            goes_on = not self._is_job_node[node] and not is_busy and self._is_spare(node)
            return None if goes_on else FailureClass(ALONE, item.id)
        if not is_busy and not self._is_cut[node]:
            return None
        attached = self._links_at.get(node, [])
        if not any(self._at_job[link] for link in attached):
            alone, orbit = FailureClass(ALONE, item.id), FailureClass(BY_ORBIT, int(self._orbits.node[node]))
            return alone if self._is_job_node[node] else orbit
        ports = [self._ports_by_link.get(link) for link in attached if self._at_job[link]]
        if not self._by_cards or self._is_cut[node] or self._is_job_node[node] or None in ports:
            return FailureClass(ALONE, item.id)
        return FailureClass(BY_CARDS, tuple(sorted(cast("list[tuple[Any, ...]]", ports))))

    def cause(self, failed: Failed) -> str:
        """Return what a text about lost cards calls the failure; of a pair, which stands for itself, its ids."""
        if failed.of:
            return f"{failed.id} are down"
        if len(failed.nodes):
            return f"{failed.id} is down"
        n_all = int(self._state["link_n_parallel"][failed.links[0]])
        n_down = n_all if failed.whole else n_all + 1 - int(self._state.n_members_up[failed.links[0]])
        some = members_down(n_down, n_all, failed.id)
        return some if n_down < n_all else f"link {failed.id} is down"

    def spares_health(self, failed: Failed) -> bool:
        """Return whether a failure changes the capacity of nothing but the links that fail, all of them known."""
        ends = self._state["link_ends"][failed.links]
        spared = failed.whole and len(failed.links) > 0 and not len(failed.nodes)
        return bool(spared and not self._is_wide[failed.links].any() and not self._has_accelerators[ends].any())

    def _loaded(self) -> Bools:
        """Links that carry traffic of the job or of demands, bool[n_links]."""
        out = np.zeros(self._state.n_links, np.bool_)
        if self._e.loads is not None:
            out[self._e.loads.arc // 2] = True
        if self._e.demands is not None:
            out |= at_an_end((self._e.demands.arc_offered_gbps != 0.0).reshape(-1, 2))
        return out

    def _cuts(self) -> tuple[Ints, Ints]:
        """(nodes, links) without which switches lose the connection to each other."""
        ends = self._state["link_ends"][self._links]
        rows = np.flatnonzero(at_both_ends(self._state["node_forwards"][ends]))
        nodes, bridges = articulation_points(self._state.n_nodes, ends[rows])
        return np.array(nodes, np.int64), self._links[rows[np.array(bridges, np.int64)]]

    def _is_spare(self, node: int) -> bool:
        """Return whether the job takes the same accelerators without a node, which holds none of its ranks."""
        state = self._state
        alike = (state["node_site"] == state["node_site"][node]) & state["node_up"] & self._has_accelerators
        alike &= state["node_accelerator"] == state["node_accelerator"][node]
        used = np.flatnonzero(alike & self._is_job_node)
        n_spare = int((alike & ~self._is_job_node).sum())
        is_last = not len(used) or node > int(used[-1])
        return n_spare > 1 and is_last

    @cached_property
    def _links_at(self) -> dict[int, list[int]]:
        """Links that carry traffic, by node that forwards."""
        out: dict[int, list[int]] = {}
        forwards = self._state["node_forwards"]
        for link, pair in zip(self._links.tolist(), self._state["link_ends"][self._links].tolist(), strict=True):
            for node in pair:
                if forwards[node]:
                    out.setdefault(node, []).append(link)
        return out

    def _rails_are_whole(self) -> bool:
        """Return whether all ports of the job on a rail of a site are in one part of the network."""
        ports, parts = cast(CardPorts, self._e.outcome("card_ports")), cast(Ints, self._e.outcome("fabric_parts"))
        of_job = self._is_job_node[ports.node]
        key = np.stack((self._state["node_site"][ports.node], ports.rail), axis=1)[of_job]
        both = np.concatenate((key, parts[ports.switch][of_job, None]), axis=1)
        return len(np.unique(key, axis=0)) == len(np.unique(both, axis=0))

    @cached_property
    def _ports_by_link(self) -> dict[int, tuple[Any, ...]]:
        """By link of a card of the job: its node, its place among equal rails, and the ranks on the cards of its rail.

        Failures of links of equal rows take cards of equally many ranks of the same replicas.
        """
        ports, state = cast(CardPorts, self._e.outcome("card_ports")), self._state
        ranks = self._ranks_by_node
        out: dict[int, tuple[Any, ...]] = {}
        rows = np.flatnonzero(self._is_job_node[ports.node])
        bounds = np.flatnonzero(np.diff(ports.node[rows])) + 1
        for at_node in np.split(rows, bounds):
            if not len(at_node):
                continue
            node = int(ports.node[at_node[0]])
            rails = np.unique(ports.rail[at_node])
            n_rails = min(len(rails), int(state["n_cards_in_use"][node]))
            for i, rail in enumerate(rails.tolist()):
                on_rail = at_node[ports.rail[at_node] == rail]
                links = ports.link[on_rail]
                members = tuple(
                    zip(state["link_n_parallel"][links].tolist(), state.n_members_up[links].tolist(), strict=True)
                )
                group, domain, block, slot = ranks.get(node, np.zeros((4, 0), np.int64))
                chosen = slot % max(n_rails, 1) == i
                if i >= n_rails:
                    chosen[:] = False
                of_ranks = np.stack((group, domain, block, slot // max(n_rails, 1)))[:, chosen]
                signature = of_ranks[:, np.lexsort(of_ranks[::-1])].tobytes()
                for place, link in enumerate(links.tolist()):
                    out[link] = (node, place, members, len(rails) - n_rails, signature)
        return out

    @cached_property
    def _ranks_by_node(self) -> dict[int, Ints]:
        """(group, NVLink domain, block, slot) of the ranks on each node, int64[4, n_ranks]."""
        assert self._e.case.job is not None
        n_block_replicas = layout_of(self._e.case.job, 1).n_block_replicas
        columns = [np.zeros((5, 0), np.int64)]
        for i, group in enumerate(self._placed.groups):
            n = len(group.rack)
            block = np.arange(n) // (n * n_block_replicas // group.n_replicas)
            columns.append(np.stack((group.rack, np.full(n, i), group.domain, block, group.slot)))
        table = np.concatenate(columns, axis=1)
        table = table[:, np.argsort(table[0], kind="stable")]
        bounds = np.flatnonzero(np.diff(table[0])) + 1
        return {int(part[0, 0]): part[1:] for part in np.split(table, bounds, axis=1) if part.shape[1]}

    @cached_property
    def _place_of_link(self) -> Ints:
        """Position of each link among those between nodes that forward or belong to the job; -1 for others."""
        place = np.full(self._state.n_links, -1, np.int64)
        place[self._kept_links] = np.arange(len(self._kept_links))
        return place

    @cached_property
    def _kept_links(self) -> Ints:
        """Links of nodes that forward, or that traffic enters and leaves at."""
        keep = self._state["node_forwards"] | self._is_end_point
        return np.asarray(self._links[at_both_ends(keep[self._state["link_ends"][self._links]])])

    @cached_property
    def _is_end_point(self) -> Bools:
        """Nodes of the job and of demands, bool[n_nodes]."""
        out = self._is_job_node.copy()
        pairs = self._e.demand_pairs
        if pairs is not None:
            out[pairs.source] = out[pairs.target] = True
        return out

    @cached_property
    def _orbits(self) -> Orbits:
        state, links = self._state, self._kept_links
        wanted = np.zeros(state.n_nodes, np.bool_)
        wanted[state["link_ends"][links[self._is_busy[links] & ~self._at_job[links]]]] = True
        return find_orbits(
            state["link_ends"][links], self._arc_code, state["node_forwards"], self._is_end_point, wanted
        )

    @cached_property
    def _surroundings(self) -> Ints:
        return links_in_equal_surroundings(self._e, self._kept_links, self._arc_code, self._ranks_by_node)

    @cached_property
    def _shifted(self) -> Ints:
        return shifted_links(self._e, self._kept_links, self._arc_code)

    @cached_property
    def _n_shifted(self) -> Ints:
        """Links that a shift carries to each, which is the least of them; 0 at others."""
        return np.bincount(self._shifted, minlength=len(self._shifted))

    @cached_property
    def _likeness(self) -> Ints:
        return alike_links(self._e, self._kept_links, self._arc_code)

    @cached_property
    def _arc_code(self) -> Ints:
        """Kind of each arc of kept links: equal where all that a step reads of arc, link and ends is equal."""
        e, state, links = self._e, self._state, self._kept_links
        health, router = e.health, cast(Router, e.outcome("router"))
        arcs = (2 * links[:, None] + np.array([0, 1])).reshape(-1)
        by_arc: list[Floats] = [
            router.weight,
            cast(Floats, e.outcome("split_share")),
            health.arc_capacity_gbps,
            health.arc_sending_gbps,
            health.arc_member_gbps,
            health.arc_latency_us,
            health.headroom.by_arc("lost_bytes", 2 * state.n_links, 0.0),
            cast(BalancingRules, e.outcome("arc_balancing")).of_arc.astype(np.float64),
        ]
        if e.demands is not None:
            by_arc.append(e.demands.arc_carried_gbps)
        by_link = (
            health.loss_ratio,
            state.n_members_up,
            state["link_n_parallel"],
            state.link_tier,
            state.link_length_km,
        )
        # where ports are lost, both ends of a pair agree on the part of each rail
        has_split = e.cards is not None and e.cards.rail_split is not None
        names = (*NODE_COLUMNS, "node_rail") if has_split else NODE_COLUMNS
        nodes = np.ascontiguousarray(np.stack([state[name] for name in names], axis=1).astype(np.int64))
        tail = state["link_ends"][links].reshape(-1)
        columns = [*(column[arcs] for column in by_arc), *(np.repeat(column[links], 2) for column in by_link)]
        table = np.stack([*columns, equal_rows(nodes)[tail]], axis=1).astype(np.float64)
        back = table.reshape(-1, 2, table.shape[1])[:, ::-1].reshape(table.shape)
        return equal_rows(np.ascontiguousarray(np.concatenate((table, back), axis=1)).view(np.int64))
