"""Money of plans by hand: present values, leases, payback, unit costs, and what is not known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import twin
from tests.imports.test_device_types import made_of
from twin.answers.plan_money import PlanMoney, UnitCost
from twin.errors import ChangeError, TwinError

BOOK: dict[str, Any] = {
    "part_usd": {"400G-DR4": 1000, "leaf-51.2T": 0, "spine-51.2T": 0},
    "labour_usd_per_hour": 200,
    "labour_h": {"transceiver": 0.5},
    "electricity_usd_per_mwh": 0,
    "maintenance_ratio_per_year": 0.05,
    "discount_ratio_per_year": 0.1,
    "horizon_years": 4,
    "equipment_lifetime_years": 8,
}
LEASE: dict[str, Any] = {"tenant": "t", "site": "A", "usd_per_month": 1000, "start": "2026-11-01"}
MORE = {"kind": "set_channels", "links": "up-1", "n_parallel": 3}


def network(**fields: Any) -> twin.Network:
    document: dict[str, Any] = {
        "as_of": "2026-11-01",
        "sites": [{"id": "A"}],
        "nodes": [
            {"id": "leaf-1", "kind": "leaf", "site": "A", "part": "leaf-51.2T"},
            {"id": "leaf-2", "kind": "leaf", "site": "A", "part": "leaf-51.2T"},
            {"id": "spine", "kind": "spine", "site": "A", "part": "spine-51.2T"},
            {"id": "rack", "kind": "rack", "site": "A", "accelerator": "H100", "n_accelerators": 8},
        ],
        "links": [
            {"id": f"up-{i}", "ends": [f"leaf-{i}", "spine"], "transceiver": "400G-DR4", "n_parallel": 1}
            for i in (1, 2)
        ],
        "demands": [{"id": "d", "source": "leaf-1", "target": "leaf-2", "offered_gbps": 390}],
        "price_book": BOOK,
    }
    return twin.from_document(document | fields)


def by_name(found: PlanMoney) -> dict[str, UnitCost]:
    return {row.name: row for row in found.unit_costs}


def test_an_upgrade_by_hand() -> None:
    """Four optics, two hours of labour; 390 of 400 Gb/s is 110 above 70 %, and three members take it away."""
    found = network().money([MORE])
    assert found.bill.capex_usd == 4 * 1000 + 4 * 0.5 * 200
    assert found.bill.opex_change_usd_per_year == 4000 * 0.05
    assert found.horizon is not None
    assert found.horizon.capex_usd == -4400
    assert found.horizon.residual_usd == pytest.approx(4000 * (1 - 4 / 8) * 1.1**-4)
    monthly = 1.1 ** (1 / 12) - 1
    assert found.horizon.opex_usd == pytest.approx(-200 * (1 - 1.1**-4) / monthly / 12)
    relieved = by_name(found)["relieved traffic"]
    assert relieved.gain == pytest.approx(110)
    assert relieved.usd == pytest.approx(found.horizon.cost_usd / 110)
    assert found.firm is None
    assert (found.why["firm"], found.why["payback_years"]) == ("no leases", "not paid back within 100 years")
    assert found.why["work_usd_per_year"] == by_name(found)["tokens"].why == "the document has no job"
    assert found.loss is not None
    assert found.loss in found.summary
    assert "4 years" in found.loss


def test_leases_that_stay_bring_a_plan_nothing_but_set_its_firm_horizon() -> None:
    lease = LEASE | {"notice_days": 73, "cancellable_from_day": 0, "term_days": 365}
    found = network(leases=[lease]).money([MORE], horizon_years=2, discount_ratio_per_year=0)
    assert found.firm is not None
    assert found.firm.years == pytest.approx(0.2)
    assert (found.firm.leases_usd, found.firm.opex_usd) == (0, pytest.approx(-40))
    assert found.firm.residual_usd == pytest.approx(4000 * (1 - 0.2 / 8))
    assert found.loss is not None
    assert "firm part of the leases" in found.loss
    open_end = network(leases=[LEASE]).money([MORE])
    assert open_end.why["firm"] == "no lease states a notice and when it may be given"


def test_the_firm_part_of_a_running_lease_counts_from_the_day_of_the_document() -> None:
    running = LEASE | {"start": "2025-01-01", "term_days": 3650, "notice_days": 73, "cancellable_from_day": 0}
    found = network(leases=[running]).money([MORE])
    assert found.firm is not None
    assert found.firm.years == pytest.approx(0.2)
    ended = network(leases=[running | {"term_days": 30}]).money([MORE])
    assert (ended.firm, ended.why["firm"]) == (None, "no lease that states a notice runs on 2026-11-01 or later")


def test_a_plan_that_makes_traffic_worse_has_no_cost_for_each_unit() -> None:
    found = network(demands=[]).money([MORE])
    assert by_name(found)["relieved traffic"].why == "the plan does not change it"
    worse = network().money([{"kind": "scale_demands", "factor_ratio": 1.5}])
    row = by_name(worse)["relieved traffic"]
    assert (row.gain, row.usd, row.why) == (pytest.approx(-2 * 0.5 * 390), None, "the plan makes it worse")


def test_the_work_of_a_job_is_worth_its_rental_or_its_price() -> None:
    small = twin.load("memphis-small")
    found = small.money("balance-load")
    diff = small.what_if("balance-load", main_assumptions=False)
    tokens = diff["goodput_tokens_per_s"]
    assert tokens[0] is not None
    assert tokens[1] is not None
    rental = diff.before["list_rental_usd_per_day"]
    assert rental is not None
    assert found.work_usd_per_year == pytest.approx(rental * 365 * (tokens[1] / tokens[0] - 1))
    assert found.bill.capex_usd == found.payback_years == 0
    assert found.horizon is not None
    assert found.horizon.npv_usd == found.horizon.work_usd
    assert found.loss is None
    priced = small.money("balance-load", usd_per_million_tokens=2)
    assert priced.work_usd_per_year == pytest.approx((tokens[1] - tokens[0]) * 86_400 * 365 / 1e6 * 2)
    step = by_name(found)["step time"]
    steps = diff["step_time_s"]
    assert steps[0] is not None
    assert step.gain == pytest.approx(100 * (steps[0] - (steps[1] or 0)) / steps[0])
    assert step.usd == 0
    nothing = small.money("second-pair", usd_per_million_tokens=0, horizon_years=10)
    assert nothing.work_usd_per_year == 0
    assert nothing.loss is not None
    assert "10 years" in nothing.loss


def test_a_price_that_is_not_known_leaves_the_value_unknown(tmp_path: Path) -> None:
    document = {"nodes": [{"id": "a", "kind": "leaf", "part": "leaf-25.6T"}]}
    found = twin.from_document(document, parts=made_of(tmp_path).parts).money(
        [{"kind": "swap_switches", "nodes": "a", "part": "maker-s-32c"}]
    )
    assert (found.horizon, found.firm, found.payback_years, found.loss) == (None, None, None, None)
    assert "no price for maker-s-32c" in found.why["horizon"]
    assert found.summary[0].startswith("The net present value is unknown: no price for maker-s-32c")
    assert by_name(found)["relieved traffic"].why == "a price is unknown"


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"horizon_years": 0}, "horizon_years"),
        ({"horizon_years": 101}, "horizon_years"),
        ({"discount_ratio_per_year": -0.1}, "discount_ratio_per_year"),
        ({"discount_ratio_per_year": float("nan")}, "discount_ratio_per_year"),
        ({"usd_per_million_tokens": "much"}, "usd_per_million_tokens"),
    ],
)
def test_figures_out_of_bounds_are_refused_by_name(options: dict[str, Any], place: str) -> None:
    with pytest.raises(ChangeError) as caught:
        network().money([MORE], **options)
    assert caught.value.where == place


RENT = {"tenant": "t", "site": "c1", "usd_per_month": 2e6, "start": "2026-11-01", "notice_days": 73}
RENT |= {"cancellable_from_day": 0, "term_days": 365}


def test_leaving_a_site_out_and_leasing_it_by_hand() -> None:
    small = twin.load("memphis-small")
    found = small.money(
        "leave-out-first-campus",
        leases=[RENT],
        horizon_years=2,
        discount_ratio_per_year=0,
        usd_per_million_tokens=0,
    )
    assert found.horizon is not None
    assert found.firm is not None
    assert found.horizon.leases_usd == pytest.approx(24e6)
    assert found.firm.leases_usd == pytest.approx(24e6 / 5)
    assert (found.firm.npv_usd, found.loss, found.payback_years) == (found.firm.leases_usd, None, 0.0)
    unknown = small.money("leave-out-first-campus", leases=[{"tenant": "u", "site": "c1"}])
    assert unknown.why["leases_usd"] == "rent not stated, left out: u"


def test_a_share_beside_the_job_can_be_leased_and_no_more() -> None:
    small = twin.load("memphis-small")
    n_owned = next(row.n_owned for row in small.leases().free if row.site == "c1")
    assert small.money("balance-load", leases=[RENT | {"n_accelerators": n_owned - 1024}]).firm is not None
    for n, expected in ((n_owned - 1023, "and 1,024 of the job"), (n_owned + 1, "more than c1 has")):
        with pytest.raises(ChangeError, match=expected):
            small.money("balance-load", leases=[RENT | {"n_accelerators": n}])
    with pytest.raises(ChangeError, match="no site 'c9'"):
        small.money("balance-load", leases=[RENT | {"site": "c9"}])
    with pytest.raises(TwinError, match="did you mean 'tenant'"):
        small.money("balance-load", leases=[{"tennant": "t", "site": "c1"}])


def test_the_text_has_both_horizons_and_each_cost() -> None:
    lease = LEASE | {"notice_days": 73, "cancellable_from_day": 0}
    text = repr(network(leases=[lease]).money([MORE]))
    for expected in ("4 years", "firm part, 73 days", "net present value", "Gb/s", "the document has no job"):
        assert expected in text
