"""Partitions, single failures, disjoint paths, tiers and diameters: by hand, naive versions, networkx."""

from __future__ import annotations

import random
from itertools import combinations
from typing import Any

import networkx as nx
import numpy as np
import pytest

from tests.training.cases import state_of
from twin.arrays import State
from twin.loading import from_document
from twin.structure import fabric as fabric_
from twin.structure import partitions as partitions_
from twin.structure.diameter import hop_diameter, latency_diameter
from twin.structure.fabric import TooLargeError, fabric_of
from twin.structure.partitions import articulation_points, find_partitions
from twin.structure.site_paths import disjoint_site_paths
from twin.structure.tiers import oversubscription


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def document(kinds: dict[str, str], links: list[tuple[Any, ...]]) -> dict[str, Any]:
    """Nodes by kind, and links (a, b[, members]) of 100 Gb/s."""
    return {
        "nodes": [{"id": name, "kind": kind} for name, kind in kinds.items()],
        "links": [
            {"id": f"l{i:02d}", "ends": [a, b], "capacity_gbps": 100, "n_parallel": (rest or [1])[0]}
            for i, (a, b, *rest) in enumerate(links)
        ],
    }


def random_document(seed: int) -> dict[str, Any]:
    """Switches at random, hosts with one to three cables, now and then a cable between two hosts."""
    rng = random.Random(seed)
    switches, hosts = [f"s{i}" for i in range(rng.randint(2, 7))], [f"h{i}" for i in range(rng.randint(2, 6))]
    links: list[tuple[Any, ...]] = []
    for a, b in combinations(switches, 2):
        links += [(a, b)] * (rng.random() < 0.35) + [(a, b)] * (rng.random() < 0.1)
    for host in hosts:
        links += [(host, other) for other in rng.sample(switches, rng.randint(0, min(3, len(switches))))]
    if rng.random() < 0.3:
        links.append((hosts[0], hosts[1]))
    return document(dict.fromkeys(switches, "leaf") | dict.fromkeys(hosts, "host"), links)


# --- naive versions: walks over names --------------------------------------------------------------------------------


def reach(data: dict[str, Any], start: str, without: str = "") -> set[str]:
    """Nodes that a node reaches; hosts do not forward. A node or a link may be left out."""
    hosts = {node["id"] for node in data["nodes"] if node["kind"] == "host"}
    found, pending = {start}, [start]
    while pending:
        node = pending.pop()
        if node in hosts and node != start:
            continue
        for link in data["links"]:
            if node in link["ends"] and link["id"] != without:
                other = link["ends"][link["ends"][0] == node]
                if other != without and other not in found:
                    found.add(other)
                    pending.append(other)
    return found


def naive(data: dict[str, Any]) -> dict[str, Any]:
    """Find partitions by reaching from each host, with each node and link left out in turn."""
    hosts = [node["id"] for node in data["nodes"] if node["kind"] == "host"]
    switches = [node["id"] for node in data["nodes"] if node["kind"] != "host"]
    before = {host: reach(data, host) for host in hosts}
    parts = {frozenset(part_of(data, switch)) for switch in switches}
    held = {frozenset(host for host in hosts if before[host] & part) for part in parts}
    held |= {frozenset(link["ends"]) for link in data["links"] if set(link["ends"]) <= set(hosts)}
    largest = {found for found in held if found and not any(found < other for other in held)}
    n_lone = sum(before[host] == {host} for host in hosts)
    n_unreachable = sum(b not in before[a] for a, b in combinations(hosts, 2))
    ends = {link["id"]: link["ends"] for link in data["links"]}

    def near(host: str) -> set[str]:
        return {other for link in ends.values() if host in link for other in link} - {host}

    def lost(without: str) -> bool:
        """Pairs that are lost, of hosts that do not hang on the lost node alone."""
        after = {host: reach(data, host, without) for host in hosts}
        stays = [host for host in hosts if host != without and near(host) != {without}]
        return any(b in before[a] and b not in after[a] for a, b in combinations(stays, 2))

    return {
        "n_partitions": len(largest) + n_lone if n_unreachable else min(len(hosts), 1),
        "n_unreachable_pairs": n_unreachable,
        "single_points": {name for name in switches if lost(name)},
        "bridges": {name for name, (a, b) in ends.items() if {a, b} <= set(switches) and lost(name)},
        "n_single_homed": sum(len(near(host)) == 1 for host in hosts),
    }


