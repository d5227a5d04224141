"""Readiness of sites by hand: budgets in steps, the blocker, and dates that are refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import twin
from twin.economics.readiness import Budgets, SiteNeeds, blockers_on, first_day, usable_accelerators
from twin.errors import ChangeError, TwinError

BUDGETS: list[dict[str, Any]] = [
    {"start": "2027-03-03", "power_megawatts": 330},
    {"start": "2027-03-31", "liquid_cooling_megawatts": 300},
]
SWAP = {"kind": "swap_accelerators", "racks": {"kind": "rack"}, "accelerator": "GB200"}


def campus(**site: Any) -> twin.Network:
    """2,000 racks of 32 H100; as GB200 of 72 they need 144,000 x 1,833 W x 1.2, and 230 MW of liquid cooling."""
    base = {"id": "c1", "power_megawatts": 110, "budgets": BUDGETS, "pue_ratio": 1.2}
    racks = [
        {"id": f"r{i}", "kind": "rack", "site": "c1", "accelerator": "H100", "n_accelerators": 32} for i in range(2000)
    ]
    leaf = {"id": "s", "kind": "leaf", "site": "c1"}
    links = [{"id": f"l{i}", "ends": [f"r{i}", "s"], "capacity_gbps": 400} for i in range(2000)]
    return twin.from_document({"as_of": "2026-11-01", "sites": [base | site], "nodes": [*racks, leaf], "links": links})


@pytest.fixture(scope="module")
def network() -> twin.Network:
    return campus()


def test_a_swap_that_waits_for_cooling_is_refused_with_the_days(network: twin.Network) -> None:
    with pytest.raises(ChangeError) as caught:
        network.readiness([SWAP], on="2027-03-03")
    assert "c1: liquid cooling, 28 days (needs 230.4, has 0 MW)" in str(caught.value)
    assert caught.value.hint == "ready 28 days later"
    found = network.readiness([SWAP], on="2027-03-31")
    assert (found.ready_day, str(found.ready_on)) == (150, "2027-03-31")
    rows = [(row.day, row.n_usable, row.blocker) for row in found.steps]
    assert rows == [(0, 0, "liquid cooling"), (122, 0, "liquid cooling"), (150, 144_000, None)]
    assert found.summary[0] == "Ready on 2027-03-31, in 150 days."
    assert "limited by liquid cooling" in repr(found)


def test_before_the_power_comes_both_block_and_the_longest_is_named_first(network: twin.Network) -> None:
    with pytest.raises(ChangeError) as caught:
        network.readiness([SWAP], on="2026-11-01")
    text = str(caught.value)
    assert text.index("liquid cooling, 150 days") < text.index("power, 122 days (needs 316.7, has 110 MW)")


def test_what_stands_needs_no_liquid(network: twin.Network) -> None:
    found = network.readiness()
    assert (found.ready_day, found.steps[0].n_usable, found.steps[0].blocker) == (0, 64_000, None)
    assert found.summary == ("Ready: the budgets of all sites are enough from the day of the document on.",)


@pytest.mark.parametrize(
    ("on", "expected"),
    [("2026-10-31", "lies before as_of"), ("soon", "a date such as"), ("2028-02-30", "a date such as")],
)
def test_dates_before_the_document_and_no_dates_are_refused(network: twin.Network, on: str, expected: str) -> None:
    with pytest.raises(ChangeError, match=expected):
        network.readiness(on=on)


def test_budgets_that_never_suffice_and_those_of_bad_dates() -> None:
    small = campus(budgets=[*BUDGETS, {"start": "2027-06-01", "n_network_accelerators": 100_000}])
    found = small.readiness([SWAP])
    assert (found.ready_day, found.ready_on) == (None, None)
    assert found.summary[0] == "Not ready: the budgets of c1 stay too small."
    assert found.steps[-1].blocker == "network"
    assert found.steps[-1].n_usable == 100_000
    with pytest.raises(ChangeError, match="for ever"):
        small.readiness([SWAP], on="2027-06-01")
    with pytest.raises(TwinError, match="stands twice"):
        campus(budgets=[BUDGETS[0], BUDGETS[0]]).score(main_assumptions=False)
    with pytest.raises(TwinError, match="as_of"):
        twin.from_document(
            {"sites": [{"id": "c1", "budgets": BUDGETS}], "nodes": [{"id": "s", "kind": "leaf", "site": "c1"}]}
        ).readiness()


def test_a_budget_that_falls_again_is_not_enough_before() -> None:
    """A rack of 32 H100 needs more than 0.02 MW: 10 MW for a month do not make it ready."""
    budgets = [{"start": "2026-12-01", "power_megawatts": 10}, {"start": "2027-01-01", "power_megawatts": 0.02}]
    rack = {"id": "r1", "kind": "rack", "site": "c1", "accelerator": "H100", "n_accelerators": 32}
    site = {"id": "c1", "power_megawatts": 0.02, "budgets": budgets}
    document = {"as_of": "2026-11-01", "sites": [site], "nodes": [rack]}
    assert twin.from_document(document).readiness().ready_day is None
    with pytest.raises(ChangeError, match="power, for ever") as caught:
        twin.from_document(document).readiness(on="2026-11-05")
    assert caught.value.hint == "the budgets stay too small, or become so again"
    budgets.append({"start": "2027-02-01", "power_megawatts": 10})
    found = twin.from_document(document)
    with pytest.raises(ChangeError, match="power, 88 days") as caught:
        found.readiness(on="2026-11-05")
    assert (caught.value.hint, found.readiness().ready_day) == ("ready 88 days later", 92)


NAMES = ("power_megawatts", "liquid_cooling_megawatts", "n_rack_places")
LIMITS = st.fixed_dictionaries({name: st.integers(0, 12).map(float) for name in NAMES})


@given(st.lists(LIMITS, min_size=1, max_size=4), LIMITS, st.integers(0, 12), st.integers(0, 45))
def test_steps_agree_with_looking_at_each_day(
    limits: list[dict[str, float]], needed: dict[str, float], n_liquid: int, day: int
) -> None:
    steps = [Budgets(10 * i, row) for i, row in enumerate(limits)]
    needs = SiteNeeds(needed, 12, n_liquid)

    def short(on: int) -> set[str]:
        now = limits[min(on // 10, len(limits) - 1)]
        return {name for name in NAMES if now[name] < needed[name]}

    found = blockers_on(needs, steps, day)
    assert {blocker.resource for blocker in found} == short(day)
    for blocker in found:
        waits = [n for n in range(50) if not any(blocker.resource in short(day + later) for later in range(n, 50))]
        assert blocker.n_days == (waits[0] if waits else float("inf"))
    ready = first_day(needs, steps)
    good = [on for on in range(100) if not any(short(later) for later in range(on, 100))]
    assert ready == (good[0] if good else None)
    usable, name = usable_accelerators(needs, steps[0].limits)
    assert (name is None) == (not short(0))
    assert 0 <= usable <= 12
    if name == "n_rack_places":
        assert usable == int(12 * limits[0][name] / needed[name])
