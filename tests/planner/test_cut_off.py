"""Plans on networks where demand can be cut off, and what more money gives under conditions."""

from __future__ import annotations

from typing import Any

import twin
from tests.planner.networks import ring
from twin.network import Network

REMOVAL = {"id": "off", "changes": [{"kind": "remove_links", "links": "ab"}]}
FREE = ["unrouted_gbps<=300", "demand_satisfied_ratio>=0.1"]


def star(**demand: Any) -> Network:
    """Return a with a link to b, which 300 Gb/s use, and one to c, which 50 Gb/s use; each alone joins its node."""
    return twin.from_document(
        {
            "as_of": "2026-12-31",
            "traffic_classes": [{"id": "fast", "growth_ratio_per_year": 1.0}],
            "nodes": [{"id": name, "kind": "switch", "site": f"s-{name}"} for name in "abc"],
            "sites": [{"id": f"s-{name}"} for name in "abc"],
            "links": [
                {"id": f"a{b}", "ends": ["a", b], "transceiver": "400ZR", "spans": [{"length_km": 30}]} for b in "bc"
            ],
            "demands": [
                {"id": f"a{b}", "source": "a", "target": b, "offered_gbps": gbps, **demand}
                for b, gbps in (("b", 300), ("c", 50))
            ],
        }
    )


def test_no_plan_cuts_demand_off_to_relieve_the_links_left() -> None:
    answer = star().plan(budget_usd=1e6, candidates=[REMOVAL], generate=False)
    assert answer.plan is not None
    assert answer.plan.candidates == ()
    assert [(row.metric, row.value, row.is_default) for row in answer.keeps] == [
        ("demand_satisfied_ratio", 1.0, True),
        ("unrouted_gbps", 0.0, True),
    ]
    assert "demand_satisfied_ratio>=1 would not hold" in answer.additions[0].why
    allowed = star().plan(budget_usd=1e6, candidates=[REMOVAL], generate=False, keep=FREE)
    assert allowed.plan is not None
    assert allowed.plan.candidates == ("off",)


def test_demand_that_grows_beyond_the_links_is_no_worse_than_without_a_plan() -> None:
    """350 Gb/s double each year: less is carried in 2028 whatever is done, and doing nothing stays an answer."""
    answer = star(traffic_class="fast").plan(budget_usd=0.0, until=2028, candidates=[REMOVAL], generate=False)
    assert answer.plan is not None
    assert answer.plan.candidates == ()
    assert answer.keeps[0].value < 0.9


def test_a_failure_that_cuts_demand_off_breaks_the_conditions_and_is_named() -> None:
    asked: dict[str, Any] = {"target": "max_link_utilisation_ratio=0.8", "robust_to": "link", "generate": False}
    answer = star().plan(**asked)
    assert answer.plan is None
    told = "the failure of ab leaves 300 Gb/s of demand without a path; 1 other failure cuts demand off, too."
    assert told in " ".join(answer.summary)
    assert "A condition on unrouted_gbps" in answer.summary[-1]
    for keep in ("unrouted_gbps<=300", "demand_satisfied_ratio>=0.1"):
        allowed = star().plan(**asked, keep=[keep])
        assert allowed.plan is not None
        assert told in " ".join(allowed.summary)
    assert star().plan(**asked, keep=["unrouted_gbps<=299"]).plan is None


def test_demand_of_a_site_that_fails_is_not_cut_off() -> None:
    """Without b its demand is gone; without a no node is left that could demand."""
    answer = star().plan(target="unrouted_gbps=350", robust_to="site", generate=False)
    assert answer.plan is not None
    assert "without a path" not in " ".join(answer.summary)
    silent = star().plan(keep=["n_links_below_margin<=9"], robust_to="site", generate=False)
    assert silent.plan is not None


def test_a_new_link_that_gives_every_node_a_second_path_is_the_plan() -> None:
    link = {"id": "bc", "ends": ["b", "c"], "transceiver": "400ZR", "spans": [{"length_km": 30}]}
    third = {"id": "bc", "changes": [{"kind": "add_link", "link": link}]}
    asked: dict[str, Any] = {"target": "max_link_utilisation_ratio=0.9", "robust_to": "link", "generate": False}
    answer = star().plan(**asked, candidates=[third])
    assert answer.plan is not None
    assert answer.plan.candidates == ("bc",)
    assert "without a path" not in " ".join(answer.summary)


def test_the_next_better_set_meets_the_conditions() -> None:
    """A leased chord relieves the ring, and its rent breaks the limit of running costs."""
    fields: dict[str, Any] = {"transceiver": "400G-DR4", "n_parallel": 4, "n_fibre_pairs": 4}
    chord = {"id": "x", "ends": ["a", "c"], **fields, "spans": [{"length_km": 0.3, "leased": True}]}
    lease = {"id": "lease", "changes": [{"kind": "add_link", "link": chord}]}
    network = ring([300.0, 0.0, 0.0, 0.0])
    limit = (network.score(main_assumptions=False)["opex_usd_per_year"] or 0.0) + 1.0
    asked: dict[str, Any] = {"budget_usd": 0.0, "candidates": [lease], "generate": False}
    free = network.plan(**asked)
    assert "lease gives" in free.next_dollar
    bound = network.plan(**asked, keep=[f"opex_usd_per_year<={limit!r}"])
    assert bound.next_dollar == "No set of these candidates is better and meets the conditions at any price."


def test_the_next_better_set_holds_after_failures() -> None:
    """A chord in place of two sides of the ring is less full, and its failure leaves no path."""
    link = {"id": "x", "ends": ["a", "c"], "transceiver": "800G-DR8", "n_parallel": 2}
    changes = [{"kind": "add_link", "link": link}, {"kind": "remove_links", "links": {"id": ["ab", "cd"]}}]
    chord = {"id": "chord", "changes": changes}
    asked: dict[str, Any] = {"budget_usd": 0.0, "candidates": [chord], "generate": False}
    network = ring([300.0, 0.0, 0.0, 0.0])
    assert "chord gives" in network.plan(**asked).next_dollar
    assert "and meets the conditions at any price" in network.plan(**asked, robust_to="link").next_dollar
