"""Greatest load of each arc over failures, and the fullest arc after each of them."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twin.kernels.graph import UsableArcs
from twin.kernels.jit import inner_kernel, scratch_kernel
from twin.kernels.pending_loads import PendingLoads, Responses, touch


class Limits(NamedTuple):
    """Bounds that a change at a node has to exceed to matter.

    room_gbps: float64[n_nodes], a load may grow by so much at any arc of the node and is no greatest load.
    most_gbps: float64[n_arcs], a load up to this one is no greatest load.
    ratio: float64[n_nodes], greatest utilisation of the node's arcs without a failure.
    per_gbps: float64[n_nodes], greatest 1 / capacity of them.
    bits: int64[1], room for the bits of a number.
    """

    room_gbps: npt.NDArray[np.float64]
    most_gbps: npt.NDArray[np.float64]
    ratio: npt.NDArray[np.float64]
    per_gbps: npt.NDArray[np.float64]
    bits: npt.NDArray[np.int64]


@scratch_kernel
def set_limits(
    arcs: UsableArcs,
    base: npt.NDArray[np.float64],
    per_gbps: npt.NDArray[np.float64],
    worst: npt.NDArray[np.int64],
    out_limits: Limits,
) -> None:
    """Set the limits of all nodes by the greatest loads so far.

    Args:
        arcs: arcs that carry traffic.
        base: float64[n_arcs], loads without a failure.
        per_gbps: float64[n_arcs], 1 / capacity; 0 where utilisation does not count.
        worst: as `out_worst` of `sweep_failures`.
        out_limits: overwritten.
    """
    out_limits.ratio[:] = 0.0
    out_limits.per_gbps[:] = 0.0
    for node in range(arcs.first.size - 1):
        _set_room(arcs, base, worst, node, out_limits)
        for arc in range(arcs.first[node], arcs.first[node + 1]):
            ratio = base[arc] * per_gbps[arc] if base[arc] > 0.0 else 0.0
            out_limits.ratio[node] = max(out_limits.ratio[node], ratio)
            out_limits.per_gbps[node] = max(out_limits.per_gbps[node], per_gbps[arc])


@inner_kernel
def _set_room(
    arcs: UsableArcs, base: npt.NDArray[np.float64], worst: npt.NDArray[np.int64], node: int, limits: Limits
) -> None:
    """Find the loads up to which a node has no new greatest load, as those are rounded, and the least growth."""
    number = limits.bits.view(np.float64)
    room = np.inf
    for arc in range(arcs.first[node], arcs.first[node + 1]):
        # numbers up to 511 further in the last bits are rounded to the same; the rest is for rounding of sums
        limits.bits[0] = (worst[arc] << 10) + 400
        limits.most_gbps[arc] = number[0]
        room = min(room, number[0] - base[arc])
    limits.room_gbps[node] = room


@scratch_kernel
def greatest_ratio(
    arcs: UsableArcs,
    base: npt.NDArray[np.float64],
    least_gbps: float,
    per_gbps: npt.NDArray[np.float64],
    fullest_arc: npt.NDArray[np.int64],
    f: int,
    responses: Responses,
    loads: PendingLoads,
    limits: Limits,
    worst: npt.NDArray[np.int64],
    cause: npt.NDArray[np.int64],
) -> tuple[float, int]:
    """Update the greatest loads, return the greatest utilisation and its arc, and restore the loads without a failure.

    Only arcs that leave nodes where loads changed are looked at; of all others the fullest is known.

    Args:
        arcs: arcs that carry traffic.
        base: float64[n_arcs], loads without a failure.
        least_gbps: loads up to this one are rounding noise.
        per_gbps: float64[n_arcs], 1 / capacity; 0 where utilisation does not count.
        fullest_arc: int64[n_nodes or less], the fullest arc of each node without a failure, the fullest first.
        f: number of the failure.
        responses: what pending loads consist of.
        loads: loads after the failure; restored.
        limits: updated.
        worst: as `out_worst` of `sweep_failures`.
        cause: as `out_cause` of `sweep_failures`.
    """
    best, best_arc = 0.0, -1
    for arc in fullest_arc:
        tail = arcs.tail[arc]
        if not loads.is_touched[tail] and loads.response[2 * np.int64(tail)] < 0:
            if base[arc] > least_gbps:
                best, best_arc = base[arc] * per_gbps[arc], arc
            break
    for i in range(loads.n_touched[0]):
        best, best_arc = _look_at(
            arcs, base, least_gbps, per_gbps, f, loads.touched[i], loads.load, limits, worst, cause, best, best_arc
        )
    for i in range(loads.n_pending[0]):
        node = loads.pending[i]
        slot = 2 * np.int64(node)
        if not (
            loads.is_touched[node]
            or (
                _is_small(base, per_gbps, responses, loads, node, slot, limits, best)
                and _is_small(base, per_gbps, responses, loads, node, slot + 1, limits, best)
            )
        ):
            touch(loads, responses, node)
            best, best_arc = _look_at(
                arcs, base, least_gbps, per_gbps, f, node, loads.load, limits, worst, cause, best, best_arc
            )
        loads.response[slot] = loads.response[slot + 1] = -1
    for i in range(loads.n_touched[0]):
        node = loads.touched[i]
        first, end = arcs.first[node], arcs.first[node + 1]
        load, intact = loads.load[first:end], base[first:end]
        for j in range(end - first):
            load[j] = intact[j]
        loads.is_touched[node] = False
    loads.n_touched[0], loads.n_pending[0] = 0, 0
    return best, best_arc


@inner_kernel
def _is_small(
    base: npt.NDArray[np.float64],
    per_gbps: npt.NDArray[np.float64],
    responses: Responses,
    loads: PendingLoads,
    node: int,
    slot: np.int64,
    limits: Limits,
    best: float,
) -> bool:
    """Return whether a pending response of a node matters at none of its arcs."""
    response, amount, less = loads.response[slot], loads.amount[slot], best * (1.0 - 1e-9)
    if response < 0:
        return True
    rise = max(amount * responses.greatest[response], amount * responses.least[response], 0.0)
    if rise <= limits.room_gbps[node] and limits.ratio[node] + rise * limits.per_gbps[node] < less:
        return True
    if limits.ratio[node] >= less:
        return False
    start, arc = responses.first[response], loads.arc[slot]
    n = responses.first[response + 1] - start
    # slices, because an index that may be negative costs a check in each access
    values, base, per_gbps = responses.value[start : start + n], base[arc : arc + n], per_gbps[arc : arc + n]
    most = limits.most_gbps[arc : arc + n]
    n_great = 0
    for i in range(n):
        load = base[i] + amount * values[i]
        n_great += (load > most[i]) | (load * per_gbps[i] >= less)
    return n_great == 0


@inner_kernel
def _look_at(
    arcs: UsableArcs,
    base: npt.NDArray[np.float64],
    least_gbps: float,
    per_gbps: npt.NDArray[np.float64],
    f: int,
    node: int,
    load: npt.NDArray[np.float64],
    limits: Limits,
    worst: npt.NDArray[np.int64],
    cause: npt.NDArray[np.int64],
    best: float,
    best_arc: int,
) -> tuple[float, int]:
    """Compare the loads of a node's arcs with the greatest so far, and their utilisation with the best one."""
    first, end = arcs.first[node], arcs.first[node + 1]
    # slices, because an index that may be negative costs a check in each access
    load, per_gbps, greatest, by = load[first:end], per_gbps[first:end], worst[first:end], cause[first:end]
    bits = load.view(np.int64)  # positive floats have the order of their bits
    n_greater, least_ratio = 0, best * (1.0 - 1e-12)
    n_fuller = 0
    for i in range(end - first):
        n_greater += (bits[i] + 512) >> 10 > greatest[i]
        n_fuller += load[i] * per_gbps[i] > least_ratio
    if n_fuller > 0:
        for i in range(end - first):
            ratio = load[i] * per_gbps[i]
            if ratio > best * (1.0 - 1e-12) and load[i] > least_gbps:
                if ratio > best * (1.0 + 1e-12):
                    best, best_arc = ratio, first + i
                elif first + i < best_arc:
                    best_arc = first + i
    if n_greater > 0:
        for i in range(end - first):
            rounded = (bits[i] + 512) >> 10
            if rounded > greatest[i]:
                greatest[i] = rounded
                by[i] = f
        _set_room(arcs, base, worst, node, limits)
    return best, best_arc


@inner_kernel
def look_at_all(
    load: npt.NDArray[np.float64],
    least_gbps: float,
    per_gbps: npt.NDArray[np.float64],
    f: int,
    worst: npt.NDArray[np.int64],
    cause: npt.NDArray[np.int64],
) -> tuple[float, int]:
    """Update the greatest loads of all arcs; returns the greatest utilisation and its arc, the first of equal ones."""
    bits = load.view(np.int64)  # positive floats have the order of their bits
    best, best_arc = 0.0, -1
    for arc in range(load.size):
        rounded = (bits[arc] + 512) >> 10
        if rounded > worst[arc]:
            worst[arc] = rounded
            cause[arc] = f
        ratio = load[arc] * per_gbps[arc]
        if load[arc] > least_gbps and ratio > best * (1.0 + 1e-12):
            best, best_arc = ratio, arc
    return best, best_arc
