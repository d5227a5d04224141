"""How often each component fails: by hand, each event in one place."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.training.cases import general, reader, state_of
from twin.arrays import State
from twin.reliability.component_rates import (
    NO_CUT_TAKES_ALL,
    NO_FIBRE_IN_RISK,
    NO_RATE_OF_RACK,
    NO_REPAIR_OF_HOST,
    ComponentRates,
    link_rates,
    member_rates,
    node_rates,
    risk_rates,
)
from twin.reliability.rates import HOURS_PER_YEAR, Rate, all_down, any_of, both_down, without

CUT_REPAIR_H = 9 * math.exp(0.765**2 / 2)
CUTS_PER_KM_YEAR = 0.003
TRANSCEIVERS_PER_YEAR = 2 * 2236e-9 * HOURS_PER_YEAR
AMPLIFIERS_PER_YEAR = 2 * 3333e-9 * HOURS_PER_YEAR


def parallel(*links: dict[str, Any]) -> State:
    """Links between two border routers, with a coherent transceiver unless a capacity is given."""
    data: dict[str, Any] = {
        "as_of": "2026-01-01",
        "nodes": [{"id": "p", "kind": "border"}, {"id": "q", "kind": "border"}],
        "links": [
            {"id": f"l{i}", "ends": ["p", "q"]} | ({} if "capacity_gbps" in link else {"transceiver": "400ZR"}) | link
            for i, link in enumerate(links)
        ],
    }
    return state_of(data)[0]


def fibre(*lengths_km: float, **more: Any) -> list[dict[str, Any]]:
    return [{"length_km": length_km, **more} for length_km in lengths_km]


def rates_of_links(state: State) -> ComponentRates:
    return link_rates(state, reader(), np.arange(state.n_links))


def test_a_cut_of_a_shared_duct_counts_for_the_duct() -> None:
    """30 km of l0 and 20 km of l1 in a duct: 20 km take both; l0 has 10 km there and 40 km elsewhere of its own."""
    state = parallel(
        {"spans": [*fibre(30, srlgs=["duct"]), *fibre(40)]},
        {"spans": fibre(20, srlgs=["duct"])},
    )
    own = rates_of_links(state)
    assert own.n_per_year == pytest.approx([CUTS_PER_KM_YEAR * 50 + TRANSCEIVERS_PER_YEAR, TRANSCEIVERS_PER_YEAR])
    load_h = CUTS_PER_KM_YEAR * 50 * CUT_REPAIR_H + TRANSCEIVERS_PER_YEAR * 4
    assert own.repair_h == pytest.approx([load_h / own.n_per_year[0], 4.0])
    duct = risk_rates(state, reader(), [np.array([0, 1])], [0])
    assert duct.n_per_year == pytest.approx([CUTS_PER_KM_YEAR * 20])
    assert duct.repair_h == pytest.approx([CUT_REPAIR_H])
    assert not duct.why


def test_a_link_alone_keeps_its_duct_to_itself() -> None:
    state = parallel({"spans": fibre(30, srlgs=["duct"])}, {"spans": fibre(20)})
    cuts = np.array([30, 20]) * CUTS_PER_KM_YEAR
    assert rates_of_links(state).n_per_year == pytest.approx(cuts + TRANSCEIVERS_PER_YEAR)


def test_what_is_left_of_a_link_in_a_duct_is_repaired_as_an_amplifier_is() -> None:
    spans = fibre(20, srlgs=["duct"], amplifier="EDFA")
    state = parallel(
        {"spans": spans, "transceiver": "OpenZR+-400G", "n_parallel": 2},
        {"spans": spans, "transceiver": "OpenZR+-400G", "n_parallel": 2},
    )
    own = rates_of_links(state)
    u = (TRANSCEIVERS_PER_YEAR / HOURS_PER_YEAR * 4) / (1 + TRANSCEIVERS_PER_YEAR / HOURS_PER_YEAR * 4)
    both_per_year = u**2 * 2 / 4 / (1 - u**2) * HOURS_PER_YEAR
    assert own.n_per_year == pytest.approx([AMPLIFIERS_PER_YEAR + both_per_year] * 2, rel=1e-12)
    assert own.repair_h == pytest.approx([6.0] * 2, rel=1e-3)


def test_members_fail_one_by_one_and_the_only_member_is_the_link() -> None:
    state = parallel({"capacity_gbps": 400, "n_parallel": 4}, {"capacity_gbps": 400})
    each = general("n_link_failures_per_month") / 730.0 * HOURS_PER_YEAR
    members = member_rates(state, reader(), np.arange(2))
    assert members.n_per_year == pytest.approx([4 * each, each])
    assert members.repair_h == pytest.approx([4.0, 4.0])
    links = rates_of_links(state)
    assert links.n_per_year[1] == members.n_per_year[1]
    u = each * 4 / (HOURS_PER_YEAR + each * 4)
    assert links.n_per_year[0] == pytest.approx(u**4 / (1 - u**4) * 4 / 4 * HOURS_PER_YEAR)
    assert links.repair_h[0] == 1.0


def test_nodes_by_kind() -> None:
    nodes = [{"id": kind, "kind": kind} for kind in ("border", "host", "leaf", "rack", "storage")]
    state = state_of({"nodes": nodes, "links": []})[0]
    found = node_rates(state, reader(), np.array([0, 1, 2, 3]))
    assert found.n_per_year[[0, 2]] == pytest.approx([0.00051 * 12] * 2)
    assert found.repair_h[[0, 2]] == pytest.approx([6.0] * 2)
    assert found.n_per_year[1] == pytest.approx(general("n_host_interruptions_per_host_day") * 365.25)
    assert math.isnan(found.repair_h[1])
    assert math.isnan(found.n_per_year[3])
    assert math.isnan(found.repair_h[3])
    assert found.why == {1: NO_REPAIR_OF_HOST, 3: NO_RATE_OF_RACK}
    expected = [6.12e-3 * 6 / (HOURS_PER_YEAR + 6.12e-3 * 6), math.nan]
    assert found.unavailability_ratio[[0, 1]] == pytest.approx(expected, nan_ok=True)


def test_why_a_shared_risk_has_no_rate() -> None:
    """Risk 0 is `bare`, without fibre; all fibre of `part` counts in `whole`, which has more links."""
    inside = fibre(20, srlgs=["part", "whole"])
    state = parallel(
        {"capacity_gbps": 10, "srlgs": ["bare"]},
        {"spans": inside},
        {"spans": inside},
        {"spans": fibre(20, srlgs=["whole"])},
    )
    groups = [np.array([0]), np.array([1, 2]), np.array([1, 2, 3])]
    found = risk_rates(state, reader(), groups, [0, 1, 2])
    assert found.why == {0: NO_FIBRE_IN_RISK, 1: NO_CUT_TAKES_ALL}
    assert found.n_per_year == pytest.approx([math.nan, math.nan, 0.06], nan_ok=True)
    alone = risk_rates(state, reader(), groups[:1], [0])
    assert alone.why == {0: NO_FIBRE_IN_RISK}
    assert np.isnan(alone.n_per_year).all()
    assert np.isnan(alone.repair_h).all()


def test_algebra_of_rates() -> None:
    a, b = (Rate(np.array([n]), np.array([h])) for n, h in ((1e-3, 10.0), (5e-3, 2.0)))
    back = without(any_of(a, b), b)
    assert back.n_per_h == pytest.approx(a.n_per_h)
    assert back.repair_h == pytest.approx(a.repair_h)
    assert without(a, a).n_per_h[0] == without(a, a).repair_h[0] == 0.0
    pair, two = both_down(a, a), all_down(a, np.array([2]))
    assert two.n_per_h == pytest.approx(pair.n_per_h)
    assert two.repair_h == pytest.approx(pair.repair_h)
    assert all_down(a, np.array([1])).n_per_h[0] == a.n_per_h[0]
    three = all_down(a, np.array([3]))
    assert three.unavailability_ratio == pytest.approx(a.unavailability_ratio**3)
