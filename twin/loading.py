"""Loads networks by name or path; a loaded network answers `score`, `what_if` and the other questions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from threading import Event
from typing import Any, Self

from .answers.diff import Diff, diff_of
from .answers.explanation import Explanation, explanation_of
from .answers.forecast import MAX_YEARS, Forecast, forecast_of
from .answers.link_report import LinkReport, link_report
from .answers.link_table import LinkTable, link_table
from .answers.metrics import metric_unit
from .answers.missing_inputs import MissingInput, missing_inputs
from .answers.score import Score, score_of
from .arrays import TIERS, CompiledNetwork, Ints, NetworkArrays, State
from .catalogue import PriceBook, load_price_book
from .catalogue.ageing import AgeingCase, ageing_case_named
from .catalogue.figure_reader import FigureReader
from .catalogue.prices import GROUPS
from .errors import CatalogueError, ChangeError, DocumentError, Issue, TopologyError, TwinError, did_you_mean
from .errors.wording import counted, type_text
from .formats import READERS, parse_document, read_mapping
from .formats.locate import located
from .formats.migrations import migrate
from .formats.native import parse_mapping
from .formats.partial import reference_issues
from .model.document import Plan, TopologyDocument
from .model.jobs import TrainingJob
from .model.network import Generators
from .model.validation import validate_as
from .scenario.apply import Scenario, apply_changes, baseline, parse_changes
from .scenario.change import StateChange, StructureChange, WorkloadChange
from .scenario.changes import Change
from .scenario.document_schema import document_schema
from .scenario.feasibility import build_issues
from .scenario.plan_targets import plan_issues
from .scenario.select import Links, select_links
from .stages.causes import step_causes
from .stages.engine import Engine
from .stages.evaluation import Evaluation
from .studies.executor import Advance, Workers
from .studies.inputs import Axis, axes_of
from .studies.points import Question, metric_of_case, run_points
from .studies.sweep import Sweep, check_sweep, crossings_of, knees_of
from .topologies import NETWORKS, check_size, digest, expand, network_text

GENERATORS = Generators(expand, digest)
Notify = Callable[[str], None]
Changes = str | Mapping[str, Any] | Change | Sequence[Any]
"""Name of a plan, one change or a list of changes; a change is an object or a mapping with `kind`."""


class Network(CompiledNetwork):
    """A network with its answers: `score`, `what_if`, `explain`, `forecast`, `sweep`, `link`, `link_table`."""

    label: str = ""
    """Name of the network in answers: the document's name, or how it was loaded."""
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
    def _engine(self) -> Engine:
        return Engine(self.catalogue, self.price_book)

    def with_document(self, document: TopologyDocument) -> Self:
        """Return a network for another document; it keeps the name."""
        network = super().with_document(document)
        network.label = self.label
        return network

    def check_plans(self, arrays: NetworkArrays) -> None:
        """Raise TopologyError if a plan of a document that was read names what does not exist."""
        issues = list(plan_issues(self.document, arrays, self.catalogue)) if self._is_as_read else []
        if issues:
            n_faults = counted(len(issues), "fault")
            raise TopologyError(f"{n_faults} in the plans", where=self.document.name, found=issues)

    def check_buildable(self, arrays: NetworkArrays) -> None:
        """Raise TopologyError if ports, cages, optical bands, site power or rack places do not suffice."""
        issues_by_key = build_issues(State.of(arrays), self.document, self._reader)
        if issues_by_key:
            issues = list(issues_by_key.values())
            raise TopologyError(
                f"{counted(len(issues), 'thing')} cannot be built", where=self.document.name, found=issues
            )

    def job(self, name: str | None = None) -> TrainingJob | None:
        """Return a job by id, else the document's default job, else its first job; None without jobs.

        Raises CatalogueError with similar names for an unknown id.
        """
        jobs = {job.id: job for job in self.document.jobs}
        name = name or self.document.default_job or (next(iter(jobs)) if jobs else None)
        if name is None:
            return None
        if name not in jobs:
            raise CatalogueError(
                f"no job {name!r}",
                where=self.label,
                expected=f"one of {', '.join(jobs)}" if jobs else "a document with jobs",
                hint=did_you_mean(name, jobs),
            )
        return jobs[name]

    def plan(self, name: str) -> Plan:
        """Return a plan by id. Raises CatalogueError with similar names."""
        plans = {plan.id: plan for plan in self.document.plans}
        if name not in plans:
            raise CatalogueError(
                f"no plan {name!r}",
                where=self.label,
                expected=f"one of {', '.join(plans)}" if plans else "a document with plans",
                hint=did_you_mean(name, plans),
            )
        return plans[name]

    def evaluate(self, job: str | None = None, *, ageing: AgeingCase = "value") -> Evaluation:
        """Return the arrays behind a score."""
        return self._engine.evaluate(self._scenario(None, job, ageing).case)

    def score(self, job: str | None = None, *, ageing: AgeingCase = "value", notify: Notify | None = None) -> Score:
        """Compute all metrics of the unchanged network.

        Args:
            job: id of a job; the default job otherwise.
            ageing: low, value (central) or high.
            notify: called with the name of each phase.

        Raises:
            TopologyError: the job cannot run on its placement.
            CatalogueError: unknown job.
        """
        _report_phase(notify, "reading the network")
        scenario = self._scenario(None, job, ageing)
        _report_phase(notify, "scoring")
        score = score_of(self._engine.evaluate(scenario.case), self.label)
        return replace(score, unused=self.unused_fields, warnings=self.warnings)

    def link_table(self, chosen: Any = "*", job: str | None = None, *, ageing: AgeingCase = "value") -> LinkTable:
        """Return one row for each selected link.

        chosen: an id, a glob, a list of these, or a mapping of conditions as in changes (`{"tier": ...}`).
        """
        e = self.evaluate(job, ageing=ageing)
        return link_table(e, self.label, self._select_rows(e, chosen), self._reader)

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

        Raises:
            ChangeError: years or growth out of bounds, or no link matches.
        """
        if not (isinstance(years, int) and 1 <= years <= MAX_YEARS):
            raise ChangeError(f"{years} years", where="forecast", expected=f"a whole number from 1 to {MAX_YEARS}")
        if not (isinstance(growth_ratio_per_year, int | float) and -0.9 <= growth_ratio_per_year <= 10.0):
            expected = "a share a year from -0.9 to 10"
            growth_text = format(growth_ratio_per_year, "g" if isinstance(growth_ratio_per_year, float) else "")
            raise ChangeError(f"growth {growth_text}", where="forecast", expected=expected)
        e = self._evaluate_after(changes, job, notify)
        if links is None:
            wide = TIERS.index("wide_area")
            links = {"tier": "wide_area"} if (e.case.state.arrays.link_tier == wide).any() else "*"
        _report_phase(notify, "years to come")
        rows = self._select_rows(e, links)
        forecast = forecast_of(e, self.label, rows, years, growth_ratio_per_year, self._reader)
        return replace(forecast, warnings=missing_inputs(e.case.state, self._reader, rows))

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

        years: length of the forecast; None = without forecast. Other arguments as in `forecast`.
        Raises ChangeError if not exactly one link matches.
        """
        e = self._evaluate_after(changes, job, None, ageing)
        rows = self._select_rows(e, name)
        if len(rows) != 1:
            raise ChangeError(f"{len(rows)} links match {name!r}", where="link", hint="`twin links` shows several")
        forecast = None
        if years is not None:
            forecast = self.forecast(years, growth_ratio_per_year, links=name, changes=changes, job=job)
        return link_report(e, self.label, int(rows[0]), self._reader, forecast)

    def explain(
        self,
        job: str | None = None,
        *,
        changes: Changes | None = None,
        ageing: AgeingCase = "value",
        notify: Notify | None = None,
    ) -> Explanation:
        """Attribute the step time of a job to eight causes.

        changes: a plan's name, a change or a list of changes to apply first.
        Raises ChangeError if the job has no step.
        """
        e = self._evaluate_after(changes, job, notify, ageing)
        attribution = step_causes(e, self._reader, notify)
        plan = changes if isinstance(changes, str) else None if changes is None else "changes"
        return explanation_of(e, attribution, self.label, plan)

    def sweep(
        self,
        vary: str | Mapping[str, Any] | Axis | Sequence[str | Mapping[str, Any] | Axis],
        *,
        metric: str = "step_time_s",
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
            metric: any metric of a score.
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

        Raises:
            ChangeError: unknown input, metric or executor, or an invalid number of workers.
            CancelledError: `cancel` was set (from `concurrent.futures`).
        """
        axes = axes_of(vary)
        check_sweep(axes, metric)
        workers = Workers(executor, n_workers) if n_processes is None else Workers("processes", n_processes)
        scenario = self._scenario(changes, job, ageing)
        question = Question(scenario.case, axes, metric)
        points = run_points(question, self._engine, workers, advance=advance, cancel=cancel)
        values, why = zip(*points, strict=True)
        level = None
        if against is not None:
            level, _ = metric_of_case(self._scenario(against, job, ageing).case, metric, self._engine)
        return Sweep(
            network=self.label,
            job=scenario.case.job.id if scenario.case.job else None,
            plan=changes if isinstance(changes, str) else None,
            metric=metric,
            unit=metric_unit(metric),
            axes=axes,
            values=values,
            why=why,
            knees=knees_of(axes, values),
            against=against if isinstance(against, str) else None if against is None else "other changes",
            against_value=level,
            crossings=() if level is None else crossings_of(axes, values, level),
        )

    def _select_rows(self, e: Evaluation, chosen: Any) -> Ints:
        return select_links(
            e.case.state, validate_as(Links, chosen, "links", prefix="links"), self.document.as_of, "links"
        )

    def _evaluate_after(
        self, changes: Changes | None, job: str | None, notify: Notify | None, ageing: AgeingCase = "value"
    ) -> Evaluation:
        """Evaluate the network, after a plan or a list of changes if given."""
        _report_phase(notify, "reading the network")
        scenario = self._scenario(changes, job, ageing)
        _report_phase(notify, "scoring")
        return self._engine.evaluate(scenario.case)

    def _scenario(self, changes: Changes | None, job: str | None, ageing: AgeingCase = "value") -> Scenario:
        """Return the scenario of the network, after a plan or a list of changes if given."""
        scenario = baseline(self, self.job(job), ageing_case_named(ageing))
        if changes is None:
            return scenario
        where, parsed, _ = self._parse_changes(changes)
        return apply_changes(scenario, parsed, self._reader, where)

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

    def what_if(
        self,
        plan_or_changes: Changes,
        job: str | None = None,
        *,
        ageing: AgeingCase = "value",
        notify: Notify | None = None,
    ) -> Diff:
        """Compare the network before and after changes.

        Args:
            plan_or_changes: a plan's name, a change, or a list of changes (objects, or mappings with `kind`).
            job: id of a job; the default job otherwise.
            ageing: low, value (central) or high.
            notify: called with the name of each phase.

        Raises:
            ChangeError: a target is missing, or the result cannot be built.
        """
        _report_phase(notify, "reading the network")
        where, changes, plan = self._parse_changes(plan_or_changes)
        before = self._scenario(None, job, ageing)
        _report_phase(notify, "before: scoring")
        before_evaluation = self._engine.evaluate(before.case)
        _report_phase(notify, "applying changes")
        after = apply_changes(before, changes, self._reader, where)
        _report_phase(notify, "after: scoring")
        after_evaluation = self._engine.evaluate(after.case, before.case.state)
        after_score = score_of(after_evaluation, self.label)
        return diff_of(
            plan.id if plan else None,
            replace(score_of(before_evaluation, self.label), warnings=self.warnings),
            replace(after_score, warnings=missing_inputs(after.case.state, self._reader)),
            before_evaluation,
            after_evaluation,
        )

    def __repr__(self) -> str:
        return f"<twin.Network {self.label!r}: {len(self.document.jobs)} jobs, {len(self.document.plans)} plans>"

    def _repr_html_(self) -> str:
        return (
            f"<b>{self.label or 'network'}</b>: {self.arrays.n_nodes:,} nodes, {self.arrays.n_links:,} links, "
            f"as of {self.document.as_of or 'no date'}"
        )


def _report_phase(notify: Notify | None, phase: str) -> None:
    if notify is not None:
        notify(phase)


def load(name_or_path: str | Path, *, prices: str | Path | Mapping[str, Any] | None = None) -> Network:
    """Load a shipped network by name, or a document from a file.

    Args:
        name_or_path: name of a shipped network, or path of a file.
        prices: entries, or a file of entries, that replace those of the price book.

    Raises:
        CatalogueError: unknown name; the message has similar names.
        DocumentError: the file is not a valid document.
    """
    if not isinstance(name_or_path, str | Path):
        raise DocumentError(
            f"cannot load {type_text(name_or_path)}",
            expected="a name or a path",
            hint="twin.from_document takes documents",
        )
    text = str(name_or_path)
    if text in NETWORKS:
        document = _read_document(parse_mapping(network_text(text), text, as_json=False), text)
        return _network(document, text, prices)
    path = Path(text)
    if path.suffix.lower() in READERS or path.exists():
        with located(path):
            document = _read_document(read_mapping(path), text)
        return _network(document, path.stem, prices, path)
    raise CatalogueError(
        f"no network {text!r}",
        expected=f"one of {', '.join(sorted(NETWORKS))}, or a path ending in {', '.join(sorted(READERS))}",
        hint=did_you_mean(text, NETWORKS),
    )


def from_document(document: TopologyDocument | Mapping[str, Any], *, label: str = "document") -> Network:
    """Create a network from a document or plain data.

    label: name in answers if the document has none. Raises DocumentError for invalid data.
    """
    if not isinstance(document, TopologyDocument):
        document = _read_document(document, label)
    return _network(document, label, None)


def _read_document(data: Mapping[str, Any], where: str) -> TopologyDocument:
    """Validate plain data as a document; an error lists bad fields and faults between the valid records together."""
    data = migrate(dict(data), where)
    try:
        return parse_document(data, where)
    except DocumentError as error:
        plans = data.get("plans")
        named = [plan for plan in plans if isinstance(plan, Mapping)] if isinstance(plans, list | tuple) else []
        fields = [plan for plan in named if isinstance(plan.get("id"), str) and isinstance(plan.get("changes"), list)]
        bad = [*error.issues, *_plan_issues((plan["id"], plan["changes"]) for plan in fields)]
        more = reference_issues(data, GENERATORS, check_size)
        problem = counted(len(bad), "bad field")
        problem += f" and {counted(len(more), 'fault')} between records" if more else ""
        raise DocumentError(problem, where=where, found=(*bad, *more)) from error


def _network(
    document: TopologyDocument, label: str, prices: str | Path | Mapping[str, Any] | None, path: Path | None = None
) -> Network:
    if prices is not None:
        book = read_mapping(Path(prices)) if isinstance(prices, str | Path) else prices
        where = str(prices) if isinstance(prices, str | Path) else "prices"
        load_price_book(book, where=where, own_parts=document.parts)
        document = document.model_copy(update={"price_book": _merge_price_books(document.price_book, book)})
    network = Network(document, GENERATORS)
    network.label = document.name or label
    network.at_origin = partial(located, path)
    network._is_as_read = True
    with network.at_origin():
        check_size(document)
        _check_plans(network, label)
    return network


def _plan_issues(changes_by_plan: Iterable[tuple[Any, Any]]) -> list[Issue]:
    """Return the bad fields in the changes of plans, given as (id, changes)."""
    issues: list[Issue] = []
    for plan_id, changes in changes_by_plan:
        try:
            parse_changes(changes, f"plans[{plan_id}].changes")
        except TwinError as error:
            issues += error.issues
    return issues


def _check_plans(network: Network, label: str) -> None:
    """Raise DocumentError for bad fields in the changes of plans."""
    issues = _plan_issues([(plan.id, plan.changes) for plan in network.document.plans])
    if not issues:
        return
    problem = f"{counted(len(issues), 'bad field')} in plans"
    try:
        _ = network.nodes
    except TwinError as error:
        problem += f" and {counted(len(error.issues), 'fault')} between records"
        issues = [*issues, *error.issues]
    raise DocumentError(problem, where=label, found=issues)


def _merge_price_books(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two price books; entries of `over` replace those of `under`, within groups of parts entry by entry."""
    merged = {**under, **over}
    for group in (*GROUPS, "sources"):
        if group in under and group in over:
            merged[group] = {**under[group], **over[group]}
    return merged


__all__ = ["Network", "document_schema", "from_document", "load"]
