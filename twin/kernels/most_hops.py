"""Greatest number of hops from each of many nodes, by breadth-first searches of 64 nodes at a time."""

import numpy as np
import numpy.typing as npt

from twin.kernels.graph import ArcGraph
from twin.kernels.jit import kernel, scratch_kernel


@kernel
def most_hops(
    graph: ArcGraph,
    link_up: npt.NDArray[np.bool_],
    sources: npt.NDArray[np.int64],
    counts: npt.NDArray[np.bool_],
    out_hops: npt.NDArray[np.int64],
) -> None:
    """Compute the hops from each source to the farthest node that it reaches, over links that are up.

    A path passes through nodes that forward; its first node may be any. Bit i of a word stands for source i of 64, so
    that one step over an arc is a step of all searches whose words meet there.

    Args:
        graph: arcs of the network, by node that they leave.
        link_up: bool[n_links].
        sources: int64[n_sources], nodes.
        counts: bool[n_nodes], nodes that may be the farthest.
        out_hops: int64[n_sources], overwritten; 0 where no node that counts is reached, but for the source itself.

    Source:
        Then, M. et al. (2014), "The more the merrier: efficient multi-source graph traversal", PVLDB 8(4), 449-460.
    """
    n_nodes = graph.first.size - 1
    first, heads = np.empty(n_nodes + 1, np.int64), np.empty(graph.arc.size, np.uint32)
    n = 0
    for node in range(n_nodes):  # without links that are down, and in the order of the walk
        first[node] = n
        for k in range(graph.first[node], graph.first[node + 1]):
            if link_up[graph.arc[k] >> 1]:
                heads[n] = graph.head[graph.arc[k]]
                n += 1
    first[n_nodes] = n
    seen, new, coming = np.zeros(n_nodes, np.uint64), np.zeros(n_nodes, np.uint64), np.zeros(n_nodes, np.uint64)
    waits, touched = np.empty(n_nodes, np.uint32), np.empty(n_nodes, np.uint32)
    for start in range(0, sources.size, 64):
        n_together = min(64, sources.size - start)
        seen[:] = 0
        n_waiting = 0
        for i in range(n_together):
            node = sources[start + i]
            out_hops[start + i] = 0
            if seen[node] == 0:
                waits[n_waiting] = node
                n_waiting += 1
            seen[node] |= np.uint64(1) << np.uint64(i)
            new[node] = seen[node]
        hops = 0
        while n_waiting > 0:
            n_touched = _step(first, heads, graph.forwards, hops == 0, waits[:n_waiting], seen, new, coming, touched)
            hops += 1
            found, n_waiting = _settle(touched[:n_touched], counts, seen, new, coming, waits)
            for i in range(n_together):
                if found >> np.uint64(i) & np.uint64(1):
                    out_hops[start + i] = hops


@scratch_kernel
def _step(
    first: npt.NDArray[np.int64],
    heads: npt.NDArray[np.uint32],
    forwards: npt.NDArray[np.bool_],
    from_source: bool,
    waits: npt.NDArray[np.uint32],
    seen: npt.NDArray[np.uint64],
    new: npt.NDArray[np.uint64],
    coming: npt.NDArray[np.uint64],
    touched: npt.NDArray[np.uint32],
) -> int:
    """Take each search that is new at a node on to its neighbours; returns the number of neighbours it is new to."""
    n_touched = 0
    for node in waits:
        if not forwards[node] and not from_source:
            continue
        word = new[node]
        for k in range(first[node], first[node + 1]):
            head = heads[k]
            arrives = word & ~seen[head]
            if arrives != 0:
                if coming[head] == 0:
                    touched[n_touched] = head
                    n_touched += 1
                coming[head] |= arrives
    return n_touched


@scratch_kernel
def _settle(
    touched: npt.NDArray[np.uint32],
    counts: npt.NDArray[np.bool_],
    seen: npt.NDArray[np.uint64],
    new: npt.NDArray[np.uint64],
    coming: npt.NDArray[np.uint64],
    waits: npt.NDArray[np.uint32],
) -> tuple[np.uint64, int]:
    """Let what is coming be new; returns the searches that reached a node that counts, and the number of nodes."""
    found = np.uint64(0)
    n = 0
    for node in touched:
        word = coming[node]
        coming[node] = 0
        new[node] = word
        seen[node] |= word
        if counts[node]:
            found |= word
        waits[n] = node
        n += 1
    return found, n
