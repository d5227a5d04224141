"""Metrics of a training job: step, goodput, hashing, cards."""

from __future__ import annotations

from collections.abc import Callable

from ..reliability import goodput as reliability
from ..stages.evaluation import Evaluation
from .metric import NotApplicableError
from .money_metrics import check_priced


def step_value(e: Evaluation, field: str) -> float:
    """Return a field of the step that is a number."""
    if e.step is None:
        raise NotApplicableError(e.why_no_step)
    return float(getattr(e.step, field))


def exposed_time_s(phase: str) -> Callable[[Evaluation], float]:
    """Return the metric of time that a phase adds to the step."""

    def compute(e: Evaluation) -> float:
        if e.step is None:
            raise NotApplicableError(e.why_no_step)
        return e.step.exposed_s[phase]

    return compute


def step_figure(field: str) -> Callable[[Evaluation], float]:
    """Return the metric of a field of the step."""
    return lambda e: step_value(e, field)


def max_phase_utilisation_ratio(e: Evaluation) -> float:
    """Largest offered load of a phase at card rate over the capacity of an arc; above 1 where the network is slower."""
    if e.step is None:
        raise NotApplicableError(e.why_no_step)
    if not e.phases:
        raise NotApplicableError("no traffic of the job leaves its racks")
    return max(use.utilisation_ratio for use in e.phases)


def hash_efficiency_ratio(job_ratio: float | None) -> Callable[[Evaluation], float]:
    """Efficiency of the phase that hashing slows most: mean over jobs, or what this share of the jobs stays below."""

    def compute(e: Evaluation) -> float:
        if e.step is None:
            raise NotApplicableError(e.why_no_step)
        if not e.phase_times:
            raise NotApplicableError("no flow of the job crosses a switch whose load balancing is stated")
        slowest = min(e.phase_times.values(), key=lambda times: times.mean_efficiency_ratio)
        return slowest.mean_efficiency_ratio if job_ratio is None else slowest.efficiency_ratio(job_ratio)

    return compute


def training_loss_ratio(e: Evaluation) -> float:
    """Ratio of training loss under the job's inter-site exchange to that of exchanging every step; central case."""
    if e.loss is None:
        raise NotApplicableError(e.why_no_step)
    return e.loss.central_ratio


def goodput_tokens_per_s(e: Evaluation) -> float:
    """Tokens per second left after interruptions."""
    return step_value(e, "tokens_per_s") * e.goodput_ratio


def goodput_figure(field: str) -> Callable[[Evaluation], float]:
    """Return the metric of a field of the goodput."""

    def compute(e: Evaluation) -> float:
        # a job that cannot run has no rate that interruptions could reduce
        if e.step is None or e.goodput is None:
            raise NotApplicableError(e.why_no_step)
        return float(getattr(e.goodput, field))

    return compute


def time_to_train_days(e: Evaluation) -> float:
    """Days to train on all tokens of the job, interruptions included."""
    if e.case.job is not None and e.case.job.n_training_tokens is None:
        raise NotApplicableError("the job does not state n_training_tokens")
    n_tokens = e.case.job.n_training_tokens if e.case.job is not None else None
    return reliability.time_to_train_days(n_tokens or 0.0, step_value(e, "tokens_per_s"), e.goodput_ratio)


def usd_per_effective_pflop_day(e: Evaluation) -> float:
    """Cost per day of the job's share of the network, divided by its goodput in PFLOP/s."""
    check_priced(e.money.unpriced_parts)
    return e.usd_per_day / (step_value(e, "model_flops_per_s") * e.goodput_ratio / 1e15)


def n_accelerators(e: Evaluation) -> float:
    """Accelerators that the job allocates."""
    if e.placed is None:
        raise NotApplicableError(e.why_no_step)
    return float(sum(e.placed.n_allocated.values()))


def card_figure(field: str) -> Callable[[Evaluation], float]:
    """Return the metric of a field of the lost cards."""

    def compute(e: Evaluation) -> float:
        if e.cards is None:
            raise NotApplicableError(e.why_no_step)
        return float(getattr(e.cards, field))

    return compute
