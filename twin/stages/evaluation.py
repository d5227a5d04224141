"""A case, and its evaluation: the outcomes of all stages, each worked out when it is first read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, cast

from ..arrays import Floats, State
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import UsedFigure
from ..economics import cost
from ..economics.lease import Lease
from ..model.document import TopologyDocument
from ..model.jobs import TrainingJob
from ..optics.link_health import LinkHealth
from ..reliability.goodput import Goodput
from ..traffic.congestion import DemandLoads
from ..training.job_flows import JobFlows
from ..training.placement import JobPlacement
from ..training.step import Step
from ..training.step_inputs import AcceleratorGroups, UnitLinkLoads
from ..workload.local_sgd import LossPenalty
from .cache import Outcome
from .outcomes import StepOutcome


@dataclass(frozen=True, eq=False)
class Case:
    """What is asked: a state of a network, the document's demands and settings, a job, an ageing case."""

    state: State
    document: TopologyDocument
    job: TrainingJob | None
    ageing: AgeingCase = "value"


class Runner(Protocol):
    """What an evaluation needs of the engine."""

    def outcome(self, evaluation: Evaluation, name: str) -> Outcome:
        """The outcome of a stage."""

    def used_figures(self, evaluation: Evaluation) -> tuple[UsedFigure, ...]:
        """Figures that the stages of a score read."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Everything that the metrics read; arrays by link, arc or node of `case.state`.

    Each property is the outcome of one stage. Reading it raises TopologyError where the job cannot be placed.
    """

    case: Case
    before: State | None
    """The state that stood before the changes: a change pays only for what it adds."""
    runner: Runner = field(repr=False)
    outcomes: dict[str, Outcome] = field(default_factory=dict, repr=False)
    """Outcomes by stage, as far as they were read."""

    def outcome(self, stage: str) -> object:
        """The outcome of a stage by name."""
        return self.runner.outcome(self, stage).value

    @property
    def health(self) -> LinkHealth:
        """What every link can carry, and why."""
        return cast(LinkHealth, self.outcome("health"))

    @property
    def demands(self) -> DemandLoads | None:
        """Loads of the document's demands; None without any."""
        return cast("DemandLoads | None", self.outcome("demands"))

    @property
    def placed(self) -> JobPlacement | None:
        """The job on its racks; None without a job."""
        return cast("JobPlacement | None", self.outcome("placement"))

    @property
    def flows(self) -> JobFlows | None:
        """Flows of the job between racks; None without a job."""
        return cast("JobFlows | None", self.outcome("job_flows"))

    @property
    def accelerators(self) -> AcceleratorGroups | None:
        """What the job's accelerators do, whatever the network; None without a job."""
        return cast("AcceleratorGroups | None", self.outcome("accelerators"))

    @property
    def loads(self) -> UnitLinkLoads | None:
        """Loads of one unit of each flow set of the job; None without a job."""
        return cast("UnitLinkLoads | None", self.outcome("link_loads"))

    @property
    def clean_loads(self) -> UnitLinkLoads | None:
        """The same as if no link lost light; None without a job."""
        return cast("UnitLinkLoads | None", self.outcome("clean_link_loads"))

    @property
    def step(self) -> Step | None:
        """The training step; None where there is none, see `why_no_step`."""
        return cast(StepOutcome, self.outcome("step")).step

    @property
    def why_no_step(self) -> str:
        """Why there is no step; empty where there is one."""
        return cast(StepOutcome, self.outcome("step")).why

    @property
    def arc_load_gbps(self) -> Floats:
        """Offered by arc, averaged over a step; float64[2 * n_links]."""
        return cast(Floats, self.outcome("arc_load"))

    @property
    def arc_utilisation_ratio(self) -> Floats:
        """The same over the capacity of each arc."""
        return cast(Floats, self.outcome("arc_utilisation"))

    @property
    def arc_queue_us(self) -> Floats:
        """Mean wait behind the demands (background traffic), by arc; a job's phases are bursts and not in it."""
        return cast(Floats, self.outcome("arc_queue"))

    @property
    def worst_latency_us(self) -> float | None:
        """Slowest path of the job, else of the demands, one way and unloaded; None without either."""
        return cast("float | None", self.outcome("worst_latency"))

    @property
    def goodput(self) -> Goodput | None:
        """What interruptions leave of the job's rate; None without a job."""
        return cast("Goodput | None", self.outcome("goodput"))

    @property
    def goodput_ratio(self) -> float:
        """Share of the step rate that survives; 1 without a job."""
        return self.goodput.goodput_ratio if self.goodput is not None else 1.0

    @property
    def loss(self) -> LossPenalty | None:
        """What the job's exchange between sites does to the training itself; None without a step."""
        return cast("LossPenalty | None", self.outcome("loss"))

    @property
    def money(self) -> cost.NetworkCost:
        """Prices of the state, and what had to be bought."""
        return cast(cost.NetworkCost, self.outcome("money"))

    @property
    def usd_per_day(self) -> float:
        """Cost of the job's part of the network."""
        return cast(float, self.outcome("usd_per_day"))

    @property
    def list_rental_usd_per_day(self) -> float | None:
        """What the allocated accelerators would cost at list rental; None where a kind has no list price."""
        return cast("float | None", self.outcome("list_rental"))

    @property
    def lease(self) -> Lease | None:
        """Whether to keep a site or lease it out; None where no site has a price."""
        return cast("Lease | None", self.outcome("lease"))

    @property
    def used_figures(self) -> tuple[UsedFigure, ...]:
        """Figures that a score of this rests on, sorted by where and name."""
        return self.runner.used_figures(self)
