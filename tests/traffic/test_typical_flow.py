"""Slowdown of a typical flow on small fabrics; the mean end is a sum over 96 steps up to the latest end."""

from __future__ import annotations

import math

import pytest

from tests.naive_hashing import Fabric
from tests.traffic.fabrics import Pairs, leaf_spine, routes_of, written_routes
from twin.traffic.balancing_modes import MODES, Flows
from twin.traffic.typical_flow import EXCESS_RATIO, N_TIMES, typical_slowdown_ratio


def slowdown(fabric: Fabric, pairs: Pairs, n_flows: int = 1, sizes: list[float] | None = None) -> float:
    """The mean end over the even one; only 0.7 of what is above 1 counts."""
    return 1.0 + (typical_slowdown_ratio(routes_of(fabric, pairs, sizes), n_flows) - 1.0) / EXCESS_RATIO


def late_s(first_s: float, last_s: float, *until: tuple[float, float]) -> float:
    """Time after the first of the steps at which a flow still sends; until: times with the chance to end then."""
    step = (last_s - first_s) / N_TIMES
    return sum(chance * step * math.ceil((end_s - first_s) / step) for end_s, chance in until)


def test_two_flows_on_two_links() -> None:
    """A flow meets the other half of the time, and then ends after 2 s; no flow ends after 1 + 1 + 8 + 8 s."""
    assert slowdown(leaf_spine(2, 2, 2), [(0, 2), (1, 3)]) == pytest.approx(1.0 + late_s(1, 18, (2, 0.5)))
    assert typical_slowdown_ratio(routes_of(leaf_spine(2, 2, 2), [(0, 2), (1, 3)]), 1) == pytest.approx(1.371875)


def test_two_flows_of_each_pair_are_half_as_long() -> None:
    """Three other flows on two links: at most 1, 2 and 3 of them with chances 4/8, 7/8 and 1, half a second each."""
    last_s = (1 + 2 + 8 * math.sqrt(2) + 8) / 2
    want = 1.0 + late_s(1, last_s, (1.5, 3 / 8), (2, 1 / 8))
    assert slowdown(leaf_spine(2, 2, 2), [(0, 2), (1, 3)], 2) == pytest.approx(want)


def test_a_flow_waits_for_the_busiest_link_of_its_path() -> None:
    """0 to 2 meets 1 to 4 on the way up and 5 to 3 on the way down, each of which meets it alone."""
    found = slowdown(leaf_spine(3, 2, 2), [(0, 2), (1, 4), (5, 3)])
    assert found == pytest.approx(1.0 + late_s(1, 18, (2, (3 / 4 + 1 / 2 + 1 / 2) / 3)))


def test_routes_count_by_their_bytes() -> None:
    """Pairs of 1 byte end before 3 s; those of 3 bytes, three quarters of all, do as the two flows above."""
    found = slowdown(leaf_spine(4, 2, 2), [(0, 2), (1, 3), (4, 6), (5, 7)], 1, [1.0, 1.0, 3.0, 3.0])
    assert found == pytest.approx(1.0 + late_s(3, 54, (6, 3 / 8)) / 3)


def test_sizes_on_one_link_count_by_their_squares() -> None:
    """1 and 3 bytes from one leaf are (1 + 3)^2 / (1 + 9) = 1.6 flows of 2.5 bytes, rounded up to 2."""
    last_s = (1 + 0.8 + 8 * math.sqrt(0.8) + 8) * 2.5
    found = slowdown(leaf_spine(2, 2, 2), [(0, 2), (1, 3)], 1, [1.0, 3.0])
    assert found == pytest.approx(1.0 + late_s(3, last_s, (5, 0.5)) / 3)


def test_part_of_a_route_over_a_link_counts_in_part() -> None:
    """Two links lead from leaf 4 to the first spine, one to the second, and one from each spine to leaf 5.

    Two flows meet on a link up with chance 1/3. Two thirds of both go down from the first spine over one link, where
    they meet with chance 2/3; that counts to the power 2/3. Even splitting takes 4/3 s on this link.
    """
    ends = [(0, 4), (1, 4), (2, 5), (3, 5), (4, 6), (4, 6), (4, 7), (6, 5), (7, 5)]
    meet = 1.0 - 2 / 3 * (1 / 3) ** (2 / 3)
    last_s = 1 + 4 / 3 + 8 * math.sqrt(4 / 3) + 8
    found = slowdown(Fabric(4, 8, ends, [1.0] * 9), [(0, 2), (1, 3)])
    assert found == pytest.approx((1.0 + late_s(1, last_s, (2, meet))) / (4 / 3))


def test_members_of_a_bundle_are_crossed_like_links() -> None:
    """A bundle of two and a faster link, to switches behind which nothing is chosen."""
    links = [(0, 1), (0, 1), (0, 2)]
    two = written_routes(links, [(0, 1 / 3), (1, 1 / 3), (2, 1 / 3)], n_pairs=[5.0], capacity_bytes_per_s=[1, 1, 2])
    ends = links[1:]
    bundle = written_routes(
        ends, [(0, 2 / 3), (1, 1 / 3)], n_pairs=[5.0], capacity_bytes_per_s=[1, 2], n_members=[2, 1]
    )
    assert typical_slowdown_ratio(two, 1) > 1.0
    assert typical_slowdown_ratio(bundle, 1) == typical_slowdown_ratio(two, 1)


def test_no_flow_ends_before_its_own_time() -> None:
    """Links of a quarter of the rate of the cards: a flow alone takes 4 s, two of them 8 s."""
    found = slowdown(leaf_spine(2, 2, 2, trunk=0.25), [(0, 2), (1, 3)])
    assert found == pytest.approx((1.0 + late_s(1, 72, (4, 0.5), (8, 0.5))) / 4)


def test_a_flow_alone_is_never_slower() -> None:
    assert typical_slowdown_ratio(routes_of(leaf_spine(2, 2, 2), [(0, 2)]), 1) == 1.0
    assert typical_slowdown_ratio(routes_of(leaf_spine(2, 2, 2), [(0, 1)]), 4) == 1.0


def test_many_flows_are_nearly_even() -> None:
    fabric = leaf_spine(2, 4, 4)
    pairs = [(i, i + 4) for i in range(4)]
    found = [slowdown(fabric, pairs, 4**i) for i in range(8)]
    assert found == sorted(found, reverse=True)
    assert found[-1] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("n_spines", [1, 4])
def test_hashing_again_is_no_slower_where_no_switch_has_a_choice(n_spines: int) -> None:
    """All flows of a leaf share its one link, and end as under even splitting."""
    fabric = leaf_spine(2, 3, 1) if n_spines == 1 else leaf_spine(2, 3, 4, drop=3)
    routes = routes_of(fabric, [(0, 3), (1, 4), (2, 5)])
    for n_rehashes in (1, 2, 100):
        assert MODES["flowlet"].times(routes, Flows(1, n_rehashes)).mean_efficiency_ratio == 1.0
