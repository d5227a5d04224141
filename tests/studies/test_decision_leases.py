"""Decisions beside leases that run already: what is left to lease, and rent and electricity that all options share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import twin
from twin.errors import ChangeError
from twin.studies.decision_report import DecidedJob

EXAMPLE = Path(__file__).parents[2] / "examples" / "ageing_fibre.yaml"
LEASE: dict[str, Any] = {"tenant": "t1", "site": "north", "n_accelerators": 400, "usd_per_month": 1e6}
RUNNING: dict[str, Any] = LEASE | {"start": "2025-01-01", "term_days": 2000}


def network(*leases: dict[str, Any], n_north: int = 32) -> twin.Network:
    """Two sites with 512 accelerators each, at 150,000 USD a month."""
    data = yaml.safe_load(EXAMPLE.read_text())
    data["as_of"], data["leases"] = str(data["as_of"]), list(leases)
    data["jobs"][0]["placement"] = [
        {"site": "north", "n_accelerators": n_north},
        {"site": "south", "n_accelerators": 64},
    ]
    for site in data["sites"]:
        site["lease_usd_per_month"] = 1.5e5
    return twin.from_document(data)


def decided(net: twin.Network, **terms: Any) -> DecidedJob:
    asked: dict[str, Any] = {"n_samples": 2, "executor": "serial", "tornado": False} | terms
    return net.decide(lease=["north"], share=["north"], **asked).jobs[0]


def test_only_what_tenants_leave_is_leased_and_their_rent_counts_in_all_options() -> None:
    report = network(RUNNING).decide(lease=["north"], share=["north"], n_samples=2, executor="serial", tornado=False)
    found = report.jobs[0].options
    assert [option.n_leased for option in found] == [0, 112, 80]
    rents = [option.lease_usd_per_year.at_value for option in found]
    assert rents == pytest.approx([12e6, 12e6 + 1.8e6 * 112 / 512, 12e6 + 1.8e6 * 80 / 512])
    lost = [option.lost_rent_usd_per_year.at_value for option in found]
    assert lost == pytest.approx([1.8e6 * 112 / 512, 0.0, 1.8e6 * 32 / 512])
    [flip] = report.jobs[0].flips
    assert (flip.n_accelerators, flip.offered_usd_per_month) == (112, 1.5e5 * 112 / 512)
    assert "All options include $12M a year of leases that run already." in report.summary


def test_the_rent_that_flips_makes_leaving_out_as_good_as_the_next_option() -> None:
    net = network(RUNNING)
    price = decided(net).flips[0].usd_per_month.at_value
    assert price is not None
    whole = price * 512 / 112
    nets = [option.net_usd_per_year.at_value for option in decided(net, lease_usd_per_month=whole).options]
    known = [value for value in nets if value is not None]
    assert known[1] == pytest.approx(max(known), rel=1e-9)
    assert known[1] == pytest.approx(max(known[0], known[2]), rel=1e-9)


def test_leases_that_ended_or_follow_each_other_leave_what_the_lease_report_says() -> None:
    ended = RUNNING | {"tenant": "old", "start": "2020-01-01", "term_days": 100}
    first = RUNNING | {"n_accelerators": 300, "start": "2026-10-01", "term_days": 100}
    later = first | {"tenant": "t2", "start": "2027-01-09"}
    signed = first | {"start": "2030-01-01"}
    for leases, n_free in (((ended,), 480), ((first, later), 180), ((signed,), 180)):
        net = network(*leases)
        assert next(row.n_free for row in net.leases().free if row.site == "north") == n_free
        assert [option.n_leased for option in decided(net).options] == [0, n_free + 32, n_free]


def test_a_site_that_is_leased_as_a_whole_cannot_be_leased_again() -> None:
    net = network(RUNNING | {"n_accelerators": 512})
    with pytest.raises(ChangeError, match="tenants have all 512 accelerators of north"):
        net.decide(lease=["north"], n_samples=2, executor="serial", tornado=False)


def test_electricity_that_a_running_tenant_pays_is_off_the_cost_of_all_options() -> None:
    by_payer = [
        [
            option.cost_usd_per_year.at_value
            for option in decided(network(RUNNING | {"power_paid_by": payer}), power_paid_by="owner").options
        ]
        for payer in ("owner", "tenant")
    ]
    saved = [(a or 0.0) - (b or 0.0) for a, b in zip(*by_payer, strict=True)]
    power = network()._evaluate_after(None, None, None).year_of_work.power_usd_per_year["north"]
    assert saved == pytest.approx([power * 400 / 512] * 3)


def test_money_and_decide_count_the_same_electricity_of_a_tenant() -> None:
    """A year without discount: what the tenant pays is the cost that the decision leaves out."""
    signed = LEASE | {"n_accelerators": 480, "start": "2026-11-01", "term_days": 365}
    terms: dict[str, Any] = {"horizon_years": 1, "discount_ratio_per_year": 0}
    values, costs = [], []
    for payer in ("owner", "tenant"):
        horizon = network().money([], leases=[signed | {"power_paid_by": payer}], **terms).horizon
        assert horizon is not None
        values.append(horizon.leases_usd)
        costs.append(decided(network(), power_paid_by=payer).options[2].cost_usd_per_year.at_value or 0.0)
    assert values[1] - values[0] == pytest.approx(costs[0] - costs[1])
    assert values[0] == pytest.approx(12e6)


def test_a_tenant_that_stays_pays_no_more_where_the_plan_leaves_its_site_alone() -> None:
    horizon = network(RUNNING | {"power_paid_by": "tenant"}).money("new-fibre").horizon
    assert horizon is not None
    assert horizon.leases_usd == 0.0


def test_a_site_without_anything_free_is_named() -> None:
    net = network(n_north=512)
    asked: dict[str, Any] = {"n_samples": 2, "executor": "serial", "tornado": False}
    job = net.decide(share=["north"], **asked).jobs[0]
    assert len(job.options) == 1
    assert job.summary[-1] == (
        "No share of north can be leased: the job train-70b uses 512 of its 512 accelerators, and tenants have 0."
    )


def test_each_site_is_weighed_at_its_own_rent() -> None:
    data = network().document.to_dict()
    for site in data["sites"]:
        site["lease_usd_per_month"] = {"north": 1.5e5, "south": 1.5e6}.get(site["id"])
    net = twin.from_document(data)
    job = net.decide(lease=["north", "south"], n_samples=4, executor="serial", tornado=False).jobs[0]
    assert [(row.site, row.offered_usd_per_month, row.pays_ratio) for row in job.flips] == [
        ("north", 1.5e5, 0.0),
        ("south", 1.5e6, 1.0),
    ]


def test_a_refused_lease_is_named_by_its_place_among_those_asked_for() -> None:
    more = [{"tenant": "x", "site": "south", "n_accelerators": 3}, {"tenant": "y", "site": "north"}]
    with pytest.raises(ChangeError, match=r"^leases\[1\]: "):
        network(RUNNING).money({"kind": "age", "years": 1}, leases=more)


def test_without_options_the_best_and_the_costliest_plan_and_every_site_with_a_lease_price_are_compared() -> None:
    """Local SGD buys nothing here, and has the highest goodput of the plans."""
    data = twin.load("memphis-small").document.to_dict()
    kept = ("balance-load", "border-router-swap", "hardware-swap", "local-sgd", "more-channels")
    network = twin.from_document({**data, "plans": [plan for plan in data["plans"] if plan["id"] in kept]})
    report = network.decide(jobs=["flagship"], n_samples=2, tornado=False)
    names = [row.name for row in report.jobs[0].options]
    assert names[:4] == ["do nothing", "local-sgd", "hardware-swap", "leave c1 out and lease it"]
    assert "lease a share of c1 beside local-sgd" in names
    assert report.summary[0].startswith("Left out: balance-load, border-router-swap, more-channels")


def test_a_plan_that_cannot_be_built_is_no_option_of_a_decision_without_options() -> None:
    data = twin.load("memphis-small").document.to_dict()
    broken = {"id": "broken", "changes": [{"kind": "set_channels", "links": "wan-*", "n_parallel": 1000}]}
    kept = [plan for plan in data["plans"] if plan["id"] == "local-sgd"]
    report = twin.from_document({**data, "plans": [broken, *kept]}).decide(n_samples=2, tornado=False)
    assert {"local-sgd", "broken"} & {row.name for row in report.jobs[0].options} == {"local-sgd"}
    assert report.summary[0].startswith("Plan 'broken' is no option: ")


def test_jobs_have_the_same_samples() -> None:
    """The network costs the same whichever job runs, so that its cost is the same in each sample."""
    report = twin.load("memphis-small").decide(lease=["c1"], n_samples=4, tornado=False)
    everything, flagship = (job.options[0].cost_usd_per_year for job in report.jobs)
    assert everything == flagship
