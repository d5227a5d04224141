"""Loads by cells of equal nodes: as by the naive twin; cells are the coarsest, and unequal nodes are found out."""

from fractions import Fraction

import numpy as np
import pytest

from tests import naive
from tests.kernels.networks import Net, net
from tests.kernels.test_class_loads import LEAVES, blown_up
from twin.kernels.equal_cells import equal_cells
from twin.traffic import equal_cells as cells_module
from twin.traffic.equal_cells import Cells, routed_loads
from twin.traffic.twin_nodes import ArcTable, destinations_of


def table_of(network: Net) -> ArcTable:
    return ArcTable.of(network.graph, network.weight, network.share, network.up)


def fat_tree(k: int) -> Net:
    half = k // 2
    up = [(p * half + i, k * half + p * half + j, 1.0) for p in range(k) for i in range(half) for j in range(half)]
    core = [
        (k * half + p * half + i, 2 * k * half + i * half + j, 1.0)
        for p in range(k)
        for i in range(half)
        for j in range(half)
    ]
    return net(2 * k * half + half * half, *up, *core)


def ends_of(n_nodes: int, ends: list[int]) -> np.ndarray:
    out = np.zeros(n_nodes, np.bool_)
    out[ends] = True
    return out


def test_cells_of_a_fat_tree_are_its_racks_pods_and_core():
    network = fat_tree(4)
    table, cell = table_of(network), np.empty(20, np.uint32)
    word = np.random.default_rng(0).integers(1 << 44, size=20)
    for factor in (np.zeros(0, np.int64), np.full(len(table.arcs.head), 3 << 29)):
        assert equal_cells(table.arcs, ends_of(20, list(range(8))), word, factor, cell) == 8 + 4 + 1
        assert cell.tolist() == [*range(8), 8, 8, 10, 10, 12, 12, 14, 14, 16, 16, 16, 16]


@pytest.mark.parametrize("seed", range(20))
def test_loads_by_cells_equal_the_naive_twin(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells_module, "MAX_CELLS_RATIO", 1.0)
    network = blown_up(seed) if seed else fat_tree(4)
    rng, n = np.random.default_rng((seed, 3)), network.n_nodes
    ends = list(range(8)) if seed == 0 else np.flatnonzero(rng.random(n) < 0.5).tolist()
    pairs = [(s, t, Fraction(int(rng.integers(1, 50)))) for s in ends for t in ends if s != t]
    table = table_of(network)
    source, target = (np.array([pair[i] for pair in pairs], dtype=np.int64) for i in (0, 1))
    destinations, _ = destinations_of(table.arcs, source, target, np.array([float(pair[2]) for pair in pairs]))
    cells = Cells.of(table.arcs, table.by_hops, ends_of(n, ends))
    assert cells is not None
    expected, found = naive.place_demands(n, network.links, pairs, network.hosts)
    wanted = [float(expected.get(arc, 0)) for arc in table.arc_id.tolist()]
    load, lost_gbps = cells.loads(destinations)
    np.testing.assert_allclose(load, wanted, rtol=1e-12, atol=1e-12)
    lost = sum(float(pair[2]) for pair, has_path in zip(pairs, found, strict=True) if not has_path)
    assert lost_gbps == pytest.approx(lost, rel=1e-12)
    np.testing.assert_allclose(load, routed_loads(table.arcs, table.by_hops, destinations)[0], rtol=1e-12, atol=1e-12)


UNLIKE = {
    "one arc less": [*LEAVES[:-1]],
    "another weight": [*LEAVES[:-1], (7, 9, 1.1)],
    "one arc more": [*LEAVES, (7, 9, 1.0)],
    "another neighbour": [*LEAVES[:-2], (7, 8, 1.0), (0, 9, 1.0)],
}


@pytest.mark.parametrize("name", UNLIKE)
def test_nodes_whose_hashes_agree_by_chance_are_told_apart(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells_module, "MAX_CELLS_RATIO", 1.0)

    def by_chance(arcs: object, is_end: object, word: object, factor: object, out_cell: np.ndarray) -> int:
        out_cell[:] = [*range(9), 8]
        return 9

    for links, is_found in ((LEAVES, True), (UNLIKE[name], False)):
        table = table_of(net(10, *links))
        with monkeypatch.context() as patch:
            patch.setattr(cells_module, "equal_cells", by_chance)
            found = Cells.of(table.arcs, table.by_hops, ends_of(10, list(range(6))))
        assert (found is not None) == is_found
    for hosts, is_found in (((), True), ((8, 9), True), ((9,), False)):
        table = table_of(net(10, *LEAVES)._replace(hosts=frozenset(hosts)))
        with monkeypatch.context() as patch:
            patch.setattr(cells_module, "equal_cells", by_chance)
            found = Cells.of(table.arcs, table.by_hops, ends_of(10, list(range(6))))
        assert (found is not None) == is_found


def test_a_network_with_few_equal_nodes_is_routed_as_a_whole():
    line = table_of(net(4, (0, 1, 1.0), (1, 2, 1.0), (2, 3, 2.0)))
    assert Cells.of(line.arcs, line.by_hops, ends_of(4, [0, 1, 2, 3])) is None
    assert Cells.of(line.arcs, line.by_hops, ends_of(4, [0])) is None
    empty = table_of(net(4))
    assert Cells.of(empty.arcs, empty.by_hops, ends_of(4, [0])) is None
