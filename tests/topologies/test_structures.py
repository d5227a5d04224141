"""Structure of generated fabrics against closed forms: degrees, diameter, bisection, oversubscription."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twin.topologies import expand

from twin.errors import TopologyError
from twin.loading import from_document
from twin.model.document import Fabric
from twin.model.network import Expansion


def expanded(generator: str, **params: Any) -> Expansion:
    return expand(Fabric(id="b", generator=generator, params=params))


def switches(expansion: Expansion) -> nx.Graph[str]:
    """Graph of the switches; `n` of an edge is its number of members."""
    graph: nx.Graph[str] = nx.Graph()
    kinds = {node.id: node.kind for node in expansion.nodes}
    graph.add_nodes_from(name for name, kind in kinds.items() if kind != "host")
    for link in expansion.links:
        if all(end in graph for end in link.ends):
            assert not graph.has_edge(*link.ends), "two records between the same switches"
            graph.add_edge(*link.ends, n=link.n_parallel)
    return graph


def n_hosts(expansion: Expansion) -> int:
    return sum(node.kind == "host" for node in expansion.nodes)


def bisection(graph: nx.Graph[str]) -> int:
    """Fewest members between two halves of the switches, of all halves."""
    first, *others = graph
    halves = ({first, *rest} for rest in combinations(others, len(graph) // 2 - 1))
    return min(sum(n for a, b, n in graph.edges(data="n") if (a in half) != (b in half)) for half in halves)


@pytest.mark.parametrize(
    ("sizes", "n_links", "diameter"), [((4, 4), 32, 4), ((5, 3), 30, 3), ((4, 2), 12, 3), ((3, 3, 3), 81, 3)]
)
def test_a_torus(sizes: tuple[int, ...], n_links: int, diameter: int) -> None:
    graph = switches(expanded("torus", sizes=list(sizes)))
    assert graph.number_of_edges() == n_links
    assert nx.diameter(graph) == diameter == sum(size // 2 for size in sizes)
    assert {degree for _, degree in graph.degree()} == {sum(1 if size == 2 else 2 for size in sizes)}


def test_bisections_of_grids() -> None:
    # torus of k^2 switches: k rings are cut twice, 2 k; HyperX: k meshes of k, each cut into halves, k * k^2 / 4
    assert bisection(switches(expanded("torus", sizes=[4, 4]))) == 8
    assert bisection(switches(expanded("hyperx", sizes=[4, 4]))) == 16
    assert bisection(switches(expanded("hyperx", sizes=[4, 2], n_parallel=3))) == 12


@pytest.mark.parametrize("sizes", [(4, 4), (5, 3), (2, 2, 3)])
def test_a_hyperx_has_a_hop_for_each_dimension(sizes: tuple[int, ...]) -> None:
    graph = switches(expanded("hyperx", sizes=list(sizes), n_hosts_per_switch=0))
    assert nx.diameter(graph) == len(sizes)
    assert {degree for _, degree in graph.degree()} == {sum(size - 1 for size in sizes)}


@pytest.mark.parametrize(("a", "h", "p"), [(4, 2, 2), (2, 1, 1), (6, 3, 3)])
def test_a_full_dragonfly(a: int, h: int, p: int) -> None:
    expansion = expanded("dragonfly", n_switches_per_group=a, n_global_per_switch=h, n_hosts_per_switch=p)
    graph, g = switches(expansion), a * h + 1
    assert len(graph) == g * a
    assert n_hosts(expansion) == g * a * p
    assert {degree for _, degree in graph.degree()} == {a - 1 + h}
    assert nx.diameter(graph) == 3
    groups = Counter(frozenset(name.split("-")[1] for name in edge) for edge in graph.edges)
    assert {n for pair, n in groups.items() if len(pair) == 2} == {1}, "one link for each pair of groups"
    assert len([pair for pair in groups if len(pair) == 2]) == g * (g - 1) // 2


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5), st.integers(1, 4), st.data())
def test_a_smaller_dragonfly_gives_each_pair_of_groups_the_same_links(a: int, h: int, data: st.DataObject) -> None:
    g = data.draw(st.integers(2, a * h + 1))
    graph = switches(
        expanded("dragonfly", n_switches_per_group=a, n_global_per_switch=h, n_groups=g, n_hosts_per_switch=0)
    )
    between: Counter[frozenset[str]] = Counter()
    ports: Counter[str] = Counter()
    for one, other, n in graph.edges(data="n"):
        pair = frozenset(name.split("-")[1] for name in (one, other))
        if len(pair) == 2:
            between[pair] += n
            ports.update({one: n, other: n})
    assert set(between.values()) == {a * h // (g - 1)}
    assert len(between) == g * (g - 1) // 2
    assert max(ports.values()) <= h


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 24), st.integers(1, 23), st.integers(0, 5))
def test_a_jellyfish_is_regular(n: int, degree: int, seed: int) -> None:
    params = {"n_switches": n, "n_neighbours": degree, "seed": seed}
    if degree >= n or n * degree % 2:
        with pytest.raises(TopologyError, match="even product"):
            expanded("jellyfish", **params)
        return
    graph = switches(expanded("jellyfish", **params))
    assert {d for _, d in graph.degree()} == {degree}
    assert graph.number_of_edges() == n * degree // 2
    assert expanded("jellyfish", **params) == expanded("jellyfish", **params)


def test_seeds_draw_different_jellyfish() -> None:
    drawn = [expanded("jellyfish", n_switches=20, n_neighbours=4, seed=seed) for seed in range(3)]
    assert len({expansion.links for expansion in drawn}) == 3


def test_rails_and_planes_are_separate() -> None:
    rails = switches(expanded("rail_only", n_hosts=5, n_rails=4))
    assert nx.number_connected_components(rails) == 4
    expansion = expanded("multi_plane", n_planes=3, n_leaves=4, n_spines=2, n_hosts_per_leaf=2, n_parallel=2)
    planes = switches(expansion)
    assert nx.number_connected_components(planes) == 3
    assert nx.diameter(planes.subgraph(nx.node_connected_component(planes, "b/leaf-1-1"))) == 2
    links = Counter(link.ends[0] for link in expansion.links if "host" in link.id)
    assert set(links.values()) == {3}
    assert {end.split("-")[2] for link in expansion.links if link.ends[0] == "b/host-2-1" for end in link.ends[1:]} == {
        "2"
    }


def structure(generator: str, **params: Any) -> Any:
    fabric = {"id": "b", "generator": generator, "params": params}
    return from_document({"schema_version": 1, "as_of": "2026-01-01", "fabrics": [fabric]}).score()


def test_a_stated_oversubscription_is_what_the_structure_finds() -> None:
    # 8 hosts of 200 Gb/s below 2 spines: 1,600 / (2 * 2 * 200) = 2 to 1, bundles of two members
    two = expanded(
        "leaf_spine",
        n_leaves=4,
        n_spines=2,
        n_hosts_per_leaf=8,
        oversubscription_ratio=2,
        capacity_gbps=200,
        host_capacity_gbps=200,
    )
    assert {link.n_parallel for link in two.links if "spine" in link.id} == {2}
    three = {
        "n_pods": 2,
        "n_leaves_per_pod": 4,
        "n_spines_per_pod": 2,
        "n_cores_per_plane": 2,
        "n_hosts_per_leaf": 8,
        "leaf_oversubscription_ratio": 2.0,
        "spine_oversubscription_ratio": 4.0,
        "capacity_gbps": 400.0,
        "host_capacity_gbps": 400.0,
    }
    # a leaf: 3,200 down, 2 bundles of 2 up; a spine: 4 leaves of 2 members down, 2 bundles of 1 up
    expansion = expanded("three_tier", **three)
    members = {
        frozenset(end.split("/")[1].split("-")[0] for end in link.ends): link.n_parallel for link in expansion.links
    }
    assert members[frozenset(("leaf", "spine"))] == 2
    assert members[frozenset(("spine", "core"))] == 1
    assert nx.diameter(switches(expansion)) == 4
    found = structure("three_tier", **three)
    assert found["leaf_oversubscription_ratio"] == pytest.approx(2.0)
    assert found["spine_oversubscription_ratio"] == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"oversubscription_ratio": 3}, "bundles of 2.66667 members.*4 .bundles of 2. or 2.66667 .bundles of 3"),
        ({"oversubscription_ratio": 2, "n_parallel": 2}, "expected one of them"),
        ({"oversubscription_ratio": 2, "n_hosts_per_leaf": 0}, "without hosts"),
        ({"oversubscription_ratio": 2, "capacity_gbps": 400}, "needs host_capacity_gbps"),
        ({"oversubscription_ratio": 2, "host_transceiver": "400G-DR4"}, "needs capacity_gbps"),
        ({"oversubscription_ratio": 100}, "bundles of 0.08 members"),
        ({"oversubscription_ratio": 1e-300}, "at most 10,000 members"),
        ({"oversubscription_ratio": 0.001, "capacity_gbps": 5e-324, "host_capacity_gbps": 1e7}, "at most 10,000"),
    ],
)
def test_an_oversubscription_that_cannot_be_is_refused(params: dict[str, Any], says: str) -> None:
    with pytest.raises(TopologyError, match=says):
        expanded("leaf_spine", **({"n_leaves": 2, "n_spines": 2, "n_hosts_per_leaf": 16} | params))


def test_more_groups_than_global_ports_are_refused() -> None:
    with pytest.raises(TopologyError, match="at most 9 groups"):
        expanded("dragonfly", n_switches_per_group=4, n_global_per_switch=2, n_groups=10)
