"""Figures of links, demands and jobs in two evaluations, row by row; a third evaluation is read in the same rows."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..arrays import Bools, Floats, Ints, State, greater_of_both, lesser_of_both
from ..model.demand_columns import DemandColumns
from ..stages.evaluation import Evaluation
from .arc_text import arc_name
from .demand_table import latency_of_pairs_us, limiting_arcs_of_pairs
from .jobs_together import JobAmongOthers
from .metric import Better, NotApplicableError
from .metrics import METRICS

NOISE_RATIO = 1e-6
"""Relative change below which a figure has not changed."""


@dataclass(frozen=True)
class Trial:
    """An evaluation, and the jobs that run together in it."""

    evaluation: Evaluation
    among: tuple[JobAmongOthers, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of rows, by name with its unit."""

    name: str
    better: Better
    scale: float
    """Change that counts as much as the whole of a ratio."""


class Rows(ABC):
    """Rows that exist before and after a change."""

    figures: ClassVar[tuple[Figure, ...]]
    counts_missing = False
    """True where a figure that there is only before, or only after, is a change."""

    def __init__(self, old: Trial, new: Trial) -> None:
        self.old, self.new = old, new

    @abstractmethod
    def values(self, figure: Figure, trial: Trial) -> Floats:
        """Return a figure of all rows in an evaluation; NaN where there is none."""

    @abstractmethod
    def codes(self) -> Ints:
        """Return a code of each row; rows of different codes are never the same effect."""

    @abstractmethod
    def names(self, rows: Sequence[int]) -> list[str]:
        """Return the ids of some rows."""

    def weights(self) -> Floats | float:
        """Return the weight of each row in the ranking."""
        return 1.0

    def demands_grow(self) -> Bools | bool:
        """Return at which rows demands offer more than before."""
        return False


class LinkRows(Rows):
    """Links of both networks."""

    figures = (
        Figure("capacity_gbps", "higher", math.nan),
        Figure("utilisation_ratio", "lower", 1.0),
        Figure("margin_db", "higher", 10.0),
    )

    def __init__(self, old: Trial, new: Trial) -> None:
        super().__init__(old, new)
        before, after = old.evaluation.case.state, new.evaluation.case.state
        self._rows: dict[int, Ints] = {}
        if before.arrays is after.arrays:
            self.old_rows = self.new_rows = np.arange(after.n_links)
        else:
            found = _places(before, after.link_ids)
            self.new_rows = np.flatnonzero(found >= 0)
            self.old_rows = found[self.new_rows]

    def rows_in(self, state: State) -> Ints:
        """Return the row of each link in another state; -1 where it is absent."""
        after = self.new.evaluation.case.state
        if state.arrays is after.arrays:
            return self.new_rows
        if state.arrays is self.old.evaluation.case.state.arrays:
            return self.old_rows
        key = id(state.arrays)
        if key not in self._rows:
            self._rows[key] = _places(state, [after.link_ids[row] for row in self.new_rows.tolist()])
        return self._rows[key]

    def values(self, figure: Figure, trial: Trial) -> Floats:
        """Return capacity of the slower direction, utilisation of the busier one, or margin."""
        e = trial.evaluation
        rows = self.rows_in(e.case.state)
        if figure.name == "capacity_gbps":
            of_link = lesser_of_both(e.health.arc_capacity_gbps)
        elif figure.name == "margin_db":
            of_link = np.where(e.case.state.in_service, e.health.margin_db, np.nan)
        elif e.demands is None and e.step is None:
            of_link = np.full(e.case.state.n_links, np.nan)
        else:
            busier = greater_of_both(e.arc_utilisation_ratio)
            of_link = np.where(e.health.lit, busier, np.nan)
        return np.where(rows >= 0, of_link[np.maximum(rows, 0)], np.nan) if len(of_link) else np.full(len(rows), np.nan)

    def demands_grow(self) -> Bools | bool:
        """Return on which links demands offer more than before, in the busier direction."""
        before, after = (self._offered_gbps(trial.evaluation) for trial in (self.old, self.new))
        return np.asarray(after > before * (1.0 + NOISE_RATIO))

    def _offered_gbps(self, e: Evaluation) -> Floats:
        rows = self.rows_in(e.case.state)
        if e.demands is None or not e.case.state.n_links:
            return np.zeros(len(rows))
        return np.asarray(greater_of_both(e.demands.arc_offered_gbps)[rows])

    def codes(self) -> Ints:
        """Return the tier of each link."""
        return np.asarray(self.new.evaluation.case.state.link_tier[self.new_rows])

    def names(self, rows: Sequence[int]) -> list[str]:
        """Return the ids of links."""
        ids = self.new.evaluation.case.state.link_ids
        return [ids[self.new_rows[row]] for row in rows]


def _places(state: State, names: Sequence[str]) -> Ints:
    index = state.link_index
    return np.array([index.get(name, -1) for name in names], dtype=np.int64).reshape(-1)


