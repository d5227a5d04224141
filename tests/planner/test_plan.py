"""Plans against every what-if asked one by one, and what else an answer holds."""

from __future__ import annotations

import threading
from dataclasses import replace
from io import StringIO
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

import twin
from tests.planner.networks import chord, faster, more, naive_plan, ring
from twin.errors import ChangeError, TwinError
from twin.planner.choice import Choice
from twin.planner.question import plan_question
from twin.planner.records import PlanReport
from twin.planner.trial import Trial
from twin.render.plan_table import LESS_PROMISING, plan_table

POOL = [
    more("ab"),
    more("ab", 3),
    more("cd"),
    more("bc", 4),
    faster("ab"),
    faster("da"),
    chord("a", "c"),
    chord("b", "d"),
]
SIDES = [more(link) for link in ("ab", "bc", "cd", "da")]
FIBRE_AND_BALANCE = [
    {"id": "balance", "changes": [{"kind": "split_work", "split": "balanced"}]},
    {"id": "channels", "changes": [{"kind": "set_channels", "links": "wan-*", "n_parallel": 16, "n_fibre_pairs": 2}]},
    {"id": "routers", "changes": [{"kind": "swap_switches", "nodes": {"kind": "border"}, "part": "border-deep-51.2T"}]},
    {"id": "fibre", "changes": [{"kind": "set_fibre", "links": "wan-*", "fibre": "G.654.E"}]},
    {"id": "leave", "changes": [{"kind": "leave_sites", "sites": ["c1"]}]},
]


def test_it_is_the_best_of_all_what_ifs_on_memphis_small() -> None:
    network = twin.load("memphis-small")
    plan = network.plan(budget_usd=2e6, candidates=FIBRE_AND_BALANCE, generate=False)
    naive = naive_plan(network, FIBRE_AND_BALANCE, "step_time_s", 2e6)
    assert plan.method.is_exact
    assert naive is not None
    assert plan.plan is not None
    assert set(plan.plan.candidates) == naive.members == {"balance", "channels", "routers"}
    assert (plan.plan.goal, plan.plan.capex_usd) == (naive.goal, naive.capex_usd)
    diff = network.what_if(plan.changes, main_assumptions=False)
    assert all(plan.plan.metrics[name] == diff.after[name] for name in plan.plan.metrics)


@settings(max_examples=12, deadline=None)
@given(
    offered_gbps=st.lists(st.sampled_from([0.0, 100.0, 200.0, 350.0, 500.0]), min_size=4, max_size=4).filter(any),
    rows=st.sets(st.integers(0, len(POOL) - 1), min_size=1, max_size=4),
    budget_usd=st.sampled_from([0.0, 1200.0, 2400.0, 5000.0, 1e6]),
    goal=st.sampled_from(["max_link_utilisation_ratio", "demand_satisfied_ratio", "worst_rtt_us"]),
    keeps=st.sampled_from([(), ("max_link_utilisation_ratio<=0.6",), ("demand_satisfied_ratio>=0.9",)]),
)
def test_it_is_the_best_of_all_what_ifs_on_small_networks(
    offered_gbps: list[float], rows: set[int], budget_usd: float, goal: str, keeps: tuple[str, ...]
) -> None:
    network, candidates = ring(offered_gbps), [POOL[row] for row in sorted(rows)]
    answer = network.plan(budget_usd=budget_usd, goal=goal, keep=keeps, candidates=candidates, generate=False)
    naive = naive_plan(network, candidates, goal, budget_usd, keeps)
    if naive is None:
        assert answer.plan is None
        return
    assert answer.plan is not None
    assert answer.plan.goal == pytest.approx(naive.goal, rel=1e-9)
    assert answer.plan.capex_usd == pytest.approx(naive.capex_usd)
    assert len(answer.plan.candidates) == len(naive.members)


def planned(**fields: Any) -> PlanReport:
    asked: dict[str, Any] = {"budget_usd": 1e4, "candidates": POOL, "generate": False}
    return ring([300.0, 200.0, 100.0, 350.0]).plan(**asked | fields)


def test_neither_order_nor_workers_change_a_byte() -> None:
    answer = planned()
    assert answer.plan is not None
    assert answer.plan.candidates
    assert planned(candidates=POOL[::-1]).to_json() == answer.to_json()
    assert planned(executor="threads", n_workers=2).to_json() == answer.to_json()


