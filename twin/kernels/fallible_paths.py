"""Paths over what has not failed, and the components that they use."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twin.kernels.jit import kernel, scratch_kernel


class Fallible(NamedTuple):
    """Links that carry traffic, and the components that take links and nodes down.

    first: int64[n_nodes + 1], the links at node v are link[first[v]:first[v + 1]], and lead to head[...].
    tail: int32[any], node at which each entry of `link` is listed.
    forwards: bool[n_nodes], whether a node carries traffic of others.
    part_first: int64[n_links + 1], the components of link l are part[part_first[l]:part_first[l + 1]].
    of_node: int64[n_nodes], component of a node, -1 for a node that never fails.
    down: float64[n_components], probability that nothing is left of a component.
    takes_first: int64[n_components + 1], component c takes down takes[takes_first[c]:takes_first[c + 1]].
    takes: int64[any], entries of `link`: both of a link, and for a component of a node those that lead to it.
    """

    first: npt.NDArray[np.int64]
    link: npt.NDArray[np.int64]
    head: npt.NDArray[np.int32]
    tail: npt.NDArray[np.int32]
    forwards: npt.NDArray[np.bool_]
    part_first: npt.NDArray[np.int64]
    part: npt.NDArray[np.int64]
    of_node: npt.NDArray[np.int64]
    down: npt.NDArray[np.float64]
    takes_first: npt.NDArray[np.int64]
    takes: npt.NDArray[np.int64]


class Search(NamedTuple):
    """Arrays that a search overwrites.

    status: int8[n_components], 0 = either, 1 = up, 2 = down, 3 = used by a path and either before.
    down: int64[n_components], the components with status 2.
    n_down: int64[1], their number.
    is_down: bool[any], entries of `Fallible.link` that these take down.
    is_target: bool[n_nodes], all false between searches.
    came_by: int32[n_nodes], entry of `Fallible.link` by which a node was reached, from its other end; -1 for nodes not
        reached, -2 for the source.
    n_hops: int32[n_nodes], links of the path to each node that was reached.
    is_marked: bool[n_nodes], nodes that were reached and whose path is marked.
    queue: int32[n_nodes], nodes in the order of the search.
    used: int64[n_components], components that paths use.
    n_steps: int64[1], added to: links and components that were looked at if each path were marked from end to end, a
        memory that is filled counting an eighth. Bounds of the work are in these steps, so that no answer depends on
        what marking leaves out.
    """

    status: npt.NDArray[np.int8]
    down: npt.NDArray[np.int64]
    n_down: npt.NDArray[np.int64]
    is_down: npt.NDArray[np.bool_]
    is_target: npt.NDArray[np.bool_]
    came_by: npt.NDArray[np.int32]
    n_hops: npt.NDArray[np.int32]
    is_marked: npt.NDArray[np.bool_]
    queue: npt.NDArray[np.int32]
    used: npt.NDArray[np.int64]
    n_steps: npt.NDArray[np.int64]


@kernel
def new_search(net: Fallible) -> Search:
    """Return the arrays of a search in which all components are either."""
    n_nodes, n_parts = net.first.size - 1, net.down.size
    return Search(
        np.zeros(n_parts, np.int8),
        np.empty(n_parts, np.int64),
        np.zeros(1, np.int64),
        np.zeros(net.link.size, np.bool_),
        np.zeros(n_nodes, np.bool_),
        np.empty(n_nodes, np.int32),
        np.empty(n_nodes, np.int32),
        np.empty(n_nodes, np.bool_),
        np.empty(n_nodes, np.int32),
        np.empty(n_parts, np.int64),
        np.zeros(1, np.int64),
    )


@scratch_kernel
def take_down(net: Fallible, search: Search, part: int) -> None:
    """Set a component down."""
    search.status[part] = 2
    search.down[search.n_down[0]] = part
    search.n_down[0] += 1
    for i in range(net.takes_first[part], net.takes_first[part + 1]):
        search.is_down[net.takes[i]] = True


@scratch_kernel
def forget_status(net: Fallible, search: Search) -> None:
    """Let all components be either."""
    search.status[:] = 0
    for k in range(search.n_down[0]):
        part = search.down[k]
        for i in range(net.takes_first[part], net.takes_first[part + 1]):
            search.is_down[net.takes[i]] = False
    search.n_down[0] = 0


@scratch_kernel
def find_path(net: Fallible, search: Search, source: int, n_wanted: int) -> int:
    """Search breadth first over what is not down, until enough targets are found.

    Args:
        net: the network.
        search: `status`, `is_down` and `is_target` are read; all about nodes is overwritten.
        source: node.
        n_wanted: targets after which the search ends.

    Returns:
        Number of targets found.
    """
    came_by, n_hops, queue, is_down, is_target = (
        search.came_by, search.n_hops, search.queue, search.is_down, search.is_target,
    )  # fmt: skip
    came_by[:] = -1
    search.is_marked[:] = False
    search.n_steps[0] += came_by.size // 8
    if net.of_node[source] >= 0 and search.status[net.of_node[source]] == 2:
        return 0
    came_by[source], n_hops[source] = -2, 0
    queue[0] = source
    begin, end, n_found = 0, 1, 0
    while begin < end:
        node = queue[begin]
        begin += 1
        if node != source and not net.forwards[node]:
            continue
        search.n_steps[0] += net.first[node + 1] - net.first[node]
        for i in range(net.first[node], net.first[node + 1]):
            head = net.head[i]
            if came_by[head] != -1 or is_down[i]:
                continue
            came_by[head], n_hops[head] = i, n_hops[node] + 1
            queue[end] = head
            end += 1
            if is_target[head]:
                n_found += 1
                if n_found == n_wanted:
                    return n_found
    return n_found


@scratch_kernel
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
    search.n_steps[0] += 2 * (search.n_hops[node] + 1)
    while not search.is_marked[node]:
        search.is_marked[node] = True
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
        node = net.tail[i]
    return n_used


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
