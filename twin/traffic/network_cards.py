"""Network cards of racks and hosts: which ports a card has, and which cards are lost.

A node with accelerators has K rails: the rails of the switches at its links, or one rail if no switch states one.
Accelerator i uses rail i mod K, and on that rail card (i div K) mod C of its C cards. The members of the node's links
on a rail are its ports, link by link in order of the switches; port p belongs to card p mod C. Members that are down
are the last ones of their link.

A port is alive if its link is lit and its switch is in the fabric of its rail and site. That is the part of the network
that most nodes reach with their ports of this rail, and each part that more than half of them reach. Of equal parts it
is that of most accelerators, then that of the first node. A card with an alive port is alive.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import NO_CODE, Bools, Floats, Ints, State, at_an_end, at_both_ends
from ..kernels.parts import label_parts


@dataclass(frozen=True, eq=False)
class CardPorts:
    """Links at nodes with accelerators that carry their network cards, by node, rail, switch and link; [n_rows]."""

    node: Ints
    switch: Ints
    rail: Ints
    """Number of the rail; -1 without rails."""
    link: Ints


@dataclass(frozen=True, eq=False)
class CardStates:
    """Cards of some nodes. Node x has rails first_rail[x] to first_rail[x] + n_rails[x] - 1, each with its cards."""

    first_rail: Ints
    """int64[n_nodes]; -1 for nodes that are not listed: all their cards are alive."""
    n_rails: Ints
    """int64[n_nodes]."""
    first_card: Ints
    """int64[n_rails + 1]: the cards of rail r are first_card[r] to first_card[r + 1] - 1."""
    alive: Bools
    """bool[n_cards]."""
    open_ratio: Floats
    """Share of the ports of each card that is alive; float64[n_cards]."""
    rail_of_row: Ints
    """Rail of each row of `ports`; int64[n_rows]."""
    ports: CardPorts
    """Ports of the listed nodes."""
    n_alive: Ints
    """Members of each row of `ports` that reach the fabric of their rail."""
    dark: Bools
    """Rows of `ports` whose link carries no traffic."""

    def card_of(self, node: Ints, slot: Ints) -> Ints:
        """Return the card of accelerators of listed nodes, by their number in the node.

        node, slot: int64[n]. Returns int64[n].
        """
        n_rails = np.maximum(self.n_rails[node], 1)
        rail = self.first_rail[node] + slot % n_rails
        n_cards = np.diff(self.first_card)[rail]
        return np.asarray(self.first_card[rail] + (slot // n_rails) % np.maximum(n_cards, 1))

    def rail_of(self, card: Ints) -> Ints:
        """Return the rail of each card."""
        return np.searchsorted(self.first_card, card, side="right") - 1


def card_ports(state: State) -> CardPorts:
    """Collect the links between nodes with accelerators and nodes that forward; with rails only those of a rail."""
    ends, forwards = state["link_ends"], state["node_forwards"]
    holds = (state["node_n_accelerators"] > 0) & ~forwards
    side = np.where(holds[ends[:, 0]], 0, 1)
    rows = np.flatnonzero(at_an_end(holds[ends]) & at_an_end(forwards[ends]))
    node, switch = ends[rows, side[rows]], ends[rows, 1 - side[rows]]
    rail = state["node_rail"][switch]
    has_rail = np.zeros(state.n_nodes, dtype=bool)
    has_rail[node[rail >= 0]] = True
    used = (rail >= 0) | ~has_rail[node]
    node, switch, rail, rows = node[used], switch[used], rail[used], rows[used]
    order = np.lexsort((rows, switch, rail, node))
    return CardPorts(node[order], switch[order], rail[order], rows[order])


def fabric_parts(state: State, lit: Bools) -> Ints:
    """Label each node with the least node that it reaches over lit links between nodes that forward; int64[n_nodes]."""
    out = np.empty(state.n_nodes, dtype=np.int64)
    ends = state["link_ends"]
    label_parts(ends, lit & at_both_ends(state["node_forwards"][ends]), out)
    return out


def card_states(state: State, ports: CardPorts, parts: Ints, lit: Bools, used: Bools) -> CardStates | None:
    """Find the cards of the nodes where a port is not alive, or which state fewer cards than accelerators.

    Args:
        state: columns of the network.
        ports: ports of all nodes.
        parts: part of each node, see `fabric_parts`.
        lit: links that carry traffic; bool[n_links].
        used: nodes of the job; bool[n_nodes].

    Returns:
        The cards of these nodes; None if there is no such node.
    """
    of_job = used[ports.node]
    ports = _take(ports, of_job)
    n_alive = np.where(lit[ports.link], state["n_members_up"][ports.link], 0)
    n_alive = np.where(_in_fabric(state, ports, parts, n_alive > 0), n_alive, 0)
    listed = np.zeros(state.n_nodes, dtype=bool)
    listed[ports.node[n_alive < state["link_n_parallel"][ports.link]]] = True
    n_stated = state["node_n_cards"]
    listed |= used & (n_stated != NO_CODE) & (n_stated < state["node_n_accelerators"])
    rows = listed[ports.node]
    return _cards_of(state, _take(ports, rows), n_alive[rows], ~lit[ports.link[rows]]) if rows.any() else None


def _take(ports: CardPorts, rows: Bools) -> CardPorts:
    return ports if rows.all() else CardPorts(ports.node[rows], ports.switch[rows], ports.rail[rows], ports.link[rows])


def _in_fabric(state: State, ports: CardPorts, parts: Ints, up: Bools) -> Bools:
    """Ports whose switch is in the fabric of their rail and site, of the ports that are up; bool[n_rows]."""
    n_nodes = state.n_nodes
    rails = ports.rail.max(initial=0) + 2
    fabric = np.unique(state["node_site"][ports.node] * rails + ports.rail, return_inverse=True)[1].ravel()
    keys, reached = np.unique(fabric[up] * n_nodes + parts[ports.switch[up]], return_inverse=True)
    if len(keys) == len(np.unique(keys // n_nodes)):
        return up
    # nodes count, not ports: a card may have two ports in one part, or one each in two planes
    nodes = np.unique(reached.ravel() * n_nodes + ports.node[up])
    n_reaching = np.bincount(nodes // n_nodes, minlength=len(keys))
    of_fabric = np.unique(fabric * n_nodes + ports.node) // n_nodes
    n_of = np.bincount(of_fabric)
    key_fabric = keys // n_nodes
    n_parts = np.bincount(key_fabric)
    is_fabric = (2 * n_reaching > n_of[key_fabric]) | (n_parts[key_fabric] == 1)
    n_accelerators = np.bincount(nodes // n_nodes, weights=state["node_n_accelerators"][nodes % n_nodes])
    size = np.stack((n_reaching, n_accelerators.astype(np.int64)), axis=1)
    for one in np.flatnonzero(n_parts > 1).tolist():
        is_fabric[_largest(np.flatnonzero(key_fabric == one), size, nodes, n_nodes)] = True
    out = np.zeros(len(up), dtype=bool)
    out[np.flatnonzero(up)] = is_fabric[reached.ravel()]
    return out


def _largest(keys: Ints, size: Ints, nodes: Ints, n_nodes: int) -> Ints:
    """Parts that most nodes reach, then most accelerators, then the first node by id; several with the same nodes.

    Ids of switches decide nothing.
    """
    rows = [tuple(column) for column in size[keys].tolist()]
    keys = keys[[row == max(rows) for row in rows]]
    if len(keys) == 1:
        return keys
    bounds = np.searchsorted(nodes, np.stack((keys, keys + 1)) * n_nodes)
    reaching = [(nodes[a:b] % n_nodes).tolist() for a, b in bounds.T.tolist()]
    return keys[[row == min(reaching) for row in reaching]]


def _cards_of(state: State, ports: CardPorts, n_alive: Ints, dark: Bools) -> CardStates:
    """Deal ports to cards, and find the cards with an alive port."""
    starts_node = np.append(True, ports.node[1:] != ports.node[:-1])
    starts_rail = starts_node | np.append(True, ports.rail[1:] != ports.rail[:-1])
    rail_of_row = np.cumsum(starts_rail) - 1
    rows = np.flatnonzero(starts_rail)
    node = ports.node[rows]
    first_rail = np.full(state.n_nodes, NO_CODE, dtype=np.int64)
    first_rail[ports.node[starts_node]] = rail_of_row[starts_node]
    index = np.arange(len(rows)) - first_rail[node]
    n_stated, n_cards = state["node_n_cards"][node], state["n_cards_in_use"][node]
    # with fewer cards than rails, the last rails have none
    n_rails = np.minimum(np.bincount(node, minlength=state.n_nodes)[node], n_cards)
    n_ports = np.bincount(rail_of_row, weights=state["link_n_parallel"][ports.link]).astype(np.int64)
    n_on_rail = np.maximum(0, (n_cards - index + n_rails - 1) // n_rails)
    n_on_rail = np.where(index < n_rails, n_on_rail, 0)
    n_on_rail = np.where(n_stated == NO_CODE, np.minimum(n_on_rail, n_ports), n_on_rail)
    first_card = np.concatenate((np.zeros(1, np.int64), np.cumsum(n_on_rail)))
    rails_of_node = np.zeros(state.n_nodes, dtype=np.int64)
    rails_of_node[node] = n_rails
    n_parallel = state["link_n_parallel"][ports.link]
    n_open, n_all = (_ports_by_card(n_parallel, n, rail_of_row, starts_rail, first_card) for n in (n_alive, n_parallel))
    alive, open_ratio = n_open > 0, n_open / np.maximum(n_all, 1)
    return CardStates(first_rail, rails_of_node, first_card, alive, open_ratio, rail_of_row, ports, n_alive, dark)


def _ports_by_card(n_parallel: Ints, n_first: Ints, rail_of_row: Ints, starts_rail: Bools, first_card: Ints) -> Ints:
    """Ports of each card among the first `n_first` members of each link; int64[n_cards]."""
    before = np.cumsum(n_parallel) - n_parallel
    offset = before - before[starts_rail][rail_of_row]
    n_cards = np.diff(first_card)
    of_row = n_cards[rail_of_row]
    # whole rounds reach all cards of the rail, the rest those after the ports before
    n_rounds, n_more = np.divmod(np.where(of_row > 0, n_first, 0), np.maximum(of_row, 1))
    row = np.repeat(np.arange(len(n_more)), n_more)
    place = np.arange(len(row)) - np.repeat(np.cumsum(n_more) - n_more, n_more)
    card = first_card[rail_of_row[row]] + (offset[row] + place) % of_row[row]
    on_rail = np.bincount(rail_of_row, weights=n_rounds, minlength=len(n_cards)).astype(np.int64)
    return np.asarray(np.repeat(on_rail, n_cards) + np.bincount(card, minlength=int(first_card[-1])))
