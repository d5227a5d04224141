"""Hops after failures equal those of a new search, whatever fails and however much room there is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import naive
from tests.kernels.networks import Net, net, nets
from twin.kernels.paths import shortest_hops
from twin.kernels.repaired_hops import repair_hops


def hops_to(network: Net, target: int) -> np.ndarray:
    out = np.empty((1, network.n_nodes))
    shortest_hops(network.graph, network.up, np.array([target]), out)
    return out[0]


def without(network: Net, failed: list[int]) -> Net:
    links = [link._replace(up=link.up and i not in failed) for i, link in enumerate(network.links)]
    return network._replace(links=links)


def repaired(before: Net, failed: list[int], target: int, room: tuple[int, int] = (64, 64)) -> tuple[int, np.ndarray]:
    after, hops = without(before, failed), hops_to(before, target)
    rows = np.array([link for link in failed if before.links[link].up], dtype=np.int64)
    queue, farther = (np.empty(n, np.int64) for n in room)
    return repair_hops(after.graph, after.up, rows, target, queue, farther, hops), hops


SQUARE_AND_TAIL = net(5, (0, 1, 1.0), (1, 2, 1.0), (0, 3, 1.0), (3, 2, 1.0), (2, 4, 1.0))
"""0 to 2 over 1 or 3, and 4 behind 2."""


def test_a_node_with_another_next_hop_keeps_its_hops():
    n, hops = repaired(SQUARE_AND_TAIL, [1], 0)
    assert (n, hops.tolist()) == (0, [0.0, 1.0, 2.0, 1.0, 3.0])


def test_a_node_without_a_next_hop_goes_round():
    """1 reaches 0 over 2 and 3 then; 2 and 4 keep their way over 3."""
    n, hops = repaired(SQUARE_AND_TAIL, [0], 0)
    assert (n, hops.tolist()) == (1, [0.0, 3.0, 2.0, 1.0, 3.0])


def test_nodes_behind_a_cut_have_no_path():
    n, hops = repaired(SQUARE_AND_TAIL, [1, 3], 0)
    assert (n, hops.tolist()) == (2, [0.0, 1.0, np.inf, 1.0, np.inf])


@pytest.mark.parametrize("room", [(1, 64), (4, 64), (64, 1)])
def test_too_little_room_is_told(room):
    assert repaired(SQUARE_AND_TAIL, [1, 3], 0, room)[0] == -1


@given(st.data())
def test_repaired_hops_equal_a_new_search(data):
    network = data.draw(nets())
    target = data.draw(st.integers(0, network.n_nodes - 1))
    failed = data.draw(
        st.lists(st.integers(0, len(network.links) - 1), max_size=4, unique=True) if network.links else st.just([])
    )
    n, hops = repaired(network, failed, target)
    after = without(network, failed)
    assert hops.tolist() == hops_to(after, target).tolist()
    unweighted = [link._replace(weight=1, back=None) for link in after.links]
    far = [
        naive.shortest_distances(after.n_nodes, unweighted, node, after.hosts)[target] for node in range(after.n_nodes)
    ]
    assert hops.tolist() == [float(x) for x in far]
    assert n >= (hops != hops_to(network, target)).sum()
