"""How long it takes to say what hash collisions cost on a fabric: its groups of links, and the law over them.

    python benchmarks/bench_collisions.py [--repeats 20]

Medians of leaf-spine fabrics of 1,024 cards in 32 leaves, 1:1. A simulation draws flows one by one and needs thousands
of draws; the time of the law does not grow with the flows. `routes` finds the paths of the pattern.
"""

import argparse
import statistics
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from twin.traffic.balancing_modes import MODES, Flows
from twin.traffic.fabric_routes import fabric_routes
from twin.traffic.hash_groups import HashedRoutes

N_CARDS, N_LEAVES = 1024, 32
CASES = (("ecmp", 1), ("ecmp", 8), ("ecmp", 1024), ("ecmp", 1_000_000), ("dlb", 8), ("polarised", 8), ("flowlet", 8))


def permutation(seed: int) -> HashedRoutes:
    """Every card sends to another one, drawn at random."""
    per_leaf = N_CARDS // N_LEAVES
    cards = [(card, N_CARDS + card // per_leaf) for card in range(N_CARDS)]
    trunks = [(N_CARDS + i, N_CARDS + N_LEAVES + j) for i in range(N_LEAVES) for j in range(per_leaf)]
    ends = np.array(cards + trunks)
    target = np.random.default_rng(seed).permutation(N_CARDS)
    pairs = np.stack((np.arange(N_CARDS), target), axis=1)[target != np.arange(N_CARDS)]
    sizes = np.full(len(pairs), 1e9)
    return fabric_routes(N_CARDS, N_CARDS + N_LEAVES + per_leaf, ends, np.full(len(ends), 5e10), pairs, sizes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=20)
    n_repeats = parser.parse_args().repeats
    table = Table("mode", "flows per pair", "efficiency", "p10 to p90", "routes (ms)", "groups and law (ms)")
    for mode, n_flows in CASES:
        route_ms, law_ms = [], []
        for i in range(n_repeats):
            start = time.perf_counter_ns()
            routes = permutation(i)
            routed = time.perf_counter_ns()
            times = MODES[mode].times(routes, Flows(n_flows, 8))
            ratios = times.mean_efficiency_ratio, times.efficiency_ratio(0.1), times.efficiency_ratio(0.9)
            law_ms.append((time.perf_counter_ns() - routed) / 1e6)
            route_ms.append((routed - start) / 1e6)
        shown = (f"{ratios[0]:.3f}", f"{ratios[1]:.3f} to {ratios[2]:.3f}")
        table.add_row(
            mode, f"{n_flows:,}", *shown, f"{statistics.median(route_ms):.1f}", f"{statistics.median(law_ms):.1f}"
        )
    Console().print(table)


if __name__ == "__main__":
    main()
