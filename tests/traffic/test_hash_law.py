"""The fullest of equal links, and the end of a phase over many groups of them."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import naive_hashing
from tests.traffic.fabrics import leaf_spine, permutation, routes_of, shift, three_tiers
from twin.kernels.hashing import chance_none_fuller
from twin.traffic.hash_groups import LinkGroups
from twin.traffic.hash_law import (
    MAX_TIMES,
    N_EXACT_FLOWS,
    PhaseTimes,
    chance_not_above,
    end_times_s,
    joint_times,
    phase_times,
)


def one_group(n_flows: float, n_links: float, n_groups: float = 1.0) -> LinkGroups:
    """Groups of links alone; a flow takes a second."""
    columns = (np.array([x]) for x in (n_flows, n_links, 1.0, n_groups))
    return LinkGroups(*columns, even_s=n_flows / n_links)


def slowdown(times: PhaseTimes) -> float:
    """Mean over jobs of the end over the end under even splitting."""
    return times.mean_s / times.even_s


@pytest.mark.parametrize("n_flows", [25, 32, 64, 128])
@pytest.mark.parametrize("n_links", [3, 8, 64, 1000])
def test_the_series_is_close_to_the_exact_chance(n_flows: int, n_links: int) -> None:
    """Within one hundredth for three links, and within six of ten thousand for more."""
    x = np.arange(-(-n_flows // n_links), n_flows)
    exact = np.array([chance_none_fuller(n_flows, n_links, int(at_most)) for at_most in x])
    found = chance_not_above(np.full(len(x), float(n_flows)), np.full(len(x), float(n_links)), x.astype(float))
    assert np.abs(found - exact).max() < (0.01 if n_links == 3 else 6e-4)


@pytest.mark.parametrize("n_flows", [3, 40, 401])
def test_two_links_are_exact(n_flows: int) -> None:
    x = np.arange(-(-n_flows // 2), n_flows)
    expected = [sum(comb(n_flows, j) for j in range(n_flows - m, m + 1)) / 2**n_flows for m in x.tolist()]
    found = chance_not_above(np.full(len(x), float(n_flows)), np.full(len(x), 2.0), x.astype(float))
    assert found == pytest.approx(expected, rel=1e-9)


@given(st.integers(1, N_EXACT_FLOWS), st.integers(2, 40), st.integers(0, 30))
def test_few_flows_are_exact(n_flows: int, n_links: int, at_most: int) -> None:
    found = chance_not_above(np.array([float(n_flows)]), np.array([float(n_links)]), np.array([float(at_most)]))
    if n_links != 2:
        assert found[0] == chance_none_fuller(n_flows, n_links, at_most)


@pytest.mark.parametrize(
    ("n_flows", "n_links", "drawn"),
    [(64, 8, 1.53), (128, 8, 1.37), (512, 8, 1.18), (512, 64, 1.91), (2048, 64, 1.44)],
)
def test_the_fullest_of_one_bundle(n_flows: int, n_links: int, drawn: float) -> None:
    """Load of the fullest member over the mean, from draws of the project's own."""
    assert slowdown(phase_times(one_group(n_flows, n_links), 1)) == pytest.approx(drawn, rel=0.01)


@pytest.mark.parametrize(("n_flows", "efficiency"), [(1, 0.18), (2, 0.25), (8, 0.42), (32, 0.61), (128, 0.76)])
def test_a_thousand_cards_in_random_pairs(n_flows: int, efficiency: float) -> None:
    """32 leaves of 32 cards, 1:1, against own simulation; to the two digits that were noted."""
    fabric = leaf_spine(32, 32, 32)
    found = phase_times(LinkGroups.of(routes_of(fabric, permutation(fabric, 1))), n_flows).mean_efficiency_ratio
    assert found == pytest.approx(efficiency, abs=0.015)


@pytest.mark.parametrize(
    ("n_crossing", "efficiency"), [(1, 1.0), (2, 0.92), (4, 0.66), (8, 0.49), (16, 0.36), (32, 0.25)]
)
def test_placement_decides(n_crossing: int, efficiency: float) -> None:
    """Let so many of 32 cards a leaf send to cards of other leaves, with two flows each."""
    fabric = leaf_spine(32, 32, 32)
    crossing = [card for card in range(1024) if card % 32 < n_crossing]
    targets = np.random.default_rng(n_crossing).permutation(crossing).tolist()
    pairs = [(card, to) for card, to in zip(crossing, targets, strict=True) if card != to]
    found = phase_times(LinkGroups.of(routes_of(fabric, pairs)), 2).mean_efficiency_ratio
    assert found == pytest.approx(efficiency, abs=0.035)


