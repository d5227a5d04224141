"""Optimal routing: the minimum of the maximum link utilisation (MLU), by linear programming."""

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
    """Compute the minimum MLU when demands may split in any way over any paths through nodes that forward.

    Flows are aggregated by destination or by source, whichever are fewer; the optimum is the same.

    Args:
        state: columns of the network.
        arc_capacity_gbps: float64[2 * n_links]; every demand needs a path over arcs with capacity.
        source: node rows, int64[n_demands].
        target: node rows, int64[n_demands]. Demands of equal pairs add up; a demand to its own source is ignored.
        offered_gbps: float64[n_demands].

    Returns:
        Utilisation of the busiest arc.

    Raises:
        ConvergenceError: HiGHS finds no optimum.

    Source: minimum maximum-utilisation multicommodity flow, Pioro and Medhi 2004, chapter 4.
    """
    used = (source != target) & (offered_gbps > 0)
    source, target, offered_gbps = source[used], target[used], offered_gbps[used]
    if not len(offered_gbps):
        return 0.0
    usable = np.flatnonzero(arc_capacity_gbps > 0)
    tail, head = state["arc_head"][usable ^ 1], state["arc_head"][usable]
    if len(np.unique(source)) < len(np.unique(target)):
        # reversing every arc and demand gives an equivalent problem
        source, target, tail, head = target, source, head, tail
    scale_gbps = float(offered_gbps.max())
    bound_ratio = _node_bound(state.n_nodes, tail, head, arc_capacity_gbps[usable], source, target, offered_gbps)
    conservation, entering = _conservation(state.n_nodes, tail, head, source, target, offered_gbps / scale_gbps)
    may_enter = (state["node_forwards"][head] | (head == np.unique(target)[:, None])).ravel()
    n_arcs, n_flows = len(usable), int(may_enter.sum())
    # for each arc, flow over capacity minus the minimised utilisation is at most 0; both are in units of a lower
    # bound, since the solver's tolerances are absolute
    with np.errstate(all="ignore"):
        coefficient = scale_gbps / bound_ratio / arc_capacity_gbps[usable]
    if not (np.isfinite(coefficient).all() and coefficient.any()):
        raise ConvergenceError("demands and capacities are too far apart", residual=float("inf"), where="optimum")
    arc_usage = kron(np.ones((1, len(may_enter) // n_arcs)), diags_array(coefficient), format="csc")
    solution = linprog(
        np.append(np.zeros(n_flows), 1.0),
        A_ub=hstack((arc_usage[:, may_enter], -np.ones((n_arcs, 1))), format="csr"),
        b_ub=np.zeros(n_arcs),
        A_eq=hstack((conservation[:, may_enter], csr_array((conservation.shape[0], 1))), format="csr"),
        b_eq=entering,
        method="highs",
        options={"time_limit": TIME_LIMIT_S},
    )
    if solution.status != 0:
        raise ConvergenceError(f"HiGHS found no optimum: {solution.message}", residual=float("inf"), where="optimum")
    return bound_ratio * float(solution.fun)


def _node_bound(
    n_nodes: int, tail: Ints, head: Ints, capacity_gbps: Floats, source: Ints, target: Ints, offered_gbps: Floats
) -> float:
    """Lower bound of the MLU: the largest ratio of a node's sent or received traffic to its capacity for it."""
    bound = 0.0
    for side, end in ((tail, source), (head, target)):
        available_gbps = np.bincount(side, weights=capacity_gbps, minlength=n_nodes)
        required_gbps = np.bincount(end, weights=offered_gbps, minlength=n_nodes)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            bound = max(bound, float(np.where(required_gbps > 0, required_gbps / available_gbps, 0.0).max()))
    return bound


def _conservation(
    n_nodes: int, tail: Ints, head: Ints, source: Ints, target: Ints, offered: Floats
) -> tuple[Any, Floats]:
    """(matrix, right side): outflow minus inflow of a node is the traffic that enters there, for each target.

    Rows: nodes without the target, target after target. Columns: arcs, target after target.
    """
    targets, target_row = np.unique(target, return_inverse=True)
    arcs = np.arange(len(tail))
    signs = np.concatenate((np.ones(len(tail)), -np.ones(len(tail))))
    positions = (np.concatenate((tail, head)), np.concatenate((arcs, arcs)))
    incidence = coo_array((signs, positions), shape=(n_nodes, len(tail)))
    entering = np.bincount(target_row * n_nodes + source, weights=offered, minlength=len(targets) * n_nodes)
    retained = np.ones(len(entering), dtype=np.bool_)
    retained[np.arange(len(targets)) * n_nodes + targets] = False
    by_target: Any = kron(eye_array(len(targets)), incidence, format="csr")
    return by_target[retained], np.asarray(entering[retained], dtype=np.float64)
