"""Modes of load balancing: small cases by hand, flows drawn one by one, and flows that a measurement implies."""

from __future__ import annotations

import numpy as np
import pytest

from tests import naive_hashing
from tests.traffic.fabrics import leaf_spine, permutation, routes_of, shift, three_tiers
from twin.model.records import BalancingName
from twin.traffic.balancing_modes import MODES, Flows
from twin.traffic.fabric_routes import fabric_routes
from twin.traffic.hash_groups import HashedRoutes, LinkGroups
from twin.traffic.implied_flows import implied_flows
from twin.traffic.local_choice import local_choice_times


def test_two_flows_on_two_links_meet_half_of_the_time() -> None:
    """Both cards of a leaf send to the other leaf: half of the jobs take twice the time."""
    fabric = leaf_spine(2, 2, 2)
    times = MODES["ecmp"].times(routes_of(fabric, [(0, 2), (1, 3)]), Flows(1))
    assert times.time_s.tolist() == [1.0, 2.0]
    assert times.ended_ratio == pytest.approx([0.5, 1.0])
    assert times.mean_efficiency_ratio == pytest.approx(0.75)


def test_parallel_links_are_drawn_again_at_the_spine() -> None:
    """One spine, two links from it to the leaf: both draws must miss each other."""
    fabric = leaf_spine(2, 2, 1, n_parallel=2)
    times = MODES["ecmp"].times(routes_of(fabric, [(0, 2), (1, 3)]), Flows(1))
    assert times.ended_ratio == pytest.approx([0.25, 1.0])


def test_with_one_hash_parallel_links_are_drawn_once() -> None:
    fabric = leaf_spine(2, 2, 1, n_parallel=2)
    times = MODES["polarised"].times(routes_of(fabric, [(0, 2), (1, 3)]), Flows(1))
    assert times.ended_ratio == pytest.approx([0.5, 1.0])


def test_members_of_a_bundle_are_links_of_their_own() -> None:
    """Two parallel links, once as links and once as a bundle."""
    routes = routes_of(leaf_spine(2, 3, 2, n_parallel=2), [(0, 3), (1, 4), (2, 5)])
    first = np.flatnonzero(np.append(True, np.diff(routes.tail[routes.link] * 100 + routes.head[routes.link]) != 0))
    kept, row = np.unique(routes.link[first], return_inverse=True)
    bundled = HashedRoutes(
        np.array([0, len(first)]),
        row,
        routes.split_ratio[first] * 2,
        routes.n_pairs,
        routes.pair_bytes,
        routes.capacity_bytes_per_s[kept],
        np.full(len(kept), 2),
        routes.tail[kept],
        routes.head[kept],
        routes.floor_s,
    )
    for name, mode in MODES.items():
        one, other = mode.times(routes, Flows(3, 2)), mode.times(bundled, Flows(3, 2))
        assert one.even_s == other.even_s, name
        assert one.ended_ratio.tolist() == other.ended_ratio.tolist(), name


def test_a_local_choice_is_even_on_the_way_up_only() -> None:
    """Leaf to leaf it is as good as spraying; random pairs still meet on the way down."""
    fabric = leaf_spine(4, 4, 4)
    assert local_choice_times(routes_of(fabric, shift(fabric, 4)), 2).mean_efficiency_ratio == 1.0
    hashed = MODES["ecmp"].times(routes_of(fabric, permutation(fabric, 1)), Flows(2)).mean_efficiency_ratio
    chosen = MODES["dlb"].times(routes_of(fabric, permutation(fabric, 1)), Flows(2)).mean_efficiency_ratio
    assert hashed < chosen < 0.75


CHOSEN = {
    "two tiers": (leaf_spine(4, 4, 4), 3, 2),
    "faster trunks": (leaf_spine(4, 6, 3, trunk=2.0), 5, 4),
    "parallel links": (leaf_spine(3, 6, 3, n_parallel=2), 5, 2),
    "a missing link": (leaf_spine(4, 4, 4, drop=1), 3, 2),
    "three tiers": (three_tiers(3, 2, 3, 3, 3), 2, 2),
}


@pytest.mark.parametrize("case", CHOSEN)
def test_a_local_choice_beside_placing_every_flow(case: str) -> None:
    fabric, seed, n_flows = CHOSEN[case]
    pairs = permutation(fabric, seed)
    drawn = naive_hashing.drawn_efficiencies(fabric, pairs, [1.0] * len(pairs), ("dlb", n_flows), 1200)
    found = local_choice_times(routes_of(fabric, pairs), n_flows).mean_efficiency_ratio
    assert found == pytest.approx(np.mean(drawn), rel=0.04)


def test_many_flows_of_a_local_choice_are_normal() -> None:
    """Just above and below the limit of the exact sums."""
    fabric = leaf_spine(4, 16, 8)
    routes = routes_of(fabric, permutation(fabric, 1))
    below, above = (local_choice_times(routes, n).mean_efficiency_ratio for n in (120, 160))
    assert below < above < below + 0.02
    assert local_choice_times(routes, 10**6).mean_efficiency_ratio == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(("n_flows", "efficiency"), [(1, 2 / 3), (3, 1.0), (2, 8 / 9)])
