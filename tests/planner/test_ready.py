"""Plans with a day: candidates that are not there and built by then are left out, and sets too; each says the day."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import twin
from tests.planner.networks import faster, more, ring
from twin.errors import ChangeError
from twin.planner.ready import WorkDays, days_of
from twin.planner.records import PlanReport

DAY = {"as_of": "2026-11-01"}
CHOICES: list[dict[str, Any]] = [faster("ab"), more("ab"), more("bc")]


def planned(by: str | None, candidates: list[dict[str, Any]] = CHOICES, **asked: Any) -> PlanReport:
    net = ring([300.0, 0.0, 0.0, 0.0], **DAY)
    return net.plan(budget_usd=1e9, candidates=candidates, generate=False, by=by, **asked)


def test_what_cannot_be_there_by_the_day_is_left_out_with_the_day() -> None:
    spine = {"id": "line", "changes": [{"kind": "set_channels", "links": "cd", "n_parallel": 2}, swap("a")]}
    answer = planned("2027-01-31", [*CHOICES, spine])
    assert {row.id: row.why for row in answer.left_out} == {
        "line": "too late for 2027-01-31: 121 days (swap_switches 120 to deliver), ready 2027-03-02"
    }
    assert "line: 121 days (swap_switches 120 to deliver), ready 2027-03-02" in " ".join(answer.summary)
    assert "line" in {row.id for row in planned("2027-03-02", [*CHOICES, spine]).considered}
    early = planned("2027-01-31", [*CHOICES, spine], lead_days={"swap_switches": 30})
    assert not early.left_out


def swap(node: str) -> dict[str, Any]:
    return {"kind": "swap_switches", "nodes": node, "part": "spine-51.2T"}


def test_works_of_a_set_follow_each_other() -> None:
    """The busiest link falls only with more members of all four: 84 days to deliver, then a day of work for each."""
    sides = [more(link) for link in ("ab", "bc", "cd", "da")]
    best = planned("2027-01-28", sides).plan
    assert best is not None
    assert len(best.candidates) == 4
    early = planned("2027-01-27", sides)
    assert 0 < len(early.changes) < 4
    assert early.left_out == ()


def test_the_days_are_those_of_the_order_of_works() -> None:
    net = twin.load("memphis-small")
    plan = next(row for row in net.document.to_dict()["plans"] if row["id"] == "fibre-upgrade")
    item = {"id": "upgrade", "changes": plan["changes"]}
    n_days = net.schedule("fibre-upgrade", goal="capex_usd").n_days
    late = net.plan(budget_usd=1e12, candidates=[item], generate=False, by="2026-12-01").left_out
    assert late[0].why.startswith(f"too late for 2026-12-01: {n_days} days")


def test_a_budget_that_comes_later_is_named() -> None:
    racks = {"id": "r", "kind": "rack", "site": "s", "accelerator": "H100", "n_accelerators": 64}
    job = {
        "id": "j",
        "model": "llama-3.1-8b",
        "parallelism": {"tp": 8},
        "n_global_batch": 64,
        "placement": [{"site": "s"}],
    }
    site = {"id": "s", "budgets": [{"start": "2027-09-01", "liquid_cooling_megawatts": 1.0}]}
    net = twin.from_document(DAY | {"sites": [site], "nodes": [racks], "jobs": [job]})
    change = {"kind": "swap_accelerators", "racks": "r", "accelerator": "GB200"}
    item = {"id": "cooled", "changes": [change]}
    with pytest.raises(ChangeError, match="'cooled': not ready on day 273: s: liquid cooling, 31 days"):
        net.plan(budget_usd=1e12, candidates=[item], generate=False, by="2027-08-01")
    assert net.plan(budget_usd=1e12, candidates=[item], generate=False, by="2027-09-01").considered


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), max_size=6), st.randoms())
def test_no_order_of_works_without_idling_takes_longer_or_less(rows: list[tuple[int, int]], random: Any) -> None:
    works = [WorkDays("x", lead, busy) for lead, busy in rows]
    left, day = list(works), 0
    while left:
        first = min(max(day, work.lead_days) for work in left)
        work = random.choice([work for work in left if max(day, work.lead_days) == first])
        left.remove(work)
        day = first + work.busy_days
    assert days_of(works) == day
