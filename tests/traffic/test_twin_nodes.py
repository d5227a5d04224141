"""Usable arcs in the numbering of the kernels, and nodes that are attached alike, beside obvious lists."""

from __future__ import annotations

import numpy as np
import pytest

from tests import naive
from tests.kernels.networks import Net, net, random_net
from twin.kernels.graph import UsableArcs
from twin.traffic.twin_nodes import ArcTable, arcs_of, destinations_of, equal_rows, twin_labels


def table_of(network: Net) -> ArcTable:
    has_share = (network.share.reshape(-1, 2) > 0).all(axis=1)
    return ArcTable.of(network.graph, network.weight, network.share, network.up & has_share)


def neighbours(arcs: UsableArcs, code: np.ndarray, node: int) -> tuple[object, ...]:
    """Key of a node that twins share: whether it forwards, and its arcs out and in with their codes."""
    rows = list(zip(arcs.tail.tolist(), arcs.head.tolist(), code.tolist(), strict=True))
    out = sorted((head, each) for tail, head, each in rows if tail == node)
    into = sorted((tail, each) for tail, head, each in rows if head == node)
    return bool(arcs.forwards[node]), tuple(out), tuple(into)


@pytest.mark.parametrize("seed", range(12))
def test_arcs_are_those_of_the_links_in_use_by_tail_and_head(seed: int) -> None:
    network = random_net(seed, n_hosts=3, directed=bool(seed % 2))
    table = table_of(network)
    want = sorted(
        (network.graph.head[arc ^ 1], network.graph.head[arc], arc // 2, arc)
        for arc in range(2 * len(network.links))
        if network.links[arc // 2].up
    )
    assert table.arc_id.tolist() == [arc for _, _, _, arc in want]
    assert table.arcs.tail.tolist() == [tail for tail, _, _, _ in want]
    assert table.arcs.head.tolist() == [head for _, head, _, _ in want]
    assert table.arcs.weight.tolist() == [network.weight[arc] for _, _, _, arc in want]
    assert table.arcs.share.tolist() == [network.share[arc] for _, _, _, arc in want]
    assert table.n_nodes == network.n_nodes
    for node in range(network.n_nodes):
        out = range(table.arcs.first[node], table.arcs.first[node + 1])
        assert list(out) == [i for i, row in enumerate(want) if row[0] == node]
        into = table.arcs.in_arc[table.arcs.in_first[node] : table.arcs.in_first[node + 1]].tolist()
        assert into == [i for i, row in enumerate(want) if row[1] == node]


def test_weights_of_1_count_hops() -> None:
    assert table_of(net(3, (0, 1, 1), (1, 2, 1))).by_hops
    assert not table_of(net(3, (0, 1, 1), (1, 2, 2))).by_hops
    assert table_of(net(3, (0, 1, 1), (1, 2, 2, False))).by_hops, "a link that is down has no weight"


@pytest.mark.parametrize("bad", [0.0, -1.0, np.inf, np.nan])
@pytest.mark.parametrize("column", ["weight", "share"])
def test_weights_and_shares_are_above_0_and_finite(column: str, bad: float) -> None:
    network = net(3, (0, 1, 1), (1, 2, 1))
    columns = {"weight": network.weight.copy(), "share": network.share.copy()}
    columns[column][3] = bad
    with pytest.raises(ValueError, match="above 0"):
        ArcTable.of(network.graph, columns["weight"], columns["share"], network.up)
    unused = ArcTable.of(network.graph, columns["weight"], columns["share"], np.array([True, False]))
    assert unused.arc_id.tolist() == [0, 1]


@pytest.mark.parametrize("seed", range(30))
def test_twins_have_equal_lists_of_neighbours(seed: int) -> None:
    """Few nodes, of which some are attached alike, with parallel links and two kinds of arcs."""
    random = np.random.default_rng(seed)
    links: list[tuple[int, int, float]] = []
    for leaf in range(4, 12):
        for spine in random.choice(4, random.integers(1, 3), replace=False).tolist():
            links += [(leaf, spine, float(random.integers(1, 3)))] * int(random.integers(1, 3))
    network = net(13, *links)._replace(hosts=frozenset(random.choice(np.arange(4, 12), 2, replace=False).tolist()))
    table = table_of(network)
    code = random.integers(0, 2, len(table.arc_id))
    chosen = random.permutation(13)[: random.integers(0, 14)]
    label = twin_labels(table.arcs, code, chosen)
    keys = [neighbours(table.arcs, code, int(node)) for node in chosen]
    assert sorted(set(label.tolist())) == list(range(len(set(keys))))
    for i in range(len(chosen)):
        assert [label[i] == label[j] for j in range(len(chosen))] == [keys[i] == keys[j] for j in range(len(chosen))]


@pytest.mark.parametrize("seed", range(20))
def test_twins_with_arcs_of_one_way(seed: int) -> None:
    """Six nodes with up to two arcs each to and from three others, without an arc back."""
    random = np.random.default_rng(seed)
    pairs = [(int(node), int(other)) for node in range(3, 9) for other in random.integers(0, 3, random.integers(0, 3))]
    pairs += [(int(other), int(node)) for node in range(3, 9) for other in random.integers(0, 3, random.integers(0, 3))]
    tail, head = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2).T
    arcs = arcs_of(tail, head, np.ones(len(tail)), np.ones(len(tail)), np.ones(9, np.bool_))
    code = np.zeros(len(tail), np.int64)
    label = twin_labels(arcs, code, np.arange(3, 9))
    keys = [neighbours(arcs, code, node) for node in range(3, 9)]
    for i in range(6):
        assert [label[i] == label[j] for j in range(6)] == [keys[i] == keys[j] for j in range(6)]


def test_direction_and_kind_of_arcs_tell_nodes_apart() -> None:
    """0 and 1 hang on 2; arcs out of 0 and into 1 are of another kind."""
    table = table_of(net(3, (0, 2, 1), (1, 2, 1)))
    assert table.arcs.tail.tolist() == [0, 1, 2, 2]

    def same(*code: int) -> bool:
        first, second = twin_labels(table.arcs, np.array(code), np.array([0, 1])).tolist()
        return bool(first == second)

    assert same(0, 0, 0, 0)
    assert same(1, 1, 5, 5)
    assert not same(1, 0, 0, 0)
    assert not same(0, 0, 1, 0)
    assert not same(1, 0, 0, 1), "one way each"


@pytest.mark.parametrize("seed", range(10))
def test_equal_rows_are_numbered_as_they_appear(seed: int) -> None:
    table = np.random.default_rng(seed).integers(0, 3, (40, 1 + seed % 3))
    assert equal_rows(table).tolist() == naive.group_rows(table.tolist())[0]
    assert equal_rows(table[:0]).tolist() == []


@pytest.mark.parametrize("seed", range(12))
def test_destinations_hold_each_demand_once_with_twins_side_by_side(seed: int) -> None:
    random = np.random.default_rng(seed)
    n = 10
    network = net(n, *[(leaf, leaf % 2, 1) for leaf in range(2, n)])
    arcs = table_of(network).arcs
    pairs = [(a, b) for a in range(n) for b in range(n) if a != b]
    chosen = random.permutation(len(pairs))[: 20 * (seed > 0)]
    source, target = (np.array([pairs[i][side] for i in chosen], dtype=np.int64) for side in (0, 1))
    amount = random.uniform(1, 2, len(chosen))
    found, pair = destinations_of(arcs, source, target, amount)
    assert sorted(pair.tolist()) == list(range(len(chosen)))
    assert found.demand_gbps.tolist() == amount[pair].tolist()
    assert found.demand_source.tolist() == source[pair].tolist()
    place = np.repeat(np.arange(len(found.node)), np.diff(found.demand_first))
    assert found.node[place].tolist() == target[pair].tolist()
    assert sorted(found.node.tolist()) == sorted(set(target.tolist()))
    for i in range(len(found.node)):
        own = found.demand_source[found.demand_first[i] : found.demand_first[i + 1]].tolist()
        assert own == sorted(own)
    classes = [
        set(found.node[found.class_first[i] : found.class_first[i + 1]].tolist())
        for i in range(len(found.class_first) - 1)
    ]
    kinds: dict[int, set[int]] = {}
    for node in set(target.tolist()):
        kinds.setdefault(node if node < 2 else 100 + node % 2, set()).add(node)
    assert sorted(map(sorted, classes)) == sorted(map(sorted, kinds.values()))


def test_weights_tell_destinations_apart() -> None:
    """Three hosts of one switch; the link of the last has another weight, or another share."""
    for links in ([(1, 0, 1), (2, 0, 1), (3, 0, 2)], [(1, 0, 1, True, 2), (2, 0, 1, True, 2), (3, 0, 1, True, 3)]):
        arcs = table_of(net(4, *links)).arcs
        found, _ = destinations_of(arcs, np.zeros(3, np.int64), np.array([1, 2, 3]), np.ones(3))
        sizes = sorted(np.diff(found.class_first).tolist())
        assert sizes == [1, 2]


def test_arcs_without_nodes_at_their_end() -> None:
    found = arcs_of(np.array([0, 2]), np.array([2, 0]), np.ones(2), np.ones(2), np.ones(4, np.bool_))
    assert found.first.tolist() == [0, 1, 1, 2, 2]
    assert found.in_first.tolist() == [0, 1, 1, 2, 2]
    assert found.in_arc.tolist() == [1, 0]
