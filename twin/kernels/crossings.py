"""Fractions of demands that cross chosen arcs: what max-min sharing needs where few arcs are overloaded."""

import numpy as np
import numpy.typing as npt

from twin.kernels.class_loads import search_back
from twin.kernels.graph import Destinations, UsableArcs
from twin.kernels.jit import kernel
from twin.kernels.next_hops import is_next_hop


@kernel
def crossings(
    arcs: UsableArcs,
    by_hops: bool,
    destinations: Destinations,
    rel_tolerance: float,
    place: npt.NDArray[np.int64],
    n_chosen: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Find which demands cross chosen arcs, and with which fraction of their traffic.

    Of each destination, the nodes are taken from the nearest to the farthest: the fractions of a node follow from those
    of its next hops. Traffic is divided as by `class_loads`.

    Args:
        arcs: arcs that carry traffic.
        by_hops: whether all weights are 1, so that a breadth-first search suffices.
        destinations: destinations with their demands; those without traffic cross nothing.
        rel_tolerance: path weights that differ by no more than this share are equal.
        place: int64[n_arcs], place of each chosen arc among these; -1 for others.
        n_chosen: number of chosen arcs.

    Returns:
        Demand, chosen arc and fraction of each crossing, int64[any], int64[any] and float64[any] above 0; ascending by
        demand and arc.
    """
    n_nodes = arcs.first.size - 1
    distance, order = np.empty(n_nodes), np.empty(n_nodes, np.uint32)
    heap_key, heap_node = np.empty(arcs.head.size + 1), np.empty(arcs.head.size + 1, np.uint32)
    crosses, fraction = np.zeros(n_nodes, np.bool_), np.zeros((n_nodes, n_chosen))
    demand, chosen, part = np.empty(n_chosen, np.int64), np.empty(n_chosen, np.int64), np.empty(n_chosen)
    n = 0
    for d in range(destinations.node.size):
        n_reached = search_back(arcs, by_hops, destinations.node[d], distance, order, heap_key, heap_node)
        for i in range(1, n_reached):
            node = order[i]
            far = distance[node]
            slack = rel_tolerance * max(1.0, far)
            shares = 0.0
            for arc in range(arcs.first[node], arcs.first[node + 1]):
                head = arcs.head[arc]
                if is_next_hop(distance[head], far, arcs.weight[arc], slack, arcs.forwards[head]):
                    shares += arcs.share[arc]
            for arc in range(arcs.first[node], arcs.first[node + 1]):
                head = arcs.head[arc]
                if not is_next_hop(distance[head], far, arcs.weight[arc], slack, arcs.forwards[head]):
                    continue
                own = arcs.share[arc] / shares
                if place[arc] >= 0:
                    crosses[node] = True
                    fraction[node, place[arc]] += own
                if crosses[head]:
                    crosses[node] = True
                    for j in range(n_chosen):
                        fraction[node, j] += own * fraction[head, j]
        for k in range(destinations.demand_first[d], destinations.demand_first[d + 1]):
            node = destinations.demand_source[k]
            if not crosses[node] or destinations.demand_gbps[k] <= 0.0:
                continue
            if n + n_chosen > demand.size:
                demand, chosen = np.append(demand, np.empty_like(demand)), np.append(chosen, np.empty_like(chosen))
                part = np.append(part, np.empty_like(part))
            for j in range(n_chosen):
                if fraction[node, j] > 0.0:
                    demand[n], chosen[n], part[n] = k, j, fraction[node, j]
                    n += 1
        for i in range(1, n_reached):
            if crosses[order[i]]:
                crosses[order[i]] = False
                fraction[order[i]] = 0.0
    return demand[:n], chosen[:n], part[:n]
