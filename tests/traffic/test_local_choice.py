"""Flows that each switch puts on its emptiest next link: chances by hand, and of many flows beside scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, hypergeom

from tests.naive_hashing import Fabric
from tests.traffic.fabrics import Pairs, leaf_spine, routes_of
from twin.traffic.hash_law import PhaseTimes
from twin.traffic.local_choice import MAX_CONVOLVED_FLOWS, local_choice_times


def times_of(fabric: Fabric, pairs: Pairs, n_flows: int = 1, sizes: list[float] | None = None) -> PhaseTimes:
    return local_choice_times(routes_of(fabric, pairs, sizes), n_flows)


def fast_first_leaf(n_leaves: int, per_leaf: int, n_spines: int) -> Fabric:
    """The links of the first leaf are 64 times as fast, so that flows meet on their way down only."""
    fabric = leaf_spine(n_leaves, per_leaf, n_spines)
    first_leaf = fabric.n_cards
    speed = [64.0 if a == first_leaf else 1.0 for a, _ in fabric.ends]
    return fabric._replace(capacity=speed)


def test_one_switch_is_even() -> None:
    """Both flows of a leaf take a link each, and come down over a link each."""
    times = times_of(leaf_spine(2, 2, 2), [(0, 2), (1, 3)])
    assert times.time_s.tolist() == [1.0]
    times = times_of(leaf_spine(2, 3, 2), [(0, 3), (1, 4), (2, 5)])
    assert times.time_s.tolist() == [2.0], "three flows on two links"
    assert times.even_s == 1.5
    assert times.mean_efficiency_ratio == 0.75


def test_no_flow_crosses_a_switch() -> None:
    times = times_of(leaf_spine(2, 2, 2), [(0, 1)])
    assert (times.even_s, times.time_s.tolist(), times.ended_ratio.tolist()) == (1.0, [1.0], [1.0])


def test_flows_of_two_leaves_meet_on_the_way_down() -> None:
    """Each of two flows takes one of two spines: both are there with chance 1/4, at each spine on its own."""
    times = times_of(leaf_spine(3, 2, 2), [(0, 4), (2, 5)])
    assert times.time_s.tolist() == [1.0, 2.0]
    assert times.ended_ratio == pytest.approx([(3 / 4) ** 2, 1.0])


def test_half_of_the_spread_flows_are_drawn_without_repetition() -> None:
    """Four flows, two at each spine; two of them go to leaf 1. A spine has 0, 1 or 2 of these: 1, 4 and 1 of 6 ways."""
    fabric, pairs = fast_first_leaf(3, 4, 2), [(0, 4), (1, 5), (2, 8), (3, 9)]
    times = times_of(fabric, pairs)
    assert times.time_s.tolist() == [1.0, 2.0]
    assert times.ended_ratio == pytest.approx([(5 / 6) ** 4, 1.0])
    times = times_of(fabric, pairs, 2)
    assert times.time_s.tolist() == [1.0, 1.5, 2.0]
    assert times.ended_ratio == pytest.approx([(53 / 70) ** 4, (69 / 70) ** 4, 1.0]), "1, 16, 36, 16, 1 of 70 ways"


def test_flows_that_cannot_be_even_are_one_more_at_some_spines() -> None:
    """Three flows, one or two over a spine; two go to leaf 1. Both meet in 1/3 of the cases of two: 1/6 of all."""
    times = times_of(fast_first_leaf(3, 3, 2), [(0, 3), (1, 4), (2, 6)])
    assert times.time_s.tolist() == [1.0, 2.0]
    assert times.ended_ratio == pytest.approx([(5 / 6) ** 2, 1.0])


def test_larger_flows_take_longer() -> None:
    """Flows of 3 bytes: the two to leaf 1 meet as above, and end after 3 or 6 s."""
    times = times_of(fast_first_leaf(3, 3, 2), [(0, 3), (1, 4), (2, 6)], sizes=[3.0, 3.0, 3.0])
    assert times.time_s.tolist() == [3.0, 6.0]
    assert times.ended_ratio == pytest.approx([(5 / 6) ** 2, 1.0])


def two_of_three_ways() -> Fabric:
    """Leaf A chooses among three switches; two of them lead to X, which chooses among three links of 1 byte/s."""
    n = 12
    a, b, s1, s2, s3, x, y, p, q, r, t = range(n, n + 11)
    cards = [(card, a if card < 6 else b) for card in range(n)]
    fast = [(a, s1), (a, s2), (a, s3), (s1, x), (s2, x), (s3, y), (y, t), (p, b), (q, b), (r, b), (t, b)]
    slow = [(x, p), (x, q), (x, r)]
    return Fabric(n, n + 11, cards + fast + slow, [1.0] * n + [64.0] * len(fast) + [1.0] * len(slow))


def test_flows_that_come_together_over_several_links_count_one_by_one() -> None:
    """Each of six flows comes to X with chance 2/3. Up to 3 end after the 4/3 s of even splitting: 233 of 729."""
    times = times_of(two_of_three_ways(), [(i, i + 6) for i in range(6)])
    assert times.even_s == pytest.approx(4 / 3)
    assert times.time_s == pytest.approx([4 / 3, 2.0])
    assert times.ended_ratio == pytest.approx([233 / 729, 1.0])


@pytest.mark.parametrize("n_flows", [300, 1000])
def test_many_such_flows_have_the_binomial_law_of_scipy(n_flows: int) -> None:
    times = times_of(two_of_three_ways(), [(i, i + 6) for i in range(6)], n_flows)
    at_most = 3 * np.floor(times.time_s * n_flows + 1e-6)
    assert len(at_most) > 10
    assert times.ended_ratio == pytest.approx(binom(6 * n_flows, 2 / 3).cdf(at_most), abs=2e-3)


def test_many_flows_of_one_leaf_are_certain() -> None:
    """3003 flows on two links are 1502 on one of them."""
    times = times_of(leaf_spine(2, 3, 2), [(0, 3), (1, 4), (2, 5)], 1001)
    assert times.time_s == pytest.approx([1502 / 1001])
    assert times.ended_ratio.tolist() == [1.0]


def test_flows_of_different_bytes_count_by_their_squares() -> None:
    """1 and 3 bytes are flows of 2.5 bytes; each takes a link, and the larger card ends after 3 s."""
    times = times_of(leaf_spine(2, 2, 2), [(0, 2), (1, 3)], sizes=[1.0, 3.0])
    assert (times.even_s, times.time_s.tolist()) == (3.0, [3.0])


@pytest.mark.parametrize(("n_flows", "within"), [(7, 1e-9), (1024, 1e-6), (1025, 2e-3), (40_000, 2e-3)])
def test_many_flows_have_the_hypergeometric_law_of_scipy(n_flows: int, within: float) -> None:
    """Four pairs as above: half of the flows at each spine, and half of all go to leaf 1."""
    times = times_of(fast_first_leaf(3, 4, 2), [(0, 4), (1, 5), (2, 8), (3, 9)], n_flows)
    law = hypergeom(4 * n_flows, 2 * n_flows, 2 * n_flows)
    at_most = np.floor(times.time_s * n_flows + 1e-6)
    assert len(at_most) > 3
    assert times.ended_ratio == pytest.approx(law.cdf(at_most) ** 4, abs=within)
    assert MAX_CONVOLVED_FLOWS == 2048


def test_a_sum_of_certain_numbers_is_certain() -> None:
    """Three leaves send to the fourth over two spines: half of the flows of each, so the variance is 0."""
    times = times_of(leaf_spine(4, 3, 2), [(0, 9), (3, 10), (6, 11)], 10_000)
    assert times.mean_efficiency_ratio == pytest.approx(1.0, abs=1e-6)
