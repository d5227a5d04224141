"""Makes the answer of the planner: search, choice, what each member adds, and what the next dollar does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from ..answers.metrics import metric_unit
from ..economics.cost import annuity_ratio_per_year
from ..errors import TwinError
from ..errors.wording import counted
from ..progress import Advance
from ..render.numbers import metric_text
from ..render.plan_table import LESS_PROMISING
from ..render.quantities import usd_text
from ..studies.executor import Workers
from .bound import goal_bound
from .candidate import changes_of
from .choice import SAME_RATIO, Choice, gain, rounded, worse_by
from .collect import Collected
from .question import PlanQuestion
from .records import Considered, Omitted, PlanAddition, PlanCondition, PlanMember, PlanMethod, PlanOption, PlanReport
from .robust import RobustCheck
from .search import Found, Search, scope_of, trial_s
from .sets import bits_of
from .trial import OVER_BUDGET, Trial
from .verdict import (
    broken_sentence,
    late_sentence,
    losses_sentence,
    method_sentence,
    opex_change_usd,
    plan_verdict,
    unpriced_sentence,
)

MAX_NEXT = 100
"""Least expensive sets over the budget that are evaluated to find the next one that helps."""


class Names(NamedTuple):
    """Subject of the answer."""

    network: str
    job: str | None
    as_of: str | None


def plan_report(
    question: PlanQuestion,
    found: Collected,
    names: Names,
    workers: Workers,
    evaluate: Callable[[list[dict[str, Any]]], Mapping[str, float | None]],
    *,
    advance: Advance | None = None,
    cancel: threading.Event | None = None,
) -> PlanReport:
    """Search the sets of candidates and build the answer.

    Args:
        question: the checked question.
        found: its candidates.
        names: network, job and day.
        workers: backend and largest number of workers; the answer does not depend on them.
        evaluate: returns all metrics of the network after changes, from the engine of what-ifs.
        advance: called with the number of sets done and of all; an exception ends the search without an answer.
        cancel: event that another thread sets to end the search; the answer is the best so far.
    """
    robust = RobustCheck(question, found.here, trial_s(found.task), advance, cancel)
    if question.robust_to is not None:
        robust.check_work()

    running_years = 1.0 / annuity_ratio_per_year(found.here.engine.reader)

    def choice_of(trials: Mapping[int, Trial]) -> Choice:
        return Choice(question, trials, robust, found.rules.excludes, running_years)

    search = Search(found.task, found.rules, workers, choice_of, advance, cancel)
    result = search.run(scope_of(found.task, found.rules))
    if 0 not in result.trials:  # interrupted before the first set
        result.trials[0] = found.here.of(0)
    choice = choice_of(result.trials)
    robust.n_sets = len(result.trials)
    best = choice.best()
    if best is not None:  # so that the answer can say which sets were looked at after failures
        choice.pareto()
        choice.others(best)
    if robust.is_interrupted or robust.is_cut_short:
        result = result._replace(is_exact=False, interrupted=result.interrupted or robust.is_interrupted)
    return _Report(question, found, result, choice, best, robust).build(names, evaluate)


@dataclass(frozen=True, eq=False)
class _Report:
    question: PlanQuestion
    found: Collected
    result: Found
    choice: Choice
    best: Trial | None
    robust: RobustCheck

    def build(self, names: Names, evaluate: Callable[[list[dict[str, Any]]], Mapping[str, float | None]]) -> PlanReport:
        question, choice, best = self.question, self.choice, self.best
        today = choice.trials[0]
        plan = None if best is None else self._checked(best, evaluate)
        members = () if best is None else tuple(self._member(best, i) for i in bits_of(best.members))
        additions = () if best is None else tuple(self._additions(best))
        next_dollar = "" if best is None else self._next_dollar(best)
        method = self._method()
        return PlanReport(
            network=names.network,
            as_of=names.as_of,
            job=names.job,
            summary=tuple(self._summary(next_dollar)),
            goal=question.goal,
            unit=metric_unit(question.goal),
            aim=question.aim,
            budget_usd=question.budget_usd,
            keeps=tuple(
                PlanCondition(
                    metric=keep.metric,
                    sense=keep.sense,
                    value=keep.value,
                    today=choice.keep_value(today, i),
                    with_plan=None if best is None else choice.keep_value(best, i),
                    is_default=keep.is_default,
                )
                for i, keep in enumerate(question.keeps)
            ),
            by=None if question.by is None else question.by.isoformat(),
            until=question.until,
            robust_to=question.robust_to,
            goal_today=choice.goal(today),
            plan=plan,
            alternatives=() if best is None else tuple(self._option(trial) for trial in choice.others(best)),
            pareto=tuple(self._option(trial) for trial in choice.pareto()),
            members=members,
            additions=additions,
            next_dollar=next_dollar,
            considered=tuple(self._considered(i) for i in range(len(self.found.candidates))),
            left_out=(*self.found.omitted, *self._aside(additions)),
            method=method,
        )

    def _summary(self, next_dollar: str) -> Iterator[str]:
        members = 0 if self.best is None else self.best.members
        kept = set(self._ids(self.result.kept))
        unpriced = unpriced_sentence([(name, why if name in kept else "") for name, why in self._unpriced()])
        late = late_sentence(self.found.late, self.question)
        yield from plan_verdict(self.choice, self.result, self.best, self._ids(members), next_dollar, unpriced)
        if late:
            yield late
        yield from self._losses()

    def _losses(self) -> Iterator[str]:
        """Yield how much demand single failures cut off, of the plan or else of the best set without failures."""
        shown = self.choice.nearest() if self.best is None else self.best
        if self.question.robust_to is None or shown is None:
            return
        names, losses = self._ids(shown.members), self.robust.losses(shown.members)
        if self.best is None and not losses:
            yield broken_sentence(names, self.robust.broken_by(shown.members) or "")
        yield from losses_sentence(names, losses, allowed=self.best is not None)

    def _ids(self, members: int) -> tuple[str, ...]:
        return tuple(self.found.candidates[i].id for i in bits_of(members))

    def _unpriced(self) -> list[tuple[str, str]]:
        """Return (id, reason) of each candidate that has no price alone."""
        sets = [(item.id, self.found.rules.closure(1 << i)) for i, item in enumerate(self.found.candidates)]
        known = [(name, self.choice.trials.get(members)) for name, members in sets if members is not None]
        return [(name, trial.why) for name, trial in known if trial is not None and trial.is_unpriced]

    def _changes(self, members: int) -> tuple[dict[str, Any], ...]:
        return tuple(changes_of(self.found.candidates[i] for i in bits_of(members)))

    def _trial(self, members: int) -> Trial:
        """Return the trial of a set, whatever it costs."""
        known = self.choice.trials.get(members)
        if known is None or known.why == OVER_BUDGET:
            known = self.found.here.of(members, any_price=True)
        return known

    def _option(self, trial: Trial) -> PlanOption:
        metrics = {self.question.goal: self.choice.goal(trial)}
        for i, keep in enumerate(self.question.keeps):
            metrics.setdefault(keep.metric, self.choice.keep_value(trial, i))
        return PlanOption(
            self._ids(trial.members),
            self._changes(trial.members),
            trial.capex_usd,
            opex_change_usd(self.choice, trial),
            trial.lease_usd,
            self.choice.goal(trial),
            metrics,
        )

    def _checked(
        self, best: Trial, evaluate: Callable[[list[dict[str, Any]]], Mapping[str, float | None]]
    ) -> PlanOption:
        """Return the plan with all metrics of the engine of what-ifs, which must agree with the search."""
        changes = self._changes(best.members)
        metrics = dict(evaluate(list(changes)))
        capex_usd = metrics["capex_usd"] or 0.0
        searched = self.choice.goal(best) if self.question.years == (0.0,) else metrics[self.question.goal]
        if rounded(capex_usd) != rounded(best.capex_usd or 0.0) or metrics[self.question.goal] != searched:
            raise TwinError(
                f"the search and the what-if disagree on {', '.join(self._ids(best.members))}",
                hint="this is a fault of the planner: please report it",
            )
        opex_usd = opex_change_usd(self.choice, best)
        ids, goal = self._ids(best.members), self.choice.goal(best)
        return PlanOption(ids, changes, capex_usd, opex_usd, best.lease_usd, goal, metrics)

    def _member(self, best: Trial, row: int) -> PlanMember:
        candidate, choice = self.found.candidates[row], self.choice
        without = self._trial(self._without(best.members, row))
        goal = choice.goal(without)
        why = without.why if goal is None else "" if choice.holds(without) else "the conditions do not hold without it"
        saved = None if without.capex_usd is None else (best.capex_usd or 0.0) - without.capex_usd
        better = gain(goal, choice.goal(best), self.question.goal)
        rent = best.lease_usd - without.lease_usd
        return PlanMember(candidate.id, candidate.note, saved, rent, goal, better, why)

    def _without(self, members: int, row: int) -> int:
        """Return a set without one candidate and those that need it."""
        gone = 1 << row
        while True:
            more = gone
            for i in bits_of(members):
                if self.found.rules.needs[i] & gone:
                    more |= 1 << i
            if more == gone:
                return members & ~gone
            gone = more

    def _additions(self, best: Trial) -> list[PlanAddition]:
        rows = []
        for i, candidate in enumerate(self.found.candidates):
            if best.members >> i & 1:
                continue
            members = self.found.rules.closure(best.members & ~self.found.rules.excludes[i] | 1 << i)
            if members is None:
                rows.append(PlanAddition(candidate.id, None, None, None, "a member excludes what it needs"))
                continue
            trial = self._trial(members)
            goal = self.choice.goal(trial)
            more_usd = None if trial.capex_usd is None else trial.capex_usd - (best.capex_usd or 0.0)
            better = gain(self.choice.goal(best), goal, self.question.goal)
            rows.append(PlanAddition(candidate.id, more_usd, goal, better, self._why_not(trial, better)))
        return rows

    def _aside(self, additions: Sequence[PlanAddition]) -> Iterator[Omitted]:
        """Yield the candidates that the search left aside: why they have no price, or what they do beside the plan."""
        why = {row.candidate: row.why for row in additions}
        unpriced = dict(self._unpriced())
        for i, candidate in enumerate(self.found.candidates):
            if not self.result.kept >> i & 1:
                beside = why.get(candidate.id, "there is none")
                text = unpriced.get(candidate.id) or f"{LESS_PROMISING}{beside}"
                yield Omitted(candidate.id, candidate.kind, text)

    def _why_not(self, trial: Trial, better: float | None) -> str:
        choice, question = self.choice, self.question
        if not trial.values or choice.goal(trial) is None:
            return trial.why
        broken = [keep for i, keep in enumerate(question.keeps) if not keep.holds(choice.keep_value(trial, i))]
        if broken:
            return f"{broken[0].text} would not hold"
        if question.budget_usd is not None and (trial.capex_usd or 0.0) > question.budget_usd:
            return OVER_BUDGET
        if better is not None and better < 0.0:
            return f"{question.goal} gets worse"
        return "adds nothing" if not better else "costs more than needed" if question.aim == "money" else "adds little"

    def _next_dollar(self, best: Trial) -> str:
        """Return why more money does not help, or the cost of the next better set."""
        question, choice = self.question, self.choice
        if question.aim == "money":
            return (
                f"Less than {usd_text(best.capex_usd or 0.0)} does not meet the conditions." if best.capex_usd else ""
            )
        held = " and meets the conditions" if question.keeps or question.robust_to else ""
        over = [trial for trial in choice.trials.values() if trial.why == OVER_BUDGET]
        over.sort(key=lambda trial: (rounded(trial.capex_usd or 0.0), trial.members))
        near = [trial for i, trial in enumerate(over) if i < MAX_NEXT or trial.members in self.result.beyond]
        richer = self._next_better(best, near)
        if richer is not None:
            more = usd_text((richer.capex_usd or 0.0) - (question.budget_usd or 0.0))
            goal = metric_text(question.goal, choice.goal(richer))
            names = ", ".join(self._ids(richer.members))
            of_known = "" if len(near) == len(over) else " that was looked at"
            return f"The next better set{of_known} costs {more} more than the budget: {names} gives {goal}."
        if len(over) > len(near):
            return f"None of the {len(near):,} sets over the budget that were looked at is better{held}."
        of_these = "of these candidates" if self.result.is_exact else "that was looked at"
        return f"No set {of_these} is better{held} at any price."

    def _next_better(self, best: Trial, over: Sequence[Trial]) -> Trial | None:
        """Return the first of sets over the budget, by cost, that is better; of several at its cost the best one."""
        choice = self.choice
        for _, group in groupby(over, key=lambda trial: rounded(trial.capex_usd or 0.0)):
            known = [self.result.beyond.get(trial.members) or self._trial(trial.members) for trial in group]
            for richer in sorted(known, key=choice.rank):
                is_better = worse_by(choice.loss(richer), SAME_RATIO) < choice.loss(best)
                if is_better and choice.valid(richer, any_price=True):
                    return richer
        return None

    def _considered(self, row: int) -> Considered:
        candidate = self.found.candidates[row]
        members = self.found.rules.closure(1 << row)
        trial = Trial(1 << row, None, (), "what it needs excludes it") if members is None else self._trial(members)
        goal = self.choice.goal(trial)
        return Considered(
            candidate.id, candidate.kind, candidate.note, trial.capex_usd, goal, trial.why if goal is None else ""
        )

    def _method_text(self, n: int, n_evaluated: int, bound: float | None) -> str:
        text = method_sentence(self.result, n, n_evaluated, bound, self.question.goal)
        if self.robust.is_cut_short:
            text += f" Failures were looked at for the best {counted(self.robust.n_checked, 'set')} only."
        return text

    def _method(self) -> PlanMethod:
        result, question = self.result, self.question
        n_evaluated = sum(bool(trial.values) for trial in result.trials.values())
        bound = None if result.is_exact else goal_bound(question.goal, self.found)
        n = len(self.found.candidates)
        return PlanMethod(
            is_exact=result.is_exact,
            interrupted=result.interrupted,
            n_candidates=n,
            n_sets=result.n_sets,
            n_evaluated=n_evaluated,
            bound=bound,
            sentence=self._method_text(n, n_evaluated, bound),
        )
