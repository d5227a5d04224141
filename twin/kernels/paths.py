"""Shortest paths over the links that are up, one row of results per source."""

import numpy as np
import numpy.typing as npt

from twin.kernels.graph import ArcGraph
from twin.kernels.jit import kernel


@kernel
def shortest_distances(
    graph: ArcGraph,
    arc_weight: npt.NDArray[np.float64],
    link_up: npt.NDArray[np.bool_],
    targets: npt.NDArray[np.int64],
    out_distance: npt.NDArray[np.float64],
) -> None:
    """Compute the distance from each node to each target over links that are up; infinite without a path.

    A path passes through nodes that forward; its first node may be any.

    Args:
        graph: arcs of the network, by node that they leave.
        arc_weight: float64[2 * n_links], > 0, any unit (that of the answer).
        link_up: bool[n_links].
        targets: int64[n_targets], nodes.
        out_distance: float64[n_targets, n_nodes], overwritten.

    Source:
        Dijkstra (1959) with an indexed binary heap; nodes at the same distance leave it in order of index.
    """
    n_nodes = graph.first.size - 1
    arc_head = np.empty(graph.arc.size, np.int64)  # in the order of the walk: a node's arcs lie side by side
    weight_back = np.empty(graph.arc.size)  # the walk starts at the target, so traffic takes the opposite arc
    for k in range(graph.arc.size):
        arc_head[k] = graph.head[graph.arc[k]]
        arc = graph.arc[k]
        weight_back[k] = arc_weight[arc ^ 1] if link_up[arc >> 1] else np.inf
    heap = np.empty(n_nodes, np.int64)
    heap_key = np.empty(n_nodes)
    place = np.empty(n_nodes, np.int64)  # where a node stands in the heap; -1 = never reached
    for row in range(targets.size):
        distance = out_distance[row]
        distance[:] = np.inf
        place[:] = -1
        distance[targets[row]] = 0.0
        _sift_up(heap, heap_key, place, 0, targets[row], 0.0)
        n_waiting = 1
        while n_waiting > 0:
            node = heap[0]
            n_waiting -= 1
            if n_waiting > 0:
                _sift_down(heap, heap_key, place, n_waiting)
            if not graph.forwards[node] and node != targets[row]:
                continue
            for k in range(graph.first[node], graph.first[node + 1]):
                other = arc_head[k]
                reached = distance[node] + weight_back[k]
                if reached < distance[other]:
                    distance[other] = reached
                    hole = place[other]
                    if hole < 0:
                        hole = n_waiting
                        n_waiting += 1
                    _sift_up(heap, heap_key, place, hole, other, reached)


@kernel
def shortest_hops(
    graph: ArcGraph,
    link_up: npt.NDArray[np.bool_],
    sources: npt.NDArray[np.int64],
    out_hops: npt.NDArray[np.float64],
) -> None:
    """Compute the number of links from each source to each node over links that are up; infinite without a path.

    Equals `shortest_distances` with every weight at one; a float so that either may feed the ECMP kernels.

    Args:
        graph: arcs of the network, by node that they leave.
        link_up: bool[n_links].
        sources: int64[n_sources], nodes.
        out_hops: float64[n_sources, n_nodes], overwritten.

    Source:
        Breadth-first search (Moore 1959).
    """
    arc_head = np.empty(graph.arc.size, np.int64)  # in the order of the walk: a node's arcs lie side by side
    arc_up = np.empty(graph.arc.size, np.bool_)
    for k in range(graph.arc.size):
        arc_head[k] = graph.head[graph.arc[k]]
        arc_up[k] = link_up[graph.arc[k] >> 1]
    queue = np.empty(graph.first.size - 1, np.int64)
    for row in range(sources.size):
        hops = out_hops[row]
        hops[:] = np.inf
        hops[sources[row]] = 0.0
        queue[0] = sources[row]
        n_done = 0
        n_queued = 1
        while n_done < n_queued:
            node = queue[n_done]
            n_done += 1
            if not graph.forwards[node] and node != sources[row]:
                continue
            for k in range(graph.first[node], graph.first[node + 1]):
                other = arc_head[k]
                if arc_up[k] and hops[other] == np.inf:
                    hops[other] = hops[node] + 1.0
                    queue[n_queued] = other
                    n_queued += 1


@kernel
def _sift_up(
    heap: npt.NDArray[np.int64],
    heap_key: npt.NDArray[np.float64],
    place: npt.NDArray[np.int64],
    hole: int,
    node: int,
    key: float,
) -> None:
    """Place `node` at the hole or above it, in the order of (key, index)."""
    while hole > 0:
        parent = (hole - 1) >> 1
        if heap_key[parent] < key or (heap_key[parent] == key and heap[parent] < node):
            break
        heap[hole] = heap[parent]
        heap_key[hole] = heap_key[parent]
        place[heap[hole]] = hole
        hole = parent
    heap[hole] = node
    heap_key[hole] = key
    place[node] = hole


@kernel
def _sift_down(
    heap: npt.NDArray[np.int64], heap_key: npt.NDArray[np.float64], place: npt.NDArray[np.int64], size: int
) -> None:
    """Fill the free top of the heap with the node after its end, heap[size]."""
    node = heap[size]
    key = heap_key[size]
    hole = 0
    while 2 * hole + 1 < size:
        child = 2 * hole + 1
        right = child + 1
        if right < size and (
            heap_key[right] < heap_key[child] or (heap_key[right] == heap_key[child] and heap[right] < heap[child])
        ):
            child = right
        if key < heap_key[child] or (key == heap_key[child] and node < heap[child]):
            break
        heap[hole] = heap[child]
        heap_key[hole] = heap_key[child]
        place[heap[hole]] = hole
        hole = child
    heap[hole] = node
    heap_key[hole] = key
    place[node] = hole
