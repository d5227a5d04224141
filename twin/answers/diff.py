"""Differences between two scores, with the links, racks and accelerators behind the largest ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from ..arrays import Floats
from ..catalogue.figure_reader import UsedFigure
from ..economics.lease import Lease
from ..render.diff_table import diff_table
from ..render.numbers import metric_text
from ..render.quantities import change_percent_text
from ..stages.evaluation import Evaluation
from .arc_text import arc_name, arc_reason
from .caveats import caveat_sentences, caveats
from .data import Answer
from .effects import Effects
from .jobs_together import JobAmongOthers
from .main_assumptions import MainAssumption
from .metrics import Better
from .preview import Preview
from .purchase import Purchase
from .score import MetricValue, Score, data_frame, html_table
from .verdict import diff_verdict
from .warning import AnswerWarning

N_CAUSES = 5
"""Largest number of causes listed for one figure."""


@dataclass(frozen=True, slots=True)
class DiffCause:
    """A link, phase or group of accelerators whose figure changed."""

    figure: str
    where: str
    before: float | None
    after: float | None
    note: str = ""


Side = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class MetricChange:
    """A metric before and after. Figures are null where the metric does not apply; `why` then gives the reason."""

    before: float | None
    after: float | None
    change: float | None
    """After minus before."""
    unit: str
    better: Better
    why: dict[Side, str] = field(default_factory=dict, metadata={"optional": True})
    caveat: str = field(default="", metadata={"optional": True})
    """Reason why a metric that looks better is no improvement: links that broke no longer count, or less runs."""


@dataclass(frozen=True, slots=True)
class BottlenecksBeforeAfter:
    """The bottlenecks before and after."""

    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeaseBeforeAfter:
    """The lease comparison before and after; null where no site has a lease price."""

    before: Lease | None
    after: Lease | None


@dataclass(frozen=True, slots=True)
class JobsBeforeAfter:
    """Jobs that run together, each alone and among the others, before and after."""

    before: tuple[JobAmongOthers, ...]
    after: tuple[JobAmongOthers, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class Diff(Answer):
    """Every metric before and after a change, with causes and the items to buy."""

    label: str = field(metadata={"alias": "network"})
    """Name of the network before the changes."""
    as_of: str | None
    job: str | None
    plan: str | None
    summary: tuple[str, ...]
    """The verdict: change, bottleneck before and after, cost, main assumptions; one sentence each."""
    metrics: dict[str, MetricChange]
    utilisation_window: str
    """Time over which utilisation metrics are averaged."""
    utilisation_tier: str
    """Tier of the links that utilisation metrics count."""
    bottlenecks: BottlenecksBeforeAfter
    causes: tuple[DiffCause, ...]
    purchases: tuple[Purchase, ...]
    preview: Preview
    """The changes as records before and after, with totals of capacity, power, ports and racks."""
    effects: Effects
    """Links, demands and jobs that got better or worse, ranked, with the cause of each."""
    lease: LeaseBeforeAfter
    main_assumptions: tuple[MainAssumption, ...]
    """Assumptions that move the change most; empty where they were not requested."""
    assumptions: tuple[UsedFigure, ...]
    """Of both scores."""
    before: Score = field(metadata={"hidden": True})
    after: Score = field(metadata={"hidden": True})
    warnings: tuple[AnswerWarning, ...] = field(default=(), metadata={"optional": True})
    """Inputs that some links leave out after the change; absent where there are none."""
    jobs: JobsBeforeAfter | None = field(default=None, metadata={"optional": True})
    """Jobs that run together; absent for a single job."""
    changed_network: Any = field(default=None, metadata={"hidden": True})
    """Function that makes the network after the changes."""

    @cached_property
    def network(self) -> Any:
        """The network after the changes, a `twin.Network`: it can be scored, saved, exported and changed again."""
        assert self.changed_network is not None
        return self.changed_network()

    def __getitem__(self, metric: str) -> tuple[float | None, float | None]:
        return self.before[metric], self.after[metric]

    def change(self, metric: str) -> float | None:
        """After minus before; None where either is null."""
        return _difference(*self[metric])

    def to_pandas(self, *, all_metrics: bool = False) -> Any:
        """Return the metrics as a DataFrame (needs the extra `tables`).

        all_metrics: include metrics that apply neither before nor after the change.
        """
        rows = [
            {"metric": name, **row}
            for name, row in self.to_dict()["metrics"].items()
            if all_metrics or row["before"] is not None or row["after"] is not None
        ]
        return data_frame(rows, ("metric", "before", "after", "change", "unit", "better"), "metric")

    def _repr_html_(self) -> str:
        rows = []
        for name, value in self.after.metrics.items():
            before, after = self[name]
            if before is None and after is None:
                continue
            share = "" if before is None or after is None else change_percent_text(before, after)
            rows.append((value.label, metric_text(name, before), metric_text(name, after), share))
        title = f"{self.before.network} · {self.before.job or 'no job'} · {self.plan or 'changes'}"
        headings = ("metric", "before", "after", "change")
        return html_table(title, headings, rows, self.after.bottlenecks, self.summary)

    def _table(self) -> Any:
        return diff_table(self.to_dict(), self.after.to_dict())


def diff_of(
    plan: str | None,
    before: Score,
    after: Score,
    old: Evaluation,
    new: Evaluation,
    preview: Preview,
    effects: Effects,
    main: Sequence[MainAssumption] = (),
    changed_network: Callable[[], Any] | None = None,
) -> Diff:
    """Compare two scores.

    Args:
        plan: id of the plan that leads from one to the other; None for a list of changes.
        before: score without the change.
        after: score with the change.
        old: evaluation behind `before`.
        new: evaluation behind `after`; its network may have other nodes and links.
        preview: list of the changes.
        effects: what got better or worse.
        main: main assumptions of the comparison.
        changed_network: makes the network after the changes.
    """
    values = {name: (before[name], after[name]) for name in after}
    caveat_of = caveats(old, new, values)
    return Diff(
        label=before.network,
        as_of=before.as_of,
        job=before.job,
        plan=plan,
        summary=(
            *diff_verdict(old, new, values, main),
            *caveat_sentences(caveat_of, values),
            *preview.capacity_falls,
        ),
        metrics={
            name: metric_change(before.metrics[name], value, caveat_of.get(name, ""))
            for name, value in after.metrics.items()
        },
        utilisation_window=before.utilisation_window,
        utilisation_tier=before.utilisation_tier,
        bottlenecks=BottlenecksBeforeAfter(before.bottlenecks, after.bottlenecks),
        causes=tuple(_causes(old, new)),
        purchases=tuple(Purchase(*row) for row in new.money.purchases),
        preview=preview,
        effects=effects,
        lease=LeaseBeforeAfter(before.lease, after.lease),
        main_assumptions=tuple(main),
        warnings=after.warnings,
        assumptions=tuple(sorted({*before.assumptions, *after.assumptions})),
        before=before,
        after=after,
        jobs=JobsBeforeAfter(before.jobs, after.jobs) if after.jobs else None,
        changed_network=changed_network,
    )


def metric_change(before: MetricValue, after: MetricValue, caveat: str = "") -> MetricChange:
    """Return a metric before and after, with the reason why it is no improvement, if there is one."""
    sides: tuple[tuple[Side, MetricValue], ...] = (("before", before), ("after", after))
    why = {side: metric.why for side, metric in sides if metric.value is None}
    change = _difference(before.value, after.value)
    return MetricChange(before.value, after.value, change, after.unit, after.better, why, caveat)


def _difference(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


def _causes(old: Evaluation, new: Evaluation) -> list[DiffCause]:
    rows = _shared_link_rows(old, new)
    causes = _phase_causes(old, new)
    causes += _arc_causes("capacity_gbps", new, rows, old.health.arc_capacity_gbps, new.health.arc_capacity_gbps)
    causes += _arc_causes("utilisation_ratio", new, rows, old.arc_utilisation_ratio, new.arc_utilisation_ratio)
    causes += _link_causes("margin_db", new, rows, old.health.margin_db, new.health.margin_db)
    causes += _link_causes("loss_db", new, rows, old.health.loss_db, new.health.loss_db)
    causes += _rack_causes(old, new)
    return causes


def _shared_link_rows(old: Evaluation, new: Evaluation) -> np.ndarray:
    """Rows of the links that are in both networks; int64[n, 2], old row and new row."""
    old_arrays, new_arrays = old.case.state.arrays, new.case.state.arrays
    if old_arrays is new_arrays:
        rows = np.arange(old_arrays.n_links)
        return np.stack((rows, rows), axis=1)
    new_index = new_arrays.link_index
    pairs = [(row, new_index[link_id]) for link_id, row in old_arrays.link_index.items() if link_id in new_index]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _phase_causes(old: Evaluation, new: Evaluation) -> list[DiffCause]:
    """The slowest arc of the most exposed phase, before and after, and the reason for its time."""
    causes = []
    for e, side in ((old, "before"), (new, "after")):
        if e.step is None:
            continue
        phase = max(e.step.exposed_s.items(), key=lambda item: item[1])[0]
        if phase in e.step.bottleneck:
            arc, seconds = e.step.bottleneck[phase]
            before, after = (seconds, None) if side == "before" else (None, seconds)
            causes.append(DiffCause(f"{phase}_time_s", arc_name(e, arc), before, after, arc_reason(e, arc)))
    return causes


def _arc_causes(figure: str, new: Evaluation, rows: np.ndarray, before: Floats, after: Floats) -> list[DiffCause]:
    arcs_old = (2 * rows[:, :1] + np.arange(2)).ravel()
    arcs_new = (2 * rows[:, 1:] + np.arange(2)).ravel()
    changes = _absolute_changes(before[arcs_old], after[arcs_new])
    # a link is listed once, by the direction that changes more
    largest_by_link: dict[int, int] = {}
    for i in _largest_rows(changes, 4 * N_CAUSES):
        largest_by_link.setdefault(int(arcs_new[i]) // 2, int(i))
    return [
        DiffCause(figure, arc_name(new, int(arcs_new[i])), _finite(before[arcs_old[i]]), _finite(after[arcs_new[i]]))
        for i in list(largest_by_link.values())[:N_CAUSES]
    ]


def _link_causes(figure: str, new: Evaluation, rows: np.ndarray, before: Floats, after: Floats) -> list[DiffCause]:
    changes = _absolute_changes(before[rows[:, 0]], after[rows[:, 1]])
    link_ids = new.case.state.arrays.link_ids
    return [
        DiffCause(figure, link_ids[rows[i, 1]], _finite(before[rows[i, 0]]), _finite(after[rows[i, 1]]))
        for i in _largest_rows(changes, N_CAUSES)
    ]


def _absolute_changes(before: Floats, after: Floats) -> Floats:
    """Size of each change; 0 where one of the two values is not finite."""
    both_finite = np.isfinite(before) & np.isfinite(after)
    changes = np.zeros(len(before))
    np.subtract(after, before, out=changes, where=both_finite)
    return np.abs(changes)


def _largest_rows(changes: Floats, n: int) -> np.ndarray:
    """Rows of the `n` largest changes, largest first; equal ones keep their order, rounding noise is left out."""
    order = np.argsort(-changes, kind="stable")[:n]
    return order[changes[order] > 1e-9]


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _rack_causes(old: Evaluation, new: Evaluation) -> list[DiffCause]:
    """Accelerator groups, by site and kind, whose number or time per step changed."""
    causes = []
    before, after = _n_accelerators_by_group(old), _n_accelerators_by_group(new)
    for key in sorted({*before, *after}):
        if before.get(key, 0) != after.get(key, 0):
            causes.append(DiffCause("n_accelerators", f"{key[1]} in {key[0]}", before.get(key, 0), after.get(key, 0)))
    times_before, times_after = _group_times_s(old), _group_times_s(new)
    for key in sorted({*times_before, *times_after}):
        before_s, after_s = times_before.get(key), times_after.get(key)
        if before_s != after_s:
            causes.append(DiffCause("group_time_s", f"{key[1]} in {key[0]}", before_s, after_s))
    return causes


def _group_times_s(e: Evaluation) -> dict[tuple[str, str], float]:
    if e.step is None:
        return {}
    times_s = zip(e.step.groups, e.step.group_time_s, strict=True)
    return {(group.site, group.accelerator): time_s for group, time_s in times_s}


def _n_accelerators_by_group(e: Evaluation) -> dict[tuple[str, str], float]:
    state, arrays = e.case.state, e.case.state.arrays
    by_group: dict[tuple[str, str], float] = {}
    racks = np.flatnonzero(state["node_n_accelerators"] > 0)
    keys = np.stack((arrays.node_site[racks], state["node_accelerator"][racks]), axis=1)
    kinds, inverse = np.unique(keys, axis=0, return_inverse=True)
    counts = np.bincount(inverse.reshape(-1), weights=state["node_n_accelerators"][racks], minlength=len(kinds))
    for (site, part), n in zip(kinds, counts, strict=True):
        by_group[arrays.sites[site] if site >= 0 else "no site", state.parts[part]] = float(n)
    return by_group
