"""Amounts of pairs over the arcs of shared routes and their own first and last arcs."""

import numpy as np
import pytest

from tests import naive
from twin.kernels.route_arcs import spread_amounts


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
