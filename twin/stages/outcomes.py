"""Outcomes of stages without a record in an analysis package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from ..arrays import Bools, Floats, Ints
from ..model.records import BalancingName
from ..training.phase_capacity import PhaseCapacity
from ..training.step import Step


class NodePairs(NamedTuple):
    """Pairs of different nodes, sorted by source and target, and their offered Gb/s; arrays [n_pairs]."""

    source: Ints
    target: Ints
    offered_gbps: Floats


KindSpeeds = tuple[tuple[str, float], ...]
"""Kinds of flow sets that other jobs slow, with their speed over their speed alone."""


@dataclass(frozen=True, eq=False)
class BalancedCapacity:
    """Capacity of a job alone under a load balancing that the document does not state."""

    mode: BalancingName
    n_flows_per_pair: int
    efficiency_ratio: float
    """Efficiency of the phase with the lowest one."""
    capacity: PhaseCapacity
    is_balanced: Bools
    """Arcs with a rule of load balancing, by row of the loads; bool[n_rows]."""


@dataclass(frozen=True, slots=True)
class BalancedStep:
    """The step under a load balancing that the document does not state."""

    mode: BalancingName
    n_flows_per_pair: int
    efficiency_ratio: float
    """Efficiency of the phase with the lowest one."""
    step_time_s: float


@dataclass(frozen=True, eq=False)
class JobSharing:
    """Effect of other jobs on a job that runs with them."""

    speed_ratio: KindSpeeds
    other_gbps: Floats
    """Load of the other jobs by arc, averaged over their steps; float64[2 * n_links]."""
    find_unstated: Callable[[], tuple[KindSpeeds, ...]]
    """Finds `unstated_speed_ratio`."""

    @cached_property
    def unstated_speed_ratio(self) -> tuple[KindSpeeds, ...]:
        """Speeds where all jobs run under each of `UNSTATED`, modes that fabrics may have; found when first read."""
        return self.find_unstated()


@dataclass(frozen=True, eq=False)
class StepOutcome:
    """A training step, or the reason why there is none."""

    step: Step | None
    why: str = ""
    """Empty where there is a step."""
