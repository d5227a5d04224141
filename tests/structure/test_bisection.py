"""Bisection: Clos fabrics against every half of their end points, others bounded from above."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from itertools import combinations
from typing import Any

import networkx as nx
import numpy as np
import pytest

from tests.training.cases import state_of
from twin.structure import bisection as bisection_
from twin.structure import half_cuts
from twin.structure.bisection import Bisection, bisection
from twin.structure.clos_tree import clos_tree, tree_bisection_gbps
from twin.structure.fabric import TooLargeError, fabric_of

Links = list[tuple[str, str, float]]


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def every_half(links: Links, hosts: list[str]) -> float:
    """The least of the minimum cuts between all halves, each by networkx."""
    best = float("inf")
    for half in combinations(hosts, len(hosts) // 2):
        graph = nx.Graph()
        for a, b, gbps in links:
            old = graph.get_edge_data(a, b, {"capacity": 0.0})["capacity"]
            graph.add_edge(a, b, capacity=old + gbps)
        graph.add_edges_from(("+", host) for host in half)
        graph.add_edges_from(("-", host) for host in set(hosts) - set(half))
        best = min(best, nx.maximum_flow_value(graph, "+", "-"))
    return best


def found_for(
    links: Links,
    hosts: list[str],
    *,
    forwarding: Sequence[str] = (),
    silent: Sequence[str] = (),
    down: Collection[int] = (),
) -> Bisection:
    kinds = {name: "host" if name in hosts else "leaf" for link in links for name in link[:2]}
    kinds |= dict.fromkeys(hosts, "host")
    data: dict[str, Any] = {
        "nodes": [
            {"id": name, "kind": kind} | ({"forwards": name in forwarding} if name in (*forwarding, *silent) else {})
            for name, kind in kinds.items()
        ],
        "links": [{"id": f"l{i:03d}", "ends": [a, b], "capacity_gbps": gbps} for i, (a, b, gbps) in enumerate(links)],
    }
    state, _ = state_of(data)
    lit = np.array([i not in down for i in range(state.n_links)])
    gbps = np.repeat(np.where(lit, state["link_capacity_gbps"], 0.0), 2)
    found = bisection(state, fabric_of(state, lit), gbps)
    assert isinstance(found, Bisection)
    return found


def leaf_spine(n_leaves: int, n_spines: int, n_hosts: int, up: float, down: float) -> tuple[Links, list[str]]:
    hosts = [f"h{i}{j}" for i in range(n_leaves) for j in range(n_hosts)]
    links = [(f"h{i}{j}", f"p{i}", down) for i in range(n_leaves) for j in range(n_hosts)]
    links += [(f"p{i}", f"s{k}", up * (1 + k)) for i in range(n_leaves) for k in range(n_spines)]
    return links, hosts


def clos(pods: int, leaves: int, spines: int, cores: int, hosts: int, up: float, top: float) -> tuple[Links, list[str]]:
    """Pods of leaves and spines; each spine has its own cores."""
    links, names = [], []
    for p in range(pods):
        for i in range(leaves):
            names += [f"h{p}{i}{j}" for j in range(hosts)]
            links += [(f"h{p}{i}{j}", f"p{p}{i}", 10.0) for j in range(hosts)]
            links += [(f"p{p}{i}", f"s{p}{k}", up) for k in range(spines)]
        links += [(f"s{p}{k}", f"c{k}{m}", top) for k in range(spines) for m in range(cores)]
    return links, names


def rails(n_racks: int, n_rails: int, n_spines: int, rail: float, up: float) -> tuple[Links, list[str]]:
    """Racks with a cable to each of their rail leaves, all leaves linked to all spines."""
    racks = [f"h{i}" for i in range(n_racks)]
    links = [(rack, f"p{r}", rail) for rack in racks for r in range(n_rails)]
    links += [(f"p{r}", f"s{k}", up) for r in range(n_rails) for k in range(n_spines)]
    return links, racks


@pytest.mark.parametrize(
    ("links", "hosts"),
    [
        leaf_spine(4, 2, 2, 10, 10),
        leaf_spine(4, 2, 2, 2, 10),
        leaf_spine(4, 3, 2, 100, 10),
        leaf_spine(3, 2, 3, 2, 10),
        leaf_spine(5, 1, 2, 7, 10),
        leaf_spine(2, 2, 5, 3, 10),
        clos(2, 2, 2, 2, 2, 10, 5),
        clos(2, 2, 2, 1, 2, 10, 2),
        clos(3, 1, 2, 1, 3, 4, 3),
        clos(2, 2, 1, 2, 2, 3, 3),
        rails(8, 4, 2, 10, 5),
        rails(7, 2, 1, 10, 5),
    ],
)
def test_a_clos_fabric_is_exact(links: Links, hosts: list[str]) -> None:
    found = found_for(links, hosts)
    assert found.status == "exact"
    assert found.gbps == pytest.approx(every_half(links, hosts))


@pytest.mark.parametrize("seed", range(25))
def test_a_leaf_spine_with_a_link_less_is_exact(seed: int) -> None:
    rng = random.Random(seed)
    n_leaves, n_spines = rng.randint(2, 4), rng.randint(1, 3)
    hosts, links = [], []
    for i in range(n_leaves):
        for j in range(rng.randint(1, 3)):
            hosts.append(f"h{i}{j}")
            links.append((f"h{i}{j}", f"p{i}", rng.choice([5.0, 10.0])))
        total = rng.choice([6.0, 12.0])
        links += [(f"p{i}", f"s{k}", total * (k + 1)) for k in range(n_spines)]
    if rng.random() < 0.5:
        del links[rng.randrange(len(links))]
    found = found_for(links, hosts)
    truth = every_half(links, hosts)
    assert found.status == "exact"
    assert found.gbps == pytest.approx(truth)


def ring(n: int) -> tuple[Links, list[str]]:
    """Switches in a ring, with a host at each."""
    links = [(f"h{i:02d}", f"p{i:02d}", 100.0) for i in range(n)]
    return links + [(f"p{i:02d}", f"p{(i + 1) % n:02d}", 10.0) for i in range(n)], [f"h{i:02d}" for i in range(n)]


@pytest.mark.parametrize(("n", "status"), [(6, "exact"), (40, "upper bound")])
def test_a_ring_is_cut_at_two_links(n: int, status: str) -> None:
    found = found_for(*ring(n))
    assert (found.status, found.gbps) == (status, 20.0)
    assert found.method.startswith(status + ": ")


def loose(seed: int) -> tuple[Links, list[str]]:
    """Switches and hosts with random links, also between hosts."""
    rng = random.Random(seed)
    hosts = [f"h{i}" for i in range(rng.randint(2, 7))]
    switches = [f"p{i}" for i in range(rng.randint(1, 6))]
    links = [(host, rng.choice(switches), rng.choice([1.0, 2.0, 3.0])) for host in hosts]
    pairs = [(a, b) for a, b in combinations([*hosts, *switches], 2) if rng.random() < 0.4]
    return links + [(a, b, float(rng.randint(1, 9))) for a, b in pairs], hosts


@pytest.mark.parametrize("seed", range(30))
def test_small_networks_are_exact_and_bounds_are_no_less(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    links, hosts = loose(seed)
    found = found_for(links, hosts, forwarding=hosts)
    assert found.status == "exact"
    assert found.gbps == pytest.approx(every_half(links, hosts))
    monkeypatch.setattr(half_cuts, "MAX_EXACT_WORK", 0)
    monkeypatch.setattr(bisection_, "clos_tree", lambda *_: None)
    bound = found_for(links, hosts, forwarding=hosts)
    assert bound.status == "upper bound"
    assert bound.gbps >= found.gbps - 1e-9


def test_two_end_points_of_which_one_forwards_have_the_capacity_between_them() -> None:
    """Before, this was 0."""
    for forwarding in ([], ["a"], ["a", "b"]):
        assert found_for([("a", "b", 100.0)], ["a", "b"], forwarding=forwarding).gbps == 100.0
        links = [("a", "p", 100.0), ("b", "p", 40.0), ("a", "b", 7.0)]
        assert found_for(links, ["a", "b"], forwarding=forwarding).gbps == 47.0


def test_a_switch_that_does_not_forward_joins_nobody() -> None:
    data: dict[str, Any] = {
        "nodes": [
            *({"id": name, "kind": "host"} for name in "ab"),
            *({"id": name, "kind": "switch", "forwards": name == "t"} for name in "st"),
        ],
        "links": [{"id": x, "ends": list(x), "capacity_gbps": 100} for x in ("as", "bs")],
    }
    for links, expected_gbps in (([], 0.0), (["at", "bt"], 10.0)):
        data["links"] += [{"id": x, "ends": list(x), "capacity_gbps": 10} for x in links]
        state, _ = state_of(data)
        fabric = fabric_of(state, np.ones(state.n_links, np.bool_))
        found = bisection(state, fabric, np.repeat(state["link_capacity_gbps"], 2))
        assert isinstance(found, Bisection)
        assert (found.gbps, found.status) == (expected_gbps, "exact")


@pytest.mark.parametrize("seed", range(40))
def test_random_networks_have_no_cut_through_switches_that_do_not_forward(seed: int) -> None:
    links, hosts = loose(seed)
    switches = sorted({name for link in links for name in link[:2]} - set(hosts))
    dead = set(random.Random(seed).sample(switches, max(1, len(switches) // 3)))
    found = found_for(links, hosts, silent=sorted(dead))
    expected = every_half([(a, b, gbps) for a, b, gbps in links if not {a, b} & dead], hosts)
    assert found.status == "exact"
    assert found.gbps == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_two_clusters_are_cut_between_them_whatever_the_names() -> None:
    """Two random clusters of 12 switches with two links between them; each link in a cluster carries 10."""
    rng = random.Random(3)
    links: Links = [(f"h{c}{i:02d}", f"p{c}{i:02d}", 100.0) for c in "xy" for i in range(12)]
    for c in "xy":
        links += [(f"p{c}{i:02d}", f"p{c}{j:02d}", 10.0) for i, j in combinations(range(12), 2) if rng.random() < 0.5]
    links += [("px00", "py00", 10.0), ("px05", "py07", 10.0)]
    hosts = [a for a, _, _ in links if a.startswith("h")]
    for seed in range(4):
        names = sorted({end for link in links for end in link[:2]})
        renamed = dict(zip(names, random.Random(seed).sample(names, len(names)), strict=True))
        found = found_for([(renamed[a], renamed[b], gbps) for a, b, gbps in links], [renamed[host] for host in hosts])
        assert (found.status, found.gbps) == ("upper bound", 20.0)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("exact", [True, False])
def test_names_change_nothing_and_failures_add_nothing(seed: int, exact: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not exact:
        monkeypatch.setattr(half_cuts, "MAX_EXACT_WORK", 0)
    links, hosts = [leaf_spine(4, 2, 3, 10, 10), ring(24), clos(2, 2, 2, 2, 2, 10, 5), loose(seed)][seed % 4]
    rng = random.Random(seed)
    names = sorted({end for link in links for end in link[:2]})
    renamed = dict(zip(names, rng.sample(names, len(names)), strict=True))
    other = [(renamed[a], renamed[b], gbps) for a, b, gbps in links]
    rng.shuffle(other)
    before = found_for(links, hosts)
    assert found_for(other, [renamed[host] for host in hosts]).gbps == pytest.approx(before.gbps, rel=1e-12)
    down: set[int] = set()
    for i in rng.sample(range(len(links)), 5):
        down.add(i)
        after = found_for(links, hosts, down=down)
        assert after.gbps <= before.gbps * (1 + 1e-12)
        before = after


def test_large_networks_that_are_no_clos_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bisection_, "MAX_LINKS", 5)
    with pytest.raises(TooLargeError, match="without a Clos fabric"):
        found_for(*ring(6))


def test_unknown_rates_and_single_end_points_have_a_reason() -> None:
    state, _ = state_of({"nodes": [{"id": "a", "kind": "host"}, {"id": "b", "kind": "host"}], "links": []})
    fabric = fabric_of(state, np.zeros(0, np.bool_))
    assert isinstance(bisection(state, fabric, np.zeros(0)), Bisection)
    state, _ = state_of({"nodes": [{"id": "a", "kind": "host"}], "links": []})
    assert bisection(state, fabric_of(state, np.zeros(0, np.bool_)), np.zeros(0)) == "fewer than two end points"
    data = {
        "nodes": [{"id": "a", "kind": "host"}, {"id": "b", "kind": "host"}],
        "links": [{"id": "x", "ends": ["a", "b"]}],
    }
    state, _ = state_of(data)
    fabric = fabric_of(state, np.ones(1, np.bool_))
    assert bisection(state, fabric, np.full(2, np.nan)) == "the rate of x is unknown"
    # one of two hosts is down: it counts, without links
    fabric = fabric_of(state.with_values("node_up", np.array([0]), False), np.zeros(1, np.bool_))
    found = bisection(state, fabric, np.zeros(2))
    assert isinstance(found, Bisection)
    assert found.gbps == 0.0


def test_a_fabric_of_thousands_of_end_points_is_exact() -> None:
    links, hosts = clos(16, 8, 8, 8, 8, 10, 10)
    names = {name: i for i, name in enumerate(sorted({name for link in links for name in link[:2]}))}
    adjacency: dict[int, dict[int, float]] = {i: {} for i in names.values()}
    for a, b, gbps in links:
        adjacency[names[a]][names[b]] = adjacency[names[b]][names[a]] = gbps
    tree = clos_tree(adjacency, sorted(names[host] for host in hosts))
    assert tree is not None
    assert tree_bisection_gbps(tree) == 1024 / 2 * 10
