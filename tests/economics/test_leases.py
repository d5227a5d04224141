"""Terms of leases, free shares and stranded capacity, against figures by hand."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import twin
from twin.economics.lease_terms import run_rates, terms_of
from twin.model.leases import SiteLease

FIRST: dict[str, Any] = {
    "tenant": "first",
    "site": "c1",
    "usd_per_month": 1.25e9,
    "start": date(2026, 11, 1),
    "term_days": 180,
    "notice_days": 90,
    "cancellable_from_day": 0,
}


def network(*leases: dict[str, Any], sites: dict[str, dict[str, Any]] | None = None, **fields: Any) -> twin.Network:
    sites = sites or {"c1": {"lease_usd_per_month": 1.25e9}, "c2": {}}
    document: dict[str, Any] = {
        "schema_version": 1,
        "name": "two",
        "as_of": "2026-11-01",
        "sites": [{"id": name, **rest} for name, rest in sites.items()],
        "nodes": [
            {"id": "a", "kind": "rack", "site": "c1", "accelerator": "H100", "n_accelerators": 64},
            {"id": "b", "kind": "rack", "site": "c2", "accelerator": "H100", "n_accelerators": 32},
            {"id": "s", "kind": "switch", "site": "c1"},
        ],
        "links": [
            {"id": "l", "ends": ["a", "s"], "capacity_gbps": 400, "n_parallel": 8},
            {"id": "m", "ends": ["b", "s"], "capacity_gbps": 400, "n_parallel": 8},
        ],
        "leases": [
            {**lease, **({"start": lease["start"].isoformat()} if lease.get("start") else {})} for lease in leases
        ],
    }
    return twin.from_document(document | fields)


def test_a_lease_that_may_be_cancelled_at_once_is_firm_for_its_notice() -> None:
    terms = terms_of(SiteLease(**FIRST))
    assert terms.usd_per_day == 1.25e9 * 12 / 365
    assert (terms.earliest_end_day, terms.earliest_end) == (90, date(2027, 1, 30))
    assert terms.firm_usd == pytest.approx(3.70e9, abs=0.005e9)
    assert terms.term_end == date(2027, 4, 30)
    assert terms.why == {}


def test_a_lease_that_may_be_cancelled_later_is_firm_until_then() -> None:
    terms = terms_of(SiteLease(**FIRST | {"cancellable_from_day": 90}))
    assert terms.earliest_end == terms.term_end == date(2027, 4, 30)
    assert terms.firm_usd == terms.term_usd == pytest.approx(7.40e9, abs=0.005e9)


def test_notice_of_a_running_lease_counts_from_the_day_of_the_document() -> None:
    """60 days from 2026-11-01 on, though the first day of notice was in 2025; the term still ends it."""
    running = {"start": date(2025, 1, 1), "term_days": 3650, "notice_days": 60, "usd_per_month": 1e5}
    row = network(FIRST | running).leases().leases[0]
    assert (row.earliest_end, row.firm_usd) == (date(2026, 12, 31), pytest.approx(60 * 1e5 * 12 / 365))
    assert row.earliest_end_day == (date(2026, 12, 31) - date(2025, 1, 1)).days
    day = date(2026, 11, 1)
    later = terms_of(SiteLease(**FIRST | running | {"cancellable_from_day": 1000}), day)
    assert later.earliest_end == date(2025, 1, 1) + timedelta(days=1060)
    assert terms_of(SiteLease(**FIRST | running | {"term_days": 670}), day).earliest_end == date(2026, 11, 2)
    ended = terms_of(SiteLease(**FIRST | running | {"term_days": 100}), day)
    assert (ended.earliest_end, ended.firm_usd) == (ended.term_end, 0.0)


def test_the_term_ends_a_lease_before_its_notice_does() -> None:
    assert terms_of(SiteLease(**FIRST | {"term_days": 30})).earliest_end_day == 30


@pytest.mark.parametrize(
    ("missing", "figures"),
    [
        ("notice_days", {"earliest_end_day", "earliest_end", "firm_usd"}),
        ("cancellable_from_day", {"earliest_end_day", "earliest_end", "firm_usd"}),
        ("usd_per_month", {"usd_per_day", "firm_usd", "term_usd"}),
        ("start", {"earliest_end", "term_end"}),
        ("term_days", {"term_end", "term_usd"}),
    ],
)
def test_a_term_that_is_not_stated_leaves_its_figures_unknown(missing: str, figures: set[str]) -> None:
    terms = terms_of(SiteLease(**FIRST | {missing: None}))
    assert set(terms.why) == figures
    assert all(getattr(terms, name) is None for name in figures)
    assert all(missing in reason for reason in terms.why.values())


def test_two_tenants_add_up_in_the_run_rate() -> None:
    second = FIRST | {"tenant": "second", "site": "c2", "usd_per_month": 0.92e9, "term_days": 365}
    rates = list(run_rates([SiteLease(**FIRST), SiteLease(**second)]))
    assert [(rate.usd_per_year, rate.tenants) for rate in rates] == [
        (pytest.approx(26.04e9), ("first", "second")),
        (pytest.approx(11.04e9), ("second",)),
    ]
    assert (rates[0].until, rates[1].since) == (date(2027, 4, 30), date(2027, 4, 30))


def test_the_rest_of_a_site_can_be_leased_pro_rata() -> None:
    report = network(FIRST | {"n_accelerators": 16}).leases()
    share = report.free[0]
    assert (share.site, share.n_owned, share.n_leased, share.n_free) == ("c1", 64, 16, 48)
    assert share.usd_per_month == 1.25e9 * 48 / 64
    assert report.leases[0].usd_per_accelerator_hour == pytest.approx(1.25e9 / 16 / 730)


def test_the_flagship_leaves_a_share_of_the_first_campus() -> None:
    report = twin.load("memphis-small").leases(changes="fibre-and-balance")
    share = report.free[0]
    assert (share.site, share.n_used, share.n_free) == ("c1", 1024, 8032)
    assert share.usd_per_month == pytest.approx(51.4e6 * 8032 / 9056)
    for row in report.use:
        parts = row.useful + row.leased + row.no_job + row.waiting + row.network + row.failures
        assert parts + row.power_or_cooling + row.out_of_service == pytest.approx(row.n_owned, abs=1e-9)
    slow = {part.reason for part in twin.load("memphis-small").leases().stranded if part.site == "c2"}
    assert slow == {"no_job", "waiting", "network", "failures"}


def test_what_is_down_or_without_power_is_stranded() -> None:
    plain = network(sites={"c1": {"power_megawatts": 0.001}, "c2": {}})
    by_reason = {(part.site, part.reason): part for part in plain.leases().stranded}
    assert by_reason["c1", "power_or_cooling"].n_accelerators > 0
    assert by_reason["c2", "no_job"].n_accelerators == 32
    assert by_reason["c2", "no_job"].usd_per_month is not None  # at list rental
    down = network().leases(changes={"kind": "fail_nodes", "nodes": "b"})
    assert [(part.reason, part.n_accelerators) for part in down.stranded if part.site == "c2"] == [
        ("out_of_service", 32)
    ]


@pytest.mark.parametrize(
    ("leases", "message"),
    [
        ([FIRST | {"site": "c3"}], r"leases\[0\].site: no site 'c3' \(did you mean"),
        (
            [FIRST | {"n_accelerators": 65}],
            r"leases\[0\].n_accelerators: 65 accelerators, more than c1 has \(at most 64",
        ),
        ([FIRST, FIRST | {"tenant": "x", "n_accelerators": 1}], r"65 accelerators of c1 leased on 2026-11-01"),
        ([FIRST | {"term_days": 100_000, "start": date(9990, 1, 1)}], r"term_days: ends after the year 9999"),
    ],
)
def test_leases_that_cannot_be_are_refused(leases: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(twin.TopologyError, match=message):
        network(*leases).score()


def test_leases_one_after_the_other_may_have_the_whole_site() -> None:
    later = FIRST | {"tenant": "next", "start": date(2027, 4, 30)}
    assert len(network(FIRST, later).leases().leases) == 2


TERMS = st.fixed_dictionaries(
    {
        "tenant": st.just("t"),
        "site": st.just("c1"),
        "usd_per_month": st.none() | st.floats(0, 1e9),
        "start": st.none() | st.dates(date(2020, 1, 1), date(2040, 1, 1)),
        "term_days": st.none() | st.integers(0, 4000),
        "notice_days": st.none() | st.integers(0, 400),
        "cancellable_from_day": st.none() | st.integers(0, 4000),
    }
)


@given(st.lists(TERMS, max_size=6))
def test_periods_of_rent_follow_each_other_and_hold_each_lease(leases: list[dict[str, Any]]) -> None:
    records = [SiteLease(**terms) for terms in leases]
    rates = list(run_rates(records))
    for before, after in pairwise(rates):
        assert before.until is not None
        assert after.since is not None
        assert before.until <= after.since
    lasting = [lease for lease in records if lease.term_days != 0 or lease.start is None]
    assert bool(rates) == bool(lasting)
    for lease in records:
        terms = terms_of(lease)
        if terms.firm_usd is not None and terms.term_usd is not None:
            assert terms.firm_usd <= terms.term_usd


def test_leases_survive_the_round_trip_in_any_order() -> None:
    second = FIRST | {"tenant": "second", "site": "c2", "note": "x", "power_paid_by": "tenant"}
    one, other = network(FIRST, second), network(second, FIRST)
    assert one.document.to_json() == other.document.to_json()
    assert twin.from_document(one.document.to_dict()).leases().to_json() == other.leases().to_json()
