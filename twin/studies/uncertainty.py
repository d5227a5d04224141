"""Studies of a network under uncertain inputs, from its cases to the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Event

from ..answers.data import to_data
from ..answers.metrics import METRICS
from ..arrays import State
from ..catalogue.figure_reader import FigureReader
from ..errors import ChangeError
from ..progress import Advance
from ..scenario.apply import Scenario, apply_changes, edited
from ..scenario.change import StructureChange
from ..scenario.changes import Change
from ..stages.engine import Engine
from .decision import decided_job, figures_of
from .decision_options import Option, RunningLeases
from .decision_report import DecidedJob
from .decision_verdict import decision_verdict
from .executor import Workers
from .grown_demands import check_years, later
from .sample_points import check_sample
from .sample_report import SampleReport
from .samples import decision_metric, inputs_of, rows_of, sample_report
from .sampling import SampledCase, SampleQuestion, blocks_of, run_sample, small_engine
from .uncertain_inputs import UncertainInput

MAX_PLANS = 32
AS_IT_IS = "the network as it is"


@dataclass(frozen=True)
class SampleSettings:
    """Settings of a study of samples."""

    n_samples: int = 1024
    seed: int = 0
    with_tornado: bool = True
    """True where each input is also set to both ends of its range."""
    workers: Workers = field(default_factory=Workers)
    advance: Advance | None = None
    cancel: Event | None = None

    def __post_init__(self) -> None:
        check_sample(self.n_samples, self.seed)


def sampled_cases(
    origin: Scenario, plans: Mapping[str, tuple[str, Sequence[Change]]], reader: FigureReader, years: float = 0.0
) -> tuple[SampledCase, ...]:
    """Return the cases of a study: the network as it is first, then each plan.

    Args:
        origin: the network as it is.
        plans: place and changes of each plan, by name.
        reader: source of figures.
        years: years after the day of the document at which all cases are evaluated.

    Raises:
        ChangeError: too many plans or years, or changes that cannot be built.
    """
    if len(plans) > MAX_PLANS:
        raise ChangeError(f"{len(plans)} plans", where="plans", expected=f"at most {MAX_PLANS}")
    check_years(years)
    cases = [SampledCase(AS_IT_IS, later(origin.case, years, reader), origin.case, years=years)]
    for name, (where, changes) in plans.items():
        after = apply_changes(origin, changes, reader, where)
        structure = edited(origin, changes, reader, where, (StructureChange,))
        world = structure.case
        if structure is not origin:  # a network is compiled anew, so that its arrays must be the same ones
            world = replace(world, state=State.of(after.case.state.arrays))
        evaluated = later(after.case, years, reader)
        cases.append(SampledCase(name, evaluated, world, tuple(changes), is_changed=True, years=years))
    return tuple(cases)


def run_sample_study(
    cases: Sequence[SampledCase], engine: Engine, network: str, metric: str | None, settings: SampleSettings
) -> SampleReport:
    """Sample the uncertain inputs of cases, and compute every metric in each sample.

    Args:
        cases: the network as it is first.
        engine: engine of this thread; other workers have separate ones.
        network: name of the network.
        metric: metric of the decision; None = the one that a verdict is about.
        settings: how the study is run.

    Raises:
        ChangeError: an unknown metric or uncertain input.
        CancelledError: the study was cancelled (from `concurrent.futures`).
    """
    metric = decision_metric(metric, cases[0], engine)
    figures = [name for name, row in METRICS.items() if not row.without_traffic_only or name == metric]
    inputs = sampled_inputs(cases, engine)
    rows = rows_of(inputs, settings.n_samples, settings.seed, with_ends=settings.with_tornado)
    question = SampleQuestion(tuple(cases), inputs, rows.values, tuple(figures))
    found = run_sample(question, engine, settings.workers, settings.advance, settings.cancel)
    return sample_report(question, rows, found, network=network, metric=metric, seed=settings.seed)


def sampled_inputs(cases: Sequence[SampledCase], engine: Engine) -> tuple[UncertainInput, ...]:
    """Return the uncertain inputs of cases; a large network is evaluated one case at a time, to bound memory."""
    if len(blocks_of(cases)) > 1:
        engine = small_engine(engine.reader.catalogue, engine.reader.prices)
    return inputs_of(cases, engine)


def run_decision(
    cases: Sequence[SampledCase],
    options: Sequence[Option],
    inputs: tuple[UncertainInput, ...],
    engine: Engine,
    usd_per_million_tokens: float | None,
    settings: SampleSettings,
    running: RunningLeases,
) -> DecidedJob:
    """Compare the options of one job over samples of the inputs.

    Jobs of one question have the same inputs, so that their samples have the same values of each.

    Args:
        cases: the network as it is first; all of one job.
        options: the options, which name these cases.
        inputs: the uncertain inputs of all jobs of the question.
        engine: engine of this thread; other workers have separate ones.
        usd_per_million_tokens: price of tokens; None = what renting the cheapest accelerators for them costs.
        settings: how the study is run.
        running: leases that run already.

    Raises:
        CancelledError: the study was cancelled (from `concurrent.futures`).
    """
    job = cases[0].case.job
    rows = rows_of(inputs, settings.n_samples, settings.seed, with_ends=settings.with_tornado)
    leased = {option.offer.site for option in options if option.offer is not None}
    sites = sorted(leased | {site for site, _ in running.paid_power_ratio})
    question = SampleQuestion(tuple(cases), inputs, rows.values, figures_of(sites))
    found = run_sample(question, engine, settings.workers, settings.advance, settings.cancel)
    name = job.id if job is not None else ""
    decided = decided_job(name, question, rows, found, options, usd_per_million_tokens, running)
    return replace(decided, summary=tuple(decision_verdict(to_data(decided), settings.n_samples)))
