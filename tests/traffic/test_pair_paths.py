"""Distinct shortest paths of a pair, what separates two nodes, and the arcs that limit demands."""

from __future__ import annotations

import math
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import networkx as nx
import numpy as np
import pytest

from tests import naive
from tests.kernels.networks import TOLERANCE, Net, net, random_net
from twin.kernels.ecmp import trace_pair
from twin.traffic.limits import limiting_arcs
from twin.traffic.pair_paths import MAX_COUNTED, distinct_paths, hop_positions, separation
from twin.traffic.routes import Routes


def traced(network: Net, source: int, target: int) -> tuple[np.ndarray, np.ndarray]:
    room = 4 * len(network.links) + 4
    arc, fraction = np.empty(room, np.int64), np.empty(room)
    scratch = np.zeros((network.n_nodes, 2)), np.zeros(network.n_nodes, np.int64)
    distance = network.distances([target])[0]
    columns = network.graph, network.weight, network.up, network.share
    n = trace_pair(*columns, distance, source, TOLERANCE, *scratch, arc, fraction)
    return arc[:n], fraction[:n]


def naive_paths(network: Net, source: int, target: int) -> dict[tuple[int, ...], Fraction]:
    """Every path by recursion over the next hops, with its share."""
    distance = naive.shortest_distances(network.n_nodes, network.links, target, network.hosts)
    if source == target:
        return {(): Fraction(1)}
    hops = naive.next_hops(network.links, distance, source, network.hosts)
    total = sum(link.share for _, _, link in hops)
    return {
        (arc, *rest): link.share / total * part
        for arc, head, link in hops
        for rest, part in naive_paths(network, head, target).items()
    }


@pytest.mark.parametrize("seed", range(40))
def test_paths_are_those_of_the_naive_version(seed: int) -> None:
    network = random_net(seed, n_nodes=9, n_links=18, n_hosts=2)
    head = network.graph.head
    for source in range(7):
        for target in range(7):
            if source == target:
                continue
            expected = naive_paths(network, source, target)
            found = distinct_paths(*traced(network, source, target), head, 1000)
            assert found.n_paths == len(expected)
            assert {path: pytest.approx(float(part)) for path, part in expected.items()} == dict(
                zip(found.arcs, found.share_ratio.tolist(), strict=True)
            )
            assert (np.diff(found.share_ratio) <= 1e-12).all()
            few = distinct_paths(*traced(network, source, target), head, 2)
            assert few.arcs == found.arcs[:2]


@pytest.mark.parametrize("seed", range(10))
def test_the_number_of_paths_is_that_of_networkx(seed: int) -> None:
    network = random_net(seed, p_up=1.0)
    graph = nx.Graph()
    for link in network.links:
        graph.add_edge(link.a, link.b, weight=10 * int(10 * link.weight))
    simple = [(a, b, Fraction(data["weight"], 100)) for a, b, data in graph.edges(data=True)]
    network = net(network.n_nodes, *[(a, b, float(weight)) for a, b, weight in simple])
    for target in list(graph)[1:]:
        source = next(iter(graph))
        if nx.has_path(graph, source, target):
            expected = list(nx.all_shortest_paths(graph, source, target, weight="weight"))
            assert distinct_paths(*traced(network, source, target), network.graph.head, 1).n_paths == len(expected)


def ladder(n: int) -> Net:
    """Squares in a row: each doubles the number of paths."""
    links = []
    for i in range(n):
        a, b, c, d = 3 * i, 3 * i + 1, 3 * i + 2, 3 * i + 3
        links += [(a, b, 1), (a, c, 1), (b, d, 1), (c, d, 1)]
    return net(3 * n + 1, *links)


def test_many_paths_are_counted_without_listing_them() -> None:
    network = ladder(20)
    found = distinct_paths(*traced(network, 0, 60), network.graph.head, 16)
    assert (found.n_paths, len(found.arcs)) == (2**20, 16)
    assert len(set(found.arcs)) == 16
    network = ladder(60)
    assert distinct_paths(*traced(network, 0, 180), network.graph.head, 1).n_paths == MAX_COUNTED


def test_positions_are_the_fewest_hops() -> None:
    network = net(4, (0, 1, 1), (1, 2, 1), (2, 3, 1), (0, 3, 3))
    arc, _ = traced(network, 0, 3)
    assert dict(zip(arc.tolist(), hop_positions(arc, network.graph.head).tolist(), strict=True)) == {
        0: 1,
        6: 1,
        2: 2,
        4: 3,
    }


def test_no_path_is_empty() -> None:
    network = net(3, (0, 1, 1))
    found = distinct_paths(*traced(network, 0, 2), network.graph.head, 5)
    assert (found.n_paths, found.arcs, len(hop_positions(*traced(network, 0, 2)[:1], network.graph.head))) == (0, (), 0)


