"""Crossings of chosen arcs equal the loads of each demand by itself."""

from __future__ import annotations

import numpy as np
import pytest

from tests import naive
from tests.kernels.networks import TOLERANCE, Net, net, random_net
from twin.kernels.crossings import crossings
from twin.traffic.twin_nodes import ArcTable, destinations_of


def found(network: Net, source: np.ndarray, target: np.ndarray, amount: np.ndarray, arcs: list[int]) -> dict:
    """Fraction by pair and arc of the network."""
    table = ArcTable.of(network.graph, network.weight, network.share, network.up)
    destinations, pair = destinations_of(table.arcs, source, target, amount)
    place = np.array([arcs.index(arc) if arc in arcs else -1 for arc in table.arc_id.tolist()], np.int64)
    demand, chosen, part = crossings(table.arcs, table.by_hops, destinations, TOLERANCE, place, len(arcs))
    assert (np.diff(demand) >= 0).all()
    keys = zip(pair[demand].tolist(), [arcs[i] for i in chosen.tolist()], strict=True)
    return dict(zip(keys, part.tolist(), strict=True))


@pytest.mark.parametrize("seed", range(12))
def test_fractions_equal_the_loads_of_each_demand(seed):
    network = random_net(seed, n_hosts=seed % 4, directed=seed % 2 == 1)
    rng = np.random.default_rng((seed, 3))
    pairs = [(a, b) for a in range(network.n_nodes) for b in range(network.n_nodes) if a != b and rng.random() < 0.7]
    source, target = np.array(pairs, np.int64).T.copy()
    amount = rng.integers(0, 3, len(pairs)).astype(np.float64)
    arcs = sorted(rng.permutation(2 * len(network.links))[: 1 + seed].tolist())
    expected = {}
    for i, (a, b) in enumerate(pairs):
        distance = naive.shortest_distances(network.n_nodes, network.links, b, network.hosts)
        for arc, part in naive.unit_loads(network.links, distance, a, network.hosts).items():
            if amount[i] > 0 and arc in arcs:
                expected[i, arc] = float(part)
    assert expected
    assert found(network, source, target, amount, arcs) == pytest.approx(expected, rel=1e-12)


def test_two_equal_ways_by_hand():
    square = net(4, (0, 1, 1.0), (1, 3, 1.0), (0, 2, 1.0), (2, 3, 1.0))
    source, target = np.array([0, 1, 2]), np.array([3, 3, 1])
    assert found(square, source, target, np.ones(3), [2]) == {(0, 2): 0.5, (1, 2): 1.0}
