"""The network that plans: searches sets of changes for the best one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from threading import Event
from typing import Any

from .answers.readiness import fully_built
from .answers.score import metric_values
from .answers.warning import as_built_warnings
from .catalogue.ageing import AgeingCase
from .money_network import MoneyNetwork
from .planner.candidate import own_candidates
from .planner.collect import collect, unchanged
from .planner.plan import Names, plan_report
from .planner.question import plan_question
from .planner.ready import Deadline
from .planner.records import PlanReport, PlanWorth
from .planner.verdict import worth_sentences
from .progress import Advance
from .scenario.apply import apply_changes, parse_changes
from .studies.executor import workers_of
from .studies.sweep import default_metric
from .studies.works import WorkQuestion


class PlanNetwork(MoneyNetwork):
    """A network with the planner."""

    def plan(
        self,
        *,
        budget_usd: float | None = None,
        goal: str | None = None,
        target: str | None = None,
        keep: Sequence[str] = (),
        until: int | None = None,
        by: date | str | None = None,
        lead_days: Mapping[str, int] | None = None,
        robust_to: str | None = None,
        candidates: Sequence[Any] = (),
        generate: bool = True,
        job: str | None = None,
        ageing: AgeingCase = "value",
        executor: str = "serial",
        n_workers: int = 1,
        dask: str | None = None,
        advance: Advance | None = None,
        cancel: Event | None = None,
    ) -> PlanReport:
        """Search sets of changes for the best goal within a budget, or the least cost that meets conditions.

        After Ctrl-C, or once `cancel` is set, the answer is the best plan found so far.

        Args:
            budget_usd: most purchases; None = no limit.
            goal: metric to improve; the step time otherwise, or the busiest link without a job.
            target: value of a metric to reach at least cost: `"step_time_s=4"`; in place of a goal.
            keep: conditions: `"max_link_utilisation_ratio<=0.7"`. Conditions alone ask for the least cost.
            until: calendar year until whose end goal and conditions hold, as fibre ages and demands grow.
            by: day from which they hold, a date or its ISO text; the day of the document otherwise. A plan that cannot
                be delivered and built by then is not feasible.
            lead_days: days from order to delivery by kind of change, in place of `studies.works.LEAD_DAYS`.
            robust_to: `link`, `srlg` or `site`: conditions hold after any single failure of that kind too.
            candidates: own candidates: mappings with `id`, `changes`, and optionally `note` and `needs`.
            generate: look for candidates in the network, the catalogue and own parts, too.
            job: id of a job; the default job otherwise.
            ageing: low, value (central) or high.
            executor: `serial`, `threads` or `processes`.
            n_workers: maximum number of threads or processes; the answer does not depend on it.
            dask: address of a dask scheduler whose workers help, in place of an executor (extra `dask`).
            advance: called with the number of sets done and of all; an exception ends the search without an answer.
            cancel: event that another thread sets to end the search.

        Returns:
            The plan, what each member adds, others within 5 %, the front of money against goal, and how exact it is.

        Raises:
            ChangeError: a question that contradicts itself, an unknown metric, a number or day out of bounds, or a
                candidate that does not apply or cannot be built; it is named.
        """
        ask = WorkQuestion(lead_days=lead_days)
        ask.check()
        # with a day, sites have what arrives until then; the deadline refuses what comes later
        has_budgets = any(site.budgets for site in self.document.sites)
        full = self.with_document(fully_built(self.document)) if by is not None and has_budgets else self
        scenario = full._baseline(job, ageing)
        before = self._engine.evaluate(scenario.case)
        question = plan_question(
            goal=goal,
            budget_usd=budget_usd,
            target=target,
            keep=keep,
            until=until,
            by=by,
            robust_to=robust_to,
            default_goal=default_metric(scenario.case.job),
            as_of=self.document.as_of,
            training_loss=None if before.loss is None else before.loss.central_ratio,
            unchanged=partial(unchanged, scenario, self._engine),
        )
        workers = workers_of(executor, n_workers, None, dask)
        deadline = None if question.by is None else Deadline.of(self.document, question.by, ask)
        found = collect(question, scenario, self._engine, own_candidates(candidates), generate, deadline)

        def evaluate(changes: list[dict[str, Any]]) -> dict[str, float | None]:
            after = apply_changes(scenario, parse_changes(changes), self._reader)
            values = metric_values(self._engine.evaluate(after.case, scenario.case.state))
            return {name: value.value for name, value in values.items() if value.value is not None}

        day, its_job = self.document.as_of, scenario.case.job
        names = Names(self.label, None if its_job is None else its_job.id, None if day is None else day.isoformat())
        answer = plan_report(question, found, names, workers, evaluate, advance=advance, cancel=cancel)
        answer = replace(answer, warnings=as_built_warnings(self.build_faults.values()))
        if not answer.changes:
            return answer
        money = full.money(answer.changes, job, ageing=ageing)
        worth = None if money.horizon is None else PlanWorth(money.horizon, money.firm, money.payback_years, money.loss)
        return replace(answer, worth=worth, summary=(*answer.summary, *worth_sentences(worth)))
