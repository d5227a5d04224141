"""Routing with the least maximum link utilisation (MLU): certified bounds, and an exact linear program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array, eye_array, hstack, kron

from ..arrays import Floats, Ints, State
from ..arrays.sums import sum_of, sums_by
from ..errors import ConvergenceError
from ..kernels.graph import UsableArcs
from ..kernels.min_max import min_max_utilisation
from ..progress import Progress
from .twin_nodes import arcs_of

TIME_LIMIT_S = 300.0
MAX_SWEEPS = 400
SWEEPS_BEFORE_PROGRAM = 30
"""Sweeps before a small case that is still open goes to the linear program."""
MAX_RATIO = 1e15
"""Largest ratio of all demands together to the least capacity; beyond it digits are lost."""
MAX_PROGRAM_FLOWS = 50_000
"""Largest linear program that is tried: sources times arcs."""


@dataclass(frozen=True, eq=False)
class TargetFlows:
    """Flows by destination; they may hold cycles."""

    target: Ints
    """Node rows, int64[n_targets]."""
    arc_id: Ints
    """Arcs of the network, int64[n_arcs]."""
    gbps: Floats
    """float64[n_targets, n_arcs]."""


@dataclass(frozen=True, eq=False)
class RoutingOptimum:
    """How low the utilisation of the busiest arc can be, between two bounds."""

    utilisation_ratio: float
    """Utilisation that a routing was found for."""
    lower_bound_ratio: float
    """Bound that no routing can be below; equal to `utilisation_ratio` where the optimum is exact."""
    arc_gbps: Floats
    """Loads of the routing found, float64[2 * n_links]."""
    price_ratio: Floats
    """Part of the bound that the capacity of each arc sets, float64[2 * n_links], sums to 1 with traffic. With 1 % more
    capacity on an arc of price p alone the bound falls by p percent, so the optimum falls by no more."""
    n_sweeps: int
    """Sweeps over all sources."""
    is_exact: bool
    """Whether the linear program was solved."""
    flow: TargetFlows | None = None
    """Flows of the routing found, where they were asked for; its loads are `arc_gbps` or within the gap of them."""

    @property
    def gap_ratio(self) -> float:
        """Distance of the bounds over the utilisation; 0 without traffic."""
        return 1.0 - self.lower_bound_ratio / self.utilisation_ratio if self.utilisation_ratio else 0.0


@dataclass(frozen=True, eq=False)
class _Problem:
    """Arcs with capacity in kernel order, and demands by source; reversed where there are fewer targets."""

    arcs: UsableArcs
    arc_id: Ints
    capacity_gbps: Floats
    source: Ints
    target: Ints
    offered_gbps: Floats


def optimal_routing(
    state: State,
    arc_capacity_gbps: Floats,
    source: Ints,
    target: Ints,
    offered_gbps: Floats,
    *,
    gap_ratio: float = 0.05,
    keeps_flow: bool = False,
    progress: Progress | None = None,
) -> RoutingOptimum:
    """Find a routing whose busiest arc has the least utilisation, and a bound that certifies it.

    Demands may split in any way over any paths through nodes that forward. Sweeps of `min_max_utilisation` come first.
    A small case that is open after them is solved as a linear program.

    Args:
        state: columns of the network.
        arc_capacity_gbps: float64[2 * n_links]; every demand needs a path over arcs with capacity.
        source: node rows, int64[n_demands].
        target: node rows, int64[n_demands]. Demands of equal pairs add up; a demand to its own source is ignored.
        offered_gbps: float64[n_demands].
        gap_ratio: largest distance of the bounds over the utilisation, above 0.
        keeps_flow: return the flows by destination too.
        progress: told after each sweep.

    Raises:
        ConvergenceError: the bounds stay farther apart, or demands and capacities are.
    """
    problem = _problem(state, arc_capacity_gbps, source, target, offered_gbps, by_target=keeps_flow)
    n_arcs, nothing = len(arc_capacity_gbps), np.zeros(len(arc_capacity_gbps))
    if not len(problem.offered_gbps):
        return RoutingOptimum(0.0, 0.0, nothing, nothing, 0, True)
    with np.errstate(over="ignore"):
        most_ratio = float((sum_of(problem.offered_gbps) / problem.capacity_gbps).max())
    if not most_ratio <= MAX_RATIO:
        raise ConvergenceError("demands and capacities are too far apart", residual=most_ratio, where="optimum")
    sources = np.unique(problem.source)
    is_small = len(sources) * len(problem.arc_id) <= MAX_PROGRAM_FLOWS
    flow = np.zeros((len(sources), len(problem.arc_id)))
    load, price = np.zeros(len(problem.arc_id)), np.zeros(len(problem.arc_id))
    max_sweeps = SWEEPS_BEFORE_PROGRAM if is_small else MAX_SWEEPS
    upper, lower, n_sweeps = _swept(problem, gap_ratio, max_sweeps, (flow, load, price), progress or Progress())
    is_open = not lower >= (1.0 - gap_ratio) * upper
    if is_open and not is_small:
        raise ConvergenceError(
            f"the optimum is between {lower:.4g} and {upper:.4g} after {n_sweeps} sweeps",
            residual=1.0 - lower / upper,
            where="optimum",
        )
    if is_open:
        upper, load, price, flow = _solve_program(problem)
        lower = upper
    arc_gbps, price_ratio = np.zeros(n_arcs), np.zeros(n_arcs)
    arc_gbps[problem.arc_id], price_ratio[problem.arc_id] = load, price
    flows = TargetFlows(sources, problem.arc_id, flow) if keeps_flow else None
    return RoutingOptimum(upper, lower, arc_gbps, price_ratio, n_sweeps, is_open, flows)


def _swept(
    problem: _Problem, gap_ratio: float, max_sweeps: int, out: tuple[Floats, Floats, Floats], progress: Progress
) -> tuple[float, float, int]:
    """Make sweeps, each in a call of its own; returns (utilisation, lower bound, sweeps).

    The share done is that of the sweeps, or how far the bounds have closed, whichever is greater.
    """
    sources, first = np.unique(problem.source, return_index=True)
    averaged, state, first_gap = np.zeros(len(problem.arc_id)), np.zeros(4), 1.0
    for sweep in range(max(max_sweeps, 1)):
        upper, lower, n_sweeps = min_max_utilisation(
            problem.arcs,
            problem.capacity_gbps,
            sources.astype(np.uint32),
            np.append(first, len(problem.source)),
            problem.target.astype(np.uint32),
            problem.offered_gbps,
            gap_ratio,
            sweep,
            min(sweep + 1, max_sweeps),
            *out,
            averaged,
            state,
        )
        gap = max(1.0 - lower / upper, gap_ratio)
        first_gap = gap if sweep == 0 else first_gap
        closed_ratio = np.log(first_gap / gap) / np.log(first_gap / gap_ratio) if first_gap > gap_ratio else 1.0
        progress.tell(max((sweep + 1) / max(max_sweeps, 1), float(closed_ratio)))
        if n_sweeps <= sweep:
            break
    return upper, lower, n_sweeps


def optimal_max_utilisation_ratio(
    state: State, arc_capacity_gbps: Floats, source: Ints, target: Ints, offered_gbps: Floats
) -> float:
    """Compute the least MLU: exactly with a linear program if it is small, else within 0.1 %.

    Args:
        state: columns of the network.
        arc_capacity_gbps: as in `optimal_routing`, like the other arguments.
        source: node rows.
        target: node rows.
        offered_gbps: amounts.

    Raises:
        ConvergenceError: HiGHS finds no optimum, or the bounds stay farther apart.
    """
    problem = _problem(state, arc_capacity_gbps, source, target, offered_gbps)
    if not len(problem.offered_gbps):
        return 0.0
    if len(np.unique(problem.source)) * len(problem.arc_id) <= MAX_PROGRAM_FLOWS:
        return _solve_program(problem)[0]
    return optimal_routing(state, arc_capacity_gbps, source, target, offered_gbps, gap_ratio=1e-3).utilisation_ratio


def _problem(
    state: State,
    arc_capacity_gbps: Floats,
    source: Ints,
    target: Ints,
    offered_gbps: Floats,
    *,
    by_target: bool = False,
) -> _Problem:
    used = (source != target) & (offered_gbps > 0)
    source, target, offered_gbps = source[used], target[used], offered_gbps[used]
    usable = np.flatnonzero(arc_capacity_gbps > 0)
    tail, head = state["arc_head"][usable ^ 1], state["arc_head"][usable]
    if by_target or len(np.unique(target)) <= len(np.unique(source)):
        # reversing every arc and demand gives an equivalent problem
        source, target, tail, head = target, source, head, tail
    pair, row = np.unique(source * state.n_nodes + target, return_inverse=True)
    order = np.lexsort((usable, head, tail))
    tail, head, usable = tail[order], head[order], usable[order]
    one = np.ones(len(usable))
    return _Problem(
        arcs_of(tail, head, one, one, state["node_forwards"]),
        usable,
        arc_capacity_gbps[usable],
        pair // state.n_nodes,
        pair % state.n_nodes,
        np.asarray(sums_by(row, offered_gbps, len(pair)), dtype=np.float64),
    )


def _solve_program(problem: _Problem) -> tuple[float, Floats, Floats, Floats]:
    """Solve the linear program; returns the least MLU, loads and prices of the arcs, and the flow of each source.

    Source: minimum maximum-utilisation multicommodity flow, Pioro and Medhi 2004, chapter 4.
    """
    from scipy.optimize import linprog  # 0.2 s of import that other questions do not need

    n_nodes = len(problem.arcs.forwards)
    tail, head = problem.arcs.tail.astype(np.int64), problem.arcs.head.astype(np.int64)
    capacity_gbps, offered_gbps = problem.capacity_gbps, problem.offered_gbps
    scale_gbps = float(offered_gbps.max())
    bound_ratio = _node_bound(n_nodes, tail, head, capacity_gbps, problem.source, problem.target, offered_gbps)
    sources = np.unique(problem.source)
    # flows are aggregated by source, so arcs are reversed: each of them then has one target
    conservation, entering = _conservation(
        n_nodes, head, tail, problem.target, problem.source, offered_gbps / scale_gbps
    )
    may_enter = (problem.arcs.forwards[tail] | (tail == sources[:, None])).ravel()
    n_arcs, n_flows = len(tail), int(may_enter.sum())
    # for each arc, flow over capacity minus the minimised utilisation is at most 0; both are in units of a lower
    # bound, since the solver's tolerances are absolute
    with np.errstate(all="ignore"):
        coefficient = scale_gbps / bound_ratio / capacity_gbps
    if not (np.isfinite(coefficient).all() and coefficient.any()):
        raise ConvergenceError("demands and capacities are too far apart", residual=float("inf"), where="optimum")
    per_arc = kron(np.ones((1, len(sources))), eye_array(n_arcs), format="csc")[:, may_enter]
    solution = linprog(
        np.append(np.zeros(n_flows), 1.0),
        A_ub=hstack((diags_array(coefficient) @ per_arc, -np.ones((n_arcs, 1))), format="csr"),
        b_ub=np.zeros(n_arcs),
        A_eq=hstack((conservation[:, may_enter], csr_array((conservation.shape[0], 1))), format="csr"),
        b_eq=entering,
        method="highs",
        options={"time_limit": TIME_LIMIT_S},
    )
    if solution.status != 0:
        raise ConvergenceError(f"HiGHS found no optimum: {solution.message}", residual=float("inf"), where="optimum")
    price = np.maximum(-np.asarray(solution.ineqlin.marginals), 0.0)
    load_gbps = scale_gbps * np.asarray(per_arc @ solution.x[:-1])
    flow_gbps = np.zeros(len(sources) * n_arcs)
    flow_gbps[may_enter] = scale_gbps * solution.x[:-1]
    return bound_ratio * float(solution.fun), load_gbps, price / price.sum(), flow_gbps.reshape(-1, n_arcs)


def _node_bound(
    n_nodes: int, tail: Ints, head: Ints, capacity_gbps: Floats, source: Ints, target: Ints, offered_gbps: Floats
) -> float:
    """Lower bound of the MLU: the largest ratio of a node's sent or received traffic to its capacity for it."""
    bound = 0.0
    for side, end in ((tail, source), (head, target)):
        available_gbps = sums_by(side, capacity_gbps, n_nodes)
        required_gbps = sums_by(end, offered_gbps, n_nodes)
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
    entering = sums_by(target_row * n_nodes + source, offered, len(targets) * n_nodes)
    retained = np.ones(len(entering), dtype=np.bool_)
    retained[np.arange(len(targets)) * n_nodes + targets] = False
    by_target: Any = kron(eye_array(len(targets)), incidence, format="csr")
    return by_target[retained], np.asarray(entering[retained], dtype=np.float64)