DRAWN = {
    "shift of a leaf": (leaf_spine(3, 4, 4), shift(leaf_spine(3, 4, 4), 4), 2),
    "permutation": (leaf_spine(4, 4, 4), permutation(leaf_spine(4, 4, 4), 3), 3),
    "faster trunks": (leaf_spine(4, 6, 3, trunk=2.0), permutation(leaf_spine(4, 6, 3), 5), 4),
    "parallel links": (leaf_spine(2, 6, 3, n_parallel=2), permutation(leaf_spine(2, 6, 3), 5), 4),
    "a missing link": (leaf_spine(4, 4, 4, drop=1), permutation(leaf_spine(4, 4, 4), 3), 2),
    "three tiers": (three_tiers(3, 2, 3, 3, 3), permutation(three_tiers(3, 2, 3, 3, 3), 2), 2),
    "three tiers, thin": (three_tiers(2, 2, 4, 2, 1), shift(three_tiers(2, 2, 4, 2, 1), 8), 4),
}


@pytest.mark.parametrize("one_hash", [False, True])
@pytest.mark.parametrize("case", DRAWN)
def test_beside_drawing_every_flow(case: str, one_hash: bool) -> None:
    fabric, pairs, n_flows = DRAWN[case]
    mode = "polarised" if one_hash else "ecmp"
    drawn = naive_hashing.drawn_efficiencies(fabric, pairs, [1.0] * len(pairs), (mode, n_flows), 1200)
    times = phase_times(LinkGroups.of(routes_of(fabric, pairs), one_hash=one_hash), n_flows)
    assert times.mean_efficiency_ratio == pytest.approx(np.mean(drawn), rel=0.035)
    assert times.efficiency_ratio(0.1) <= times.efficiency_ratio(0.9)
    assert times.efficiency_ratio(0.1) == pytest.approx(np.quantile(drawn, 0.1), rel=0.21), "a flow more or less"


def test_pairs_of_different_bytes_beside_drawing_every_flow() -> None:
    fabric = leaf_spine(4, 4, 4)
    pairs = permutation(fabric, 3)
    sizes = [3.0 if i % 4 == 0 else 1.0 for i in range(len(pairs))]
    drawn = naive_hashing.drawn_efficiencies(fabric, pairs, sizes, ("ecmp", 3), 1000)
    found = phase_times(LinkGroups.of(routes_of(fabric, pairs, sizes)), 3).mean_efficiency_ratio
    assert found == pytest.approx(np.mean(drawn), rel=0.06)


def test_the_mean_and_percentiles_of_a_distribution() -> None:
    """Half the jobs end at 2 s, the others at 4 s; even splitting ends at 1 s."""
    times = PhaseTimes(1.0, np.array([2.0, 4.0]), np.array([0.5, 1.0]))
    assert times.mean_efficiency_ratio == pytest.approx(0.5 * 0.5 + 0.5 * 0.25)
    assert slowdown(times) == pytest.approx(3.0)
    assert [times.efficiency_ratio(share) for share in (0.1, 0.49, 0.5, 0.51, 0.9)] == [0.25, 0.25, 0.5, 0.5, 0.5]


def test_chances_rise_to_1_and_the_smallest_are_left_out() -> None:
    times = PhaseTimes.of(1.0, np.arange(1.0, 7.0), np.array([9e-8, 2e-7, 0.5, 0.4, 0.9, 0.95]))
    assert times.time_s.tolist() == [2.0, 3.0, 4.0, 5.0, 6.0]
    assert times.ended_ratio.tolist() == [2e-7, 0.5, 0.5, 0.9, 1.0]


def test_parts_that_are_independent_end_with_the_last() -> None:
    """Ends of 1 or 3 s, of 2 or 4 s, and of 1.5 s for certain: never before 2 s."""
    one = PhaseTimes(1.0, np.array([1.0, 3.0]), np.array([0.5, 1.0]))
    other = PhaseTimes(1.0, np.array([2.0, 4.0]), np.array([0.25, 1.0]))
    times = joint_times(0.5, [one, other, PhaseTimes(0.5, np.array([1.5]), np.ones(1))])
    assert times.even_s == 0.5
    assert times.time_s.tolist() == [2.0, 3.0, 4.0]
    assert times.ended_ratio.tolist() == [0.125, 0.25, 1.0]
    assert joint_times(1.0, [one]).time_s.tolist() == [1.0, 3.0]


