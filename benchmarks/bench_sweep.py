"""How long a point of a sweep takes: evaluations of memphis-small by kind of change, long sweeps, explanations.

Run: python benchmarks/bench_sweep.py [--points 10000] [--explain]. Medians of processor time of one thread where it is
not said otherwise: other work on the machine counts little. Nothing here is asserted in tests.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from statistics import median
from threading import Thread
from time import perf_counter, thread_time

from rich.console import Console
from rich.table import Table

import twin

AXES: tuple[tuple[str, ...], ...] = (
    ("links.wan-*.total_gbps=400..51200:log61",),
    ("links.wan-*.length_km=1..60:61",),
    ("links.wan-*.n_parallel=1..61:61",),
    ("links.wan-*.n_failed=0..7:8",),
    ("age=0..30:61",),
    ("job.n_local_steps=1..61:61",),
    ("job.n_global_batch=1024..4864:31",),
    ("links.wan-*.total_gbps=400..51200:log8", "job.n_local_steps=1..8:8"),
    ("age=0..30:8", "links.wan-*.total_gbps=400..51200:log8"),
)
LONG = ("links.wan-*.total_gbps=400..51200:log{side}", "job.n_local_steps=1..{side}:{side}")


def points_ms(vary: tuple[str, ...]) -> list[float]:
    """Milliseconds of each point, asked of a network that has answered once."""
    network = twin.load("memphis-small")
    network.score()
    stamps = [thread_time()]
    network.sweep(vary, advance=lambda *_: stamps.append(thread_time()))
    return [1e3 * (after - before) for before, after in pairwise(stamps)]


def gil_held_ratio(vary: tuple[str, ...]) -> float:
    """Share of a sweep in which no other thread of Python can run, by how much longer two at once take than one.

    Two that hold the interpreter's lock all the time take twice as long, two that never do no longer; more than twice
    where they hand it to and fro. Each has a network of its own; needs two free cores, right to a tenth at best.
    """
    networks = [twin.load("memphis-small") for _ in range(2)]
    for network in networks:
        network.sweep(vary)

    def taken_s(n: int) -> float:
        threads = [Thread(target=network.sweep, args=(vary,)) for network in networks[:n]]
        start = perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return perf_counter() - start

    one, two = (median(taken_s(n) for _ in range(5)) for n in (1, 2))
    return min(max(two / one - 1.0, 0.0), 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--explain", action="store_true")
    asked = parser.parse_args()
    console = Console(width=120)
    table = Table("one point of", "ms, median", "slowest", "aim", title="evaluations of memphis-small")
    for vary in AXES:
        taken = points_ms(vary)
        table.add_row(" and ".join(vary), f"{median(taken):.1f}", f"{max(taken):.1f}", "8")
    console.print(table)
    table = Table("what", "seconds", "aim")
    side = max(round(asked.points**0.5), 2)
    network = twin.load("memphis-small")
    network.score()
    start, start_of_thread = perf_counter(), thread_time()
    long = [axis.format(side=side) for axis in LONG]
    n = len(network.sweep(long).values)
    of_thread, taken_s = thread_time() - start_of_thread, perf_counter() - start
    aim = f"{60.0 * n / 10_000:.0f}"
    table.add_row(f"sweep of {n:,} points, processor time", f"{of_thread:.1f}", aim)
    table.add_row("the same on the clock", f"{taken_s:.1f}", aim)
    start = perf_counter()
    network.sweep(long, n_processes=2)
    table.add_row("and in two processes", f"{perf_counter() - start:.1f}", aim)
    if asked.explain:
        network = twin.load("memphis")
        for job, aim in (("flagship", "20"), ("everything", "60")):
            network.explain(job)
            start = perf_counter()
            network.explain(job)
            table.add_row(f"explain memphis, {job}, warm", f"{perf_counter() - start:.2f}", aim)
    console.print(table)
    console.print(f"share of a sweep that holds the interpreter's lock: {gil_held_ratio(AXES[0]):.0%}")


if __name__ == "__main__":
    main()
