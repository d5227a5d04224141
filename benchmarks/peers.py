"""netgraph-core and igraph on the inputs of the benchmarks; both come with the extra `bench`."""

import time
from collections.abc import Sequence

import igraph
import netgraph_core as ng
import numpy as np

from twin.failures.fabric import Fabric

RESOLUTION = 2.0**-20
"""Unit of netgraph-core in Gb/s: it splits whole units."""


def netgraph_loads(network: Fabric, demands: Sequence[int]) -> tuple[np.ndarray, float]:
    """Loads by arc of some demands, each placed by itself as netgraph-core does, and the seconds that this took.

    All demands share one cache of shortest paths. Weights are whole numbers.
    """
    capacity = np.full(2 * network.n_links, ng.to_units(1e7, RESOLUTION))
    columns = network.tail, network.head, capacity, network.weight.astype(np.int64)
    graph = ng.Graph(network.n_nodes, *columns, RESOLUTION)
    config = ng.FlowPolicyConfig(routing=ng.ShortestPaths(), admission=ng.Admission.LOSSY)
    outputs, cache = ng.OutputOptions(edge_flows=True), ng.ShortestPathCache(graph)
    units = np.zeros(2 * network.n_links, np.int64)
    start = time.perf_counter()
    for row in demands:
        offer = ng.to_units(network.offered_gbps[row], RESOLUTION)
        options = ng.EvaluationOptions(config, cache=cache, outputs=outputs, offer=offer)
        found = ng.evaluate_demand(graph, [int(network.source[row])], [int(network.target[row])], options)
        units += np.asarray(found.edge_flows)
    seconds = time.perf_counter() - start
    load = np.zeros(2 * network.n_links)
    load[np.asarray(graph.input_positions())] = units * RESOLUTION
    return load, seconds


def igraph_of(n_nodes: int, ends: np.ndarray) -> igraph.Graph:
    """The nodes and links as a graph without weights."""
    return igraph.Graph(n_nodes, ends.tolist())
