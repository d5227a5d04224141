"""Study of availability: how much of the time demands, pairs of sites and jobs are served."""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from threading import Event
from typing import cast

import numpy as np

from ..catalogue.figure_reader import FigureReader
from ..errors import ChangeError
from ..errors.wording import counted
from ..progress import Advance
from ..reliability.components import Components, components_of
from ..reliability.connected import Connections
from ..reliability.rates import HOURS_PER_YEAR
from ..reliability.state_samples import sample_states
from ..stages.evaluation import Evaluation
from ..stages.outcomes import NodePairs
from .availability_cost import StateCost
from .availability_plan import (
    AvailabilityQuestion,
    JobCost,
    answer_connections,
    check_work,
    connection_questions,
    job_pairs,
    most_states,
    plan_samples,
    site_pairs,
)
from .availability_report import (
    AvailabilityReport,
    DemandAvailability,
    DownElement,
    LikelyFailure,
    Method,
    SitePairAvailability,
)
from .availability_rows import CONFIDENCE_RATIO, AvailabilityRows, summary_of
from .availability_states import Groups, JobPaths, LikelyAnswers, TrafficStates, likely_answers, sampled_answers
from .job_states import JobStates, Stopped

N_PILOTS, PILOTS_S = 4, 1.0
"""States with one component down from which the time of others is estimated, and the time that they may take."""
JOB_ASSUMPTION = (
    "A job goes on where a what-if of all that is down gives a step: alone, by its `on_card_loss`, with fewer replicas "
    "where it drops some."
)
UNKNOWN_JOB_ASSUMPTION = (
    "Job {}: whether lost network cards stop it takes too long to find here; only paths between its nodes count. `twin "
    "failures --job` says which failures stop it."
)
NO_LENGTH_IN_RISK = "fewer than two links of each state a length of fibre"
ASSUMPTIONS = (
    "Components fail and are repaired independently of each other; a shared risk is a component of its own.",
    "Rates and mean repair times are constant. The share of time down is MTTR / (MTBF + MTTR).",
    "After a failure, routing has converged at once; demands are constant.",
)


def availability_report(
    e: Evaluation,
    network: str,
    plan: str | None,
    *,
    reader: FigureReader,
    jobs: Mapping[str, Evaluation | str],
    question: AvailabilityQuestion | None = None,
    advance: Advance | None = None,
    cancel: Event | None = None,
) -> AvailabilityReport:
    """Compute availability from the most probable states and from random ones.

    Args:
        e: evaluation of the network.
        network: name of the network.
        plan: name of the plan, or `changes`; None for the unchanged network.
        reader: source of the failure figures.
        jobs: an evaluation for each job, or why it cannot be placed.
        question: bounds of the work.
        advance: called with the number of finished steps and of all; an exception ends the study.
        cancel: event that ends the study between steps.

    Raises:
        ChangeError: neither demands nor jobs, nothing carries traffic, or demands over WCMP groups.
        TopologyError: too large a study, before any state is looked at.
        CancelledError: once `cancel` is set.
    """
    question = question or AvailabilityQuestion()
    reader = reader.fresh()
    links = np.flatnonzero(np.asarray(e.outcome("routed_links")))
    pairs = _offered(e.demand_pairs)
    if not len(pairs.source) and not jobs:
        raise ChangeError(
            "no demands and no jobs", where="demands", hint="add some under `demands`, `traffic` or `jobs`"
        )
    if not len(links):
        raise ChangeError("no link carries traffic", where="links", expected="something that can fail")
    if len(pairs.source) and e.case.document.wcmp_groups:
        hint = "leave `wcmp_groups` out, or ask for one failure: a what-if with fail_links"
        raise ChangeError("availability over WCMP groups is not computed", where="wcmp_groups", hint=hint)
    components = components_of(e.case.state, reader, links, e.case.ageing)
    study = _Study(e, pairs, components, jobs, question, _Progress(advance, cancel))
    return study.report(network, plan, reader)


def _offered(pairs: NodePairs | None) -> NodePairs:
    """Pairs with demand."""
    if pairs is None:
        return NodePairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    offers = pairs.offered_gbps > 0.0
    return NodePairs(pairs.source[offers], pairs.target[offers], pairs.offered_gbps[offers])


