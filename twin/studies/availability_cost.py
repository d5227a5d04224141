"""Estimated time of the states of a study: from sizes alone, so that the same study does the same work anywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Ints
from ..stages.evaluation import Evaluation

STATE_S = 4e-4
"""Part that does not depend on sizes."""
RECORD_S = 1.2e-7
"""For each node and link."""
TARGET_S = 1.2e-5
"""For each node that traffic goes to."""
TARGET_RECORD_S = 7e-9
"""For each such node and each node and arc."""
PAIR_S = 8e-8
"""For each pair of nodes with demand."""
CROSSING_S = 1.0e-9
"""For each node that traffic goes to, each arc, and each overloaded arc."""
SHARING_S = 5e-7
"""For each pair, where an arc is overloaded."""
TRACE_S = 4e-5
"""For each pair, where routes are traced pair by pair, as unknown rates need."""


@dataclass(frozen=True)
class StateCost:
    """Estimated time to route traffic in one state of a network."""

    n_targets: int
    n_pairs: int
    n_records: int
    """Nodes and arcs."""

    @classmethod
    def of(cls, e: Evaluation, targets: Ints) -> StateCost:
        """Create for traffic to these nodes, one entry for each pair."""
        state = e.case.state
        return cls(len(np.unique(targets)), len(targets), 2 * state.n_links + state.n_nodes)

    @property
    def routing_s(self) -> float:
        """Time to find which pairs have a path."""
        per_target_s = TARGET_S + TARGET_RECORD_S * self.n_records
        return STATE_S + RECORD_S * self.n_records + self.n_targets * per_target_s

    def of_state_s(self, n_overloaded: int, is_traced: bool) -> float:
        """Return the time of a state.

        Args:
            n_overloaded: arcs to which more is offered than they carry.
            is_traced: whether the carried rate of a demand depends on a link of unknown rate.
        """
        total_s = self.routing_s + PAIR_S * self.n_pairs + self.n_targets * TARGET_RECORD_S * self.n_records
        if is_traced:
            return total_s + TRACE_S * self.n_pairs
        if n_overloaded:
            crossing_s = 2.0 * TARGET_RECORD_S + CROSSING_S * n_overloaded
            total_s += SHARING_S * self.n_pairs + self.n_targets * self.n_records * crossing_s
        return total_s
