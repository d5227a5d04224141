"""Search for the number of flows, on a mode of load balancing whose efficiency at each number is known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.traffic.fabrics import leaf_spine, routes_of, shift
from twin.traffic.balancing_modes import MODES, BalancingMode, Flows
from twin.traffic.hash_groups import HashedRoutes
from twin.traffic.hash_law import PhaseTimes
from twin.traffic.implied_flows import ImpliedFlows, implied_flows

ROUTES = routes_of(leaf_spine(2, 2, 2), shift(leaf_spine(2, 2, 2), 2))


def known(routes: HashedRoutes, flows: Flows) -> PhaseTimes:
    """With n flows, half of the jobs have an efficiency of n / 4096, and half of them one of n / 8192."""
    assert routes is ROUTES
    ends_s = np.array([4096.0, 8192.0]) / flows.n_per_pair
    return PhaseTimes(1.0, ends_s, np.array([0.5, 1.0]))


@pytest.fixture(autouse=True)
def known_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ecmp", "dlb"):
        monkeypatch.setitem(MODES, name, BalancingMode(known if name == "dlb" else MODES["spray"].times, "", True))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 9, 1000, 3071, 4095, 4096])
def test_the_least_number_is_found(n: int) -> None:
    """The mean of all jobs is 3 n / 16384; lucky jobs need the number for the efficiency n / 4096."""
    mean_gbps = 400.0 * 3 * n / 16384
    found = implied_flows(ROUTES, mean_gbps, 400.0, "dlb")
    n_unlucky = -(-3 * n // 2)
    assert found == ImpliedFlows(n, -(-3 * n // 4), n_unlucky if n_unlucky <= 4096 else None)
    assert implied_flows(ROUTES, mean_gbps * 1.0001, 400.0, "dlb").n_flows_per_pair == (n + 1 if n < 4096 else None)


def test_ecmp_is_the_mode_unless_stated() -> None:
    assert implied_flows(ROUTES, 400.0, 400.0) == ImpliedFlows(1, 1, 1)
    assert implied_flows(ROUTES, 400.1, 400.0) == ImpliedFlows(None, None, None)
    assert implied_flows(ROUTES, 400.0 * (1 + 1e-14), 400.0).n_flows_per_pair == 1, "a difference by rounding"
    assert implied_flows(ROUTES, 400.0 * (1 + 1e-10), 400.0).n_flows_per_pair is None
