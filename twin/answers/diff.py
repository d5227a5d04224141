"""Two scores side by side, and the links, racks and spans behind the largest differences."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Floats
from ..render.numbers import number_text
from ..stages.evaluation import Evaluation
from .score import Score, data_frame, html_table, lease_to_dict, used_figure_to_dict
from .summary_text import arc_name, arc_reason

N_CAUSES = 5
"""Rows named for each kind of difference."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A link, span or group of racks whose figure moved."""

    figure: str
    where: str
    before: float | None
    after: float | None
    note: str = ""


@dataclass(frozen=True)
class Diff:
    """Before and after of a what-if, for every metric, with causes and the shopping list."""

    plan: str | None
    before: Score
    after: Score
    causes: tuple[Cause, ...]
    purchases: tuple[tuple[str, float, float], ...]

    def __getitem__(self, metric: str) -> tuple[float | None, float | None]:
        return self.before[metric], self.after[metric]

    def change(self, metric: str) -> float | None:
        """After minus before; None where either is null."""
        before, after = self[metric]
        return None if before is None or after is None else after - before

    def to_dict(self) -> dict[str, Any]:
        """Plain data without clock, paths or random ids."""
        metrics: dict[str, Any] = {}
        for name, value in self.after.metrics.items():
            before = self.before.metrics[name]
            row: dict[str, Any] = {"before": before.value, "after": value.value, "change": self.change(name)}
            metrics[name] = row | {"unit": value.unit, "better": value.better}
            why = {k: v.why for k, v in (("before", before), ("after", value)) if v.value is None}
            if why:
                metrics[name]["why"] = why
        return {
            "network": self.before.network,
            "as_of": self.before.as_of,
            "job": self.before.job,
            "plan": self.plan,
            "metrics": metrics,
            "utilisation_window": "step",
            "utilisation_tier": "all",
            "bottlenecks": {"before": list(self.before.bottlenecks), "after": list(self.after.bottlenecks)},
            "causes": [{name: getattr(cause, name) for name in Cause.__slots__} for cause in self.causes],
            "purchases": [{"item": item, "amount": amount, "usd": usd} for item, amount, usd in self.purchases],
            "lease": {"before": lease_to_dict(self.before.lease), "after": lease_to_dict(self.after.lease)},
            "assumptions": [
                used_figure_to_dict(each) for each in sorted({*self.before.assumptions, *self.after.assumptions})
            ],
        }

    def to_json(self, indent: int | None = 1) -> str:
        """`to_dict` as JSON text, ending in a newline."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False) + "\n"

    def to_pandas(self) -> Any:
        """The metrics as a DataFrame (needs the extra `tables`)."""
        rows = [{"metric": name, **row} for name, row in self.to_dict()["metrics"].items()]
        return data_frame(rows, ("metric", "before", "after", "change", "unit", "better"), "metric")

    def _repr_html_(self) -> str:
        rows = []
        for name, value in self.after.metrics.items():
            cells = (self.before[name], value.value, self.change(name))
            rows.append((name, *(number_text(cell, value.unit) for cell in cells)))
        title = f"{self.before.network} · {self.before.job or 'no job'} · {self.plan or 'changes'}"
        return html_table(title, ("metric", "before", "after", "change"), rows, self.after.bottlenecks)


def diff_of(plan: str | None, before: Score, after: Score, old: Evaluation, new: Evaluation) -> Diff:
    """Scores and their evaluations as one difference; `old` and `new` may be of different structure."""
    return Diff(plan, before, after, tuple(_causes(old, new)), new.money.purchases)


def _causes(old: Evaluation, new: Evaluation) -> list[Cause]:
    rows = _common(old, new)
    found = _phase_causes(old, new)
    found += _arc_causes("capacity_gbps", new, rows, old.health.arc_capacity_gbps, new.health.arc_capacity_gbps)
    found += _arc_causes("utilisation_ratio", new, rows, old.arc_utilisation_ratio, new.arc_utilisation_ratio)
    found += _link_causes("margin_db", new, rows, old.health.margin_db, new.health.margin_db)
    found += _link_causes("loss_db", new, rows, old.health.loss_db, new.health.loss_db)
    found += _rack_causes(old, new)
    return found


def _common(old: Evaluation, new: Evaluation) -> np.ndarray:
    """int64[n, 2]: rows of the links that both have."""
    a, b = old.case.state.arrays, new.case.state.arrays
    if a is b:
        every = np.arange(a.n_links)
        return np.stack((every, every), axis=1)
    pairs = [(i, b.link_index[name]) for name, i in a.link_index.items() if name in b.link_index]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _phase_causes(old: Evaluation, new: Evaluation) -> list[Cause]:
    """The longest arc of the most exposed phase, before and after, and why."""
    found = []
    for e, side in ((old, "before"), (new, "after")):
        if e.step is None:
            continue
        phase = max(e.step.exposed_s.items(), key=lambda item: item[1])[0]
        if phase in e.step.bottleneck:
            arc, seconds = e.step.bottleneck[phase]
            before, after = (seconds, None) if side == "before" else (None, seconds)
            found.append(Cause(f"{phase}_time_s", arc_name(e, arc), before, after, arc_reason(e, arc)))
    return found


def _arc_causes(figure: str, new: Evaluation, rows: np.ndarray, before: Floats, after: Floats) -> list[Cause]:
    arcs_old = (2 * rows[:, :1] + np.arange(2)).ravel()
    arcs_new = (2 * rows[:, 1:] + np.arange(2)).ravel()
    moved = _moved(before[arcs_old], after[arcs_new])
    # the larger of the two directions speaks for a link
    best: dict[int, int] = {}
    for i in _top(moved, 4 * N_CAUSES):
        best.setdefault(int(arcs_new[i]) // 2, int(i))
    return [
        Cause(figure, arc_name(new, int(arcs_new[i])), _finite(before[arcs_old[i]]), _finite(after[arcs_new[i]]))
        for i in list(best.values())[:N_CAUSES]
    ]


def _link_causes(figure: str, new: Evaluation, rows: np.ndarray, before: Floats, after: Floats) -> list[Cause]:
    moved = _moved(before[rows[:, 0]], after[rows[:, 1]])
    names = new.case.state.arrays.link_ids
    return [
        Cause(figure, names[rows[i, 1]], _finite(before[rows[i, 0]]), _finite(after[rows[i, 1]]))
        for i in _top(moved, N_CAUSES)
    ]


def _moved(before: Floats, after: Floats) -> Floats:
    both = np.isfinite(before) & np.isfinite(after)
    out = np.zeros(len(before))
    np.subtract(after, before, out=out, where=both)
    return np.abs(out)


def _top(moved: Floats, n: int) -> np.ndarray:
    """Rows of the largest differences that are more than rounding, the first of equals."""
    order = np.argsort(-moved, kind="stable")[:n]
    return order[moved[order] > 1e-9]


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _rack_causes(old: Evaluation, new: Evaluation) -> list[Cause]:
    """Accelerators by site and kind, where their number changed, and the pace of groups."""
    found = []
    before, after = _accelerators(old), _accelerators(new)
    for key in sorted({*before, *after}):
        if before.get(key, 0) != after.get(key, 0):
            found.append(Cause("n_accelerators", f"{key[1]} in {key[0]}", before.get(key, 0), after.get(key, 0)))
    slow, fast = _pool_times(old), _pool_times(new)
    for key in sorted({*slow, *fast}):
        a, b = slow.get(key), fast.get(key)
        if a != b:
            found.append(Cause("group_time_s", f"{key[1]} in {key[0]}", a, b))
    return found


def _pool_times(e: Evaluation) -> dict[tuple[str, str], float]:
    if e.step is None:
        return {}
    return {(p.site, p.accelerator): t for p, t in zip(e.step.groups, e.step.group_time_s, strict=True)}


def _accelerators(e: Evaluation) -> dict[tuple[str, str], float]:
    state, arrays = e.case.state, e.case.state.arrays
    found: dict[tuple[str, str], float] = {}
    racks = np.flatnonzero(state["node_n_accelerators"] > 0)
    keys = np.stack((arrays.node_site[racks], state["node_accelerator"][racks]), axis=1)
    kinds, inverse = np.unique(keys, axis=0, return_inverse=True)
    counts = np.bincount(inverse.reshape(-1), weights=state["node_n_accelerators"][racks], minlength=len(kinds))
    for (site, part), n in zip(kinds, counts, strict=True):
        found[arrays.sites[site] if site >= 0 else "no site", state.parts[part]] = float(n)
    return found
