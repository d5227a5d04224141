"""Interruptions of a job by its parts: the published run comes back, and what follows for larger jobs."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.cases import reader
from twin.catalogue import catalogue
from twin.reliability.goodput import daly_efficiency, job_goodput
from twin.reliability.interruptions import CAUSES, PLANNED_FIGURE, part_interruptions
from twin.reliability.outages import no_outages

RUN: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "data" / "interruptions_llama3.json").read_text(encoding="utf-8")
)
N, DAYS = RUN["n_accelerators"], RUN["n_days"]
NAMES = [cause.name for cause in CAUSES]
KINDS = st.dictionaries(st.sampled_from(["H100", "H200", "B300", "GB200"]), st.integers(0, 200_000), max_size=4)


def counted() -> Counter[str]:
    """Interruptions of the published run by our causes."""
    return Counter({name: sum(r["count"] for r in RUN["rows"] if r["cause"] == name) for name in NAMES})


def test_the_table_adds_up_to_the_published_total() -> None:
    assert sum(row["count"] for row in RUN["rows"]) == RUN["n_unexpected"] == 419
    assert sum(counted().values()) == 419
    assert min(counted().values()) > 0


def test_every_cause_of_the_published_run_comes_back() -> None:
    found = part_interruptions({"H100": N}, reader())
    for name, count in counted().items():
        assert found.n_per_day_by_cause[name] * DAYS == pytest.approx(count, rel=1e-3), name
    assert found.n_per_day * DAYS == pytest.approx(419, abs=0.05)
    assert found.n_planned_per_day * DAYS == pytest.approx(RUN["n_planned"], rel=1e-3)


def test_effective_training_time_is_that_of_the_published_run() -> None:
    """Over 90 % was published. 419 aborts take 9.2 % (Daly, d = 10 s, R = 600 s), 47 planned stops 0.6 % more.

    86,400 s x 54 / 419 = 11,135 s between aborts; 47 / 54 x 610 s = 531 s of a day.
    """
    found = job_goodput(part_interruptions({"H100": N}, reader()), no_outages(), reader())
    assert found.mtbf_s == pytest.approx(11_135, rel=1e-3)
    assert found.daly_ratio == pytest.approx(0.91, abs=0.006)
    assert found.availability_ratio == pytest.approx(1 / (1 + 531 / 86_400), rel=1e-4)
    assert RUN["effective_training_time_ratio_at_least"] <= found.goodput_ratio <= 0.92


@pytest.mark.parametrize(
    ("n", "recovery_s", "efficiency"),
    [(16_384, 600, 0.91), (49_152, 600, 0.79), (100_000, 600, 0.65), (440_112, 600, 0.19), (440_112, 60, 0.69)],
)
def test_what_follows_for_larger_jobs_of_the_same_hosts(n: int, recovery_s: float, efficiency: float) -> None:
    mtbf_s = 86_400 / part_interruptions({"H100": n}, reader()).n_per_day
    assert daly_efficiency(mtbf_s, 10.0, recovery_s) == pytest.approx(efficiency, abs=0.006)


def test_trays_of_four_are_twice_as_many_hosts() -> None:
    boards, trays = (part_interruptions({kind: 720}, reader()).n_per_day_by_cause for kind in ("B300", "GB300"))
    for cause in CAUSES:
        times = 2 if cause.per == "host" else 1
        assert trays[cause.name] == pytest.approx(times * boards[cause.name]), cause.name


def test_a_job_on_nothing_is_not_interrupted() -> None:
    for none in ({}, {"H100": 0}):
        found = part_interruptions(none, reader())
        assert found.n_per_day == found.n_planned_per_day == 0.0
        goodput = job_goodput(found, no_outages(), reader())
        assert goodput.goodput_ratio == 1.0
        assert goodput.mtbf_s == goodput.checkpoint_interval_s == float("inf")


@given(KINDS, st.sampled_from(["H100", "GB200"]), st.integers(1, 100_000))
def test_more_parts_never_fewer_interruptions(held: dict[str, int], kind: str, more: int) -> None:
    few = part_interruptions(held, reader())
    many = part_interruptions(held | {kind: held.get(kind, 0) + more}, reader())
    assert all(many.n_per_day_by_cause[name] > few.n_per_day_by_cause[name] for name in few.n_per_day_by_cause)


@given(KINDS)
def test_the_order_of_kinds_does_not_matter(held: dict[str, int]) -> None:
    assert part_interruptions(dict(reversed(held.items())), reader()) == part_interruptions(held, reader())


def test_what_was_used_is_told() -> None:
    figures = reader()
    part_interruptions({"H100": 8, "GB200": 4}, figures)
    names = {(each.where, each.name) for each in figures.used_figures()}
    rates = {("general", name) for name in (*(cause.figure for cause in CAUSES), PLANNED_FIGURE)}
    assert names == rates | {("H100", "n_per_host"), ("GB200", "n_per_host")}
    assert {catalogue().general_figure(name).status for _, name in rates} == {"published"}
