"""Which part of each demand crosses the arcs of a chosen set, over equal-cost shortest paths."""

import numpy as np
import numpy.typing as npt

from twin.kernels.graph import Destinations, UsableArcs
from twin.kernels.heaps import heap_pop, heap_push
from twin.kernels.jit import kernel, scratch_kernel
from twin.kernels.next_hops import is_next_hop


@kernel
def crossings(
    arcs: UsableArcs,
    destinations: Destinations,
    rel_tolerance: float,
    distance: npt.NDArray[np.float64],
    is_chosen: npt.NDArray[np.bool_],
    out_first: npt.NDArray[np.int64],
    out_arc: npt.NDArray[np.int64],
    out_fraction: npt.NDArray[np.float64],
) -> tuple[int, int]:
    """Find the chosen arcs that each demand crosses; nodes from which none is reached are not walked.

    Args:
        arcs: arcs that carry traffic.
        destinations: destinations with their demands; the classes do not matter.
        rel_tolerance: path weights that differ by no more than this share are equal.
        distance: float64[n_destinations, n_nodes], distance of each node to each destination.
        is_chosen: bool[n_arcs].
        out_first: int64[n_demands + 1]; demand k crosses the entries out_first[k]:out_first[k + 1].
        out_arc: int64[room], chosen arcs, farthest from the destination first.
        out_fraction: float64[room], the part of the demand on each.

    Returns:
        The number of entries, and of arcs that were looked at. If there are more entries than room, those beyond it are
        counted, but not written; call again with more room.
    """
    n_nodes = arcs.first.size - 1
    flow, leads = np.zeros(n_nodes), np.zeros(n_nodes, np.bool_)
    heap_key, heap_node = np.empty(n_nodes + 1), np.empty(n_nodes + 1, np.uint32)
    n_entries = 0
    n_steps = 0
    for d in range(destinations.node.size):
        row = distance[d]
        _mark_leading(arcs, np.argsort(row), row, rel_tolerance, is_chosen, leads)
        n_steps += arcs.head.size
        for k in range(destinations.demand_first[d], destinations.demand_first[d + 1]):
            out_first[k] = n_entries
            source = destinations.demand_source[k]
            if not leads[source]:
                continue
            flow[source] = 1.0
            size = heap_push(heap_key, heap_node, 0, -row[source], source)
            while size > 0:
                node = heap_node[0]
                size = heap_pop(heap_key, heap_node, size)
                far, amount = row[node], flow[node]
                flow[node] = 0.0
                slack = rel_tolerance * max(1.0, far)
                all_shares = 0.0
                for arc in range(arcs.first[node], arcs.first[node + 1]):
                    head = arcs.head[arc]
                    if is_next_hop(row[head], far, arcs.weight[arc], slack, arcs.forwards[head]):
                        all_shares += arcs.share[arc]
                n_steps += arcs.first[node + 1] - arcs.first[node]
                for arc in range(arcs.first[node], arcs.first[node + 1]):
                    head = arcs.head[arc]
                    if not is_next_hop(row[head], far, arcs.weight[arc], slack, arcs.forwards[head]):
                        continue
                    part = amount * (arcs.share[arc] / all_shares)
                    if is_chosen[arc]:
                        if n_entries < out_arc.size:
                            out_arc[n_entries] = arc
                            out_fraction[n_entries] = part
                        n_entries += 1
                    if leads[head]:
                        if flow[head] == 0.0:
                            size = heap_push(heap_key, heap_node, size, -row[head], head)
                        flow[head] += part
    out_first[destinations.demand_source.size] = n_entries
    return n_entries, n_steps


@scratch_kernel
def _mark_leading(
    arcs: UsableArcs,
    order: npt.NDArray[np.int64],
    distance: npt.NDArray[np.float64],
    rel_tolerance: float,
    is_chosen: npt.NDArray[np.bool_],
    out_leads: npt.NDArray[np.bool_],
) -> None:
    """Mark the nodes from which a shortest path to the destination crosses a chosen arc; `order`: nearest first."""
    out_leads[:] = False
    for node in order:
        far = distance[node]
        if far == np.inf:
            break
        slack = rel_tolerance * max(1.0, far)
        for arc in range(arcs.first[node], arcs.first[node + 1]):
            head = arcs.head[arc]
            if (is_chosen[arc] or out_leads[head]) and is_next_hop(
                distance[head], far, arcs.weight[arc], slack, arcs.forwards[head]
            ):
                out_leads[node] = True
                break
