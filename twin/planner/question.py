"""The question of a plan: what to improve, what it may cost, what must hold, and until when; all checked by name."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from ..answers.metrics import METRICS
from ..errors import ChangeError, did_you_mean
from ..units import DAYS_PER_YEAR

MAX_KEEPS = 50
MAX_YEARS = 50
MAX_BUDGET_USD = 1e15
ROBUST = ("link", "srlg", "site")
"""Kinds of single failures after which the conditions can be required to hold."""
MONEY = "capex_usd"
KEEP_FORM = "METRIC>=VALUE or METRIC<=VALUE, such as max_link_utilisation_ratio<=0.7"
Sense = Literal[">=", "<="]
UNCHANGED_TRAINING = "training_loss_ratio"
"""Metric that no plan may worsen unless the question names it."""
UNCHANGED_DEMAND: dict[str, Sense] = {"demand_satisfied_ratio": ">=", "unrouted_gbps": "<="}
"""Metrics that no plan may worsen unless a condition names them: cut off demand relieves the links left."""
DEMAND_METRICS = frozenset(UNCHANGED_DEMAND)
DEFAULT_TOLERANCE = 1e-9
"""Relative difference from today that a condition of the planner allows, for rounding."""
Unchanged = Callable[[str, Sense, tuple[float, ...]], float | None]
"""Worst value over years of a metric of the network without changes; None where it has none."""


@dataclass(frozen=True)
class Keep:
    """A condition on a metric."""

    metric: str
    sense: Sense
    value: float
    is_default: bool = False
    """True for a condition that the planner adds by itself."""

    @property
    def text(self) -> str:
        """The condition as it is written in a question."""
        return f"{self.metric}{self.sense}{self.value:g}"

    def holds(self, value: float | None) -> bool:
        """Return whether a value meets the condition; a metric without a value does not."""
        if value is None:
            return False
        slack = DEFAULT_TOLERANCE * abs(self.value) if self.is_default else 0.0
        return value >= self.value - slack if self.sense == ">=" else value <= self.value + slack


@dataclass(frozen=True)
class PlanQuestion:
    """A checked question. One of two aims: the best goal within a budget, or the least money for a target."""

    goal: str
    aim: Literal["goal", "money"]
    budget_usd: float | None
    target: Keep | None
    keeps: tuple[Keep, ...]
    """Conditions: those of the question, the target, and what the planner adds."""
    years: tuple[float, ...]
    """Years after the day of the document at which goal and conditions are computed."""
    until: int | None
    by: date | None
    robust_to: str | None

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics of the goal and the conditions, each once; the goal is the first."""
        return tuple(dict.fromkeys((self.goal, *(keep.metric for keep in self.keeps))))


def plan_question(
    *,
    goal: str | None,
    budget_usd: float | None,
    target: str | Keep | None,
    keep: str | Keep | Sequence[str | Keep],
    until: int | None,
    by: date | str | None,
    robust_to: str | None,
    default_goal: str,
    as_of: date | None,
    training_loss: float | None,
    unchanged: Unchanged,
) -> PlanQuestion:
    """Check a question.

    Args:
        goal: metric to improve; None = that of the target, else `default_goal`.
        budget_usd: most purchases; None = no limit.
        target: value that a metric must reach, at least cost: `METRIC=VALUE`.
        keep: conditions: `METRIC>=VALUE` or `METRIC<=VALUE`.
        until: calendar year until whose end goal and conditions hold; None = on the day of the document alone.
        by: day from which they hold; None = the day of the document.
        robust_to: kind of single failures after which the conditions hold too.
        default_goal: metric of a question that names none.
        as_of: day of the document.
        training_loss: training loss of the job as it is; None without one.
        unchanged: worst value of a metric without changes.

    Raises:
        ChangeError: an unknown metric, a contradiction, or a number or day out of bounds; the field is named.
    """
    keep = (keep,) if isinstance(keep, str | Keep) else tuple(keep)
    _check_aims(budget_usd, goal, target, keep, robust_to)
    wanted = None if target is None else _target(target)
    keeps = [item if isinstance(item, Keep) else parse_keep(item, f"keep[{i}]") for i, item in enumerate(keep)]
    stated = [*keeps, *([wanted] if wanted else [])]
    _check_contradictions(stated)
    aim: Literal["goal", "money"] = "money" if wanted or (goal is None and budget_usd is None) else "goal"
    chosen = goal or (wanted.metric if wanted else default_goal)
    if chosen == MONEY:
        raise ChangeError(
            f"the goal {MONEY} contradicts a plan that spends",
            where="goal" if wanted is None else "target",
            hint="a target or a condition alone asks for the least cost",
        )
    if training_loss is not None and UNCHANGED_TRAINING not in {chosen, *(item.metric for item in stated)}:
        stated.append(Keep(UNCHANGED_TRAINING, "<=", training_loss, is_default=True))
    years = _years(as_of, by, until)
    for metric, sense in UNCHANGED_DEMAND.items():
        if metric not in {item.metric for item in stated} and (value := unchanged(metric, sense, years)) is not None:
            stated.append(Keep(metric, sense, value, is_default=True))
    return PlanQuestion(
        goal=chosen,
        aim=aim,
        budget_usd=None if budget_usd is None else float(budget_usd),
        target=wanted,
        keeps=tuple(stated),
        years=years,
        until=until,
        by=_day(by),
        robust_to=robust_to,
    )


