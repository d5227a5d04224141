"""The network that evaluates: its engine, its records by name, and its cases after changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np

from .answers.jobs_together import JobAmongOthers, jobs_among_others
from .answers.missing_inputs import missing_inputs
from .answers.residuals import MeasuredNetwork
from .answers.warning import AnswerWarning, as_built_warnings
from .arrays import TIERS, CompiledNetwork, Ints, NetworkArrays, State
from .catalogue import PriceBook, load_price_book
from .catalogue.ageing import AgeingCase, ageing_case_named
from .catalogue.figure_reader import FigureReader
from .errors import CatalogueError, ChangeError, TopologyError, did_you_mean
from .errors.wording import counted, type_text, value_text
from .formats.traffic_text import read_traffic
from .model.demand_columns import DemandColumns
from .model.document import Plan, TopologyDocument, TrafficBlock
from .model.jobs import TrainingJob
from .model.validation import validate_as
from .scenario.apply import Scenario, apply_changes, baseline, parse_changes
from .scenario.build_fault import BuildFault
from .scenario.change import StateChange, StructureChange, WorkloadChange
from .scenario.changes import Change
from .scenario.feasibility import build_faults
from .scenario.generated_demands import check_traffic, generated_demands
from .scenario.plan_targets import plan_issues
from .scenario.select import Links, select_links
from .stages.engine import Engine
from .stages.evaluation import Case, Evaluation
from .stages.together import evaluate_together

RecordT = TypeVar("RecordT", TrainingJob, Plan)
Notify = Callable[[str], None]
"""A function that receives the name of each phase."""
Changes = str | Mapping[str, Any] | Change | Sequence[Any]
"""Name of a plan, one change or a list of changes; a change is an object or a mapping with `kind`."""


class EvaluatedNetwork(CompiledNetwork):
    """A compiled network with the engine that evaluates its cases; it keeps what it computed."""

    label: str = ""
    """Name of the network in answers: the document's name, or how it was loaded."""
    _baseline_of_traffic: Scenario | None = None
    """The unchanged network with generated demands: one document, so that the stage cache compares it by identity."""
    _is_as_read = False
    """Whether the records are those of the document that was read; an edit may remove what a plan names."""

    @cached_property
    def price_book(self) -> PriceBook:
        """Shipped placeholder prices, replaced by the document's own entries."""
        return load_price_book(dict(self.document.price_book) or None, own_parts=self.document.parts)

    @cached_property
    def _reader(self) -> FigureReader:
        return FigureReader(self.catalogue, self.price_book)

    @cached_property
    def build_faults(self) -> dict[str, BuildFault]:
        """Rules that the network breaks as it stands, by key: ports, cages, bands, amplifiers, power and places."""
        return build_faults(State.of(self.arrays), self.document, self._reader)

    @cached_property
    def warnings(self) -> tuple[AnswerWarning, ...]:
        """Rules that the network breaks as it stands, and inputs that some links leave out, one row for each kind."""
        missing = missing_inputs(State.of(self.arrays), self._reader)
        return (*as_built_warnings(self.build_faults.values()), *missing)

    def _as_built_warnings(self, evaluation: Evaluation) -> tuple[AnswerWarning, ...]:
        """Return warnings of the rules that the network of an evaluation breaks."""
        case = evaluation.case
        state, document = case.state, case.document
        if state.arrays is self.arrays and not state.overlay and (not document.leases or case.job in document.jobs):
            return as_built_warnings(self.build_faults.values())
        return as_built_warnings(build_faults(state, document, self._reader, case.job).values())

    @cached_property
    def generated_demands(self) -> DemandColumns:
        """Demands of the blocks of `traffic`, made on the network without changes; answers use them, too.

        Raises TopologyError for unknown nodes, too many demands, or a peak utilisation that cannot be reached.
        """
        with self.at_origin():
            return generated_demands(self, self._engine)

    def with_traffic(self, traffic: str | Path | TrafficBlock) -> Self:
        """Return the network with other traffic in place of its demands and blocks.

        Args:
            traffic: path of a CSV or .npy matrix, a generator with its values (`all-to-all:total_gbps=1`), or a block.

        Raises:
            DocumentError: the file cannot be read, or bad parameters.
            CatalogueError: unknown generator.
        """
        block = traffic if isinstance(traffic, TrafficBlock) else read_traffic(traffic)
        network = self.with_document(self.document.model_copy(update={"demands": (), "traffic": (block,)}))
        check_traffic(network.document)
        return network

    @cached_property
    def _engine(self) -> Engine:
        return Engine(self.catalogue, self.price_book)

    def job(self, name: str | None = None) -> TrainingJob | None:
        """Return a job by id, else the document's default job, else its first job.

        Args:
            name: id of a job; None for the default.

        Returns:
            The job; None for a document without jobs.

        Raises:
            CatalogueError: unknown id; the message has similar names.
        """
        name = name or self.document.default_job or next((job.id for job in self.document.jobs), None)
        return None if name is None else _record_by_id("job", self.document.jobs, name, self.label)

    def plan_record(self, name: str) -> Plan:
        """Return a plan of the document by id.

        Args:
            name: id of a plan.

        Raises:
            CatalogueError: unknown id; the message has similar names.
        """
        return _record_by_id("plan", self.document.plans, name, self.label)

    def evaluate(self, job: str | None = None, *, ageing: AgeingCase = "value") -> Evaluation:
        """Return the arrays behind a score: outcomes of all stages, by link, arc or node.

        Args:
            job: id of a job; the default job otherwise.
            ageing: low, value (central) or high.
        """
        return self._engine.evaluate(self._scenario(None, job, ageing).case)

    def main_links(self) -> str | dict[str, str]:
        """Return the selection of links that matter first: wide-area links, or all if there are none."""
        wide = TIERS.index("wide_area")
        return {"tier": "wide_area"} if (self.arrays.link_tier == wide).any() else "*"

    def with_document(self, document: TopologyDocument) -> Self:
        """Return a network for another document; it keeps the name.

        Args:
            document: the other document.
        """
        network = super().with_document(document)
        network.label = self.label
        return network

    def check_plans(self, arrays: NetworkArrays) -> None:
        """Check the targets of the plans of a document that was read.

        Args:
            arrays: the compiled network.

        Raises:
            TopologyError: a plan names what does not exist.
        """
        issues = list(plan_issues(self.document, arrays, self.catalogue)) if self._is_as_read else []
        if issues:
            n_faults = counted(len(issues), "fault")
            raise TopologyError(f"{n_faults} in the plans", where=self.document.name, found=issues)

    def _select_rows(self, evaluation: Evaluation, chosen: Any) -> Ints:
        links = validate_as(Links, chosen, "links", prefix="links")
        return select_links(evaluation.case.state, links, self.document.as_of, "links")

    def _evaluate_after(
        self, changes: Changes | None, job: str | None, notify: Notify | None, ageing: AgeingCase = "value"
    ) -> Evaluation:
        """Evaluate the network, after a plan or a list of changes if given."""
        report_phase(notify, "reading the network")
        scenario = self._scenario(changes, job, ageing)
        report_phase(notify, "scoring")
        return self._engine.evaluate(scenario.case)

    def _measured(self, job: str | None, ageing: AgeingCase) -> MeasuredNetwork | None:
        """Return the readings of the network beside its evaluation without changes; None without readings."""
        columns = (self.arrays.link_measured_received_dbm, self.arrays.span_measured_loss_db)
        if not self.document.measurements and all(np.isnan(column).all() for column in columns):
            return None
        return MeasuredNetwork(self._evaluate_after(None, job, None, ageing), self._reader, self.links)

    def _jobs_of(self, job: str | None, jobs: Sequence[str] | None) -> tuple[str | None, tuple[str, ...]]:
        """Return the job of a question, and the jobs that run together; none for a job alone."""
        if jobs is None:
            main = self.job(job)
            sets = self.document.canonical().jobs_together
            return job, next((names for names in sets if main is not None and main.id in names), ())
        known = [found.id for name in _ids_of(jobs) if (found := self.job(name)) is not None]
        if len(set(known)) < len(known):
            raise ChangeError(f"jobs {', '.join(known)}", where="jobs", expected="each job once")
        if not known:
            return job, ()
        default = self.job(job)
        if job is not None and job not in known:
            raise ChangeError(f"job {job!r} is not among {', '.join(known)}", where="job", expected="one of `jobs`")
        main_id = default.id if default is not None and default.id in known else known[0]
        return main_id, tuple(known) if len(known) > 1 else ()

    def _case_and_others(
        self, changes: Changes | None, job: str | None, together: Sequence[str], ageing: AgeingCase
    ) -> tuple[Case, tuple[TrainingJob, ...]]:
        """Return the case of a job after changes if given, and the other jobs that run at the same time."""
        case = self._scenario(changes, job, ageing).case
        names = sorted(name for name in together if case.job is not None and name != case.job.id)
        others = (self._scenario(changes, name, ageing).case.job for name in names)
        return case, tuple(other for other in others if other is not None)

    def _evaluate_jobs(
        self, case: Case, together: Sequence[Case], before: State | None = None
    ) -> tuple[Evaluation, tuple[JobAmongOthers, ...]]:
        """Evaluate a case, with its job among others where several run together."""
        if not together or case.job is None:
            return self._engine.evaluate(case, before), ()
        found = evaluate_together(self._engine, together)
        sharing = found.sharing_of(case.job.id)
        return self._engine.evaluate(replace(case, sharing=sharing), before), jobs_among_others(found)

    def _scenario(self, changes: Changes | None, job: str | None, ageing: AgeingCase = "value") -> Scenario:
        """Return the scenario of the network, after a plan or a list of changes if given."""
        scenario = self._baseline(job, ageing)
        if changes is None:
            return scenario
        where, parsed, _ = self._parse_changes(changes)
        return apply_changes(scenario, parsed, self._reader, where)

    def _baseline(self, job: str | None, ageing: AgeingCase) -> Scenario:
        if not self.document.traffic:
            return self._with_faults(baseline(self, self.job(job), ageing_case_named(ageing)))
        if self._baseline_of_traffic is None:
            self._baseline_of_traffic = self._with_faults(baseline(self, None, "value", self.generated_demands))
        known = self._baseline_of_traffic
        return replace(known, case=replace(known.case, job=self.job(job), ageing=ageing_case_named(ageing)))

    def _with_faults(self, scenario: Scenario) -> Scenario:
        return replace(scenario, faults=lambda: self.build_faults)

    def _parse_changes(self, plan_or_changes: Changes) -> tuple[str, list[Change], Plan | None]:
        """Return (place of the changes, the changes, their plan if any)."""
        if isinstance(plan_or_changes, Mapping | StateChange | StructureChange | WorkloadChange):
            plan_or_changes = [plan_or_changes]
        if not isinstance(plan_or_changes, str | list | tuple):
            raise ChangeError(
                f"{type_text(plan_or_changes)} is no plan and no list of changes",
                expected="a plan's name, a change, or a list of changes",
            )
        plan = self.plan_record(plan_or_changes) if isinstance(plan_or_changes, str) else None
        where = f"plans[{plan.id}].changes" if plan else "changes"
        return where, list(parse_changes(plan.changes if plan else plan_or_changes, where)), plan


