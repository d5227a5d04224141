"""The network that answers questions of money and time: bills, present values, and the readiness of sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from .answers.bill import Bill, bill_of
from .answers.plan_money import MoneyQuestion, PlanMoney, plan_money
from .answers.readiness import Readiness, check_ready, day_of, fully_built, readiness_of, wait_days
from .answers.score import score_of
from .answers.signed_leases import signed_leases
from .catalogue.ageing import AgeingCase
from .evaluated_network import Changes, EvaluatedNetwork, Notify, plan_name, report_phase
from .progress import Advance, Progress
from .scenario.apply import apply_changes
from .studies.points import metric_of_case
from .studies.schedule import Schedule, schedule_of
from .studies.sweep import check_metric, default_metric
from .studies.works import DRAIN_DAYS, WorkQuestion


class MoneyNetwork(EvaluatedNetwork):
    """A network with the answers about money."""

    def bill(self, plan_or_changes: Changes, job: str | None = None) -> Bill:
        """List what a plan or changes buy, change by change, and what a year then costs more.

        Args:
            plan_or_changes: a plan's name, a change, or a list of changes (objects, or mappings with `kind`).
            job: id of a job, for changes that name its sites; the default job otherwise.

        Returns:
            Lines with quantity, price with its range and source, and the price book. Their sums are those of `what_if`.

        Raises:
            ChangeError: a target is missing, or the result cannot be built.
            DocumentError: a change has unknown or invalid fields.
            CatalogueError: unknown plan, job or part.
        """
        where, changes, plan = self._parse_changes(plan_or_changes)
        before = self._scenario(None, job)
        apply_changes(before, changes, self._reader, where)
        return bill_of(plan.id if plan else None, self.label, before, changes, self._reader, where)

    def money(
        self,
        plan_or_changes: Changes,
        job: str | None = None,
        *,
        horizon_years: float | None = None,
        discount_ratio_per_year: float | None = None,
        usd_per_million_tokens: float | None = None,
        leases: Sequence[Any] = (),
        jobs: Sequence[str] | None = None,
        ageing: AgeingCase = "value",
        notify: Notify | None = None,
    ) -> PlanMoney:
        """Weigh what a plan or changes cost against what they bring.

        Args:
            plan_or_changes: a plan's name, a change, or a list of changes (objects, or mappings with `kind`).
            job: id of a job, whose work counts; the default job otherwise.
            horizon_years: time that counts; None = `horizon_years` of the price book.
            discount_ratio_per_year: 0.1 is 10 %; None = that of the price book.
            usd_per_million_tokens: worth of the job's work; None = list rental of its accelerators, 0 = nothing.
            leases: leases that are signed together with the plan, as records or mappings with the fields of `leases`.
            jobs: ids of jobs that run together, as for `score`.
            ageing: low, value (central) or high.
            notify: called with the name of each phase.

        Returns:
            Net present value over the horizon and over the firm part of leases, payback, unit costs, and the bill.

        Raises:
            ChangeError: a target is missing, the result cannot be built, a figure is out of bounds, or leases take more
                than there is beside the job.
            CatalogueError: unknown plan, job or part.
        """
        ask = MoneyQuestion(horizon_years, discount_ratio_per_year, usd_per_million_tokens)
        ask.check()
        report_phase(notify, "reading the network")
        where, changes, plan = self._parse_changes(plan_or_changes)
        job, together = self._jobs_of(job, jobs)
        scenarios = [self._scenario(None, name, ageing) for name in (job, *together)]
        after = [apply_changes(scenario, changes, self._reader, where) for scenario in scenarios]
        report_phase(notify, "scoring")
        old, _ = self._evaluate_jobs(scenarios[0].case, [other.case for other in scenarios[1:]])
        new, _ = self._evaluate_jobs(after[0].case, [other.case for other in after[1:]], scenarios[0].case.state)
        bill = bill_of(plan.id if plan else None, self.label, scenarios[0], changes, self._reader, where)
        scores = score_of(old, self.label), score_of(new, self.label)
        return plan_money(bill, *scores, old, new, self._reader.fresh(), ask, signed_leases(leases, new))

    def readiness(
        self, changes: Changes | None = None, *, on: date | str | None = None, job: str | None = None
    ) -> Readiness:
        """Compare what sites need with their budgets of power, cooling, rack places and network, day by day.

        Args:
            changes: a plan's name, a change or a list of changes to apply first.
            on: day on which the changes shall be done; None = any.
            job: id of a job, for changes that name its sites; the default job otherwise.

        Returns:
            Usable accelerators of each site by day with the budget that limits them, and the first day that is enough.

        Raises:
            ChangeError: a budget is too small on that day (it names the budget and the days until it is enough), a
                date before the document, or a result that cannot be built even on the last day.
        """
        day = None if on is None else day_of(self.document, on)
        full = self.with_document(fully_built(self.document))
        scenario = full._scenario(changes, job)
        if day is not None:
            check_ready(scenario, self.document, day, self._reader)
        return readiness_of(plan_name(changes), self.label, scenario, self.document, self._reader)

    def schedule(
        self,
        plan_or_changes: Changes,
        job: str | None = None,
        *,
        goal: str | None = None,
        n_waves: int = 2,
        lead_days: Mapping[str, int] | None = None,
        drain_days: int = DRAIN_DAYS,
        ageing: AgeingCase = "value",
        notify: Notify | None = None,
        advance: Advance | None = None,
    ) -> Schedule:
        """Put the changes of a plan in an order of works, and evaluate each state on the way.

        Works start once delivered, one after the other. Of several that can start, the one whose first wave harms least
        goes first. Each wave is out of service for its window. It waits until budgets of which it needs more are enough
        and stay so; the last one waits for all budgets.

        Args:
            plan_or_changes: a plan's name, a change, or a list of changes (objects, or mappings with `kind`).
            job: id of a job; the default job otherwise.
            goal: metric of each state; None = the step time with a job, else the busiest link.
            n_waves: waves of each change of links, switches or racks, from 1 to 64.
            lead_days: days from order to delivery by kind of change, in place of `studies.works.LEAD_DAYS`.
            drain_days: days for which a wave is out of service.
            ageing: low, value (central) or high.
            notify: called with the name of each phase.
            advance: called for each state with the percent of the work that is done, and 100; an exception ends it.

        Returns:
            The states in order with their days, the worst value of all, and the days at risk.

        Raises:
            ChangeError: unknown metric or kind, a number out of bounds, too many states, or budgets too small for ever.
            CatalogueError: unknown plan or job.
        """
        ask = WorkQuestion(n_waves, lead_days, drain_days)
        ask.check()
        goal = default_metric(self.job(job)) if goal is None else goal
        check_metric(goal)
        where, changes, plan = self._parse_changes(plan_or_changes)
        report_phase(notify, "reading the network")
        full = self.with_document(fully_built(self.document))
        origin = full._scenario(None, job, ageing)
        apply_changes(origin, changes, self._reader, where)
        report_phase(notify, "ordering works")
        return schedule_of(
            plan.id if plan else None,
            self.label,
            origin,
            changes,
            goal,
            ask,
            lambda case: metric_of_case(case, goal, full._engine),
            lambda case: metric_of_case(case, "unrouted_gbps", full._engine),
            lambda scenario, day, before: wait_days(scenario, self.document, day, self._reader, before),
            self._reader,
            where,
            Progress(advance),
        )