def part_of(data: dict[str, Any], switch: str) -> set[str]:
    """The switches that are joined to a switch."""
    return {name for name in reach(data, switch) if name.startswith("s")}


@pytest.mark.parametrize("seed", range(120))
def test_partitions_and_single_failures_are_those_of_the_naive_version(seed: int) -> None:
    data = random_document(seed)
    state, _ = state_of(data)
    found = find_partitions(fabric_of(state, np.ones(state.n_links, np.bool_)))
    expected = naive(data)
    assert found.n_partitions == expected["n_partitions"]
    assert found.n_unreachable_pairs == expected["n_unreachable_pairs"]
    assert {state.node_ids[row] for row in found.single_points} == expected["single_points"]
    assert {state.link_ids[row] for row in found.bridges} == expected["bridges"]
    assert found.n_single_homed == expected["n_single_homed"]


@pytest.mark.parametrize("seed", range(40))
def test_articulation_points_and_bridges_are_those_of_networkx(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 30))
    ends = rng.integers(0, n, (int(rng.integers(1, 45)), 2))
    ends = ends[ends[:, 0] != ends[:, 1]].astype(np.int64)
    nodes, links = articulation_points(n, ends)
    graph = nx.MultiGraph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(map(tuple, ends.tolist()))
    simple = nx.Graph(graph)
    assert nodes == sorted(nx.articulation_points(simple))
    single = {frozenset(edge) for edge in nx.bridges(simple) if graph.number_of_edges(*edge) == 1}
    assert {frozenset(ends[i].tolist()) for i in links} == single


def line() -> State:
    """Hosts a, b on leaf p, hosts c, d on leaf q, p and q joined by spine s; c has a second cable to p."""
    kinds = dict.fromkeys("abcd", "host") | {"p": "leaf", "q": "leaf", "s": "spine"}
    links = [("a", "p"), ("b", "p"), ("c", "q"), ("d", "q"), ("p", "s"), ("q", "s"), ("c", "p")]
    return state_of(document(kinds, links))[0]


def test_a_line_by_hand() -> None:
    """The loss of s, of p~s or of q~s separates d from a and b. Those of p and q cut off only their own hosts."""
    state = line()
    found = find_partitions(fabric_of(state, np.ones(7, np.bool_)))
    assert (found.kind, found.n_end_points, found.n_partitions, found.n_single_homed) == ("host", 4, 1, 3)
    assert [state.node_ids[row] for row in found.single_points] == ["s"]
    assert [state.link_ids[row] for row in found.bridges] == ["l04", "l05"]
    cut = np.ones(7, np.bool_)
    cut[4] = False
    found = find_partitions(fabric_of(state, cut))
    # c reaches both sides, d reaches neither a nor b
    assert (found.n_partitions, found.n_unreachable_pairs, found.n_pairs) == (2, 2, 6)


def test_end_points_are_leaves_or_all_nodes_without_hosts() -> None:
    state, _ = state_of(document({"p": "leaf", "q": "leaf", "s": "spine"}, [("p", "s"), ("s", "q")]))
    found = find_partitions(fabric_of(state, np.ones(2, np.bool_)))
    assert (found.kind, found.n_end_points, found.single_points.tolist()) == ("leaf", 2, [2])
    assert found.bridges.tolist() == []
    chain = state_of(document(dict.fromkeys("abcd", "leaf"), [("a", "b"), ("b", "c"), ("c", "d")]))[0]
    found = find_partitions(fabric_of(chain, np.ones(3, np.bool_)))
    # the middle link has two leaves on each side; the others are the only uplinks of a and d
    assert (found.single_points.tolist(), found.bridges.tolist()) == ([1, 2], [1])
    assert found.n_single_homed == 2
    state, _ = state_of(document({"p": "core", "q": "core"}, [("p", "q")]))
    assert find_partitions(fabric_of(state, np.ones(1, np.bool_))).kind == "node"