# --- separation ------------------------------------------------------------------------------------------------------


class Columns(SimpleNamespace):
    """The columns of a state that a separation reads."""

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)


def state_of(network: Net) -> Any:
    ends = np.array([(link.a, link.b) for link in network.links], dtype=np.int64).reshape(-1, 2)
    forwards = network.graph.forwards
    return Columns(
        n_nodes=network.n_nodes, n_links=len(network.links), graph=network.graph, link_ends=ends, node_forwards=forwards
    )


@pytest.mark.parametrize("seed", range(60))
def test_repairing_what_separates_reaches_further(seed: int) -> None:
    """Each named link leaves the reached part, and with all of them up the part that is reached grows."""
    network = random_net(seed, n_nodes=8, n_links=9, p_up=0.5, n_hosts=2)
    everything = network._replace(links=[link._replace(up=True) for link in network.links])
    for source in range(6):
        distance = naive.shortest_distances(network.n_nodes, network.links, source, network.hosts)
        possible = naive.shortest_distances(network.n_nodes, everything.links, source, network.hosts)
        for target in (node for node in range(6) if distance[node] == math.inf):
            found = separation(state_of(network), network.up, source, target)
            if possible[target] < math.inf:
                assert found.n_reached == sum(d < math.inf for d in distance)
                assert len(found.links)
                assert not len(found.nodes)
                assert not network.up[found.links].any()
                for row in found.links.tolist():
                    repaired = [link._replace(up=link.up or i == row) for i, link in enumerate(network.links)]
                    after = naive.shortest_distances(network.n_nodes, repaired, source, network.hosts)
                    assert sum(d < math.inf for d in after) > found.n_reached
            else:
                assert not len(found.links)
                assert set(found.nodes.tolist()) <= network.hosts


def test_a_host_between_two_switches_is_named() -> None:
    network = net(3, (0, 1, 1), (1, 2, 1))._replace(hosts=frozenset({1}))
    assert separation(state_of(network), network.up, 0, 2).nodes.tolist() == [1]
    lone = net(4, (0, 1, 1), (2, 3, 1))
    found = separation(state_of(lone), lone.up, 0, 3)
    assert (found.n_reached, len(found.links), len(found.nodes)) == (2, 0, 0)


# --- limits ----------------------------------------------------------------------------------------------------------


def routes_of(pairs: list[dict[int, float]], n_arcs: int) -> Routes:
    """Routes with every arc as an arc of its own pair."""
    rows = [(i, arc, part) for i, arcs in enumerate(pairs) for arc, part in arcs.items()]
    nothing = np.zeros(0, np.int64)
    return Routes(
        n_arcs=n_arcs,
        reachable=np.ones(len(pairs), np.bool_),
        route_of_pair=np.zeros(len(pairs), np.int64),
        inner_first=np.zeros(2, np.int64),
        inner_arc=nothing,
        inner_fraction=np.zeros(0),
        pair_first=np.cumsum([0, *map(len, pairs), *([0] * len(pairs))]).astype(np.int64),
        pair_arc=np.array([row[1] for row in rows], np.int64),
        pair_fraction=np.array([row[2] for row in rows]),
        trace_first=np.zeros(2, np.int64),
        trace_arc=nothing,
    )


def test_the_limit_is_the_full_arc_on_which_no_rate_is_larger() -> None:
    """Arc 0 (10) carries pairs 0 and 1, arc 1 (100) pairs 1 and 2: rates 5, 5, 95; pair 3 has what it offers."""
    routes = routes_of([{0: 1.0}, {0: 1.0, 1: 1.0}, {1: 1.0}, {2: 1.0}], 3)
    offered = np.array([20.0, 20.0, 200.0, 1.0])
    carried = np.array([5.0, 5.0, 95.0, 1.0])
    found = limiting_arcs(routes, offered, carried, np.array([10.0, 100.0, 5.0]))
    assert found.tolist() == [0, 0, 1, -1]


def test_of_several_limits_it_is_the_one_with_the_most_offered_over_capacity() -> None:
    """Two rates of 5 fill an arc each (arc 2 by halves) and arc 1 together: 70 offered of 10 there, 30 of 5 before."""
    routes = routes_of([{0: 1.0, 1: 1.0, 2: 0.5}, {1: 1.0}], 3)
    carried, capacity = np.array([5.0, 5.0]), np.array([5.0, 10.0, 2.5])
    assert limiting_arcs(routes, np.array([30.0, 40.0]), carried, capacity).tolist() == [1, 1]
    assert limiting_arcs(routes, np.array([30.0, 5.0]), carried, capacity).tolist() == [0, -1], "30 of 5, 15 of 2.5"
    assert limiting_arcs(routes, np.array([30.0, 5.0]), carried, np.array([5.1, 10.0, 2.5])).tolist() == [2, -1]


