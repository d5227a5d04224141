"""Paths over what has not failed, and the components that they use."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

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


class Search(NamedTuple):
    """Arrays that a search overwrites.

    status: int64[n_components], 0 = either, 1 = up, 2 = down, 3 = used by a path and either before.
    is_target: bool[n_nodes], all false between searches.
    came_by: int64[n_nodes], entry of `Fallible.link` by which a node was reached, from its other end; -1 for nodes not
        reached, -2 for the source.
    queue: int64[n_nodes], nodes in the order of the search.
    tail: int64[any], node at which each entry of `Fallible.link` is listed; not overwritten.
    used: int64[n_components], components that paths use.
    n_steps: int64[1], added to: links and components that were looked at, a memory that is filled counting an eighth.
    """

    status: npt.NDArray[np.int64]
    is_target: npt.NDArray[np.bool_]
    came_by: npt.NDArray[np.int64]
    queue: npt.NDArray[np.int64]
    tail: npt.NDArray[np.int64]
    used: npt.NDArray[np.int64]
    n_steps: npt.NDArray[np.int64]


@kernel
def find_path(net: Fallible, search: Search, source: int, n_wanted: int) -> int:
    """Search breadth first over what is not down, until enough targets are found.

    Args:
        net: the network.
        search: `status` and `is_target` are read; `came_by` and `queue` are overwritten.
        source: node.
        n_wanted: targets after which the search ends.

    Returns:
        Number of targets found.
    """
    status, came_by = search.status, search.came_by
    came_by[:] = -1
    search.n_steps[0] += came_by.size // 8
    if net.of_node[source] >= 0 and status[net.of_node[source]] == 2:
        return 0
    came_by[source] = -2
    search.queue[0] = source
    begin, end, n_found = 0, 1, 0
    while begin < end:
        node = search.queue[begin]
        begin += 1
        if node != source and not net.forwards[node]:
            continue
        search.n_steps[0] += net.first[node + 1] - net.first[node]
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
            search.queue[end] = head
            end += 1
            if search.is_target[head]:
                n_found += 1
                if n_found == n_wanted:
                    return n_found
    return n_found


@kernel
def mark_path(net: Fallible, search: Search, node: int, n_used: int) -> int:
    """Add the components of the path to a node that may be down to `used`, and mark them with status 3.

    Args:
        net: the network.
        search: after `find_path`.
        node: end of the path.
        n_used: components used so far.

    Returns:
        Components used then.
    """
    status, used = search.status, search.used
    while True:
        search.n_steps[0] += 2
        part = net.of_node[node]
        if part >= 0 and status[part] == 0 and net.down[part] > 0.0:
            status[part] = 3
            used[n_used] = part
            n_used += 1
        i = search.came_by[node]
        if i < 0:
            return n_used
        for j in range(net.part_first[net.link[i]], net.part_first[net.link[i] + 1]):
            part = net.part[j]
            if status[part] == 0 and net.down[part] > 0.0:
                status[part] = 3
                used[n_used] = part
                n_used += 1
        node = search.tail[i]


@kernel
def find_paths(
    net: Fallible,
    search: Search,
    pair_first: npt.NDArray[np.int64],
    source: npt.NDArray[np.int64],
    target: npt.NDArray[np.int64],
    any_pair: bool,
) -> int:
    """Find a path of one pair or of each pair.

    Args:
        net: the network.
        search: `status` says what is down.
        pair_first: as in `connected_states`, like the others.
        source: nodes.
        target: nodes.
        any_pair: whether one pair suffices.

    Returns:
        Number of components that the paths use and that may be down; -1 if the pairs are not connected.
    """
    n_used = 0
    for s in range(source.size):
        targets = target[pair_first[s] : pair_first[s + 1]]
        n_wanted = 1 if any_pair else targets.size
        search.is_target[targets] = True
        n_found = find_path(net, search, source[s], n_wanted)
        search.is_target[targets] = False
        if n_found == n_wanted:
            for node in targets:
                if search.came_by[node] >= 0:
                    n_used = mark_path(net, search, node, n_used)
            if any_pair:
                return n_used
        elif not any_pair:
            return -1
    return -1 if any_pair else n_used


@kernel
def find_paths_over_hub(
    net: Fallible,
    search: Search,
    pair_first: npt.NDArray[np.int64],
    source: npt.NDArray[np.int64],
    target: npt.NDArray[np.int64],
    hubs: npt.NDArray[np.int64],
) -> int:
    """Find a path of each pair: over the first hub that is up, or else by a search of its own.

    Ends that reach one node that forwards reach each other.

    Args:
        net: the network.
        search: `status` says what is down.
        pair_first: as in `connected_states`, like the others.
        source: nodes.
        target: nodes.
        hubs: nodes that forward.

    Returns:
        Number of components that the paths use and that may be down; -1 if a pair is not connected.
    """
    is_reached = np.zeros(search.is_target.size, np.bool_)
    search.n_steps[0] += 4 * target.size
    n_used = 0
    for hub in hubs:
        part = net.of_node[hub]
        if part >= 0 and search.status[part] == 2:
            continue
        n_wanted = 0
        for nodes in (source, target):
            for node in nodes:
                n_wanted += node != hub and not search.is_target[node]
                search.is_target[node] = node != hub
        find_path(net, search, hub, n_wanted)
        search.is_target[source] = False
        search.is_target[target] = False
        is_reached[:] = search.came_by != -1
        for s in range(source.size):
            for node in target[pair_first[s] : pair_first[s + 1]]:
                if is_reached[source[s]] and is_reached[node]:
                    n_used = mark_path(net, search, source[s], n_used)
                    n_used = mark_path(net, search, node, n_used)
        break
    for s in range(source.size):
        for node in target[pair_first[s] : pair_first[s + 1]]:
            if is_reached[source[s]] and is_reached[node]:
                continue
            begin, end = (node, source[s]) if is_reached[source[s]] else (source[s], node)
            search.is_target[end] = True
            n_found = find_path(net, search, begin, 1)
            search.is_target[end] = False
            if n_found == 0:
                return -1
            n_used = mark_path(net, search, end, n_used)
    return n_used
