"""Probability that pairs of nodes are connected, from the most probable states of independent components."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twin.kernels.fallible_paths import (
    Fallible,
    Search,
    find_paths,
    find_paths_over_hub,
    forget_status,
    new_search,
    take_down,
)
from twin.kernels.heaps import heap_pop, heap_push
from twin.kernels.jit import kernel, scratch_kernel

FIRST_ROOM = 256
"""Sets that there is room for at first."""
SORT_STEPS = 8
"""Steps to put one component into its order."""


class Sets(NamedTuple):
    """Sets of states: each fixes one component of the list of its parent as down, and those before it as up.

    parent: int64[any], -1 for the set of all states.
    place: int64[any], place of that component in the list.
    probability: float64[any].
    list_first: int64[any], list of a set that was looked at: the components that its paths use, in a common array.
    list_n: int64[any], its length.
    """

    parent: npt.NDArray[np.int64]
    place: npt.NDArray[np.int64]
    probability: npt.NDArray[np.float64]
    list_first: npt.NDArray[np.int64]
    list_n: npt.NDArray[np.int64]


@kernel
def with_room(sets: Sets) -> Sets:
    """Return sets of states with twice the room."""
    return Sets(
        np.append(sets.parent, np.full_like(sets.parent, -1)),
        np.append(sets.place, np.full_like(sets.place, -1)),
        np.append(sets.probability, np.ones_like(sets.probability)),
        np.append(sets.list_first, np.zeros_like(sets.list_first)),
        np.append(sets.list_n, np.zeros_like(sets.list_n)),
    )


@scratch_kernel
def fix_status(net: Fallible, search: Search, sets: Sets, lists: npt.NDArray[np.int64], of: np.int64) -> None:
    """Set the status of all components in a set of states.

    Args:
        net: the network.
        search: what is about components is overwritten.
        sets: sets of states.
        lists: the common array of their lists.
        of: the set.
    """
    forget_status(net, search)
    search.n_steps[0] += search.status.size // 8
    while sets.parent[of] >= 0:
        begin = sets.list_first[sets.parent[of]]
        for i in range(begin, begin + sets.place[of]):
            search.status[lists[i]] = 1
        take_down(net, search, lists[begin + sets.place[of]])
        search.n_steps[0] += sets.place[of] + 1
        of = sets.parent[of]


@kernel
def with_siblings(sets: Sets, lists: npt.NDArray[np.int64], of: np.int64, down: npt.NDArray[np.float64]) -> float:
    """Return the probability of a set and of all that come after it in the list of its parent.

    Args:
        sets: sets of states.
        lists: the common array of their lists.
        of: the set; not that of all states.
        down: float64[n_components], probability that a component is down.
    """
    above = sets.parent[of]
    begin = sets.list_first[above]
    chance, total = sets.probability[of] / down[lists[begin + sets.place[of]]], 0.0
    for i in range(begin + sets.place[of], begin + sets.list_n[above]):
        total += chance * down[lists[i]]
        chance *= 1.0 - down[lists[i]]
    return total


@kernel
def connected_states(
    net: Fallible,
    pair_first: npt.NDArray[np.int64],
    source: npt.NDArray[np.int64],
    target: npt.NDArray[np.int64],
    any_pair: bool,
    hubs: npt.NDArray[np.int64],
    rest_below: float,
    max_states: int,
    max_steps: int,
    out: npt.NDArray[np.float64],
) -> int:
    """Split all states into sets in which the pairs are connected, or not, the most probable sets first.

    A set fixes some components as up and some as down. If the pairs have paths with all other components up, then they
    have these paths while the components of the paths are up. What is left is split by the first of these components
    that is down. If they have none, then they have none in the whole set.

    Args:
        net: the network.
        pair_first: int64[n_sources + 1], the targets of source s are target[pair_first[s]:pair_first[s + 1]].
        source: int64[n_sources], nodes.
        target: int64[n_pairs], nodes, each another one than its source.
        any_pair: True = one pair with a path suffices; False = all pairs need one.
        hubs: nodes that forward, over which all of many pairs are connected with one search; none for few pairs.
        rest_below: the search ends when sets not looked at are less probable than this, together; below 1.
        max_states: sets after which it ends; at least 1.
        max_steps: steps after which it ends, as `Search.n_steps` counts them; at least 1.
        out: float64[3], overwritten: probabilities that the pairs are not connected, and of the sets not looked at; and
            the number of steps.

    Returns:
        Number of sets.

    Source:
        Dotson and Gobien, A new analysis technique for probabilistic graphs, IEEE Trans. Circuits Syst. 26 (1979).
    """
    n_parts, size = net.down.size, min(2 * max_states + 2, FIRST_ROOM)
    search = new_search(net)
    number = np.full(size, -1, np.int64)
    sets = Sets(number, number.copy(), np.ones(size), np.zeros(size, np.int64), np.zeros(size, np.int64))
    lists, n_lists = np.empty(n_parts, np.int64), 0
    sort_key, sort_part = np.empty(n_parts), np.empty(n_parts, np.uint32)
    heap_key, heap_set = np.empty(size), np.empty(size, np.uint32)
    n_heap = heap_push(heap_key, heap_set, 0, -1.0, 0)
    n_sets, n_states, down, rest = 1, 0, 0.0, 1.0
    while n_heap > 0 and n_states < max_states and rest > rest_below and search.n_steps[0] < max_steps:
        if n_sets + 2 > sets.parent.size:
            sets = with_room(sets)
            heap_key, heap_set = np.append(heap_key, np.empty_like(heap_key)), np.append(heap_set, heap_set)
        current = np.int64(heap_set[0])
        n_heap = heap_pop(heap_key, heap_set, n_heap)
        n_states += 1
        mass, above, place = sets.probability[current], sets.parent[current], sets.place[current]
        rest -= mass
        if above >= 0 and place + 1 < sets.list_n[above]:
            part, after = lists[sets.list_first[above] + place], lists[sets.list_first[above] + place + 1]
            chance = mass / net.down[part] * (1.0 - net.down[part]) * net.down[after]
            sets.parent[n_sets], sets.place[n_sets], sets.probability[n_sets] = above, place + 1, chance
            n_heap = heap_push(heap_key, heap_set, n_heap, -chance, n_sets)
            n_sets += 1
        fix_status(net, search, sets, lists, current)
        if hubs.size and not any_pair:
            n_used = find_paths_over_hub(net, search, pair_first, source, target, hubs)
        else:
            n_used = find_paths(net, search, pair_first, source, target, any_pair)
        if n_used < 0:
            down += mass
            continue
        if n_lists + n_used > lists.size:
            longer = np.empty(2 * lists.size + n_used, np.int64)
            longer[:n_lists] = lists[:n_lists]
            lists = longer
        sets.list_first[current], sets.list_n[current] = n_lists, n_used
        # the least reliable component first, so that no sibling is more probable than the one before
        n_sort, search.n_steps[0] = 0, search.n_steps[0] + SORT_STEPS * n_used
        for i in range(n_used):
            n_sort = heap_push(sort_key, sort_part, n_sort, -net.down[search.used[i]], search.used[i])
        chance = mass
        while n_sort > 0:
            lists[n_lists] = sort_part[0]
            n_sort = heap_pop(sort_key, sort_part, n_sort)
            rest += chance * net.down[lists[n_lists]]
            chance *= 1.0 - net.down[lists[n_lists]]
            n_lists += 1
        if n_used > 0:
            chance = mass * net.down[lists[sets.list_first[current]]]
            sets.parent[n_sets], sets.place[n_sets], sets.probability[n_sets] = current, 0, chance
            n_heap = heap_push(heap_key, heap_set, n_heap, -chance, n_sets)
            n_sets += 1
    rest = 0.0
    for i in range(n_heap):
        rest += with_siblings(sets, lists, np.int64(heap_set[i]), net.down)
    out[0], out[1], out[2] = down, rest, search.n_steps[0]
    return n_states
