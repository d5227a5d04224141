"""Loads by class of twin destinations: as by the naive twin, and as with each destination by itself."""

from fractions import Fraction

import numpy as np
import pytest

from tests import naive
from tests.kernels.networks import Net, loads_by_class, net
from tests.naive import Link
from twin.traffic.twin_nodes import ArcTable, destinations_of, twin_labels


def blown_up(seed: int) -> Net:
    """A small random graph whose nodes are replaced by sets of twins; some links are then cut or doubled."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 4, rng.integers(3, 6))
    start = np.concatenate(([0], np.cumsum(sizes)))
    links = []
    for a in range(len(sizes)):
        for b in range(a + 1, len(sizes)):
            if rng.random() < 0.7:
                values = [Fraction(int(value)) for value in rng.integers(1, 4, 4)]
                weight, back = values[0] / 10, (values[1] / 10, values[2])
                for i in range(start[a], start[a + 1]):
                    for j in range(start[b], start[b + 1]):
                        links += [Link(i, j, weight, True, values[3], back)] * int(
                            rng.integers(1, 3) if seed % 3 else 1
                        )
    for _ in range(int(rng.integers(0, 3)) if links else 0):
        links[int(rng.integers(len(links)))] = links[int(rng.integers(len(links)))]._replace(up=False)
    kept = [link for link in links if link.up] or [Link(0, 1, Fraction(1))]
    hosts = frozenset(np.flatnonzero(np.repeat(rng.random(len(sizes)) < 0.3, sizes)).tolist())
    return Net(int(start[-1]), kept, hosts)


@pytest.mark.parametrize("seed", range(30))
def test_loads_of_twin_destinations_equal_the_naive_twin(seed):
    network = blown_up(seed)
    rng = np.random.default_rng((seed, 7))
    n = network.n_nodes
    pairs = [(s, t, Fraction(int(rng.integers(0, 50)))) for s in range(n) for t in range(n) if s != t]
    pairs = [pair for pair in pairs if rng.random() < 0.6]
    pairs += pairs[:2]  # two demands of one pair
    source, target = (np.array([pair[i] for pair in pairs], dtype=np.int64) for i in (0, 1))
    amount = np.array([float(pair[2]) for pair in pairs])
    expected, _ = naive.place_demands(n, network.links, pairs, network.hosts)
    wanted = np.array([float(expected.get(arc, 0)) for arc in range(2 * len(network.links))])
    for together in (True, False):
        load = loads_by_class(network, source, target, amount, together)
        np.testing.assert_allclose(load, wanted, rtol=1e-12, atol=1e-12)


LEAVES = [(host, 6 + host // 3, 1.0) for host in range(6)] + [(6, 8, 1.0), (6, 9, 1.0), (7, 8, 1.0), (7, 9, 1.0)]
"""Two leaves with three hosts each, two spines."""


def labels(network: Net, chosen: list[int]) -> list[int]:
    table = ArcTable.of(network.graph, network.weight, network.share, network.up)
    code = (table.arcs.weight * 10).astype(np.int64)
    found = twin_labels(table.arcs, code, np.array(chosen, dtype=np.int64)).tolist()
    return [found.index(label) for label in found]


def test_hosts_of_one_leaf_are_twins_and_spines_are():
    network = net(10, *LEAVES)
    assert labels(network, list(range(10))) == [0, 0, 0, 3, 3, 3, 6, 7, 8, 8]
    assert labels(network._replace(hosts=frozenset({1})), [0, 1, 2]) == [0, 1, 0]
    assert labels(net(10, *LEAVES[:-1], (7, 9, 1.1)), [8, 9]) == [0, 1]
    assert labels(network, []) == []


def test_each_class_is_a_range_and_its_demands_are_sorted():
    network = net(10, *LEAVES)
    table = ArcTable.of(network.graph, network.weight, network.share, network.up)
    source, target = np.array([5, 4, 0, 1, 8]), np.array([0, 0, 9, 2, 8 - 7])
    destinations, pair = destinations_of(table.arcs, source, target, np.arange(5.0))
    classes = [
        sorted(destinations.node[a:b].tolist())
        for a, b in zip(destinations.class_first[:-1], destinations.class_first[1:], strict=True)
    ]
    assert sorted(classes) == [[0, 1, 2], [9]]
    np.testing.assert_array_equal(destinations.demand_gbps, pair)
    for i in range(4):
        part = slice(destinations.demand_first[i], destinations.demand_first[i + 1])
        np.testing.assert_array_equal(target[pair[part]], destinations.node[i])
        np.testing.assert_array_equal(source[pair[part]], destinations.demand_source[part])
        assert (np.diff(destinations.demand_source[part].astype(int)) > 0).all()


def test_an_arc_without_a_share_is_refused():
    network = net(2, (0, 1, 1.0, True, 0))
    with pytest.raises(ValueError, match="above 0"):
        ArcTable.of(network.graph, network.weight, network.share, network.up)
