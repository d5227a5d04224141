"""Failures routed anew one after the other, where next hops are stated and no sweep applies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Bools, Floats, Ints
from ..errors import TopologyError
from .capped_rates import OneFailure
from .fabric import Fabric
from .kinds import Kind
from .not_carried import AfterFailure
from .sweep import SWEEP_BITS, FailureLoads, rounded_bits

MAX_STEPS = 60_000_000_000
"""Most failures times destinations times arcs; some ten minutes."""
ARCS_PER_DESTINATION = 5_000
"""Work on a destination beside that on its arcs, in arcs."""
S_PER_STEP = 1e-8
STEPS_PER_DEMAND = 30_000
"""Work to find the route of a single demand, in steps of `closer_look`."""


@dataclass(frozen=True, eq=False)
class OneByOne:
    """Every failure of a kind, each computed by itself."""

    kind: Kind
    one: OneFailure
    """Routing of the network; its demands are those of the kind."""
    links: Ints
    """Row of each link of the kind's network."""
    n_failures: int

    def __post_init__(self) -> None:
        """Raise TopologyError if there is too much work."""
        n_destinations = len(np.unique(self.one.target))
        n_steps = self.n_failures * n_destinations * (2 * self.one.state.n_links + ARCS_PER_DESTINATION)
        if n_steps > MAX_STEPS:
            raise TopologyError(
                f"{self.n_failures:,} failures and {n_destinations:,} destinations take some "
                f"{n_steps * S_PER_STEP / 60.0:,.0f} minutes, since each is routed anew over WCMP groups",
                where="wcmp_groups",
                expected=f"up to {MAX_STEPS * S_PER_STEP / 60.0:,.0f} minutes",
                hint="a kind with fewer failures, a smaller --sample, or leave `wcmp_groups` out",
            )

    @classmethod
    def of(cls, kind: Kind, one: OneFailure, links: Ints, n_failures: int) -> OneByOne:
        """Create for the demands of a kind's network."""
        fabric = kind.fabric
        one = replace(one, source=fabric.source, target=fabric.target, offered_gbps=fabric.offered_gbps)
        return cls(kind, one, links, n_failures)

    @property
    def n_paths(self) -> int:
        """Failures times destinations that take as long in a sweep of failures."""
        n_arcs = 2 * self.one.state.n_links + ARCS_PER_DESTINATION
        return int(self.n_failures * len(np.unique(self.one.target)) * n_arcs * S_PER_STEP / 1.5e-6)

    def loads(self, tell: Callable[[int], None] = lambda _: None) -> FailureLoads:
        """Compute all failures.

        Args:
            tell: called with the number of finished failures; an exception ends the work.
        """
        n, offered_gbps, fabric = self.n_failures, self.one.offered_gbps, self.kind.fabric
        has_path, intact_gbps = self._routed(np.ones(fabric.n_links))
        lost_gbps, n_lost = np.zeros(n), np.zeros(n, np.int64)
        ratio, worst_arc = np.zeros(n), np.full(n, -1, np.int64)
        greatest_gbps, cause = intact_gbps.copy(), np.full(len(intact_gbps), -1, np.int64)
        for failure in range(n):
            kept_ratio = self.kind.kept_ratio(failure)
            still, load_gbps = self._routed(kept_ratio)
            lost = has_path & ~still
            lost_gbps[failure], n_lost[failure] = offered_gbps[lost].sum(), lost.sum()
            left = np.repeat(kept_ratio, 2)
            # load that would use the whole capacity as much
            load_gbps = np.divide(load_gbps, left, out=np.zeros(len(left)), where=load_gbps > 0.0)
            use = np.divide(load_gbps, fabric.capacity_gbps, out=np.zeros(len(left)), where=load_gbps > 0.0)
            if use.max(initial=0.0) > 0.0:
                worst_arc[failure] = use.argmax()
                ratio[failure] = use[worst_arc[failure]]
            more = rounded_bits(load_gbps, SWEEP_BITS) > rounded_bits(greatest_gbps, SWEEP_BITS)
            greatest_gbps[more], cause[more] = load_gbps[more], failure
            tell(failure + 1)
        own = np.arange(n)
        # a link without load may lie on the shortest path of a node that has a group, and so guide others
        is_idle = np.zeros(n, np.bool_)
        return FailureLoads(lost_gbps, n_lost, ratio, worst_arc, intact_gbps, greatest_gbps, cause, own, own, is_idle)

    def after_failure(self, _: Fabric, kept_ratio: Floats) -> AfterFailure:
        """Route the demands anew, and share full links; as `not_carried.after_failure`."""
        all_ratio = self._of_all_links(kept_ratio)
        routes = self.one.routes(all_ratio)
        carried_gbps = self.one.loads(routes, all_ratio).carried_gbps
        missing_gbps = float((self.one.offered_gbps - carried_gbps)[routes.reachable].sum())
        n_steps = STEPS_PER_DEMAND * len(self.one.source)
        return AfterFailure(routes.reachable, None if np.isnan(missing_gbps) else max(0.0, missing_gbps), n_steps)

    def _of_all_links(self, kept_ratio: Floats) -> Floats:
        out = np.ones(self.one.state.n_links)
        out[self.links] = kept_ratio
        return out

    def _routed(self, kept_ratio: Floats) -> tuple[Bools, Floats]:
        """Demands with a path, and the load of each arc of the kind's network."""
        routes = self.one.routes(self._of_all_links(kept_ratio))
        loads = routes.loads(np.where(routes.reachable, self.one.offered_gbps, 0.0))
        return routes.reachable, loads.reshape(-1, 2)[self.links].reshape(-1)
