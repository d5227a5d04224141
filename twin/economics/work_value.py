"""Worth of the work of a job, and what a year of a plan costs, for decisions between plans and leases."""

from __future__ import annotations

from dataclasses import dataclass

from ..arrays import State
from ..catalogue.figure_reader import FigureReader
from ..model.document import TopologyDocument
from ..model.jobs import TrainingJob
from ..training.accelerator_groups import flops_per_s
from .cost import HOURS_PER_YEAR, annuity_ratio_per_year, site_power_w
from .lease import cheapest_replacement


@dataclass(frozen=True, slots=True)
class YearOfWork:
    """Prices of a year: of work like that of a job, of money, and of electricity by site."""

    replacement: str | None
    """Accelerator with the least rent for a FLOP of the job; None without one."""
    rent_usd_per_accelerator_hour: float
    replacement_flops_per_s: float
    """Model FLOP/s of one replacement for the job, interruptions left out."""
    annuity_ratio_per_year: float
    """Yearly payment for a purchase of one dollar: write-off and interest."""
    power_usd_per_year: dict[str, float]
    """Electricity by site."""

    @property
    def usd_per_year_per_flops(self) -> float:
        """Rent a year of one model FLOP/s, before interruptions; 0 without a replacement."""
        if not self.replacement_flops_per_s:
            return 0.0
        return self.rent_usd_per_accelerator_hour * HOURS_PER_YEAR / self.replacement_flops_per_s


def year_of_work(state: State, document: TopologyDocument, job: TrainingJob | None, reader: FigureReader) -> YearOfWork:
    """Compute the prices of a year.

    Args:
        state: nodes and links of the network.
        document: sites with their PUE.
        job: job whose work counts; None for none.
        reader: source of figures and prices.
    """
    replacement = cheapest_replacement(job, reader) if job is not None else None
    usd_per_mwh = reader.price("electricity_usd_per_mwh")
    power_w = site_power_w(state, document, reader)
    return YearOfWork(
        replacement=replacement,
        rent_usd_per_accelerator_hour=(
            reader.price("rent_usd_per_accelerator_hour", replacement) if replacement is not None else 0.0
        ),
        replacement_flops_per_s=(
            flops_per_s(job, replacement, reader) if job is not None and replacement is not None else 0.0
        ),
        annuity_ratio_per_year=annuity_ratio_per_year(reader),
        power_usd_per_year={
            name: float(power_w[row]) / 1e6 * HOURS_PER_YEAR * usd_per_mwh for row, name in enumerate(state.sites)
        },
    )
