"""Causes of effects, by computing the network again with parts of the change left out, and what each did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from ..errors.wording import counted
from ..render.numbers import metric_text
from ..render.quantities import names_text, rate_text
from ..scenario.changes import Change
from ..stages.evaluation import Evaluation
from .compared_rows import DemandRows, Figure, JobRows, LinkRows, Rows, Trial
from .effect_reasons import demand_reason, job_reason, link_reason

Flow = Literal["less", "more", "same"]
MAX_PARTS = 8
"""Most parts into which a list of changes is divided for causes."""
LEAST_SHARE = 0.01
"""Share of an effect that a part must make to be its cause."""
TARGETS = ("links", "nodes", "racks", "srlg", "ids", "sites", "site", "link", "node", "mode", "sync", "split")
"""Fields of a change that its short name shows, the first that it has."""


class Part(NamedTuple):
    """Changes that are left out together."""

    label: str
    changes: tuple[int, ...]


def parts_of(changes: Sequence[Change]) -> tuple[Part, ...]:
    """Divide a list of changes into at most MAX_PARTS parts, in order: single changes where there are few."""
    groups = np.array_split(np.arange(len(changes)), min(len(changes), MAX_PARTS)) if changes else []
    return tuple(
        Part(", ".join(dict.fromkeys(change_label(changes[i]) for i in group.tolist())), tuple(group.tolist()))
        for group in groups
    )


def change_label(change: Change) -> str:
    """Return kind and target of a change: `fail_links wan-1-2`."""
    data = change.model_dump(mode="json", exclude_none=True)
    target: Any = next((data[name] for name in TARGETS if name in data), "")
    if isinstance(target, dict):
        target = target["id"] if "id" in target else " ".join(str(value) for value in target.values())
    if isinstance(target, list):
        target = names_text(list(dict.fromkeys(str(item) for item in target)))
    return f"{change.kind} {target}".rstrip()


class Trials:
    """Evaluations with parts of a change; each is made once, when a cause is looked for."""

    def __init__(self, parts: Sequence[Part], evaluate: Callable[[Sequence[int]], Trial | None]) -> None:
        """Keep the parts, and a function that evaluates the network after some of the changes.

        Args:
            parts: parts of the change; none = causes are not looked for.
            evaluate: evaluates the changes at these places; None where they cannot be applied without the others.
        """
        self.parts, self._evaluate = tuple(parts), evaluate
        self._known: dict[tuple[int, ...], Trial | None] = {}

    def without(self, part: int) -> Trial | None:
        """Return the network without one part of the change."""
        return self._of([i for k, other in enumerate(self.parts) if k != part for i in other.changes])

    def alone(self, part: int) -> Trial | None:
        """Return the network with one part of the change only."""
        return self._of(self.parts[part].changes)

    def _of(self, changes: Sequence[int]) -> Trial | None:
        key = tuple(changes)
        if key not in self._known:
            self._known[key] = self._evaluate(key)
        return self._known[key]


class Cause(NamedTuple):
    """Cause of an effect as text, and the changes that make it."""

    text: str
    changes: tuple[int, ...]
    is_verified: bool


def cause_of(rows: Rows, figure: Figure, row: int, before: float, after: float, trials: Trials) -> Cause:
    """Find the cause of an effect.

    Without one part of the change the figure must be another: that part is a cause. Where no single part is, each is
    tried alone.

    Args:
        rows: rows of both evaluations.
        figure: figure that changed.
        row: one of the rows.
        before: the figure before the change.
        after: the figure after it.
        trials: evaluations with parts of the change.
    """
    parts = trials.parts
    if len(parts) <= 1:
        reason = _reason(rows, figure, row, rows.old)
        return Cause(_joined(reason, parts[0].label if parts else ""), parts[0].changes if parts else (), bool(parts))
    without = [_value(rows, figure, row, trials.without(k)) for k in range(len(parts))]
    found = [k for k in range(len(parts)) if _moves(without[k], after, before, after)]
    found.sort(key=lambda k: -_distance(without[k], after))
    if found:
        main = found[0]
        reason = _reason(rows, figure, row, trials.without(main) or rows.old)
        labels = [f"{parts[k].label} (without it {_text(figure, without[k])})" for k in found[:3]]
        return Cause(_joined(reason, "; ".join(labels)), _changes(parts, found), True)
    alone = [_value(rows, figure, row, trials.alone(k)) for k in range(len(parts))]
    found = [k for k in range(len(parts)) if _moves(alone[k], before, before, after)]
    reason = _reason(rows, figure, row, rows.old)
    if found:
        labels = [f"{parts[k].label} (alone {_text(figure, alone[k])})" for k in found[:3]]
        each = "each alone is enough: " if len(found) > 1 else ""
        return Cause(_joined(reason, each + "; ".join(labels)), _changes(parts, found), True)
    return Cause(
        _joined(reason, f"{counted(len(parts), 'change')} together"), _changes(parts, range(len(parts))), False
    )


def _changes(parts: Sequence[Part], found: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(i for k in found for i in parts[k].changes))


def _joined(reason: str, changes: str) -> str:
    return f"{reason} – {changes}" if reason and changes else reason or changes


def _value(rows: Rows, figure: Figure, row: int, trial: Trial | None) -> float | None:
    return None if trial is None else float(rows.values(figure, trial)[row])


def _distance(value: float | None, other: float) -> float:
    if value is None or np.isnan(value) != np.isnan(other):
        return float("inf")
    return 0.0 if np.isnan(value) else abs(value - other)


def _moves(value: float | None, reference: float, before: float, after: float) -> bool:
    """Return whether a trial differs from a reference by a share of the effect; None = the trial is not possible."""
    if value is None:
        return False
    if np.isnan(value) or np.isnan(reference):
        return bool(np.isnan(value) != np.isnan(reference))
    size = abs(after - before) if np.isfinite(after - before) else abs(reference)
    return abs(value - reference) > LEAST_SHARE * size


def _text(figure: Figure, value: float | None) -> str:
    if value is None or np.isnan(value):
        return "none"
    return rate_text(value) if figure.name == "capacity_gbps" else metric_text(figure.name, value)


def _reason(rows: Rows, figure: Figure, row: int, trial: Trial) -> str:
    """Describe what changed between a trial without the cause and the network after the change."""
    if isinstance(rows, LinkRows):
        old_row = int(rows.rows_in(trial.evaluation.case.state)[row])
        new_row = int(rows.new_rows[row])
        return link_reason(trial.evaluation, rows.new.evaluation, old_row, new_row, figure.name) if old_row >= 0 else ""
    if isinstance(rows, DemandRows):
        pair = trial.evaluation, rows.new.evaluation
        places = int(rows.rows_in(pair[0])[row]), int(rows.rows_in(pair[1])[row])
        if places[0] < 0:
            return ""
        limits = rows.limit(pair[0], places[0]), rows.limit(pair[1], places[1])
        return demand_reason(*pair, places, limits, figure.name)
    assert isinstance(rows, JobRows)
    return job_reason(trial, rows.new, rows.ids[row])


def flow_change(old: Evaluation, new: Evaluation) -> Flow:
    """Return whether less traffic gets through after a change, or the job does more.

    Less: demands carry a smaller share, or the job slows down or ends.
    """
    shares = [_carried_ratio(e) for e in (old, new)]
    rates = [e.step.tokens_per_s if e.step is not None else 0.0 for e in (old, new)]
    if shares[1] < shares[0] * (1.0 - 1e-9) or rates[1] < rates[0] * (1.0 - 1e-9):
        return "less"
    return "more" if rates[1] > rates[0] * (1.0 + 1e-9) else "same"


def _carried_ratio(e: Evaluation) -> float:
    if e.demands is None:
        return 1.0
    offered_gbps = float(e.demands.offered_gbps.sum())
    return float(e.demands.carried_gbps.sum()) / offered_gbps if offered_gbps else 1.0