def _ids_of(jobs: Any) -> Sequence[str]:
    """Check the ids of jobs that run together. Raises ChangeError for anything but a list of texts."""
    expected = "a list of ids of jobs"
    if not isinstance(jobs, list | tuple):
        raise ChangeError(value_text(jobs), where="jobs", expected=expected)
    for i, name in enumerate(jobs):
        if not isinstance(name, str) or not name:
            raise ChangeError(value_text(name), where=f"jobs[{i}]", expected=expected)
    return jobs


def _record_by_id(kind: str, records: Sequence[RecordT], name: str, where: str) -> RecordT:
    """Return a job or plan by id. Raises CatalogueError with similar names."""
    by_id = {record.id: record for record in records}
    if name not in by_id:
        raise CatalogueError(
            f"no {kind} {name!r}",
            where=where,
            expected=f"one of {', '.join(by_id)}" if by_id else f"a document with {kind}s",
            hint=did_you_mean(name, by_id),
        )
    return by_id[name]


def plan_name(changes: Changes | None) -> str | None:
    """Return the name of changes in an answer: that of a plan, or `changes`; None without any."""
    return changes if isinstance(changes, str) else None if changes is None else "changes"


def report_phase(notify: Notify | None, phase: str) -> None:
    """Tell the caller of a question which phase begins."""
    if notify is not None:
        notify(phase)
