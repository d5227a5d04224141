"""Network cards: ports dealt to cards, and cards without a path to the fabric of their rail."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from tests import naive
from tests.training.cases import state_of
from twin.arrays import State
from twin.traffic.network_cards import CardStates, card_ports, card_states, fabric_parts


def cards_of(data: dict[str, Any]) -> tuple[State, CardStates | None]:
    state, _ = state_of(data)
    lit = state.in_service
    used = (state["node_n_accelerators"] > 0) & state["node_up"]
    ports = card_ports(state)
    return state, card_states(state, ports, fabric_parts(state, lit), lit, used)


def alive_of(data: dict[str, Any], host: str, n: int = 8) -> list[bool]:
    """Tell for each accelerator of a host whether its card is alive."""
    state, states = cards_of(data)
    row = state.node_index[host]
    if states is None or states.first_rail[row] < 0:
        return [True] * n
    return states.alive[states.card_of(np.full(n, row), np.arange(n))].tolist()


def hosts(n: int, **fields: Any) -> list[dict[str, Any]]:
    kind = {"kind": "host", "accelerator": "H100", "n_accelerators": 8}
    return [{"id": f"h{i}", **kind, **fields} for i in range(1, n + 1)]


def cable(host: str, leaf: str, n: int = 8, **fields: Any) -> dict[str, Any]:
    return {"id": f"{host}~{leaf}", "ends": [host, leaf], "capacity_gbps": 400.0, "n_parallel": n, **fields}


def leaves(*names: str, **fields: Any) -> list[dict[str, Any]]:
    return [{"id": name, "kind": "leaf", **fields} for name in names]


def test_members_without_rails_are_the_cards_and_the_last_ones_fail() -> None:
    data = {"nodes": [*hosts(2), *leaves("a")], "links": [cable("h1", "a", n_failed=3), cable("h2", "a")]}
    assert alive_of(data, "h1") == [True] * 5 + [False] * 3
    assert alive_of(data, "h2") == [True] * 8


def test_accelerators_share_the_cards_where_ports_are_fewer() -> None:
    data = {"nodes": [*hosts(2), *leaves("a")], "links": [cable("h1", "a", 2, n_failed=1), cable("h2", "a", 2)]}
    assert alive_of(data, "h1") == [True, False] * 4


def test_accelerator_i_uses_rail_i_and_with_two_hosts_of_accelerators_its_second_card() -> None:
    """Four rails of two ports each for eight accelerators: slot 5 is the second card of the second rail."""
    nodes = [*hosts(2), *({"id": f"l{r}", "kind": "leaf", "rail": r} for r in (1, 2, 3, 4))]
    links = [cable(h, f"l{r}", 2) for h in ("h1", "h2") for r in (1, 2, 3, 4)]
    data = {"nodes": nodes, "links": [link | ({"n_failed": 1} if link["id"] == "h1~l2" else {}) for link in links]}
    assert alive_of(data, "h1") == [slot != 5 for slot in range(8)]
    data = {"nodes": nodes, "links": [link | ({"up": False} if link["id"] == "h1~l2" else {}) for link in links]}
    assert alive_of(data, "h1") == [slot not in (1, 5) for slot in range(8)]


def test_a_link_to_a_switch_without_a_rail_has_no_card_where_others_have_rails() -> None:
    nodes = [*hosts(2), *leaves("storage"), *({"id": f"l{r}", "kind": "leaf", "rail": r} for r in (1, 2))]
    links = [cable(h, f"l{r}", 4) for h in ("h1", "h2") for r in (1, 2)]
    links += [cable(h, "storage", 2, up=False) for h in ("h1", "h2")]
    assert cards_of({"nodes": nodes, "links": links})[1] is None


@pytest.mark.parametrize("n_cards", [8, None])
def test_dual_homed_cards_live_while_a_port_lives(n_cards: int | None) -> None:
    """8 + 8 ports are 8 cards with a port on each of two leaves, which nothing joins."""
    links = [cable(h, leaf) for h in ("h1", "h2", "h3") for leaf in ("a", "b")]
    nodes = hosts(3, n_cards=n_cards) if n_cards else hosts(3)
    data = {"nodes": [*nodes, *leaves("a"), *leaves("b", up=False)], "links": links}
    assert alive_of(data, "h1") == [True] * 8
    links[0] |= {"n_failed": 2}
    assert alive_of(data, "h1") == [True] * 6 + [False] * 2
    assert alive_of(data, "h2") == [True] * 8


def test_fewer_stated_cards_than_rails_use_the_first_rails() -> None:
    nodes = [*hosts(2, n_cards=2), *({"id": f"l{r}", "kind": "leaf", "rail": r} for r in (1, 2, 3))]
    links = [cable(h, f"l{r}", 1) for h in ("h1", "h2") for r in (1, 2, 3)]
    data = {"nodes": nodes, "links": [link | ({"up": False} if link["id"] == "h1~l2" else {}) for link in links]}
    assert alive_of(data, "h1") == [True, False] * 4
    data = {"nodes": nodes, "links": [link | ({"up": False} if link["id"] == "h1~l3" else {}) for link in links]}
    assert alive_of(data, "h1") == [True] * 8


def test_a_leaf_without_uplinks_holds_no_card_of_the_rail_but_two_whole_planes_both_do() -> None:
    nodes = [*hosts(3), *leaves("a", "b"), {"id": "s", "kind": "spine"}]
    up = [cable("a", "s"), cable("b", "s", up=False)]
    links = [cable("h1", "a"), cable("h2", "a"), cable("h3", "b")]
    assert alive_of({"nodes": nodes, "links": links + up}, "h3") == [False] * 8
    assert alive_of({"nodes": nodes, "links": links + up}, "h1") == [True] * 8
    planes = [cable(h, leaf, 4) for h in ("h1", "h2", "h3") for leaf in ("a", "b")]
    assert cards_of({"nodes": nodes, "links": planes + up})[1] is None


def test_sites_do_not_compare_their_fabrics() -> None:
    nodes = [*hosts(3), *leaves("a", "b")]
    for node in nodes:
        node["site"] = "x" if node["id"] in ("h1", "h2", "a") else "y"
    links = [cable("h1", "a"), cable("h2", "a"), cable("h3", "b")]
    assert cards_of({"sites": [{"id": "x"}, {"id": "y"}], "nodes": nodes, "links": links})[1] is None


def test_accelerators_of_fewer_stated_cards_share_them_without_any_fault() -> None:
    """Four cards for eight accelerators: accelerator i uses card i mod 4. Eight cards are as if none were stated."""
    links = [cable(h, "a") for h in ("h1", "h2")]
    state, states = cards_of({"nodes": [*hosts(2, n_cards=4), *leaves("a")], "links": links})
    assert states is not None
    assert states.alive.tolist() == [True] * 8
    row = state.node_index["h2"]
    assert states.card_of(np.full(8, row), np.arange(8)).tolist() == [4, 5, 6, 7] * 2
    assert states.rail_of(np.arange(8)).tolist() == [0] * 4 + [1] * 4
    assert cards_of({"nodes": [*hosts(2, n_cards=8), *leaves("a")], "links": links})[1] is None


def test_rails_go_by_their_number_and_not_by_the_name_of_their_switch() -> None:
    nodes = [*hosts(2), {"id": "z", "kind": "leaf", "rail": 1}, {"id": "a", "kind": "leaf", "rail": 2}]
    links = [cable(h, leaf, 4) for h in ("h1", "h2") for leaf in ("z", "a")]
    links[0] |= {"up": False}
    assert alive_of({"nodes": nodes, "links": links}, "h1") == [False, True] * 4


def test_rails_of_two_sites_are_fabrics_of_their_own() -> None:
    """Three hosts of site x on rail 3, and one of site y on rail 1: none is a part of the other's fabric."""
    nodes = [node | {"site": "x"} for node in hosts(4)]
    nodes[3]["site"] = "y"
    for site in "xy":
        nodes += [{"id": f"{site}{rail}", "kind": "leaf", "rail": rail, "site": site} for rail in (1, 2, 3)]
    links = [cable(h, f"x{rail}", 2) for h in ("h1", "h2", "h3") for rail in (2, 3)] + [cable("h4", "y1", 8)]
    assert cards_of({"sites": [{"id": "x"}, {"id": "y"}], "nodes": nodes, "links": links})[1] is None


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_equal_halves_of_a_rail_are_told_apart_by_accelerators_and_hosts_not_by_switches(
    names: tuple[str, str],
) -> None:
    """Two hosts on each of two leaves that nothing joins: the half of most accelerators, else of the first host."""
    of_first, of_second = names
    links = [cable("h1", of_first), cable("h2", of_first), cable("h3", of_second), cable("h4", of_second)]
    data = {"nodes": [*hosts(4), *leaves("a", "b")], "links": links}
    assert [all(alive_of(data, f"h{i}")) for i in (1, 2, 3, 4)] == [True, True, False, False]
    data["nodes"][3]["n_accelerators"] = 16
    assert [all(alive_of(data, f"h{i}")) for i in (1, 2, 3, 4)] == [False, False, True, True]


