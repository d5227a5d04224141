"""Rates after one failure equal those that trace every pair."""

from __future__ import annotations

import numpy as np
import pytest

from tests.studies.test_availability import random_network
from twin.failures import capped_rates
from twin.loading import from_document
from twin.studies.availability_states import one_failure
from twin.traffic.congestion import load_demands


@pytest.mark.parametrize("seed", range(8))
def test_shared_rates_equal_those_of_all_pairs(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    e = from_document(random_network(seed))._evaluate_after(None, None, None)
    assert e.demand_pairs is not None
    one = one_failure(e, e.demand_pairs)
    n_overloaded = 0
    for down in range(-1, e.case.state.n_links):
        kept_ratio = np.where(np.arange(e.case.state.n_links) == down, 0.0, 1.0)
        routes = one.routes(kept_ratio)
        capacity_gbps = one.arc_capacity_gbps * np.repeat(kept_ratio, 2)
        expected = load_demands(routes, one.offered_gbps, capacity_gbps, split_by_rate=one.split_by_rate)
        for cells in (capped_rates.MAX_CELLS, 0):
            monkeypatch.setattr(capped_rates, "MAX_CELLS", cells)
            found = one.loads(routes, kept_ratio)
            for name in ("arc_offered_gbps", "arc_carried_gbps", "carried_gbps"):
                assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-12, abs=1e-12)
        monkeypatch.undo()
        n_overloaded += bool((expected.carried_gbps < expected.offered_gbps)[routes.reachable].any())
    assert n_overloaded
