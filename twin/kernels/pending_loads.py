"""Loads that change in a failure, kept as one number for each node until something needs them by arc.

Most nodes whose loads change in a failure send a little more over all their arcs, far below the greatest load that any
failure caused before. One comparison for a node then replaces those of its arcs.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twin.kernels.graph import Groups
from twin.kernels.jit import inner_kernel


class Responses(NamedTuple):
    """Changes of the loads of consecutive arcs by one more unit. The first ones are the fractions of the groups.

    n: int64[1], number in use.
    first: int64[room + 1], response r consists of value[first[r]:first[r + 1]].
    value: float64[any].
    least: float64[room], the least value of each.
    greatest: float64[room], the greatest.
    """

    n: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    least: npt.NDArray[np.float64]
    greatest: npt.NDArray[np.float64]


class PendingLoads(NamedTuple):
    """Nodes whose loads changed in a failure: by arc in `load` if they are touched, else by pending responses.

    A node has at most two, which change no arc in common: at 2 * node, then at 2 * node + 1.

    load: float64[n_arcs], without what is pending.
    n_pending: int64[1].
    pending: uint32[n_nodes], nodes that have or had a pending response.
    response: int64[2 * n_nodes], -1 for none.
    arc: int64[2 * n_nodes], the first arc of the pending response.
    amount: float64[2 * n_nodes], its factor.
    n_touched: int64[1].
    touched: uint32[n_nodes].
    is_touched: bool[n_nodes].
    """

    load: npt.NDArray[np.float64]
    n_pending: npt.NDArray[np.int64]
    pending: npt.NDArray[np.uint32]
    response: npt.NDArray[np.int64]
    arc: npt.NDArray[np.int64]
    amount: npt.NDArray[np.float64]
    n_touched: npt.NDArray[np.int64]
    touched: npt.NDArray[np.uint32]
    is_touched: npt.NDArray[np.bool_]


@inner_kernel
def touch(loads: PendingLoads, responses: Responses, node: int) -> None:
    """Let changes at a node stand in the loads of its arcs."""
    if not loads.is_touched[node]:
        loads.is_touched[node] = True
        loads.touched[loads.n_touched[0]] = node
        loads.n_touched[0] += 1
        for slot in range(2 * np.int64(node), 2 * np.int64(node) + 2):
            if loads.response[slot] >= 0:
                _add(loads, responses, loads.response[slot], loads.arc[slot], loads.amount[slot])


@inner_kernel
def change_loads(loads: PendingLoads, responses: Responses, node: int, response: int, arc: int, amount: float) -> None:
    """Change the loads of consecutive arcs of a node, `arc` the first, or let the change wait."""
    if not loads.is_touched[node]:
        slot = 2 * np.int64(node)
        if loads.response[slot] < 0:
            loads.response[slot], loads.arc[slot], loads.amount[slot] = response, arc, amount
            loads.pending[loads.n_pending[0]] = node
            loads.n_pending[0] += 1
            return
        for known in range(slot, slot + 2):
            if loads.response[known] == response and loads.arc[known] == arc:
                loads.amount[known] += amount
                return
        first = loads.arc[slot]
        if loads.response[slot + 1] < 0 and (
            first >= np.int64(arc) + _size(responses, response) or arc >= first + _size(responses, loads.response[slot])
        ):
            loads.response[slot + 1], loads.arc[slot + 1], loads.amount[slot + 1] = response, arc, amount
            return
        touch(loads, responses, node)
    _add(loads, responses, response, arc, amount)


@inner_kernel
def _size(responses: Responses, response: int) -> int:
    return int(responses.first[response + 1] - responses.first[response])


@inner_kernel
def change_group(
    loads: PendingLoads, responses: Responses, groups: Groups, node: int, group: int, response: int, amount: float
) -> None:
    """Change the loads of the arcs of a node's group."""
    start = groups.first[group]
    if groups.in_a_row[group] and not loads.is_touched[node]:
        change_loads(loads, responses, node, response, int(groups.arc[start]), amount)
    else:
        touch(loads, responses, node)
        value = responses.first[response]
        for i in range(start, groups.first[group + 1]):
            loads.load[groups.arc[i]] += amount * responses.value[value + i - start]


@inner_kernel
def _add(loads: PendingLoads, responses: Responses, response: int, arc: int, amount: float) -> None:
    start = responses.first[response]
    n = responses.first[response + 1] - start
    changed, values = loads.load[arc : arc + n], responses.value[start : start + n]
    for i in range(n):
        changed[i] += amount * values[i]


@inner_kernel
def close_response(responses: Responses, n_values: int) -> int:
    """Keep the values that were written behind the last response as one more; returns its number."""
    response = int(responses.n[0])
    start = responses.first[response]
    responses.first[response + 1] = start + n_values
    least, greatest = 0.0, 0.0
    for i in range(start, start + n_values):
        least, greatest = min(least, responses.value[i]), max(greatest, responses.value[i])
    responses.least[response], responses.greatest[response] = least, greatest
    responses.n[0] += 1
    return response


@inner_kernel
def make_room(loads: PendingLoads, responses: Responses, n_first: int, n_more: int, n_more_values: int) -> None:
    """Forget all but the first responses if there is too little room for more; nothing is pending then."""
    n = responses.n[0]
    if n + n_more < responses.least.size and responses.first[n] + n_more_values <= responses.value.size:
        return
    for i in range(loads.n_pending[0]):
        touch(loads, responses, loads.pending[i])
    responses.n[0] = n_first