@pytest.mark.parametrize("dead", ["a", "b"])
def test_halves_with_the_same_hosts_both_count(dead: str) -> None:
    """h1 has ports on both leaves, h2 and h3 only ports that are down."""
    links = [cable("h1", "a", 4), cable("h1", "b", 4), cable("h2", dead, up=False), cable("h3", dead, up=False)]
    data = {"nodes": [*hosts(3), *leaves("a", "b")], "links": links}
    assert alive_of(data, "h1") == [True] * 8


# --- against the naive version ---------------------------------------------------------------------------------------


def drawn(seed: int) -> dict[str, Any]:
    """A fabric of rails with random faults, uplinks that may be missing, and cards with one or two ports."""
    draw = random.Random(seed)
    n_rails, n_pods, n_hosts = draw.choice([1, 2, 3, 4]), draw.choice([2, 3]), draw.choice([2, 3])
    has_rails, joined = draw.random() < 0.7, draw.random() < 0.4
    chance = draw.choice([0.01, 0.1, 0.2])
    nodes: list[dict[str, Any]] = []
    links: list[dict[str, Any]] = []
    for rail in range(1, n_rails + 1):
        nodes.append({"id": f"s{0 if joined else rail}", "kind": "spine"})
        for pod in range(n_pods):
            leaf = {"id": f"p{pod}-l{rail}", "kind": "leaf", "up": draw.random() > chance}
            nodes.append(leaf | ({"rail": rail} if has_rails else {}))
            links.append(cable(leaf["id"], nodes[-1 - pod - 1]["id"], up=draw.random() > chance))
    nodes = list({node["id"]: node for node in nodes}.values())
    for pod in range(n_pods):
        for i in range(n_hosts):
            name, n = f"p{pod}-h{i}", draw.choice([4, 8])
            n_ports = draw.choice([1, 2, n, 2 * n])
            host = {"id": name, "kind": "host", "accelerator": "H100", "n_accelerators": n}
            total = n_ports if has_rails else n_ports * n_rails
            stated = draw.randint(1, min(n, total)) if draw.random() < 0.4 else None
            nodes.append(host | ({"n_cards": stated} if stated else {}))
            for rail in range(1, n_rails + 1):
                n_failed = draw.choice([1, n_ports]) if draw.random() < chance else 0
                links.append(cable(name, f"p{pod}-l{rail}", n_ports, n_failed=n_failed, up=draw.random() > chance))
    return {"nodes": nodes, "links": links}