@dataclass
class _Progress:
    """Finished steps, for progress bars."""

    advance: Advance | None
    cancel: Event | None
    n: int = 0
    n_all: int = 0

    def step(self) -> None:
        if self.cancel is not None and self.cancel.is_set():
            raise CancelledError(f"cancelled after {self.n} of {self.n_all} steps")
        self.n += 1
        if self.advance is not None and self.n % 64 == 0:
            self.advance(min(self.n, self.n_all), self.n_all)


class _Study:
    """One study: work is planned, then done, then reported."""

    def __init__(
        self,
        e: Evaluation,
        pairs: NodePairs,
        components: Components,
        jobs: Mapping[str, Evaluation | str],
        question: AvailabilityQuestion,
        progress: _Progress,
    ) -> None:
        self._e, self._pairs, self._components, self._question = e, pairs, components, question
        self._progress = progress
        self._site_pairs = site_pairs(e, pairs)
        self._groups = Groups.of(list(self._site_pairs.values()))
        self._evaluations = jobs
        self._jobs = {name: found if isinstance(found, str) else job_pairs(found) for name, found in jobs.items()}
        self._node_pairs = list(zip(pairs.source.tolist(), pairs.target.tolist(), strict=True))
        self._questions = connection_questions(self._node_pairs, self._site_pairs, self._jobs)

    def report(self, network: str, plan: str | None, reader: FigureReader) -> AvailabilityReport:
        """Do the work."""
        question, n_pairs, progress = self._question, len(self._pairs.source), self._progress
        traffic = TrafficStates(self._e, self._pairs, self._components) if n_pairs else None
        targets = {key[1]: [b for _, b in pairs] for key, (pairs, _) in self._questions.items() if key[0] == "job"}
        job_costs = {
            name: JobCost(
                StateCost.of(self._e, np.array(rows, np.int64)).routing_s, JobStates.estimated_s(self._e, len(rows))
            )
            for name, rows in targets.items()
        }
        pilot_s = 0.0 if traffic is None else self._pilot_s(traffic)
        check_work(question, pilot_s, job_costs)
        progress.n_all = len(self._questions)
        unconnected = answer_connections(
            Connections(self._components), self._questions, question.rest_below_ratio, progress.step
        )
        likely = None if traffic is None else self._likely(traffic, pilot_s)
        state_s = 0.0 if traffic is None else traffic.spent_s / traffic.n_asked
        sampling = plan_samples(question, state_s, job_costs)
        samples = sample_states(self._components, sampling.n, question.seed)
        progress.n_all = progress.n + len(samples.listed) + len(samples.states)
        states = {
            name: JobStates(cast(Evaluation, self._evaluations[name]), self._components)
            for name, cost in job_costs.items()
            if cost.n_states
        }
        stopped = {
            name: job.stopped(question.rest_below_ratio, job_costs[name].n_states // len(states), progress.step)
            for name, job in states.items()
        }
        jobs = [
            (
                JobPaths(self._e, self._questions["job", name][0], self._components),
                states[name] if name in sampling.whole_jobs else None,
            )
            for name in sampling.jobs
        ]
        sampled = sampled_answers(traffic, jobs, samples, self._groups, n_pairs, progress.step)
        rows = AvailabilityRows(samples, unconnected, likely, sampled, sampling)
        return self._build(rows, likely, stopped, network, plan, reader)

    def _pilot_s(self, traffic: TrafficStates) -> float:
        """Return the estimated time of a state: the most of the intact one and of some that are probable."""
        c = self._components
        modes = np.argsort(-c.probability_ratio, kind="stable")[:N_PILOTS]
        before_s, most_s = traffic.spent_s, 0.0
        for state in (modes[:0], *modes[:, None]):
            traffic.ask(state)
            most_s = max(most_s, traffic.spent_s - before_s)
            before_s = traffic.spent_s
            if before_s > PILOTS_S:
                break
        return most_s

    def _likely(self, traffic: TrafficStates, state_s: float) -> LikelyAnswers:
        """Look at probable states."""
        question, offered_gbps = self._question, float(self._pairs.offered_gbps.sum())
        max_states, max_s = most_states(question)
        self._progress.n_all += min(max_states, int(max_s / state_s) + 1)
        return likely_answers(
            traffic,
            self._components,
            self._groups,
            len(self._pairs.source),
            question.loss_above_ratio * offered_gbps,
            rest_below=question.rest_below_ratio,
            max_states=max_states,
            max_s=max_s,
            advance=self._progress.step,
        )

    def _build(
        self,
        rows: AvailabilityRows,
        likely: LikelyAnswers | None,
        stopped: Mapping[str, Stopped],
        network: str,
        plan: str | None,
        reader: FigureReader,
    ) -> AvailabilityReport:
        top, components = self._question.top, self._components
        demands = sorted(rows.demands(self._e, self._pairs), key=_least_available)
        sites = sorted(rows.site_pairs(self._site_pairs), key=_least_available_sites)
        jobs = tuple(rows.job(name, pairs, stopped.get(name)) for name, pairs in sorted(self._jobs.items()))
        offered_gbps = float(self._pairs.offered_gbps.sum())
        losing = () if likely is None else tuple(_losing(components, likely, offered_gbps))
        lost_gbps = math.nan if likely is None else likely.intact_lost_gbps
        method = Method(
            n_components=components.n,
            n_states=0 if likely is None else likely.n_states,
            rest_ratio=1.0 if likely is None else likely.rest_ratio,
            n_samples=rows.samples.n,
            sampled_from_ratio=rows.samples.sampled_ratio,
            seed=self._question.seed,
            confidence_ratio=CONFIDENCE_RATIO,
            n_compared=rows.n_compared,
            n_disagreeing=rows.n_disagreeing,
        )
        notes = [_never_fails(n, "node", why) for why, n in components.always_up.items()]
        if n_risks := components.n_risks_without_length:
            notes.append(_never_fails(n_risks, "shared risk", NO_LENGTH_IN_RISK))
        if stopped:
            notes.append(JOB_ASSUMPTION)
        unknown = [job.id for job in jobs if job.connected is not None and job.goes_on is None]
        notes += [UNKNOWN_JOB_ASSUMPTION.format(name) for name in unknown]
        report = AvailabilityReport(
            network=network,
            plan=plan,
            summary=(),
            n_demands=len(demands),
            demands=tuple(demands),
            n_site_pairs=len(sites),
            site_pairs=tuple(sites),
            jobs=jobs,
            loss_above_ratio=self._question.loss_above_ratio,
            intact_lost_ratio=None if math.isnan(lost_gbps) else lost_gbps / offered_gbps,
            n_failures=len(losing),
            failures=losing[:top],
            method=method,
            assumptions=(*ASSUMPTIONS, *notes),
            figures=reader.used_figures(),
        )
        summary = tuple(summary_of(report))  # of all rows, also of those beyond `top`
        return replace(report, summary=summary, demands=report.demands[:top], site_pairs=report.site_pairs[:top])


def _never_fails(n: int, noun: str, why: str) -> str:
    return f"{counted(n, noun)} never {'fails' if n == 1 else 'fail'} here: {why}."


def _least_available(row: DemandAvailability) -> tuple[float, float, str]:
    return row.connected.least_ratio, 0.0 if row.carried is None else row.carried.least_ratio, row.id


def _least_available_sites(row: SitePairAvailability) -> tuple[float, float, tuple[str, str]]:
    return row.connected.least_ratio, 0.0 if row.carried is None else row.carried.least_ratio, row.sites


def _losing(components: Components, likely: LikelyAnswers, offered_gbps: float) -> list[LikelyFailure]:
    """Sets that lose more than the limit, the most probable first."""
    rows = []
    for found, lost_gbps in likely.losing:
        n_repairs_per_h = float(components.n_repairs_per_h[found.modes].sum())
        rows.append(
            LikelyFailure(
                down=tuple(DownElement(*components.name(mode)) for mode in found.modes.tolist()),
                lost_ratio=lost_gbps / offered_gbps,
                lost_gbps=lost_gbps,
                probability_ratio=found.probability_ratio,
                n_per_year=found.probability_ratio * n_repairs_per_h * HOURS_PER_YEAR,
            )
        )
    return sorted(rows, key=lambda row: (-row.probability_ratio, [element.id for element in row.down]))
