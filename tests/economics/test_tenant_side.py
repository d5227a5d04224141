"""The tenant's side of a lease, by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

from twin.answers.lease_report import tenant_sentence
from twin.economics.tenant_side import has_tenant_side, tenant_side_of
from twin.model.lease_rules import lease_issues
from twin.model.leases import SiteLease

START = date(2026, 11, 1)


def lease(**terms: Any) -> SiteLease:
    """180 days from November 2026, 90 days of notice from the first day on: ends on 2027-01-30 at the earliest."""
    given: dict[str, Any] = {"start": START, "term_days": 180, "notice_days": 90, "cancellable_from_day": 0}
    return SiteLease(tenant="t", site="c1", n_accelerators=1000, **given | terms)


def test_the_gap_lasts_from_the_earliest_end_until_its_own_are_ready() -> None:
    side = tenant_side_of(lease(own_ready=date(2027, 4, 1), n_own_accelerators=800), 1000)
    assert side.lease_ends == date(2027, 1, 30)
    assert (side.gap_days, side.n_lacking_accelerators, side.n_lacking_afterwards) == (61, 1000, 200)
    # notice on 1 January ends the lease on 1 April
    assert (side.notice_day, side.paid_twice_days) == (date(2027, 1, 1), 0)
    assert "lacks 1,000 accelerators for 61 days" in tenant_sentence(side)
    assert "afterwards 200" in tenant_sentence(side)


def test_own_accelerators_before_the_end_leave_no_gap_but_rent_that_is_paid_twice() -> None:
    side = tenant_side_of(lease(own_ready=date(2026, 12, 1)), 1000)
    assert (side.gap_days, side.n_lacking_accelerators, side.n_lacking_afterwards) == (0, 0, 0)
    assert (side.notice_day, side.paid_twice_days) == (START, 60)
    assert tenant_sentence(side) == "t at c1 lacks nothing when the lease ends."


def test_notice_cannot_be_given_before_the_day_of_the_question() -> None:
    side = tenant_side_of(lease(own_ready=date(2027, 1, 30)), 1000, date(2026, 12, 1))
    assert (side.lease_ends, side.notice_day, side.paid_twice_days) == (date(2027, 3, 1), date(2026, 12, 1), 30)


def test_a_need_that_ends_before_bounds_the_gap_and_an_early_one_precedes_the_lease() -> None:
    terms = {"own_ready": date(2027, 4, 1), "needed_until": date(2027, 2, 9), "needed_from": date(2026, 10, 22)}
    side = tenant_side_of(lease(**terms, n_needed_accelerators=1500), 1000)
    assert (side.gap_days, side.n_lacking_accelerators, side.days_before_start) == (10, 1500, 10)
    assert side.n_lacking_afterwards == 500


def test_unknown_terms_give_null_with_a_reason() -> None:
    side = tenant_side_of(lease(own_ready=date(2027, 4, 1), notice_days=None), 1000)
    assert side.gap_days is None
    assert side.why["gap_days"] == "not stated: notice_days"
    assert "unknown (not stated: notice_days)" in tenant_sentence(side)
    assert not has_tenant_side(lease())
    assert has_tenant_side(lease(needed_until=date(2027, 4, 1)))


def test_a_need_that_ends_before_it_begins_is_a_fault() -> None:
    found = list(lease_issues([lease(needed_from=date(2027, 1, 2), needed_until=date(2027, 1, 2))], {"c1": 1000}))
    assert [issue.where for issue in found] == ["leases[0].needed_until"]