def test_pinned_flows_differ_by_one(n_flows: int, efficiency: float) -> None:
    """Eight cards, six uplinks: 8/6 flows are two on a link; with two flows each, 16/6 are three halves."""
    fabric = leaf_spine(2, 8, 6)
    found = MODES["pinned"].times(routes_of(fabric, shift(fabric, 8)), Flows(n_flows)).mean_efficiency_ratio
    assert found == pytest.approx(efficiency)


def test_pinned_flows_end_with_the_fullest_group() -> None:
    """Three flows of 2 bytes on two links are two on one of them, 4 s; a flow between other leaves takes 2 s."""
    routes = routes_of(leaf_spine(4, 3, 2), [(0, 3), (1, 4), (2, 5), (6, 9)], [2.0] * 4)
    times = MODES["pinned"].times(routes, Flows(1))
    assert (times.even_s, times.time_s.tolist(), times.ended_ratio.tolist()) == (3.0, [4.0], [1.0])
    times = MODES["spray"].times(routes, Flows(1))
    assert (times.even_s, times.time_s.tolist(), times.ended_ratio.tolist()) == (3.0, [3.0], [1.0])


def test_pinned_flows_within_a_leaf_end_with_the_cards() -> None:
    times = MODES["pinned"].times(routes_of(leaf_spine(2, 3, 2), [(0, 1), (2, 1)], [2.0, 1.0]), Flows(1))
    assert times.time_s.tolist() == [3.0]


@pytest.mark.parametrize("name", MODES)
def test_the_number_of_flows_matters_where_the_table_says_so(name: BalancingName) -> None:
    """Four cards of each leaf send to the next leaf over three links, with one flow each or three."""
    fabric = leaf_spine(4, 4, 3)
    routes = routes_of(fabric, shift(fabric, 4))
    one, three = (MODES[name].times(routes, Flows(n)).mean_efficiency_ratio for n in (1, 3))
    assert (one != three) == MODES[name].is_hashed
    assert MODES[name].times(routes, Flows()).mean_efficiency_ratio == one, "one flow, hashed once"


@pytest.mark.parametrize("name", MODES)
def test_larger_pairs_take_longer_in_proportion_in_each_mode(name: BalancingName) -> None:
    fabric = leaf_spine(4, 4, 3)
    pairs = permutation(fabric, 1)
    one, other = (MODES[name].times(routes_of(fabric, pairs, [x] * len(pairs)), Flows(2, 4)) for x in (1.0, 3.0))
    assert other.even_s == pytest.approx(3.0 * one.even_s)
    assert other.mean_efficiency_ratio == pytest.approx(one.mean_efficiency_ratio)


def test_segments_come_closer_to_a_typical_flow() -> None:
    fabric = leaf_spine(4, 8, 8)
    routes = routes_of(fabric, permutation(fabric, 1))
    found = [MODES["flowlet"].times(routes, Flows(1, n)).mean_efficiency_ratio for n in (1, 2, 8, 64, 10**6)]
    assert found[0] == MODES["ecmp"].times(routes, Flows(1)).mean_efficiency_ratio
    assert found == sorted(found)
    assert found[-1] < 0.8, "a typical flow meets others"


@pytest.mark.parametrize("n_flows", [1, 6, 37])
def test_the_flows_that_a_bandwidth_implies_are_those_that_gave_it(n_flows: int) -> None:
    fabric = leaf_spine(4, 8, 8)
    routes = routes_of(fabric, shift(fabric, 8))
    busbw_gbps = 400.0 * MODES["ecmp"].times(routes, Flows(n_flows)).mean_efficiency_ratio
    found = implied_flows(routes, busbw_gbps, 400.0)
    assert found.n_flows_per_pair == pytest.approx(n_flows, abs=1), "flows that cannot be even may be one more"
    assert found.n_if_lucky is not None
    assert found.n_if_unlucky is not None
    assert found.n_if_lucky <= n_flows <= found.n_if_unlucky


def test_no_number_of_flows_explains_more_than_even_splitting() -> None:
    fabric = leaf_spine(4, 8, 8)
    assert implied_flows(routes_of(fabric, shift(fabric, 8)), 401.0, 400.0).n_flows_per_pair is None


@pytest.mark.parametrize(
    ("ends", "pairs", "problem"),
    [
        ([(0, 2), (1, 3)], [(0, 1)], "no path from node 2 to node 3"),
        ([(0, 2), (0, 3), (1, 3), (2, 3)], [(0, 1)], "node 0 is a network card and has 2 links"),
        ([(0, 1), (2, 3)], [(0, 1)], "node 0 is a network card and has 1 links; one link to a switch"),
    ],
)
def test_what_is_no_fabric_is_refused(ends: list[tuple[int, int]], pairs: list[tuple[int, int]], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        fabric_routes(2, 4, np.array(ends), np.ones(len(ends)), np.array(pairs), np.ones(len(pairs)))


def test_groups_that_are_alike_are_one_row() -> None:
    """Four leaves that send four flows over four links each, and receive them."""
    fabric = leaf_spine(4, 4, 4)
    groups = LinkGroups.of(routes_of(fabric, shift(fabric, 4)))
    assert groups.n_flows.tolist() == [4.0]
    assert groups.n_links.tolist() == [4.0]
    assert groups.n_groups.tolist() == [4.0], "links down carry the flows of the links up"
