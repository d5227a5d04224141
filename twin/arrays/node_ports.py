"""Pieces and ports of the parts that nodes name: switches, servers and network cards."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..catalogue import KINDS, Part
from ..catalogue.figure_reader import FigureReader
from .columns import NO_CODE, Bools, Floats, Ints
from .state import State

CARD_KINDS = frozenset({"card", "server"})
"""Kinds of parts whose ports are those of network cards."""


class NodePorts(NamedTuple):
    """Ports of each node, float64[n_nodes] each; NaN for a node without a part."""

    n_ports: Floats
    port_gbps: Floats


def is_of_kinds(state: State, reader: FigureReader, kinds: frozenset[str]) -> Bools:
    """Tell which nodes have a part of one of these kinds, bool[n_nodes]."""
    ids = {part.id for kind in KINDS if kind in kinds for part in reader.catalogue.parts(kind)}
    table = np.array([*(part_id in ids for part_id in state["parts"]), False], dtype=np.bool_)
    return np.asarray(table[state["node_part"]])


def figure_of_kind(state: State, reader: FigureReader, name: str, kind: str) -> Floats:
    """Look up a figure of nodes whose part is of a kind, float64[n_nodes]; NaN for other nodes."""
    codes = np.where(is_of_kinds(state, reader, frozenset({kind})), state["node_part"], NO_CODE)
    return reader.by_code(state["parts"], codes, name, kind)


def n_pieces(state: State, reader: FigureReader) -> Ints:
    """Count the pieces of the part of each node, int64[n_nodes].

    A switch is one. Servers are `n_servers`, else the hosts of the accelerators, else one. Cards are `n_cards`, else
    one for each accelerator, else one.
    """
    pieces = np.ones(len(state["node_part"]), dtype=np.int64)
    is_server, is_card = (is_of_kinds(state, reader, frozenset({kind})) for kind in ("server", "card"))
    if is_server.any():
        per_host = reader.by_code(state["parts"], state["node_accelerator"], "n_per_host", "accelerator", 1.0)
        hosts = np.ceil(state["node_n_accelerators"] / np.maximum(per_host, 1.0)).astype(np.int64)
        stated = state["node_n_servers"]
        pieces[is_server] = np.where(stated == NO_CODE, np.maximum(hosts, 1), stated)[is_server]
    if is_card.any():
        stated = state["node_n_cards"]
        n_cards = np.where(stated == NO_CODE, np.maximum(state["node_n_accelerators"], 1), stated)
        pieces[is_card] = n_cards[is_card]
    return pieces


def card_ports(state: State, reader: FigureReader) -> NodePorts:
    """Look up the ports of all servers or cards of each node together; NaN where it names neither."""
    n_ports = port_gbps = np.full(len(state["node_part"]), np.nan)
    if is_of_kinds(state, reader, CARD_KINDS).any():
        pieces = n_pieces(state, reader)
        for kind in sorted(CARD_KINDS):
            n_ports = np.fmin(n_ports, figure_of_kind(state, reader, "n_ports", kind) * pieces)
            port_gbps = np.fmin(port_gbps, figure_of_kind(state, reader, "port_gbps", kind))
    return NodePorts(n_ports, port_gbps)


def card_gbps(state: State, reader: FigureReader) -> Floats:
    """Rate of one network card of the accelerators of each node, float64[n_nodes]; NaN without accelerators.

    A card or server that the node names goes before the `nic_gbps` of its accelerators: all of its ports together,
    over the cards in use.
    """
    rate_gbps = reader.by_code(state["parts"], state["node_accelerator"], "nic_gbps", "accelerator")
    named = (state["node_n_accelerators"] > 0) & is_of_kinds(state, reader, CARD_KINDS)
    if named.any():
        ports = card_ports(state, reader)
        rate_gbps = np.where(named, ports.n_ports * ports.port_gbps / np.maximum(state["n_cards_in_use"], 1), rate_gbps)
    return np.asarray(rate_gbps)


def node_ports(state: State, reader: FigureReader) -> NodePorts:
    """Look up the ports of each node: those of its switch, or of all its servers or cards together."""
    n_ports = reader.by_code(state["parts"], state["node_part"], "n_ports", "switch")
    port_gbps = reader.by_code(state["parts"], state["node_part"], "port_gbps", "switch")
    cards = card_ports(state, reader)
    return NodePorts(np.fmin(n_ports, cards.n_ports), np.fmin(port_gbps, cards.port_gbps))


def link_port_gbps(state: State, reader: FigureReader) -> Floats:
    """Rate of the slower of the card ports at the ends of each link, float64[n_links]; NaN without a card there."""
    port_gbps = np.full(len(state["node_part"]), np.nan)
    if is_of_kinds(state, reader, CARD_KINDS).any():
        for kind in sorted(CARD_KINDS):
            port_gbps = np.fmin(port_gbps, figure_of_kind(state, reader, "port_gbps", kind))
    first, second = state["link_ends"][:, 0], state["link_ends"][:, 1]
    return np.asarray(np.fmin(port_gbps[first], port_gbps[second]))


def stated_gbps(state: State, reader: FigureReader) -> Floats:
    """Stated rate of a member of each link, at most that of a card's port at its ends, float64[n_links].

    A link that states no rate has that of the card's port; NaN where neither is known.
    """
    return np.asarray(np.fmin(state["link_capacity_gbps"], link_port_gbps(state, reader)))


def part_of_ports(part: Part, reader: FigureReader) -> Part:
    """Return the part that has the cages: the card of a server that names one, else the part itself."""
    return part if part.card is None else reader.catalogue.get(part.card, "card")
