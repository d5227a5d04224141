"""Effects of a change: links, demands and jobs that got better or worse, equal ones once, ranked, with the cause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from ..arrays import Floats, Ints
from ..errors import ChangeError
from ..errors.wording import value_text
from .compared_rows import NOISE_RATIO, DemandRows, Figure, JobRows, LinkRows, Rows, Trial
from .effect_causes import Flow, Trials, cause_of, flow_change
from .record_changes import grouped_rows

Direction = Literal["better", "worse", "neither"]
DIRECTIONS: tuple[Direction, ...] = ("worse", "better", "neither")
MAX_TOP = 1000
"""Most effects of one kind that an answer lists."""
MAX_EXAMPLES = 3
DIGITS = 9
"""Significant digits in which equal effects agree."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A link, demand or job that got better or worse, or several that did alike."""

    id: str
    """First of them."""
    n: int
    """Number of those that did alike."""
    figure: str
    before: float | None
    after: float | None
    direction: Direction
    """`neither` for less load because less traffic gets through, and for more load because the job is faster."""
    cause: str
    """Text of what the change did, and which change that is."""
    changes: tuple[int, ...]
    """Places in the list of changes: without one of them the figure is another. Empty if no causes were looked for."""
    verified: bool
    """True where the network was computed without these changes, or where there is only one."""
    examples: tuple[str, ...] = field(default=(), metadata={"optional": True})
    """Ids of some of them, where there are several."""


@dataclass(frozen=True, slots=True)
class EffectCounts:
    """Numbers of links, demands or jobs, listed or not. One with a better and a worse figure counts as both."""

    n_better: int
    n_worse: int
    n_neither: int
    """Number without a better or worse figure, but with another load."""


@dataclass(frozen=True, slots=True)
class Effects:
    """Links, demands and jobs that a change makes better or worse: the largest first, worse before better."""

    links: tuple[Effect, ...]
    link_counts: EffectCounts
    demands: tuple[Effect, ...]
    demand_counts: EffectCounts
    jobs: tuple[Effect, ...]
    job_counts: EffectCounts


def effects_of(old: Trial, new: Trial, trials: Trials, top: int) -> Effects:
    """Rank what a change makes better or worse.

    Args:
        old: evaluation without the change.
        new: evaluation with it.
        trials: evaluations with parts of the change, for causes.
        top: most effects of each kind and direction.

    Raises:
        ChangeError: `top` is out of bounds.
    """
    if not (isinstance(top, int) and 1 <= top <= MAX_TOP):
        raise ChangeError(value_text(top), where="top", expected=f"a whole number from 1 to {MAX_TOP}")
    flow = flow_change(old.evaluation, new.evaluation)
    links, link_counts = _ranked(LinkRows(old, new), trials, top, flow)
    demands, demand_counts = _ranked(DemandRows(old, new), trials, top, flow)
    jobs, job_counts = _ranked(JobRows(old, new), trials, top, flow)
    return Effects(links, link_counts, demands, demand_counts, jobs, job_counts)


class _Found(NamedTuple):
    """Equal effects."""

    direction: Direction
    size: float
    figure: Figure
    rows: Ints
    before: float
    after: float


def _ranked(rows: Rows, trials: Trials, top: int, flow: Flow) -> tuple[tuple[Effect, ...], EffectCounts]:
    found = [each for figure in rows.figures for each in _changes(rows, figure, trials, flow)]
    counts = _counts(found)
    listed: list[Effect] = []
    for direction in DIRECTIONS:
        of_direction = [each for each in found if each.direction == direction]
        of_direction.sort(key=lambda each: -each.size)
        listed += [_effect(rows, each, trials) for each in of_direction[:top]]
    return tuple(listed), counts


def _counts(found: Sequence[_Found]) -> EffectCounts:
    rows = {
        name: {row for each in found if each.direction == name for row in each.rows.tolist()} for name in DIRECTIONS
    }
    neither = rows["neither"] - rows["better"] - rows["worse"]
    return EffectCounts(len(rows["better"]), len(rows["worse"]), len(neither))


