"""Paths between sites that share no member, against the least cut of all cuts and by hand."""

from __future__ import annotations

import random
from itertools import combinations

import numpy as np
import pytest

from tests.kernels.networks import Net, net
from twin.kernels.site_flows import site_flows


def flows(network: Net, members: list[int], site: list[int], pairs: list[tuple[int, int]]) -> list[int]:
    out = np.full(len(pairs), -7)
    rows = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    site_flows(network.graph, np.array(members, dtype=np.int64), np.array(site, dtype=np.int64), rows, out)
    return out.tolist()


def least_cut(network: Net, members: list[int], site: list[int], a: int, b: int) -> int:
    """Least number of members whose loss separates two sites, over all ways to divide the nodes."""
    inner = [v for v in range(network.n_nodes) if site[v] not in (a, b) and v not in network.hosts]
    known = {v for v in range(network.n_nodes) if site[v] in (a, b)} | set(inner)
    lines = [(e.a, e.b, n) for e, n in zip(network.links, members, strict=True) if {e.a, e.b} <= known]
    least = None
    for n_inner in range(len(inner) + 1):
        for chosen in combinations(inner, n_inner):
            side = {v for v in known if site[v] == a} | set(chosen)
            cut = sum(n for one, other, n in lines if (one in side) != (other in side))
            least = cut if least is None else min(least, cut)
    assert least is not None
    return least


@pytest.mark.parametrize("seed", range(40))
def test_flows_are_the_least_cut_of_all_cuts(seed: int) -> None:
    rng = random.Random(seed)
    n_nodes = 9
    ends = [(a, b) for a, b in combinations(range(n_nodes), 2) for _ in range(2) if rng.random() < 0.25]
    hosts = frozenset(v for v in range(n_nodes) if rng.random() < 0.2)
    network = net(n_nodes, *((a, b, 1.0) for a, b in ends))._replace(hosts=hosts)
    members = [rng.randint(0, 3) for _ in ends]
    site = [0, 1, 2, *(rng.choice([-1, -1, 0, 1, 2]) for _ in range(n_nodes - 3))]
    pairs = [(0, 1), (2, 0), (1, 2)]
    assert flows(network, members, site, pairs) == [least_cut(network, members, site, a, b) for a, b in pairs]


def test_a_path_gives_way_to_two() -> None:
    """The shortest path takes the middle link; the second path has to push it back."""
    network = net(6, (0, 1, 1.0), (1, 4, 1.0), (4, 5, 1.0), (0, 2, 1.0), (2, 3, 1.0), (3, 4, 1.0), (1, 3, 1.0))
    assert flows(network, [1] * 7, [0, -1, -1, -1, -1, 1], [(0, 1)]) == [1]
    assert flows(network, [1, 1, 2, 1, 1, 1, 1], [0, -1, -1, -1, -1, 1], [(0, 1)]) == [2]


def test_a_host_outside_both_sites_is_no_way_through() -> None:
    network = net(3, (0, 1, 1.0), (1, 2, 1.0))
    assert flows(network, [2, 2], [0, -1, 1], [(0, 1)]) == [2]
    assert flows(network._replace(hosts=frozenset({1})), [2, 2], [0, -1, 1], [(0, 1)]) == [0]
