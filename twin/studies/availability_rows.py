"""Rows of the answer of availability: two intervals for each share of time, and sentences about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ..arrays import Ints
from ..errors.wording import counted
from ..reliability.connected import Pairs, Unconnected
from ..reliability.rates import HOURS_PER_YEAR
from ..reliability.state_samples import StateSamples
from ..render.availability_table import down_text
from ..render.quantities import frequency_text, names_text, percent_text
from ..stages.evaluation import Evaluation
from ..stages.outcomes import NodePairs
from .availability_plan import Key, SamplePlan
from .availability_report import (
    SENDS_NOTHING,
    Availability,
    AvailabilityReport,
    DemandAvailability,
    JobAvailability,
    SitePairAvailability,
)
from .availability_states import LikelyAnswers, SampledAnswers
from .job_states import Stopped

MINUTES_PER_YEAR = 60.0 * HOURS_PER_YEAR
CONFIDENCE_RATIO = 0.95
FALSE_ALARM_RATIO = 1e-3
"""Probability that the methods seem to disagree anywhere although both are right."""
ROUNDING_RATIO = 1e-12
"""Differences of probabilities below this are rounding."""


class AvailabilityRows:
    """Builds rows, and counts where the two methods disagree."""

    def __init__(
        self,
        samples: StateSamples,
        unconnected: Mapping[Key, Unconnected],
        likely: LikelyAnswers | None,
        sampled: SampledAnswers,
        sampling: SamplePlan,
    ) -> None:
        self.samples, self.n_compared, self.n_disagreeing = samples, 0, 0
        self._unconnected, self._likely, self._sampled = unconnected, likely, sampled
        self._sampling, self._is_sampled = sampling, sampling.n > 0
        n_pairs, n_groups = len(sampled.listed.unconnected_ratio), len(sampled.listed.groups_not_full_ratio)
        n_figures = 2 * (n_pairs + n_groups) + len(sampling.jobs) + len(sampling.whole_jobs)
        self._level_ratio = 1.0 - FALSE_ALARM_RATIO / max(n_figures, 1)

    def demands(self, e: Evaluation, pairs: NodePairs) -> Iterator[DemandAvailability]:
        """Build a row for each demand of the document; demands between the same nodes have the same availability."""
        state, found = e.case.state, []
        for row, pair in enumerate(zip(pairs.source.tolist(), pairs.target.tolist(), strict=True)):
            connected = self._known(self._unconnected["demand", pair], row, "unconnected_ratio")
            found.append((connected, self._carried(row, "not_full_ratio", np.array([row]))))
        row_of = {pair: row for row, pair in enumerate(zip(pairs.source.tolist(), pairs.target.tolist(), strict=True))}
        for demand in e.case.document.demands:
            at = row_of.get((state.node_index[demand.source], state.node_index[demand.target]))
            if at is not None and demand.offered_gbps > 0.0:
                yield DemandAvailability(demand.id, demand.source, demand.target, demand.offered_gbps, *found[at])

    def site_pairs(self, groups: Mapping[tuple[str, str], Ints]) -> Iterator[SitePairAvailability]:
        """Build a row for each pair of sites with demands between them."""
        for i, (sites, rows) in enumerate(groups.items()):
            connected = self._known(self._unconnected["sites", sites], i, "groups_unconnected_ratio")
            yield SitePairAvailability(sites, len(rows), connected, self._carried(i, "groups_not_full_ratio", rows))

    def job(self, name: str, pairs: Pairs | str, stopped: Stopped | None) -> JobAvailability:
        """Build the row of a job; `stopped` is None where it is not known how often it goes on."""
        if isinstance(pairs, str):
            return JobAvailability(name, 0, None, None, pairs)
        if not pairs:
            return JobAvailability(name, 0, None, None, SENDS_NOTHING)
        paths = self._of_job(name, self._unconnected["job", name], self._sampling.jobs, 0)
        return JobAvailability(
            name, len(pairs), paths, stopped and self._of_job(name, stopped, self._sampling.whole_jobs, 1)
        )

    def _of_job(self, name: str, found: Unconnected | Stopped, sampled: tuple[str, ...], which: int) -> Availability:
        if name not in sampled:
            return _figure(found.least_ratio, found.rest_ratio)
        i = self._sampling.jobs.index(name), which
        listed, hits = self._sampled.jobs_listed_ratio[i], self._sampled.jobs_sampled_ratio[i]
        return self._compared(found.least_ratio, found.rest_ratio, listed, hits)

    def _known(self, found: Unconnected, row: int, which: str) -> Availability:
        listed, hits = (getattr(shares, which)[row] for shares in (self._sampled.listed, self._sampled.sampled))
        return self._compared(found.least_ratio, found.rest_ratio, listed, hits)

    def _carried(self, row: int, which: str, pairs: Ints) -> Availability | None:
        assert self._likely is not None
        shares = self._likely.shares, self._sampled.listed, self._sampled.sampled
        if any(share.is_unknown[pairs].any() for share in shares):
            return None
        likely, listed, hits = (getattr(share, which)[row] for share in shares)
        return self._compared(likely, self._likely.rest_ratio, listed, hits)

    def _compared(self, down: float, rest: float, listed: float, hits: float) -> Availability:
        """Build a figure from both methods.

        Args:
            down: probability of the likely states in which something is down.
            rest: probability of the states that were not looked at.
            listed: probability of the listed states in which it is down.
            hits: share of the samples in which it is.
        """
        if not self._is_sampled:
            return _figure(float(down), rest)
        n_hits = round(float(hits) * self.samples.n)
        shown = self.samples.interval(float(listed), n_hits, CONFIDENCE_RATIO)
        wide = self.samples.interval(float(listed), n_hits, self._level_ratio)
        agrees = down <= wide.high_ratio + ROUNDING_RATIO and wide.low_ratio <= down + rest + ROUNDING_RATIO
        self.n_compared += 1
        self.n_disagreeing += not agrees
        up_ratios = (1.0 - shown.estimate_ratio, 1.0 - shown.high_ratio, 1.0 - shown.low_ratio)
        return _figure(float(down), rest, tuple(_share(ratio) for ratio in up_ratios), bool(agrees))


def _figure(
    down: float, rest: float, sampled: tuple[float, ...] | None = None, agrees: bool | None = None
) -> Availability:
    most = min(1.0, down + rest)
    estimate, low, high = sampled or (None, None, None)
    minutes = down * MINUTES_PER_YEAR, most * MINUTES_PER_YEAR
    return Availability(_share(1.0 - most), _share(1.0 - down), *minutes, estimate, low, high, agrees)


def _share(ratio: float) -> float:
    """A share of time, without what is left by rounding near 0."""
    return ratio if ratio > ROUNDING_RATIO else 0.0


def summary_of(report: AvailabilityReport) -> Iterator[str]:
    """Sentences on the least available demand, pair of sites and job, the likeliest loss, and both methods."""
    if report.demands:
        row = report.demands[0]
        yield f"Least connected demand: {row.id}, {_text(row.connected)}."
        carried = [row for row in report.demands if row.carried is not None]
        if carried:
            worst = min(carried, key=lambda row: (row.carried.least_ratio if row.carried else 1.0, row.id))
            assert worst.carried is not None
            yield f"Least often carried in full: {worst.id}, {_text(worst.carried)}."
    if report.site_pairs:
        pair = report.site_pairs[0]
        yield f"Sites most often cut off from each other: {' and '.join(pair.sites)}, {_text(pair.connected)}."
    for job in report.jobs:
        if job.connected is not None:
            if job.goes_on is not None:
                yield f"Job {job.id} goes on: {_text(job.goes_on)}."
            yield f"Paths between the nodes of job {job.id}, lost cards not counted: {_text(job.connected)}."
        else:
            yield f"Job {job.id} has no availability: {job.why}."
    if report.failures:
        first = report.failures[0]
        names = names_text([down_text(each.id, each.kind, each.n_members_down) for each in first.down])
        lose = "loses" if report.n_failures == 1 else "lose"
        yield (
            f"{counted(report.n_failures, 'failure')} {lose} more than {percent_text(report.loss_above_ratio)}; the "
            f"most probable: {names}, {percent_text(first.lost_ratio)} lost, {frequency_text(first.n_per_year)}."
        )
        if report.intact_lost_ratio and report.intact_lost_ratio > ROUNDING_RATIO:
            yield f"With nothing down {percent_text(report.intact_lost_ratio)} is lost already."
    elif report.demands and report.intact_lost_ratio is not None:
        yield f"No state that was looked at loses more than {percent_text(report.loss_above_ratio)}."
    if report.demands and report.intact_lost_ratio is None:
        yield "What some failures lose is not known: the rate of a link is unknown."
    method = report.method
    if method.n_disagreeing:
        yield (
            f"The two methods disagree in {method.n_disagreeing:,} of {counted(method.n_compared, 'figure')}: do not "
            "rely on these, and report it."
        )
    elif method.n_compared:
        exact = "A search of all states"
        if method.n_states:
            exact = f"{counted(method.n_states, 'probable state')}, all but {method.rest_ratio:.1e} of the time,"
        figures = "the one figure" if method.n_compared == 1 else f"all {method.n_compared:,} figures"
        yield f"{exact} and {method.n_samples:,} random ones agree in {figures}."
    else:
        yield "Random states would take too long here: the figures come from probable states alone."


def _text(found: Availability) -> str:
    """An availability with the minutes down, as a range where the states that are left matter."""
    least, most = found.least_down_minutes_per_year, found.most_down_minutes_per_year
    if most - least <= 0.05 * max(most, 0.01):
        return f"available {percent_text(found.least_ratio)}, {_minutes(least)} down a year"
    return f"available at least {percent_text(found.least_ratio)}, {_minutes(least)} to {_minutes(most)} down a year"


def _minutes(minutes: float) -> str:
    return f"{minutes:,.0f} min" if minutes >= 10.0 else f"{minutes:.2g} min"
