"""The network that answers questions: `score`, `what_if`, `explain`, `forecast`, `sweep`, `link`, `path` and more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Event
from typing import Any

import numpy as np

from .answers.demand_table import DemandTable, demand_table
from .answers.explanation import Explanation, explanation_of
from .answers.forecast import MAX_YEARS, Forecast, forecast_of
from .answers.jobs_together import JobAmongOthers, together_sentence
from .answers.link_report import LinkReport, link_report
from .answers.link_table import LinkTable, link_ranking, link_table
from .answers.main_assumptions import MainAssumption, find_main_assumptions
from .answers.missing_inputs import missing_inputs
from .answers.path_report import PathQuestion, PathReport, path_report
from .answers.score import Score, score_of
from .answers.warning import as_built_warnings
from .catalogue.ageing import AgeingCase
from .compared_network import ComparedNetwork
from .errors import ChangeError
from .evaluated_network import Changes, Notify, plan_name, report_phase
from .plan_network import PlanNetwork
from .progress import Advance
from .stages.causes import step_causes
from .studies.executor import workers_of
from .studies.inputs import Axis, axes_of
from .studies.points import Question, metric_of_case, run_points
from .studies.sweep import Sweep, check_sweep, default_metric, sweep_of


class Network(ComparedNetwork, PlanNetwork):
    """A network with its answers: `score`, `what_if`, `explain`, `forecast`, `sweep`, `link`, `link_table`, `path`.

    `twin.load` and `twin.from_document` create one. A network never changes: changes are part of a question, and `edit`
    gives another network. It keeps what it computed, so a second question costs only what differs.
    """

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
        report_phase(notify, "reading the network")
        job, together = self._jobs_of(job, jobs)
        scenario = self._scenario(None, job, ageing)
        report_phase(notify, "scoring")
        cases = [self._scenario(None, name, ageing).case for name in together]
        evaluation, among = self._evaluate_jobs(scenario.case, cases)
        main: tuple[MainAssumption, ...] = ()
        if main_assumptions:
            report_phase(notify, "ranking assumptions")
            main = find_main_assumptions(self._engine, evaluation)
        score = _with_jobs(score_of(evaluation, self.label, main), among)
        return replace(score, unused=self.unused_fields, warnings=self.warnings)

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
        answer = explanation_of(evaluation, attribution, self.label, plan_name(changes))
        return replace(answer, warnings=self._as_built_warnings(evaluation))

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
        report_phase(notify, "years to come")
        rows = self._select_rows(evaluation, links)
        forecast = forecast_of(evaluation, self.label, rows, years, growth_ratio_per_year, self._reader)
        missing = missing_inputs(evaluation.case.state, self._reader, rows)
        return replace(forecast, warnings=(*self._as_built_warnings(evaluation), *missing))

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
            raise ChangeError(f"{len(rows)} links match {name!r}", where="link", hint="`links` shows several")
        forecast = None
        if years is not None:
            forecast = self.forecast(years, growth_ratio_per_year, links=name, changes=changes, job=job)
        measured = self._measured(job, ageing)
        answer = link_report(evaluation, self.label, int(rows[0]), self._reader, forecast, measured)
        return replace(answer, warnings=self._as_built_warnings(evaluation))

    def link_table(
        self,
        chosen: Any = None,
        job: str | None = None,
        *,
        changes: Changes | None = None,
        sort: str | None = None,
        top: int | None = None,
        ageing: AgeingCase = "value",
    ) -> LinkTable:
        """Return two rows for each selected link, one for each direction.

        Args:
            chosen: an id, a glob, a list of these, or a mapping of conditions as in changes (`{"tier": ...}`). Without
                it wide-area links if there are any and nothing is sorted by, else all links.
            job: id of a job, whose traffic counts; the default job otherwise.
            changes: a plan's name, a change or a list of changes to apply first.
            sort: column to sort by, the worst first, with or without its unit: `utilisation`; None = by id.
            top: most links to list; None = all.
            ageing: low, value (central) or high.

        Raises:
            ChangeError: no link matches, or an unknown column.
        """
        ranking = link_ranking(sort, top)
        if chosen is None:
            chosen = "*" if sort else self.main_links()
        evaluation = self._evaluate_after(changes, job, None, ageing)
        has_none = chosen == "*" and not evaluation.case.state.n_links
        rows = [] if has_none else self._select_rows(evaluation, chosen).tolist()
        answer = link_table(evaluation, self.label, rows, self._reader, ranking, self._measured(job, ageing))
        return replace(answer, warnings=self._as_built_warnings(evaluation))

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
        answer = path_report(evaluation, self.label, plan_name(changes), question)
        state = evaluation.case.state
        rows = np.array([state.link_index[hop.link] for hop in answer.hops], dtype=np.int64)
        missing = missing_inputs(state, self._reader, rows)
        return replace(answer, warnings=(*self._as_built_warnings(evaluation), *missing))

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
        answer = demand_table(evaluation, self.label, plan_name(changes), sort, top)
        return replace(answer, warnings=self._as_built_warnings(evaluation))

    def sweep(
        self,
        vary: str | Mapping[str, Any] | Axis | Sequence[str | Mapping[str, Any] | Axis],
        *,
        metric: str | None = None,
        job: str | None = None,
        jobs: Sequence[str] | None = None,
        changes: Changes | None = None,
        against: Changes | None = None,
        ageing: AgeingCase = "value",
        advance: Advance | None = None,
        executor: str = "processes",
        n_workers: int = 1,
        n_processes: int | None = None,
        dask: str | None = None,
        cancel: Event | None = None,
    ) -> Sweep:
        """Compute a metric over one or two inputs.

        Points are not checked for being buildable. The executor does not affect the answer.

        Args:
            vary: `"links.wan-*.total_gbps=1e3..5e4:log9"`, `{"path": "age", "values": [0, 10, 20]}`, or two of them;
                `studies.inputs.PATHS` lists the inputs.
            metric: any metric of a score; the step time otherwise, or the busiest link without a job.
            job: id of a job; the default job otherwise.
            jobs: ids of jobs that run together, as for `score`; inputs of the job vary `job` alone.
            changes: a plan's name, a change or a list of changes to apply first.
            against: another plan or list of changes; its value of the metric is the level for crossings.
            ageing: low, value (central) or high.
            advance: called with the number of points done and of all points. An exception from it ends the sweep.
            executor: executor of a long sweep: `processes`, `threads` or `serial`.
            n_workers: maximum number of processes or threads, including the calling one.
            n_processes: processes in place of both; a script calls this behind `if __name__ == "__main__":`.
            dask: address of a dask scheduler whose workers help, in place of an executor (extra `dask`).
            cancel: event that another thread sets to end the sweep.

        Returns:
            The value of the metric at each point, knees, and crossings with `against`.

        Raises:
            ChangeError: unknown input, metric or executor, or an invalid number of workers.
            CancelledError: `cancel` was set (from `concurrent.futures`).
        """
        axes = axes_of(vary)
        job, together = self._jobs_of(job, jobs)
        metric = default_metric(self.job(job)) if metric is None else metric
        check_sweep(axes, metric)
        workers = workers_of(executor, n_workers, n_processes, dask)
        case, others = self._case_and_others(changes, job, together, ageing)
        question = Question(case, axes, metric, others)
        points = run_points(question, self._engine, workers, advance=advance, cancel=cancel)
        level = None
        if against is not None:
            case, others = self._case_and_others(against, job, together, ageing)
            level, _ = metric_of_case(case, metric, self._engine, others)
        plan = changes if isinstance(changes, str) else None
        against_name = against if isinstance(against, str) else None if against is None else "other changes"
        answer = sweep_of(question, points, self.label, plan, against=against_name, level=level)
        return replace(answer, warnings=as_built_warnings(self.build_faults.values()))

    def __repr__(self) -> str:
        return f"<twin.Network {self.label!r}: {len(self.document.jobs)} jobs, {len(self.document.plans)} plans>"

    def _repr_html_(self) -> str:
        return (
            f"<b>{self.label or 'network'}</b>: {self.arrays.n_nodes:,} nodes, {self.arrays.n_links:,} links, "
            f"as of {self.document.as_of or 'no date'}"
        )


def _with_jobs(score: Score, among: tuple[JobAmongOthers, ...]) -> Score:
    """Add the jobs that run together to a score, and their sentence to its verdict."""
    if not among:
        return score
    own = next(row for row in among if row.id == score.job)
    return replace(score, jobs=among, summary=(score.summary[0], together_sentence(own), *score.summary[1:]))
