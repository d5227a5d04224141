"""The network that compares: what-ifs, previews, the network after changes, and two networks side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Self

from .answers.compared_rows import Trial
from .answers.comparison import PlanComparison, plan_comparison
from .answers.diff import Diff, diff_of
from .answers.document_records import DocumentSide
from .answers.effect_causes import Trials, parts_of
from .answers.effects import effects_of
from .answers.main_assumptions import MainAssumption, find_main_assumptions
from .answers.missing_inputs import missing_inputs
from .answers.network_diff import ComparedSide, NetworkDiff, network_diff
from .answers.preview import Preview, preview_of
from .answers.score import score_of
from .answers.warning import as_built_warnings
from .catalogue.ageing import AgeingCase
from .errors import ChangeError, TwinError
from .evaluated_network import Changes, Notify, plan_name, report_phase
from .formats import write_document
from .model.jobs import TrainingJob
from .planning_network import PlanningNetwork
from .scenario.applied import applied_document
from .scenario.apply import Scenario, apply_changes
from .scenario.changes import Change
from .scenario.generated_demands import with_generated
from .scenario.plan_targets import plan_issues

MAX_NAME = 200
N_EFFECTS = 10
"""Effects of each kind and direction that an answer lists unless it is asked for more."""


class ComparedNetwork(PlanningNetwork):
    """A network with what changes do to it."""

    def what_if(
        self,
        plan_or_changes: Changes,
        job: str | None = None,
        *,
        jobs: Sequence[str] | None = None,
        ageing: AgeingCase = "value",
        main_assumptions: bool = True,
        causes: bool = True,
        top: int = N_EFFECTS,
        notify: Notify | None = None,
    ) -> Diff:
        """Compare the network before and after changes.

        Args:
            plan_or_changes: a plan's name, a change, or a list of changes (objects, or mappings with `kind`).
            job: id of a job; the default job otherwise.
            jobs: ids of jobs that run together, as for `score`.
            ageing: low, value (central) or high.
            main_assumptions: find the assumptions that move the change most. This takes most of the time; leave it out
                where many changes are compared.
            notify: called with the name of each phase.

        Returns:
            Both scores, the change of each metric, what got better or worse and why, and the items to buy. Its
            `network` is the network after the changes.

        Raises:
            ChangeError: a target is missing, or the result cannot be built.
            DocumentError: a change has unknown or invalid fields.
            CatalogueError: unknown plan, job or part.
        """
        report_phase(notify, "reading the network")
        where, changes, plan = self._parse_changes(plan_or_changes)
        name, together = self._jobs_of(job, jobs)
        before = [self._scenario(None, each, ageing) for each in (name, *together)]
        report_phase(notify, "before: scoring")
        old = self._trial(before)
        report_phase(notify, "applying changes")
        after = [apply_changes(scenario, changes, self._reader, where) for scenario in before]
        report_phase(notify, "after: scoring")
        new = self._trial(after, before[0])
        report_phase(notify, "looking for causes")
        trials = Trials(parts_of(changes) if causes else (), partial(self._with_some, before, changes))
        effects = effects_of(old, new, trials, top)
        main: tuple[MainAssumption, ...] = ()
        if main_assumptions:
            report_phase(notify, "ranking assumptions")
            main = find_main_assumptions(self._engine, new.evaluation, old.evaluation)
        warnings = (
            *as_built_warnings(after[0].faults().values() if after[0].faults else ()),
            *missing_inputs(after[0].case.state, self._reader),
        )
        plan_id = plan.id if plan else None
        return diff_of(
            plan_id,
            replace(score_of(old.evaluation, self.label), warnings=self.warnings, jobs=old.among),
            replace(score_of(new.evaluation, self.label), warnings=warnings, jobs=new.among),
            old.evaluation,
            new.evaluation,
            preview_of(plan_id, self.label, before[0], after[0], self._reader),
            effects,
            main,
            partial(self._applied, after[0], _jobs_of(after[1:]), plan_name(plan_or_changes)),
        )

    def _trial(self, scenarios: Sequence[Scenario], before: Scenario | None = None) -> Trial:
        """Evaluate a scenario, with the jobs of the others beside its own."""
        first, *others = scenarios
        cases = [scenario.case for scenario in others]
        return Trial(*self._evaluate_jobs(first.case, cases, None if before is None else before.case.state))

    def _with_some(self, before: Sequence[Scenario], changes: Sequence[Change], chosen: Sequence[int]) -> Trial | None:
        """Evaluate scenarios after some of the changes; None where these cannot be applied without the others."""
        try:
            after = [apply_changes(scenario, [changes[i] for i in chosen], self._reader) for scenario in before]
            return self._trial(after, before[0])
        except TwinError:
            return None

    def preview(self, plan_or_changes: Changes, job: str | None = None, *, ageing: AgeingCase = "value") -> Preview:
        """List what a plan or changes would do to the records of the network; nothing is evaluated.

        Args:
            plan_or_changes: a plan's name, a change, or a list of changes (objects, or mappings with `kind`).
            job: id of a job; the default job otherwise.
            ageing: low, value (central) or high.

        Returns:
            Records that are added, removed, replaced or changed, totals before and after, and the items to buy.

        Raises:
            ChangeError: a target is missing, or the result cannot be built.
            DocumentError: a change has unknown or invalid fields.
            CatalogueError: unknown plan, job or part.
        """
        where, changes, plan = self._parse_changes(plan_or_changes)
        before = self._scenario(None, job, ageing)
        after = apply_changes(before, changes, self._reader, where)
        return preview_of(plan.id if plan else None, self.label, before, after, self._reader)

    def apply(self, plan_or_changes: Changes, job: str | None = None) -> Self:
        """Return the network after a plan or changes: a network like any other.

        It can be scored, saved, exported and changed again. Its metrics are those of the what-if to the last bit, but
        for purchases: what changes bought stands there, as if it had always done so.

        Args:
            plan_or_changes: a plan's name, a change, or a list of changes (objects, or mappings with `kind`).
            job: id of the job that changes of a job apply to; the default job otherwise, with those that run beside it.

        Raises:
            ChangeError: a target is missing, or the result cannot be built.
            DocumentError: a change has unknown or invalid fields.
            CatalogueError: unknown plan, job or part.
        """
        where, changes, _ = self._parse_changes(plan_or_changes)
        name, together = self._jobs_of(job, None)
        after = apply_changes(self._scenario(None, name), changes, self._reader, where)
        others = (apply_changes(self._scenario(None, other), changes, self._reader, where) for other in together)
        return self._applied(after, _jobs_of(others), plan_name(plan_or_changes))

    def _applied(self, after: Scenario, jobs: Sequence[TrainingJob], plan: str | None) -> Self:
        """Return the network of a scenario after changes."""
        document = applied_document(after, jobs)
        label = f"{self.label} after {plan}" if plan else self.label
        document = document.model_copy(update={"name": label[:MAX_NAME]})
        network = self.with_document(document)
        network.label = document.name
        if document.traffic and not _is_same_traffic(network, after):
            document = document.model_copy(update={"demands": tuple(after.case.document.demands), "traffic": ()})
            network = self.with_document(document)
        network.label = document.name
        return network._without_lost_plans()

    def _without_lost_plans(self) -> Self:
        """Return the network without plans that name what changes removed."""
        lost = {
            plan.id
            for plan in self.document.plans
            if next(plan_issues(self.document.model_copy(update={"plans": (plan,)}), self.arrays, self.catalogue), None)
        }
        if lost:
            plans = tuple(plan for plan in self.document.plans if plan.id not in lost)
            self.document = self.document.model_copy(update={"plans": plans})
        return self

    def compare_plans(
        self,
        plans: Sequence[str] | None = None,
        job: str | None = None,
        *,
        ageing: AgeingCase = "value",
        notify: Notify | None = None,
    ) -> PlanComparison:
        """Compare plans of the network side by side.

        Args:
            plans: ids of plans; None = all of the document.
            job: id of a job; the default job otherwise.
            ageing: low, value (central) or high.
            notify: called with the name of each plan.

        Raises:
            ChangeError: there are no plans, or one cannot be built.
            CatalogueError: unknown plan or job.
        """
        names = [plan.id for plan in self.document.plans] if plans is None else list(dict.fromkeys(plans))
        if not names:
            raise ChangeError(f"{self.label} has no plans", where="plans", hint="add some under `plans`")
        found = []
        for name in names:
            report_phase(notify, f"plan {name}")
            found.append(self.what_if(name, job, ageing=ageing, main_assumptions=False, causes=False))
        return plan_comparison(found)

    def compare(
        self,
        other: ComparedNetwork | None = None,
        *,
        changes: Changes | None = None,
        other_changes: Changes | None = None,
        job: str | None = None,
        ageing: AgeingCase = "value",
        top: int = N_EFFECTS,
        notify: Notify | None = None,
    ) -> NetworkDiff:
        """Compare this network with another one, or two plans of this one: records, then metrics.

        Args:
            other: the other network; None = this one, after other changes.
            changes: a plan's name, a change or a list of changes to apply to this network first.
            other_changes: the same for the other network.
            job: id of a job of both; the default job of each otherwise.
            ageing: low, value (central) or high.
            top: most links, demands and jobs to list that are better in the other network, and as many that are worse.
            notify: called with the name of each phase.

        Raises:
            ChangeError: a target is missing, or the result cannot be built.
            CatalogueError: unknown plan or job.
        """
        report_phase(notify, "reading the network")
        old = self._compared_side(changes, job, ageing)
        report_phase(notify, "reading the other network")
        new = (self if other is None else other)._compared_side(other_changes, job, ageing)
        report_phase(notify, "comparing")
        return network_diff(old, new, top)

    def _compared_side(self, changes: Changes | None, job: str | None, ageing: AgeingCase) -> ComparedSide:
        """Return one side of a comparison; purchases are those of its changes."""
        name, together = self._jobs_of(job, None)
        before = [self._scenario(None, each, ageing) for each in (name, *together)]
        after, network = before, self
        if changes is not None:
            where, parsed, _ = self._parse_changes(changes)
            after = [apply_changes(scenario, parsed, self._reader, where) for scenario in before]
            network = self._applied(after[0], _jobs_of(after[1:]), plan_name(changes))
        trial = self._trial(after, None if changes is None else before[0])
        side = DocumentSide(network.document, network.nodes, network.links)
        label = self.label if changes is None else f"{self.label} after {plan_name(changes)}"
        return ComparedSide(label, side, trial, replace(score_of(trial.evaluation, self.label), jobs=trial.among))

    def save(self, path: str | Path) -> None:
        """Write the document of the network; loading it gives the same answers to the last bit.

        Args:
            path: file that ends in .yaml, .yml or .json.

        Raises:
            DocumentError: unknown ending, or more bytes than a document may have.
        """
        write_document(self.document, Path(path))


def _jobs_of(scenarios: Iterable[Scenario]) -> list[TrainingJob]:
    return [scenario.case.job for scenario in scenarios if scenario.case.job is not None]


def _is_same_traffic(network: ComparedNetwork, after: Scenario) -> bool:
    """Return whether the blocks of `traffic` make the demands of a scenario again after its changes."""
    if after.generated is None:
        return True
    try:
        made = network.generated_demands
    except TwinError:  # names that are gone, or a peak that cannot be reached any more
        return False
    return with_generated(network.document, made).demands == after.case.document.demands