def test_possible_ends_are_whole_flows_from_the_floor_on() -> None:
    def ends(floor_s: float, *rows: tuple[float, float]) -> list[float]:
        most, flow_s = (np.array(column) for column in zip(*rows, strict=True))
        return end_times_s(floor_s, most, flow_s).tolist()

    assert ends(1.0, (4.0, 0.5)) == [1.0, 1.5, 2.0]
    assert ends(1.2, (4.0, 0.5)) == [1.2, 1.5, 2.0]
    assert ends(2.0, (4.0, 0.5)) == [2.0], "the most flows end there"
    assert ends(9.0, (4.0, 0.5)) == [9.0]
    assert ends(0.5, (2.0, 1.0), (2.0, 1.0), (3.0, 0.7)) == pytest.approx([0.5, 0.7, 1.0, 1.4, 2.0, 2.1])
    assert ends(1.0, (2.0, 1.0), (2.0, 1.0 + 1e-11)) == pytest.approx([1.0, 2.0]), "one time but for rounding"
    assert ends(0.3, (3.0, 0.1)) == [0.3], "0.3 s are three flows of 0.1 s, though not in floats"


def test_few_of_many_possible_ends_are_looked_at() -> None:
    """900 ends of one kind: every fourth, and the last or one after it. Two kinds together: 256, with both limits."""
    one = end_times_s(1.0, np.array([1000.0]), np.array([0.01]))
    assert one[:3] == pytest.approx([1.0, 1.01, 1.05])
    assert len(one) == 227
    assert one[-1] == pytest.approx(10.01)
    both = end_times_s(1.0, np.array([1000.0, 1000.0]), np.array([0.01, 0.0101]))
    assert len(both) == MAX_TIMES == 256
    assert both[0] == 1.0
    assert both[-1] >= 10.1
    assert len(end_times_s(0.0, np.array([255.0]), np.array([1.0]))) == 256, "0 is one of them"
    assert len(end_times_s(0.0, np.array([256.0]), np.array([1.0]))) == 256


def test_groups_are_independent() -> None:
    """Two flows miss each other on two links with chance 1/2, and in three groups with 1/8."""
    assert phase_times(one_group(2.0, 2.0, 3.0), 1).ended_ratio == pytest.approx([1 / 8, 1.0])
    assert phase_times(one_group(3.0, 3.0), 1).ended_ratio == pytest.approx([6 / 27, 24 / 27, 1.0])
    assert phase_times(one_group(1.0, 2.0), 2).time_s.tolist() == [0.5, 1.0], "two flows of half a second"


def test_one_link_leaves_no_choice() -> None:
    times = phase_times(one_group(5.0, 1.0, 7.0), 2)
    assert (times.time_s.tolist(), times.ended_ratio.tolist()) == ([5.0], [1.0])


def test_a_busy_card_hides_what_ends_before_it() -> None:
    groups = LinkGroups(np.array([2.0]), np.array([2.0]), np.array([1.0]), np.array([1.0]), even_s=1.5)
    times = phase_times(groups, 1)
    assert times.time_s.tolist() == [1.5, 2.0]
    assert times.ended_ratio == pytest.approx([0.5, 1.0])


def test_what_no_link_can_hold_has_no_chance() -> None:
    n, k = np.array([4.0, 4.0, 4.0, 4.0, 30.5]), np.array([2.0, 2.0, 2.0, 3.0, 4.0])
    x = np.array([1.0, 4.0, 5.0, 1.0, 7.0])
    assert chance_not_above(n, k, x).tolist() == [0.0, 1.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize("n_flows", [1_000, 1_000_000, 10**9, 10**14])
def test_the_work_does_not_grow_with_the_flows(n_flows: int) -> None:
    times = phase_times(one_group(8.0, 8.0, 100.0), n_flows)
    assert len(times.time_s) <= MAX_TIMES
    assert (np.diff(times.ended_ratio) >= 0).all()
    assert times.mean_efficiency_ratio == pytest.approx(1.0, abs=0.13 if n_flows == 1000 else 0.01)


def test_ten_thousand_flows_follow_the_normal_law_of_the_maximum() -> None:
    """The fullest of 16 normal numbers is 1.766 standard deviations above their mean."""
    found = slowdown(phase_times(one_group(16e4, 16.0), 1))
    assert found == pytest.approx(1.0 + 1.766 * np.sqrt(1e4) / 1e4, rel=2e-4)


def test_part_of_a_flow_counts_as_a_flow() -> None:
    assert slowdown(phase_times(one_group(0.01, 8.0), 1)) == pytest.approx(800.0)
    assert slowdown(phase_times(one_group(1.0, 8.0), 1)) == pytest.approx(8.0)


def test_no_groups_end_with_the_cards() -> None:
    fabric = leaf_spine(2, 4, 2)
    times = phase_times(LinkGroups.of(routes_of(fabric, [(0, 1), (2, 1)])), 4)
    assert times.time_s.tolist() == [2.0]
    assert times.mean_efficiency_ratio == 1.0
