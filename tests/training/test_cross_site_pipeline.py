"""One replica over several sites, by hand: every stage takes 1 s a micro batch, every crossing 1 s."""

from __future__ import annotations

import pytest

from twin.training.cross_site_pipeline import StageRun, cross_site_pipeline
from twin.workload.group_times import TimedGroup


def replica(*sites: tuple[str, int], least_s: float = 0.0, latency_s: float = 1.0, m: int | None = None) -> TimedGroup:
    """Runs of (site, stages) of 1 s each."""
    groups = [TimedGroup(site, f"kind {i}", 1, 1.0, fill_s=n - 1.0) for i, (site, n) in enumerate(sites)]
    runs = [StageRun(site, n) for site, n in sites]
    return cross_site_pipeline(groups, runs, least_s, latency_s, m)


def test_two_sites_wait_for_each_second_micro_batch() -> None:
    """There and back: 1 + 1 s of stages and 2 s of ways are 4 s, 2 s more than two micro batches take."""
    assert replica(("a", 2), ("b", 2)).stage_time_s == 1.0 + 2.0 / 2
    eight = replica(("a", 2), ("b", 2), m=8)
    assert eight.stage_time_s == 1.0
    # four stages fill in 3 s, one crossing there and back 2 s; of 8 micro batches 3 are free, and 5 wait in 3 pairs
    assert eight.fill_s == 3.0 + 2.0 + 3 * 2.0


def test_three_sites_wait_longest_over_both_crossings() -> None:
    """Over the middle stage: 3 s of stages and 4 s of ways are 7 s, 4 s more than three micro batches take."""
    assert replica(("a", 1), ("b", 1), ("c", 1)).stage_time_s == pytest.approx(1.0 + 4.0 / 3)
    seven = replica(("a", 1), ("b", 1), ("c", 1), m=7)
    # three stages fill in 2 s, two crossings there and back 4 s; of 7 micro batches 3 are free, and 4 wait in 2 threes
    assert seven.fill_s == 2.0 + 4.0 + 2 * 4.0


@pytest.mark.parametrize("m", [None, 8])
def test_two_kinds_at_one_site_wait_for_no_distance(m: int | None) -> None:
    """Four stages fill in 3 s; no way is crossed."""
    found = replica(("a", 2), ("a", 2), latency_s=1e6, m=m)
    assert (found.stage_time_s, found.fill_s, found.site) == (1.0, 3.0, "a")


def test_two_kinds_at_one_site_cross_once_to_the_next() -> None:
    """Stages a, a | b: only the crossing counts, 2 s more than the two micro batches on either side of it take."""
    assert replica(("a", 1), ("a", 1), ("b", 1)).stage_time_s == 1.0 + 2.0 / 2
    # three stages fill in 2 s, one crossing 2 s; of 6 micro batches 2 are free, and 4 wait in 2 pairs
    assert replica(("a", 1), ("a", 1), ("b", 1), m=6).fill_s == 2.0 + 2.0 + 2 * 2.0


def test_routes_that_carry_slower_than_the_stages_set_the_pace() -> None:
    """3 s a micro batch on the routes: two of them take 6 s, more than the 4 s there and back, so nothing waits."""
    assert replica(("a", 2), ("b", 2), least_s=3.0).stage_time_s == 3.0
    assert replica(("a", 2), ("b", 2), least_s=3.0, m=8).fill_s == 3.0 + 2.0


def test_few_micro_batches_never_wait() -> None:
    """As many as there are stages behind the crossing, and one: 3 of them."""
    assert replica(("a", 2), ("b", 2), m=3).fill_s == 3.0 + 2.0
    assert replica(("a", 2), ("b", 2), m=4).fill_s == 3.0 + 2.0 + 2.0