def test_an_arc_without_capacity_or_traffic_of_a_pair() -> None:
    """A rate of 0 is limited by the arc without capacity; an arc with fraction 0 limits nothing."""
    routes = routes_of([{0: 1.0, 1: 1.0}, {0: 0.0, 1: 1.0}], 2)
    offered, carried = np.array([6.0, 6.0]), np.array([0.0, 4.0])
    assert limiting_arcs(routes, offered, carried, np.array([0.0, 4.0])).tolist() == [0, 1]
    nothing = np.zeros(2)
    assert limiting_arcs(routes, nothing, nothing, nothing).tolist() == [-1, -1], "nothing offered, nothing limited"


def test_unknown_rates_limit_nothing_and_have_no_limit() -> None:
    """Arc 0 carries pair 0, whose rate nobody knows, and pair 1; arc 1 of unknown rate carries pair 2."""
    routes = routes_of([{0: 1.0}, {0: 1.0}, {1: 1.0, 2: 1.0}], 3)
    offered, carried = np.array([9.0, 9.0, 9.0]), np.array([np.nan, 5.0, 4.0])
    assert limiting_arcs(routes, offered, carried, np.array([5.0, np.nan, 4.0])).tolist() == [-1, 0, 2]
    assert limiting_arcs(routes, offered, carried, np.array([5.1, np.nan, 4.0])).tolist() == [-1, -1, 2]
    assert limiting_arcs(routes, offered, carried, np.array([5.0, np.nan, 4.1])).tolist() == [-1, 0, -1]


def test_differences_by_rounding_are_none() -> None:
    """Rates 1e-10 apart are equal, loads 1e-10 below the capacity fill it; 1e-8 are a difference."""
    routes = routes_of([{0: 1.0}, {0: 1.0}], 1)

    def limits(offered: float, below: float, capacity: float) -> list[int]:
        rates = np.array([5.0, 5.0 * (1.0 - below)])
        return limiting_arcs(routes, np.array([5.0, offered]), rates, np.array([capacity])).tolist()

    assert limits(6.0, 1e-10, 10.0) == [-1, 0]
    assert limits(6.0, 1e-8, 10.0 - 5e-8) == [-1, -1], "the other rate is larger"
    assert limits(6.0, 0.0, 10.0 + 1e-9) == [-1, 0]
    assert limits(6.0, 0.0, 10.0 + 1e-7) == [-1, -1]
    assert limits(5.0, 1e-10, 10.0) == [-1, -1], "carried is what is offered"
    assert limits(5.0 + 5e-8, 0.0, 10.0) == [-1, 0]


@pytest.mark.parametrize("seed", range(30))
def test_every_limited_pair_has_a_bottleneck_in_exact_arithmetic(seed: int) -> None:
    """Progressive filling with fractions; the limit is a full arc without a larger rate, as Bertsekas defines it."""
    rng = np.random.default_rng(seed)
    n_pairs, n_arcs = 6, 5
    pairs = [
        {int(arc): Fraction(int(rng.integers(1, 3)), 2) for arc in rng.choice(n_arcs, rng.integers(1, 4), False)}
        for _ in range(n_pairs)
    ]
    capacity = [Fraction(int(c)) for c in rng.integers(5, 30, n_arcs)]
    offered = [Fraction(int(o)) for o in rng.integers(1, 30, n_pairs)]
    rate = filled(pairs, capacity, offered)
    routes = routes_of([{arc: float(part) for arc, part in arcs.items()} for arcs in pairs], n_arcs)
    floats = [np.array([float(x) for x in values]) for values in (offered, rate, capacity)]
    for pair, arc in enumerate(limiting_arcs(routes, *floats).tolist()):
        assert (arc >= 0) == (rate[pair] < offered[pair])
        if arc >= 0:
            sharing = [other for other in range(n_pairs) if arc in pairs[other]]
            assert sum(rate[other] * pairs[other][arc] for other in sharing) == capacity[arc]
            assert rate[pair] == max(rate[other] for other in sharing)


def filled(pairs: list[dict[int, Fraction]], capacity: list[Fraction], offered: list[Fraction]) -> list[Fraction]:
    rate, rising = [Fraction(0)] * len(pairs), set(range(len(pairs)))
    while rising:
        room = []
        for arc, size in enumerate(capacity):
            used = sum(rate[i] * pairs[i].get(arc, 0) for i in range(len(pairs)) if i not in rising)
            slope = sum((pairs[i].get(arc, Fraction(0)) for i in rising), Fraction(0))
            room.append((size - used) / slope if slope else None)
        level = min([r for r in room if r is not None] + [offered[i] for i in rising])
        stopped = {i for i in rising if offered[i] == level or any(room[arc] == level for arc in pairs[i])}
        for i in stopped:
            rate[i] = level
        rising -= stopped
    return rate
