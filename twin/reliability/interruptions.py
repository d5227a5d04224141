"""How often its own parts interrupt a job: a table of causes, each by what the job has of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ..catalogue.figure_reader import FigureReader


class Cause(NamedTuple):
    """What interrupts, the catalogue's rate of it, and what the rate counts."""

    name: str
    figure: str
    per: Literal["accelerator", "host"]


CAUSES = (
    Cause("accelerator", "n_accelerator_interruptions_per_accelerator_day", "accelerator"),
    Cause("accelerator memory", "n_memory_interruptions_per_accelerator_day", "accelerator"),
    Cause("network card", "n_card_interruptions_per_accelerator_day", "accelerator"),
    Cause("fabric", "n_fabric_interruptions_per_accelerator_day", "accelerator"),
    Cause("software", "n_software_interruptions_per_accelerator_day", "accelerator"),
    Cause("unexplained", "n_unexplained_interruptions_per_accelerator_day", "accelerator"),
    Cause("host", "n_host_interruptions_per_host_day", "host"),
    Cause("host maintenance", "n_maintenance_interruptions_per_host_day", "host"),
)
"""Of a site. `fabric` is switches and cables inside it; what joins sites fails by its own figures (`outages.py`)."""
PLANNED = "n_planned_interruptions_per_job_day"


@dataclass(frozen=True)
class Interruptions:
    """Interruptions a day of a job by its own parts; the planned ones lose no work."""

    n_per_day_by_cause: dict[str, float]
    n_planned_per_day: float

    @property
    def n_per_day(self) -> float:
        """Unexpected ones, of all causes."""
        return math.fsum(self.n_per_day_by_cause.values())


def part_interruptions(n_accelerators: Mapping[str, int], reader: FigureReader) -> Interruptions:
    """Of a job that holds so many accelerators of each kind, in the hosts that each kind comes in."""
    n_hosts = (n / reader.part(kind, "n_per_host") for kind, n in sorted(n_accelerators.items()) if n)
    return _interruptions(sum(n_accelerators.values()), math.fsum(n_hosts), reader)


def _interruptions(n_accelerators: float, n_hosts: float, reader: FigureReader) -> Interruptions:
    if n_accelerators <= 0:
        return Interruptions({cause.name: 0.0 for cause in CAUSES}, 0.0)
    n = {"accelerator": n_accelerators, "host": n_hosts}
    by_cause = {cause.name: reader.general(cause.figure) * n[cause.per] for cause in CAUSES}
    return Interruptions(by_cause, reader.general(PLANNED))
