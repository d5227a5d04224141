"""Outcomes of stages that no analysis has a record for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ..arrays import Floats, Ints
from ..training.step import Step


class NodePairs(NamedTuple):
    """Pairs of different nodes by rising source and target, and what each offers."""

    source: Ints
    target: Ints
    offered_gbps: Floats


@dataclass(frozen=True, eq=False)
class StepOutcome:
    """A training step, or why there is none."""

    step: Step | None
    why: str = ""