def naive_lost(data: dict[str, Any]) -> set[tuple[str, int, int]]:
    nodes = {node["id"]: node for node in sorted(data["nodes"], key=lambda node: str(node["id"]))}
    order = {name: i for i, name in enumerate(nodes)}
    up = [
        link["up"] and all(nodes[end].get("up", True) and nodes[end]["kind"] != "host" for end in link["ends"])
        for link in data["links"]
    ]
    fabric = [
        naive.Link(*(order[end] for end in link["ends"]), naive.Fraction(1), up=is_up)
        for link, is_up in zip(data["links"], up, strict=True)
    ]
    label = naive.label_parts(len(nodes), fabric)
    part = {name: f"{label[i]:04d}" for name, i in order.items()}
    cables = [link for link in data["links"] if nodes[link["ends"][0]]["kind"] == "host"]
    cables.sort(key=lambda link: (link["ends"][0], nodes[link["ends"][1]].get("rail", 0), link["ends"][1]))
    rails_of: dict[str, list[int]] = {}
    n_ports: dict[tuple[str, int], int] = {}
    for link in cables:
        host, rail = link["ends"][0], nodes[link["ends"][1]].get("rail", 0)
        rails_of.setdefault(host, [])
        rails_of[host] += [] if rail in rails_of[host] else [rail]
        n_ports[host, rail] = n_ports.get((host, rail), 0) + link["n_parallel"]
    n_cards: dict[tuple[str, int], int] = {}
    for host, rails in rails_of.items():
        n, stated = nodes[host]["n_accelerators"], nodes[host].get("n_cards")
        total = n if stated is None else min(n, stated)
        used = rails[:total]
        for i, rail in enumerate(used):
            own = len(range(i, total, len(used)))
            n_cards[host, rail] = own if stated is not None else min(own, n_ports[host, rail])
    ports = []
    for link in cables:
        host, switch = link["ends"]
        rail, is_up = nodes[switch].get("rail", 0), link["up"] and nodes[switch].get("up", True)
        for member in range(link["n_parallel"]):
            ports.append(naive.Port(host, rail, switch, is_up and member < link["n_parallel"] - link["n_failed"]))
    used_ports = [port for port in ports if (port.host, port.rail) in n_cards]
    unused = [port for port in ports if (port.host, port.rail) not in n_cards]
    n_accelerators = {host: nodes[host]["n_accelerators"] for host in rails_of}
    lost = naive.lost_cards(ports, n_cards | {(port.host, port.rail): 1 for port in unused}, part, n_accelerators)
    return {(host, rail, card) for host, rail, card in lost if (host, rail) in n_cards and used_ports}


