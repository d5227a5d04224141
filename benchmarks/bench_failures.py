"""Medians of loads at scale, of single failures and of pairs, beside networkx on the same inputs in the same run.

    python benchmarks/bench_failures.py [--repeats 5] [--large [--damaged 20 552]]

Neither networkx nor netgraph-core sweeps the failures of a traffic matrix. Beside the loads stands the loop one writes
over networkx' breadth-first predecessors, and netgraph-core's placement of each demand. Beside the sweep stands their
time once for each failure, extrapolated. Both are marked with *. The loads are compared, for networkx also after some
failures. `--large` adds the fat tree of 2,880 switches, `--damaged` the same with links down.
"""

import argparse
import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import networkx as nx
import numpy as np
from peers import netgraph_loads
from rich.console import Console
from rich.table import Table

from twin.failures.fabric import Fabric
from twin.failures.kinds import Kind, LinkFailures, NodeFailures
from twin.failures.pair_sweep import sweep_of
from twin.failures.pairs import PairFailures, all_pairs
from twin.failures.sweep import FailureLoads
from twin.kernels.class_loads import class_loads
from twin.traffic.equal_cells import Cells
from twin.traffic.twin_nodes import arcs_of, destinations_of
from twin.traffic.walk import REL_TOLERANCE

MAX_LINKS_OF_PAIRS = 500
"""Links of a network up to which all pairs are computed."""
N_COMPARED = 3
"""Failures that the peer computes."""


