"""Utilisation of links as demands grow: a sum over growth rates, with and without the worst single failure.

Shortest paths do not depend on load, so the load of a link after a failure is a sum over classes of traffic, each times
its growth. It is a convex function of time. A link that starts at or below a limit therefore passes it once at most.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, cast

import numpy as np

from ..arrays import Floats, Ints
from ..errors import ChangeError, TopologyError
from ..errors.wording import counted
from ..failures.kinds import Kind
from ..failures.one_by_one import OneByOne
from ..failures.sweep import Sweep
from ..failures.work import MAX_S, S_PER_PATH, sweep_s
from ..progress import Progress
from ..stages.evaluation import Evaluation
from ..traffic.congestion import arc_utilisation_ratio
from ..traffic.matrix_routes import MatrixRoutes
from .failure_kinds import fabric_of, failures_of_kind, one_failure
from .failure_run import FailureRun

REL_TOLERANCE = 1e-9
"""Utilisation that exceeds a limit by no more counts as at the limit."""
MAX_ROUNDS = 200
"""Most sweeps for one date; each finds another link or failure that passes earlier."""
N_BISECTIONS = 100
MAX_BYTES = 2_000_000_000
"""Most memory of demands and loads by growth rate."""
MAX_KEPT_BYTES = 200_000_000
"""Of these, loads after failures that are kept; the oldest are computed again."""


class Worst(NamedTuple):
    """Utilisation of each arc in its worst failure, at one time."""

    ratio: Floats
    """float64[2 * n_links]; 0 where an arc carries nothing, or its rate is unknown."""
    cause: Ints
    """The failure, int64[2 * n_links]; -1 where the intact network is worst."""


class Event(NamedTuple):
    """An arc that passes the limit."""

    years: float
    arc: int
    cause: int
    """Failure; -1 for the intact network."""


@dataclass(frozen=True, eq=False)
class GrowingDemands:
    """Demands by growth rate."""

    factor_ratio: Floats
    """Growth of each rate in a year, 1 plus the rate, ascending; float64[n_rates]."""
    offered_gbps: Floats
    """Today's demands by pair of nodes, float64[n_rates, n_pairs]."""

    @classmethod
    def of(cls, e: Evaluation, rate_of: Callable[[str | None], float]) -> GrowingDemands:
        """Collect the demands of each rate.

        Args:
            e: evaluation of the network.
            rate_of: growth a year of a class of traffic, None for demands without one.
        """
        pairs, index, n = e.demand_pairs, e.case.state.node_index, e.case.state.n_nodes
        assert pairs is not None
        row = {key: i for i, key in enumerate((pairs.source * n + pairs.target).tolist())}
        by_factor: dict[float, Floats] = {}
        for demand in sorted(e.case.document.demands, key=lambda demand: demand.id):
            if demand.source != demand.target:
                factor = 1.0 + rate_of(demand.traffic_class)
                if factor not in by_factor:
                    _check_memory(len(by_factor) + 1, len(row), e.case.state.n_links)
                    by_factor[factor] = np.zeros(len(row))
                by_factor[factor][row[index[demand.source] * n + index[demand.target]]] += demand.offered_gbps
        factors = sorted(by_factor)
        return cls(np.array(factors), np.array([by_factor[factor] for factor in factors]))

    def at(self, years: float) -> Floats:
        """Offered Gb/s of each pair after some years, float64[n_pairs]."""
        return np.asarray((self.factor_ratio**years) @ self.offered_gbps)


def _check_memory(n_rates: int, n_pairs: int, n_links: int) -> None:
    """Refuse growth rates whose demands and loads need too much memory; demands exist twice for a while."""
    n_bytes = 8 * n_rates * (2 * n_pairs + 4 * n_links)
    if n_bytes > MAX_BYTES:
        raise TopologyError(
            f"{counted(n_rates, 'growth rate')} of {n_pairs:,} pairs of nodes over {n_links:,} links take "
            f"{n_bytes / 1e9:,.1f} GB",
            where="growth",
            expected=f"at most {MAX_BYTES / 1e9:g} GB",
            hint="fewer different growth rates, or fewer demands",
        )