def test_doing_nothing_is_always_on_the_front_and_the_front_falls() -> None:
    answer = planned(budget_usd=None, goal="max_link_utilisation_ratio")
    front = answer.pareto
    assert front[0].candidates == ()
    assert [row.capex_usd for row in front] == sorted(row.capex_usd or 0.0 for row in front)
    goals = [row.goal or 0.0 for row in front]
    assert all(after < before for before, after in pairwise(goals))
    assert len(front) > 2


def test_an_empty_set_is_a_result() -> None:
    answer = planned(budget_usd=0.0)
    assert answer.plan is not None
    assert (answer.plan.candidates, answer.changes) == ((), [])
    assert answer.summary[0].startswith("Do nothing")
    assert "more than the budget" in answer.next_dollar


def test_members_say_what_the_plan_is_without_them() -> None:
    answer = planned()
    network = ring([300.0, 200.0, 100.0, 350.0])
    by_id = {item["id"]: item["changes"] for item in POOL}
    assert answer.plan is not None
    for member in answer.members:
        rest = [change for name in answer.plan.candidates if name != member.candidate for change in by_id[name]]
        without = network.what_if(rest, main_assumptions=False).after if rest else network.score(main_assumptions=False)
        assert member.goal_without == without["max_link_utilisation_ratio"]
        assert (answer.plan.capex_usd or 0.0) - (without["capex_usd"] or 0.0) == pytest.approx(member.capex_usd)


def test_others_are_within_five_per_cent_and_have_no_needless_member() -> None:
    answer = planned()
    assert answer.plan is not None
    assert len(answer.alternatives) <= 5
    for other in answer.alternatives:
        assert (other.goal or 0.0) <= 1.05 * (answer.plan.goal or 0.0)
        assert other.candidates != answer.plan.candidates


def test_a_target_is_reached_at_least_cost() -> None:
    answer = planned(budget_usd=None, target="max_link_utilisation_ratio=0.7")
    assert answer.plan is not None
    cheaper = planned(budget_usd=(answer.plan.capex_usd or 0.0) - 1.0, goal="max_link_utilisation_ratio")
    assert (answer.plan.goal or 1.0) <= 0.7 < (cheaper.plan.goal if cheaper.plan else 0.0)  # type: ignore[operator]


def test_a_target_out_of_reach_has_no_plan_and_says_how_near_any_set_comes() -> None:
    answer = planned(budget_usd=None, target="max_link_utilisation_ratio=0.01")
    assert answer.plan is None
    assert answer.changes == []
    assert "nearest" in answer.summary[1]


def test_needs_are_met() -> None:
    first, second = more("ab"), more("cd") | {"needs": ["ab x2"]}
    answer = planned(candidates=[first, second], budget_usd=1e6)
    assert answer.plan is not None
    assert "cd x2" not in answer.plan.candidates or "ab x2" in answer.plan.candidates


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ({"id": "x", "changes": [{"kind": "set_channels", "links": "zz", "n_parallel": 2}]}, "'x'"),
        ({"id": "x", "changes": [{"kind": "set_channels", "links": "ab", "n_paralel": 2}]}, "n_paralel"),
        ({"id": "x", "changes": []}, "changes"),
        ({"id": "x", "needs": ["y"], "changes": [{"kind": "age", "years": 1}]}, "needs 'y'"),
        ({"id": "ab x2", "changes": [{"kind": "age", "years": 1}]}, "stands twice"),
    ],
)
def test_candidates_that_do_not_apply_are_refused_by_name(item: dict[str, Any], text: str) -> None:
    with pytest.raises(TwinError, match=text):
        planned(candidates=[more("ab"), item])


def test_candidates_that_cannot_be_built_are_refused_by_name() -> None:
    item = {"id": "64", "changes": [{"kind": "set_channels", "links": "wan-*", "n_parallel": 4000}]}
    with pytest.raises(ChangeError, match="candidate '64'"):
        twin.load("memphis-small").plan(budget_usd=1e6, candidates=[item], generate=False)


def test_ctrl_c_gives_the_best_so_far_and_says_so() -> None:
    def advance(n_done: int, _: int) -> None:
        if n_done >= 8:
            raise KeyboardInterrupt

    answer = planned(advance=advance)
    assert answer.method.interrupted
    assert not answer.method.is_exact
    assert answer.summary[0].startswith("Interrupted")
    assert "of these candidates" not in answer.next_dollar
    assert answer.plan is not None


