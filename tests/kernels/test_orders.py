"""Orders that answers depend on to the last bit: nodes in the heap of the ECMP kernels, rows in the hash table."""

from __future__ import annotations

from fractions import Fraction
from itertools import groupby

import numpy as np
import pytest

from tests import naive
from tests.kernels.networks import TOLERANCE, Net, loads_by_class, net
from twin.kernels.ecmp import trace_pair, worst_path_us
from twin.kernels.groups import group_rows


def descent(seed: int, n_nodes: int = 40, n_links: int = 600, n_heights: int = 60) -> tuple[Net, list[int]]:
    """A network in which every link lies on a shortest path to node 0, and the distance of each node to it.

    Each node has a height, 0 only at node 0, and a link weighs what its ends differ by: all ways down are equally long.
    """
    rng = np.random.default_rng(seed)
    height = [0, *rng.integers(1, n_heights, n_nodes - 1).tolist()]
    pairs = [(int(a), int(b)) for a, b in rng.integers(0, n_nodes, (n_links, 2)) if height[a] != height[b]]
    pairs += [(node, 0) for node in range(1, n_nodes)]
    return net(n_nodes, *((a, b, abs(height[a] - height[b])) for a, b in pairs)), height


def trace(network: Net, source: int, destination: int) -> tuple[list[int], list[float]]:
    room = 2 * len(network.links)
    scratch, heap = np.zeros((network.n_nodes, 2)), np.zeros(network.n_nodes, dtype=np.int64)
    arc, fraction = np.full(room, -1), np.full(room, np.nan)
    columns = (network.weight, network.up, network.share, network.distances([destination])[0])
    n_arcs = trace_pair(network.graph, *columns, source, TOLERANCE, scratch, heap, arc, fraction)
    return arc[:n_arcs].tolist(), fraction[:n_arcs].tolist()


def place(network: Net, source: int, destination: int, gbps: float) -> list[float]:
    loads: list[float] = loads_by_class(network, np.array([source]), np.array([destination]), np.array([gbps])).tolist()
    return loads


@pytest.mark.parametrize("n_heights", [200, 6])
@pytest.mark.parametrize("seed", range(4))
def test_a_trace_takes_each_node_once_farthest_first_then_by_index(seed: int, n_heights: int) -> None:
    """With 200 heights hardly two nodes are equally far; with 6 many are."""
    network, height = descent(seed, n_heights=n_heights)
    source = int(np.argmax(height))
    arcs, _ = trace(network, source, 0)
    tails = [int(tail) for tail, _ in groupby(network.graph.head[arc ^ 1] for arc in arcs)]
    assert tails == sorted(set(tails), key=lambda node: (-height[node], node))
    assert len(tails) > 15, "too small to say anything about the heap"


@pytest.mark.parametrize("seed", range(4))
def test_a_matrix_loads_each_arc_with_the_fraction_of_its_trace(seed: int) -> None:
    """Up to rounding: matrices multiply before they divide."""
    network, height = descent(seed, n_heights=200)
    source = int(np.argmax(height))
    arcs, fractions = trace(network, source, 0)
    load = np.zeros(2 * len(network.links))
    load[arcs] = fractions
    assert place(network, source, 0, 1.0) == pytest.approx(load.tolist(), rel=1e-14)


def test_a_link_lighter_than_the_tolerance_leads_to_no_node_that_is_as_far() -> None:
    """Nodes 0 and 1 are both 1 away from 2: neither is nearer, so neither sends by way of the other."""
    network = net(3, (0, 2, 1.0), (1, 2, 1.0), (0, 1, 1e-15))
    assert network.distances([2])[0].tolist() == [1.0, 1.0, 0.0]
    assert place(network, 0, 2, 8.0) == [8.0, 0.0, 0.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("direct", "first", "second", "shared"),
    [
        (3e6, 1e6, 2e6 + 1e-6, True),  # 1e-6 apart; 1e-12 of 3e6 is 3e-6
        (3e6, 1e6, 2e6 + 1e-5, False),
        (3e-3, 1e-3, 2e-3 + 5e-13, True),  # below a distance of 1 the tolerance is 1e-12 itself
        (3e-3, 1e-3, 2e-3 + 5e-12, False),
    ],
)
def test_equal_cost_is_relative_above_one_and_absolute_below(
    direct: float, first: float, second: float, shared: bool
) -> None:
    """The way round costs a little more; whether it counts as equal is a matter of rel_tolerance * max(1, distance)."""
    network = Net(
        3,
        [
            naive.Link(0, 2, Fraction(direct)),
            naive.Link(0, 1, Fraction(first)),
            naive.Link(1, 2, Fraction(second)),
        ],
    )
    assert place(network, 0, 2, 2.0)[0::2] == ([1.0, 1.0, 1.0] if shared else [2.0, 0.0, 0.0])


def test_the_worst_path_of_a_pair_ends_at_its_own_destination() -> None:
    """Two pairs with different destinations: 1 + 2 = 3 us to node 2, and 1 us to node 1."""
    chain = net(3, (0, 1, 1.0), (1, 2, 1.0))
    latency_us, out = np.array([1.0, 50.0, 2.0, 50.0]), np.empty(2)
    worst_path_us(np.array([0, 2, 3]), np.array([0, 2, 0]), chain.graph.head, latency_us, np.zeros(3), out)
    assert out.tolist() == [3.0, 1.0]


def slots_by_hand(rows: list[list[int]], n_slots: int) -> list[int]:
    """Compute the slots of groups with integers of any size; a taken slot leads to the next free one."""
    slots, owner = [-1] * n_slots, [None] * n_slots
    n_groups = 0
    for row in rows:
        code = 0
        for word in row:
            for half in (word % 2**32, word // 2**32 % 2**32):
                code = (33 * code ^ half) % 2**44
        at = (code ^ code // 2**15 ^ code // 2**29) % n_slots
        while owner[at] not in (None, row):
            at = (at + 1) % n_slots
        if owner[at] is None:
            owner[at], slots[at] = row, n_groups
            n_groups += 1
    return slots


@pytest.mark.parametrize(("n", "k", "n_slots"), [(60, 3, 64), (200, 1, 256), (100, 4, 2**16), (3, 0, 4)])
def test_compiled_integers_do_not_overflow_in_the_hash(n: int, k: int, n_slots: int) -> None:
    """Every slot as with Python's integers."""
    rng = np.random.default_rng(n)
    table = rng.integers(-(2**63), 2**63 - 1, (n, k))
    slots = np.full(n_slots, -1, np.int64)
    group_rows(table, slots, np.empty(n, np.int64), np.empty(n, np.int64))
    assert slots.tolist() == slots_by_hand(table.tolist(), slots.size)
