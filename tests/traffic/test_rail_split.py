"""Split of traffic over rails where ports are lost: by hand, and cards that carry for others beside a walk."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import numpy as np
import pytest

from tests.traffic.routes import members_by_arc
from tests.training.cases import state_of
from twin.traffic.rail_split import NodePorts, RailSplit, carried_cards, merged_traces
from twin.traffic.routing import Router

S1, S2 = 10, 11
"""Switches of rail 1 and rail 2; nodes 0 to 9 are hosts."""
NODE_RAIL = np.array([-1] * 10 + [1, 2])


def ports(**more: Any) -> NodePorts:
    """Four whole members to the switch of each rail, and two cards a rail in turn."""
    fields: dict[str, Any] = {
        "switch": np.array([S1, S2]),
        "n_members": np.array([4.0, 4.0]),
        "up_ratio": np.ones(2),
        "open_ratio": np.ones(2),
        "switch_rail": np.array([1, 2]),
        "rail": np.array([1, 2]),
        "carried_ratio": np.ones(2),
        "card_rail": np.array([1, 2, 1, 2]),
        "card_domain": np.zeros(4, np.int64),
        "card_alive": np.ones(4, np.bool_),
    }
    return NodePorts(**fields | {name: np.array(value) for name, value in more.items()})


def weights(
    a: NodePorts | None, b: NodePorts | None, out: list[float], into: list[float], to_next: bool = False
) -> tuple[list[float], list[float]]:
    """Weights at the sender 0 and the receiver 1, by the links to the switches; members that are up: out, into."""
    nodes = {i: node for i, node in enumerate((a, b)) if node is not None}
    split = RailSplit(nodes, np.ones(12, np.bool_), NODE_RAIL, to_next)
    switch = np.array([S1, S2])
    first, last = split.weights(0, 1, (switch[: len(out)], np.array(out)), (switch[: len(into)], np.array(into)))
    return first.tolist(), last.tolist()


def test_a_rail_gets_what_the_cards_of_the_receiver_carry() -> None:
    """The receiver has half of its second rail: the sender puts half of the usual part there."""
    half = ports(up_ratio=[1.0, 0.5], carried_ratio=[1.0, 0.5])
    assert weights(None, half, [4.0, 4.0], [4.0, 2.0]) == ([4.0, 4.0], [4.0, 2.0])
    assert weights(None, half, [8.0, 8.0], [4.0, 2.0]) == ([8.0, 8.0], [8.0, 4.0]), "in members of the sender"


def test_a_sender_with_lost_ports_splits_by_its_cards() -> None:
    """One of four members is left on the second rail, and half of them reach its fabric."""
    few = ports(up_ratio=[1.0, 0.25], open_ratio=[1.0, 0.5], carried_ratio=[1.0, 0.25])
    assert weights(few, None, [4.0, 1.0], [4.0, 4.0]) == ([4.0, 2.0], [4.0, 1.0])


def test_a_dark_link_leaves_its_traffic_to_the_others_of_its_rail() -> None:
    """Both switches are of rail 1 and the second is dark for the sender: all 8 members come over the first."""
    dark = ports(up_ratio=[1.0, 0.0], open_ratio=[1.0, 0.0], switch_rail=[1, 1], rail=[1], carried_ratio=[0.75])
    split = RailSplit({0: dark}, np.ones(12, np.bool_), np.array([-1] * 10 + [1, 1]), False)
    switch = np.array([S1, S2])
    first, last = split.weights(0, 1, (switch[:1], np.array([4.0])), (switch, np.array([4.0, 4.0])))
    assert (first.tolist(), last.tolist()) == ([4.0], [6.0, 0.0])


def test_a_rail_without_a_member_up_gets_nothing() -> None:
    gone = ports(up_ratio=[1.0, 0.0], carried_ratio=[1.0, 1.0])
    assert weights(None, gone, [4.0, 4.0], [4.0, 0.0]) == ([4.0, 4.0], [4.0, 0.0])


def test_a_rail_without_an_open_port_gets_nothing() -> None:
    closed = ports(open_ratio=[1.0, 0.0], carried_ratio=[1.0, 0.0])
    assert weights(None, closed, [4.0, 4.0], [4.0, 4.0]) == ([4.0, 4.0], [4.0, 0.0])
    assert weights(closed, None, [4.0, 4.0], [4.0, 4.0]) == ([4.0, 0.0], [4.0, 0.0])


@pytest.mark.parametrize(
    ("own", "other", "to_next", "want"),
    [
        ([1.0, 0.5], [0.75, 1.0], False, [3.0, 2.0]),
        ([1.0, 0.5], [0.75, 0.25], False, [3.0, 1.0]),
        ([1.5, 0.5], [1.0, 0.75], True, [6.0, 3.0]),
        ([1.5, 0.0], [1.0, 0.75], True, [6.0, 0.0]),
    ],
)
def test_two_ends_with_other_cards(own: list[float], other: list[float], to_next: bool, want: list[float]) -> None:
    """All cards together carry what the weaker end does; the next card that is left, what it has to at either end."""
    a, b = ports(carried_ratio=own), ports(carried_ratio=other, card_domain=[0, 0, 1, 1])
    assert weights(a, b, [4.0, 4.0], [4.0, 4.0], to_next)[1] == want


def test_a_rail_carries_no_more_than_the_ports_that_both_ends_have_on_a_switch() -> None:
    """Both switches are of rail 1. One end has all ports on the first alone, the other has half of them there.

    So a quarter of the ports of the rail is common: 1/4 of 8 members, all of them over the first switch.
    """
    one: dict[str, Any] = {"switch_rail": [1, 1], "rail": [1]}
    a = ports(**one, open_ratio=[1.0, 0.0], carried_ratio=[0.5])
    b = ports(**one, open_ratio=[0.5, 1.0], carried_ratio=[0.75])
    switch, members = np.array([S1, S2]), np.array([4.0, 4.0])
    for by_ports, want in ((False, [4.0, 0.0]), (True, [2.0, 0.0])):
        split = RailSplit({0: a, 1: b}, np.ones(12, np.bool_), np.array([-1] * 10 + [1, 1]), False, by_ports)
        assert split.weights(0, 1, (switch, members), (switch, members))[1].tolist() == want


def test_a_rail_that_only_one_end_has_counts_as_whole_at_the_other() -> None:
    a, b = ports(rail=[1], carried_ratio=[0.5]), ports(rail=[2], carried_ratio=[0.25])
    assert weights(a, b, [4.0, 4.0], [4.0, 4.0])[1] == [2.0, 1.0]


def test_the_next_card_carries_for_one_that_is_lost_at_either_end() -> None:
    """Cards 0 and 2 on rail 1, 1 and 3 on rail 2. Without card 1 here, or there, card 2 carries for two."""
    lost, whole = ports(card_alive=[True, False, True, True]), ports()
    for a, b in ((lost, whole), (whole, lost), (lost, lost)):
        assert weights(a, b, [4.0, 4.0], [4.0, 4.0], to_next=True)[1] == [6.0, 2.0]
    third = ports(card_alive=[True, True, False, True])
    assert weights(lost, third, [4.0, 4.0], [4.0, 4.0], to_next=True)[1] == [2.0, 6.0], "card 3 carries for 1 and 2"


def test_only_senders_of_the_job_split_by_both_ends() -> None:
    is_sender = np.arange(12) < 2
    split = RailSplit({1: ports(), 5: ports()}, is_sender, NODE_RAIL, False)
    assert [split.applies(a, b) for a, b in ((0, 5), (1, 0), (1, 5), (0, 2), (5, 1), (2, 5))] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]


def test_nodes_that_split_alike_stay_together() -> None:
    """Nodes 0 to 4 are attached alike, and so are 5 to 7; nodes 0, 2, 4 and 6 have lost ports."""
    groups = np.array([0, 0, 0, 0, 0, 5, 5, 5, 8])
    half, other = ports(up_ratio=[1.0, 0.5]), ports(up_ratio=[0.5, 1.0])
    split = RailSplit({0: half, 2: half, 4: other, 6: half}, np.ones(9, np.bool_), NODE_RAIL, False)
    assert split.groups(groups).tolist() == [0, 1, 0, 1, 4, 5, 6, 5, 8]
    assert groups.tolist() == [0, 0, 0, 0, 0, 5, 5, 5, 8], "the argument stays as it is"


def test_whole_nodes_of_two_groups_stay_apart() -> None:
    """The first nodes of both groups have lost ports, so others stand for those that have not."""
    split = RailSplit({0: ports(), 3: ports()}, np.ones(6, np.bool_), NODE_RAIL, False)
    assert split.groups(np.array([0, 0, 0, 3, 3, 3])).tolist() == [0, 1, 1, 3, 4, 4]


@pytest.mark.parametrize("column", [field.name for field in dataclasses.fields(NodePorts)])
def test_every_column_but_the_switches_tells_nodes_apart(column: str) -> None:
    whole = ports()
    changed = getattr(whole, column).copy()
    changed[-1] = not changed[-1] if changed.dtype == np.bool_ else changed[-1] + 1
    other = dataclasses.replace(whole, **{column: changed})
    assert (other.signature == whole.signature) == (column in ("switch", "switch_rail"))


def test_columns_by_switch_are_1_elsewhere() -> None:
    node = ports(open_ratio=[0.5, 0.25])
    assert node.by_switch(node.open_ratio, np.array([11, 3, 10, 12])).tolist() == [0.25, 1.0, 0.5, 1.0]


def test_whole_members_over_those_of_lit_links() -> None:
    node = ports(n_members=[6.0, 2.0], up_ratio=[0.5, 0.0], switch_rail=[1, 1])
    assert node.whole_over_lit(1) == pytest.approx(8 / 6)
    assert node.whole_over_lit(2) == 1.0
    assert ports(up_ratio=[0.0, 0.5]).whole_over_lit(1) == 1.0, "no link is lit"


def test_traces_add_up_in_topological_order() -> None:
    """Arcs 6 and 2 leave node 0, arc 4 leaves node 1 one hop on, and arc 0 leaves node 2 two hops on."""
    one = np.array([6, 4, 0]), np.array([0, 1, 2]), np.array([0.5, 0.5, 0.5]), np.array([0.0, 1.0, 2.0])
    other = np.array([2, 4, 0]), np.array([0, 1, 2]), np.array([0.25, 0.25, 0.5]), np.array([0.0, 1.0, 2.0])
    arcs, fractions = merged_traces([one, other])
    assert arcs.tolist() == [2, 6, 4, 0]
    assert fractions.tolist() == [0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize("seed", range(40))
def test_the_next_card_left_in_the_domain_carries_for_a_lost_one(seed: int) -> None:
    draw = random.Random(seed)
    domain = sorted(draw.choices(range(3), k=draw.randint(1, 10)))
    alive = [draw.random() < draw.choice([0.3, 0.8]) for _ in domain]
    want = [int(is_alive) for is_alive in alive]
    for card, is_alive in enumerate(alive):
        ring = [other for other in range(len(domain)) if domain[other] == domain[card]]
        start = ring.index(card)
        heirs = [other for other in ring[start:] + ring[:start] if alive[other]]
        if not is_alive and heirs:
            want[heirs[0]] += 1
    assert carried_cards(np.array(domain), np.array(alive)).tolist() == want


def routed_gbps(split_of: dict[str, NodePorts], rails: list[int], is_sender: bool = True) -> list[dict[str, float]]:
    """Load by link, + from the host and - to it, of 6 Gb/s from h0 to h1, and to h2.

    Links have four members, but only two are up from h1 to the second leaf.
    """
    nodes = [{"id": f"h{i}", "kind": "host"} for i in range(3)]
    nodes += [{"id": f"s{i}", "kind": "leaf", "rail": rail} for i, rail in enumerate(rails)]
    links = [{"id": f"h{i}~s{j}", "ends": [f"h{i}", f"s{j}"], "n_parallel": 4} for i in range(3) for j in range(2)]
    links[3]["n_failed"] = 2
    state = state_of({"nodes": nodes, "links": links})[0]
    split = RailSplit(
        {state.node_index[name]: node for name, node in split_of.items()},
        np.full(state.n_nodes, is_sender),
        np.array([-1, -1, -1, *rails]),
        False,
    )
    router = Router(state, state["link_up"])
    found = []
    for amounts in ([6.0, 0.0], [0.0, 6.0]):
        routes = router.routes(members_by_arc(state), np.array([0, 0]), np.array([1, 2]), split)
        assert routes.reachable.tolist() == [True, True]
        load = routes.loads(np.array(amounts))
        ways = [f"{name}{way}" for name in state.link_ids for way in "+-"]
        found.append({way: gbps for way, gbps in zip(ways, load.tolist(), strict=True) if gbps})
    return found


def test_a_router_puts_on_each_rail_what_the_receiver_carries() -> None:
    """h1 carries half on its second rail: 4 and 2 of 6. To h2, which is whole, both rails carry 3."""
    half = ports(switch=[3, 4], up_ratio=[1.0, 0.5], carried_ratio=[1.0, 0.5])
    first, other = routed_gbps({"h1": half}, [1, 2])
    assert first == pytest.approx({"h0~s0+": 4.0, "h0~s1+": 2.0, "h1~s0-": 4.0, "h1~s1-": 2.0})
    assert other == pytest.approx({"h0~s0+": 3.0, "h0~s1+": 3.0, "h2~s0-": 3.0, "h2~s1-": 3.0})


def test_a_router_follows_the_open_ports_within_a_rail() -> None:
    """Both leaves are of one rail; the members of h1 that reach its fabric are 4 and 2."""
    one_rail = ports(
        switch=[3, 4], up_ratio=[1.0, 0.5], open_ratio=[1.0, 0.5], switch_rail=[1, 1], rail=[1], carried_ratio=[0.75]
    )
    first, other = routed_gbps({"h1": one_rail}, [1, 1])
    assert first == pytest.approx({"h0~s0+": 4.0, "h0~s1+": 2.0, "h1~s0-": 4.0, "h1~s1-": 2.0})
    assert other == pytest.approx({"h0~s0+": 3.0, "h0~s1+": 3.0, "h2~s0-": 3.0, "h2~s1-": 3.0})


def test_a_router_splits_for_others_by_their_own_links() -> None:
    half = ports(switch=[3, 4], up_ratio=[1.0, 0.5], carried_ratio=[1.0, 0.5])
    first, _ = routed_gbps({"h1": half}, [1, 2], is_sender=False)
    assert first == pytest.approx({"h0~s0+": 3.0, "h0~s1+": 3.0, "h1~s0-": 3.0, "h1~s1-": 3.0})


def test_where_no_open_link_is_on_a_shortest_path_each_node_splits_by_its_own() -> None:
    closed = ports(switch=[3, 4], open_ratio=[0.0, 0.0], carried_ratio=[0.0, 0.0])
    first, _ = routed_gbps({"h1": closed}, [1, 2])
    assert first == pytest.approx({"h0~s0+": 3.0, "h0~s1+": 3.0, "h1~s0-": 3.0, "h1~s1-": 3.0})
