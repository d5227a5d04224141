"""Traffic of a job by node, rail and card while ports are lost: three hosts of four accelerators on two rails, by hand.

Each host has two members to the leaf of rail 5 and two to that of rail 7, so four cards. Accelerators 0 and 2 use the
first and second card on rail 5, accelerators 1 and 3 those on rail 7. The cards count by rail: 0, 1 and 2, 3. The last
member of a link fails first, so a host with a failed member of rail 5 has lost card 1, that of accelerator 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pytest

from tests.training.cases import state_of
from twin.arrays import State
from twin.model.jobs import Placement
from twin.traffic.network_cards import CardStates, card_ports, card_states, fabric_parts
from twin.traffic.rail_split import RailSplit
from twin.training.card_split import DomainCards, card_relays, rail_split
from twin.training.placed_groups import PlacedGroup

HOSTS = ("a", "b", "c")
RAILS = {"l5": 5, "l7": 7}


def cards_of(
    links: Mapping[str, int] | None = None,
    dark: Iterable[str] = (),
    more: Iterable[tuple[str, str]] = (),
    n_cards: Mapping[str, int] | None = None,
    rails: Mapping[str, int] = RAILS,
) -> tuple[State, CardStates]:
    """Columns and cards.

    links: failed members by link. dark: links that carry nothing. more: second links of two members, as host and leaf.
    n_cards: stated cards by host. rails: rail by leaf.
    """
    nodes: list[dict[str, Any]] = [
        {"id": host, "kind": "host", "accelerator": "H100", "n_accelerators": 4} for host in HOSTS
    ]
    for node in nodes:
        if node["id"] in (n_cards or {}):
            node["n_cards"] = (n_cards or {})[node["id"]]
    nodes += [{"id": leaf, "kind": "leaf", "rail": rail} for leaf, rail in rails.items()]
    cables = [(host, leaf, f"{host}~{leaf}") for host in HOSTS for leaf in RAILS]
    cables += [(host, leaf, f"{host}~{leaf}~2") for host, leaf in more]
    state, _ = state_of(
        {
            "nodes": nodes,
            "links": [
                {"id": name, "ends": [host, leaf], "capacity_gbps": 400.0, "n_parallel": 2}
                | {"n_failed": (links or {}).get(name, 0)}
                for host, leaf, name in cables
            ],
        }
    )
    lit = state.in_service & ~np.isin(np.array(state.link_ids), list(dark))
    used = state["node_n_accelerators"] > 0
    states = card_states(state, card_ports(state), fabric_parts(state, lit), lit, used)
    assert states is not None
    return state, states


def group_of(state: State, *ranks: tuple[str, int], domains: list[int] | None = None) -> PlacedGroup:
    """Ranks as host and accelerator; each host is a domain unless said."""
    rack = np.array([state.node_index[host] for host, _ in ranks], dtype=np.int64)
    slot = np.array([slot for _, slot in ranks], dtype=np.int64)
    domain = np.array([HOSTS.index(host) for host, _ in ranks] if domains is None else domains, dtype=np.int64)
    return PlacedGroup("s", "H100", 1, rack, slot, domain, 0, 1, Placement("s"))


def table_of(
    state: State, states: CardStates, *cards: tuple[str, int, float], load: list[int] | None = None, **more: list[int]
) -> DomainCards:
    """Cards as host, accelerator and rate; `load` and `domain` by card, or the cards that are left and the host."""
    group = group_of(state, *((host, slot) for host, slot, _ in cards), domains=more.get("domain"))
    rate_ratio = np.array([rate for *_, rate in cards], dtype=np.float64)
    alive = rate_ratio > 0
    column = alive.astype(np.int64) if load is None else np.array(load)
    card = states.card_of(group.rack, group.slot)
    return DomainCards(group.domain, card, alive, column, rate_ratio, np.bincount(group.domain))


def every(*hosts: str) -> list[tuple[str, int]]:
    return [(host, slot) for host in hosts for slot in range(4)]


def rates(host: str, *rate_ratio: float) -> list[tuple[str, int, float]]:
    return [(host, slot, rate) for slot, rate in enumerate(rate_ratio)]


def split_of(state: State, states: CardStates, tables: list[DomainCards], spread: str) -> RailSplit:
    found = rail_split(state, states, tables, (), (), spread=spread)
    assert found is not None
    return found


def carried(found: RailSplit | None, state: State) -> dict[str, list[float]]:
    """Carried ratio of rails 5 and 7 by host."""
    assert found is not None
    return {state.node_ids[row]: ports.carried_ratio.tolist() for row, ports in found.nodes.items()}


# --- nodes that are short, and their ports ----------------------------------------------------------------------------


def test_only_a_node_with_a_lost_port_is_short() -> None:
    """Host a states two cards for four accelerators: it is listed, but its ports are whole. Host c is not listed."""
    state, states = cards_of({"b~l5": 1}, n_cards={"a": 2})
    tables = [table_of(state, states, *rates("a", 1, 1), *rates("b", 1, 1, 0, 1))]
    assert carried(split_of(state, states, tables, "all"), state) == {"b": [0.5, 1.0]}


def test_whole_ports_need_no_split() -> None:
    state, states = cards_of(n_cards={"a": 2})
    tables = [table_of(state, states, *rates("a", 1, 1))]
    assert rail_split(state, states, tables, (), (), spread="all") is None


def test_ports_by_switch_and_rail() -> None:
    """One of two members to the leaf of rail 5 is up; those to rail 7 are whole."""
    state, states = cards_of({"b~l5": 1})
    found = split_of(state, states, [table_of(state, states, *rates("b", 1, 1, 0, 1))], "all")
    (ports,) = found.nodes.values()
    assert ports.switch.tolist() == [state.node_index["l5"], state.node_index["l7"]]
    assert ports.n_members.tolist() == [2.0, 2.0]
    assert ports.up_ratio.tolist() == [0.5, 1.0]
    assert ports.open_ratio.tolist() == [0.5, 1.0]
    assert ports.switch_rail.tolist() == [5, 7]
    assert ports.rail.tolist() == [5, 7]
    assert (len(ports.card_rail), len(ports.card_domain), len(ports.card_alive)) == (0, 0, 0), "only for the next card"


def test_two_links_to_one_switch_are_one_row() -> None:
    """Two links of two members each; one of the four is down."""
    state, states = cards_of({"b~l5~2": 1}, more=[("b", "l5")])
    (ports,) = split_of(state, states, [], "all").nodes.values()
    assert ports.n_members.tolist() == [4.0, 2.0]
    assert ports.up_ratio.tolist() == [0.75, 1.0]
    assert ports.open_ratio.tolist() == [0.75, 1.0]


def test_a_dark_link_has_no_member_up() -> None:
    state, states = cards_of(dark=["b~l7"])
    (ports,) = split_of(state, states, [], "all").nodes.values()
    assert (ports.up_ratio.tolist(), ports.open_ratio.tolist()) == ([1.0, 0.0], [1.0, 0.0])


def test_a_switch_beside_the_fabric_is_up_but_not_open() -> None:
    """Only host b reaches the second leaf of rail 5, so that leaf is not in the fabric of the rail."""
    state, states = cards_of(more=[("b", "x5")], rails=RAILS | {"x5": 5})
    (ports,) = split_of(state, states, [], "all").nodes.values()
    assert ports.switch_rail.tolist() == [5, 7, 5]
    assert (ports.up_ratio.tolist(), ports.open_ratio.tolist()) == ([1.0, 1.0, 1.0], [1.0, 1.0, 0.0])
    assert (ports.rail.tolist(), ports.carried_ratio.tolist()) == ([5, 7], [1.0, 1.0])


def test_nodes_of_the_groups_send() -> None:
    state, states = cards_of({"b~l5": 1})
    groups = group_of(state, *every("b")), group_of(state, *every("c"))
    kept = np.array([False])
    found = rail_split(state, states, [], groups, (kept, kept), spread="all")
    assert found is not None
    assert [state.node_ids[row] for row in np.flatnonzero(found.is_sender)] == ["b", "c"]
    assert len(found.is_sender) == 5
    assert found.node_rail.tolist() == [-1, -1, -1, 5, 7]


@pytest.mark.parametrize(("spread", "to_next"), [("all", False), ("one", True), ("none", False)])
def test_only_with_one_heir_the_next_card_carries(spread: str, to_next: bool) -> None:
    state, states = cards_of({"b~l5": 1})
    assert split_of(state, states, [], spread).to_next is to_next


# --- what each rail carries -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spread", "want"),
    [
        ("all", [(1 + 0) / 2, (1 + 1) / 2]),
        ("one", [(1 + 0) / 2, (1 + 2) / 2]),
    ],
)
def test_cards_that_are_left_carry(spread: str, want: list[float]) -> None:
    """Card of accelerator 2 is lost. All carry by their rate, or that of accelerator 3 carries for two."""
    state, states = cards_of({"b~l5": 1})
    tables = [table_of(state, states, *rates("b", 1, 1, 0, 1), load=[1, 1, 0, 2])]
    assert carried(split_of(state, states, tables, spread), state) == {"b": want}


@pytest.mark.parametrize(("spread", "want"), [("all", [0.75, 1.0]), ("one", [1.0, 1.0])])
def test_a_card_with_half_of_its_ports_carries_half_with_all_others(spread: str, want: list[float]) -> None:
    state, states = cards_of({"b~l5~2": 1}, more=[("b", "l5")])
    tables = [table_of(state, states, *rates("b", 1, 1, 0.5, 1))]
    assert carried(split_of(state, states, tables, spread), state) == {"b": want}


@pytest.mark.parametrize(
    ("slot", "rate", "load", "spread", "want"),
    [
        (0, 1.0, 1, "all", [1.0, 1.0]),
        (0, 1.0, 2, "one", [2.0, 1.0]),
        (2, 0.0, 0, "all", [0.0, 1.0]),
        (2, 0.0, 0, "one", [0.0, 1.0]),
        (3, 1.0, 3, "one", [1.0, 3.0]),
    ],
)
def test_a_job_with_one_card_on_a_rail(slot: int, rate: float, load: int, spread: str, want: list[float]) -> None:
    """One card over one card; the rail without cards of the job counts as whole."""
    state, states = cards_of({"b~l5": 1})
    tables = [table_of(state, states, ("b", slot, rate), load=[load])]
    assert carried(split_of(state, states, tables, spread), state) == {"b": want}


def test_each_node_gets_its_own_rails() -> None:
    """Host a lost a card on rail 7, host b both on rail 5."""
    state, states = cards_of({"a~l7": 1, "b~l5": 2})
    tables = [table_of(state, states, *rates("a", 1, 1, 1, 0), *rates("b", 0, 1, 0, 1))]
    assert carried(split_of(state, states, tables, "all"), state) == {"a": [1.0, 0.5], "b": [0.0, 1.0]}


def test_cards_of_two_groups_on_one_node_add_up() -> None:
    """Accelerators 0 and 1 belong to one group, 2 and 3 to another: (1 + 0) / 2 on rail 5, (1 + 2) / 2 on rail 7."""
    state, states = cards_of({"b~l5": 1})
    tables = [
        table_of(state, states, ("b", 0, 1), ("b", 1, 1), domain=[0, 0]),
        table_of(state, states, ("b", 2, 0), ("b", 3, 1), domain=[0, 0], load=[0, 2]),
    ]
    assert carried(split_of(state, states, tables, "all"), state) == {"b": [0.5, 1.0]}
    assert carried(split_of(state, states, tables, "one"), state) == {"b": [0.5, 1.5]}


# --- replicas that are left out ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slots", "idled", "want"),
    [
        ((0, 1, 2, 3), [True], [0 / 2, 0 / 2]),
        ((0, 1, 2, 3), [False], [2 / 2, 2 / 2]),
        ((0, 1, 2, 3), [False, True], [1 / 2, 1 / 2]),
        ((0, 1, 2, 3), [True, False, False, False], [1 / 2, 2 / 2]),
        ((0, 1, 2, 3), [False, False, True, True], [1 / 2, 1 / 2]),
        ((0, 1, 2, 3), [False, True, False, True], [2 / 2, 0 / 2]),
        ((0, 1), [False, False], [1 / 1, 1 / 1]),
        ((0, 1), [False, True], [1 / 1, 0 / 1]),
        ((1,), [False], [1.0, 1 / 1]),
        ((0, 2), [True, False], [1 / 2, 1.0]),
        ((2,), [True], [0 / 1, 1.0]),
    ],
)
def test_blocks_that_stop_leave_their_part_of_the_rails(
    slots: tuple[int, ...], idled: list[bool], want: list[float]
) -> None:
    """Even accelerators are on rail 5, odd ones on rail 7; a rail without accelerators of the job counts as whole."""
    state, states = cards_of({"b~l5": 1})
    group = group_of(state, *(("b", slot) for slot in slots))
    assert carried(rail_split(state, states, [], (group,), (np.array(idled),), spread="none"), state) == {"b": want}


def test_blocks_follow_the_ranks_of_hosts_that_are_not_listed() -> None:
    """Blocks of six ranks: a 0-3 and b 0-1 go on, b 2-3 and c 0-3 stop. Host a has all ports and is not listed."""
    state, states = cards_of({"b~l5": 1, "c~l5": 1})
    group = group_of(state, *every("a", "b", "c"))
    found = rail_split(state, states, [], (group,), (np.array([False, True]),), spread="none")
    assert carried(found, state) == {"b": [1 / 2, 1 / 2], "c": [0 / 2, 0 / 2]}


def test_ranks_of_two_groups_on_one_node_add_up() -> None:
    """The first group keeps accelerators 0 and 1; the second keeps 3 and stops with 2: 1 of 2 and 2 of 2."""
    state, states = cards_of({"b~l5": 1})
    groups = group_of(state, ("b", 0), ("b", 1)), group_of(state, ("b", 2), ("b", 3))
    idled = np.array([False]), np.array([True, False])
    assert carried(rail_split(state, states, [], groups, idled, spread="none"), state) == {"b": [1 / 2, 2 / 2]}


def test_accelerators_count_also_where_they_share_a_card() -> None:
    """One stated card a rail: accelerators 0 and 2 share that of rail 5, and one of them stops."""
    state, states = cards_of({"b~l5": 1}, n_cards={"b": 2})
    group = group_of(state, *every("b"))
    idled = np.array([False, False, True, False])
    assert carried(rail_split(state, states, [], (group,), (idled,), spread="none"), state) == {"b": [1 / 2, 2 / 2]}


# --- cards of a node --------------------------------------------------------------------------------------------------


def node_cards(found: RailSplit, row: int) -> tuple[list[int], list[int], list[bool]]:
    ports = found.nodes[row]
    return ports.card_rail.tolist(), ports.card_domain.tolist(), ports.card_alive.tolist()


def test_cards_are_in_order_of_slots_with_the_numbers_of_their_rails() -> None:
    state, states = cards_of({"b~l5": 1})
    found = split_of(state, states, [table_of(state, states, *rates("b", 1, 1, 0, 1))], "one")
    assert node_cards(found, state.node_index["b"]) == ([5, 7, 5, 7], [0, 0, 0, 0], [True, True, False, True])


def test_domains_count_from_the_first_one_of_the_node() -> None:
    """Two domains of two on each host: 0 and 1 on host a, 2 and 3 on host b."""
    state, states = cards_of({"a~l7": 1, "b~l5": 1})
    cards = [*rates("a", 1, 1, 1, 0), *rates("b", 1, 1, 0, 1)]
    found = split_of(state, states, [table_of(state, states, *cards, domain=[0, 0, 1, 1, 2, 2, 3, 3])], "one")
    assert node_cards(found, state.node_index["a"]) == ([5, 7, 5, 7], [0, 0, 1, 1], [True, True, True, False])
    assert node_cards(found, state.node_index["b"]) == ([5, 7, 5, 7], [0, 0, 1, 1], [True, True, False, True])


def test_cards_of_a_second_group_follow_with_domains_of_their_own() -> None:
    """Domains are numbered anew in each group. A group without cards of listed nodes adds none."""
    state, states = cards_of({"b~l5": 1})
    tables = [
        table_of(state, states),
        table_of(state, states, ("b", 1, 1), ("b", 2, 0), domain=[4, 5]),
        table_of(state, states, ("b", 0, 1), ("b", 3, 1), domain=[1, 1]),
    ]
    found = split_of(state, states, tables, "one")
    assert node_cards(found, state.node_index["b"]) == ([7, 5, 5, 7], [0, 1, 2, 2], [True, False, True, True])


def test_a_node_without_cards_of_the_job_has_none() -> None:
    state, states = cards_of({"a~l7": 1, "b~l5": 1})
    found = split_of(state, states, [table_of(state, states, *rates("b", 1, 1, 0, 1))], "one")
    assert node_cards(found, state.node_index["a"]) == ([], [], [])


def test_a_pair_whose_ends_lost_other_cards_uses_those_alive_at_both() -> None:
    """Host a lost the card of accelerator 3, host b that of 2. That of 0 carries for both, round the domain; that of 1
    its own. So rail 5 carries 3 cards over 2, rail 7 carries 1 over 2, each times two members.
    """
    state, states = cards_of({"a~l7": 1, "b~l5": 1})
    cards = [*rates("a", 1, 1, 1, 0), *rates("b", 1, 1, 0, 1)]
    table = table_of(state, states, *cards, load=[2, 1, 1, 0, 1, 1, 0, 2])
    found = rail_split(state, states, [table], (group_of(state, *every("a", "b")),), (), spread="one")
    assert found is not None
    a, b = state.node_index["a"], state.node_index["b"]
    switch = np.array([state.node_index["l5"], state.node_index["l7"]])
    out, into = (switch, np.array([2.0, 1.0])), (switch, np.array([1.0, 2.0]))
    assert found.weights(a, b, out, into)[1].tolist() == [2 * 3 / 2, 2 * 1 / 2]
    assert found.weights(b, a, into, out)[1].tolist() == [2 * 3 / 2, 2 * 1 / 2]


# --- who carries for lost cards ---------------------------------------------------------------------------------------


def test_only_nodes_with_a_card_below_its_rate_have_relays() -> None:
    """Host a has all its cards (two of them stated), host b lost one, and host c has half of the ports of one."""
    state, states = cards_of({"b~l5": 1, "c~l7": 1}, n_cards={"a": 2})
    table = table_of(state, states, *rates("a", 1, 1), *rates("b", 1, 1, 0, 1), *rates("c", 1, 1, 1, 0.5))
    found = card_relays(states, [table], to_next=False)
    assert found is not None
    assert found.to_next is False
    assert {state.node_ids[row]: [column.tolist() for column in cards] for row, cards in found.cards.items()} == {
        "b": [[5, 7, 5, 7], [0, 0, 0, 0], [1.0, 1.0, 0.0, 1.0]],
        "c": [[5, 7, 5, 7], [0, 0, 0, 0], [1.0, 1.0, 1.0, 0.5]],
    }


def test_relays_of_two_groups_hold_all_cards_of_a_node() -> None:
    """The first group has all its cards; the second one lost one, so the node is in."""
    state, states = cards_of({"b~l5": 1})
    tables = [
        table_of(state, states, ("b", 0, 1), ("b", 1, 1), domain=[1, 1]),
        table_of(state, states, ("b", 2, 0), ("b", 3, 1), domain=[3, 3]),
    ]
    found = card_relays(states, tables, to_next=True)
    assert found is not None
    assert found.to_next is True
    (cards,) = found.cards.values()
    assert [column.tolist() for column in cards] == [[5, 7, 5, 7], [0, 0, 1, 1], [1.0, 1.0, 0.0, 1.0]]


def test_whole_cards_need_no_relays() -> None:
    state, states = cards_of({"b~l5": 1})
    assert card_relays(states, [table_of(state, states, ("b", 0, 1), ("b", 1, 1))], to_next=False) is None
    assert card_relays(states, [], to_next=True) is None
