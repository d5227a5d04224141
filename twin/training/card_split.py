"""Where the traffic of a job goes while some of its ports are lost, by node, rail and card."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Bools, Floats, Ints, State
from ..arrays.sums import sums_by
from ..traffic.network_cards import CardStates
from ..traffic.rail_split import NodePorts, RailSplit
from .card_relays import CardRelays, CardsOfNode
from .placed_groups import PlacedGroup


@dataclass(frozen=True, eq=False)
class DomainCards:
    """Cards of the NVLink domains of a group, one row for each card of a domain, in order of domain and slot."""

    domain: Ints
    card: Ints
    alive: Bools
    load: Ints
    """Cards whose traffic the card carries; 0 for a lost card."""
    rate_ratio: Floats
    """Rate that the card takes part with over that of a whole card; 0 for a lost card."""
    n_ranks: Ints
    """Ranks by domain."""


def rail_split(
    state: State,
    states: CardStates,
    tables: list[DomainCards],
    groups: tuple[PlacedGroup, ...],
    idled: tuple[Bools, ...],
    *,
    spread: str,
) -> RailSplit | None:
    """Collect the nodes of a job with lost ports, and what their rails carry; None where all ports are whole.

    Args:
        state: columns of the network.
        states: cards of the nodes.
        tables: cards by group.
        groups: groups of the placement with all cards.
        idled: blocks of replicas that cannot go on, by group.
        spread: `all` or `one` card carries for a lost one; `none`: their accelerators are left out.
    """
    ports = states.ports
    n_members = state["link_n_parallel"][ports.link].astype(np.float64)
    short = np.unique(ports.node[states.n_alive < n_members])
    if not len(short):
        return None
    n_rails = len(states.first_card) - 1
    carried_ratio = _kept_ratio(states, groups, idled) if spread == "none" else _carried_ratio(states, tables, spread)
    # a link to a dead switch has members up, but carries nothing
    n_up = np.where(states.dark, 0, state["n_members_up"][ports.link])
    row_of_rail = np.searchsorted(states.rail_of_row, np.arange(n_rails))
    number, node_of_rail = ports.rail[row_of_rail], ports.node[row_of_rail]
    cards = _cards_by_node(states, tables, node_of_rail) if spread == "one" else {}
    none = np.zeros(0, np.int64)
    bounds = np.searchsorted(ports.node, np.stack((short, short + 1)))
    nodes = {}
    for node, first, last in zip(short.tolist(), *bounds.tolist(), strict=True):
        rows = slice(first, last)
        switch, at = np.unique(ports.switch[rows], return_inverse=True)
        members, up, open_ = (sums_by(at.reshape(-1), column[rows]) for column in (n_members, n_up, states.n_alive))
        rails = np.unique(states.rail_of_row[rows])
        rail, domain, rate_ratio = cards.get(node, (none, none, none.astype(np.float64)))
        nodes[node] = NodePorts(
            switch=switch,
            n_members=members,
            up_ratio=up / members,
            open_ratio=open_ / members,
            switch_rail=state["node_rail"][switch].astype(np.int64),
            rail=number[rails],
            carried_ratio=carried_ratio[rails],
            card_rail=number[rail],
            card_domain=domain,
            card_alive=rate_ratio > 0,
        )
    is_sender = np.zeros(state.n_nodes, dtype=np.bool_)
    for group in groups:
        is_sender[group.rack] = True
    return RailSplit(nodes, is_sender, state["node_rail"], spread == "one", spread == "all")


def card_relays(states: CardStates, tables: list[DomainCards], *, to_next: bool) -> CardRelays | None:
    """Collect the cards of nodes where a card is lost or has less than its rate; None without such nodes.

    Args:
        states: cards of the nodes.
        tables: cards by group.
        to_next: whether the next card that is left carries for a lost one.
    """
    row_of_rail = np.searchsorted(states.rail_of_row, np.arange(len(states.first_card) - 1))
    number, node_of_rail = states.ports.rail[row_of_rail], states.ports.node[row_of_rail]
    cards = {
        node: (number[rail], domain, rate_ratio)
        for node, (rail, domain, rate_ratio) in _cards_by_node(states, tables, node_of_rail).items()
        if (rate_ratio < 1.0).any()
    }
    return CardRelays(cards, to_next) if cards else None


def _carried_ratio(states: CardStates, tables: list[DomainCards], spread: str) -> Floats:
    """Cards whose traffic a rail carries over its cards of the job, by rail; 1 without such cards."""
    n_rails = len(states.first_card) - 1
    n_cards, carried = np.zeros(n_rails), np.zeros(n_rails)
    for table in tables:
        rail = states.rail_of(table.card)
        n_cards += np.bincount(rail, minlength=n_rails)
        carried += sums_by(rail, table.load if spread == "one" else table.rate_ratio, n_rails)
    return np.where(n_cards > 0, carried / np.maximum(n_cards, 1.0), 1.0)


def _kept_ratio(states: CardStates, groups: tuple[PlacedGroup, ...], idled: tuple[Bools, ...]) -> Floats:
    """Accelerators of replicas that go on over all of the job, by rail; 1 without any."""
    n_rails = len(states.first_card) - 1
    n_ranks, n_kept = np.zeros(n_rails), np.zeros(n_rails)
    for group, blocks in zip(groups, idled, strict=True):
        rows = np.flatnonzero(states.first_rail[group.rack] >= 0)
        rail = states.rail_of(states.card_of(group.rack[rows], group.slot[rows]))
        kept = ~np.repeat(blocks, len(group.rack) // len(blocks))[rows]
        n_ranks += np.bincount(rail, minlength=n_rails)
        n_kept += sums_by(rail, kept, n_rails)
    return np.where(n_kept > 0, n_kept / np.maximum(n_ranks, 1.0), np.where(n_ranks > 0, 0.0, 1.0))


def _cards_by_node(states: CardStates, tables: list[DomainCards], node_of_rail: Ints) -> dict[int, CardsOfNode]:
    """(rail, domain, rate) of the cards of each node; domains count from the first one of the node."""
    out: dict[int, CardsOfNode] = {}
    for table in tables:
        if not len(table.card):
            continue
        rail = states.rail_of(table.card)
        node = node_of_rail[rail]
        order = np.argsort(node, kind="stable")
        names, first = np.unique(node[order], return_index=True)
        for name, rows in zip(names.tolist(), np.split(order, first[1:]), strict=True):
            own = rail[rows], table.domain[rows] - table.domain[rows].min(), table.rate_ratio[rows]
            if name in out:
                old = out[name]
                own = (
                    np.concatenate((old[0], own[0])),
                    np.concatenate((old[1], own[1] + old[1].max() + 1)),
                    np.concatenate((old[2], own[2])),
                )
            out[name] = own
    return out