def test_a_cancelled_search_gives_doing_nothing() -> None:
    cancel = threading.Event()
    cancel.set()
    answer = planned(cancel=cancel)
    assert answer.method.interrupted
    assert answer.plan is not None
    assert answer.plan.candidates == ()


def test_conditions_hold_in_every_year() -> None:
    """Demands double each year: 25 % of use become 50 % after one year, and 100 % after two."""
    fields = {
        "as_of": "2026-12-31",
        "traffic_classes": [{"id": "fast", "growth_ratio_per_year": 1.0}],
    }
    network = ring([200.0, 0.0, 0.0, 0.0], **fields)
    document = network.to_document().to_dict()
    document["demands"] = [row | {"traffic_class": "fast"} for row in document["demands"]]
    network, keep = twin.from_document(document), ["max_link_utilisation_ratio<=0.6"]
    today = network.plan(keep=keep, candidates=SIDES, generate=False)
    later = network.plan(keep=keep, candidates=SIDES, generate=False, until=2028)
    assert today.plan is not None
    assert today.plan.candidates == ()
    assert today.summary == ("Do nothing: the network as it is meets the conditions.",)
    assert later.goal_today == pytest.approx(1.0, rel=1e-2)
    assert later.plan is not None
    assert later.plan.candidates
    assert (later.plan.goal or 1.0) <= 0.6


def test_conditions_hold_after_every_single_failure() -> None:
    """Half of 600 Gb/s takes each side of the ring; all of it the other side after a failure: 150 % of 400G."""
    network = ring([600.0, 0.0, 0.0, 0.0])
    keeps = ["max_link_utilisation_ratio<=0.8"]
    plain = network.plan(keep=keeps, candidates=SIDES, generate=False)
    robust = network.plan(keep=keeps, candidates=SIDES, generate=False, robust_to="link")
    assert plain.plan is not None
    assert plain.plan.candidates == ()
    assert robust.plan is not None
    assert robust.plan.candidates
    assert network.failures(changes=robust.changes).stays_below(0.8)


def test_failures_of_as_many_sets_as_there_is_time_for_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.planner.robust.MAX_ALL_S", 0.0)
    answer = planned(budget_usd=None, goal="max_link_utilisation_ratio", robust_to="link")
    assert not answer.method.is_exact
    assert "Failures were looked at for the best 1 set only" in answer.method.sentence


def test_robust_to_what_does_not_exist_is_refused() -> None:
    with pytest.raises(ChangeError, match="no srlg"):
        planned(robust_to="srlg")


def test_a_search_of_the_most_promising_finds_the_same_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """With at most 16 sets the search looks at pairs, climbs, and then at all sets of some candidates."""
    exact = planned()
    monkeypatch.setattr("twin.planner.search.MAX_SETS", 20)
    monkeypatch.setattr("twin.planner.search.MIN_KEPT_SETS", 16)
    monkeypatch.setattr("twin.planner.search.MAX_KEPT_SETS", 16)
    answer = planned()
    assert not answer.method.is_exact
    assert answer.method.n_sets is None
    assert answer.left_out
    assert answer.plan == exact.plan


@pytest.mark.parametrize(
    ("asked", "aim"),
    [({"budget_usd": 3e4}, "goal"), ({"budget_usd": None, "target": "max_link_utilisation_ratio=0.6"}, "money")],
)
def test_a_search_of_the_most_promising_finds_the_whole_front(
    monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any], aim: str
) -> None:
    """The front holds sets that the aim alone does not lead to."""
    exact = planned(**asked)
    monkeypatch.setattr("twin.planner.search.MAX_SETS", 20)
    monkeypatch.setattr("twin.planner.search.MIN_KEPT_SETS", 64)
    monkeypatch.setattr("twin.planner.search.MAX_KEPT_SETS", 64)
    answer = planned(**asked)
    assert (exact.method.is_exact, answer.method.is_exact, answer.aim) == (True, False, aim)
    assert len(exact.pareto) > 2
    assert [(row.capex_usd, row.goal) for row in answer.pareto] == [(row.capex_usd, row.goal) for row in exact.pareto]


