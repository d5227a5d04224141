"""Routing that minimises the largest utilisation: flows of each source on a soft maximum, certified by path lengths.

Frank-Wolfe steps source by source (block-coordinate): a source moves a part of its whole flow onto its tree of shortest
paths, where the length of an arc grows with its utilisation. Any lengths give a lower bound by linear programming
duality, so the result carries its own certificate.
"""

import numpy as np
import numpy.typing as npt

from twin.kernels.graph import UsableArcs
from twin.kernels.heaps import heap_pop, heap_push
from twin.kernels.jit import kernel

EXPONENT_MIN = -50.0
"""Least exponent of a weight; lengths stay above 0."""
EXPONENT_MAX = 300.0
MAX_SHARPNESS = 8.0
"""Largest sharpening of the soft maximum where sweeps stall."""


@kernel
def min_max_utilisation(
    arcs: UsableArcs,
    capacity_gbps: npt.NDArray[np.float64],
    source: npt.NDArray[np.uint32],
    demand_first: npt.NDArray[np.int64],
    demand_target: npt.NDArray[np.uint32],
    demand_gbps: npt.NDArray[np.float64],
    gap_ratio: float,
    first_sweep: int,
    max_sweeps: int,
    out_flow: npt.NDArray[np.float64],
    out_load: npt.NDArray[np.float64],
    out_price: npt.NDArray[np.float64],
    out_averaged: npt.NDArray[np.float64],
    out_state: npt.NDArray[np.float64],
) -> tuple[float, float, int]:
    """Minimise the largest utilisation of an arc when demands may split in any way over any paths.

    Sweeps may be made by several calls, one after the other, with the same arrays; the result is the same to the bit.

    Args:
        arcs: arcs with capacity; `weight` and `share` are not used.
        capacity_gbps: float64[n_arcs], > 0.
        source: uint32[n_sources], nodes that send.
        demand_first: int64[n_sources + 1], demands of source s are demand_first[s]:demand_first[s + 1].
        demand_target: uint32[n_demands], nodes that the source reaches, other than the source.
        demand_gbps: float64[n_demands], >= 0, not all 0.
        gap_ratio: stop when the lower bound is within this share of the utilisation reached.
        first_sweep: sweeps that earlier calls have made; 0 = begin.
        max_sweeps: most sweeps over all sources, those of earlier calls included.
        out_flow: float64[n_sources, n_arcs] in Gb/s, zero on entry: flow of each source at the end.
        out_load: float64[n_arcs] in Gb/s, zero on entry: loads of the lowest utilisation reached.
        out_price: float64[n_arcs], overwritten: share of the lower bound that each arc has; sums to 1.
        out_averaged: float64[n_arcs], zero on entry: mean lengths, for the next call.
        out_state: float64[4], utilisation, lower bound, sharpness and last gap, for the next call.

    Returns:
        Utilisation that `out_load` has, lower bound of any routing, sweeps made.

    Source:
        Shahrokhi and Matula, JACM 37 (1990), and Bienstock, Potential function methods for approximately solving
        linear programming problems, 2002, chapters 2 to 4: exponential potential and dual bound; the step is an exact
        line search.
    """
    n_nodes, n_arcs, n_sources = arcs.first.size - 1, arcs.head.size, source.size
    distance, parent = np.empty(n_nodes), np.empty(n_nodes, np.int64)
    order = np.empty(n_nodes, np.uint32)
    heap_key, heap_node = np.empty(n_arcs + 1), np.empty(n_arcs + 1, np.uint32)
    need, tree = np.zeros(n_nodes), np.zeros(n_arcs)
    moved, slope = np.empty(n_arcs, np.int64), np.empty(n_arcs)
    length, averaged, weight = 1.0 / capacity_gbps, out_averaged, np.empty(n_arcs)
    load, utilisation = np.zeros(n_arcs), np.zeros(n_arcs)

    if first_sweep == 0:
        for s in range(n_sources):
            n_reached = _shortest_tree(arcs, length, source[s], distance, parent, order, heap_key, heap_node)
            _tree_flow(arcs, s, demand_first, demand_target, demand_gbps, n_reached, order, parent, need, out_flow[s])
    for s in range(n_sources):
        load += out_flow[s]
    top = _largest(load, capacity_gbps, utilisation)
    if first_sweep == 0:
        out_load[:] = load
        lower = _bound(
            arcs,
            capacity_gbps,
            source,
            demand_first,
            demand_target,
            demand_gbps,
            length,
            distance,
            parent,
            order,
            heap_key,
            heap_node,
        )
        out_price[:] = length * capacity_gbps
        out_price /= out_price.sum()
        out_state[:] = np.array([top, lower, 1.0, 1.0])
    best, lower, sharpness, last_gap = out_state[0], out_state[1], out_state[2], out_state[3]
    for sweep in range(first_sweep, max_sweeps):
        if lower >= (1.0 - gap_ratio) * best:
            return best, lower, sweep
        gap = max(1.0 - lower / best, 0.5 * gap_ratio)
        if sweep > 0 and gap > 0.8 * last_gap:
            sharpness = min(1.3 * sharpness, MAX_SHARPNESS)
        last_gap = gap
        scale = sharpness * np.log(max(n_arcs, 2)) / (gap * best)
        for arc in range(n_arcs):
            weight[arc] = _weight(scale * (utilisation[arc] - top))
            length[arc] = weight[arc] / capacity_gbps[arc]
        for s in range(n_sources):
            n_reached = _shortest_tree(arcs, length, source[s], distance, parent, order, heap_key, heap_node)
            tree[:] = 0.0
            _tree_flow(arcs, s, demand_first, demand_target, demand_gbps, n_reached, order, parent, need, tree)
            n_moved, descent = 0, 0.0
            for arc in range(n_arcs):
                change = tree[arc] - out_flow[s, arc]
                if change != 0.0:
                    moved[n_moved], slope[n_moved] = arc, change / capacity_gbps[arc]
                    descent += weight[arc] * slope[n_moved]
                    n_moved += 1
            step = _line_search(utilisation, moved[:n_moved], slope[:n_moved], scale, top) if descent < 0.0 else 0.0
            if step <= 0.0:
                continue
            for i in range(n_moved):
                arc = moved[i]
                out_flow[s, arc] += step * (tree[arc] - out_flow[s, arc])
                utilisation[arc] += step * slope[i]
                weight[arc] = _weight(scale * (utilisation[arc] - top))
                length[arc] = weight[arc] / capacity_gbps[arc]
        load[:] = 0.0
        for s in range(n_sources):  # summed again, so that rounding of the steps does not add up
            load += out_flow[s]
        top = _largest(load, capacity_gbps, utilisation)
        if top < best:
            best = top
            out_load[:] = load
        for arc in range(n_arcs):
            weight[arc] = _weight(scale * (utilisation[arc] - top))
        total = weight.sum()
        for arc in range(n_arcs):
            length[arc] = weight[arc] / capacity_gbps[arc]
            averaged[arc] = 0.6 * averaged[arc] + length[arc] / total
        for lengths in (length, averaged):
            found = _bound(
                arcs,
                capacity_gbps,
                source,
                demand_first,
                demand_target,
                demand_gbps,
                lengths,
                distance,
                parent,
                order,
                heap_key,
                heap_node,
            )
            if found > lower:
                lower = found
                out_price[:] = lengths * capacity_gbps
                out_price /= out_price.sum()
        out_state[:] = np.array([best, lower, sharpness, last_gap])
    return best, lower, max_sweeps