@pytest.mark.parametrize("links", [[("a", "b"), ("b", "a")], [("a", "b", 2)]])
def test_parallel_links_between_two_hosts_lead_to_one_node(links: list[tuple[Any, ...]]) -> None:
    state, _ = state_of(document({"a": "host", "b": "host"}, links))
    found = find_partitions(fabric_of(state, np.ones(len(links), np.bool_)))
    assert (found.n_single_homed, found.n_partitions) == (2, 1)
    assert not len(found.single_points)


def test_a_host_that_forwards_makes_no_single_point_of_the_switch_it_hangs_on() -> None:
    links = [("a", "s"), ("b", "s"), ("c", "s"), ("b", "t"), ("c", "t"), ("s", "t")]
    data = document(dict.fromkeys("abc", "host") | {"s": "switch", "t": "switch"}, list(links))
    data["nodes"][0]["forwards"] = True
    for extra in ([], [("a", "t")]):
        more = document({}, [*links, *extra])["links"]
        state, _ = state_of(data | {"links": more})
        found = find_partitions(fabric_of(state, np.ones(state.n_links, np.bool_)))
        assert not len(found.single_points)
        assert found.n_single_homed == (0 if extra else 1)


def test_a_second_attachment_that_leads_nowhere_leaves_a_single_point_of_failure() -> None:
    kinds = dict.fromkeys("abc", "host") | dict.fromkeys(("s1", "s2", "s3"), "switch")
    links = [("a", "s1"), ("b", "s1"), ("c", "s2"), ("c", "s3"), ("s1", "s2")]
    state, _ = state_of(document(kinds, links))
    found = find_partitions(fabric_of(state, np.ones(state.n_links, np.bool_)))
    assert [state.node_ids[row] for row in found.single_points] == ["s2"]
    assert found.n_single_homed == 2
    # rails of their own: each host keeps the other rail
    state, _ = state_of(document(kinds, [(host, rail) for host in "abc" for rail in ("s1", "s2")]))
    assert not len(find_partitions(fabric_of(state, np.ones(state.n_links, np.bool_))).single_points)


def test_sizes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    state = line()
    monkeypatch.setattr(partitions_, "MAX_WORK", 5)
    found = find_partitions(fabric_of(state, np.ones(7, np.bool_)))
    assert "too many to examine" in found.why
    assert found.n_partitions == 1
    monkeypatch.setattr(fabric_, "MAX_LINKS", 3)
    with pytest.raises(TooLargeError, match="7 links; the structure is computed up to 3"):
        fabric_of(state, np.ones(7, np.bool_))


# --- disjoint paths --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(30))
def test_disjoint_paths_are_the_minimum_cuts_of_networkx(seed: int) -> None:
    rng = random.Random(seed)
    names = [f"n{i}" for i in range(8)]
    sites = {name: rng.choice(["x", "y", "z", None]) for name in names}
    links = [(a, b, rng.randint(1, 3)) for a, b in combinations(names, 2) if rng.random() < 0.4]
    data = document(dict.fromkeys(names, "leaf"), links)
    data["sites"] = [{"id": site} for site in "xyz"]
    for node in data["nodes"]:
        node |= {"site": sites[node["id"]]} if sites[node["id"]] else {}
    state, _ = state_of(data)
    found = disjoint_site_paths(state, np.ones(state.n_links, np.bool_))
    present = sorted({site for site in sites.values() if site})
    assert set(found) == set(combinations(present, 2))
    for (a, b), n in found.items():
        graph = nx.DiGraph()
        graph.add_nodes_from((a, b))
        for tail, head, members in links:
            ends = [sites[end] if sites[end] in (a, b) else end for end in (tail, head)]
            for one, other in (ends, ends[::-1]):
                if one != other:
                    old = graph.get_edge_data(one, other, {"capacity": 0})["capacity"]
                    graph.add_edge(one, other, capacity=old + members)
        assert n == nx.maximum_flow_value(graph, a, b)


# --- tiers and diameters ---------------------------------------------------------------------------------------------


