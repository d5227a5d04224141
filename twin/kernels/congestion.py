"""Max-min fair rates, utilisation and queueing delay."""

import math

import numpy as np
import numpy.typing as npt

from twin.kernels.jit import inner_kernel, kernel

SPARE, USAGE, SPARE_STEP, USAGE_STEP, N_COLUMNS = 0, 1, 2, 3, 4
"""Columns of the room of a resource; 32 bytes, so that no row lies in two cache lines."""
USAGE_UNIT = 2.0**30
"""Parts of a usage of 1 that are counted to find the size of a resource's usage."""
N_TOGETHER = 128
"""Flows whose rows are read together before they stop."""


@kernel
def max_min_rates(
    flow_first: npt.NDArray[np.int64],
    flow_link: npt.NDArray[np.int64],
    flow_usage: npt.NDArray[np.float64],
    capacity: npt.NDArray[np.float64],
    limit: npt.NDArray[np.float64],
    out_rate: npt.NDArray[np.float64],
) -> None:
    """Compute max-min fair rates: all flows rise together until a full resource or their own limit stops them.

    A flow without resources gets its limit. Events within a relative 1e-12 of their level count as one, so that
    rounding cannot separate resources that saturate together. Rates, capacities and limits have the same unit.
    Usage and what a flow takes of a capacity are rounded to steps of about 2^-51 of the whole, so that sums are
    exact and rates do not depend on the order of flows and resources.

    Args:
        flow_first: int64[n_flows + 1]; flow f uses resources flow_link[k], k in flow_first[f]:flow_first[f + 1].
        flow_link: int64[any], resources of the flows.
        flow_usage: float64[any], >= 0, the part of the flow's rate that crosses flow_link[k]: 1 on a single path, less
            on ECMP.
        capacity: float64[n_resources], >= 0.
        limit: float64[n_flows], >= 0 or infinite.
        out_rate: float64[n_flows], overwritten.

    Source:
        Progressive filling, Bertsekas and Gallager, Data Networks (1992), 6.5.2, with a heap of saturation levels.
    """
    n_flows = out_rate.size
    first, flows = _flows_by_resource(flow_first, flow_link, flow_usage, capacity.size)
    # a row for each resource, so that a flow that stops touches one place: capacity left by stopped flows, usage of
    # flows that still rise, and the steps of both
    room = np.zeros((capacity.size, N_COLUMNS))
    for k in range(flow_link.size):
        room[flow_link[k], USAGE] += np.ceil(flow_usage[k] * USAGE_UNIT)
    for resource in range(capacity.size):
        row = room[resource]
        row[SPARE_STEP], row[USAGE_STEP] = _steps_below(capacity[resource]), _steps_below(row[USAGE] / USAGE_UNIT)
        row[SPARE], row[USAGE] = capacity[resource], 0.0
    for k in range(flow_link.size):
        row = room[flow_link[k]]
        row[USAGE] += _in_steps(flow_usage[k], row[USAGE_STEP])
    full_at = np.zeros(capacity.size)  # level at which a resource fills; a lower bound while it waits in the heap
    heap = np.arange(capacity.size)
    full = np.empty(capacity.size, np.int64)
    rises = np.ones(n_flows, np.bool_)
    stopping, touched = np.empty(N_TOGETHER, np.int64), np.zeros(1, np.int64)
    by_limit = np.flatnonzero(limit < np.inf)
    n_limits = by_limit.size
    for i in range(n_limits // 2 - 1, -1, -1):
        _sift_down(by_limit, n_limits, limit, by_limit[i], i)
    size = capacity.size
    level = 0.0
    out_rate[:] = np.inf
    while True:
        size = _refresh_top(heap, size, full_at, room, level)
        event = limit[by_limit[0]] if n_limits > 0 else np.inf
        if size > 0:
            event = min(event, full_at[heap[0]])
        if event == np.inf:
            return
        level = event
        n_full = 0
        while size > 0 and full_at[heap[0]] <= level * (1.0 + 1e-12):
            full[n_full] = heap[0]
            n_full += 1
            size -= 1
            _sift_down(heap, size, full_at, heap[size], 0)
            size = _refresh_top(heap, size, full_at, room, level)
        for j in range(n_full):
            start, end = first[full[j]], first[full[j] + 1]
            while start < end:
                n_stopping = 0
                while start < end and n_stopping < stopping.size:
                    flow = np.int64(flows[start])
                    start += 1
                    if rises[flow]:
                        out_rate[flow] = level
                        rises[flow] = False
                        stopping[n_stopping] = flow
                        n_stopping += 1
                touched[0] += _touch(stopping[:n_stopping], flow_first, flow_link, flow_usage)
                for i in range(n_stopping):
                    _stop(stopping[i], level, flow_first, flow_link, flow_usage, room)
        while n_limits > 0 and (limit[by_limit[0]] <= level or not rises[by_limit[0]]):
            flow = by_limit[0]
            n_limits -= 1
            _sift_down(by_limit, n_limits, limit, by_limit[n_limits], 0)
            if rises[flow]:
                out_rate[flow] = level
                rises[flow] = False
                _stop(flow, level, flow_first, flow_link, flow_usage, room)


@kernel
def utilisation(
    load_gbps: npt.NDArray[np.float64], capacity_gbps: npt.NDArray[np.float64], out_ratio: npt.NDArray[np.float64]
) -> None:
    """Compute load over capacity of each arc; without capacity it is 0 without load, else infinite.

    Args:
        load_gbps: float64[n_arcs].
        capacity_gbps: float64[n_arcs].
        out_ratio: float64[n_arcs], overwritten.
    """
    for arc in range(load_gbps.size):
        if capacity_gbps[arc] > 0.0:
            out_ratio[arc] = load_gbps[arc] / capacity_gbps[arc]
        else:
            out_ratio[arc] = np.inf if load_gbps[arc] > 0.0 else 0.0


@kernel
def queue_delay_us(
    utilisation_ratio: npt.NDArray[np.float64],
    capacity_gbps: npt.NDArray[np.float64],
    packet_bytes: float,
    max_utilisation_ratio: float,
    out_us: npt.NDArray[np.float64],
) -> None:
    """Compute the mean queueing delay of a packet at each arc, without its own transmission; 0 without capacity.

    Utilisation is limited to max_utilisation_ratio (< 1), because the formula grows without bound towards 1.

    Args:
        utilisation_ratio: float64[n_arcs].
        capacity_gbps: float64[n_arcs].
        packet_bytes: size of every packet.
        max_utilisation_ratio: limit of the utilisation, below 1.
        out_us: float64[n_arcs], overwritten.

    Source:
        Pollaczek-Khinchine for M/D/1, W = rho / (2 (1 - rho)) * service time (Kleinrock, Queueing Systems I, 5.6).
    """
    for arc in range(utilisation_ratio.size):
        if capacity_gbps[arc] > 0.0:
            rho = min(utilisation_ratio[arc], max_utilisation_ratio)
            service_us = packet_bytes * 8.0 / (capacity_gbps[arc] * 1e3)  # 1 Gbit/s = 1e3 bits per us
            out_us[arc] = rho / (2.0 * (1.0 - rho)) * service_us
        else:
            out_us[arc] = 0.0


@kernel
def _steps_below(largest: float) -> float:
    """Return the number whose addition rounds numbers up to `largest` >= 0 to steps; 0 (no rounding) if infinite."""
    if largest == np.inf:
        return 0.0
    _, exponent = math.frexp(largest)
    return 3.0 * math.ldexp(1.0, min(exponent, 1000))


@inner_kernel
def _in_steps(value: float, step: float) -> float:
    """Round a number to the steps of `_steps_below`. Source: Dekker (1971), Numer. Math. 18, section 4."""
    return (value + step) - step


@kernel
def _flows_by_resource(
    flow_first: npt.NDArray[np.int64],
    flow_link: npt.NDArray[np.int64],
    flow_usage: npt.NDArray[np.float64],
    n_resources: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
    """Transpose the CSR: the flows of each resource, once per positive usage, by flow.

    Returns first: int64[n_resources + 1], flows: uint32[n_usages].
    """
    first = np.zeros(n_resources + 1, np.int64)
    for k in range(flow_link.size):
        if flow_usage[k] > 0.0:
            first[flow_link[k] + 1] += 1
    for resource in range(n_resources):
        first[resource + 1] += first[resource]
    free = first.copy()
    flows = np.empty(first[n_resources], np.uint32)
    for flow in range(flow_first.size - 1):
        for k in range(flow_first[flow], flow_first[flow + 1]):
            if flow_usage[k] > 0.0:
                flows[free[flow_link[k]]] = flow
                free[flow_link[k]] += 1
    return first, flows


@inner_kernel
def _touch(
    stopping: npt.NDArray[np.int64],
    flow_first: npt.NDArray[np.int64],
    flow_link: npt.NDArray[np.int64],
    flow_usage: npt.NDArray[np.float64],
) -> int:
    """Read the ends of the rows of flows, so that the processor waits for all of them at once and not one by one.

    No row is empty. Returns a sum of what it reads; without one the compiler leaves the reads out.
    """
    total = 0
    for flow in stopping:
        total += flow_first[flow]
    for flow in stopping:
        last = flow_first[flow + 1] - 1
        total += flow_link[flow_first[flow]] + flow_link[last]
        total += int(flow_usage[flow_first[flow]] > flow_usage[last])
    return total


@inner_kernel
def _stop(
    flow: int,
    level: float,
    flow_first: npt.NDArray[np.int64],
    flow_link: npt.NDArray[np.int64],
    flow_usage: npt.NDArray[np.float64],
    room: npt.NDArray[np.float64],
) -> None:
    """Remove a flow that stops at `level` from the rising usage of its resources."""
    for k in range(flow_first[flow], flow_first[flow + 1]):
        if flow_usage[k] > 0.0:
            row = room[flow_link[k]]
            row[SPARE] -= _in_steps(flow_usage[k] * level, row[SPARE_STEP])
            row[USAGE] -= _in_steps(flow_usage[k], row[USAGE_STEP])


@inner_kernel
def _refresh_top(
    heap: npt.NDArray[np.int64],
    size: int,
    full_at: npt.NDArray[np.float64],
    room: npt.NDArray[np.float64],
    level: float,
) -> int:
    """Move the resource that fills next to the top; returns the heap size without resources of no rising flow.

    A flow that stops can only delay the filling of its resources, so an old entry is never too late in the heap.
    """
    while size > 0:
        top = heap[0]
        if room[top, USAGE] == 0.0:
            size -= 1
            _sift_down(heap, size, full_at, heap[size], 0)
            continue
        now = max(level, room[top, SPARE] / room[top, USAGE])
        if now <= full_at[top]:
            break
        full_at[top] = now
        _sift_down(heap, size, full_at, top, 0)
    return size


@inner_kernel
def _sift_down(heap: npt.NDArray[np.int64], size: int, key: npt.NDArray[np.float64], item: int, hole: int) -> None:
    """Place `item` at the hole in the heap or below it, in the order of (key, index)."""
    while 2 * hole + 1 < size:
        child = 2 * hole + 1
        below = heap[child]
        if child + 1 < size:
            right = heap[child + 1]
            if key[right] < key[below] or (key[right] == key[below] and right < below):
                child += 1
                below = right
        if key[item] < key[below] or (key[item] == key[below] and item < below):
            break
        heap[hole] = below
        hole = child
    heap[hole] = item