def _check_aims(
    budget_usd: float | None, goal: str | None, target: object, keep: Sequence[object], robust_to: str | None
) -> None:
    """Raise ChangeError for a question without an aim or with two, or with bounds that are none."""
    if goal is not None and target is not None:
        raise ChangeError(
            f"both a goal {goal!r} and a target {target!r}",
            where="goal",
            expected="one of goal and target",
            hint="a target asks for the least cost; the other can be a condition of `keep`",
        )
    if budget_usd is None and goal is None and target is None and not keep:
        raise ChangeError(
            "neither a budget, a goal, a target nor a condition",
            where="budget_usd",
            hint="state one of budget_usd, goal, target, keep",
        )
    _check_budget(budget_usd)
    if goal is not None:
        _check_metric(goal, "goal")
    if len(keep) > MAX_KEEPS:
        raise ChangeError(f"{len(keep)} conditions", where="keep", expected=f"at most {MAX_KEEPS}")
    if robust_to is not None and robust_to not in ROBUST:
        hint = did_you_mean(str(robust_to), ROBUST)
        raise ChangeError(
            f"no kind of failures {robust_to!r}", where="robust_to", expected=f"one of {', '.join(ROBUST)}", hint=hint
        )


def parse_keep(text: str, where: str = "keep") -> Keep:
    """Read `METRIC>=VALUE` or `METRIC<=VALUE`. Raises ChangeError."""
    match = re.fullmatch(r"\s*(\S+?)\s*(>=|<=)\s*(\S+)\s*", text) if isinstance(text, str) else None
    if match is None:
        raise ChangeError(f"{text!r:.200} is no condition", where=where, expected=KEEP_FORM)
    _check_metric(match[1], where)
    return Keep(match[1], ">=" if match[2] == ">=" else "<=", _number(match[3], where))


def _target(target: str | Keep) -> Keep:
    if isinstance(target, Keep):
        return target
    match = re.fullmatch(r"\s*([^\s<>=]+)\s*=\s*(\S+)\s*", target) if isinstance(target, str) else None
    if match is None:
        raise ChangeError(
            f"{target!r:.200} is no target", where="target", expected="METRIC=VALUE, such as step_time_s=4"
        )
    _check_metric(match[1], "target")
    sense: Sense = "<=" if METRICS[match[1]].better == "lower" else ">="
    return Keep(match[1], sense, _number(match[2], "target"))


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        hint = "ratios are written as 0.7, not as 70%" if text.endswith("%") else ""
        raise ChangeError(f"{text!r:.100} is no number", where=where, hint=hint)
    return value


def _check_metric(name: str, where: str) -> None:
    if not isinstance(name, str) or name not in METRICS:
        hint = did_you_mean(str(name), METRICS) or "`twin metrics` lists them"
        raise ChangeError(f"no metric {name!r}", where=where, hint=hint)


def _check_budget(budget_usd: float | None) -> None:
    if budget_usd is None:
        return
    is_number = isinstance(budget_usd, int | float) and not isinstance(budget_usd, bool)
    if not is_number or not 0.0 <= budget_usd <= MAX_BUDGET_USD:
        raise ChangeError(
            f"a budget of {budget_usd!r}", where="budget_usd", expected=f"a number of USD from 0 to {MAX_BUDGET_USD:g}"
        )


def _check_contradictions(keeps: Sequence[Keep]) -> None:
    for low in keeps:
        for high in keeps:
            if low.metric == high.metric and low.sense == ">=" and high.sense == "<=" and low.value > high.value:
                raise ChangeError(f"{low.text} and {high.text} contradict each other", where="keep")


def _day(by: date | str | None) -> date | None:
    if by is None or isinstance(by, date):
        return by
    try:
        return date.fromisoformat(by)
    except (TypeError, ValueError):
        raise ChangeError(f"{by!r:.100} is no date", where="by", expected="YYYY-MM-DD") from None


def _years(as_of: date | None, by: date | str | None, until: int | None) -> tuple[float, ...]:
    """Return the years to each day on which the network is evaluated."""
    first_day = _day(by)
    if by is None and until is None:
        return (0.0,)
    if as_of is None:
        raise ChangeError("the document has no as_of", where="by" if by else "until", hint="add `as_of: YYYY-MM-DD`")
    if first_day is not None and first_day < as_of:
        raise ChangeError(f"{first_day} is before the day of the document", where="by", expected=f"{as_of} or later")
    start = first_day or as_of
    first = (start - as_of).days / DAYS_PER_YEAR
    if until is None:
        if first > MAX_YEARS:
            raise ChangeError(f"{start} is {first:.0f} years off", where="by", expected=f"at most {MAX_YEARS} years")
        return (first,)
    if isinstance(until, bool) or not isinstance(until, int) or not start.year <= until <= start.year + MAX_YEARS:
        raise ChangeError(
            f"until {until!r}", where="until", expected=f"a year from {start.year} to {start.year + MAX_YEARS}"
        )
    last = (date(until, 12, 31) - as_of).days / DAYS_PER_YEAR
    middle = [first + i for i in range(1, math.ceil(last - first)) if first + i < last]
    return (first, *middle, last) if last > first else (first,)
