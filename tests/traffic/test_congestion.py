"""Utilisation, queueing, max-min fair rates and what demands leave to a job, by hand and beside naive versions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tests import naive
from tests.traffic.routes import matrix
from tests.training.cases import state_of
from twin.traffic.congestion import (
    arc_queue_us,
    arc_utilisation_ratio,
    load_demands,
    max_min,
    remaining_for_job_gbps,
)

NAN, INF = np.nan, np.inf


def test_utilisation_without_capacity_and_of_unknown_rates() -> None:
    load = np.array([5.0, 0.0, 5.0, 5.0, 0.0, NAN, NAN])
    capacity = np.array([10.0, 0.0, 0.0, NAN, NAN, 10.0, NAN])
    np.testing.assert_equal(arc_utilisation_ratio(load, capacity), [0.5, 0.0, INF, NAN, 0.0, NAN, NAN])


def test_queues_grow_up_to_nine_tenths() -> None:
    """1250 bytes take 10 us at 1 Gb/s: they wait 10 us x 0.5 / (2 x 0.5), and 10 us x 0.9 / (2 x 0.1) at most."""
    used = np.array([0.0, 0.5, 0.9, 1.0, INF, NAN, 0.5, 0.5])
    member = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, NAN])
    want = [0.0, 5.0, 45.0, 45.0, 45.0, NAN, 2.5, 0.0]
    np.testing.assert_allclose(arc_queue_us(used, member, 1250.0), want, rtol=1e-12)


def test_max_min_of_a_chain() -> None:
    """One flow over both links and one on each: 1 is shared by two, and the rest of 2 is for the third."""
    assert max_min(np.array([1.0, 2.0]), [[0, 1], [0], [1]]).tolist() == [0.5, 0.5, 1.5]


@pytest.mark.parametrize("seed", range(10))
def test_max_min_is_that_of_progressive_filling(seed: int) -> None:
    random = np.random.default_rng(seed)
    capacity = random.integers(1, 20, 5)
    flows = [random.choice(5, random.integers(1, 4), replace=False).tolist() for _ in range(7)]
    exact = naive.max_min_rates(
        [dict.fromkeys(flow, Fraction(1)) for flow in flows], [Fraction(int(c)) for c in capacity], [Fraction(999)] * 7
    )
    assert max_min(capacity * 1.0, flows) == pytest.approx([float(rate) for rate in exact])


def test_a_job_keeps_a_hundredth() -> None:
    left = remaining_for_job_gbps(np.full(4, 100.0), np.array([30.0, 98.5, 99.5, 100.0]))
    assert left.tolist() == [70.0, 1.5, 1.0, 1.0]


def test_full_arcs_lower_the_rates_that_cross_them() -> None:
    """a, b and c in a row, 10 Gb/s to b and 4 to c: 6 from a to c get 4, and d without a link gets nothing."""
    nodes = [{"id": name, "kind": "leaf"} for name in "abcd"]
    links = [{"id": "1", "ends": ["a", "b"]}, {"id": "2", "ends": ["b", "c"]}]
    state = state_of({"nodes": nodes, "links": links})[0]
    routes = matrix(state, np.array([0, 0, 0]), np.array([2, 1, 3]))
    found = load_demands(routes, np.array([6.0, 6.0, 7.0]), np.array([10.0, 10.0, 4.0, 4.0]))
    assert found.carried_gbps == pytest.approx([4.0, 6.0, 0.0])
    assert found.arc_carried_gbps == pytest.approx([10.0, 0.0, 4.0, 0.0])
    assert found.arc_offered_gbps.tolist() == [12.0, 0.0, 6.0, 0.0]
    assert found.offered_gbps.tolist() == [6.0, 6.0, 7.0]
    assert found.reachable.tolist() == [True, True, False]
    assert found.unrouted_gbps == 7.0
    unknown = load_demands(routes, np.array([6.0, 6.0, 0.0]), np.array([NAN, 10.0, 4.0, NAN]))
    np.testing.assert_equal(unknown.carried_gbps, [NAN, NAN, 0.0])
    np.testing.assert_equal(unknown.arc_carried_gbps, [NAN, 0.0, NAN, 0.0])
    assert unknown.arc_offered_gbps.tolist() == [12.0, 0.0, 6.0, 0.0]


def test_an_unknown_rate_spreads_over_full_arcs() -> None:
    """a, b, c and d in a row; nobody knows the rate from a to b, and 0.5 Gb/s go on to c.

    The demand from a makes that of b uncertain, and that of b the one of c if the last link is full too.
    """
    nodes = [{"id": name, "kind": "leaf"} for name in "abcd"]
    links = [{"id": a + b, "ends": [a, b]} for a, b in ("ab", "bc", "cd")]
    state = state_of({"nodes": nodes, "links": links})[0]
    routes = matrix(state, np.array([0, 1, 2, 3, 0]), np.array([2, 3, 3, 2, 1]))
    offered = np.array([0.6, 0.4, 0.3, 0.2, 0.0])

    def loads(last_gbps: float, **more: bool) -> list[list[float]]:
        found = load_demands(routes, offered, np.array([NAN, NAN, 0.5, 0.5, last_gbps, last_gbps]), **more)
        return [
            column.round(9).tolist() for column in (found.carried_gbps, found.arc_carried_gbps, found.arc_offered_gbps)
        ]

    offered_by_arc = [0.6, 0.0, 1.0, 0.0, 0.7, 0.2]
    full, wide, by_rate = loads(0.5), loads(1.0), loads(1.0, split_by_rate=True)
    np.testing.assert_equal(full[0], [NAN, NAN, NAN, 0.2, 0.0])
    np.testing.assert_equal(full[1:], [[NAN, 0.0, NAN, 0.0, NAN, 0.2], offered_by_arc])
    np.testing.assert_equal(wide[0], [NAN, NAN, 0.3, 0.2, 0.0])
    np.testing.assert_equal(wide[1:], [[NAN, 0.0, NAN, 0.0, NAN, 0.2], offered_by_arc])
    np.testing.assert_equal(by_rate[0], full[0])
    np.testing.assert_equal(by_rate[1:], [full[1], [NAN, 0.0, NAN, 0.0, NAN, 0.2]])


def test_an_unknown_rate_that_nothing_crosses_changes_nothing() -> None:
    nodes = [{"id": name, "kind": "leaf"} for name in "abc"]
    state = state_of({"nodes": nodes, "links": [{"id": a + b, "ends": [a, b]} for a, b in ("ab", "bc")]})[0]
    routes = matrix(state, np.array([1, 0]), np.array([2, 1]))
    found = load_demands(routes, np.array([0.8, 0.0]), np.array([NAN, NAN, 0.5, 0.5]))
    assert found.carried_gbps.tolist() == [0.5, 0.0]
    assert found.arc_carried_gbps.tolist() == [0.0, 0.0, 0.5, 0.0]
    fits = load_demands(routes, np.array([0.5, 0.0]), np.array([NAN, NAN, 0.5, 0.5]))
    assert fits.carried_gbps.tolist() == [0.5, 0.0]
