"""Capacity, weight and latency by direction: hand cases, and loads against networkx on seeded random multigraphs."""

from fractions import Fraction
from typing import Any

import networkx as nx
import numpy as np
import pytest

import twin


def two_ways(**first: Any) -> dict[str, Any]:
    """Two parallel links between leaves, with a demand in each direction."""
    nodes = [{"id": name, "kind": "leaf"} for name in "ab"]
    links = [{"id": "x", "ends": ["a", "b"], "capacity_gbps": 100.0, **first}]
    links.append({"id": "y", "ends": ["a", "b"], "capacity_gbps": 100.0})
    demands = [
        {"id": "there", "source": "a", "target": "b", "offered_gbps": 80.0},
        {"id": "back", "source": "b", "target": "a", "offered_gbps": 80.0},
    ]
    return {"nodes": nodes, "links": links, "demands": demands}


def loads_of(data: dict[str, Any]) -> dict[str, list[float]]:
    network = twin.from_document(data)
    load = network.evaluate().arc_load_gbps.reshape(-1, 2)
    return {name: load[i].tolist() for name, i in network.arrays.link_index.items()}


def test_weights_by_direction_choose_the_path_of_each_direction() -> None:
    found = loads_of(two_ways(weight=[3.0, 1.0]))
    assert found == {"x": [0.0, 40.0], "y": [80.0, 40.0]}


def test_wcmp_splits_by_the_capacity_of_the_direction() -> None:
    found = loads_of(two_ways(capacity_gbps=[100.0, 300.0]) | {"routing": "wcmp"})
    assert found == {"x": [40.0, 60.0], "y": [40.0, 20.0]}


def test_utilisation_is_that_of_the_direction() -> None:
    """Half of 80 Gb/s each way goes over x: 40 of 50 there, 40 of 200 back. The rate of y is 100 both ways."""
    network = twin.from_document(two_ways(capacity_gbps=[50.0, 200.0]))
    assert network.score()["max_link_utilisation_ratio"] == pytest.approx(0.8)
    assert network.evaluate().arc_utilisation_ratio.tolist() == pytest.approx([0.8, 0.2, 0.4, 0.4])


def test_a_direction_is_no_faster_than_the_transceiver() -> None:
    network = twin.from_document(two_ways(capacity_gbps=[100.0, 800.0], transceiver="400G-FR4"))
    assert network.evaluate().health.arc_capacity_gbps.tolist() == [100.0, 400.0, 100.0, 100.0]
    new = [{"kind": "set_transceivers", "links": "x", "part": "800G-2xFR4"}]
    changed = network.what_if(new, main_assumptions=False)
    assert changed.after["max_link_utilisation_ratio"] == pytest.approx(0.4), "both directions follow the new part"


def random_document(seed: int) -> dict[str, Any]:
    """Switches with parallel links and weights by direction, dual-homed hosts, and demands between hosts."""
    random = np.random.default_rng(seed)
    nodes = [{"id": f"s{i}", "kind": "switch"} for i in range(8)] + [{"id": f"h{i}", "kind": "host"} for i in range(6)]
    ends = [(f"s{i}", f"s{(i + 1) % 8}") for i in range(8)]
    ends += [tuple(f"s{j}" for j in random.choice(8, 2, replace=False)) for _ in range(10)]
    ends += [(f"h{i}", f"s{j}") for i in range(6) for j in random.choice(8, 2, replace=False)]
    links = [
        {
            "id": f"l{i:02d}",
            "ends": list(pair),
            "capacity_gbps": 100.0,
            "weight": random.integers(1, 4, 2).astype(float).tolist(),
            "n_parallel": int(random.integers(1, 4)),
        }
        for i, pair in enumerate(ends)
    ]
    pairs = [random.choice(6, 2, replace=False) for _ in range(12)]
    demands = [
        {"id": f"d{i}", "source": f"h{a}", "target": f"h{b}", "offered_gbps": float(random.integers(1, 50))}
        for i, (a, b) in enumerate(pairs)
    ]
    return {"nodes": nodes, "links": links, "demands": demands}


def networkx_loads(data: dict[str, Any]) -> dict[tuple[str, str], Fraction]:
    """Load by (link, tail): at each node traffic divides over its next hops by members; distances by networkx."""
    graph = nx.MultiDiGraph()
    for link in data["links"]:
        (a, b), (there, back) = link["ends"], link["weight"]
        graph.add_edge(a, b, link["id"], weight=there, n=link["n_parallel"])
        graph.add_edge(b, a, link["id"], weight=back, n=link["n_parallel"])
    load: dict[tuple[str, str], Fraction] = {}
    for demand in data["demands"]:
        source, target = demand["source"], demand["target"]
        hosts = [n for n in graph if n.startswith("h") and n not in (source, target)]
        usable = graph.subgraph(set(graph) - set(hosts))
        distance = nx.single_source_dijkstra_path_length(usable.reverse(), target)
        waiting = {source: Fraction(demand["offered_gbps"])}
        while waiting:
            node = max(waiting, key=lambda n: distance[n])
            flow = waiting.pop(node)
            if node == target:
                continue
            out = [
                (head, name, edge["n"])
                for _, head, name, edge in usable.out_edges(node, keys=True, data=True)
                if head in distance and distance[head] + edge["weight"] == distance[node]
            ]
            n_total = sum(n for _, _, n in out)
            for head, name, n in out:
                load[name, node] = load.get((name, node), Fraction(0)) + flow * n / n_total
                waiting[head] = waiting.get(head, Fraction(0)) + flow * n / n_total
    return load


@pytest.mark.parametrize("seed", range(8))
def test_loads_equal_networkx_with_hosts_parallel_links_and_weights_by_direction(seed: int) -> None:
    data = random_document(seed)
    expected = networkx_loads(data)
    network = twin.from_document(data)
    load = network.evaluate().arc_load_gbps
    head = network.arrays.arc_head
    for arc in range(2 * network.arrays.n_links):
        tail = network.arrays.node_ids[head[arc ^ 1]]
        want = expected.get((network.arrays.link_ids[arc // 2], tail), Fraction(0))
        assert load[arc] == pytest.approx(float(want), abs=1e-9)


@pytest.mark.parametrize("ends", [("a", "b"), ("b", "a")])
def test_a_round_trip_goes_there_and_back(ends: tuple[str, str]) -> None:
    data = two_ways(latency_us=[100.0, 250.0])
    data["links"] = data["links"][:1]
    data["demands"] = [{"id": "d", "source": ends[0], "target": ends[1], "offered_gbps": 5.0}]
    network = twin.from_document(data)
    assert network.score()["worst_rtt_us"] == 350.0


def test_the_limit_of_a_direction_names_its_rate() -> None:
    data = two_ways(capacity_gbps=[100.0, 40.0], n_parallel=2)
    data["links"] = data["links"][:1]
    text = " ".join(twin.from_document(data).score().bottlenecks)
    assert "2 x 40 Gb/s" in text
    assert "2 x 100 Gb/s" not in text


def test_a_link_between_two_sites_is_of_the_wide_area_without_spans_too() -> None:
    data = two_ways()
    data["sites"] = [{"id": "s"}, {"id": "t"}]
    data["nodes"] = [{"id": "a", "kind": "leaf", "site": "s"}, {"id": "b", "kind": "leaf", "site": "t"}]
    assert {row.tier for row in twin.from_document(data).link_table().rows} == {"wide_area"}
    data["nodes"][1]["site"] = "s"
    assert {row.tier for row in twin.from_document(data).link_table().rows} == {"fabric"}
