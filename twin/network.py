"""The network that answers questions: `score`, `what_if`, `explain`, `forecast`, `sweep`, `link`, `path` and more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import Any, Self, TypeVar

from .answers.demand_table import DemandTable, demand_table
from .answers.diff import Diff, diff_of
from .answers.explanation import Explanation, explanation_of
from .answers.forecast import MAX_YEARS, Forecast, forecast_of
from .answers.jobs_together import JobAmongOthers, jobs_among_others, together_sentence
from .answers.link_report import LinkReport, link_report
from .answers.link_table import LinkTable, link_ranking, link_table
from .answers.main_assumptions import MainAssumption, find_main_assumptions
from .answers.missing_inputs import MissingInput, missing_inputs
from .answers.path_report import PathQuestion, PathReport, path_report
from .answers.score import Score, score_of
from .arrays import TIERS, CompiledNetwork, Ints, NetworkArrays, State
from .catalogue import PriceBook, load_price_book
from .catalogue.ageing import AgeingCase, ageing_case_named
from .catalogue.figure_reader import FigureReader
from .errors import CatalogueError, ChangeError, TopologyError, did_you_mean
from .errors.wording import counted, type_text
from .formats.traffic_text import read_traffic
from .model.document import Plan, TopologyDocument, TrafficBlock
from .model.jobs import TrainingJob
from .model.records import Demand
from .model.validation import validate_as
from .scenario.apply import Scenario, apply_changes, baseline, parse_changes
from .scenario.change import StateChange, StructureChange, WorkloadChange
from .scenario.changes import Change
from .scenario.feasibility import build_issues
from .scenario.generated_demands import check_traffic, generated_demands
from .scenario.plan_targets import plan_issues
from .scenario.select import Links, select_links
from .stages.causes import step_causes
from .stages.engine import Engine
from .stages.evaluation import Case, Evaluation
from .stages.together import evaluate_together
from .studies.executor import Advance, Workers
from .studies.inputs import Axis, axes_of
from .studies.points import Question, metric_of_case, run_points
from .studies.sweep import Sweep, check_sweep, default_metric, sweep_of

RecordT = TypeVar("RecordT", TrainingJob, Plan)
Notify = Callable[[str], None]
Changes = str | Mapping[str, Any] | Change | Sequence[Any]
"""Name of a plan, one change or a list of changes; a change is an object or a mapping with `kind`."""
"""A function that receives the name of each phase."""


class Network(CompiledNetwork):
    """A network with its answers: `score`, `what_if`, `explain`, `forecast`, `sweep`, `link`, `link_table`, `path`.

    `twin.load` and `twin.from_document` create one. A network never changes: changes are part of a question, and `edit`
    gives another network. It keeps what it computed, so a second question costs only what differs.
    """

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
    def warnings(self) -> tuple[MissingInput, ...]:
        """Inputs that some links leave out, and what answers assume for them, one row for each kind."""
        return missing_inputs(State.of(self.arrays), self._reader)

    @cached_property
    def generated_demands(self) -> tuple[Demand, ...]:
        """Demands of the blocks of `traffic`, made on the network without changes; answers use them, too.

        Raises TopologyError for unknown nodes, too many demands, or a peak utilisation that cannot be reached.
        """
        with self.at_origin():
            return generated_demands(self, self._engine)

    def with_traffic(self, traffic: str | Path | TrafficBlock) -> Self:
        """Return the network with other traffic in place of its demands and blocks.

        Args:
            traffic: path of a CSV matrix, a generator with its parameters (`all-to-all:total_gbps=100`), or a block.

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

    def plan(self, name: str) -> Plan:
        """Return a plan by id.

        Args:
            name: id of a plan.

        Raises:
            CatalogueError: unknown id; the message has similar names.
        """
        return _record_by_id("plan", self.document.plans, name, self.label)

    def score(
        self,
        job: str | None = None,
        *,
        jobs: Sequence[str] | None = None,
        ageing: AgeingCase = "value",
        main_assumptions: bool = True,
        notify: Notify | None = None,
    ) -> Score:
        """Compute all metrics of the unchanged network.

        Args:
            job: id of a job; the default job otherwise.
            jobs: ids of jobs that run together; the metrics are those of `job` among them. None = the set of the
                document's `jobs_together` that has the job.
            ageing: low, value (central) or high.
            main_assumptions: find the assumptions that move the answer most. This takes most of the time; leave it
                out where many networks are scored.
            notify: called with the name of each phase.

        Returns:
            Every metric with its unit; null with the reason where a metric does not apply.

        Raises:
            TopologyError: the job cannot run on its placement, or jobs use the same accelerators.
            CatalogueError: unknown job.
        """
        _report_phase(notify, "reading the network")
        job, together = self._jobs_of(job, jobs)
        scenario = self._scenario(None, job, ageing)
        _report_phase(notify, "scoring")
        cases = [self._scenario(None, name, ageing).case for name in together]
        evaluation, among = self._evaluate_jobs(scenario.case, cases)
        main: tuple[MainAssumption, ...] = ()
        if main_assumptions:
            _report_phase(notify, "ranking assumptions")
            main = find_main_assumptions(self._engine, evaluation)
        score = _with_jobs(score_of(evaluation, self.label, main), among)
        return replace(score, unused=self.unused_fields, warnings=self.warnings)

    def what_if(
        self,
        plan_or_changes: Changes,
        job: str | None = None,
        *,
        jobs: Sequence[str] | None = None,
        ageing: AgeingCase = "value",
        main_assumptions: bool = True,
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
            Both scores, the change of each metric, its causes, and the items to buy.

        Raises:
            ChangeError: a target is missing, or the result cannot be built.
            DocumentError: a change has unknown or invalid fields.
            CatalogueError: unknown plan, job or part.
        """
        _report_phase(notify, "reading the network")
        where, changes, plan = self._parse_changes(plan_or_changes)
        job, together = self._jobs_of(job, jobs)
        before = self._scenario(None, job, ageing)
        _report_phase(notify, "before: scoring")
        others = [self._scenario(None, name, ageing) for name in together]
        before_evaluation, among_before = self._evaluate_jobs(before.case, [other.case for other in others])
        _report_phase(notify, "applying changes")
        after = apply_changes(before, changes, self._reader, where)
        changed = [apply_changes(other, changes, self._reader, where) for other in others]
        _report_phase(notify, "after: scoring")
        after_evaluation, among_after = self._evaluate_jobs(
            after.case, [other.case for other in changed], before.case.state
        )
        main: tuple[MainAssumption, ...] = ()
        if main_assumptions:
            _report_phase(notify, "ranking assumptions")
            main = find_main_assumptions(self._engine, after_evaluation, before_evaluation)
        return diff_of(
            plan.id if plan else None,
            replace(score_of(before_evaluation, self.label), warnings=self.warnings, jobs=among_before),
            replace(
                score_of(after_evaluation, self.label),
                warnings=missing_inputs(after.case.state, self._reader),
                jobs=among_after,
            ),
            before_evaluation,
            after_evaluation,
            main,
        )

    def explain(
        self,
        job: str | None = None,
        *,
        changes: Changes | None = None,
        ageing: AgeingCase = "value",
        notify: Notify | None = None,
    ) -> Explanation:
        """Attribute the step time of a job to eight causes.

        The step is computed under all combinations of causes removed, so this takes longer than a score.

        Args:
            job: id of a job; the default job otherwise.
            changes: a plan's name, a change or a list of changes to apply first.
            ageing: low, value (central) or high.
            notify: called with the name of each phase.

        Returns:
            The parts of the step in seconds, and the share of each cause: its Shapley value, alone, and last.

        Raises:
            ChangeError: the job has no step.
        """
        evaluation = self._evaluate_after(changes, job, notify, ageing)
        attribution = step_causes(evaluation, self._reader, notify)
        return explanation_of(evaluation, attribution, self.label, _plan_name(changes))

    def forecast(
        self,
        years: int = 20,
        growth_ratio_per_year: float = 0.0,
        *,
        links: Any = None,
        changes: Changes | None = None,
        job: str | None = None,
        notify: Notify | None = None,
    ) -> Forecast:
        """Forecast when links run out of margin or capacity, in all three ageing cases.

        Args:
            years: length of the forecast.
            growth_ratio_per_year: growth of the traffic; 0.3 is 30 % per year.
            links: selection of links; wide-area links by default, or all links if there are none.
            changes: a plan's name, a change or a list of changes to apply first.
            job: id of a job; the default job otherwise.
            notify: called with the name of each phase.

        Returns:
            Margin, rate and utilisation of each link by year, and the dates of the events, in each ageing case.

        Raises:
            ChangeError: years or growth out of bounds, or no link matches.
        """
        if not (isinstance(years, int) and 1 <= years <= MAX_YEARS):
            raise ChangeError(f"{years} years", where="forecast", expected=f"a whole number from 1 to {MAX_YEARS}")
        if not (isinstance(growth_ratio_per_year, int | float) and -0.9 <= growth_ratio_per_year <= 10.0):
            expected = "a share a year from -0.9 to 10"
            growth_text = format(growth_ratio_per_year, "g" if isinstance(growth_ratio_per_year, float) else "")
            raise ChangeError(f"growth {growth_text}", where="forecast", expected=expected)
        evaluation = self._evaluate_after(changes, job, notify)
        links = links if links is not None else self.main_links()
        _report_phase(notify, "years to come")
        rows = self._select_rows(evaluation, links)
        forecast = forecast_of(evaluation, self.label, rows, years, growth_ratio_per_year, self._reader)
        return replace(forecast, warnings=missing_inputs(evaluation.case.state, self._reader, rows))

    def link(
        self,
        name: str,
        *,
        years: int | None = 20,
        growth_ratio_per_year: float = 0.0,
        changes: Changes | None = None,
        job: str | None = None,
        ageing: AgeingCase = "value",
    ) -> LinkReport:
        """Report one link: budget, modes, latency, goodput, failures and forecast.

        Args:
            name: id of the link, or a glob that matches one link.
            years: length of the forecast; None = without forecast.
            growth_ratio_per_year: growth of the traffic; 0.3 is 30 % per year.
            changes: a plan's name, a change or a list of changes to apply first.
            job: id of a job; the default job otherwise.
            ageing: low, value (central) or high; the forecast has all three.

        Returns:
            Levels in dBm and dB, latency in microseconds, capacity in Gb/s, for both directions.

        Raises:
            ChangeError: not exactly one link matches.
        """
        evaluation = self._evaluate_after(changes, job, None, ageing)
        rows = self._select_rows(evaluation, name)
        if len(rows) != 1:
            raise ChangeError(f"{len(rows)} links match {name!r}", where="link", hint="`twin links` shows several")
        forecast = None
        if years is not None:
            forecast = self.forecast(years, growth_ratio_per_year, links=name, changes=changes, job=job)
        return link_report(evaluation, self.label, int(rows[0]), self._reader, forecast)

    def main_links(self) -> str | dict[str, str]:
        """Return the selection of links that matter first: wide-area links, or all if there are none."""
        wide = TIERS.index("wide_area")
        return {"tier": "wide_area"} if (self.arrays.link_tier == wide).any() else "*"

    def link_table(
        self,
        chosen: Any = "*",
        job: str | None = None,
        *,
        changes: Changes | None = None,
        sort: str | None = None,
        top: int | None = None,
        ageing: AgeingCase = "value",
    ) -> LinkTable:
        """Return two rows for each selected link, one for each direction.

        Args:
            chosen: an id, a glob, a list of these, or a mapping of conditions as in changes (`{"tier": ...}`).
            job: id of a job, whose traffic counts; the default job otherwise.
            changes: a plan's name, a change or a list of changes to apply first.
            sort: column to sort by, the worst first, with or without its unit: `utilisation`; None = by id.
            top: most links to list; None = all.
            ageing: low, value (central) or high.

        Raises:
            ChangeError: no link matches, or an unknown column.
        """
        ranking = link_ranking(sort, top)
        evaluation = self._evaluate_after(changes, job, None, ageing)
        return link_table(evaluation, self.label, self._select_rows(evaluation, chosen), self._reader, ranking)

    def path(
        self,
        source: str,
        target: str,
        *,
        max_paths: int = 16,
        changes: Changes | None = None,
        job: str | None = None,
        ageing: AgeingCase = "value",
    ) -> PathReport:
        """Trace all shortest paths between two nodes, with the share of traffic, load and latency of each hop.

        Args:
            source: id of the node that sends.
            target: id of the node that receives.
            max_paths: most paths to list, those with the largest shares first; 1 to 1000.
            changes: a plan's name, a change or a list of changes to apply first.
            job: id of a job, whose traffic counts; the default job otherwise.
            ageing: low, value (central) or high.

        Returns:
            Paths, hops and the bottleneck, or what separates the two nodes.

        Raises:
            ChangeError: an unknown node, or twice the same node.
        """
        evaluation = self._evaluate_after(changes, job, None, ageing)
        question = PathQuestion(source, target, max_paths)
        return path_report(evaluation, self.label, _plan_name(changes), question)

    def demand_table(
        self,
        *,
        changes: Changes | None = None,
        sort: str | None = None,
        top: int | None = None,
        job: str | None = None,
        ageing: AgeingCase = "value",
    ) -> DemandTable:
        """Return what each demand offers, what is carried of it, and the link that limits it.

        Args:
            changes: a plan's name, a change or a list of changes to apply first.
            sort: column to sort by, the worst first, with or without its unit: `lost`; None = by id.
            top: most demands to list; None = all.
            job: id of a job; the default job otherwise.
            ageing: low, value (central) or high.

        Raises:
            ChangeError: the document has no demands, or an unknown column.
        """
        evaluation = self._evaluate_after(changes, job, None, ageing)
        return demand_table(evaluation, self.label, _plan_name(changes), sort, top)

    def sweep(
        self,
        vary: str | Mapping[str, Any] | Axis | Sequence[str | Mapping[str, Any] | Axis],
        *,
        metric: str | None = None,
        job: str | None = None,
        changes: Changes | None = None,
        against: Changes | None = None,
        ageing: AgeingCase = "value",
        advance: Advance | None = None,
        executor: str = "processes",
        n_workers: int = 1,
        n_processes: int | None = None,
        cancel: Event | None = None,
    ) -> Sweep:
        """Compute a metric over one or two inputs.

        Points are not checked for being buildable. The executor does not affect the answer.

        Args:
            vary: `"links.wan-*.total_gbps=1e3..5e4:log9"`, `{"path": "age", "values": [0, 10, 20]}`, or two of them;
                `studies.inputs.PATHS` lists the inputs.
            metric: any metric of a score; the step time otherwise, or the busiest link without a job.
            job: id of a job; the default job otherwise.
            changes: a plan's name, a change or a list of changes to apply first.
            against: another plan or list of changes; its value of the metric is the level for crossings.
            ageing: low, value (central) or high.
            advance: called with the number of points done and of all points. An exception from it ends the sweep.
            executor: executor of a long sweep: `processes`, `threads` or `serial`.
            n_workers: maximum number of processes or threads, including the calling one.
            n_processes: short for `executor="processes", n_workers=n_processes`. A script that uses more than one
                process must call this behind `if __name__ == "__main__":`.
            cancel: event that another thread sets to end the sweep.

        Returns:
            The value of the metric at each point, knees, and crossings with `against`.

        Raises:
            ChangeError: unknown input, metric or executor, or an invalid number of workers.
            CancelledError: `cancel` was set (from `concurrent.futures`).
        """
        axes = axes_of(vary)
        metric = metric if metric is not None else default_metric(self.job(job))
        check_sweep(axes, metric)
        workers = Workers(executor, n_workers) if n_processes is None else Workers("processes", n_processes)
        scenario = self._scenario(changes, job, ageing)
        question = Question(scenario.case, axes, metric)
        points = run_points(question, self._engine, workers, advance=advance, cancel=cancel)
        level = None
        if against is not None:
            level, _ = metric_of_case(self._scenario(against, job, ageing).case, metric, self._engine)
        plan = changes if isinstance(changes, str) else None
        against_name = against if isinstance(against, str) else None if against is None else "other changes"
        return sweep_of(question, points, self.label, plan, against=against_name, level=level)

    def evaluate(self, job: str | None = None, *, ageing: AgeingCase = "value") -> Evaluation:
        """Return the arrays behind a score: outcomes of all stages, by link, arc or node.

        Args:
            job: id of a job; the default job otherwise.
            ageing: low, value (central) or high.
        """
        return self._engine.evaluate(self._scenario(None, job, ageing).case)

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

    def check_buildable(self, arrays: NetworkArrays) -> None:
        """Check that a network could be built.

        Args:
            arrays: the compiled network.

        Raises:
            TopologyError: ports, cages, optical bands, site power or rack places do not suffice.
        """
        issues_by_key = build_issues(State.of(arrays), self.document, self._reader)
        if issues_by_key:
            issues = list(issues_by_key.values())
            raise TopologyError(
                f"{counted(len(issues), 'thing')} cannot be built", where=self.document.name, found=issues
            )

    def _select_rows(self, evaluation: Evaluation, chosen: Any) -> Ints:
        links = validate_as(Links, chosen, "links", prefix="links")
        return select_links(evaluation.case.state, links, self.document.as_of, "links")

    def _evaluate_after(
        self, changes: Changes | None, job: str | None, notify: Notify | None, ageing: AgeingCase = "value"
    ) -> Evaluation:
        """Evaluate the network, after a plan or a list of changes if given."""
        _report_phase(notify, "reading the network")
        scenario = self._scenario(changes, job, ageing)
        _report_phase(notify, "scoring")
        return self._engine.evaluate(scenario.case)

    def _jobs_of(self, job: str | None, jobs: Sequence[str] | None) -> tuple[str | None, tuple[str, ...]]:
        """Return the job of a question, and the jobs that run together; none for a job alone."""
        if jobs is None:
            main = self.job(job)
            sets = self.document.canonical().jobs_together
            return job, next((names for names in sets if main is not None and main.id in names), ())
        known = [found.id for name in jobs if (found := self.job(name)) is not None]
        if len(set(known)) < len(known):
            raise ChangeError(f"jobs {', '.join(known)}", where="jobs", expected="each job once")
        if not known:
            return job, ()
        default = self.job(job)
        if job is not None and job not in known:
            raise ChangeError(f"job {job!r} is not among {', '.join(known)}", where="job", expected="one of `jobs`")
        main_id = default.id if default is not None and default.id in known else known[0]
        return main_id, tuple(known) if len(known) > 1 else ()

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
            return baseline(self, self.job(job), ageing_case_named(ageing))
        if self._baseline_of_traffic is None:
            self._baseline_of_traffic = baseline(self, None, "value", self.generated_demands)
        known = self._baseline_of_traffic
        return replace(known, case=replace(known.case, job=self.job(job), ageing=ageing_case_named(ageing)))

    def _parse_changes(self, plan_or_changes: Changes) -> tuple[str, list[Change], Plan | None]:
        """Return (place of the changes, the changes, their plan if any)."""
        if isinstance(plan_or_changes, Mapping | StateChange | StructureChange | WorkloadChange):
            plan_or_changes = [plan_or_changes]
        if not isinstance(plan_or_changes, str | list | tuple):
            raise ChangeError(
                f"{type_text(plan_or_changes)} is no plan and no list of changes",
                expected="a plan's name, a change, or a list of changes",
            )
        plan = self.plan(plan_or_changes) if isinstance(plan_or_changes, str) else None
        where = f"plans[{plan.id}].changes" if plan else "changes"
        return where, list(parse_changes(plan.changes if plan else plan_or_changes, where)), plan

    def __repr__(self) -> str:
        return f"<twin.Network {self.label!r}: {len(self.document.jobs)} jobs, {len(self.document.plans)} plans>"

    def _repr_html_(self) -> str:
        return (
            f"<b>{self.label or 'network'}</b>: {self.arrays.n_nodes:,} nodes, {self.arrays.n_links:,} links, "
            f"as of {self.document.as_of or 'no date'}"
        )


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


def _plan_name(changes: Changes | None) -> str | None:
    """Return the name of changes in an answer: that of a plan, or `changes`; None without any."""
    return changes if isinstance(changes, str) else None if changes is None else "changes"


def _with_jobs(score: Score, among: tuple[JobAmongOthers, ...]) -> Score:
    """Add the jobs that run together to a score, and their sentence to its verdict."""
    if not among:
        return score
    own = next(row for row in among if row.id == score.job)
    return replace(score, jobs=among, summary=(score.summary[0], together_sentence(own), *score.summary[1:]))


def _report_phase(notify: Notify | None, phase: str) -> None:
    if notify is not None:
        notify(phase)
