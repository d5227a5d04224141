"""Crossings of chosen arcs equal the naive unit loads of each demand."""

import numpy as np
import pytest

from tests import naive
from tests.kernels.networks import TOLERANCE
from tests.kernels.test_class_loads import blown_up
from twin.kernels.crossings import crossings
from twin.traffic.twin_nodes import ArcTable, destinations_of


@pytest.mark.parametrize("seed", range(20))
def test_crossings_equal_the_naive_unit_loads(seed: int) -> None:
    network, rng = blown_up(seed), np.random.default_rng((seed, 3))
    n = network.n_nodes
    pairs = np.array([(s, t) for s in range(n) for t in range(n) if s != t and rng.random() < 0.5], np.int64)
    if not len(pairs):
        pairs = np.array([(0, 1)])
    table = ArcTable.of(network.graph, network.weight, network.share, network.up)
    found, order = destinations_of(table.arcs, pairs[:, 0], pairs[:, 1], np.ones(len(pairs)))
    distance = np.array(
        [naive.shortest_distances(n, network.links, int(node), network.hosts) for node in found.node], float
    ).reshape(-1, n)
    chosen = rng.random(len(table.arc_id)) < rng.choice([0.1, 0.5])
    first = np.empty(len(pairs) + 1, np.int64)
    walked = table.arcs, found, TOLERANCE, distance, chosen, first
    n_entries, n_steps = crossings(*walked, np.empty(0, np.int64), np.empty(0))
    arc, fraction = np.empty(n_entries, np.int64), np.empty(n_entries)
    assert crossings(*walked, arc, fraction) == (n_entries, n_steps)
    assert first[-1] == n_entries
    names = set(table.arc_id[chosen].tolist())
    for k, pair in enumerate(order.tolist()):
        source, target = pairs[pair].tolist()
        to_target = naive.shortest_distances(n, network.links, target, network.hosts)
        reached = to_target[source] < np.inf
        unit = naive.unit_loads(network.links, to_target, source, network.hosts) if reached else {}
        wanted = {name: float(part) for name, part in unit.items() if name in names}
        rows = slice(first[k], first[k + 1])
        got = dict(zip(table.arc_id[arc[rows]].tolist(), fraction[rows].tolist(), strict=True))
        assert len(got) == first[k + 1] - first[k]
        assert got == pytest.approx(wanted, rel=1e-12)
