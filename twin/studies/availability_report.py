"""Answer of the study of availability: demands, pairs of sites, jobs, and the failures that lose most often."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..answers.data import Answer
from ..answers.score import data_frame, html_table
from ..answers.warning import AnswerWarning
from ..catalogue.figure_reader import UsedFigure
from ..render.availability_table import availability_table
from ..render.quantities import percent_text

SENDS_NOTHING = "the job sends nothing over the network"
MAX_HTML_ROWS = 200
"""Rows that a notebook shows."""


@dataclass(frozen=True, slots=True)
class Availability:
    """Share of time in which something works, by two methods."""

    least_ratio: float
    """At least this share, from the most probable states."""
    most_ratio: float
    """At most this share: it counts all states that were not looked at."""
    least_down_minutes_per_year: float
    most_down_minutes_per_year: float
    sampled_ratio: float | None
    """Share in random states; null where none were drawn."""
    sampled_least_ratio: float | None
    """Least share of the confidence interval of the samples."""
    sampled_most_ratio: float | None
    agrees: bool | None
    """True where both intervals overlap, that of the samples at a level that allows for all comparisons."""


@dataclass(frozen=True, slots=True)
class DemandAvailability:
    """One demand."""

    id: str
    source: str
    target: str
    offered_gbps: float
    connected: Availability
    """A path exists; its ends are up."""
    carried: Availability | None
    """All of it is carried beside the other demands (max-min fair); null where it may cross a link of unknown rate."""


@dataclass(frozen=True, slots=True)
class SitePairAvailability:
    """All demands between two sites, in both directions."""

    sites: tuple[str, str]
    n_demands: int
    connected: Availability
    """At least one of the demands has a path."""
    carried: Availability | None
    """All of them are carried in full."""


@dataclass(frozen=True, slots=True)
class JobAvailability:
    """One job."""

    id: str
    n_pairs: int
    """Pairs of nodes that exchange traffic."""
    connected: Availability | None
    """All of these pairs have a path; null where the job cannot be placed."""
    goes_on: Availability | None
    """The job goes on: lost network cards, rails and links leave it a step; null where that takes too long."""
    why: str | None = field(default=None, metadata={"optional": True})
    """Why it is null; absent where it is not."""


@dataclass(frozen=True, slots=True)
class DownElement:
    """An element that is down."""

    id: str
    kind: str
    """link (all its members), members (some), srlg, cable (its fibre), amplifiers (of the cable `id`) or node."""
    n_members_down: int | None = field(default=None, metadata={"optional": True})
    """Members that are down, where others are up; absent for other kinds."""


@dataclass(frozen=True, slots=True)
class LikelyFailure:
    """Elements that are down at a time while all others that carry traffic are up."""

    down: tuple[DownElement, ...]
    lost_ratio: float
    """Demand that is not carried over all demand."""
    lost_gbps: float
    probability_ratio: float
    """Share of time."""
    n_per_year: float
    """Number of times a year that it begins."""


@dataclass(frozen=True, slots=True)
class Method:
    """Work that the two methods did, and whether they agree."""

    n_components: int
    n_states: int
    """Sets of states of the demands together, the most probable first."""
    rest_ratio: float
    """Probability of all states of the demands that were not looked at."""
    n_samples: int
    """Random states with at least two components down; at least one where the network has more modes than this."""
    sampled_from_ratio: float
    """Probability of the states that samples are drawn from; those with fewer components down are all looked at."""
    seed: int
    confidence_ratio: float
    n_compared: int
    n_disagreeing: int


@dataclass(frozen=True, kw_only=True, repr=False)
class AvailabilityReport(Answer):
    """Availability of demands, the least available first, of pairs of sites and of jobs."""

    network: str
    plan: str | None
    summary: tuple[str, ...]
    n_demands: int
    """All demands; `demands` may list only the first ones."""
    demands: tuple[DemandAvailability, ...]
    n_site_pairs: int
    """All pairs of sites with demands between them; `site_pairs` may list only the first ones."""
    site_pairs: tuple[SitePairAvailability, ...]
    jobs: tuple[JobAvailability, ...]
    loss_above_ratio: float
    intact_lost_ratio: float | None
    """Demand that the intact network does not carry over all demand; null without demands or where it is unknown."""
    n_failures: int
    """Sets of states that lose more than `loss_above_ratio`; `failures` may list only the first ones."""
    failures: tuple[LikelyFailure, ...]
    """The most probable of them first."""
    method: Method
    assumptions: tuple[str, ...]
    figures: tuple[UsedFigure, ...]
    """Figures behind rates and repair times."""
    warnings: tuple[AnswerWarning, ...] = field(default=(), metadata={"optional": True})
    """Rules that the network breaks as it stands; absent where there are none."""

    def stays_above(self, available_ratio: float) -> bool:
        """Return whether every demand and pair of sites is connected, and every job goes on, for this share of time.

        A job that cannot be placed never goes on. Where it is not known whether a job goes on, its paths count.
        """
        if any(job.connected is None and job.why != SENDS_NOTHING for job in self.jobs):
            return False
        found = [job.goes_on or job.connected for job in self.jobs]
        found += [demand.connected for demand in self.demands[:1]]  # the first ones are the least connected
        found += [pair.connected for pair in self.site_pairs[:1]]
        return all(figure.least_ratio >= available_ratio for figure in found if figure is not None)

    def to_pandas(self) -> Any:
        """Return the demands as a DataFrame (needs the extra `tables`)."""
        return data_frame([_flat(row) for row in self.demands], DEMAND_COLUMNS)

    def _repr_html_(self) -> str:
        rows = [
            [
                row.id,
                percent_text(row.connected.least_ratio),
                "–" if row.carried is None else str(row.carried.least_ratio),
            ]
            for row in self.demands
        ]
        return html_table(self.network, ("id", "connected", "carried"), rows[:MAX_HTML_ROWS], (), self.summary)

    def _table(self) -> Any:
        return availability_table(self.to_dict())


PARTS = ("least_ratio", "most_ratio", "least_down_minutes_per_year", "most_down_minutes_per_year", "sampled_ratio")
DEMAND_COLUMNS = (
    "id",
    "source",
    "target",
    "offered_gbps",
    *(f"{which}_{part}" for which in ("connected", "carried") for part in PARTS),
)


def _flat(row: DemandAvailability) -> dict[str, Any]:
    out: dict[str, Any] = {"id": row.id, "source": row.source, "target": row.target, "offered_gbps": row.offered_gbps}
    for which, found in (("connected", row.connected), ("carried", row.carried)):
        out |= {f"{which}_{part}": None if found is None else getattr(found, part) for part in PARTS}
    return out
