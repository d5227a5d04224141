"""Oversubscription by tier: capacity from below over capacity to above, of each leaf and spine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import NODE_KINDS, Bools, Floats, State
from ..arrays.sums import sums_by

LEVELS = {"rack": 0, "host": 0, "storage": 0, "leaf": 1, "spine": 2, "core": 3, "border": 4}
"""Level of each kind of node; a kind without a level has no tier."""
TIERS_WITH_UPLINKS = ("leaf", "spine")


@dataclass(frozen=True)
class Oversubscription:
    """Oversubscription of the nodes of one kind that have links to below and to above."""

    kind: str
    n_nodes: int
    worst_ratio: float
    """Capacity from below over capacity to above, of the worst node."""
    median_ratio: float
    worst_node: str


def oversubscription(state: State, lit: Bools, arc_capacity_gbps: Floats, kind: str) -> Oversubscription | str:
    """Compute capacity from below over capacity to above, for all nodes of a kind.

    Nodes without lit links to above do not count: they are the top of their fabric, or separated.

    Args:
        state: columns of the network.
        lit: links that carry traffic, bool[n_links].
        arc_capacity_gbps: float64[2 * n_links]; NaN where the rate is unknown.
        kind: `leaf` or `spine`.

    Returns:
        The figures, or the reason why there are none.
    """
    level = np.array([LEVELS.get(name, -1) for name in NODE_KINDS])[state["node_kind"]]
    head = state["arc_head"]
    tail_level, head_level = level[head.reshape(-1, 2)[:, ::-1].ravel()], level[head]
    is_up = np.repeat(lit, 2) & (tail_level >= 0) & (head_level > tail_level)
    tail = head.reshape(-1, 2)[:, ::-1].ravel()
    up_gbps = sums_by(tail[is_up], arc_capacity_gbps[is_up], state.n_nodes)
    below_gbps = sums_by(head[is_up], arc_capacity_gbps[is_up], state.n_nodes)
    has_both = np.zeros(state.n_nodes, dtype=np.bool_)
    has_both[np.intersect1d(tail[is_up], head[is_up])] = True
    rows = np.flatnonzero((state["node_kind"] == NODE_KINDS.index(kind)) & has_both)
    if not len(rows):
        return f"no {kind} has lit links to below and to above"
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = below_gbps[rows] / up_gbps[rows]
    if np.isnan(ratio).any():
        return f"the rate of a link at {state.node_ids[rows[int(np.argmax(np.isnan(ratio)))]]} is unknown"
    worst = int(np.argmax(ratio))
    return Oversubscription(
        kind, len(rows), float(ratio[worst]), float(np.median(ratio)), state.node_ids[int(rows[worst])]
    )
