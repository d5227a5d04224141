"""Medians of kernels beside networkx, scipy and igraph, on the same inputs in the same run; answers are compared too.

    python benchmarks/bench_kernels.py [--repeats 5]

Peers have no ECMP or max-min of their own. Beside ECMP stands the loop one writes over networkx' Dijkstra
predecessors; beside max-min stand progressive filling rounds over a scipy.sparse matrix. Both are marked with *.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import networkx as nx
import numpy as np
from peers import igraph_of
from rich.console import Console
from rich.table import Table
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra

from twin.kernels.class_loads import class_loads
from twin.kernels.congestion import max_min_rates
from twin.kernels.ecmp import trace_pair
from twin.kernels.graph import ArcGraph
from twin.kernels.most_hops import most_hops
from twin.kernels.paths import shortest_distances, shortest_hops
from twin.traffic.twin_nodes import ArcTable, destinations_of

TOLERANCE = 1e-12


class Case(NamedTuple):
    name: str
    n_nodes: int
    ends: np.ndarray
    weight: np.ndarray

    @property
    def graph(self) -> ArcGraph:
        head, tail = self.ends[:, ::-1].ravel(), self.ends.ravel()
        arc = np.lexsort((np.arange(head.size) >> 1, head, tail)).astype(np.int64)
        first = np.concatenate(([0], np.cumsum(np.bincount(tail, minlength=self.n_nodes)))).astype(np.int64)
        return ArcGraph(first, arc, head.copy(), np.ones(self.n_nodes, np.bool_))

    @property
    def networkx_graph(self) -> nx.Graph:
        graph = nx.Graph()
        graph.add_nodes_from(range(self.n_nodes))
        graph.add_weighted_edges_from(zip(*self.ends.T.tolist(), self.weight.tolist(), strict=True))
        return graph

    @property
    def matrix(self) -> csr_array:
        shape = (self.n_nodes, self.n_nodes)
        one_way = coo_array((self.weight, self.ends.T), shape=shape).tocsr()
        return (one_way + one_way.T).tocsr()


def random_case(n_nodes: int = 20_000, n_links: int = 80_000) -> Case:
    rng = np.random.default_rng(1)
    pairs = np.sort(rng.integers(0, n_nodes, (n_links * 11 // 10, 2)), axis=1)
    pairs = np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)
    ends = pairs[np.sort(rng.permutation(len(pairs))[:n_links])]
    return Case("random, 20k nodes, 80k links", n_nodes, ends, rng.integers(1, 5, len(ends)).astype(float))


def pod_case(n_pods: int = 8, n_racks: int = 256, n_planes: int = 16, n_cores: int = 4) -> Case:
    """Racks to every plane's switch of their pod, those to every core switch of the plane; all weights one."""
    rack = np.arange(n_pods * n_racks).reshape(n_pods, n_racks, 1)
    fabric = rack.size + np.arange(n_pods * n_planes).reshape(n_pods, 1, n_planes)
    core = rack.size + fabric.size + np.arange(n_planes * n_cores).reshape(1, n_planes, n_cores)
    down = np.broadcast_arrays(rack, fabric)
    up = np.broadcast_arrays(fabric.reshape(n_pods, n_planes, 1), core)
    ends = np.concatenate([np.stack([a.ravel(), b.ravel()], axis=1) for a, b in (down, up)])
    n_nodes = int(rack.size + fabric.size + core.size)
    name = f"{n_pods} pods, {n_nodes / 1e3:.1f}k nodes, {len(ends) / 1e3:.1f}k links"
    return Case(name, n_nodes, ends, np.ones(len(ends)))