def gravity(n: int, ends: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(source, target, Gb/s) between all pairs, by random sizes."""
    rng = np.random.default_rng(seed)
    matrix = np.outer(rng.lognormal(0, 1, n), rng.lognormal(0, 1, n))
    np.fill_diagonal(matrix, 0.0)
    rows, columns = np.nonzero(matrix)
    return ends[rows], ends[columns], matrix[rows, columns] * (1e6 / matrix.sum())


def fabric(n_nodes: int, ends: np.ndarray, weight: np.ndarray, racks: np.ndarray) -> Fabric:
    n = len(ends)
    source, target, gbps = gravity(len(racks), racks, 1)
    ones = np.ones(2 * n)
    return Fabric(
        np.ones(n_nodes, np.bool_),
        ends,
        np.repeat(weight, 2),
        ones,
        100.0 * ones,
        np.ones(n, np.int64),
        source,
        target,
        gbps,
    )


def fat_tree(k: int) -> Fabric:
    """Racks, aggregation and core switches; the racks are the edge switches."""
    half = k // 2
    pod, i, j = np.meshgrid(np.arange(k), np.arange(half), np.arange(half), indexing="ij")
    n_racks = k * half
    up = np.stack(((pod * half + i).ravel(), (n_racks + pod * half + j).ravel()), axis=1)
    core = np.stack(((n_racks + pod * half + i).ravel(), (2 * n_racks + i * half + j).ravel()), axis=1)
    ends = np.concatenate((up, core))
    return fabric(2 * n_racks + half * half, ends, np.ones(len(ends)), np.arange(n_racks))


def wide_area(n_nodes: int = 197, n_links: int = 245) -> Fabric:
    """A random tree and chords between near nodes, lengths as weights, as large as Cogentco; all send to all."""
    rng = np.random.default_rng(3)
    place = rng.random((n_nodes, 2))
    distance = np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1))
    pairs = [(i, int(np.argmin(distance[i, :i]))) for i in range(1, n_nodes)]
    near = np.argsort(distance + 9 * np.tri(n_nodes), axis=None)
    known = {frozenset(pair) for pair in pairs}
    for key in near.tolist():
        if len(pairs) == n_links:
            break
        a, b = divmod(key, n_nodes)
        if a != b and frozenset((a, b)) not in known:
            pairs.append((a, b))
            known.add(frozenset((a, b)))
    ends = np.array(pairs)
    weight = np.ceil(distance[ends[:, 0], ends[:, 1]] * 100)
    return fabric(n_nodes, ends, np.maximum(weight, 1.0), np.arange(n_nodes))


def fresh(kind: Callable[[Fabric], Kind], network: Fabric) -> Kind:
    """The question without anything that was computed before."""
    return kind(Fabric(*(getattr(network, name) for name in Fabric.__dataclass_fields__)))


def all_links(network: Fabric) -> Kind:
    return LinkFailures(network, np.zeros(network.n_links))


def all_pairs_of_links(network: Fabric) -> Kind:
    return PairFailures(all_links(network), *all_pairs(network.n_links))


def all_nodes(network: Fabric) -> Kind:
    return NodeFailures(network, np.arange(network.n_nodes))


def sweep(kind: Callable[[Fabric], Kind], network: Fabric, n_threads: int = 1) -> FailureLoads:
    study = sweep_of(fresh(kind, network))
    with ThreadPoolExecutor(n_threads) as pool:
        study.run(0, study.n_classes, pool, n_threads)
    return study.loads()


def median_ms(run: Callable[[], object], repeats: int) -> tuple[str, str]:
    """Wall time and processor time of all threads; on a shared machine the second is the steadier one."""
    times, processor = [], []
    for _ in range(repeats):
        start, start_processor = time.perf_counter(), time.process_time()
        run()
        times.append((time.perf_counter() - start) * 1e3)
        processor.append((time.process_time() - start_processor) * 1e3)
    return _rounded(statistics.median(times)), _rounded(statistics.median(processor))


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}" if value < 10 else f"{value:.1f}"


def loads(network: Fabric) -> tuple[Callable[[], np.ndarray], np.ndarray]:
    """A function that routes all demands, and the arc of each of its loads."""
    order = np.lexsort((network.head, network.tail))
    columns = (network.tail[order], network.head[order], network.weight[order], network.share[order])
    arcs = arcs_of(*columns, network.forwards)
    destinations, _ = destinations_of(arcs, network.source, network.target, network.offered_gbps)
    flow = np.zeros((network.n_nodes, int(np.diff(destinations.class_first).max())))
    at_once = np.empty(len(destinations.class_first) - 1, np.bool_)

    def run() -> np.ndarray:
        load = np.zeros(len(order))
        unused = np.empty((0, 0)), np.empty((0, 0), np.int32), at_once
        class_loads(arcs, network.by_hops, destinations, REL_TOLERANCE, False, *unused, flow, load)
        return load

    return run, order


def networkx_loads(network: Fabric, *without: int) -> np.ndarray:
    """Loads by arc, destination by destination over networkx' predecessors; no parallel links."""
    graph = nx.Graph()
    graph.add_nodes_from(range(network.n_nodes))
    links = enumerate(zip(network.ends.tolist(), network.weight[::2].tolist(), strict=True))
    graph.add_edges_from((a, b, {"weight": weight, "link": i}) for i, ((a, b), weight) in links if i not in without)
    demand: dict[int, dict[int, float]] = {}
    for source, target, gbps in zip(
        network.source.tolist(), network.target.tolist(), network.offered_gbps.tolist(), strict=True
    ):
        demand.setdefault(target, {})[source] = gbps
    first = network.ends[:, 0].tolist()
    out = np.zeros(2 * network.n_links)
    for target, sources in demand.items():
        hops, distance = nx.dijkstra_predecessor_and_distance(graph, target)
        flow = {node: gbps for node, gbps in sources.items() if node in distance}
        for node in sorted(distance, key=distance.__getitem__, reverse=True):
            if node != target and flow.get(node):
                for hop in hops[node]:
                    part = flow[node] / len(hops[node])
                    link = graph.edges[node, hop]["link"]
                    out[2 * link + (first[link] != node)] += part
                    flow[hop] = flow.get(hop, 0.0) + part
    return out


def bench(name: str, network: Fabric, repeats: int, table: Table, peer: bool) -> None:
    run, order = loads(network)
    ours = np.empty(len(order))
    ours[order] = run()
    cells = [*median_ms(run, repeats), "", ""]
    netgraph_ms = 0.0
    if peer:
        start = time.perf_counter()
        expected = networkx_loads(network)
        cells[2] = f"{(time.perf_counter() - start) * 1e3:,.0f} *"
        np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-6)
        load, seconds = netgraph_loads(network, range(len(network.source)))
        np.testing.assert_allclose(load, expected, rtol=1e-4, atol=1e-4)  # it splits whole units
        netgraph_ms = seconds * 1e3
        cells[3] = f"{netgraph_ms:,.0f}"
    table.add_row(name, f"loads of {len(network.source):,} demands", *cells)
    if len(network.end_points) < network.n_nodes:
        bench_cells(network, ours, repeats, table)
    found = sweep(all_links, network)
    cells = [*median_ms(lambda: sweep(all_links, network), repeats), "", ""]
    if peer:
        cells[3] = f"{netgraph_ms * network.n_links:,.0f} *"
        start = time.perf_counter()
        for link in range(N_COMPARED):
            after = networkx_loads(network, link)
            assert (after <= found.greatest_gbps * (1 + 1e-9) + 1e-6).all()
            assert abs(after.max() / 100.0 - found.worst_ratio[link]) <= 1e-9 * found.worst_ratio[link]
        cells[2] = f"{(time.perf_counter() - start) * 1e3 / N_COMPARED * network.n_links:,.0f} *"
    table.add_row("", f"all {network.n_links:,} links, {len(found.model):,} classes", *cells)
    if network.n_links < MAX_LINKS_OF_PAIRS:
        bench_pairs(network, repeats, table)
    sweep(all_nodes, network, 2)
    table.add_row(
        "",
        f"each of {network.n_nodes:,} nodes, 2 threads",
        *median_ms(lambda: sweep(all_nodes, network, 2), max(1, repeats // 2)),
    )


def bench_cells(network: Fabric, expected: np.ndarray, repeats: int, table: Table) -> None:
    """Loads from one node of each cell of equal ones; the cells are found each time."""
    order = np.lexsort((network.head, network.tail))
    arcs = arcs_of(
        network.tail[order], network.head[order], network.weight[order], network.share[order], network.forwards
    )
    destinations, _ = destinations_of(arcs, network.source, network.target, network.offered_gbps)
    is_end = np.zeros(network.n_nodes, np.bool_)
    is_end[network.end_points] = True

    def run() -> np.ndarray:
        cells = Cells.of(arcs, network.by_hops, is_end)
        assert cells is not None
        return cells.loads(destinations)[0]

    np.testing.assert_allclose(run(), expected[order], rtol=1e-12)
    table.add_row("", "the same by cells of equal nodes", *median_ms(run, repeats))


def bench_pairs(network: Fabric, repeats: int, table: Table) -> None:
    kind, found = all_pairs_of_links(network), sweep(all_pairs_of_links, network)
    n_pairs = len(found.worst_ratio)
    chosen = np.random.default_rng(1).integers(n_pairs, size=N_COMPARED).tolist()
    start = time.perf_counter()
    for row in chosen:
        after = networkx_loads(network, int(kind.first[row]), int(kind.second[row]))
        assert (after <= found.greatest_gbps * (1 + 1e-9) + 1e-6).all()
        assert abs(after.max() / 100.0 - found.worst_ratio[row]) <= 1e-9 * found.worst_ratio[row]
    peer_ms = (time.perf_counter() - start) * 1e3 / N_COMPARED * n_pairs
    ours_ms = median_ms(lambda: sweep(all_pairs_of_links, network), max(1, repeats // 2))
    table.add_row("", f"all {n_pairs:,} pairs of links", *ours_ms, f"{peer_ms:,.0f} *")


def damaged(network: Fabric, n_down: int) -> Fabric:
    """The network with some links down already, drawn at random, so that few places are equal."""
    rng = np.random.default_rng(0)
    is_up = np.ones(network.n_links, np.bool_)
    is_up[rng.choice(network.n_links, n_down, replace=False)] = False
    arcs = np.repeat(is_up, 2)
    return Fabric(
        network.forwards,
        network.ends[is_up],
        network.weight[arcs],
        network.share[arcs],
        network.capacity_gbps[arcs],
        network.n_members[is_up],
        network.source,
        network.target,
        network.offered_gbps,
    )


def bench_damaged(network: Fabric, n_down: int, repeats: int, table: Table) -> None:
    less = damaged(network, n_down)
    found = sweep(all_links, less)
    table.add_row(
        f"the same, {n_down:,} links down",
        f"all {less.n_links:,} links, {len(found.model):,} classes",
        *median_ms(lambda: sweep(all_links, less), repeats),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--damaged", type=int, nargs="*", default=[], help="links down in the large one")
    args = parser.parse_args()
    table = Table(
        "input",
        "task",
        "twin",
        "processor",
        "networkx",
        "netgraph-core",
        title=f"milliseconds, median of {args.repeats}, arrays to arrays",
    )
    bench("wide area, 197 nodes", wide_area(), args.repeats, table, peer=True)
    bench("fat tree, k = 16", fat_tree(16), args.repeats, table, peer=True)
    if args.large:
        bench("fat tree, k = 48", fat_tree(48), args.repeats, table, peer=False)
        for n_down in args.damaged:
            bench_damaged(fat_tree(48), n_down, 1, table)
    console = Console(width=120)
    console.print(table)
    console.print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
