"""Stated next hops as shortest paths of other weights, by hand."""

import numpy as np

from tests.kernels.networks import TOLERANCE, Net, net
from twin.kernels.group_forwarding import group_forwarding


def forwarding(
    network: Net, target: int, entries: list[tuple[int, float]]
) -> tuple[list[float], dict[int, float], np.ndarray]:
    """(heights, weights of the next hops by arc, shares)."""
    n_arcs = 2 * len(network.links)
    height, weight, share = np.empty(network.n_nodes), np.empty(n_arcs), np.empty(n_arcs)
    group_forwarding(
        network.graph,
        network.weight,
        network.up,
        network.share,
        network.distances([target])[0],
        np.array([arc for arc, _ in entries], np.int64),
        np.array([amount for _, amount in entries]),
        TOLERANCE,
        height,
        weight,
        share,
    )
    return height.tolist(), {arc: w for arc, w in enumerate(weight.tolist()) if w}, share


def diamond(up: bool = True) -> Net:
    """0 to 3 over 1, over 2, and straight; 4 hangs on 0, 5 on nothing. Arcs that lead away from 0 are even."""
    return net(6, (0, 1, 1.0), (0, 2, 1.0), (0, 3, 1.0), (1, 3, 1.0, up), (2, 3, 1.0), (0, 4, 1.0))


def test_a_stated_next_hop_is_one_height_above_the_highest_of_the_others() -> None:
    """0 is above 1, so its straight arc spans two heights; 2 and 4 use shortest paths."""
    height, weight, share = forwarding(diamond(), 3, [(6, 1.0), (0, 3.0), (4, 5.0)])
    assert height == [2.0, 1.0, 1.0, 0.0, 3.0, np.inf]
    assert weight == {6: 1.0, 0: 1.0, 4: 2.0, 8: 1.0, 11: 1.0}
    assert share[[0, 4, 8]].tolist() == [3.0, 5.0, 1.0]


def test_a_node_without_usable_next_hops_uses_shortest_paths() -> None:
    """With 1-3 down, 1 reaches 3 over 0 or back over nothing else; 0 no longer sends to 1."""
    height, weight, _ = forwarding(diamond(up=False), 3, [(6, 1.0), (0, 3.0), (4, 5.0)])
    assert height == [1.0, 2.0, 1.0, 0.0, 2.0, np.inf]
    assert weight == {4: 1.0, 1: 1.0, 8: 1.0, 11: 1.0}
