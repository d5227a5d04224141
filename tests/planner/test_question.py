"""Questions of the planner: what they mean, and what is refused by name."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from twin.errors import ChangeError
from twin.planner.question import Keep, PlanQuestion, parse_keep, plan_question


def question(**fields: Any) -> PlanQuestion:
    stated: dict[str, Any] = {
        "goal": None,
        "budget_usd": None,
        "target": None,
        "keep": (),
        "until": None,
        "by": None,
        "robust_to": None,
        "default_goal": "step_time_s",
        "as_of": date(2026, 11, 1),
        "training_loss": None,
        "unchanged": lambda *_: None,
    }
    return plan_question(**stated | fields)


def test_a_budget_asks_for_the_best_default_goal() -> None:
    asked = question(budget_usd=1e6)
    assert (asked.goal, asked.aim, asked.keeps, asked.years) == ("step_time_s", "goal", (), (0.0,))


def test_a_target_asks_for_the_least_cost_and_is_a_condition() -> None:
    asked = question(target="tokens_per_s=2e6")
    assert (asked.goal, asked.aim) == ("tokens_per_s", "money")
    assert asked.keeps == (Keep("tokens_per_s", ">=", 2e6),)


def test_conditions_alone_ask_for_the_least_cost() -> None:
    assert question(keep=["step_time_s<=4"]).aim == "money"
    assert question(keep=["step_time_s<=4"], goal="mfu_ratio").aim == "goal"


def test_no_plan_worsens_the_training_loss_unless_it_is_named() -> None:
    assert question(budget_usd=1, training_loss=1.0).keeps == (Keep("training_loss_ratio", "<=", 1.0, True),)
    named = question(budget_usd=1, training_loss=1.0, keep=["training_loss_ratio<=1.02"])
    assert named.keeps == (Keep("training_loss_ratio", "<=", 1.02),)


def test_no_plan_cuts_demand_off_unless_a_condition_names_it() -> None:
    today = {"demand_satisfied_ratio": 0.9, "unrouted_gbps": 50.0}
    asked = question(budget_usd=1, unchanged=lambda metric, *_: today[metric])
    carried, unrouted = asked.keeps
    assert (carried.text, unrouted.text, carried.is_default) == (
        "demand_satisfied_ratio>=0.9",
        "unrouted_gbps<=50",
        True,
    )
    assert carried.holds(0.9 * (1.0 - 1e-10))
    assert not carried.holds(0.89)
    named = question(budget_usd=1, unchanged=lambda metric, *_: today[metric], keep=["unrouted_gbps<=80"])
    assert [keep.text for keep in named.keeps] == ["unrouted_gbps<=80", "demand_satisfied_ratio>=0.9"]


def test_until_gives_every_year_and_the_last_day() -> None:
    """From 2026-11-01: that day, three years later each, and the end of 2029."""
    years = question(budget_usd=1, until=2029).years
    assert years == pytest.approx((0.0, 1.0, 2.0, 3.0, 3.1643), abs=1e-3)


def test_by_is_the_first_day() -> None:
    asked = question(budget_usd=1, by="2027-11-01", until=2028)
    assert asked.years == pytest.approx((0.9993, 1.9993, 2.1656), abs=1e-3)
    assert question(budget_usd=1, by=date(2026, 11, 1)).years == (0.0,)


@pytest.mark.parametrize(
    ("fields", "where", "text"),
    [
        ({}, "budget_usd", "neither"),
        ({"budget_usd": -1}, "budget_usd", "-1"),
        ({"budget_usd": float("nan")}, "budget_usd", "nan"),
        ({"budget_usd": True}, "budget_usd", "True"),
        ({"budget_usd": 1, "goal": "step_time"}, "goal", "no metric 'step_time'"),
        ({"goal": "mfu_ratio", "target": "step_time_s=4"}, "goal", "both"),
        ({"target": "step_time_s"}, "target", "no target"),
        ({"target": "stepp_time_s=4"}, "target", "no metric"),
        ({"target": "step_time_s=four"}, "target", "no number"),
        ({"target": "capex_usd=4"}, "target", "contradicts"),
        ({"budget_usd": 1, "goal": "capex_usd"}, "goal", "contradicts"),
        ({"keep": ["mfu_ratio"]}, "keep[0]", "no condition"),
        ({"keep": ["mfu_ratio>=0.3", "mfu<=1"]}, "keep[1]", "no metric"),
        ({"keep": ["mfu_ratio>=70%"]}, "keep[0]", "no number"),
        ({"keep": ["mfu_ratio>=0.5", "mfu_ratio<=0.4"]}, "keep", "contradict"),
        ({"target": "step_time_s=3", "keep": ["step_time_s>=4"]}, "keep", "contradict"),
        ({"keep": ["mfu_ratio>=0.1"] * 51}, "keep", "51"),
        ({"budget_usd": 1, "by": "2026-10-31"}, "by", "before the day"),
        ({"budget_usd": 1, "by": "soon"}, "by", "no date"),
        ({"budget_usd": 1, "by": "2090-01-01"}, "by", "years off"),
        ({"budget_usd": 1, "until": 2025}, "until", "2025"),
        ({"budget_usd": 1, "until": 2032, "by": "2033-01-01"}, "until", "2032"),
        ({"budget_usd": 1, "until": 2032, "as_of": None}, "until", "as_of"),
        ({"budget_usd": 1, "robust_to": "node"}, "robust_to", "node"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(fields: dict[str, Any], where: str, text: str) -> None:
    with pytest.raises(ChangeError) as refused:
        question(**fields)
    assert refused.value.where == where
    assert text in str(refused.value)


def test_near_names_are_hinted() -> None:
    with pytest.raises(ChangeError, match="did you mean 'step_time_s'"):
        question(budget_usd=1, goal="step_time")


@pytest.mark.parametrize("text", ["mfu_ratio>=0.5", " mfu_ratio >= 0.5 "])
def test_spaces_do_not_matter(text: str) -> None:
    keep = parse_keep(text)
    assert keep == Keep("mfu_ratio", ">=", 0.5)
    assert keep.holds(0.5)
    assert not keep.holds(0.49)
    assert not keep.holds(None)
