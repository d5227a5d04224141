"""Split of traffic over rails by both ends of a pair, where ports or network cards are lost.

A switch splits traffic by the members of its own links. Over the rails of a host the job decides instead: the sender
puts on each rail what the cards of both ends carry there. Otherwise a whole sender would give a rail its usual part,
and the one card that the receiver has left there would carry it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Bools, Floats, Ints
from ..arrays.sums import sum_of, sums_by


@dataclass(frozen=True, eq=False)
class NodePorts:
    """Ports and cards of one node with lost ports: by attached switch (S), by rail (R) and by card (C)."""

    switch: Ints
    """Rows of the switches, ascending; int64[S]."""
    n_members: Floats
    """Members of the links to each switch, whole; float64[S]."""
    up_ratio: Floats
    """Share of these members that is up; float64[S]."""
    open_ratio: Floats
    """Share of them that reaches the fabric of their rail; float64[S]."""
    switch_rail: Ints
    """Number of the rail of each switch, -1 without rails; int64[S]."""
    rail: Ints
    """Numbers of the rails with cards of the job, ascending; int64[R]."""
    carried_ratio: Floats
    """Traffic that the cards of a rail carry over that of whole cards; float64[R]."""
    card_rail: Ints
    """Rail of each card, in order of domain and slot; int64[C]. Empty unless the next card carries for a lost one."""
    card_domain: Ints
    card_alive: Bools

    @property
    def signature(self) -> bytes:
        """All but the switches: nodes that are attached alike and have equal signatures split alike."""
        columns = (self.n_members, self.up_ratio, self.open_ratio, self.rail, self.carried_ratio)
        cards = (self.card_rail, self.card_domain, self.card_alive)
        return b"|".join(column.tobytes() for column in columns + cards)

    def by_switch(self, column: Floats, switch: Ints) -> Floats:
        """Return the column of these switches, 1 for a switch that the node is not attached to."""
        at = np.minimum(np.searchsorted(self.switch, switch), len(self.switch) - 1)
        return np.where(self.switch[at] == switch, column[at], 1.0)

    def whole_over_lit(self, rail: int) -> float:
        """Members of a rail, whole, over those of its links that have a member up."""
        on_rail = self.switch_rail == rail
        n_lit = self.n_members[on_rail & (self.up_ratio > 0)].sum()
        return float(self.n_members[on_rail].sum() / n_lit) if n_lit else 1.0


@dataclass(frozen=True, eq=False)
class RailSplit:
    """Nodes with lost ports, and how the traffic of a job splits over the first links of its senders."""

    nodes: dict[int, NodePorts]
    is_sender: Bools
    """Nodes of the job; others split by their own links. bool[n_nodes]."""
    node_rail: Ints
    """Number of the rail of each node, -1 without; int64[n_nodes]."""
    to_next: bool
    """Whether the next card that is left carries for a lost one, not all cards together."""
    by_ports: bool = False
    """True where a rail carries no more than the ports that both ends have on its switches."""

    def groups(self, groups: Ints) -> Ints:
        """Divide groups of nodes that are attached alike into nodes that split alike; the first member of each."""
        out = groups.copy()
        first: dict[tuple[int, bytes], int] = {}
        for node in sorted(self.nodes):
            out[node] = first.setdefault((int(groups[node]), self.nodes[node].signature), node)
        # a whole node must not be represented by one with lost ports
        moved = np.flatnonzero(np.isin(groups, list(self.nodes)) & ~np.isin(np.arange(len(out)), list(self.nodes)))
        for node in moved.tolist():
            out[node] = first.setdefault((int(groups[node]), b""), node)
        return out

    def applies(self, source: int, target: int) -> bool:
        """Whether a pair splits by both ends: its sender is a node of the job, and one end has lost ports."""
        return bool(self.is_sender[source]) and (source in self.nodes or target in self.nodes)

    def weights(
        self, source: int, target: int, out: tuple[Ints, Floats], into: tuple[Ints, Floats]
    ) -> tuple[Floats, Floats]:
        """Compute the weights of the first links of a sender, and of the last links of its receiver.

        Args:
            source: node row of the sender.
            target: node row of the receiver.
            out: switch at each usable link of the sender, and its weight if the sender splits by its own members.
            into: the same for the receiver.

        Returns:
            float64 by link of the sender, and float64 by link of the receiver.
        """
        a, b = self.nodes.get(source), self.nodes.get(target)
        whole_out, open_out = _whole(a, *out)
        whole_in, open_in = _whole(b, *into)
        if a is not None:
            # both ends of one link between a leaf and the same two nodes
            open_in = np.minimum(open_in, a.by_switch(a.open_ratio, into[0]))
        received = whole_in * open_in
        carried = self._carried_ratio(a, b)
        rail_out, rail_in = self.node_rail[out[0]], self.node_rail[into[0]]
        for rail in np.unique(rail_in[rail_in >= 0]).tolist():
            rows = rail_in == rail
            weight = sum_of(whole_out[rail_out == rail]) * (a.whole_over_lit(rail) if a else 1.0)
            on_rail = sum_of(received[rows])
            if on_rail > 0:
                received[rows] *= weight * carried.get(rail, 1.0) / on_rail
        return np.asarray(whole_out * open_out), np.asarray(received)

    def _carried_ratio(self, a: NodePorts | None, b: NodePorts | None) -> dict[int, float]:
        """Traffic between two nodes by rail, over that of whole cards."""
        if a is None or b is None:
            one = a or b
            assert one is not None
            return dict(zip(one.rail.tolist(), one.carried_ratio.tolist(), strict=True))
        alike = np.array_equal(a.card_rail, b.card_rail) and np.array_equal(a.card_domain, b.card_domain)
        if self.to_next and alike:
            # a card takes part where it is alive at both ends
            load = carried_cards(a.card_domain, a.card_alive & b.card_alive)
            rails, at = np.unique(a.card_rail, return_inverse=True)
            ratio = sums_by(at, load) / np.bincount(at)
            return dict(zip(rails.tolist(), ratio.tolist(), strict=True))
        out = dict(zip(a.rail.tolist(), a.carried_ratio.tolist(), strict=True))
        for rail, ratio in zip(b.rail.tolist(), b.carried_ratio.tolist(), strict=True):
            own = out.get(rail, 1.0)
            out[rail] = max(own, ratio) if self.to_next and min(own, ratio) > 0 else min(own, ratio)
            if self.by_ports:
                out[rail] = min(out[rail], _common_ratio(a, b, rail))
        return out


def _common_ratio(a: NodePorts, b: NodePorts, rail: int) -> float:
    """Share of the ports of a rail that both ends have on the same switches."""
    on_rail = b.switch_rail == rail
    n_members = b.n_members[on_rail]
    common = np.minimum(b.open_ratio[on_rail], a.by_switch(a.open_ratio, b.switch[on_rail]))
    return sum_of(n_members * common) / sum_of(n_members) if len(n_members) else 1.0


def _whole(node: NodePorts | None, switch: Ints, share: Floats) -> tuple[Floats, Floats]:
    """(weight of links with all their members, share of members that reaches the fabric)."""
    if node is None:
        return share, np.ones(len(share))
    up_ratio = node.by_switch(node.up_ratio, switch)
    whole = np.where(up_ratio > 0, share / np.where(up_ratio > 0, up_ratio, 1.0), 0.0)
    return whole, node.by_switch(node.open_ratio, switch)


def merged_traces(parts: list[tuple[Ints, Ints, Floats, Floats]]) -> tuple[Ints, Floats]:
    """Add up traces of shortest paths from one node.

    Args:
        parts: arcs, the nodes that they leave, fractions, and distances of these nodes from the first one.

    Returns:
        Arcs in topological order, all arcs of a node together, and their fractions.
    """
    arcs, tails, fractions, positions = (np.concatenate(column) for column in zip(*parts, strict=True))
    distinct, first, at = np.unique(arcs, return_index=True, return_inverse=True)
    fraction = sums_by(at.reshape(-1), fractions)
    order = np.lexsort((distinct, tails[first], positions[first]))
    return distinct[order], fraction[order]


def carried_cards(domain: Ints, alive: Bools) -> Ints:
    """Cards that each card carries: itself, and the lost ones just before it, round the domain; int64[n_cards]."""
    load = alive.astype(np.int64)
    at = np.flatnonzero(alive)
    if len(at) in (0, len(alive)):
        return load
    lost = np.flatnonzero(~alive)
    following = np.searchsorted(at, lost)
    heir = at[np.minimum(following, len(at) - 1)]
    # the last lost cards of a domain go to its first alive one
    first_alive = at[np.minimum(np.searchsorted(domain[at], domain[lost]), len(at) - 1)]
    heir = np.where((following < len(at)) & (domain[heir] == domain[lost]), heir, first_alive)
    has_heir = domain[heir] == domain[lost]
    np.add.at(load, heir[has_heir], 1)
    return load
