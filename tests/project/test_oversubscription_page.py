"""The page on oversubscription: what its sentences say is what its table shows."""

from __future__ import annotations

from site_pages import oversubscription

RING, SHARDED, EXPERTS = oversubscription.JOBS
IN_ORDER, APART = oversubscription.ORDERS.values()


def test_a_ring_in_order_crosses_at_one_host_of_four() -> None:
    even, four, eight = (oversubscription.scores(RING, IN_ORDER, ratio) for ratio in (1, 4, 8))
    assert four == even
    assert eight[0] > even[0] * 1.1
    apart = oversubscription.scores(RING, APART, 2)
    assert apart[0] > even[0] * 1.1
    assert apart[1] == 2.0


def test_gathers_cost_time_once_they_outlast_their_compute() -> None:
    even, four, eight = (oversubscription.scores(SHARDED, APART, ratio) for ratio in (1, 4, 8))
    assert (four[0], eight[0] > even[0] * 1.2) == (even[0], True)
    assert (even[1], four[1], eight[1]) == (1.0, 4.0, 8.0)


def test_experts_pay_for_each_step_of_the_ratio() -> None:
    """Most of an all-to-all leaves the leaf: 96 of 128 ranks lie on other leaves."""
    times_s, phase, link = zip(*(oversubscription.scores(EXPERTS, IN_ORDER, ratio) for ratio in (1, 2, 8)), strict=True)
    assert times_s[1] > times_s[0] * 1.25
    assert times_s[2] > times_s[0] * 3.0
    assert phase[2] > 6.0
    assert max(link) < 1.0


def test_the_page_has_a_row_for_each_job_and_placement() -> None:
    page = oversubscription.page()
    for job in oversubscription.JOBS:
        for order in oversubscription.ORDERS:
            assert f"| {job} | {order} |" in page
