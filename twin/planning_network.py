"""The network that answers questions of capacity planning: failures, availability, and how good routing could be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

from .answers.drawing import Drawing, drawing_of
from .answers.failure_figures import NO_FAILURES
from .answers.lease_report import LeaseReport, lease_report
from .answers.ranking import Ranking
from .answers.routing_report import RoutingReport, routing_report
from .catalogue.ageing import AgeingCase
from .errors import TopologyError
from .evaluated_network import Changes, Notify, plan_name, report_phase
from .exports import Exported, exported
from .money_network import MoneyNetwork
from .progress import Advance, Progress
from .render.heat import heat_named
from .sampled_network import SampledNetwork
from .scenario.apply import apply_changes, parse_changes
from .stages.evaluation import Evaluation
from .studies.availability import availability_report
from .studies.availability_plan import AvailabilityQuestion
from .studies.availability_report import AvailabilityReport
from .studies.executor import Workers
from .studies.failure_pairs import Depth
from .studies.failure_records import FailureReport
from .studies.failure_run import FailureRun
from .studies.failures import failure_report
from .studies.growth import GrowthReport, growth_report
from .studies.growth_question import GrowthQuestion
from .studies.study_bounds import BRIEF_BOUNDS, STUDY_BOUNDS


class PlanningNetwork(MoneyNetwork, SampledNetwork):
    """A network with the answers that planners of capacity ask for."""

    def export(
        self,
        format: str,
        path: str | Path | None = None,
        *,
        changes: Changes | None = None,
        notify: Notify | None = None,
    ) -> Exported:
        """Export the network for another tool.

        Args:
            format: name in `twin.exports.FORMATS`.
            path: file, or folder for formats of several files; None = nothing is written.
            changes: a plan's name, a change or a list of changes to apply first.
            notify: called with the name of each phase.

        Returns:
            The files, and the report of what they hold.

        Raises:
            DocumentError: unknown format, or a path of the wrong kind.
            ChangeError: a target is missing, or the result cannot be built.
        """
        report_phase(notify, "reading the network")
        scenario = self._scenario(changes, None)
        report_phase(notify, "exporting")
        evaluation = self._engine.evaluate(scenario.case)
        network = scenario.network
        answer = exported(
            format, self.label, plan_name(changes), network.nodes, network.links, evaluation, self._reader
        )
        if path is not None:
            answer.write(path)
        return answer

    def draw(
        self,
        heat: str = "utilisation",
        *,
        changes: Changes | None = None,
        job: str | None = None,
        ageing: AgeingCase = "value",
        failures: FailureReport | None = None,
    ) -> Drawing:
        """Draw the network by tier, with lines coloured by a figure; a notebook shows the picture (extra `pictures`).

        Equal nodes of a site are one place of a large network, and the links between two places are one line.

        Args:
            heat: `utilisation`, `margin`, `age`; with `failures` `worst_failure_utilisation` where the network has
                demands, `failure_rate_lost` where a job counts.
            changes: a plan's name, a change or a list of changes to apply first.
            job: id of a job, whose traffic counts; the default job otherwise.
            ageing: low, value (central) or high.
            failures: answer of `failures` of links of the same network.

        Raises:
            ChangeError: unknown heat, or a target of the changes is missing.
            CatalogueError: unknown job or plan.
        """
        key = heat_named(heat).key
        evaluation = self._evaluate_after(changes, job, None, ageing)
        figures = failures.figures_of_links() if failures else NO_FAILURES
        return drawing_of(evaluation, self.label, plan_name(changes), figures, key)

    def leases(
        self,
        job: str | None = None,
        *,
        changes: Changes | None = None,
        ageing: AgeingCase = "value",
        notify: Notify | None = None,
    ) -> LeaseReport:
        """Report the leases of the document, what else can be leased, and what idles.

        Args:
            job: id of a job; the default job otherwise.
            changes: a plan's name, a change or a list of changes to apply first.
            ageing: low, value (central) or high.
            notify: called with the name of each phase.

        Returns:
            Firm rent and earliest end of each lease, the run rate, free shares of sites, and stranded capacity.

        Raises:
            ChangeError: a target is missing, or the result cannot be built.
            CatalogueError: unknown job or plan.
        """
        report_phase(notify, "reading the network")
        scenario = self._scenario(changes, job, ageing)
        report_phase(notify, "scoring")
        evaluation = self._engine.evaluate(scenario.case)
        return lease_report(evaluation, self.label, plan_name(changes), self._reader)

    def optimum(
        self,
        *,
        gap_ratio: float = 0.01,
        n_entries: int | None = None,
        top: int | None = None,
        changes: Changes | None = None,
        ageing: AgeingCase = "value",
        notify: Notify | None = None,
        advance: Advance | None = None,
    ) -> RoutingReport:
        """Compare the routing of the demands with the best possible one.

        The best routing splits each demand in any way over any paths through nodes that forward, so that the busiest
        link has the least utilisation. Traffic of jobs is left out.

        Args:
            gap_ratio: largest distance of the two bounds of the optimum over it, from 0.0001 to 0.5.
            n_entries: make WCMP groups with at most this sum of weights, from 1 to 4096; None = none.
            top: most links to list; None = all.
            changes: a plan's name, a change or a list of changes to apply first.
            ageing: low, value (central) or high.
            notify: called with the name of each phase.
            advance: called after each sweep with the percent of the work that is done, and 100; an exception ends it.

        Returns:
            Utilisation in use and at the optimum with its certified bound, the links that set it, and the groups.

        Raises:
            ChangeError: no demands, a link of unknown rate, or a gap or number out of bounds.
            ConvergenceError: the bounds stay farther apart.
        """
        n_rows, progress = Ranking((), frozenset(), None, top).top, Progress(advance)
        report_phase(notify, "reading the network")
        scenario = self._scenario(changes, None, ageing)

        def apply(change: dict[str, Any]) -> Evaluation:
            after = apply_changes(scenario, parse_changes([change]), self._reader)
            return self._engine.evaluate(after.case)

        report_phase(notify, "optimising routing")
        evaluation = self._engine.evaluate(scenario.case)
        answer = routing_report(evaluation, self.label, plan_name(changes), gap_ratio, n_entries, apply, progress)
        return replace(answer, links=answer.links[:n_rows], warnings=self._as_built_warnings(evaluation))

    def growth(
        self,
        *,
        rates: Mapping[str, float] | None = None,
        growth_ratio_per_year: float | None = None,
        limit_ratio: float = 0.7,
        of: str = "link",
        until: int | None = None,
        top: int | None = None,
        member_usd: float | None = None,
        changes: Changes | None = None,
        ageing: AgeingCase = "value",
        notify: Notify | None = None,
        advance: Advance | None = None,
    ) -> GrowthReport:
        """Find when the first link passes a limit as demands grow, with and without the worst single failure.

        Capacities stay as today. Traffic of jobs is left out.

        Args:
            rates: growth a year by class of traffic, in place of the document's; 0.3 is 30 %, compound.
            growth_ratio_per_year: of demands without a rate of their own; None = 0.
            limit_ratio: utilisation that no link should pass, above 0.
            of: kind of failures, as for `failures`.
            until: calendar year whose end is the horizon; None = ten years from the day of the document.
            top: most links to list; None = 10.
            member_usd: price of one more member of links that name no transceiver; None = unknown.
            changes: a plan's name, a change or a list of changes to apply first.
            ageing: low, value (central) or high.
            notify: called with the name of each phase.
            advance: called in sweeps with the percent of the work that is done, and 100; an exception ends it.

        Returns:
            The dates with their links and failures, and upgrades with what a year gained costs.

        Raises:
            ChangeError: no demands, no growth, an unknown class or kind, or a number out of bounds.
            TopologyError: too many failures and years.
        """
        question = GrowthQuestion(
            rates=rates,
            growth_ratio_per_year=growth_ratio_per_year,
            limit_ratio=limit_ratio,
            of=of,
            until=until,
            top=top,
            member_usd=member_usd,
        )
        report_phase(notify, "reading the network")
        scenario = self._scenario(changes, None, ageing)

        def apply(more: Sequence[Mapping[str, Any]]) -> Evaluation:
            after = apply_changes(scenario, parse_changes(list(more)), self._reader)
            return self._engine.evaluate(after.case, scenario.case.state)

        report_phase(notify, "growing demands")
        evaluation = self._engine.evaluate(scenario.case)
        answer = growth_report(evaluation, self.label, plan_name(changes), question, apply, Progress(advance))
        return replace(answer, warnings=self._as_built_warnings(evaluation))

    def failures(
        self,
        *,
        of: str = "link",
        job: str | None = None,
        depth: int = 1,
        sample: int | None = None,
        seed: int = 0,
        changes: Changes | None = None,
        top: int | None = None,
        ageing: AgeingCase = "value",
        n_threads: int = 1,
        executor: str = "threads",
        dask: str | None = None,
        checkpoint: str | Path | None = None,
        advance: Advance | None = None,
        cancel: Event | None = None,
        brief: bool = False,
    ) -> FailureReport:
        """Fail everything of one kind, one after the other or in pairs, and route the demands anew each time.

        Failures in equal places of a fabric are computed once. The job runs alone; its traffic is not part of loads.

        Args:
            of: `link` (all members of a link), `member` (one of them), `node`, `srlg` (shared risk) or `site`.
            job: id of a job, whose step counts too; None = the default job if the network has no demands.
            depth: 1 = single failures, 2 = pairs of them.
            sample: pairs to draw without replacement, at most 300,000; None = all.
            seed: seed of the draw; the same pairs for the same seed.
            changes: a plan's name, a change or a list of changes to apply first.
            top: most failures and most links to list; None = all.
            ageing: low, value (central) or high.
            n_threads: threads for demands, and workers for the job; the answer does not depend on them.
            executor: workers for the job: `threads`, `processes` or `serial`. A script that uses processes must call
                this behind `if __name__ == "__main__":`.
            dask: address of a `dask.distributed` scheduler whose workers help (extra `dask`); same answer.
            checkpoint: folder of a checkpoint; an interrupted study goes on from it, to the same answer.
            advance: called between batches with the number of finished failures and of all; an exception ends it.
            cancel: event that another thread sets to end the study.
            brief: for a report: links that are alike count as equal where the job would take over 10 s, and a study
                over a minute is refused.

        Returns:
            What each failure loses and overloads, and the greatest utilisation of each link with the failure behind it.

        Raises:
            ChangeError: neither demands nor a job, an unknown kind, nothing of the kind, a number out of bounds, or a
                checkpoint of another network or question.
            TopologyError: too large a study, before any failure is computed.
            CancelledError: `cancel` was set (from `concurrent.futures`).
        """
        drawn = Depth(depth, sample, seed)  # refuses a number out of bounds before any work
        evaluation = self._evaluate_after(changes, job, None, ageing)
        answer = failure_report(
            evaluation,
            self.label,
            plan_name(changes),
            reader=self._reader,
            of=of,
            depth=drawn,
            top=top,
            with_job=job is not None,
            executor=executor,
            run=FailureRun(Workers(executor, n_threads).n, dask, checkpoint, advance, cancel),
            bounds=BRIEF_BOUNDS if brief else STUDY_BOUNDS,
        )
        return replace(answer, warnings=self._as_built_warnings(evaluation))

    def availability(
        self,
        *,
        job: str | None = None,
        changes: Changes | None = None,
        rest_below: float = 1e-9,
        n_states: int | None = None,
        n_samples: int | None = None,
        seed: int = 1,
        loss_above: float = 0.1,
        top: int | None = None,
        ageing: AgeingCase = "value",
        advance: Advance | None = None,
        cancel: Event | None = None,
    ) -> AvailabilityReport:
        """Compute how much of the time demands, pairs of sites and jobs are served.

        Two methods are compared: the most probable states of links, shared risks and switches in order, and random
        states. Rates and repair times are those of the catalogue.

        Args:
            job: id of a job; all jobs of the document otherwise.
            changes: a plan's name, a change or a list of changes to apply first.
            rest_below: states that are less probable than this, together, need not be looked at.
            n_states: most sets of states of the demands; None = as many as fit in some seconds.
            n_samples: random states; None = 10,000, or as many as fit in some seconds.
            seed: seed of the random states.
            loss_above: lost over offered traffic above which a failure is listed.
            top: most rows of each list; None = all.
            ageing: low, value (central) or high.
            advance: called with the number of finished steps and of all; an exception ends the study.
            cancel: event that another thread sets to end the study.

        Returns:
            Availability with its bounds, minutes down a year, and the most probable failures that lose traffic.

        Raises:
            ChangeError: neither demands nor jobs, nothing that can fail, or a number out of bounds.
            CatalogueError: unknown plan or job.
            TopologyError: too large a study, before any state is looked at, or a job that cannot be placed.
            CancelledError: `cancel` was set (from `concurrent.futures`).
        """
        question = AvailabilityQuestion(rest_below, n_states, n_samples, seed, loss_above, top)
        jobs: dict[str, Evaluation | str] = {}
        case = self._scenario(changes, job, ageing).case
        for name in [found.id for found in self.document.jobs] if job is None else [job]:
            try:
                jobs[name] = self._evaluate_after(changes, name, None, ageing)
            except TopologyError as error:
                if job is not None:
                    raise
                jobs[name] = error.one_line()
        evaluation = self._engine.evaluate(replace(case, job=None))
        answer = availability_report(
            evaluation,
            self.label,
            plan_name(changes),
            reader=self._reader,
            jobs=jobs,
            question=question,
            advance=advance,
            cancel=cancel,
        )
        return replace(answer, warnings=self._as_built_warnings(evaluation))