def _changes(rows: Rows, figure: Figure, trials: Trials, flow: Flow) -> Iterator[_Found]:
    """Yield the groups of rows whose figure changes alike."""
    before, after = rows.values(figure, rows.old), rows.values(figure, rows.new)
    unknown = np.isnan(before), np.isnan(after)
    size = np.abs(np.where(unknown[0] | unknown[1], 0.0, after - before))
    with np.errstate(invalid="ignore"):
        largest = np.maximum(np.abs(np.nan_to_num(before)), np.abs(np.nan_to_num(after)))
    is_changed = size > NOISE_RATIO * largest
    if rows.counts_missing:
        is_changed |= unknown[0] != unknown[1]
    chosen = np.flatnonzero(is_changed)
    if not len(chosen):
        return
    is_load_of_more = figure.name == "utilisation_ratio" and flow == "more"
    more_offered = np.broadcast_to(rows.demands_grow() if is_load_of_more else False, before.shape)
    columns = [
        before[chosen],
        after[chosen],
        rows.codes()[chosen].astype(np.float64),
        more_offered[chosen].astype(float),
    ]
    if isinstance(rows, LinkRows) and figure.name == "utilisation_ratio":  # equal shares of other loads
        capacity = rows.figures[0]
        columns += [rows.values(capacity, trial)[chosen] for trial in (rows.old, rows.new)]
    if len(trials.parts) > 1:
        made = (trials.without(k) for k in range(len(trials.parts)))
        columns += [rows.values(figure, trial)[chosen] for trial in made if trial is not None]
    relative = np.where(largest > 0, size / np.where(largest > 0, largest, 1.0), 0.0)
    weight = rows.weights() * (size / figure.scale if figure.scale == figure.scale else relative)
    weight = np.where(unknown[0] != unknown[1], 1.0, weight)
    for members in grouped_rows(np.stack([_rounded(column) for column in columns], axis=1)):
        group = chosen[members]
        first = int(group[0])
        of_row: Flow = "same" if flow == "more" and more_offered[first] else flow
        direction = _direction(figure, float(before[first]), float(after[first]), of_row)
        yield _Found(direction, float(weight[group].max()), figure, group, float(before[first]), float(after[first]))


def _direction(figure: Figure, before: float, after: float, flow: Flow) -> Direction:
    if np.isnan(before) or np.isnan(after):
        return "worse" if np.isnan(after) else "better"
    is_better = (after < before) == (figure.better == "lower")
    if figure.name == "utilisation_ratio" and flow == ("less" if is_better else "more"):
        return "neither"  # less load because less gets through, or more because the job is faster
    return "better" if is_better else "worse"


def _rounded(values: Floats) -> Floats:
    """Round to DIGITS significant digits, so that effects that differ by rounding are one."""
    with np.errstate(divide="ignore", invalid="ignore"):
        digits = DIGITS - 1 - np.floor(np.log10(np.abs(values)))
        scale = 10.0 ** np.clip(np.where(np.isfinite(digits), digits, 0.0), -300, 300)
        return np.asarray(np.round(values * scale) / scale)


def _effect(rows: Rows, found: _Found, trials: Trials) -> Effect:
    cause = cause_of(rows, found.figure, int(found.rows[0]), found.before, found.after, trials)
    names = rows.names(found.rows[:MAX_EXAMPLES].tolist())
    return Effect(
        id=names[0],
        n=len(found.rows),
        figure=found.figure.name,
        before=None if np.isnan(found.before) else found.before,
        after=None if np.isnan(found.after) else found.after,
        direction=found.direction,
        cause=cause.text,
        changes=cause.changes,
        verified=cause.is_verified,
        examples=tuple(names) if len(found.rows) > 1 else (),
    )
