"""Goodput: a day by hand, a job simulated failure by failure, and what must hold whatever the rates are."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reliability.test_outages import TRIANGLE, network, outages, wan, with_figures
from tests.training.cases import general, reader
from twin.reliability.goodput import (
    Goodput,
    OnSiteLoss,
    Recovery,
    daly_efficiency,
    daly_interval_s,
    job_goodput,
    time_to_train_days,
)
from twin.reliability.interruptions import Interruptions
from twin.reliability.outages import ABORT, CLASSES, FAILED_ELEMENTS, RIDE_THROUGH, STALL, Outages, no_outages

HOURS_PER_YEAR = 8766.0


def table(*rows: tuple[str, float, float, float, str, str]) -> Outages:
    """Rows of (element, failures a year, repair h, pause s, class, lost sites in letters)."""
    lost_sites = [(), *dict.fromkeys(tuple(row[5]) for row in rows if row[5])]
    elements, n_per_year, repair_h, pause_s, outage, lost = zip(*rows, strict=True) if rows else ((),) * 6
    return replace(
        no_outages(),
        element=np.array([FAILED_ELEMENTS.index(name) for name in elements], dtype=np.int64),
        names=tuple(f"l{i}" for i in range(len(rows))),
        n_per_year=np.array(n_per_year, dtype=np.float64),
        repair_h=np.array(repair_h, dtype=np.float64),
        pause_s=np.array(pause_s, dtype=np.float64),
        outage_class=np.array([CLASSES.index(name) for name in outage], dtype=np.int64),
        lost=np.array([lost_sites.index(tuple(sites)) for sites in lost], dtype=np.int64),
        lost_sites=tuple(lost_sites),
    )


def parts(n_per_day: float, n_planned_per_day: float = 0.0) -> Interruptions:
    return Interruptions({"accelerator": n_per_day}, n_planned_per_day)


def half(lost: tuple[str, ...]) -> float:
    return 0.5


def test_a_day_by_hand() -> None:
    """Eight aborts a day by parts, 36.525 cuts a year that take site a for 12 h, 365.25 stalls of 10 s a year.

    Aborts: 8 + 36.525 / 365.25 = 8.1 a day, 86,400 / 8.1 = 10,666.7 s between them. With d = 10 s a checkpoint is due
    after sqrt(2 x 10 x 10,666.7) (1 + sqrt(10 / 21,333.3) / 3) - 10 = 461.88 x 1.00722 - 10 = 455.2 s of work.
    Waiting for a second in service: repairs 36.525 x 12 / 8766 = 0.05, stalls 10 / 86,400 = 1.157e-4, one planned stop
    a day of 610 s = 7.060e-3: together 0.057176, so 1 / 1.057176 = 0.945916 of the time is not waited.
    """
    found = job_goodput(
        parts(8.0, 1.0),
        table(("risk", 36.525, 12.0, 43_200.0, "abort", "a"), ("members", 365.25, 4.0, 10.0, "stall", "")),
        reader(),
    )
    assert found.n_interruptions_per_day == pytest.approx(8.1)
    assert found.n_per_day_by_cause == pytest.approx({"accelerator": 8.0, "between sites: risk": 0.1})
    assert found.mtbf_s == pytest.approx(10_666.67)
    assert found.checkpoint_interval_s == pytest.approx(455.2, abs=0.1)
    assert (found.checkpoint_write_s, found.recovery_s) == (10.0, 600.0)
    tau, m = found.checkpoint_interval_s, found.mtbf_s
    assert found.daly_ratio == pytest.approx(tau / (m * math.exp(600 / m) * math.expm1((tau + 10) / m)))
    assert found.availability_ratio == pytest.approx(0.945916, abs=1e-6)
    assert found.waiting_ratio == pytest.approx(
        {
            "repairs": 0.05 * 0.945916,
            "stalls": 1.157e-4 * 0.945916,
            "planned stops": 7.060e-3 * 0.945916,
            "sites coming back": 0.0,
        },
        rel=1e-3,
    )
    assert found.rate_ratio == 1.0
    assert found.goodput_ratio == pytest.approx(found.daly_ratio * found.availability_ratio)


def test_the_same_day_going_on_at_six_tenths() -> None:
    """Down 0.05 / 1.05 of the time at 0.6: 1 - 0.047619 x 0.4 = 0.980952. Coming back, 0.1 x 610 s a day: 7.06e-4."""
    duct = table(("risk", 36.525, 12.0, 43_200.0, "abort", "a"))
    asked: list[tuple[str, ...]] = []

    def without(lost: tuple[str, ...]) -> float:
        asked.append(lost)
        return 0.6

    found = job_goodput(parts(8.0), duct, reader(), "go_on", "restart", without)
    assert asked == [("a",)]
    assert found.rate_ratio == pytest.approx(0.980952, abs=1e-6)
    assert found.availability_ratio == pytest.approx(1 / (1 + 0.1 * 610 / 86_400))
    assert found.waiting_ratio["repairs"] == 0.0
    waits = job_goodput(parts(8.0), duct, reader())
    assert waits.n_interruptions_per_day == found.n_interruptions_per_day
    assert waits.goodput_ratio < found.goodput_ratio


def test_elastic_recovery_is_the_catalogue_s() -> None:
    restart, elastic = reader(), reader()
    slow = job_goodput(parts(50.0), no_outages(), restart, recovery="restart")
    quick = job_goodput(parts(50.0), no_outages(), elastic, recovery="elastic")
    assert (slow.recovery_s, quick.recovery_s) == (general("recovery_s"), general("elastic_recovery_s"))
    assert quick.goodput_ratio > slow.goodput_ratio
    assert "elastic_recovery_s" in {each.name for each in elastic.used_figures()}
    assert "elastic_recovery_s" not in {each.name for each in restart.used_figures()}


def test_a_site_that_cannot_be_gone_on_without_is_waited_for() -> None:
    duct = table(("risk", 36.525, 12.0, 43_200.0, "abort", "a"))
    waits = job_goodput(parts(8.0), duct, reader())
    for rate_without in (None, lambda lost: 0.0, lambda lost: -1.0):
        assert (
            job_goodput(parts(8.0), duct, reader(), "go_on", "restart", rate_without).waiting_ratio
            == waits.waiting_ratio
        )
    fast = job_goodput(parts(8.0), duct, reader(), "go_on", "restart", lambda lost: 1.3)
    assert fast.rate_ratio == 1.0


def test_what_is_ridden_through_costs_nothing_and_short_losses_are_waited_for() -> None:
    calm = job_goodput(parts(8.0), no_outages(), reader())
    ridden = job_goodput(parts(8.0), table(("protection", 1e4, 0.0, 0.05, "ride_through", "")), reader())
    assert ridden.goodput_ratio == calm.goodput_ratio
    short = table(("risk", 365.25, 20 / 3600, 20.0, "stall", "a"))
    found = job_goodput(parts(8.0), short, reader(), "go_on", "restart", half)
    assert found.n_interruptions_per_day == 8.0
    assert found.availability_ratio == pytest.approx(1 / (1 + 20 / 86_400))


# --- the network matters -------------------------------------------------------------------------------------------


def goodput(*links: dict[str, Any], **options: Any) -> Goodput:
    return job_goodput(parts(10.0), outages(network(*links)), reader(), **options)


def test_a_diverse_route_a_protected_line_and_shorter_glass_are_worth_something() -> None:
    worn = goodput(*TRIANGLE)
    assert worn.n_per_day_by_cause["between sites: risk"] == pytest.approx(0.054 / 365.25)
    assert worn.waiting_ratio["repairs"] == pytest.approx(0.054 * 9 * math.exp(0.765**2 / 2) / 8766, rel=1e-3)
    diverse = goodput(*TRIANGLE, wan("ab2", ("a2", "b2"), (34, "west")))
    assert "between sites: risk" not in diverse.n_per_day_by_cause
    assert diverse.goodput_ratio > worn.goodput_ratio
    assert diverse.waiting_ratio["repairs"] == 0.0
    longer = goodput(wan("ab", ("a1", "b1"), (180, "duct")), wan("ac", ("a2", "c1"), (180, "duct")), TRIANGLE[2])
    assert longer.goodput_ratio < worn.goodput_ratio
    going_on = goodput(*TRIANGLE, on_site_loss="go_on", rate_without=lambda lost: 0.9 if lost == ("a",) else 0.0)
    assert worn.goodput_ratio < going_on.goodput_ratio < diverse.goodput_ratio


def test_slow_routing_makes_every_failure_an_abort() -> None:
    slow = with_figures(convergence_s=120)
    found = job_goodput(parts(10.0), outages(network(*TRIANGLE), asked=slow), slow)
    assert {"between sites: link", "between sites: members", "between sites: node"} <= set(found.n_per_day_by_cause)
    assert found.goodput_ratio < goodput(*TRIANGLE).goodput_ratio
    assert found.waiting_ratio["stalls"] == 0.0


# --- a job simulated -----------------------------------------------------------------------------------------------


def simulated(found: Goodput, rows: list[tuple[float, float, bool]], planned_per_s: float, n: int, seed: int) -> float:
    """Work over time of `n` segments, failure by failure; rows: (per second, seconds of waiting, aborts)."""
    rng = np.random.default_rng(seed)
    rates = np.array([row[0] for row in rows] + [planned_per_s])
    total, which = rates.sum(), rates / rates.sum()
    tau, d, r = found.checkpoint_interval_s, found.checkpoint_write_s, found.recovery_s
    clock, work, phases = 0.0, 0.0, [tau + d]
    following = float(rng.exponential(1 / total))
    while work < n * tau:
        left = phases[-1]
        if following >= left:  # the phase ends first: a recovery, or a segment with its checkpoint
            clock, following = clock + left, following - left
            phases.pop()
            if not phases:
                work += tau
                phases = [tau + d]
            continue
        clock += following
        kind = int(rng.choice(len(rates), p=which))
        if kind == len(rows):
            clock += d + r
            phases[-1] = left - following
        else:
            clock += rows[kind][1]
            phases = [tau + d, r] if rows[kind][2] else [*phases[:-1], left - following]
        following = float(rng.exponential(1 / total))
    return work / clock


@pytest.mark.parametrize("seed", [1, 2])
def test_a_job_simulated_failure_by_failure_comes_to_the_same(seed: int) -> None:
    cut = ("risk", 365.25, 1.0, 3600.0, "abort", "a")
    found = job_goodput(parts(40.0, 2.0), table(cut, ("members", 36_525, 4.0, 25.0, "stall", "")), reader())
    rows = [(40 / 86_400, 0.0, True), (1 / 86_400, 3600.0, True), (100 / 86_400, 25.0, False)]
    assert simulated(found, rows, 2 / 86_400, 60_000, seed) == pytest.approx(found.goodput_ratio, rel=0.015)


# --- whatever the rates are ----------------------------------------------------------------------------------------

RATE = st.floats(0, 1e5)
ROW = st.one_of(
    st.tuples(st.just("members"), RATE, st.floats(0.1, 100), st.floats(0.06, 30), st.just("stall"), st.just("")),
    st.tuples(st.just("link"), RATE, st.floats(0.1, 100), st.floats(31, 1e3), st.just("abort"), st.just("")),
    st.tuples(
        st.just("risk"), RATE, st.floats(0.1, 100), st.just(0.0), st.just("abort"), st.sampled_from(["a", "b", "ab"])
    ).map(lambda row: (*row[:3], row[2] * 3600.0, *row[4:])),
    st.tuples(st.just("protection"), RATE, st.just(0.0), st.just(0.05), st.just("ride_through"), st.just("")),
)
ROWS = st.lists(ROW, max_size=5)
LOSS: st.SearchStrategy[OnSiteLoss] = st.sampled_from(["stop", "go_on"])
RECOVERY: st.SearchStrategy[Recovery] = st.sampled_from(["restart", "elastic"])


@given(st.floats(0, 1e4), st.floats(0, 20), ROWS, LOSS, RECOVERY, st.floats(-0.5, 2))
def test_goodput_is_a_share_and_its_parts_add_up(
    n: float, planned: float, rows: Any, loss: OnSiteLoss, recovery: Recovery, rate: float
) -> None:
    found = job_goodput(parts(n, planned), table(*rows), reader(), loss, recovery, lambda lost: rate)
    for value in (found.daly_ratio, found.availability_ratio, found.rate_ratio, found.goodput_ratio):
        assert 0.0 <= value <= 1.0
    assert found.goodput_ratio == pytest.approx(found.daly_ratio * found.availability_ratio * found.rate_ratio)
    assert found.availability_ratio + sum(found.waiting_ratio.values()) == pytest.approx(1.0)
    assert found.n_interruptions_per_day == pytest.approx(sum(found.n_per_day_by_cause.values()))


@given(st.floats(0, 1e4), ROWS, LOSS, RECOVERY, st.floats(0, 1e3), ROW)
def test_more_failures_never_leave_more(
    n: float, rows: Any, loss: OnSiteLoss, recovery: Recovery, more: float, row: Any
) -> None:
    def of(n_per_day: float, planned: float, found: Any) -> float:
        return job_goodput(parts(n_per_day, planned), table(*found), reader(), loss, recovery, half).goodput_ratio

    base = of(n, 1.0, rows) * (1 + 1e-9)
    assert of(n + more, 1.0, rows) <= base
    assert of(n, 1.0 + more, rows) <= base
    assert of(n, 1.0, [*rows, row]) <= base


@given(st.floats(0, 1e3), ROWS, LOSS, st.floats(1, 5_000), st.floats(0, 5_000))
def test_a_longer_recovery_never_leaves_more(n: float, rows: Any, loss: OnSiteLoss, short: float, more: float) -> None:
    quick, slow = (
        job_goodput(parts(n, 1.0), table(*rows), with_figures(recovery_s=s), loss, "restart", half).goodput_ratio
        for s in (short, short + more)
    )
    assert slow <= quick * (1 + 1e-9)


@given(ROWS.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))), LOSS)
def test_the_order_of_failures_does_not_matter(both: Any, loss: OnSiteLoss) -> None:
    one, other = (
        job_goodput(parts(5.0), table(*rows), reader(), loss, "restart", lambda lost: 0.3 * len(lost)) for rows in both
    )
    assert one.goodput_ratio == pytest.approx(other.goodput_ratio, rel=1e-9)


@settings(max_examples=60)
@given(st.floats(10, 1e7), st.floats(0, 1e3))
def test_no_other_interval_is_better(mtbf_s: float, checkpoint_s: float) -> None:
    tau = daly_interval_s(mtbf_s, checkpoint_s)
    best = daly_efficiency(mtbf_s, checkpoint_s, 60.0)
    for other in (0.5 * tau, 0.9 * tau, 1.1 * tau, 2.0 * tau):
        with np.errstate(over="ignore", invalid="ignore"):
            worse = other / (mtbf_s * np.exp(60.0 / mtbf_s) * np.expm1((other + checkpoint_s) / mtbf_s))
        assert not worse > best + 1e-9
    assert daly_interval_s(math.inf, checkpoint_s) == math.inf


def test_codes_of_classes_are_where_they_stand() -> None:
    assert (CLASSES[RIDE_THROUGH], CLASSES[STALL], CLASSES[ABORT]) == ("ride_through", "stall", "abort")


def test_time_to_train() -> None:
    """15.6e12 tokens at 2.3e6 a second and 0.9: 15.6e12 / 2.07e6 = 7.536e6 s, 87.2 days."""
    assert time_to_train_days(15.6e12, 2.3e6, 0.9) == pytest.approx(87.23, abs=0.01)
    assert time_to_train_days(15.6e12, 2.3e6, 0.0) == time_to_train_days(1.0, 0.0, 1.0) == math.inf
    assert time_to_train_days(0.0, 1.0, 1.0) == 0.0
