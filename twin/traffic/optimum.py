"""The best that any routing could do: the smallest largest utilisation, by linear programming."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, diags_array, eye_array, hstack, kron

from ..arrays import Floats, Ints, State
from ..errors import ConvergenceError

TIME_LIMIT_S = 300.0


def optimal_max_utilisation_ratio(
    state: State, arc_capacity_gbps: Floats, source: Ints, target: Ints, offered_gbps: Floats
) -> float:
    """Smallest possible utilisation of the busiest arc when demands may split in any way over any paths.

    Every demand must have a path over arcs with capacity. source, target: int64[n_demands], node rows; pairs add up
    and a demand from a node to itself counts nothing. Flows are aggregated by destination or by source, whichever are
    fewer, which leaves the optimum as it is. Raises ConvergenceError where HiGHS finds none.
    Source: minimum maximum-utilisation multicommodity flow, Pioro and Medhi 2004, chapter 4.
    """
    used = (source != target) & (offered_gbps > 0)
    source, target, offered = source[used], target[used], offered_gbps[used]
    if not len(offered):
        return 0.0
    usable = np.flatnonzero(arc_capacity_gbps > 0)
    tail, head = state["arc_head"][usable ^ 1], state["arc_head"][usable]
    if len(np.unique(source)) < len(np.unique(target)):
        # the same problem with every arrow turned round
        source, target, tail, head = target, source, head, tail
    scale = float(offered.max())
    at_least = _node_bound(state.n_nodes, tail, head, arc_capacity_gbps[usable], source, target, offered)
    conservation, entering = _conservation(state.n_nodes, tail, head, source, target, offered / scale)
    n_arcs, n_flows = len(usable), conservation.shape[1]
    # of each arc: its flows over its capacity, minus the utilisation that is minimised, is at most 0; both in units
    # of a lower bound, since the solver's tolerances are absolute
    with np.errstate(all="ignore"):
        coefficient = scale / at_least / arc_capacity_gbps[usable]
    if not (np.isfinite(coefficient).all() and coefficient.any()):
        raise ConvergenceError("demands and capacities are too far apart", residual=float("inf"), where="optimum")
    share = kron(np.ones((1, n_flows // max(n_arcs, 1))), diags_array(coefficient))
    answer = linprog(
        np.append(np.zeros(n_flows), 1.0),
        A_ub=hstack((share, -np.ones((n_arcs, 1))), format="csr"),
        b_ub=np.zeros(n_arcs),
        A_eq=hstack((conservation, csr_array((conservation.shape[0], 1))), format="csr"),
        b_eq=entering,
        method="highs",
        options={"time_limit": TIME_LIMIT_S},
    )
    if answer.status != 0:
        raise ConvergenceError(f"HiGHS found no optimum: {answer.message}", residual=float("inf"), where="optimum")
    return at_least * float(answer.fun)


def _node_bound(
    n_nodes: int, tail: Ints, head: Ints, capacity: Floats, source: Ints, target: Ints, offered: Floats
) -> float:
    """What the busiest node sends or receives over the capacity it has for that: no routing can stay below it."""
    bound = 0.0
    for side, end in ((tail, source), (head, target)):
        room = np.bincount(side, weights=capacity, minlength=n_nodes)
        asked = np.bincount(end, weights=offered, minlength=n_nodes)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            bound = max(bound, float(np.where(asked > 0, asked / room, 0.0).max()))
    return bound


def _conservation(
    n_nodes: int, tail: Ints, head: Ints, source: Ints, target: Ints, offered: Floats
) -> tuple[Any, Floats]:
    """What leaves a node minus what arrives is what enters there, for the flows to each target.

    Rows: nodes but the target, target after target. Columns: arcs, target after target.
    """
    roots, row = np.unique(target, return_inverse=True)
    arcs = np.arange(len(tail))
    signs = np.concatenate((np.ones(len(tail)), -np.ones(len(tail))))
    places = (np.concatenate((tail, head)), np.concatenate((arcs, arcs)))
    incidence = coo_array((signs, places), shape=(n_nodes, len(tail)))
    entering = np.bincount(row * n_nodes + source, weights=offered, minlength=len(roots) * n_nodes)
    kept = np.ones(len(entering), dtype=np.bool_)
    kept[np.arange(len(roots)) * n_nodes + roots] = False
    by_target: Any = kron(eye_array(len(roots)), incidence, format="csr")
    return by_target[kept], np.asarray(entering[kept], dtype=np.float64)