def median_ms(run: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def networkx_loads(graph: nx.Graph, destination: int) -> dict[tuple[int, int], float]:
    """One unit from every node to the destination, halved and halved again over Dijkstra's predecessors."""
    predecessors, distance = nx.dijkstra_predecessor_and_distance(graph, destination)
    flow = dict.fromkeys(distance, 1.0)
    load: dict[tuple[int, int], float] = {}
    for node in sorted(distance, key=distance.__getitem__, reverse=True):
        for next_hop in predecessors[node]:
            part = flow[node] / len(predecessors[node])
            load[node, next_hop] = part
            flow[next_hop] += part
    return load


def sparse_max_min(usage: csr_array, capacity: np.ndarray) -> np.ndarray:
    """Progressive filling, each round over all of the resources x flows matrix."""
    rate, rising = np.zeros(usage.shape[1]), np.ones(usage.shape[1])
    while rising.any():
        slope, spare = usage @ rising, capacity - usage @ (rate * (1 - rising))
        with np.errstate(divide="ignore", invalid="ignore"):
            full_at = np.where(slope > 1e-12, spare / slope, np.inf)
        level = full_at.min()
        stopped = (usage.T @ (full_at <= level * (1 + 1e-12)).astype(float) > 0) & (rising > 0)
        rate[stopped] = level
        rising[stopped] = 0.0
    return rate


def bench_case(case: Case, repeats: int, table: Table, n_sources: int = 20) -> None:
    graph, peer, matrix = case.graph, case.networkx_graph, case.matrix
    n_nodes, n_links = case.n_nodes, len(case.ends)
    up, share, weight = np.ones(n_links, dtype=np.bool_), np.ones(2 * n_links), np.repeat(case.weight, 2)
    sources = np.arange(n_sources, dtype=np.int64)
    distances, hops = np.empty((n_sources, n_nodes)), np.empty((n_sources, n_nodes))

    def row(
        task: str, ours: Callable[[], object], *peers: tuple[Callable[[], object], int] | None, per: int = 1
    ) -> None:
        ours()  # compiled before it is timed
        times = [median_ms(ours, repeats) / per]
        mark = " *" if "ECMP" in task else ""
        cells = [f"{median_ms(peer[0], min(repeats, 3)) / peer[1]:.3f}{mark}" if peer else "" for peer in peers]
        table.add_row(case.name, task, f"{times[0]:.3f}", *cells)

    row(
        "distances from one node",
        lambda: shortest_distances(graph, weight, up, sources, distances),
        (lambda: nx.single_source_dijkstra_path_length(peer, 0), 1),
        (lambda: dijkstra(matrix, indices=sources), n_sources),
        per=n_sources,
    )
    np.testing.assert_array_equal(distances, dijkstra(matrix, indices=sources))
    row(
        "hops from one node",
        lambda: shortest_hops(graph, up, sources, hops),
        (lambda: nx.single_source_shortest_path_length(peer, 0), 1),
        (lambda: dijkstra(matrix, indices=sources, unweighted=True), n_sources),
        per=n_sources,
    )
    np.testing.assert_array_equal(hops, dijkstra(matrix, indices=sources, unweighted=True))

    columns = (graph, weight, up, share)
    arc_table = ArcTable.of(graph, weight, share, up)

    def place(n_targets: int) -> Callable[[], np.ndarray]:
        """One unit from every other node to each of the first ones."""
        source, target = np.tile(np.arange(n_nodes), n_targets), np.repeat(np.arange(n_targets), n_nodes)
        other = source != target
        pairs = source[other], target[other], np.ones(int(other.sum()))
        destinations, _ = destinations_of(arc_table.arcs, *pairs)
        flow = np.zeros((n_nodes, int(np.diff(destinations.class_first).max())))
        load = np.zeros(2 * n_links)
        unused = np.empty((0, 0)), np.empty((0, 0), np.int32), np.empty(len(destinations.class_first) - 1, np.bool_)

        def run() -> np.ndarray:
            load[:] = 0.0
            class_loads(arc_table.arcs, arc_table.by_hops, destinations, TOLERANCE, False, *unused, flow, load)
            return load

        return run

    to_one = place(1)
    row("ECMP loads, all nodes to one", to_one, (lambda: networkx_loads(peer, 0), 1), None)
    expected, head = networkx_loads(peer, 0), graph.head.tolist()
    of_table = [expected.get((head[a ^ 1], head[a]), 0.0) for a in arc_table.arc_id.tolist()]
    np.testing.assert_allclose(to_one(), of_table, rtol=1e-9)
    row("the same in a matrix, per destination", place(n_sources), None, None, per=n_sources)
    scratch = np.zeros((n_nodes, 2)), np.empty(n_nodes, dtype=np.int64)
    out = np.empty(2 * n_links, dtype=np.int64), np.empty(2 * n_links)
    far = n_nodes // 2
    row("trace of one pair", lambda: trace_pair(*columns, distances[0], far, TOLERANCE, *scratch, *out), None, None)


def with_hosts(k: int = 48) -> Case:
    """A fat tree with its hosts: 5 k^2 / 4 switches and k^3 / 4 hosts."""
    half = k // 2
    pod, i, j = (part.ravel() for part in np.meshgrid(np.arange(k), np.arange(half), np.arange(half), indexing="ij"))
    edge, n_edges = pod * half + i, k * half
    down = n_edges + pod * half + j, 2 * n_edges + half * half + edge * half + j
    ends = [np.stack((edge, nodes), axis=1) for nodes in down]
    ends.append(np.stack((n_edges + edge, 2 * n_edges + i * half + j), axis=1))
    n_nodes = 2 * n_edges + half * half + n_edges * half
    links = np.concatenate(ends)
    return Case(
        f"fat tree, {n_nodes / 1e3:.1f}k nodes, {len(links) / 1e3:.1f}k links", n_nodes, links, np.ones(len(links))
    )


def bench_hops(repeats: int, table: Table, n_sources: int = 64) -> None:
    """Hops to the farthest node from each of 64 nodes; igraph gives all rows."""
    case = with_hosts()
    graph, peer, up = case.graph, igraph_of(case.n_nodes, case.ends), np.ones(len(case.ends), dtype=np.bool_)
    sources = np.sort(np.random.default_rng(4).choice(case.n_nodes, n_sources, replace=False))
    counts, hops = np.ones(case.n_nodes, np.bool_), np.empty(n_sources, np.int64)
    most_hops(graph, up, sources, counts, hops)
    ours = median_ms(lambda: most_hops(graph, up, sources, counts, hops), repeats)
    np.testing.assert_array_equal(hops, np.array(peer.distances(source=sources.tolist())).max(axis=1))
    theirs = median_ms(lambda: peer.distances(source=sources.tolist()), 3)
    table.add_row(case.name, f"hops to the farthest from {n_sources} nodes", f"{ours:.3f}", "", "", f"{theirs:.3f}")


def bench_max_min(
    repeats: int, table: Table, n_flows: int, n_resources: int, n_hops: int = 6, has_peer: bool = True
) -> None:
    rng = np.random.default_rng(2)
    first, link = np.arange(n_flows + 1) * n_hops, rng.integers(0, n_resources, n_flows * n_hops)
    usage, capacity = rng.choice([1.0, 0.5, 0.25], link.size), rng.choice([100.0, 400.0, 800.0], n_resources)
    limit, rate = np.full(n_flows, np.inf), np.empty(n_flows)
    max_min_rates(first, link, usage, capacity, limit, rate)
    name = f"{n_flows / 1e3:g}k flows, {n_resources / 1e3:g}k resources, {len(np.unique(rate))} levels"
    ours = median_ms(lambda: max_min_rates(first, link, usage, capacity, limit, rate), repeats)
    if not has_peer:
        table.add_row(name, "max-min rates", f"{ours:.3f}", "", "")
        return
    matrix = coo_array((usage, (link, np.repeat(np.arange(n_flows), n_hops))), shape=(n_resources, n_flows)).tocsr()
    np.testing.assert_allclose(rate, sparse_max_min(matrix, capacity), rtol=1e-9)
    peer = median_ms(lambda: sparse_max_min(matrix, capacity), 1)
    table.add_row(name, "max-min rates", f"{ours:.3f}", "", f"{peer:.3f} *")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    table = Table(
        "input",
        "task",
        "twin",
        "networkx",
        "scipy",
        "igraph",
        title=f"milliseconds, median of {repeats} (peers: up to 3)",
    )
    for case in (random_case(), pod_case()):
        bench_case(case, repeats, table)
    bench_hops(repeats, table)
    bench_max_min(repeats, table, n_flows=2_000, n_resources=1_000)
    bench_max_min(repeats, table, n_flows=50_000, n_resources=20_000)
    bench_max_min(repeats, table, n_flows=1_000_000, n_resources=100_000, has_peer=False)  # peer: hours
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
