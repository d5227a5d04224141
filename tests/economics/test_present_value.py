"""Present values against sheets whose arithmetic stands in each row, a slow twin, and limits by hand."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.economics.lease_terms import firm_years, lease_streams, rent_unknown
from twin.economics.present_value import (
    Asset,
    PlanCash,
    PresentValue,
    Stream,
    annuity_years,
    loss_warning,
    payback_years,
    present_value,
)
from twin.model.leases import SiteLease

SHEETS = Path(__file__).parent / "sheets"
DAY = date(2026, 11, 1)
FIRST = SiteLease(
    tenant="first", site="c1", usd_per_month=1.25e9, start=DAY, term_days=180, notice_days=90, cancellable_from_day=0
)
SECOND = SiteLease(
    tenant="second",
    site="c1",
    usd_per_month=0.92e9,
    start=date(2027, 1, 1),
    notice_days=90,
    cancellable_from_day=0,
)
UPGRADE = PlanCash((Asset(600_000, 6), Asset(50_000, None)), 120_000, work_usd_per_year=600_000)


def sheet(name: str) -> tuple[list[dict[str, str]], dict[str, float]]:
    """Return the rows of a sheet and its sums; each row is checked by its own arithmetic."""
    lines = [line for line in (SHEETS / name).read_text().splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    amounts = [row for row in rows if row["amount_usd"]]
    for row in amounts:
        assert float(row["present_value_usd"]) == pytest.approx(
            float(row["amount_usd"]) * float(row["discount_factor"]), abs=0.02
        )
    sums = {row["part"].removeprefix("sum of "): float(row["present_value_usd"]) for row in rows if row not in amounts}
    assert sums["net present value"] == pytest.approx(sum(float(row["present_value_usd"]) for row in amounts), abs=0.01)
    return amounts, sums


def assert_is_sheet(found: PresentValue, name: str) -> None:
    amounts, sums = sheet(name)
    expected = {part: sums.get(part, 0.0) for part in ("capex", "opex", "leases", "residual", "work")}
    cents = 0.005 * len(amounts)
    assert {part: getattr(found, f"{part}_usd") for part in expected} == pytest.approx(expected, abs=cents)
    assert found.npv_usd == pytest.approx(sums["net present value"], abs=cents)


def test_an_upgrade_over_two_years_is_that_of_the_sheet() -> None:
    found = present_value(UPGRADE, 2, 0.10)
    assert_is_sheet(found, "upgrade_over_two_years.csv")
    assert found.cost_usd == pytest.approx(650_000 + 217_645.66 - 330_578.51, abs=0.2)
    assert payback_years(UPGRADE) == pytest.approx(650_000 / 480_000)


def test_a_lease_that_is_firm_for_90_days_is_that_of_the_sheet() -> None:
    assert firm_years([FIRST], DAY) == 90 / 365
    cash = PlanCash((), 0.0, tuple(lease_streams([FIRST], DAY, firm=True)))
    assert_is_sheet(present_value(cash, 90 / 365, 0.08), "lease_firm_for_90_days.csv")
    assert present_value(cash, 90 / 365, 0.0).npv_usd == pytest.approx(3.70e9, abs=5e6)


def test_two_tenants_and_a_purchase_for_them_are_that_of_the_sheet() -> None:
    leases = [replace(FIRST, cancellable_from_day=90), SECOND]
    years = firm_years(leases, DAY)
    assert years == 180 / 365
    cash = PlanCash((Asset(20e6, 5),), 1.2e6, tuple(lease_streams(leases, DAY, firm=True)))
    assert_is_sheet(present_value(cash, years, 0.08), "two_tenants_firm_for_180_days.csv")
    first = PlanCash((), 0.0, tuple(lease_streams(leases[:1], DAY, firm=True)))
    assert present_value(first, years, 0.0).npv_usd == pytest.approx(7.40e9, abs=5e6)


def test_streams_end_with_the_term_and_unknown_terms_are_left_out() -> None:
    rent = 1.25e9 * 12
    assert lease_streams([FIRST], DAY) == [Stream(pytest.approx(rent), 0.0, 180 / 365)]
    later = lease_streams([FIRST], date(2027, 1, 1), sign=-1.0)
    assert later == [Stream(pytest.approx(-rent), 0.0, (180 - 61) / 365)]
    assert lease_streams([FIRST], date(2027, 4, 30)) == []
    [endless] = lease_streams([SECOND], DAY)
    assert (endless.start_years, endless.end_years) == (61 / 365, float("inf"))
    undated = replace(FIRST, start=None)
    assert lease_streams([undated], date(2030, 1, 1), firm=True)[0].end_years == 90 / 365
    unknown = replace(FIRST, notice_days=None)
    assert (firm_years([unknown], DAY), lease_streams([unknown], DAY, firm=True)) == (None, [])
    assert rent_unknown([FIRST, replace(SECOND, usd_per_month=None)]) == ("second",)


def naive_payback_years(cash: PlanCash, until_years: float) -> float | None:
    """Step through time by days."""
    n_days, balance = 0, -cash.capex_usd
    while n_days / 365 < until_years:
        time = n_days / 365
        rate = cash.work_usd_per_year - cash.opex_usd_per_year
        rate += sum(s.usd_per_year for s in cash.leases if s.start_years <= time < s.end_years)
        if balance >= 0 and rate >= 0:
            return time
        balance, n_days = balance + rate / 365, n_days + 1
    return None


STREAMS = st.lists(
    st.builds(lambda usd, start, days: Stream(float(usd), start / 365, (start + days) / 365), st.integers(-50, 500),
              st.integers(0, 900), st.integers(1, 900)),
    max_size=3,
)  # fmt: skip


@given(STREAMS, st.integers(1, 400), st.integers(-100, 300), st.integers(0, 300))
def test_payback_agrees_with_stepping_through_days(streams: Sequence[Stream], capex: int, opex: int, work: int) -> None:
    cash = PlanCash((Asset(float(capex), None),), float(opex), tuple(streams), float(work))
    found, slow = payback_years(cash, 5.0), naive_payback_years(cash, 5.0)
    if found is None or slow is None:
        assert min(found or 5.0, slow or 5.0) >= 4.99
    else:
        assert found == pytest.approx(slow, abs=1.1 / 365 * 2)


@given(STREAMS, st.integers(0, 400), st.integers(-100, 300), st.integers(1, 120), st.sampled_from([0.0, 0.05, 0.3]))
def test_the_parts_add_up_and_no_discount_is_the_plain_sum(
    streams: Sequence[Stream], capex: int, opex: int, months: int, discount: float
) -> None:
    cash = PlanCash((Asset(float(capex), 4.0),), float(opex), tuple(streams), 7.0)
    found = present_value(cash, months / 12, discount)
    assert found.npv_usd == pytest.approx(
        found.capex_usd + found.opex_usd + found.leases_usd + found.residual_usd + found.work_usd
    )
    if not discount:
        assert found.work_usd == pytest.approx(7.0 * months / 12)
        rent = sum(
            s.usd_per_year * max(min(s.end_years, months / 12) - min(s.start_years, months / 12), 0) for s in streams
        )
        assert found.leases_usd == pytest.approx(rent)


def test_annuities_by_hand() -> None:
    assert annuity_years(0.0, 0.0, 5.0) == pytest.approx(5.0)
    monthly = 1.1 ** (1 / 12) - 1
    assert annuity_years(0.1, 0.0, 5.0) == pytest.approx((1 - 1.1**-5) / monthly / 12)
    assert annuity_years(0.1, 2.0, 2.0) == annuity_years(0.1, 3.0, 2.0) == 0.0
    assert annuity_years(0.1, 0.0, float("inf")) == annuity_years(0.1, 0.0, 100.0)
    parts = annuity_years(0.1, 0.0, 0.75) + annuity_years(0.1, 0.75, 2.0)
    assert parts == pytest.approx(annuity_years(0.1, 0.0, 2.0))


def test_nothing_bought_is_paid_back_at_once_and_a_rising_cost_never() -> None:
    assert payback_years(PlanCash((), -5.0)) == payback_years(PlanCash((), 0.0)) == 0.0
    assert payback_years(PlanCash((), 5.0)) is None
    assert payback_years(PlanCash((Asset(10.0, 5.0),), 0.0)) is None
    late = PlanCash((Asset(10.0, 5.0),), 0.0, (Stream(20.0, 1.0, 9.0),))
    assert payback_years(late) == pytest.approx(1.5)


def test_a_loss_is_said_with_its_horizon() -> None:
    gain, loss = (present_value(replace(UPGRADE, work_usd_per_year=usd), 2, 0.1) for usd in (600_000, 0))
    firm = present_value(replace(UPGRADE, work_usd_per_year=300_000), 0.25, 0.1)
    assert firm.npv_usd < 0 < gain.npv_usd
    assert loss_warning(gain, None) is None
    assert loss_warning(gain, firm) == "The net present value is negative: −$44.2k over the firm part of the leases."
    assert loss_warning(loss, firm) == (
        "The net present value is negative: −$44.2k over the firm part of the leases, and −$537k over 2 years."
    )