class DemandRows(Rows):
    """Pairs of nodes with demands before and after."""

    figures = (Figure("carried_ratio", "higher", 1.0), Figure("latency_us", "lower", math.nan))

    def __init__(self, old: Trial, new: Trial) -> None:
        super().__init__(old, new)
        both = set(_pair_ids(old.evaluation)) & set(_pair_ids(new.evaluation))
        self.pairs = [pair for pair in _pair_ids(new.evaluation) if pair in both]
        self._rows: dict[int, Ints] = {}
        self._limits: dict[int, Ints] = {}

    def rows_in(self, e: Evaluation) -> Ints:
        """Return the row of each pair in another evaluation; -1 where it is absent."""
        pairs: Any = e.demand_pairs
        if id(pairs) not in self._rows:
            index = {pair: row for row, pair in enumerate(_pair_ids(e))}
            self._rows[id(pairs)] = np.array([index.get(pair, -1) for pair in self.pairs], dtype=np.int64).reshape(-1)
        return self._rows[id(pairs)]

    def values(self, figure: Figure, trial: Trial) -> Floats:
        """Return carried over offered traffic, or the slowest path one way."""
        e = trial.evaluation
        rows = self.rows_in(e)
        if e.demands is None or not len(rows):
            return np.full(len(rows), np.nan)
        if figure.name == "carried_ratio":
            offered, carried = e.demands.offered_gbps, e.demands.carried_gbps
            of_pair = np.divide(carried, offered, out=np.full(len(offered), np.nan), where=offered > 0)
        else:
            of_pair = latency_of_pairs_us(e)
        return np.where(rows >= 0, of_pair[np.maximum(rows, 0)], np.nan)

    def limit(self, e: Evaluation, row: int) -> str | None:
        """Return the link that limits a pair of another evaluation, with its direction; None where none does."""
        if e.demands is None:
            return None
        key = id(e)
        if key not in self._limits:
            self._limits[key] = limiting_arcs_of_pairs(e)
        arc = int(self._limits[key][row])
        return arc_name(e, arc) if arc >= 0 else None

    def codes(self) -> Ints:
        """Return one code for all pairs."""
        return np.zeros(len(self.pairs), dtype=np.int64)

    def weights(self) -> Floats | float:
        """Return what each pair offers, over all that is offered."""
        loads = self.new.evaluation.demands
        if loads is None or not len(self.pairs):
            return 1.0
        offered = loads.offered_gbps[self.rows_in(self.new.evaluation)]
        return np.asarray(offered / max(float(offered.sum()), 1e-300))

    def names(self, rows: Sequence[int]) -> list[str]:
        """Return ids of demands: that of the first demand of each pair."""
        wanted = {self.pairs[row] for row in rows}
        demands = self.new.evaluation.case.document.demands
        stated = demands.stated if isinstance(demands, DemandColumns) else demands
        found: dict[tuple[str, str], str] = {}
        for demand in stated:
            pair = demand.source, demand.target
            if pair in wanted and demand.id < found.get(pair, "\U0010ffff"):
                found[pair] = demand.id
        blocks = demands.blocks if isinstance(demands, DemandColumns) else ()
        prefix = f"{blocks[0].id}/" if len(blocks) == 1 else ""
        return [found.get(pair, f"{prefix}{pair[0]}>{pair[1]}") for pair in (self.pairs[row] for row in rows)]


def _pair_ids(e: Evaluation) -> list[tuple[str, str]]:
    pairs = e.demand_pairs
    if pairs is None:
        return []
    ids = e.case.state.node_ids
    return [(ids[a], ids[b]) for a, b in zip(pairs.source.tolist(), pairs.target.tolist(), strict=True)]


class JobRows(Rows):
    """The job and the jobs that run beside it, as far as both sides have them."""

    figures = (Figure("step_time_s", "lower", math.nan), Figure("goodput_tokens_per_s", "higher", math.nan))
    counts_missing = True

    def __init__(self, old: Trial, new: Trial) -> None:
        super().__init__(old, new)
        job, old_job = new.evaluation.case.job, old.evaluation.case.job
        known = {row.id for row in old.evaluation.case.document.jobs} | ({old_job.id} if old_job else set())
        ids = dict.fromkeys([*([job.id] if job else []), *(row.id for row in new.among)])
        self.ids = [name for name in ids if name in known]

    def values(self, figure: Figure, trial: Trial) -> Floats:
        """Return a metric of the job; of the others the step among all jobs."""
        shared = {row.id: row.shared.step_time_s for row in trial.among} if figure.name == "step_time_s" else {}
        job = trial.evaluation.case.job
        values = []
        for name in self.ids:
            value = _metric(trial.evaluation, figure.name) if job is not None and name == job.id else shared.get(name)
            values.append(math.nan if value is None else value)
        return np.array(values, dtype=np.float64)

    def codes(self) -> Ints:
        """Return the place of each job: jobs are never grouped."""
        return np.arange(len(self.ids))

    def names(self, rows: Sequence[int]) -> list[str]:
        """Return the ids of jobs."""
        return [self.ids[row] for row in rows]


def _metric(e: Evaluation, name: str) -> float | None:
    try:
        return METRICS[name].compute(e)
    except NotApplicableError:
        return None


__all__ = ["DemandRows", "Figure", "JobRows", "LinkRows", "Rows", "Trial"]
