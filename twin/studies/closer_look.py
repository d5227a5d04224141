"""Failures looked at one by one: what full links do not carry, and which sites are cut off."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..arrays import Bools, Floats
from ..failures.fabric import Fabric
from ..failures.not_carried import AfterFailure, after_failure
from ..failures.sweep import FailureLoads
from ..stages.evaluation import Evaluation
from ..stages.outcomes import NodePairs
from .failure_kinds import FailureSet

After = Callable[[Fabric, Floats], AfterFailure]

MAX_STEPS = 4_000_000_000
"""Most work on failures that are looked at one by one, in arcs looked at; some 20 s."""
OVERLOAD_RATIO = 1.0 + 1e-9
"""Utilisation above which not all is carried."""
TOO_MANY = "too many failures overload links or cut demands off; only the worst of them were looked at one by one"
UNKNOWN = "a link of unknown rate carries demands, or too many demands cross full links"


class CloserLook:
    """Classes of failures that are looked at one by one: where links are overloaded, or sites may be cut off, or where
    links of unknown rate may be loaded.

    The sums of a sweep do not tell either. The first failures in the order of utilisation are looked at until the work
    reaches `MAX_STEPS`, the first one always.
    """

    def __init__(
        self, e: Evaluation, pairs: NodePairs, found: FailureSet, loads: FailureLoads, after: After = after_failure
    ) -> None:
        """Look at the failures of a sweep.

        Args:
            e: evaluation of the network.
            pairs: its demands.
            found: the failures.
            loads: answers of their sweep.
            after: routes the demands after one of them.
        """
        state, offers = e.case.state, pairs.offered_gbps > 0.0
        self._found, self._loads, self._after = found, loads, after
        a, b = state["node_site"][pairs.source[offers]], state["node_site"][pairs.target[offers]]
        self._sites = state.sites
        self._crosses = (a != b) & (a >= 0) & (b >= 0)
        self._ends = np.stack((a, b), axis=1)
        per_site = np.bincount(self._ends[self._crosses].reshape(-1), minlength=len(self._sites))
        self._has_demand = per_site > 0
        fabric = found.kind.fabric
        intact = after(fabric, np.ones(fabric.n_links))
        before = intact.has_path
        self.intact_not_carried_gbps = intact.not_carried_gbps
        self.routed_gbps = float(fabric.offered_gbps[before].sum())
        self.unrouted_gbps = float(fabric.offered_gbps[~before].sum())
        self.n_unrouted = int((~before).sum())
        lost = loads.n_lost[loads.model] + self.n_unrouted
        least = int(per_site[self._has_demand].min()) if self._has_demand.any() else np.iinfo(np.int64).max
        may_cut, is_full = lost >= least, loads.worst_ratio[loads.model] > OVERLOAD_RATIO
        at_arcs = found.everywhere(loads)
        if (at_arcs[1].greatest_gbps[np.isinf(at_arcs[0].kind.fabric.capacity_gbps)] > 0.0).any():
            is_full = np.ones_like(is_full)  # some failure puts load on a link of unknown rate; its limit is unknown
        self.not_carried_gbps: list[float | None] = [None if full else 0.0 for full in is_full]
        self.sites_cut_off: list[tuple[str, ...] | None] = [None if may else () for may in may_cut]
        self.why_unknown: list[str | None] = [TOO_MANY if either else None for either in is_full | may_cut]
        self._look_at_some(is_full, may_cut)

    def _look_at_some(self, is_full: Bools, may_cut: Bools) -> None:
        """Look at failures, those that may cut sites off first, then the fullest; failures that change nothing once."""
        loads, chosen = self._loads, np.flatnonzero(is_full | may_cut)
        order = chosen[np.lexsort((chosen, -loads.worst_ratio[loads.model[chosen]], ~may_cut[chosen]))]
        idle = order[loads.is_idle[order]]
        for row in idle[:1].tolist():
            self._look(row, bool(is_full[row]))
            for other in idle.tolist():
                self.not_carried_gbps[other] = self.not_carried_gbps[row]
                self.sites_cut_off[other] = self.sites_cut_off[row]
                self.why_unknown[other] = self.why_unknown[row]
        n_steps = 0
        for row in order[~loads.is_idle[order]].tolist():
            n_steps += self._look(row, bool(is_full[row]))
            if n_steps >= MAX_STEPS:
                break

    def _look(self, row: int, is_full: bool) -> int:
        """Look at one class; returns the work."""
        kind = self._found.kind
        found = self._after(kind.fabric, kind.kept_ratio(int(self._loads.model[row])))
        still = np.unique(self._ends[self._crosses & found.has_path])
        cut = np.setdiff1d(np.flatnonzero(self._has_demand), still)
        self.sites_cut_off[row] = tuple(self._sites[code] for code in cut)
        self.why_unknown[row] = None
        if is_full:
            self.not_carried_gbps[row] = found.not_carried_gbps
            self.why_unknown[row] = UNKNOWN if found.not_carried_gbps is None else None
        return found.n_steps
