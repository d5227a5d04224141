import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from tests import naive
from tests.kernels.networks import Net, net, nets, random_net
from twin.kernels.most_hops import most_hops
from twin.kernels.paths import shortest_distances, shortest_hops


def hops_of(network: Net, sources: list[int]) -> np.ndarray:
    out = np.full((len(sources), network.n_nodes), np.nan)
    shortest_hops(network.graph, network.up, np.array(sources, dtype=np.int64), out)
    return out


def lightest_links(network: Net) -> dict[tuple[int, int], float]:
    """Parallel links as one, for peers without multigraphs."""
    lightest: dict[tuple[int, int], float] = {}
    for link in network.links:
        if link.up:
            pair = (min(link.a, link.b), max(link.a, link.b))
            lightest[pair] = min(float(link.weight), lightest.get(pair, np.inf))
    return lightest


def test_the_longer_way_round_wins_where_it_is_lighter():
    square = net(5, (0, 1, 5.0), (1, 2, 1.0), (0, 3, 1.0), (3, 2, 1.5))
    assert square.distances([0, 2]).tolist() == [[0.0, 3.5, 2.5, 1.0, np.inf], [2.5, 1.0, 0.0, 1.5, np.inf]]
    assert hops_of(square, [0]).tolist() == [[0.0, 1.0, 2.0, 1.0, np.inf]]


def test_a_link_that_is_down_carries_no_path_and_its_parallel_does():
    pair = net(2, (0, 1, 1.0, False), (1, 0, 7.0))
    assert pair.distances([0]).tolist() == [[0.0, 7.0]]
    assert hops_of(pair, [1]).tolist() == [[1.0, 0.0]]


def test_without_links_a_node_reaches_itself_alone():
    alone = net(3)
    assert alone.distances([1]).tolist() == [[np.inf, 0.0, np.inf]]
    assert hops_of(alone, [1]).tolist() == [[np.inf, 0.0, np.inf]]


def test_no_sources_no_rows():
    assert net(2, (0, 1, 1.0)).distances([]).shape == (0, 2)


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("n_hosts", [0, 4])
@pytest.mark.parametrize("seed", range(6))
def test_distances_equal_the_naive_twin(seed, n_hosts, directed):
    network = random_net(seed, n_hosts=n_hosts, directed=directed)
    sources = list(range(network.n_nodes))
    expected = [naive.shortest_distances(network.n_nodes, network.links, source, network.hosts) for source in sources]
    np.testing.assert_allclose(network.distances(sources), np.array(expected, dtype=float), rtol=1e-14)


@pytest.mark.parametrize("n_hosts", [0, 4])
@pytest.mark.parametrize("seed", range(6))
def test_hops_equal_the_naive_twin(seed, n_hosts):
    network = random_net(seed, n_hosts=n_hosts)
    sources = list(range(network.n_nodes))
    expected = [naive.shortest_hops(network.n_nodes, network.links, source, network.hosts) for source in sources]
    assert hops_of(network, sources).tolist() == np.array(expected, dtype=float).tolist()


@pytest.mark.parametrize(
    ("seed", "n_nodes", "n_sources"), [(0, 14, 14), (1, 14, 1), (2, 70, 70), (3, 70, 64), (4, 14, 0)]
)
def test_most_hops_equal_the_naive_twin(seed: int, n_nodes: int, n_sources: int) -> None:
    network = random_net(seed, n_nodes, 2 * n_nodes, n_hosts=4)
    rng = np.random.default_rng(seed)
    sources, counts = rng.integers(0, n_nodes, n_sources), rng.random(n_nodes) < 0.7
    expected = []
    for source in sources.tolist():
        hops = naive.shortest_hops(n_nodes, network.links, source, network.hosts)
        expected.append(max([0, *(n for n, is_counted in zip(hops, counts, strict=True) if is_counted and n < np.inf)]))
    found = np.full(n_sources, -1)
    most_hops(network.graph, network.up, sources, counts, found)
    assert found.tolist() == expected


@pytest.mark.parametrize("seed", range(4))
def test_distances_equal_networkx_to_the_last_bit(seed):
    network = random_net(seed, n_nodes=40, n_links=90)
    graph = nx.MultiGraph()
    graph.add_nodes_from(range(network.n_nodes))
    graph.add_weighted_edges_from((link.a, link.b, float(link.weight)) for link in network.links if link.up)
    ours = network.distances(list(range(network.n_nodes)))
    for source in range(network.n_nodes):
        theirs = nx.single_source_dijkstra_path_length(graph, source)
        assert ours[source].tolist() == [theirs.get(node, np.inf) for node in range(network.n_nodes)]


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_distances_past_hosts_equal_networkx_without_their_arcs(seed, directed):
    network = random_net(seed, n_nodes=30, n_links=60, n_hosts=12, directed=directed)
    ours, hops = network.distances(list(range(network.n_nodes))), hops_of(network, list(range(network.n_nodes)))
    n_changed = 0
    for source in range(network.n_nodes):
        graph = nx.MultiDiGraph()
        graph.add_nodes_from(range(network.n_nodes))
        for _, tail, head, link in naive.arcs(network.links):
            if head == source or head not in network.hosts:
                graph.add_edge(head, tail, weight=float(link.weight))
        theirs = nx.single_source_dijkstra_path_length(graph, source)
        assert ours[source].tolist() == [theirs.get(node, np.inf) for node in range(network.n_nodes)]
        theirs = nx.single_source_shortest_path_length(graph, source)
        assert hops[source].tolist() == [theirs.get(node, np.inf) for node in range(network.n_nodes)]
        n_changed += int((ours[source] != network._replace(hosts=frozenset()).distances([source])[0]).sum())
    assert n_changed > 0


