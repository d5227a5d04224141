"""Leases as candidates: offered for what is free, refused for more, and their rent counts in the plan's money."""

from __future__ import annotations

from typing import Any

import pytest

import twin
from tests.contracts.test_candidate_generators import found_in
from tests.studies.test_decision_leases import RUNNING, network
from twin.errors import ChangeError
from twin.planner.generators import GENERATORS
from twin.planner.records import PlanReport

LEASE = {"tenant": "t", "site": "north", "n_accelerators": 480, "usd_per_month": 1e5}


def planned(net: twin.Network, **asked: Any) -> PlanReport:
    found = found_in(net)
    offered = [item for kind in ("lease", "leave") for item in GENERATORS[kind].offer(found)]
    return net.plan(budget_usd=0.0, candidates=offered, generate=False, **asked)


def own(net: twin.Network, **lease: Any) -> None:
    item = {"id": "mine", "changes": [{"kind": "add_lease", "lease": LEASE | lease}]}
    net.plan(budget_usd=0.0, candidates=[item], generate=False)


def test_what_the_job_leaves_free_is_leased_beside_the_plan() -> None:
    net = network()
    answer = planned(net)
    assert answer.plan is not None
    assert {row.id for row in answer.considered if row.kind == "lease"} == {
        "lease 480 of north",
        "lease 512 of north",
        "lease 448 of south",
        "lease 512 of south",
    }
    leased = {change["lease"]["site"]: change["lease"] for change in answer.changes if change["kind"] == "add_lease"}
    left = {site for change in answer.changes if change["kind"] == "leave_sites" for site in change["sites"]}
    assert set(leased) == {"north", "south"}
    for site, n_of_job in (("north", 32), ("south", 64)):
        n = 512 if site in left else 512 - n_of_job
        assert leased[site]["n_accelerators"] == n
        assert leased[site]["usd_per_month"] == pytest.approx(1.5e5 * n / 512)
    money = net.money(answer.changes)
    assert money.horizon is not None
    assert answer.worth is not None
    assert answer.worth.horizon.npv_usd == money.horizon.npv_usd
    assert answer.plan.lease_usd == pytest.approx(money.horizon.leases_usd)
    assert answer.plan.capex_usd == 0.0


def test_what_tenants_have_is_not_offered() -> None:
    names = {row.id for row in planned(network(RUNNING)).considered}
    assert {"lease 80 of north", "lease 112 of north"} < names


def test_the_goal_of_most_rent_leaves_a_site() -> None:
    answer = planned(network(), goal="lease_income_usd_per_year")
    assert answer.plan is not None
    assert answer.plan.goal == pytest.approx(12 * 1.5e5 * (480 + 512) / 512)
    assert set(answer.plan.candidates) == {"leave south", "lease 512 of south", "lease 480 of north"}


def test_a_lease_of_more_than_there_is_is_refused_by_name() -> None:
    net = network()
    own(net)
    for lease, text in (
        ({"n_accelerators": 481}, "'mine': .*32 accelerators of the job and 481 of t; north has 512"),
        ({"n_accelerators": 513}, "'mine': .*513 accelerators leased to t; north has 512"),
        ({"site": "nort"}, "'mine': .*no site 'nort'"),
    ):
        with pytest.raises(ChangeError, match=text):
            own(net, **lease)


def test_a_lease_that_starts_later_meets_the_job_and_the_racks_of_that_day() -> None:
    late = {"kind": "add_lease", "lease": LEASE | {"n_accelerators": 481, "start": "2031-01-01"}}
    with pytest.raises(ChangeError, match="from 2031-01-01 on"):
        network().what_if(late)
    half = {"kind": "swap_accelerators", "racks": {"site": "north"}, "accelerator": "H100", "n_per_rack": 16}
    with pytest.raises(ChangeError, match="accelerators leased to t; north has"):
        network().preview([{"kind": "add_lease", "lease": LEASE}, half])
