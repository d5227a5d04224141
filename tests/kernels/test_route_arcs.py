"""Amounts of pairs over the arcs of shared routes and their own first and last arcs."""

import numpy as np
import pytest

from tests import naive
from tests.kernels.networks import random_net
from tests.kernels.test_ecmp import trace
from twin.kernels.route_arcs import arcs_at_ends, split_traces, spread_amounts


@pytest.mark.parametrize("seed", range(4))
def test_amounts_over_shared_routes_equal_the_naive_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_pairs, n_routes, n_arcs, n_inner, n_ends = 20, 6, 16, 40, 50
    amount, route = rng.random(n_pairs), rng.integers(0, n_routes, n_pairs)
    amount[rng.integers(0, n_pairs, 8)] = 0.0
    inner_route, end_row = np.sort(rng.integers(0, n_routes, n_inner)), np.sort(rng.integers(0, 2 * n_pairs, n_ends))
    inner, ends = ((rng.integers(0, n_arcs, n), rng.random(n)) for n in (n_inner, n_ends))
    load = np.ones(n_arcs)
    inner_first = np.searchsorted(inner_route, np.arange(n_routes + 1))
    end_first = np.searchsorted(end_row, np.arange(2 * n_pairs + 1))
    spread_amounts(amount, route, inner_first, *inner, end_first, *ends, load)
    entries = (
        [*zip(owner.tolist(), arc.tolist(), part.tolist(), strict=True)]
        for owner, (arc, part) in ((inner_route, inner), (end_row % n_pairs, ends))
    )
    expected = naive.spread_amounts(amount.tolist(), route.tolist(), *entries)
    assert load == pytest.approx([1.0 + expected.get(arc, 0.0) for arc in range(n_arcs)], rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_arcs_of_traces_are_divided_as_the_naive_twin_does(seed: int) -> None:
    network = random_net(seed, n_hosts=3)
    pairs = [(a, b) for a in range(network.n_nodes) for b in range(network.n_nodes) if a != b]
    traces = [trace(network, a, b)[1] for a, b in pairs]
    first = np.cumsum([0, *map(len, traces)])
    arcs, n = np.array([arc for each in traces for arc in each], np.int64), int(first[-1])
    head, n_routes = network.graph.head, len(pairs)
    is_endpoint = np.isin(np.arange(network.n_nodes), list(network.hosts))
    inner, ends = np.empty(n, np.int64), np.empty(n, np.int64)
    inner_first, end_first = np.empty(n_routes + 1, np.int64), np.empty(2 * n_routes + 1, np.int64)
    split_traces(first, arcs, np.array(pairs).T.copy(), head, is_endpoint, inner, inner_first, ends, end_first)
    for route, ((source, target), each) in enumerate(zip(pairs, traces, strict=True)):
        expected = naive.split_trace(each, head.tolist(), source, target, set(network.hosts))
        rows = [
            (ends, end_first, route),
            (ends, end_first, n_routes + route),
            (inner, inner_first, route),
        ]
        found = [(of[at[row] : at[row + 1]] - first[route]).tolist() for of, at, row in rows]
        assert found == [*expected]
    assert inner_first[-1] + end_first[-1] == n


def test_pairs_take_their_own_arcs_at_the_places_of_those_of_the_route() -> None:
    """Nodes 0 and 1 hang on 2, nodes 3 and 4 on 5; the route 0 -> 3 stands for the pair 1 -> 4."""
    links = [(0, 2), (1, 2), (2, 5), (5, 3), (5, 4)]
    tails = [node for link in links for node in link]
    by_tail = [[arc for arc in range(10) if tails[arc] == node] for node in range(6)]
    node_first = np.cumsum([0, *map(len, by_tail)])
    node_arc = np.array([arc for arcs in by_tail for arc in arcs], np.int64)
    slot = np.array([by_tail[tails[arc]].index(arc) for arc in range(10)], np.int64)
    trace_arc, fraction = np.array([0, 4, 6], np.int64), np.array([1.0, 1.0, 0.25])
    pair_ends = np.array([[0, 1], [3, 4]], np.int64)
    ends, end_first = np.array([0, 2], np.int64), np.array([0, 1, 2], np.int64)
    first, arc, part = np.empty(5, np.int64), np.empty(4, np.int64), np.empty(4)
    of_pair = np.zeros(2, np.int64)
    arcs_at_ends(of_pair, pair_ends, ends, end_first, trace_arc, fraction, slot, node_arc, node_first, first, arc, part)
    assert (first.tolist(), arc.tolist(), part.tolist()) == ([0, 1, 2, 3, 4], [0, 2, 6, 8], [1.0, 1.0, 0.25, 0.25])
