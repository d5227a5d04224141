from fractions import Fraction
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from tests.kernels.networks import TOLERANCE, Net, loads_by_class, net, nets, random_net
from twin.kernels.ecmp import prune_trace, trace_pair, worst_path_us, worst_to_destination_us


def place(network: Net, destination: int, inflow: np.ndarray) -> np.ndarray:
    """Loads by arc of what enters at every node for one destination."""
    return place_all(network, [(node, destination, gbps) for node, gbps in enumerate(inflow.tolist())])[0]


def place_all(network: Net, demands: list[tuple[int, int, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Loads by arc, and routed by demand, of demands (source, destination, gbps)."""
    source = np.array([source for source, _, _ in demands], dtype=np.int64)
    target = np.array([destination for _, destination, _ in demands], dtype=np.int64)
    amount = np.array([float(gbps) for _, _, gbps in demands])
    return loads_by_class(network, source, target, amount), np.isfinite(
        network.distances(target)[range(len(source)), source]
    )


def trace(network: Net, source: int, destination: int, room: int | None = None) -> tuple[int, list[int], list[float]]:
    """(returned, arcs, fractions), with a look at the scratch."""
    size = 2 * len(network.links) if room is None else room
    scratch, heap = np.zeros((network.n_nodes, 2)), np.zeros(network.n_nodes, dtype=np.int64)
    arc, fraction = np.full(size, -1), np.full(size, np.nan)
    columns = (network.weight, network.up, network.share, network.distances([destination])[0])
    n_arcs = trace_pair(network.graph, *columns, source, TOLERANCE, scratch, heap, arc, fraction)
    assert not scratch.any()
    return n_arcs, arc[: max(n_arcs, 0)].tolist(), fraction[: max(n_arcs, 0)].tolist()


def worst(network: Net, pairs: list[list[int]], latency: np.ndarray) -> list[float]:
    first = np.cumsum([0, *map(len, pairs)]).astype(np.int64)
    flat = np.array([arc for arcs in pairs for arc in arcs], dtype=np.int64)
    scratch, out = np.zeros(network.n_nodes), np.full(len(pairs), np.nan)
    worst_path_us(first, flat, network.graph.head, latency, scratch, out)
    assert not scratch.any()
    return out.tolist()


def random_demands(network: Net, seed: int, n_demands: int = 25) -> list[tuple[int, int, Fraction]]:
    rng = np.random.default_rng(seed)
    ends = rng.integers(0, network.n_nodes, (n_demands, 2)).tolist()
    drawn = [(source, destination, Fraction(int(rng.integers(0, 400)))) for source, destination in ends]
    return sorted(drawn, key=lambda demand: demand[1])


def as_array(load: dict[int, Fraction], n_links: int) -> np.ndarray:
    return np.array([float(load.get(arc, 0)) for arc in range(2 * n_links)])


DIAMOND = net(4, (0, 1, 1.0), (0, 2, 1.0), (1, 3, 1.0), (3, 2, 1.0))


def test_a_diamond_halves_the_flow():
    load, routed = place_all(DIAMOND, [(0, 3, 10.0)])
    assert load.tolist() == [5.0, 0.0, 5.0, 0.0, 5.0, 0.0, 0.0, 5.0]
    assert routed.tolist() == [True]


def test_the_way_back_loads_the_other_arcs():
    assert place_all(DIAMOND, [(3, 0, 10.0)])[0].tolist() == [0.0, 5.0, 0.0, 5.0, 0.0, 5.0, 5.0, 0.0]


def test_flow_divides_at_each_node_not_over_paths():
    # 0 has two next hops; behind 2 two ways open, so three paths carry 1/2, 1/4 and 1/4
    network = net(5, (0, 1, 1.0), (0, 2, 1.0), (1, 4, 2.0), (2, 3, 1.0), (3, 4, 1.0), (2, 4, 2.0))
    assert place_all(network, [(0, 4, 8.0)])[0][0::2].tolist() == [4.0, 4.0, 4.0, 2.0, 2.0, 2.0]


def test_parallel_links_take_flow_by_their_shares():
    network = net(2, (0, 1, 1.0, True, 3), (1, 0, 1.0), (0, 1, 1.0, False, 9), (0, 1, 2.0))
    assert place_all(network, [(0, 1, 8.0)])[0].tolist() == [6.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0]


def test_sums_that_differ_in_the_last_bit_are_still_equal_cost():
    network = net(3, (0, 1, 0.1), (1, 2, 0.2), (0, 2, 0.3))
    assert 0.2 + 0.1 != network.distances([2])[0, 0] == 0.3
    assert place_all(network, [(0, 2, 2.0)])[0][0::2].tolist() == [1.0, 1.0, 1.0]


def test_a_demand_to_itself_is_routed_and_one_without_a_path_is_not():
    network = net(3, (0, 1, 1.0))
    load, routed = place_all(network, [(0, 1, 1.0), (1, 1, 5.0), (2, 1, 7.0), (2, 2, 9.0)])
    assert load.tolist() == [1.0, 0.0]
    assert routed.tolist() == [True, True, False, True]


def test_hops_feed_the_same_kernel_with_weights_of_one():
    network = net(3, (0, 1, 9.0), (1, 2, 9.0), (0, 2, 1.0))
    ones = Net(3, [link._replace(weight=Fraction(1)) for link in network.links])
    assert place_all(ones, [(0, 1, 4.0)])[0].tolist() == [4.0, 0.0, 0.0, 0.0, 0.0, 0.0]


HOSTS_BETWEEN = net(5, (0, 1, 1.0), (1, 4, 1.0), (0, 2, 1.0), (2, 4, 1.0), (0, 3, 1.5), (3, 4, 0.5))
"""Three ways of equal cost from 0 to 4."""


def test_a_way_of_equal_cost_through_a_host_takes_no_share():
    network = HOSTS_BETWEEN._replace(hosts=frozenset({0, 1, 4}))
    assert place_all(network, [(0, 4, 8.0)])[0][0::2].tolist() == [0.0, 0.0, 4.0, 4.0, 4.0, 4.0]
    assert trace(network, 0, 4)[1:] == ([4, 8, 6, 10], [0.5, 0.5, 0.5, 0.5])
    assert place_all(network, [(0, 1, 8.0)])[0][0::2].tolist() == [8.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    latency, slowest = np.array([99.0] * 4 + [1.0] * 8), np.zeros(1)
    columns = (network.weight, network.up, network.share, network.distances([4])[0], np.array([0]))
    worst_to_destination_us(network.graph, *columns, TOLERANCE, latency, slowest)
    assert slowest.tolist() == [2.0]


def test_a_demand_with_hosts_alone_on_its_way_is_not_routed():
    network = HOSTS_BETWEEN._replace(hosts=frozenset({1, 2, 3}))
    load, routed = place_all(network, [(0, 4, 8.0)])
    assert (load.tolist(), routed.tolist()) == ([0.0] * 12, [False])
    assert trace(network, 0, 4)[0] == 0


@settings(max_examples=40, deadline=None)
@given(nets(), st.integers(0, 10**6))
def test_a_host_loads_no_arc_but_those_of_its_own_demands(network, seed):
    demands = random_demands(network, seed, n_demands=5)
    load, head = place_all(network, demands)[0], network.graph.head
    for host in network.hosts:
        sent = sum(float(gbps) for source, to, gbps in demands if source == host != to)
        assert load[head[np.arange(head.size) ^ 1] == host].sum() <= sent * (1 + 1e-12)


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("n_hosts", [0, 4])
@pytest.mark.parametrize("seed", range(8))
def test_loads_equal_the_naive_twin(seed, n_hosts, directed):
    network = random_net(seed, n_hosts=n_hosts, directed=directed)
    demands = random_demands(network, seed)
    load, routed = place_all(network, demands)
    expected, expected_routed = naive.place_demands(network.n_nodes, network.links, demands, network.hosts)
    np.testing.assert_allclose(load, as_array(expected, len(network.links)), rtol=1e-12, atol=1e-12)
    assert routed.tolist() == expected_routed


@pytest.mark.parametrize("seed", range(4))
def test_loads_equal_networkx_all_shortest_paths(seed):
    # each path of networkx weighs the product of 1 / (next hops) along it; a simple graph, all shares one
    graph = nx.gnm_random_graph(12, 24, seed=seed)
    network = net(12, *((a, b, 1.0) for a, b in graph.edges))
    arc_of = {(link.a, link.b): 2 * i for i, link in enumerate(network.links)}
    arc_of |= {(link.b, link.a): 2 * i + 1 for i, link in enumerate(network.links)}
    for source, destination in [(0, 11), (3, 7), (5, 1)]:
        paths = (
            list(nx.all_shortest_paths(graph, source, destination)) if nx.has_path(graph, source, destination) else []
        )
        next_hops: dict[int, set[int]] = {}
        for path in paths:
            for tail, head in pairwise(path):
                next_hops.setdefault(tail, set()).add(head)
        expected = np.zeros(2 * len(network.links))
        for path in paths:
            part = np.prod([1 / len(next_hops[tail]) for tail in path[:-1]])
            for tail, head in pairwise(path):
                expected[arc_of[tail, head]] += part
        np.testing.assert_allclose(place_all(network, [(source, destination, 1.0)])[0], expected, rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(nets(), st.data())
def test_flow_is_conserved_at_every_node(network, data):
    destination = data.draw(st.integers(0, network.n_nodes - 1))
    offered = np.array(
        data.draw(st.lists(st.integers(0, 50), min_size=network.n_nodes, max_size=network.n_nodes)), float
    )
    load = place(network, destination, offered)
    reachable = np.isfinite(network.distances([destination])[0])
    head = network.graph.head
    into = np.bincount(head, weights=load, minlength=network.n_nodes)
    out = np.bincount(head[np.arange(head.size) ^ 1], weights=load, minlength=network.n_nodes)
    routed = np.where(reachable, offered, 0.0)
    routed[destination] = 0.0
    sink = np.zeros(network.n_nodes)
    sink[destination] = routed.sum()
    np.testing.assert_allclose(into + routed, out + sink, rtol=1e-12, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(nets(), st.integers(0, 10**6))
def test_twice_the_demand_is_twice_the_load(network, seed):
    demands = random_demands(network, seed, n_demands=5)
    load, routed = place_all(network, demands)
    doubled, doubled_routed = place_all(network, [(source, to, 2 * gbps) for source, to, gbps in demands])
    assert doubled.tolist() == (2 * load).tolist()
    assert doubled_routed.tolist() == routed.tolist()


@settings(max_examples=40, deadline=None)
@given(nets(), st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_renumbering_nodes_and_links_renumbers_the_loads(network, seed, random):
    node_to, old_links = list(range(network.n_nodes)), list(range(len(network.links)))
    random.shuffle(node_to)
    random.shuffle(old_links)
    links = [network.links[old] for old in old_links]
    hosts = frozenset(node_to[node] for node in network.hosts)
    renumbered = Net(network.n_nodes, [link._replace(a=node_to[link.a], b=node_to[link.b]) for link in links], hosts)
    demands = random_demands(network, seed, n_demands=5)
    load, routed = place_all(network, demands)
    moved, moved_routed = place_all(renumbered, [(node_to[source], node_to[to], gbps) for source, to, gbps in demands])
    np.testing.assert_allclose(moved.reshape(-1, 2), load.reshape(-1, 2)[old_links], rtol=1e-12)
    assert moved_routed.tolist() == routed.tolist()


@settings(max_examples=40, deadline=None)
@given(nets(), st.integers(0, 10**6))
def test_a_failed_link_is_as_good_as_a_missing_one(network, seed):
    demands = random_demands(network, seed, n_demands=5)
    without = network._replace(links=[link for link in network.links if link.up])
    load, routed = place_all(network, demands)
    assert load.reshape(-1, 2)[network.up].tolist() == place_all(without, demands)[0].reshape(-1, 2).tolist()
    assert not load.reshape(-1, 2)[~network.up].any()
    assert routed.tolist() == place_all(without, demands)[1].tolist()


def test_a_trace_lists_arcs_farthest_node_first():
    assert trace(DIAMOND, 0, 3) == (4, [0, 2, 4, 7], [0.5, 0.5, 0.5, 0.5])


def test_a_trace_is_empty_without_a_path_and_from_the_destination():
    network = net(3, (0, 1, 1.0))
    assert trace(network, 2, 1) == trace(network, 1, 1) == (0, [], [])


def test_a_trace_without_room_says_how_much_it_needs():
    assert trace(DIAMOND, 0, 3, room=3)[0] == -4
    assert trace(DIAMOND, 0, 3, room=0)[0] == -4
    assert trace(DIAMOND, 0, 3, room=4)[0] == 4


@pytest.mark.parametrize(("n_hosts", "directed"), [(0, False), (4, False), (4, True)])
@pytest.mark.parametrize("seed", range(5))
def test_traces_equal_the_naive_twin_in_topological_order(seed, n_hosts, directed):
    network = random_net(seed, n_hosts=n_hosts, directed=directed)
    for source in range(network.n_nodes):
        for destination in (0, 5):
            distance = naive.shortest_distances(network.n_nodes, network.links, destination, network.hosts)
            n_arcs, arcs, fractions = trace(network, source, destination)
            expected = naive.unit_loads(network.links, distance, source, network.hosts)
            assert n_arcs == len(expected)
            assert dict(zip(arcs, fractions, strict=True)) == pytest.approx({k: float(v) for k, v in expected.items()})
            seen_heads = {source}
            for arc in arcs:
                tail, head = network.graph.head[arc ^ 1], network.graph.head[arc]
                assert tail in seen_heads
                assert network.distances([destination])[0][tail] > network.distances([destination])[0][head]
                seen_heads.add(head)
            if arcs:
                assert network.graph.head[arcs[-1]] == destination


@pytest.mark.parametrize("seed", range(3))
def test_a_matrix_is_the_sum_of_its_traces(seed):
    network = random_net(seed)
    demands = random_demands(network, seed)
    summed = np.zeros(2 * len(network.links))
    for source, destination, gbps in demands:
        _, arcs, fractions = trace(network, source, destination)
        summed[arcs] += float(gbps) * np.array(fractions)
    np.testing.assert_allclose(place_all(network, demands)[0], summed, rtol=1e-12)


@pytest.mark.parametrize("n_hosts", [0, 4])
@pytest.mark.parametrize("seed", range(6))
def test_traces_after_failures_and_new_shares_come_from_those_before_to_the_last_bit(seed, n_hosts):
    before = random_net(seed, n_nodes=12, n_hosts=n_hosts)
    before = before._replace(links=[link._replace(weight=Fraction(1)) for link in before.links])
    rng = np.random.default_rng((seed, 3))
    failed = rng.choice(np.flatnonzero(before.up), 4, replace=False)
    links = [link._replace(share=Fraction(int(rng.integers(1, 4)))) for link in before.links]
    now = before._replace(links=[link._replace(up=link.up and i not in failed) for i, link in enumerate(links)])
    n_pruned = n_farther = 0
    for source, destination in ((a, b) for a in range(before.n_nodes) for b in range(before.n_nodes)):
        _, arcs, fractions = trace(before, source, destination)
        hops_before, hops = (each.distances([destination])[0] for each in (before, now))
        scratch, arc, fraction = np.zeros((now.n_nodes, 2)), np.empty(len(arcs), np.int64), np.empty(len(arcs))
        columns = now.graph.head, now.up, now.share, hops_before, hops, scratch, arc, fraction
        n = prune_trace(np.array(arcs, np.int64), np.array(fractions), *columns)
        assert not scratch.any()
        if n < 0:
            assert not arcs or hops[source] > hops_before[source]
            n_farther += bool(arcs)
            continue
        assert (n, arc[:n].tolist(), fraction[:n].tolist()) == trace(now, source, destination)
        n_pruned += n < len(arcs)
    assert n_pruned or n_hosts
    assert n_farther


def test_the_worst_path_is_the_slow_side_of_the_diamond():
    latency = np.array([1.0, 99.0, 4.0, 99.0, 2.0, 99.0, 99.0, 0.5])
    _, arcs, _ = trace(DIAMOND, 0, 3)
    assert worst(DIAMOND, [arcs, [], [0, 4]], latency) == [4.5, 0.0, 3.0]


@pytest.mark.parametrize("n_hosts", [0, 4])
@pytest.mark.parametrize("seed", range(4))
def test_worst_paths_equal_the_naive_twin(seed, n_hosts):
    network = random_net(seed, n_hosts=n_hosts, directed=True)
    latency = np.random.default_rng(seed).random(2 * len(network.links))
    by_arc = dict(enumerate(latency.tolist()))
    distance = naive.shortest_distances(network.n_nodes, network.links, 2, network.hosts)
    pairs = [trace(network, source, 2)[1] for source in range(network.n_nodes)]
    nodes, hosts = range(network.n_nodes), network.hosts
    expected = [naive.worst_path(network.links, distance, source, by_arc, hosts) for source in nodes]
    assert worst(network, pairs, latency) == pytest.approx(expected, rel=1e-12)


def test_a_trace_with_a_part_too_small_for_rounding_is_traced_anew():
    pair = net(2, (0, 1, 1.0))
    hops, scratch = pair.distances([1])[0], np.zeros((2, 2))
    columns = pair.graph.head, pair.up, pair.share, hops, hops, scratch, np.empty(1, np.int64), np.empty(1)
    assert prune_trace(np.array([0]), np.array([1e-201]), *columns) == -1
    assert prune_trace(np.array([0]), np.array([1.0]), *columns) == 1


def test_a_node_of_more_links_than_the_scratch_splits_over_all_of_them():
    star = net(2, *([(0, 1, 1.0)] * 70))
    _, arcs, fractions = trace(star, 0, 1)
    assert (len(arcs), set(fractions)) == (70, {1 / 70})


def test_flow_ends_where_all_next_hops_have_no_share():
    """Such links belong down before distances are computed; here they were not, and nothing divides by zero."""
    blocked = net(3, (0, 1, 1.0), (1, 2, 1.0, True, 0))
    assert trace(blocked, 0, 2)[1] == [0]


@settings(max_examples=60, deadline=None)
@given(nets(), st.data())
def test_the_worst_way_to_a_destination_is_that_of_every_pair(network, data):
    destination = data.draw(st.integers(0, network.n_nodes - 1))
    sources = np.array(data.draw(st.permutations(range(network.n_nodes))), dtype=np.int64)
    latency = np.array([data.draw(st.floats(0.0, 50.0)) for _ in range(2 * len(network.links))])
    out = np.full(len(sources), np.nan)
    columns = (network.weight, network.up, network.share, network.distances([destination])[0])
    worst_to_destination_us(network.graph, *columns, sources, TOLERANCE, latency, out)
    pairs = [trace(network, int(source), destination)[1] for source in sources]
    np.testing.assert_allclose(out, worst(network, pairs, latency), rtol=1e-12)
    some = np.full(2, np.nan)
    worst_to_destination_us(network.graph, *columns, sources[[0, 0]], TOLERANCE, latency, some)
    assert some.tolist() == [out[0], out[0]], "others that are asked for change nothing"
