"""Comparison of plans: the verdict over several what-ifs of one network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..render.compare_table import compare_table
from ..render.numbers import metric_text
from ..render.quantities import change_percent_text, is_noise, names_text, usd_text
from .data import Answer
from .diff import Diff
from .headline import HEADLINES
from .metrics import METRICS


@dataclass(frozen=True, kw_only=True, repr=False)
class PlanComparison(Answer):
    """The plans of a network side by side."""

    summary: tuple[str, ...]
    """The verdict: which plan is best, which is best without purchases, which make it worse."""
    plans: dict[str, Diff]
    """The what-if of each plan, by id."""

    def _table(self) -> Any:
        return compare_table([diff.to_dict() for diff in self.plans.values()], self.summary)


def plan_comparison(diffs: Sequence[Diff]) -> PlanComparison:
    """Compare plans by their what-ifs, all of the same network and job."""
    return PlanComparison(summary=comparison_verdict(diffs), plans={str(diff.plan): diff for diff in diffs})


def comparison_verdict(diffs: Sequence[Diff]) -> tuple[str, ...]:
    """Return the verdict on plans: which is best, which is best without purchases, which make it worse.

    Args:
        diffs: one what-if for each plan, all of the same network and job.
    """
    name = _headline(diffs)
    if name is None:
        return ("No metric allows a ranking of these plans.",)
    return tuple(_sentences(diffs, name))


def _headline(diffs: Sequence[Diff]) -> str | None:
    """First headline metric that every plan has and that differs between plans."""
    for name in HEADLINES:
        values = [value for diff in diffs for value in diff[name]]
        known = [value for value in values if value is not None]
        if len(known) == len(values) and any(not is_noise(known[0], value) for value in known):
            return name
    return None


def _sentences(diffs: Sequence[Diff], name: str) -> Iterator[str]:
    sign = 1.0 if METRICS[name].better == "higher" else -1.0
    # what looks better only because something broke is no gain
    gains = {str(diff.plan): 0.0 if diff.metrics[name].caveat else sign * (diff.change(name) or 0.0) for diff in diffs}
    by_plan = {str(diff.plan): diff for diff in diffs}
    best = max(gains, key=lambda plan: (gains[plan], plan))
    label = METRICS[name].label
    if gains[best] <= 0 or is_noise(*_values(by_plan[best], name)):
        yield f"No plan improves {label}."
    else:
        yield f"Best {label}: {_plan_text(by_plan[best], name)}."
        free = [plan for plan in gains if by_plan[plan].after["capex_usd"] == 0.0]
        best_free = max(free, key=lambda plan: (gains[plan], plan), default=None)
        if best_free not in (None, best) and gains[str(best_free)] > 0:
            yield f"Best without purchases: {_plan_text(by_plan[str(best_free)], name)}."
    worse = [plan for plan in gains if gains[plan] < 0 and not is_noise(*_values(by_plan[plan], name))]
    if worse:
        yield f"Worse than the network as it is: {names_text(worse)}."


def _plan_text(diff: Diff, name: str) -> str:
    before, after = _values(diff, name)
    capex = diff.after["capex_usd"]
    price = "price unknown" if capex is None else f"{usd_text(capex)} to buy" if capex else "nothing to buy"
    change = change_percent_text(before, after)
    return f"{diff.plan}, {metric_text(name, after)}" + (f" ({change})" if change else "") + f", {price}"


def _values(diff: Diff, name: str) -> tuple[float, float]:
    before, after = diff[name]
    assert before is not None
    assert after is not None
    return before, after
