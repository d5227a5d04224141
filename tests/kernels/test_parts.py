import networkx as nx
import numpy as np
import pytest
from hypothesis import given

from tests import naive
from tests.kernels.networks import Net, net, nets, random_net
from twin.kernels.parts import label_parts


def labels(network: Net) -> list[int]:
    ends = np.array([(link.a, link.b) for link in network.links], dtype=np.int64).reshape(-1, 2)
    out = np.full(network.n_nodes, -7)
    label_parts(ends, network.up, out)
    return out.tolist()


def test_a_part_has_the_name_of_its_least_node():
    assert labels(net(6, (5, 2, 1.0), (4, 5, 1.0), (0, 3, 1.0), (1, 0, 1.0, False))) == [0, 1, 2, 0, 2, 2]


def test_without_links_each_node_is_a_part():
    assert labels(net(3)) == [0, 1, 2]
    assert labels(net(0)) == []


def test_a_long_way_in_falling_order_is_one_part():
    assert labels(net(50, *((i + 1, i, 1.0) for i in reversed(range(49))))) == [0] * 50


@pytest.mark.parametrize("seed", range(6))
def test_parts_equal_the_naive_twin_and_networkx(seed):
    network = random_net(seed, n_nodes=40, n_links=30, p_up=0.6)
    graph = nx.MultiGraph()
    graph.add_nodes_from(range(network.n_nodes))
    graph.add_edges_from((link.a, link.b) for link in network.links if link.up)
    found = labels(network)
    assert found == naive.label_parts(network.n_nodes, network.links)
    assert found == [min(nx.node_connected_component(graph, node)) for node in range(network.n_nodes)]


@given(nets())
def test_any_small_network_has_the_parts_of_the_naive_twin(network):
    assert labels(network) == naive.label_parts(network.n_nodes, network.links)