class GrowthModel:
    """Loads of one network over time. A sweep of failures is made once for each time."""

    def __init__(
        self,
        e: Evaluation,
        of: str,
        demands: GrowingDemands,
        limit_ratio: float,
        horizon_years: float,
        progress: Progress | None = None,
    ) -> None:
        """Prepare a model.

        Args:
            e: evaluation of the network.
            of: kind of failures.
            demands: demands by growth rate.
            limit_ratio: limit of the utilisation.
            horizon_years: last time that is looked at.
            progress: told in the first sweep.

        Raises:
            ChangeError: unknown kind, or nothing of the kind.
            TopologyError: too much work.
        """
        pairs = e.demand_pairs
        assert pairs is not None
        self._e, self._demands, self._pairs = e, demands, pairs
        self.limit_ratio, self.horizon_years = limit_ratio, horizon_years
        self.progress = progress or Progress()
        """Progress of the next sweep; the caller sets it."""
        routes = cast("MatrixRoutes", e.outcome("demand_routes"))
        self.capacity_gbps = e.health.arc_capacity_gbps
        self._intact = np.stack([routes.loads(np.where(routes.reachable, a, 0.0)) for a in demands.offered_gbps])
        fabric, self._links = fabric_of(e, pairs)
        self._offers = pairs.offered_gbps > 0.0
        found = failures_of_kind(e, of, fabric, self._links)
        self.failure_ids = found.ids
        self._kind = of
        self._kept_ratio = found.kind.kept_ratio
        self._fabric = fabric
        self._sweeps: dict[float, Worst] = {}
        self._one = one_failure(e, pairs)
        self._ratios: dict[int, Floats] = {}
        self._sweep_s = 0.0
        self._add_sweep(0.0, found.kind)

    def check_work(self, n_sweeps: int) -> None:
        """Raise TopologyError if so many sweeps are too much work."""
        if n_sweeps * self._sweep_s > MAX_S:
            minutes = n_sweeps * self._sweep_s / 60.0
            raise TopologyError(
                f"{counted(n_sweeps, 'sweep')} of all failures take some {minutes:,.0f} minutes",
                where="growth",
                expected=f"at most {MAX_S / 60.0:,.0f} minutes",
                hint="fewer years, fewer destinations, or one growth rate for all traffic",
            )

    def intact_ratio(self, years: float) -> Floats:
        """Utilisation of each arc without a failure, float64[2 * n_links]; 0 where the rate is unknown."""
        return self._of_loads(self._intact, self.capacity_gbps, years)

    def worst(self, years: float) -> Worst:
        """Utilisation of each arc in its worst failure, or without one."""
        if years not in self._sweeps:
            if self._has_one_rate:
                start = self._sweeps[0.0]
                factor = float(self._demands.factor_ratio[0] ** years)
                return Worst(start.ratio * factor, start.cause)
            gbps = self._demands.at(years)
            fabric = replace(self._fabric, offered_gbps=gbps[self._offers])
            self._add_sweep(years, failures_of_kind(self._e, self._kind, fabric, self._links).kind)
        return self._sweeps[years]

    @property
    def _has_one_rate(self) -> bool:
        return len(self._demands.factor_ratio) == 1

    def _add_sweep(self, years: float, kind: Kind) -> None:
        if self._one.groups is None:
            sweep = Sweep(kind)
            self._sweep_s = sweep_s(kind.fabric, sweep.n_classes, len(np.unique(self._pairs.target)))
            self.check_work(1)
            FailureRun(advance=self.progress.count).run_classes(sweep)
            loads = sweep.loads()
        else:
            one_by_one = OneByOne.of(kind, self._one, self._links, len(self.failure_ids))
            self._sweep_s = one_by_one.n_paths * S_PER_PATH
            loads = one_by_one.loads(lambda n_done: self.progress.count(n_done, len(self.failure_ids)))
        arcs = np.stack((2 * self._links, 2 * self._links + 1), axis=1).reshape(-1)
        ratio, cause = np.zeros(len(self.capacity_gbps)), np.full(len(self.capacity_gbps), -1)
        ratio[arcs] = np.nan_to_num(arc_utilisation_ratio(loads.greatest_gbps, self.capacity_gbps[arcs]), nan=0.0)
        cause[arcs] = loads.cause
        self._sweeps[years] = Worst(ratio, cause)

    def _of_loads(self, loads: Floats, capacity_gbps: Floats, years: float) -> Floats:
        ratio = arc_utilisation_ratio((self._demands.factor_ratio**years) @ loads, capacity_gbps)
        return np.nan_to_num(ratio, nan=0.0, posinf=np.inf)

    def by_rate(self, arc: int, cause: int) -> Floats:
        """Utilisation of an arc after a failure by growth rate, today; float64[n_rates]."""
        if cause < 0:
            return np.asarray(self._intact[:, arc] / self.capacity_gbps[arc])
        if cause not in self._ratios:
            kept_ratio = np.ones(self._e.case.state.n_links)
            kept_ratio[self._links] = self._kept_ratio(cause)
            routes = self._one.routes(kept_ratio)
            amounts = np.where(routes.reachable, self._demands.offered_gbps, 0.0)
            loads = np.stack([routes.loads(row) for row in amounts])
            while self._ratios and (len(self._ratios) + 1) * loads.nbytes > MAX_KEPT_BYTES:
                del self._ratios[next(iter(self._ratios))]
            with np.errstate(divide="ignore", invalid="ignore"):
                self._ratios[cause] = np.nan_to_num(loads / (self.capacity_gbps * np.repeat(kept_ratio, 2)), nan=0.0)
        return np.asarray(self._ratios[cause][:, arc])

    def passes_years(self, arc: int, cause: int, end_years: float) -> float:
        """First time up to `end_years`, where it is above the limit, at which an arc passes it after a failure."""
        parts, factors = self.by_rate(arc, cause), self._demands.factor_ratio
        if len(parts) == 1 and 0.0 < parts[0] <= self.limit_ratio:
            return float(np.log(self.limit_ratio / parts[0]) / np.log(factors[0]))
        low, high = 0.0, end_years
        if parts.sum() > self.limit_ratio:
            return 0.0
        for _ in range(N_BISECTIONS):
            middle = 0.5 * (low + high)
            if float(parts @ factors**middle) > self.limit_ratio:
                high = middle
            else:
                low = middle
        return high

    def first_intact(self, arcs: Ints | None = None) -> Event | None:
        """The first arc of these, or of all, that passes the limit without a failure; None if none does in time."""
        return self._first(lambda years: Worst(self.intact_ratio(years), np.full(len(self.capacity_gbps), -1)), arcs)

    def first_worst(self, arcs: Ints | None = None) -> Event | None:
        """The first arc of these, or of all, that passes the limit in its worst failure; None if none does in time."""
        return self._first(self.worst, arcs)

    def _first(self, at: Callable[[float], Worst], arcs: Ints | None) -> Event | None:
        """Step back from the horizon to the time at which the fullest arc passes, until no arc is above the limit.

        Source: Newton's method of Dinkelbach (1967) for a largest of several functions; each step is the exact root of
        one of them, so the number of steps is finite.
        """
        start = self._fullest(at(0.0), arcs)
        if start[1] > self.limit_ratio * (1.0 + REL_TOLERANCE):
            return Event(0.0, start[0], start[2])
        years = next((known for known in self._known(at) if self._is_above(at(known), arcs)), None)
        if years is None:
            return None
        event: Event | None = None
        for _ in range(MAX_ROUNDS):
            arc, ratio, cause = self._fullest(at(years), arcs)
            if event is not None and ratio <= self.limit_ratio * (1.0 + REL_TOLERANCE):
                return event
            event = Event(self.passes_years(arc, cause, years), arc, cause)
            if event.years >= years:
                return event
            years = event.years
        return event

    def _known(self, at: Callable[[float], Worst]) -> list[float]:
        """Times to start from, the earliest first: those of sweeps that were made, and the horizon."""
        known = sorted(self._sweeps) if at == self.worst else []
        return [*(years for years in known if 0.0 < years < self.horizon_years), self.horizon_years]

    def _is_above(self, found: Worst, arcs: Ints | None) -> bool:
        return self._fullest(found, arcs)[1] > self.limit_ratio * (1.0 + REL_TOLERANCE)

    def _fullest(self, found: Worst, arcs: Ints | None) -> tuple[int, float, int]:
        rows = np.arange(len(found.ratio)) if arcs is None else arcs
        arc = int(rows[np.argmax(found.ratio[rows])])
        return arc, float(found.ratio[arc]), int(found.cause[arc])


def require_demands(e: Evaluation) -> None:
    """Raise ChangeError without demands."""
    pairs = e.demand_pairs
    if pairs is None or not (pairs.offered_gbps > 0.0).any():
        raise ChangeError("no demands", where="demands", hint="add some under `demands` or `traffic`")