@kernel
def _weight(exponent: float) -> float:
    return float(np.exp(min(max(exponent, EXPONENT_MIN), EXPONENT_MAX)))


@kernel
def _largest(
    load: npt.NDArray[np.float64], capacity: npt.NDArray[np.float64], out_ratio: npt.NDArray[np.float64]
) -> float:
    """Compute the load over the capacity of each arc; returns the largest."""
    top = 0.0
    for arc in range(load.size):
        out_ratio[arc] = load[arc] / capacity[arc]
        top = max(top, out_ratio[arc])
    return top


@kernel
def _tree_flow(
    arcs: UsableArcs,
    s: int,
    demand_first: npt.NDArray[np.int64],
    demand_target: npt.NDArray[np.uint32],
    demand_gbps: npt.NDArray[np.float64],
    n_reached: int,
    order: npt.NDArray[np.uint32],
    parent: npt.NDArray[np.int64],
    need: npt.NDArray[np.float64],
    out_flow: npt.NDArray[np.float64],
) -> None:
    """Add the flow of all demands of a source over its tree; `need` is zero on entry and on return."""
    for i in range(demand_first[s], demand_first[s + 1]):
        need[demand_target[i]] += demand_gbps[i]
    for k in range(n_reached - 1, 0, -1):
        node = order[k]
        if need[node] > 0.0:
            arc = parent[node]
            out_flow[arc] += need[node]
            need[arcs.tail[arc]] += need[node]
            need[node] = 0.0
    need[order[0]] = 0.0


