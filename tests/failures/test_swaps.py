"""Orbits: links of one orbit are exchanged by maps that keep all arcs; what differs stays apart."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from twin.failures.swaps import Orbits, find_orbits


def orbits_of(
    graph: nx.Graph, fixed: set[int], codes: dict[tuple[int, int], int] | None = None
) -> tuple[Orbits, np.ndarray]:
    """Orbits of a graph whose nodes are numbers from 0, all of which forward."""
    ends = np.array(sorted(tuple(sorted(edge)) for edge in graph.edges), np.int64).reshape(-1, 2)
    code = np.array([(codes or {}).get(tuple(pair), 0) for pair in ends.tolist()], np.int64)
    n = graph.number_of_nodes()
    is_fixed = np.isin(np.arange(n), list(fixed))
    found = find_orbits(ends, np.repeat(code, 2), np.ones(n, np.bool_), is_fixed, np.ones(n, np.bool_))
    return found, ends


def leaf_spine(n_leaves: int, n_spines: int, hosts: int) -> nx.Graph:
    graph = nx.Graph()
    for leaf in range(n_leaves):
        for spine in range(n_spines):
            graph.add_edge(leaf, n_leaves + spine)
        for host in range(hosts):
            graph.add_edge(leaf, n_leaves + n_spines + leaf * hosts + host)
    return nx.convert_node_labels_to_integers(graph, ordering="sorted")


def test_spines_change_places_and_leaves_with_fixed_hosts_do_not() -> None:
    found, ends = orbits_of(leaf_spine(3, 4, 1), {7, 8, 9})
    assert found.node[3:7].tolist() == [3] * 4
    assert found.node[:3].tolist() == [0, 1, 2]
    for leaf in range(3):
        up = [row for row, (a, b) in enumerate(ends.tolist()) if a == leaf and 3 <= b < 7]
        assert len({int(found.link[row]) for row in up}) == 1


def test_whole_planes_change_places_though_one_node_joins_them() -> None:
    """Two planes of two leaves and two spines; hosts have a leaf in each, and a border is at one spine of each."""
    graph = nx.Graph()
    host = (8, 9)
    for plane in range(2):
        leaves, spines = (4 * plane, 4 * plane + 1), (4 * plane + 2, 4 * plane + 3)
        graph.add_edges_from((leaf, spine) for leaf in leaves for spine in spines)
        graph.add_edges_from(zip(leaves, host, strict=True))
        graph.add_edge(spines[0], 10)
    found, _ = orbits_of(graph, {*host})
    assert found.node.tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 8, 9, 10]


def test_a_link_of_another_kind_or_one_that_is_missing_stays_apart() -> None:
    graph = leaf_spine(2, 3, 1)
    found, _ = orbits_of(graph, {5, 6}, {(0, 2): 1})
    assert found.node[2:5].tolist() == [2, 3, 3]
    graph.remove_edge(1, 4)
    found, _ = orbits_of(graph, {5, 6})
    assert found.node[2:5].tolist() == [2, 2, 4]


def test_nodes_of_equal_surroundings_that_no_exchange_carries_stay_apart() -> None:
    """A ring of six and two of three look the same from each node, but are not."""
    graph = nx.disjoint_union(nx.cycle_graph(6), nx.disjoint_union(nx.cycle_graph(3), nx.cycle_graph(3)))
    found, _ = orbits_of(graph, set())
    assert set(found.node[:6].tolist()).isdisjoint(found.node[6:].tolist())


@pytest.mark.parametrize("seed", range(12))
def test_links_of_an_orbit_are_equal_in_random_graphs(seed: int) -> None:
    """Removing any link of an orbit gives graphs that a map proves equal, with the fixed nodes in place."""
    rng = np.random.default_rng(seed)
    graph = nx.convert_node_labels_to_integers(leaf_spine(3, 3, 2), ordering="sorted")
    edges = sorted(graph.edges)
    graph.remove_edges_from([edges[i] for i in rng.choice(len(edges), int(rng.integers(0, 3)), replace=False)])
    fixed = set(rng.choice(graph.number_of_nodes(), 3, replace=False).tolist())
    found, ends = orbits_of(graph, fixed)
    nx.set_node_attributes(graph, {node: node if node in fixed else -1 for node in graph}, "place")
    for row, (a, b) in enumerate(ends.tolist()):
        model = ends[found.link[row]].tolist()
        one, other = graph.copy(), graph.copy()
        one.remove_edge(a, b)
        other.remove_edge(*model)
        assert nx.is_isomorphic(one, other, node_match=lambda x, y: x["place"] == y["place"])


def test_an_empty_network_has_no_orbits() -> None:
    found, _ = orbits_of(nx.empty_graph(3), set())
    assert found.node.tolist() == [0, 1, 2]
    assert found.link.tolist() == []