def lost_of(data: dict[str, Any]) -> set[tuple[str, int, int]]:
    state, states = cards_of(data)
    if states is None:
        return set()
    found = set()
    for card in np.flatnonzero(~states.alive).tolist():
        rail = int(states.rail_of(np.array([card]))[0])
        row = int(np.flatnonzero(states.rail_of_row == rail)[0])
        host, number = state.node_ids[states.ports.node[row]], int(states.ports.rail[row])
        found.add((host, max(number, 0), card - int(states.first_card[rail])))
    return found


@pytest.mark.parametrize("seed", range(120))
def test_lost_cards_equal_the_naive_twin(seed: int) -> None:
    data = drawn(seed)
    assert lost_of(data) == naive_lost(data)


def test_seeds_lose_some_cards_and_keep_others() -> None:
    n_lost = [len(naive_lost(drawn(seed))) for seed in range(120)]
    assert sum(n > 0 for n in n_lost) > 60
    assert sum(n == 0 for n in n_lost) > 10


def test_cards_have_a_share_of_their_ports() -> None:
    """Ports 0 to 4 of three cards in turn: cards 0 and 1 have two ports, card 2 one. Port 4 of card 1 is down."""
    links = [cable("h1", "a", 5, n_failed=1), cable("h2", "a", 5)]
    data = {"nodes": [*hosts(2, n_cards=3), *leaves("a")], "links": links}
    state, states = cards_of(data)
    assert states is not None
    of_host = states.card_of(np.full(3, state.node_index["h1"]), np.arange(3))
    assert states.open_ratio[of_host].tolist() == [1.0, 0.5, 1.0]
    links[0]["n_failed"] = 3
    states = cards_of(data)[1]
    assert states is not None
    assert states.open_ratio[of_host].tolist() == [0.5, 0.5, 0.0]
