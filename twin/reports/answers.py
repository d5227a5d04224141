"""Answers that a report is made of: one network, before and after each of its plans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from ..answers.bill import Bill
from ..answers.comparison import comparison_verdict
from ..answers.diff import Diff
from ..answers.drawing import Drawing
from ..answers.explanation import Explanation
from ..answers.forecast import Forecast
from ..answers.lease_report import LeaseReport
from ..answers.score import Score
from ..errors import ChangeError, TopologyError, did_you_mean
from ..network import Network
from ..planner.records import PlanReport
from ..studies.decision_report import DecisionReport
from ..studies.failure_records import FailureReport
from ..studies.sample_report import SampleReport

MAX_PLANS = 12
"""Most plans of one report."""
BEST_PLAN = "best plan within the budget"
Notify = Callable[[str], None]


@dataclass(frozen=True)
class ReportAnswers:
    """Answers of a report. An answer that does not apply to the network is None or absent."""

    score: Score
    diffs: tuple[Diff, ...]
    comparison: tuple[str, ...]
    """Verdict over the plans."""
    drawings: tuple[Drawing, ...]
    """Drawings of the network as it is, then after each plan."""
    explanations: tuple[Explanation, ...]
    forecasts: tuple[Forecast, ...]
    failures: tuple[FailureReport, ...]
    not_failed: tuple[str, ...]
    """Sentences on failures that the report leaves out, with the reason."""
    leases: LeaseReport | None
    bills: tuple[Bill, ...]
    """Bill of each plan."""
    plan: PlanReport | None
    """The best plan within a budget; None where the question states no budget."""
    samples: SampleReport | None
    """Intervals; None where the question asks for no samples."""
    decision: DecisionReport | None
    """Plans and leases by net dollars a year; None without samples, a job, or a lease price."""


@dataclass(frozen=True)
class ReportQuestion:
    """The question that a report answers."""

    plans: Sequence[str] = ()
    job: str | None = None
    growth_ratio_per_year: float = 0.3
    """Growth of the traffic in the forecast."""
    years: int = 20
    """Length of the forecast."""
    budget_usd: float | None = None
    """Most purchases of the best plan; None = no search for one."""
    n_samples: int = 0
    """Samples of uncertain inputs, a power of two; 0 = no intervals."""
    main_assumptions: bool = True
    """Rank the assumptions that move the answer most."""
    n_workers: int = 1
    """Most processes of the search and of the samples."""


def report_parts(network: Network, question: ReportQuestion) -> list[str]:
    """Return the names of the phases of a report, in order. A decision between plans and a lease may follow.

    Args:
        network: the network.
        question: plans, job, forecast, budget and samples.
    """
    cases = [_after(plan) for plan in (None, *question.plans)]
    parts = ["score", *(f"plan {plan}" for plan in question.plans)]
    parts += [f"causes{case}" for case in cases] if network.job(question.job) is not None else []
    parts += [f"forecast{case}" for case in cases] if network.arrays.n_links else []
    parts += [f"failures of each {kind}" for kind in _failure_kinds(network)] if _is_used(network, question) else []
    parts += [*(f"drawing{case}" for case in cases), "bills"]
    parts += [BEST_PLAN] if question.budget_usd is not None else []
    return parts + (["samples"] if question.n_samples else [])


def report_answers(network: Network, question: ReportQuestion, notify: Notify) -> ReportAnswers:
    """Ask all questions of a report.

    Args:
        network: the network.
        question: plans, job, forecast, budget and samples.
        notify: called with the name of each phase.

    Raises:
        ChangeError: an unknown or repeated plan, too many, or a number out of bounds.
    """
    plans, job = question.plans, question.job
    _check_plans(network, plans)
    cases: list[str | None] = [None, *plans]
    notify("score")
    score = network.score(job, main_assumptions=question.main_assumptions)
    diffs = []
    for plan in plans:
        notify(f"plan {plan}")
        diffs.append(network.what_if(plan, job, main_assumptions=False))
    explanations: list[Explanation] = []
    if score.job is not None:
        for case in cases:
            notify(f"causes{_after(case)}")
            explanations.append(network.explain(job, changes=case))
    forecasts = []
    if network.arrays.n_links:
        for case in cases:
            notify(f"forecast{_after(case)}")
            forecasts.append(network.forecast(question.years, question.growth_ratio_per_year, changes=case, job=job))
    failures, not_failed = _failures(network, question, score, notify)
    drawings = []
    for case in cases:
        notify(f"drawing{_after(case)}")
        by_link = next((each for each in failures if each.kind == "link"), None) if case is None else None
        drawings.append(network.draw(changes=case, job=job, failures=by_link))
    leases = network.leases(job) if network.document.leases or score.lease else None
    notify("bills")
    bills = [network.bill(plan, job) for plan in plans]
    best = None
    if question.budget_usd is not None:
        notify(BEST_PLAN)
        best = network.plan(budget_usd=question.budget_usd, job=job, executor="processes", n_workers=question.n_workers)
    samples, decision = _sampled(network, question, score, notify) if question.n_samples else (None, None)
    return ReportAnswers(
        score=score,
        diffs=tuple(diffs),
        comparison=comparison_verdict(diffs) if diffs else (),
        drawings=tuple(drawings),
        explanations=tuple(explanations),
        forecasts=tuple(forecasts),
        failures=tuple(failures),
        not_failed=tuple(not_failed),
        leases=leases,
        bills=tuple(bills),
        plan=best,
        samples=samples,
        decision=decision,
    )


def _sampled(
    network: Network, question: ReportQuestion, score: Score, notify: Notify
) -> tuple[SampleReport, DecisionReport | None]:
    """Sample the uncertain inputs; where a site has a lease price, weigh plans against leasing it."""
    plans, n = question.plans, question.n_samples
    ask = partial(network.sample, plans, n_samples=n, n_workers=question.n_workers)
    notify("samples")
    samples = ask(job=question.job)
    if score.job is None or score.lease is None:
        return samples, None
    notify("decision")
    site = score.lease.site
    decision = network.decide(
        plans, lease=(site,), share=(site,), jobs=(score.job,), n_samples=n, n_workers=question.n_workers
    )
    return samples, decision


def _check_plans(network: Network, plans: Sequence[str]) -> None:
    known = [plan.id for plan in network.document.plans]
    for plan in plans:
        if plan not in known:
            raise ChangeError(f"no plan {plan!r}", where="report", hint=did_you_mean(plan, known))
    if len(set(plans)) < len(plans):
        raise ChangeError("a plan is named twice", where="report", hint="name each plan once")
    if len(plans) > MAX_PLANS:
        raise ChangeError(f"{len(plans)} plans", where="report", expected=f"at most {MAX_PLANS}")


def _after(plan: str | None) -> str:
    return f" after {plan}" if plan else ""


def _failures(
    network: Network, question: ReportQuestion, score: Score, notify: Notify
) -> tuple[list[FailureReport], list[str]]:
    """Fail each link, shared risk and site, as far as a report has the time for it."""
    if not _is_used(network, question):
        return [], ["No demand and no job uses the links, so a failure takes nothing."]
    reports: list[FailureReport] = []
    left_out: list[str] = []
    for kind in _failure_kinds(network):
        notify(f"failures of each {kind}")
        try:
            found = network.failures(
                of=kind, job=question.job, brief=True, executor="processes", n_threads=question.n_workers
            )
        except ChangeError as error:  # none of the kind carries traffic
            left_out.append(f"Failures of each {kind} are left out: {error.problem}.")
        except TopologyError as error:  # the study would take too long
            job = "" if score.job is None else f" --job {score.job}"
            command = f"`twin failures {network.label} --of {kind}{job}`"
            left_out.append(f"Failures of each {kind} are left out: {error.problem}. {command} computes them.")
        else:
            reports.append(found)
    return reports, left_out


def _is_used(network: Network, question: ReportQuestion) -> bool:
    has_job = network.job(question.job) is not None
    return has_job or bool(network.document.demands or network.generated_demands)


def _failure_kinds(network: Network) -> list[str]:
    arrays = network.arrays
    kinds = ["link"] if arrays.n_links else []
    kinds += ["srlg"] if len(arrays.srlg_code) or len(arrays.span_srlg_code) else []
    return kinds + (["site"] if len(arrays.sites) > 1 else [])
