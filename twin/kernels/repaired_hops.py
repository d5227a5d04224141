"""Hops to a node after links fail, from those before: only nodes that lose all their next hops are searched again."""

import numpy as np
import numpy.typing as npt

from twin.kernels.graph import ArcGraph
from twin.kernels.jit import kernel


@kernel
def repair_hops(
    graph: ArcGraph,
    link_up: npt.NDArray[np.bool_],
    failed: npt.NDArray[np.int64],
    target: int,
    queue: npt.NDArray[np.int64],
    farther: npt.NDArray[np.int64],
    hops: npt.NDArray[np.float64],
) -> int:
    """Correct the hops of `shortest_hops` for links that failed.

    A node whose next hops are all gone is farther, and so may be the nodes that it was a next hop of. Their hops are
    then lowered from infinite, as often as a neighbour offers fewer.

    Args:
        graph: arcs of the network, by node that they leave.
        link_up: bool[n_links], after the failure.
        failed: int64[any], links that were up before.
        target: node.
        queue: int64[room], scratch.
        farther: int64[room], scratch.
        hops: float64[n_nodes], hops to the target before, and corrected on return; infinite without a path.

    Returns:
        The number of nodes that are farther; -1 where there is no room for them: search anew, `hops` is not usable.
    """
    n_queued = 0
    for link in failed:
        for arc in (2 * link, 2 * link + 1):
            if n_queued == queue.size:
                return -1
            queue[n_queued] = graph.head[arc]
            n_queued += 1
    n_farther, n_done = 0, 0
    while n_done < n_queued:
        node = queue[n_done]
        n_done += 1
        if node == target or hops[node] == np.inf or _least(graph, link_up, target, hops, node) == hops[node]:
            continue
        if n_farther == farther.size:
            return -1
        before = hops[node]
        farther[n_farther], hops[node] = node, np.inf
        n_farther += 1
        for k in range(graph.first[node], graph.first[node + 1]):
            other = graph.head[graph.arc[k]]
            if graph.forwards[node] and link_up[graph.arc[k] >> 1] and hops[other] == before + 1.0:
                if n_queued == queue.size:
                    return -1
                queue[n_queued] = other
                n_queued += 1
    changed = n_farther > 0
    while changed:
        changed = False
        for i in range(n_farther):
            least = _least(graph, link_up, target, hops, farther[i])
            if least < hops[farther[i]]:
                hops[farther[i]], changed = least, True
    return n_farther


@kernel
def _least(
    graph: ArcGraph,
    link_up: npt.NDArray[np.bool_],
    target: int,
    hops: npt.NDArray[np.float64],
    node: int,
) -> float:
    """Least hops that the neighbours of a node offer; a neighbour passes traffic on if it forwards or is the target."""
    least = np.inf
    for k in range(graph.first[node], graph.first[node + 1]):
        other = graph.head[graph.arc[k]]
        if link_up[graph.arc[k] >> 1] and (graph.forwards[other] or other == target):
            least = min(least, hops[other] + 1.0)
    return least
