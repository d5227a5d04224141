"""How long it takes to say what a collective costs, from a ring of eight to a hierarchy of a hundred thousand.

    python benchmarks/bench_collectives.py [--repeats 2000]

The closed forms do not grow with the members (halving and doubling with their logarithm). A simulator that follows
every message does: the figure of ASTRA-sim's analytical backend in the README is the published one, not run here.
"""

import argparse
import statistics
import time

from rich.console import Console
from rich.table import Table

from twin.workload.collectives import Collective, Tier, time_us

SIZE_BYTES = 1 << 30


def switch(n_members: int, algorithm: str) -> Tier:
    return Tier("switch", n_members, algorithm, 400.0, 2.0)


CASES = {
    "ring, 8 members": lambda: (switch(8, "ring"),),
    "ring, 1,024 members": lambda: (switch(1024, "ring"),),
    "halving and doubling, 1,024 members": lambda: (switch(1024, "halving_doubling"),),
    "two trees, 1,024 members": lambda: (switch(1024, "tree"),),
    "node, campus and wide area, 8 x 4,096 x 3 members": lambda: (
        Tier("switch", 8, "ring", 3600.0, 1.0),
        switch(4096, "ring"),
        Tier("full_mesh", 3, "direct", 50.0, 125.0),
    ),
}


def median_us(tiers: object, n_repeats: int) -> float:
    """Of building the question, checking it, and answering it."""
    found = []
    for _ in range(n_repeats):
        start = time.perf_counter_ns()
        time_us(Collective("all_reduce", SIZE_BYTES, tiers()))  # type: ignore[operator]
        found.append((time.perf_counter_ns() - start) / 1e3)
    return statistics.median(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=2000)
    n_repeats = parser.parse_args().repeats
    table = Table("all_reduce of 1 GiB", "takes the network (ms)", "takes the twin (µs)", title="collectives")
    for name, tiers in CASES.items():
        network_ms = time_us(Collective("all_reduce", SIZE_BYTES, tiers())) / 1e3
        table.add_row(name, f"{network_ms:.3g}", f"{median_us(tiers, n_repeats):.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
