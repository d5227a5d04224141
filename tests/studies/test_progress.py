"""Progress of studies whose number of items is not known: a percent that only grows, from work that is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import twin
from tests.studies.test_growth import two_links
from tests.studies.test_schedule import MEMBERS, OPTICS, network
from twin import from_document, load
from twin.answers.data import Answer
from twin.progress import Advance, Progress

Ask = Callable[[Advance | None], Answer]


ASKS: dict[str, Ask] = {
    "growth": lambda advance: from_document(two_links()).growth(rates={"web": 1.0}, limit_ratio=0.8, advance=advance),
    "growth of two rates": lambda advance: from_document(two_links()).growth(limit_ratio=0.8, advance=advance),
    "optimum": lambda advance: twin.load("leaf-spine-demo").optimum(gap_ratio=1e-4, advance=advance),
    "schedule": lambda advance: network().schedule([MEMBERS, OPTICS], n_waves=3, advance=advance),
}


@pytest.mark.parametrize("name", ASKS)
def test_the_share_done_only_grows_and_changes_no_answer(name: str) -> None:
    seen: list[int] = []

    def advance(n_done: int, n_items: int) -> None:
        assert n_items == 100
        seen.append(n_done)

    assert ASKS[name](advance).to_json() == ASKS[name](None).to_json()
    assert seen == sorted(seen)
    assert seen[-1] == 100
    assert len({n for n in seen if 0 < n < 100}) >= 2, seen


def test_failures_of_demands_and_a_job_are_counted_once() -> None:
    network, seen = load("memphis-small"), list[tuple[int, int]]()
    network = network.with_traffic("permutation:gbps_per_node=1")
    found = network.failures(of="srlg", job="flagship", advance=lambda *done: seen.append(done))
    assert seen == sorted(seen)
    assert {n_items for _, n_items in seen} == {found.n_failures}
    assert seen[-1][0] == found.n_failures
    assert len(set(seen)) > 2


class StoppedError(Exception):
    pass


def test_an_error_of_the_one_who_follows_ends_the_work() -> None:
    def advance(n_done: int, _: Any) -> None:
        if n_done:
            raise StoppedError

    for ask in ASKS.values():
        with pytest.raises(StoppedError):
            ask(advance)


def test_a_part_that_begins_again_does_not_go_back() -> None:
    seen: list[int] = []
    part = Progress(lambda n_done, _: seen.append(n_done)).part(0.5, 1.0).part(0.0, 0.5)
    for done_ratio in (0.0, 0.8, 0.2, 1.0, 7.0):
        part.tell(done_ratio)
    assert seen == [50, 70, 70, 75, 100]
