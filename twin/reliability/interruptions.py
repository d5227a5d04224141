"""Interruptions of a job by its own parts: a table of causes, each with its rate and what the rate counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ..catalogue.figure_reader import FigureReader


class InterruptionCause(NamedTuple):
    """A cause of interruptions, the catalogue's rate, and what the rate counts."""

    name: str
    figure: str
    per: Literal["accelerator", "host"]


HOST_FIGURE = "n_host_interruptions_per_host_day"
CAUSES = (
    InterruptionCause("accelerator", "n_accelerator_interruptions_per_accelerator_day", "accelerator"),
    InterruptionCause("accelerator memory", "n_memory_interruptions_per_accelerator_day", "accelerator"),
    InterruptionCause("network card", "n_card_interruptions_per_accelerator_day", "accelerator"),
    InterruptionCause("fabric", "n_fabric_interruptions_per_accelerator_day", "accelerator"),
    InterruptionCause("software", "n_software_interruptions_per_accelerator_day", "accelerator"),
    InterruptionCause("unexplained", "n_unexplained_interruptions_per_accelerator_day", "accelerator"),
    InterruptionCause("host", HOST_FIGURE, "host"),
    InterruptionCause("host maintenance", "n_maintenance_interruptions_per_host_day", "host"),
)
"""Causes within a site. `fabric` is its switches and cables; `outages.py` covers failures between sites."""
PLANNED_FIGURE = "n_planned_interruptions_per_job_day"


@dataclass(frozen=True)
class Interruptions:
    """Interruptions per day of a job by its own parts; planned ones lose no work."""

    n_per_day_by_cause: dict[str, float]
    n_planned_per_day: float

    @property
    def n_per_day(self) -> float:
        """Unplanned interruptions per day, of all causes."""
        return math.fsum(self.n_per_day_by_cause.values())


def part_interruptions(n_accelerators: Mapping[str, int], reader: FigureReader) -> Interruptions:
    """Compute the interruptions of a job by its number of accelerators of each kind.

    The number of hosts follows from the accelerators per host of each kind.
    """
    n_hosts = (n / reader.part(kind, "n_per_host") for kind, n in sorted(n_accelerators.items()) if n)
    return _interruptions(sum(n_accelerators.values()), math.fsum(n_hosts), reader)


def _interruptions(n_accelerators: float, n_hosts: float, reader: FigureReader) -> Interruptions:
    if n_accelerators <= 0:
        return Interruptions({cause.name: 0.0 for cause in CAUSES}, 0.0)
    n = {"accelerator": n_accelerators, "host": n_hosts}
    by_cause = {cause.name: reader.general(cause.figure) * n[cause.per] for cause in CAUSES}
    return Interruptions(by_cause, reader.general(PLANNED_FIGURE))