def test_a_host_with_two_cables_is_no_way_through():
    host_between = net(4, (0, 1, 1.0), (1, 2, 1.0), (2, 3, 1.0))._replace(hosts=frozenset({1}))
    assert host_between.distances([0, 1]).tolist() == [[0.0, 1.0, np.inf, np.inf], [1.0, 0.0, 1.0, 2.0]]
    assert hops_of(host_between, [3]).tolist() == [[np.inf, 2.0, 1.0, 0.0]]


@settings(max_examples=40, deadline=None)
@given(nets())
def test_hosts_with_one_neighbour_change_no_bit(network):
    neighbours = {node: set() for node in range(network.n_nodes)}
    for link in network.links:
        neighbours[link.a].add(link.b)
        neighbours[link.b].add(link.a)
    with_hosts = network._replace(hosts=frozenset(node for node, around in neighbours.items() if len(around) < 2))
    without, sources = network._replace(hosts=frozenset()), list(range(network.n_nodes))
    assert with_hosts.distances(sources).tobytes() == without.distances(sources).tobytes()
    assert hops_of(with_hosts, sources).tobytes() == hops_of(without, sources).tobytes()


@pytest.mark.parametrize("seed", range(4))
def test_distances_and_hops_equal_scipy(seed):
    network = random_net(seed, n_nodes=60, n_links=130)
    lightest = lightest_links(network)
    ends = np.array(list(lightest))
    shape = (network.n_nodes, network.n_nodes)
    matrix = coo_array((list(lightest.values()), (ends[:, 0], ends[:, 1])), shape=shape).tocsr()
    sources = list(range(network.n_nodes))
    assert network.distances(sources).tolist() == dijkstra(matrix, directed=False).tolist()
    assert hops_of(network, sources).tolist() == dijkstra(matrix, directed=False, unweighted=True).tolist()


@pytest.mark.parametrize("seed", range(3))
def test_a_row_depends_on_its_source_alone(seed):
    network = random_net(seed)
    together = network.distances([3, 1, 3])
    assert together[0].tolist() == together[2].tolist() == network.distances([3])[0].tolist()


def test_read_only_columns_are_accepted():
    network = net(3, (0, 1, 1.0), (1, 2, 2.0))
    graph, weight, up, sources = network.graph, network.weight, network.up, np.array([0])
    for column in (*graph, weight, up, sources):
        column.flags.writeable = False
    out = np.empty((1, 3))
    shortest_distances(graph, weight, up, sources, out)
    assert out.tolist() == [[0.0, 1.0, 3.0]]


@settings(max_examples=40, deadline=None)
@given(nets())
def test_distances_keep_the_triangle_and_are_the_same_both_ways_where_weights_are(network):
    distance = network.distances(list(range(network.n_nodes)))
    for _, tail, head, link in naive.arcs(network.links):
        through = [n for n in range(network.n_nodes) if n == head or head not in network.hosts]
        longest = distance[through, head] + float(link.weight) * (1 + 1e-12)
        assert np.all(distance[through, tail] <= longest)
    same = network._replace(links=[link._replace(back=None) for link in network.links])
    distance = same.distances(list(range(network.n_nodes)))
    np.testing.assert_allclose(distance, distance.T, rtol=1e-14)


def test_each_direction_has_its_own_weight():
    one_way = net(2, (0, 1, 1.0, True, 1, (7.0, 1)))
    # row = target: from 1 to 0 it costs 7, from 0 to 1 it costs 1
    assert one_way.distances([0, 1]).tolist() == [[0.0, 7.0], [1.0, 0.0]]


@settings(max_examples=40, deadline=None)
@given(nets(), st.data())
def test_a_failure_never_shortens_a_path(network, data):
    failed = data.draw(st.integers(0, len(network.links) - 1))
    worse = network._replace(links=[*network.links])
    worse.links[failed] = network.links[failed]._replace(up=False)
    sources = list(range(network.n_nodes))
    assert np.all(worse.distances(sources) >= network.distances(sources))
    assert np.all(hops_of(worse, sources) >= hops_of(network, sources))


@settings(max_examples=40, deadline=None)
@given(nets(), st.randoms(use_true_random=False))
def test_renumbering_nodes_and_links_renumbers_the_answer(network, random):
    new = list(range(network.n_nodes))
    random.shuffle(new)
    links = [link._replace(a=new[link.a], b=new[link.b]) for link in network.links]
    random.shuffle(links)
    hosts = frozenset(new[node] for node in network.hosts)
    renumbered = Net(network.n_nodes, links, hosts).distances(new)
    assert renumbered[:, new].tolist() == network.distances(list(range(network.n_nodes))).tolist()
