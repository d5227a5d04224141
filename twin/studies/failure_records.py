"""Answer of the study of failures: what each one loses, what becomes of the job, and how full links get."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ..answers.data import Answer
from ..answers.failure_figures import FailureFigures
from ..answers.score import data_frame, html_table
from ..answers.warning import AnswerWarning
from ..catalogue.figure_reader import UsedFigure
from ..errors import ChangeError
from ..render.failures_figure import failures_figure
from ..render.failures_table import MAX_SHOWN, failures_table
from .job_failures import JobAfterFailure
from .job_outcomes import JobOutcome

MAX_HTML_ROWS = 200
"""Rows that a notebook shows."""


@dataclass(frozen=True, slots=True)
class FailureRow:
    """One failure, or a pair of failures at the same time."""

    id: str
    """Id of the failure; both ids of a pair, as `a + b`."""
    ids: tuple[str, ...]
    """Ids of what fails: one, or the two of a pair."""
    kind: str
    n_equal: int
    """Failures that this one stands for: more than 1 where too many pairs to list are listed by equal places."""
    lost_gbps: float
    """Demand without a path after the failure, also of end points that fail."""
    n_demand_pairs_lost: int
    """Pairs of nodes with such demand; several demands from one node to another count as one pair."""
    not_carried_gbps: float | None
    """Demand that has a path but is not carried, since links are full (max-min fair). Null where it depends on a link
    of unknown rate, and for the less loaded failures where too many overload links."""
    sites_cut_off: tuple[str, ...] | None
    """Sites all of whose demands with other sites have lost their path; null where too many failures lose demand."""
    worst_link: str | None
    """Link with the greatest offered load over capacity; null without load."""
    worst_direction: str | None
    worst_utilisation_ratio: float | None
    """Offered load over what is left of the capacity; null for load on a link without capacity, and where the rates of
    all loaded links are unknown. Links of unknown rate do not count."""
    n_failures_per_year: float | None
    """Number of times a year; null where nothing states it. A cut that several links share counts for their shared
    risk only."""
    repair_h: float | None
    """Mean time until the repair; null where nothing states it."""
    lost_gbit_per_year: float | None
    """Demand that loses its path by it, times the share of time that the repairs take; null where either is unknown."""
    job: JobAfterFailure | None = None
    """Job after the failure; null where none counts."""
    why_no_rate: str | None = field(default=None, metadata={"optional": True})
    """Why the rate or the time is null; absent where both are known."""
    lost_together_gbps: float | None = field(default=None, metadata={"optional": True})
    """Demand of a pair that loses its path by both failures, and by neither alone. Absent for single failures."""
    n_demand_pairs_lost_together: int | None = field(default=None, metadata={"optional": True})
    """Pairs of nodes with such demand."""
    worst_utilisation_alone_ratio: float | None = field(default=None, metadata={"optional": True})
    """Greatest utilisation of a link after either failure of a pair alone. Absent for single failures, and
    null for load on a link without capacity."""
    why_unknown: str | None = field(default=None, metadata={"optional": True})
    """Why what is not carried, the sites cut off, or the use of the fullest link is null; absent where all are known.
    """


@dataclass(frozen=True, slots=True)
class LinkRow:
    """The direction of a link that any failure loads most."""

    id: str
    direction: str
    intact_utilisation_ratio: float | None
    worst_utilisation_ratio: float | None
    """Greatest offered load over capacity; null where the rate is unknown, or there is load without capacity."""
    cause: str | None
    """Failure with that utilisation, the first of equal ones; null where the intact network has it."""
    headroom_gbps: float | None
    """Capacity that the cause leaves minus the load after it, below 0 where it is overloaded; null where the rate is
    unknown."""
    n_worst_cases_per_year: float | None
    """Number of times a year that this failure happens; null without one, or where nothing states it."""


@dataclass(frozen=True, kw_only=True, repr=False)
class FailureReport(Answer):
    """All failures of one kind, those that lose most first, and all links, the fullest first."""

    network: str
    plan: str | None
    kind: str
    kind_name: str
    """Kind in words: a shared risk made from `cable` of spans is a cable."""
    depth: int
    """Failures at the same time: 1, or 2 for pairs."""
    seed: int | None
    """Seed of the draw of pairs; null where all were computed."""
    summary: tuple[str, ...]
    n_possible: int
    """All failures, or pairs of them, on this network."""
    n_failures: int
    """Those that were looked at; `failures` may list only the first ones."""
    n_classes: int
    """Failures that were computed; the others stand in equal places."""
    n_pairs_worse_than_singles: int | None
    """Pairs that lose demand which neither of their failures loses alone. Null for single failures, and where too many
    of these lose too many demands to compare."""
    n_links: int
    """All links that carry traffic; `links` may list only the first ones."""
    offered_gbps: float
    unrouted_gbps: float
    """Demand without a path in the intact network."""
    intact_not_carried_gbps: float | None
    """Demand that has a path and that the intact network does not carry; null without demands, and where unknown."""
    worst_utilisation_ratio: float | None
    """Greatest utilisation of a link after any failure, or intact; null where a loaded link has an unknown rate, or no
    capacity."""
    job: str | None
    """Job that counts, alone on the network; null without one. Its traffic is not part of the loads."""
    step_time_s: float | None
    """Its step in the intact network."""
    n_job_classes: int | None
    """Failures that were computed for the job; the others do the same to it."""
    job_outcomes: tuple[JobOutcome, ...]
    """Failures in groups that do the same to the job; empty without one."""
    failures: tuple[FailureRow, ...]
    links: tuple[LinkRow, ...]
    """Empty without demands."""
    figures: tuple[UsedFigure, ...]
    """Figures behind how often a year, and behind repair times."""
    warnings: tuple[AnswerWarning, ...] = field(default=(), metadata={"optional": True})
    """Rules that the network breaks as it stands; absent where there are none."""

    def stays_below(self, utilisation_ratio: float) -> bool:
        """Return whether no failure, and not the intact network, loads a link above this.

        Raises:
            ChangeError: the network has no demands, so that no link has a use.
        """
        if not self.n_links:
            why = "the network has no demands, so no link has a use to compare"
            raise ChangeError(why, where="exit_above", hint="state demands; the step after a failure is in the rows")
        return self.worst_utilisation_ratio is not None and self.worst_utilisation_ratio <= utilisation_ratio

    def figures_of_links(self) -> FailureFigures:
        """Return what the failures do to each link, and the failure of each link to the job."""
        worst = {row.id: row.worst_utilisation_ratio for row in self.links}
        lost = {
            row.id: 1.0 - 1.0 / row.job.step_ratio if row.job.step_ratio else 1.0
            for row in self.failures
            if row.job is not None and row.kind == "link" and len(row.ids) == 1
        }
        return FailureFigures({name: ratio for name, ratio in worst.items() if ratio is not None}, lost)

    def to_pandas(self) -> Any:
        """Return the failures as a DataFrame (needs the extra `tables`); columns of the job start with `job_`."""
        columns = [name for name in FailureRow.__dataclass_fields__ if name != "job"]
        of_job = [*JobAfterFailure.__dataclass_fields__] if self.job else []
        rows = []
        for row in self.failures:
            values = {name: getattr(row, name) for name in columns}
            rows.append(values | {f"job_{name}": getattr(row.job, name) for name in of_job})
        return data_frame(rows, [*columns, *(f"job_{name}" for name in of_job)])

    def _repr_html_(self) -> str:
        names = ("id", "lost_gbps", "not_carried_gbps", "worst_link", "worst_utilisation_ratio")
        rows = [["–" if (cell := getattr(row, name)) is None else str(cell) for name in names] for row in self.failures]
        return html_table(self.network, names, rows[:MAX_HTML_ROWS], (), self.summary)

    def figure(self) -> Any:
        """Draw the answer with matplotlib (needs the extra `pictures`)."""
        return failures_figure(self.to_dict())

    def shown(self) -> dict[str, Any]:
        """Return `to_dict` with the rows that a table shows: data of all links may take seconds."""
        return replace(self, failures=self.failures[:MAX_SHOWN], links=self.links[:MAX_SHOWN]).to_dict()

    def _table(self) -> Any:
        return failures_table(self.shown())
