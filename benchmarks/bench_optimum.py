"""Processor times of the routing optimum, 5 % certified, beside HiGHS on the same linear program in the same run.

    python benchmarks/bench_optimum.py [--repeats 5] [--limit-s 60]

Wide-area networks of the topohub package where it is installed, and random ones as large as GtsCe and Cogentco; demands
between all pairs of nodes by random sizes. HiGHS solves exactly, one flow for each source and arc, through
`scipy.optimize.linprog`; a time behind > is its limit, without a result.
"""

import argparse
import statistics
import time

import numpy as np
from bench_failures import gravity, wide_area
from rich.console import Console
from rich.table import Table

from twin.arrays import State
from twin.errors import ConvergenceError, TwinError
from twin.loading import from_document
from twin.traffic import optimum

GAP_RATIO = 0.05
HUB = ("sndlib/germany50", "topozoo/Geant2012")


def hub_state(topology: str) -> State:
    """A network of topohub."""
    fabric = {"id": "n", "generator": "topohub", "params": {"topology": topology}}
    return State.of(from_document({"fabrics": [fabric]}).arrays)


def random_state(n_nodes: int, n_links: int) -> State:
    """A tree and chords between near nodes."""
    ends = wide_area(n_nodes, n_links).ends
    nodes = [{"id": f"n{i:03}", "kind": "switch"} for i in range(n_nodes)]
    links = [{"id": f"l{i:03}", "ends": [f"n{a:03}", f"n{b:03}"]} for i, (a, b) in enumerate(ends.tolist())]
    return State.of(from_document({"nodes": nodes, "links": links}).arrays)


def highs_s(problem: tuple[np.ndarray, ...], state: State) -> tuple[float | None, float]:
    """(seconds, optimum); no seconds where the limit ends it."""
    arrays = optimum._problem(state, *problem)
    start_s = time.process_time()
    try:
        least = optimum._solve_program(arrays)[0]
    except ConvergenceError:
        return None, float("nan")
    return time.process_time() - start_s, least


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--limit-s", type=float, default=60.0)
    options = parser.parse_args()
    optimum.TIME_LIMIT_S = options.limit_s
    networks: dict[str, State] = {}
    for topology in HUB:
        try:
            networks[topology] = hub_state(topology)
        except TwinError as error:
            Console(stderr=True).print(f"left out: {error}")
    networks["random, as large as GtsCe"] = random_state(149, 193)
    networks["random, as large as Cogentco"] = random_state(197, 245)
    table = Table("network", "nodes", "links", "demands", "twin, ms", "sweeps", "gap", "HiGHS, ms", "times")
    for name, state in networks.items():
        source, target, gbps = gravity(state.n_nodes, np.arange(state.n_nodes), 1)
        capacity = np.full(2 * state.n_links, 1e5)
        problem = capacity, source, target, gbps
        times = []
        for repeat in range(options.repeats + 1):
            start_s = time.process_time()
            found = optimum.optimal_routing(state, *problem, gap_ratio=GAP_RATIO)
            if repeat:  # the first call compiles
                times.append(time.process_time() - start_s)
        assert found.gap_ratio <= GAP_RATIO
        ours_s = statistics.median(times)
        peer_s, least = highs_s(problem, state)
        if peer_s is not None:
            assert found.lower_bound_ratio <= least * (1 + 1e-6), (found.lower_bound_ratio, least)
            assert least <= found.utilisation_ratio * (1 + 1e-6), (found.utilisation_ratio, least)
        peer = f"> {1e3 * options.limit_s:,.0f}" if peer_s is None else f"{1e3 * peer_s:,.0f}"
        ratio = (peer_s or options.limit_s) / ours_s
        table.add_row(
            name,
            f"{state.n_nodes}",
            f"{state.n_links}",
            f"{len(gbps):,}",
            f"{1e3 * ours_s:.1f}",
            f"{found.n_sweeps}",
            f"{100 * found.gap_ratio:.1f} %",
            peer,
            f"{'> ' * (peer_s is None)}{ratio:,.0f}",
        )
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
