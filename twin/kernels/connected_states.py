"""Probability that pairs of nodes are connected, from the most probable states of independent components."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twin.kernels.heaps import heap_pop, heap_push
from twin.kernels.jit import kernel


class Fallible(NamedTuple):
    """Links that carry traffic, and the components that take links and nodes down.

    first: int64[n_nodes + 1], the links at node v are link[first[v]:first[v + 1]], and lead to head[...].
    forwards: bool[n_nodes], whether a node carries traffic of others.
    part_first: int64[n_links + 1], the components of link l are part[part_first[l]:part_first[l + 1]].
    of_node: int64[n_nodes], component of a node, -1 for a node that never fails.
    down: float64[n_components], probability that nothing is left of a component.
    """

    first: npt.NDArray[np.int64]
    link: npt.NDArray[np.int64]
    head: npt.NDArray[np.int64]
    forwards: npt.NDArray[np.bool_]
    part_first: npt.NDArray[np.int64]
    part: npt.NDArray[np.int64]
    of_node: npt.NDArray[np.int64]
    down: npt.NDArray[np.float64]


FREE, UP, DOWN, USED = 0, 1, 2, 3


@kernel
def find_path(
    net: Fallible,
    status: npt.NDArray[np.int64],
    source: int,
    is_target: npt.NDArray[np.bool_],
    n_wanted: int,
    came_by: npt.NDArray[np.int64],
    queue: npt.NDArray[np.int64],
) -> int:
    """Search breadth first over what is not down, until enough targets are found.

    Args:
        net: the network.
        status: int64[n_components], 2 = down.
        source: node.
        is_target: bool[n_nodes].
        n_wanted: targets after which the search ends.
        came_by: int64[n_nodes], overwritten: entry of `net.link` by which a node was reached, from its other end;
            -1 for nodes not reached, -2 for the source.
        queue: int64[n_nodes], overwritten with the nodes in the order of the search.

    Returns:
        Number of targets found.
    """
    came_by[:] = -1
    if net.of_node[source] >= 0 and status[net.of_node[source]] == 2:
        return 0
    came_by[source] = -2
    queue[0] = source
    begin, end, n_found = 0, 1, 0
    while begin < end:
        node = queue[begin]
        begin += 1
        if node != source and not net.forwards[node]:
            continue
        for i in range(net.first[node], net.first[node + 1]):
            head = net.head[i]
            if came_by[head] != -1 or (net.of_node[head] >= 0 and status[net.of_node[head]] == 2):
                continue
            is_up = True
            for j in range(net.part_first[net.link[i]], net.part_first[net.link[i] + 1]):
                if status[net.part[j]] == 2:
                    is_up = False
            if not is_up:
                continue
            came_by[head] = i
            queue[end] = head
            end += 1
            if is_target[head]:
                n_found += 1
                if n_found == n_wanted:
                    return n_found
    return n_found


@kernel
def mark_path(
    net: Fallible,
    status: npt.NDArray[np.int64],
    tail: npt.NDArray[np.int64],
    came_by: npt.NDArray[np.int64],
    node: int,
    used: npt.NDArray[np.int64],
    n_used: int,
) -> int:
    """Add the free components of the path to a node to a list, and mark them with status 3.

    Args:
        net: the network.
        status: int64[n_components].
        tail: int64[any], the node at which each entry of `net.link` is listed.
        came_by: as found by `find_path`.
        node: end of the path.
        used: int64[n_components], the list.
        n_used: its length.

    Returns:
        The new length.
    """
    while True:
        part = net.of_node[node]
        if part >= 0 and status[part] == 0 and net.down[part] > 0.0:
            status[part] = 3
            used[n_used] = part
            n_used += 1
        i = came_by[node]
        if i < 0:
            return n_used
        for j in range(net.part_first[net.link[i]], net.part_first[net.link[i] + 1]):
            part = net.part[j]
            if status[part] == 0 and net.down[part] > 0.0:
                status[part] = 3
                used[n_used] = part
                n_used += 1
        node = tail[i]


@kernel
def connected_states(
    net: Fallible,
    pair_first: npt.NDArray[np.int64],
    source: npt.NDArray[np.int64],
    target: npt.NDArray[np.int64],
    any_pair: bool,
    rest_below: float,
    max_states: int,
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
        rest_below: the search ends when sets not looked at are less probable than this, together.
        max_states: sets after which it ends.
        out: float64[2], overwritten: probabilities that the pairs are not connected, and of the sets not looked at.

    Returns:
        Number of sets.

    Source:
        Dotson and Gobien, A new analysis technique for probabilistic graphs, IEEE Trans. Circuits Syst. 26 (1979).
    """
    n_nodes = net.first.size - 1
    tail = np.empty(net.link.size, np.int64)
    for node in range(n_nodes):
        tail[net.first[node] : net.first[node + 1]] = node
    status = np.zeros(net.down.size, np.int64)
    used = np.empty(net.down.size, np.int64)
    sort_key = np.empty(net.down.size)
    sort_node = np.empty(net.down.size, np.uint32)
    is_target = np.zeros(n_nodes, np.bool_)
    came_by = np.empty(n_nodes, np.int64)
    queue = np.empty(n_nodes, np.int64)
    size = 2 * max_states + 4
    parent = np.full(size, -1, np.int64)
    place = np.full(size, -1, np.int64)
    probability = np.zeros(size)
    pool_first = np.zeros(size + 1, np.int64)
    pool_n = np.zeros(size, np.int64)
    pool = np.empty(1024, np.int64)
    n_pool = 0
    heap_key = np.empty(size)
    heap_node = np.empty(size, np.uint32)
    n_heap = heap_push(heap_key, heap_node, 0, -1.0, 0)
    probability[0] = 1.0
    n_sets, n_states = 1, 0
    down, rest = 0.0, 1.0
    while n_heap > 0 and n_states < max_states and rest > rest_below:
        current = np.int64(heap_node[0])
        n_heap = heap_pop(heap_key, heap_node, n_heap)
        n_states += 1
        mass = probability[current]
        rest -= mass
        # its next sibling: the component of this set is up, the next one of the parent's list is down
        above = parent[current]
        if above >= 0 and place[current] + 1 < pool_n[above]:
            i = pool_first[above] + place[current]
            chance = mass / net.down[pool[i]] * (1.0 - net.down[pool[i]]) * net.down[pool[i + 1]]
            parent[n_sets], place[n_sets], probability[n_sets] = above, place[current] + 1, chance
            n_heap = heap_push(heap_key, heap_node, n_heap, -chance, n_sets)
            n_sets += 1
        status[:] = 0
        walk = current
        while parent[walk] >= 0:
            begin = pool_first[parent[walk]]
            for i in range(begin, begin + place[walk]):
                status[pool[i]] = 1
            status[pool[begin + place[walk]]] = 2
            walk = parent[walk]
        n_used, is_connected = 0, not any_pair
        for s in range(source.size):
            n_wanted = 1 if any_pair else pair_first[s + 1] - pair_first[s]
            for i in range(pair_first[s], pair_first[s + 1]):
                is_target[target[i]] = True
            n_found = find_path(net, status, source[s], is_target, n_wanted, came_by, queue)
            for i in range(pair_first[s], pair_first[s + 1]):
                is_target[target[i]] = False
            if any_pair and n_found == 1:
                is_connected = True
            if not any_pair and n_found < n_wanted:
                is_connected = False
                break
            for i in range(pair_first[s], pair_first[s + 1]):
                if came_by[target[i]] >= 0:
                    n_used = mark_path(net, status, tail, came_by, target[i], used, n_used)
            if any_pair and is_connected:
                break
        if not is_connected:
            down += mass
            continue
        while n_pool + n_used > pool.size:
            longer = np.empty(2 * pool.size, np.int64)
            longer[:n_pool] = pool[:n_pool]
            pool = longer
        # the most probable sibling first, so that each one is looked at after the one before
        n_sort = 0
        for i in range(n_used):
            n_sort = heap_push(sort_key, sort_node, n_sort, -net.down[used[i]], used[i])
        pool_first[current], pool_n[current] = n_pool, n_used
        chance = mass
        for i in range(n_used):
            part = np.int64(sort_node[0])
            n_sort = heap_pop(sort_key, sort_node, n_sort)
            pool[n_pool + i] = part
            rest += chance * net.down[part]
            chance *= 1.0 - net.down[part]
        n_pool += n_used
        if n_used > 0:
            chance = mass * net.down[pool[n_pool - n_used]]
            parent[n_sets], place[n_sets], probability[n_sets] = current, 0, chance
            n_heap = heap_push(heap_key, heap_node, n_heap, -chance, n_sets)
            n_sets += 1
    rest = 0.0
    for h in range(n_heap):
        current = np.int64(heap_node[h])
        above = parent[current]
        if above < 0:
            rest += probability[current]
            continue
        chance = probability[current] / net.down[pool[pool_first[above] + place[current]]]
        for i in range(pool_first[above] + place[current], pool_first[above] + pool_n[above]):
            rest += chance * net.down[pool[i]]
            chance *= 1.0 - net.down[pool[i]]
    out[0], out[1] = down, rest
    return n_states