def test_oversubscription_by_hand() -> None:
    """p: 4 hosts of 100 over 2 x 100 = 2. q: 1 host over 100 = 1. Spines have nothing above."""
    kinds = dict.fromkeys("abcde", "host") | {"p": "leaf", "q": "leaf", "s": "spine", "t": "spine"}
    links = [*((host, "p") for host in "abcd"), ("e", "q"), ("p", "s"), ("p", "t"), ("q", "s")]
    state, _ = state_of(document(kinds, links))
    lit, gbps = np.ones(8, np.bool_), np.full(16, 100.0)
    found = oversubscription(state, lit, gbps, "leaf")
    assert not isinstance(found, str)
    assert (found.worst_ratio, found.median_ratio, found.worst_node, found.n_nodes) == (2.0, 1.5, "p", 2)
    assert oversubscription(state, lit, gbps, "spine") == "no spine has lit links to below and to above"
    gbps[0] = gbps[1] = np.nan
    assert oversubscription(state, lit, gbps, "leaf") == "the rate of a link at p is unknown"


@pytest.mark.parametrize("seed", range(40))
def test_the_hop_diameter_is_that_of_networkx(seed: int) -> None:
    data = random_document(seed)
    state, _ = state_of(data)
    lit = np.ones(state.n_links, np.bool_)
    found = hop_diameter(state, lit, fabric_of(state, lit))
    hosts = [node["id"] for node in data["nodes"] if node["kind"] == "host"]
    lengths = []
    for a, b in combinations(hosts, 2):
        graph = nx.Graph([link["ends"] for link in data["links"]])
        graph.add_nodes_from((a, b))
        graph.remove_nodes_from(set(hosts) - {a, b})
        if nx.has_path(graph, a, b):
            lengths.append(nx.shortest_path_length(graph, a, b))
    assert (found.value if found else None) == (max(lengths) if lengths else None)


def test_the_latency_diameter_takes_the_fastest_way() -> None:
    """a to b: 1 + 5 + 1 directly, 1 + 1 + 1 + 1 over s, both ways different: from b to a the first link takes 3."""
    kinds = {"a": "host", "b": "host", "p": "leaf", "q": "leaf", "s": "spine"}
    state, _ = state_of(document(kinds, [("a", "p"), ("b", "q"), ("p", "q"), ("p", "s"), ("q", "s")]))
    lit = np.ones(5, np.bool_)
    latency_us = np.array([1.0, 3.0, 1.0, 1.0, 5.0, 5.0, 1.0, 1.0, 1.0, 1.0])
    found = latency_diameter(state, lit, fabric_of(state, lit), latency_us)
    assert found is not None
    assert (found.value, found.source, found.target) == (6.0, "b", "a")
    nothing = latency_diameter(state, lit, fabric_of(state, lit), np.zeros(10))
    assert nothing is not None
    assert nothing.value == 0.0


def test_no_pair_has_no_diameter() -> None:
    network = from_document({"nodes": [{"id": "a", "kind": "host"}, {"id": "b", "kind": "host"}]})
    state = State.of(network.arrays)
    assert hop_diameter(state, np.zeros(0, np.bool_), fabric_of(state, np.zeros(0, np.bool_))) is None


def test_a_single_server_does_not_stand_for_a_network_of_switches() -> None:
    """End points are the leaves, and one of them is apart; the server hangs on the other."""
    kinds = {"h": "host", "l1": "leaf", "l2": "leaf", "l3": "leaf", "s": "spine"}
    state, _ = state_of(document(kinds, [("h", "l1"), ("l1", "s"), ("l2", "s")]))
    fabric = fabric_of(state, np.ones(3, np.bool_))
    found = find_partitions(fabric)
    assert (fabric.kind, found.n_end_points, found.n_partitions) == ("leaf", 3, 2)
    kinds = dict.fromkeys(("l1", "s", "t"), "spine") | {"l1": "leaf"}
    state, _ = state_of(document(kinds, [("l1", "s"), ("s", "t")]))
    assert fabric_of(state, np.ones(2, np.bool_)).kind == "node"
