"""A case and its evaluation: the outcomes of all stages, each computed on first read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, cast

from ..arrays import Floats, State
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import UsedFigure
from ..economics import cost
from ..economics.lease import Lease
from ..economics.work_value import YearOfWork
from ..model.document import TopologyDocument
from ..model.jobs import TrainingJob
from ..optics.link_health import LinkHealth
from ..reliability.goodput import Goodput
from ..structure.bisection import Bisection
from ..structure.diameter import Diameter
from ..structure.partitions import Partitions
from ..structure.tiers import Oversubscription
from ..traffic.congestion import DemandLoads
from ..traffic.hash_law import PhaseTimes
from ..training.cards import CardLoss
from ..training.job_flows import JobFlows
from ..training.phase_balancing import BalancingLimits, PhasePatterns
from ..training.phase_goodput import ArcTransport
from ..training.phase_use import PhaseUse
from ..training.placement import JobPlacement
from ..training.step import Step
from ..training.step_inputs import AcceleratorGroups, UnitLinkLoads
from ..workload.local_sgd import LossPenalty
from .cache import Outcome
from .outcomes import BalancedStep, JobSharing, NodePairs, StepOutcome


@dataclass(frozen=True, eq=False)
class Case:
    """A case to evaluate: state of a network, document with demands and settings, job, ageing case."""

    state: State
    document: TopologyDocument
    job: TrainingJob | None
    ageing: AgeingCase = "value"
    sharing: JobSharing | None = None
    """What other jobs do to this one; None for a job alone."""


class Runner(Protocol):
    """Interface of the engine that an evaluation uses."""

    def outcome(self, evaluation: Evaluation, name: str) -> Outcome:
        """Return the outcome of a stage."""

    def rerun(self, evaluation: Evaluation, case: Case) -> Evaluation:
        """Return an evaluation of the same network with another job."""

    def used_figures(self, evaluation: Evaluation) -> tuple[UsedFigure, ...]:
        """Return the figures that the stages of a score read."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Outcomes of a case, which the metrics read; arrays by link, arc or node of `case.state`.

    Each property is the outcome of one stage. Reading it raises TopologyError if the job cannot be placed.
    """

    case: Case
    before: State | None
    """State before the changes: only additional parts are paid for."""
    runner: Runner = field(repr=False)
    outcomes: dict[str, Outcome] = field(default_factory=dict, repr=False)
    """Outcomes read so far, by stage."""
    figures_behind: dict[str, frozenset[tuple[str, str]]] = field(default_factory=dict, repr=False)
    """Where and name of the figures that a stage, and any stage that it needs, read; by stage, as far as known."""

    def outcome(self, stage: str) -> object:
        """Return the outcome of a stage by name."""
        return self.runner.outcome(self, stage).value

    @property
    def health(self) -> LinkHealth:
        """Capacity of each link, and what limits it."""
        return cast(LinkHealth, self.outcome("health"))

    @property
    def demand_pairs(self) -> NodePairs | None:
        """Pairs of nodes with demand between them; None without demands."""
        return cast("NodePairs | None", self.outcome("demand_pairs"))

    @property
    def demands(self) -> DemandLoads | None:
        """Loads of the document's demands; None without demands."""
        return cast("DemandLoads | None", self.outcome("demands"))

    @property
    def placed(self) -> JobPlacement | None:
        """The job on its racks; None without a job."""
        return cast("JobPlacement | None", self.outcome("placement"))

    @property
    def cards(self) -> CardLoss | None:
        """Lost network cards of the job, and what they leave of it; None without a job."""
        return cast("CardLoss | None", self.outcome("cards"))

    @property
    def flows(self) -> JobFlows | None:
        """Flows of the job between racks; None without a job."""
        return cast("JobFlows | None", self.outcome("job_flows"))

    @property
    def accelerators(self) -> AcceleratorGroups | None:
        """Accelerator groups of the job with their timing, independent of the network; None without a job."""
        return cast("AcceleratorGroups | None", self.outcome("accelerators"))

    @property
    def loads(self) -> UnitLinkLoads | None:
        """Loads of one unit of each flow set of the job; None without a job."""
        return cast("UnitLinkLoads | None", self.outcome("link_loads"))

    @property
    def clean_loads(self) -> UnitLinkLoads | None:
        """Loads as if no link had optical loss; None without a job."""
        return cast("UnitLinkLoads | None", self.outcome("clean_link_loads"))

    @property
    def hashed_flows(self) -> PhasePatterns | None:
        """Flows of each phase on arcs whose load balancing is known; None without a job."""
        return cast("PhasePatterns | None", self.outcome("hashed_flows"))

    @property
    def free_capacity(self) -> BalancingLimits | None:
        """Capacity for each phase of the job before hash collisions, by row of `loads`; None without a job."""
        return cast("BalancingLimits | None", self.outcome("free_capacity"))

    @property
    def phase_times(self) -> dict[str, PhaseTimes]:
        """End of each phase over jobs under its load balancing; kinds of flow sets without one are left out."""
        return cast("dict[str, PhaseTimes]", self.outcome("hash_collisions"))

    @property
    def arc_transport(self) -> ArcTransport:
        """What transport leaves of each arc, in the phase of the job that it costs most."""
        return cast(ArcTransport, self.outcome("arc_transport"))

    @property
    def step(self) -> Step | None:
        """Training step; None if there is none, see `why_no_step`."""
        return cast(StepOutcome, self.outcome("step")).step

    @property
    def unstated_balancing(self) -> tuple[BalancedStep, ...]:
        """Step under modes of load balancing that the fabrics may have; empty where theirs is stated."""
        return cast("tuple[BalancedStep, ...]", self.outcome("unstated_balancing"))

    @property
    def phases(self) -> tuple[PhaseUse, ...]:
        """Phases of the step that use the network; empty without a step."""
        return cast("tuple[PhaseUse, ...]", self.outcome("phases"))

    @property
    def why_no_step(self) -> str:
        """Reason why there is no step; empty if there is one."""
        return cast(StepOutcome, self.outcome("step")).why

    @property
    def arc_load_gbps(self) -> Floats:
        """Offered Gb/s by arc, averaged over a step; float64[2 * n_links]."""
        return cast(Floats, self.outcome("arc_load"))

    @property
    def arc_utilisation_ratio(self) -> Floats:
        """Offered load over capacity by arc; float64[2 * n_links]."""
        return cast(Floats, self.outcome("arc_utilisation"))

    @property
    def arc_queue_us(self) -> Floats:
        """Mean queueing delay by arc caused by demands, without the bursts of the job; float64[2 * n_links]."""
        return cast(Floats, self.outcome("arc_queue"))

    @property
    def worst_round_trip_us(self) -> float | None:
        """Round trip over the slowest path of the job, else of the demands, unloaded; None without either."""
        return cast("float | None", self.outcome("worst_round_trip"))

    @property
    def goodput(self) -> Goodput | None:
        """Goodput of the job after interruptions; None without a job."""
        return cast("Goodput | None", self.outcome("goodput"))

    @property
    def goodput_ratio(self) -> float:
        """Goodput over step rate; 1 without a job."""
        return self.goodput.goodput_ratio if self.goodput is not None else 1.0

    @property
    def loss(self) -> LossPenalty | None:
        """Effect of local SGD on the training loss; None without a step."""
        return cast("LossPenalty | None", self.outcome("loss"))

    @property
    def money(self) -> cost.NetworkCost:
        """Cost of the state, and of the purchases for the changes."""
        return cast(cost.NetworkCost, self.outcome("money"))

    @property
    def usd_per_day(self) -> float:
        """Cost per day of the job's part of the network."""
        return cast(float, self.outcome("usd_per_day"))

    @property
    def list_rental_usd_per_day(self) -> float | None:
        """List rental per day of the allocated accelerators; None if a kind has no list price."""
        return cast("float | None", self.outcome("list_rental"))

    @property
    def lease(self) -> Lease | None:
        """Comparison of using a site and leasing it out; None if no site has a lease price."""
        return cast("Lease | None", self.outcome("lease"))

    @property
    def year_of_work(self) -> YearOfWork:
        """Prices of a year: of the job's work, of purchases, and of electricity by site."""
        return cast(YearOfWork, self.outcome("year_of_work"))

    @property
    def partitions(self) -> Partitions | str:
        """Connection of the end points, or why it is unknown."""
        return cast("Partitions | str", self.outcome("partitions"))

    @property
    def site_paths(self) -> dict[tuple[str, str], int] | str:
        """Edge-disjoint paths by pair of sites, or why they are unknown."""
        return cast("dict[tuple[str, str], int] | str", self.outcome("site_paths"))

    @property
    def tiers(self) -> dict[str, Oversubscription | str]:
        """Oversubscription by kind of switch, or why there is none."""
        return cast("dict[str, Oversubscription | str]", self.outcome("tiers"))

    @property
    def bisection(self) -> Bisection | str:
        """Bisection of the end points, or why it is unknown."""
        return cast("Bisection | str", self.outcome("half_capacity"))

    @property
    def hop_diameter(self) -> Diameter | str:
        """End points with the most hops between them, or why there are none."""
        return cast("Diameter | str", self.outcome("farthest_by_hops"))

    @property
    def latency_diameter(self) -> Diameter | str:
        """End points with the most latency between them, µs one way, or why there are none."""
        return cast("Diameter | str", self.outcome("farthest_by_latency"))

    @property
    def used_figures(self) -> tuple[UsedFigure, ...]:
        """Figures that the score uses, sorted by where and name."""
        return self.runner.used_figures(self)