def test_a_bound_is_never_worse_than_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.planner.search.MAX_SETS", 8)
    monkeypatch.setattr("twin.planner.search.MIN_KEPT_SETS", 8)
    monkeypatch.setattr("twin.planner.search.MAX_KEPT_SETS", 8)
    answer = twin.load("memphis-small").plan(budget_usd=2e6, candidates=FIBRE_AND_BALANCE, generate=False)
    assert answer.plan is not None
    assert answer.method.bound is not None
    assert 0.0 < answer.method.bound <= (answer.plan.goal or 0.0)


def test_candidates_without_a_price_are_named_and_never_chosen() -> None:
    """The new switch names no part, so the least expensive plan is the one with a price."""
    free = {"kind": "add_node", "node": {"id": "s", "kind": "switch"}}
    links = [{"id": f"{x}s", "ends": [x, "s"], "transceiver": "400G-DR4"} for x in "ac"]
    spine = {"id": "spine", "changes": [free, *({"kind": "add_link", "link": link} for link in links)]}
    keep = ["max_link_utilisation_ratio<=0.6"]
    network = ring([600.0, 0.0, 0.0, 0.0])
    answer = network.plan(keep=keep, candidates=[*SIDES, spine], generate=False)
    assert answer.plan is not None
    assert "spine" not in answer.plan.candidates
    text = " ".join(answer.summary)
    assert "No price for 1 candidate: spine (1 new switch names no part)." in text
    assert "over the budget" not in answer.method.sentence
    assert "without a price" in answer.method.sentence
    alone = network.plan(keep=keep, candidates=[spine], generate=False)
    assert alone.plan is None
    assert alone.summary[0] == "No set of candidates with a price meets the conditions."


def test_ties_of_the_goal_count_the_running_cost() -> None:
    values = {1: (100.0, 50.0), 2: (120.0, 10.0)}
    trials = {i: Trial(i, usd, (1.0,), "", running) for i, (usd, running) in values.items()}
    question = plan_question(
        goal="step_time_s", budget_usd=1e6, target=None, keep=(), until=None, by=None, robust_to=None,
        default_goal="step_time_s", as_of=None, training_loss=None, unchanged=lambda *_: None,
    )  # fmt: skip
    question = replace(question, keeps=())
    assert Choice(question, trials).best() == trials[1]
    assert Choice(question, trials, running_years=4.0).best() == trials[2]


def pair(*links: str) -> twin.Network:
    """Return three switches, each at a site, with links between them and 300 Gb/s from a to b."""
    return twin.from_document(
        {
            "sites": [{"id": name} for name in "abc"],
            "nodes": [{"id": name, "kind": "switch", "site": name} for name in "abc"],
            "links": [{"id": name, "ends": list(name), "transceiver": "400G-DR4"} for name in links],
            "demands": [{"id": "d", "source": "a", "target": "b", "offered_gbps": 300.0}],
        }
    )


def test_the_next_better_set_is_better_by_more_than_what_counts_as_equal() -> None:
    """One more member of 1001 lessens the load by less than 0.1 %."""
    asked: dict[str, Any] = {"candidates": [more("ab", 1001), more("ab", 1002)], "generate": False}
    answer = pair("ab").plan(goal="max_link_utilisation_ratio", **asked)
    assert answer.plan is not None
    assert answer.plan.candidates == ("ab x1001",)
    assert "No set" in pair("ab").plan(budget_usd=answer.plan.capex_usd, **asked).next_dollar


def test_candidates_that_were_left_out_are_listed_by_reason() -> None:
    reasons = {"a": LESS_PROMISING + "adds nothing", "b": LESS_PROMISING + "adds nothing", "c": "x: 1; y: 2; z: 3"}
    rows = [{"id": name, "kind": "k", "why": why} for name, why in reasons.items()]
    console = Console(width=80, file=StringIO())
    console.print(plan_table(planned().to_dict() | {"left_out": rows}))
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    assert "adds nothing     a; b" in lines
    assert any(line.startswith("x: 1; 2 more in --json") for line in lines)


def test_a_failure_that_no_set_survives_is_named() -> None:
    answer = pair("ab", "bc", "ca").plan(
        target="max_link_utilisation_ratio=0.3", robust_to="link", candidates=[more("ab", 3)], generate=False
    )
    assert answer.plan is None
    assert any("a condition breaks after the failure of" in sentence for sentence in answer.summary)
