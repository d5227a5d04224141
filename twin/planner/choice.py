"""Choice among trials: the best set, others that come close, and the Pareto front of money against the goal."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..answers.metrics import METRICS
from .question import PlanQuestion
from .sets import bits_of
from .trial import Trial

CLOSE_RATIO = 0.05
"""Others within this share of the best are listed."""
MAX_OTHERS = 5
SAME_RATIO = 1e-3
"""Goals that differ by less count as equal: the least expensive of these sets is the best one."""
N_DIGITS = 9
"""Values that agree to so many digits count as equal, so that rounding decides nothing."""

IsRobust = Callable[[int], bool]
"""Tells whether the conditions hold for a set after every single failure."""


@dataclass(frozen=True, eq=False)
class Choice:
    """Trials of a question, and the order of preference among them."""

    question: PlanQuestion
    trials: Mapping[int, Trial]
    is_robust: IsRobust = lambda _: True
    excludes: Sequence[int] = ()
    """Candidates that exclude each candidate."""
    running_years: float = 0.0
    """Present value of one dollar a year over the horizon of the price book."""
    _robust: dict[int, bool] = field(default_factory=dict, repr=False)

    def goal(self, trial: Trial) -> float | None:
        """Return the value of the goal; None where there is none."""
        return trial.values[0] if trial.values else None

    def loss(self, trial: Trial) -> float:
        """Return the goal so that less is better, rounded; infinite without a value."""
        goal = self.goal(trial)
        if goal is None:
            return math.inf
        return rounded(goal if METRICS[self.question.goal].better == "lower" else -goal)

    def holds(self, trial: Trial, *, any_price: bool = False) -> bool:
        """Return whether budget and conditions hold, without failures; at any price the conditions alone."""
        if not trial.values or trial.capex_usd is None or self.goal(trial) is None:
            return False
        budget_usd = None if any_price else self.question.budget_usd
        if budget_usd is not None and trial.capex_usd > budget_usd:
            return False
        return all(keep.holds(self.keep_value(trial, i)) for i, keep in enumerate(self.question.keeps))

    def keep_value(self, trial: Trial, keep: int) -> float | None:
        """Return the worst value of the metric of a condition."""
        return trial.values[1 + keep] if trial.values else None

    def distance(self, trial: Trial, *, with_goal: bool = True) -> float:
        """Return how far a set is from the conditions, as a sum of ratios; infinite where it has no values.

        Args:
            trial: the set.
            with_goal: count conditions on the goal.
        """
        if not trial.values or self.goal(trial) is None:
            return math.inf
        total = 0.0
        for i, keep in enumerate(self.question.keeps):
            if keep.metric == self.question.goal and not with_goal:
                continue
            value = self.keep_value(trial, i)
            if value is None:
                return math.inf
            if not keep.holds(value):
                total += abs(value - keep.value) / max(abs(value), abs(keep.value))
        return total

    def valid(self, trial: Trial, *, any_price: bool = False) -> bool:
        """Return whether budget and conditions hold, after failures too where the question asks for them."""
        if not self.holds(trial, any_price=any_price):
            return False
        if self.question.robust_to is None:
            return True
        members = trial.members
        if members not in self._robust:
            self._robust[members] = self.is_robust(members)
        return self._robust[members]

    def rank(self, trial: Trial) -> tuple[Any, ...]:
        """Return the key of the order of preference, the best first."""
        capex_usd = rounded(trial.capex_usd or 0.0)
        main = (self.loss(trial), capex_usd) if self.question.aim == "goal" else (capex_usd, self.loss(trial))
        return (*main, -rounded(trial.lease_usd), trial.members.bit_count(), tuple(bits_of(trial.members)))

    def best(self) -> Trial | None:
        """Return the best set; None where no set meets the conditions.

        For the best goal, it is the least expensive of the sets that are as good as the best one, with the running
        cost over the horizon of the price book, less the rent of added leases.
        """
        ranked = self._ranked(self.trials.values())
        first = next((trial for trial in ranked if self.valid(trial)), None)
        if first is None or self.question.aim == "money":
            return first
        limit = worse_by(self.loss(first), SAME_RATIO)
        as_good = [trial for trial in ranked if self.loss(trial) <= limit]
        return next(trial for trial in sorted(as_good, key=self._by_cost) if self.valid(trial))

    def nearest(self) -> Trial | None:
        """Return the best set without failures; None where no set meets the conditions."""
        return next(iter(self._ranked(self.trials.values())), None)

    def _ranked(self, trials: Iterable[Trial]) -> list[Trial]:
        return sorted((trial for trial in trials if self.holds(trial)), key=self.rank)

    def others(self, best: Trial) -> list[Trial]:
        """Return up to `MAX_OTHERS` sets within `CLOSE_RATIO` of the best, without needless members."""
        limit = worse_by(self._main(best), CLOSE_RATIO)
        found: list[Trial] = []
        for trial in self._ranked(self.trials.values()):
            if self._main(trial) > limit or len(found) == MAX_OTHERS:
                break
            if trial.members == best.members or self._has_needless(trial) or self._lacks_rent(trial):
                continue
            if self.valid(trial):
                found.append(trial)
        return found

    def _main(self, trial: Trial) -> float:
        return self.loss(trial) if self.question.aim == "goal" else rounded(trial.capex_usd or 0.0)

    def _has_needless(self, trial: Trial) -> bool:
        """Return whether a set without one of its members costs no more and is no worse."""
        for i in bits_of(trial.members):
            fewer = self.trials.get(trial.members & ~(1 << i))
            if fewer is None or not self.holds(fewer) or (fewer.capex_usd or 0.0) > (trial.capex_usd or 0.0):
                continue
            if fewer.lease_usd < trial.lease_usd:
                continue
            if self.loss(fewer) <= worse_by(self.loss(trial), SAME_RATIO) and self.valid(fewer):
                return True
        return False

    def _lacks_rent(self, trial: Trial) -> bool:
        """Return whether one more member, in place of those it excludes, adds rent at no cost to money and goal."""
        for i, excluded in enumerate(self.excludes):
            more = self.trials.get(trial.members & ~excluded | 1 << i)
            if more is None or more.lease_usd <= trial.lease_usd or not self.holds(more):
                continue
            costs_more = (more.capex_usd or 0.0) > (trial.capex_usd or 0.0)
            if not costs_more and self.loss(more) <= worse_by(self.loss(trial), SAME_RATIO) and self.valid(more):
                return True
        return False

    def pareto(self) -> list[Trial]:
        """Return the front of money against the goal, by rising cost; doing nothing is always the first."""
        return self._front((trial for trial in self.trials.values() if self.holds(trial)), self.valid)

    def open_front(self) -> list[Trial]:
        """Return the front at any price, without the target and without failures."""
        others = [i for i, keep in enumerate(self.question.keeps) if keep.metric != self.question.goal]
        known = (trial for trial in self.trials.values() if trial.values and self.goal(trial) is not None)
        keeps = self.question.keeps
        return self._front(t for t in known if all(keeps[i].holds(self.keep_value(t, i)) for i in others))

    def _front(self, trials: Iterable[Trial], valid: Callable[[Trial], bool] = lambda _: True) -> list[Trial]:
        front = [self.trials[0]]
        least = math.inf
        for trial in sorted(trials, key=self._by_money):
            if worse_by(self.loss(trial), SAME_RATIO) < least and valid(trial):
                least = self.loss(trial)
                if trial.members:
                    front.append(trial)
        return front

    def _by_cost(self, trial: Trial) -> tuple[Any, ...]:
        running_usd = self.running_years * (trial.opex_usd_per_year or 0.0)
        return (rounded((trial.capex_usd or 0.0) + running_usd - trial.lease_usd), *self._by_money(trial))

    def _by_money(self, trial: Trial) -> tuple[Any, ...]:
        money = rounded(trial.capex_usd or 0.0)
        rent = -rounded(trial.lease_usd)
        return (money, self.loss(trial), rent, trial.members.bit_count(), tuple(bits_of(trial.members)))


def rounded(value: float) -> float:
    """Return a value with `N_DIGITS` significant digits."""
    return float(f"{value:.{N_DIGITS - 1}e}") if math.isfinite(value) else value


def worse_by(loss: float, ratio: float) -> float:
    """Return a loss that is worse by a share of its magnitude."""
    return loss + ratio * abs(loss)


def gain(before: float | None, after: float | None, metric: str) -> float | None:
    """Return how much better a metric gets; negative where it gets worse, None without both values."""
    if before is None or after is None:
        return None
    return before - after if METRICS[metric].better == "lower" else after - before
