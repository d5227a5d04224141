"""What is asked of a network, and everything that the metrics read of the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

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
from ..training.placement import Placed
from ..training.step import Step
from ..training.step_inputs import UnitLinkLoads
from ..workload.local_sgd import LossPenalty


class Stages(Protocol):
    """Stages behind the step, which only run once they are asked for."""

    def of(self, e: Evaluation, stage: str) -> Any:
        """The outcome of one of them."""


@dataclass(frozen=True, eq=False)
class Case:
    """What is asked: a state of a network, the document's demands and settings, a job, an ageing case."""

    state: State
    document: TopologyDocument
    job: TrainingJob | None
    ageing: AgeingCase = "value"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Everything that the metrics read; arrays by link, arc or node of `case.state`."""

    case: Case
    health: LinkHealth
    demands: DemandLoads | None
    placed: Placed | None
    loads: UnitLinkLoads | None
    step: Step | None
    why_no_step: str
    arc_load_gbps: Floats
    arc_utilisation_ratio: Floats
    arc_queue_us: Floats
    """Mean wait behind the demands (background traffic), by arc; a job's phases are bursts and not in it."""
    worst_latency_us: float | None
    later: Stages
    """Stages that only run once they are asked for."""

    @property
    def goodput(self) -> Goodput | None:
        """What interruptions leave of the job's rate; None without a job."""
        found: Goodput | None = self.later.of(self, "goodput")
        return found

    @property
    def goodput_ratio(self) -> float:
        """Share of the step rate that survives; 1 without a job."""
        return self.goodput.goodput_ratio if self.goodput is not None else 1.0

    @property
    def loss(self) -> LossPenalty | None:
        """What the job's exchange between sites does to the training itself; None without a step."""
        found: LossPenalty | None = self.later.of(self, "loss")
        return found

    @property
    def money(self) -> cost.Money:
        """Prices of the state, and what had to be bought."""
        found: cost.Money = self.later.of(self, "money")
        return found

    @property
    def usd_per_day(self) -> float:
        """Of the job's part of the network."""
        return float(self.later.of(self, "usd_per_day"))

    @property
    def list_rental_usd_per_day(self) -> float | None:
        """What the allocated accelerators would cost at list rental; None where a kind has no list price."""
        found: float | None = self.later.of(self, "list_rental_usd_per_day")
        return found

    @property
    def lease(self) -> Lease | None:
        """Keep a site or let it; None where none has a price, or it was not asked for."""
        found: Lease | None = self.later.of(self, "lease")
        return found

    @property
    def used_figures(self) -> tuple[UsedFigure, ...]:
        """Figures that all of this leans on."""
        found: tuple[UsedFigure, ...] = self.later.of(self, "used_figures")
        return found