@kernel
def _bound(
    arcs: UsableArcs,
    capacity: npt.NDArray[np.float64],
    source: npt.NDArray[np.uint32],
    demand_first: npt.NDArray[np.int64],
    demand_target: npt.NDArray[np.uint32],
    demand_gbps: npt.NDArray[np.float64],
    length: npt.NDArray[np.float64],
    distance: npt.NDArray[np.float64],
    parent: npt.NDArray[np.int64],
    order: npt.NDArray[np.uint32],
    heap_key: npt.NDArray[np.float64],
    heap_node: npt.NDArray[np.uint32],
) -> float:
    """Compute the lower bound that lengths give: sum of demand x distance over sum of length x capacity."""
    travelled = 0.0
    for s in range(source.size):
        _shortest_tree(arcs, length, source[s], distance, parent, order, heap_key, heap_node)
        for i in range(demand_first[s], demand_first[s + 1]):
            travelled += demand_gbps[i] * distance[demand_target[i]]
    return travelled / float((length * capacity).sum())


@kernel
def _line_search(
    utilisation: npt.NDArray[np.float64],
    moved: npt.NDArray[np.int64],
    slope: npt.NDArray[np.float64],
    scale: float,
    top: float,
) -> float:
    """Find the step from 0 to 1 with the least sum of exp(scale * utilisation), from the side where it still falls.

    Newton's method inside a bracket; the exponent is taken of each utilisation anew, since products underflow.
    """
    step, low, high, first_descent = 0.0, 0.0, 1.0, 0.0
    for trial in range(40):
        rise, curvature = 0.0, 0.0
        for i in range(moved.size):
            weight = _weight(scale * (utilisation[moved[i]] + step * slope[i] - top))
            rise += weight * slope[i]
            curvature += weight * slope[i] * slope[i]
        curvature *= scale
        if trial == 0:
            first_descent = -rise
        if rise <= 0.0:
            low = step
        else:
            high = step
        if low == 1.0 or high - low < 0.01 * high or (trial > 0 and -0.01 * first_descent < rise <= 0.0):
            break
        newton = step - rise / curvature if curvature > 0.0 else 0.5 * (low + high)
        if trial == 0 and newton >= 1.0:
            newton = 1.0
        elif newton <= low or newton >= high or (rise > 0.0 and newton > 0.5 * (low + high)):
            newton = 0.5 * (low + high)
        step = newton
    return low


@kernel
def _shortest_tree(
    arcs: UsableArcs,
    length: npt.NDArray[np.float64],
    root: int,
    out_distance: npt.NDArray[np.float64],
    out_parent: npt.NDArray[np.int64],
    out_order: npt.NDArray[np.uint32],
    heap_key: npt.NDArray[np.float64],
    heap_node: npt.NDArray[np.uint32],
) -> int:
    """Compute distances from a node, the arc by which each node is reached, and the nodes, nearest first.

    Returns the number of nodes reached. Source: Dijkstra (1959), with entries that are out of date skipped.
    """
    out_distance[:] = np.inf
    out_distance[root] = 0.0
    n_reached = 0
    size = heap_push(heap_key, heap_node, 0, 0.0, root)
    while size > 0:
        key, node = heap_key[0], heap_node[0]
        size = heap_pop(heap_key, heap_node, size)
        if key > out_distance[node]:
            continue
        out_order[n_reached] = node
        n_reached += 1
        if arcs.forwards[node] or node == root:
            for arc in range(arcs.first[node], arcs.first[node + 1]):
                reached = key + length[arc]
                if reached < out_distance[arcs.head[arc]]:
                    out_distance[arcs.head[arc]] = reached
                    out_parent[arcs.head[arc]] = arc
                    size = heap_push(heap_key, heap_node, size, reached, arcs.head[arc])
    return n_reached
