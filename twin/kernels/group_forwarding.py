"""Forwarding towards one destination over stated next hops, written as shortest paths of other weights.

Every node gets a height: one more than the highest of its next hops. With the difference of heights as weight, an arc
is on a shortest path exactly where it is a next hop, so the other kernels route as stated.
"""

import numpy as np
import numpy.typing as npt

from twin.kernels.graph import ArcGraph
from twin.kernels.jit import kernel
from twin.kernels.next_hops import is_next_hop


@kernel
def group_forwarding(
    graph: ArcGraph,
    arc_weight: npt.NDArray[np.float64],
    link_up: npt.NDArray[np.bool_],
    arc_share: npt.NDArray[np.float64],
    distance: npt.NDArray[np.float64],
    entry_arc: npt.NDArray[np.int64],
    entry_weight: npt.NDArray[np.float64],
    rel_tolerance: float,
    out_height: npt.NDArray[np.float64],
    out_weight: npt.NDArray[np.float64],
    out_share: npt.NDArray[np.float64],
) -> None:
    """Compute heights, weights and shares towards the destination of `distance`.

    A node forwards over its entries whose link is up and whose head forwards by entries or is the destination. A node
    without such an entry forwards over its shortest paths.

    Args:
        graph: arcs of the network, by node that they leave.
        arc_weight: float64[2 * n_links], routing metric.
        link_up: bool[n_links].
        arc_share: float64[2 * n_links], weight of an arc where a node splits traffic.
        distance: float64[n_nodes], distance of each node to the destination by `arc_weight`.
        entry_arc: int64[n_entries], stated next hops; those of a node lie side by side, behind those of its next hops.
        entry_weight: float64[n_entries], > 0.
        rel_tolerance: distances that differ by no more than this share are equal.
        out_height: float64[n_nodes], overwritten: 0 at the destination, infinite without a path.
        out_weight: float64[2 * n_links], overwritten: difference of the heights at a next hop, else 0.
        out_share: float64[2 * n_links], overwritten.
    """
    out_height[:] = np.inf
    out_weight[:] = 0.0
    out_share[:] = arc_share
    for node in range(distance.size):
        if distance[node] == 0.0:
            out_height[node] = 0.0
    start = 0
    while start < entry_arc.size:
        node = graph.head[entry_arc[start] ^ 1]
        end = start
        highest = -1.0
        while end < entry_arc.size and graph.head[entry_arc[end] ^ 1] == node:
            height = out_height[graph.head[entry_arc[end]]]
            if link_up[entry_arc[end] >> 1] and height < np.inf:
                highest = max(highest, height)
            end += 1
        if highest >= 0.0:
            out_height[node] = highest + 1.0
            for k in range(start, end):
                arc = entry_arc[k]
                height = out_height[graph.head[arc]]
                if link_up[arc >> 1] and height < np.inf:
                    out_weight[arc] = highest + 1.0 - height
                    out_share[arc] = entry_weight[k]
        start = end
    for node in np.argsort(distance):
        far = distance[node]
        if far == np.inf or out_height[node] < np.inf:
            continue
        slack = rel_tolerance * max(1.0, far)
        highest = -1.0
        for pass_ in range(2):
            for k in range(graph.first[node], graph.first[node + 1]):
                arc = graph.arc[k]
                head = graph.head[arc]
                if link_up[arc >> 1] and is_next_hop(distance[head], far, arc_weight[arc], slack, graph.forwards[head]):
                    if pass_ == 0:
                        highest = max(highest, out_height[head])
                    else:
                        out_weight[arc] = highest + 1.0 - out_height[head]
            out_height[node] = highest + 1.0
