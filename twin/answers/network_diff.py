"""Two networks, or two plans of one, side by side: records, then metrics, then what got better or worse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors.wording import counted
from ..render.effects_table import MAX_EFFECTS_SHOWN
from ..render.network_diff_table import network_diff_table
from ..render.numbers import metric_text
from ..render.quantities import change_percent_text, is_noise
from .caveats import caveat_sentences, caveats
from .compared_rows import Trial
from .data import Answer
from .diff import MetricChange, metric_change
from .document_records import DifferingRecords, DocumentSide, record_differences
from .effect_causes import Trials
from .effects import Effects, effects_of
from .headline import HEADLINES
from .metrics import METRICS
from .score import Score

SUMMARY_METRICS = ("step_time_s", *HEADLINES)
N_SENTENCES = 2
"""Metrics that the summary states."""


@dataclass(frozen=True, slots=True)
class Sides:
    """A text of each of two networks."""

    before: str
    after: str


@dataclass(frozen=True, kw_only=True, repr=False)
class NetworkDiff(Answer):
    """Differences between two networks, or between two plans of one."""

    networks: Sides
    """Names of both; with the plan, if there is one."""
    job: str | None
    summary: tuple[str, ...]
    records: tuple[DifferingRecords, ...]
    metrics: dict[str, MetricChange]
    effects: Effects
    """Links, demands and jobs of both that are better or worse in the second; causes are what differs at them."""

    def __getitem__(self, metric: str) -> tuple[float | None, float | None]:
        row = self.metrics[metric]
        return row.before, row.after

    def table(self, *, all_metrics: bool = False, top: int = MAX_EFFECTS_SHOWN) -> Any:
        """Return the answer as a rich renderable."""
        labels = {name: METRICS[name].label for name in self.metrics}
        return network_diff_table(self.to_dict(), labels, all_metrics=all_metrics, top=top)

    def _table(self) -> Any:
        return self.table()


@dataclass(frozen=True)
class ComparedSide:
    """One of two networks: its documents, its evaluation, its score."""

    name: str
    records: DocumentSide
    trial: Trial
    score: Score


def network_diff(old: ComparedSide, new: ComparedSide, top: int) -> NetworkDiff:
    """Compare two networks.

    Args:
        old: the first network.
        new: the second network.
        top: most effects of each kind and direction.
    """
    records = record_differences(old.records, new.records)
    values = {name: (old.score[name], new.score[name]) for name in new.score}
    found = caveats(old.trial.evaluation, new.trial.evaluation, values)
    return NetworkDiff(
        networks=Sides(old.name, new.name),
        job=new.score.job,
        summary=(
            *_record_sentences(records),
            *_job_sentences(old.score.job, new.score.job),
            *_metric_sentences(values),
            *caveat_sentences(found, values),
        ),
        records=records,
        metrics={
            name: metric_change(old.score.metrics[name], value, found.get(name, ""))
            for name, value in new.score.metrics.items()
        },
        effects=effects_of(old.trial, new.trial, Trials((), lambda _: None), top),
    )


def _record_sentences(records: Sequence[DifferingRecords]) -> Iterator[str]:
    if not records:
        yield "No record differs."
        return
    counts: dict[tuple[str, str], int] = {}
    for record in records:
        kind = record.kind if record.kind in ("site", "node", "link", "demand") else "other record"
        counts[kind, record.what] = counts.get((kind, record.what), 0) + record.n
    texts = [f"{counted(n, kind)} {what}" for (kind, what), n in counts.items()]
    yield f"Records: {', '.join(texts)}."


def _job_sentences(before: str | None, after: str | None) -> Iterator[str]:
    if before != after:
        yield f"The jobs differ: {before or 'none'} before, {after or 'none'} after."


def _metric_sentences(values: dict[str, tuple[float | None, float | None]]) -> Iterator[str]:
    differ = [name for name in SUMMARY_METRICS if name in values and _differs(*values[name])]
    for name in differ[:N_SENTENCES]:
        before, after = values[name]
        share = "" if before is None or after is None else change_percent_text(before, after)
        texts = metric_text(name, before), metric_text(name, after)
        label = METRICS[name].label
        yield f"{label[0].upper()}{label[1:]}: {texts[0]} → {texts[1]}{f' ({share})' if share else ''}."
    if not differ:
        n_differ = sum(_differs(*pair) for pair in values.values())
        yield f"{counted(n_differ, 'metric differs', 'metrics differ')}." if n_differ else "No metric differs."


def _differs(before: float | None, after: float | None) -> bool:
    if before is None or after is None:
        return before is not after
    return not is_noise(before, after)
