"""How long a person waits: the flagship answer from cold and warm processes, re-scores, `twin --help`, memory.

Run: python benchmarks/bench_answers.py [--runs 3]. Medians; machines are noisy, so nothing here is asserted in tests.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from rich.console import Console
from rich.table import Table

TWIN = str(Path(sys.executable).with_name("twin"))
FLAGSHIP = [TWIN, "whatif", "memphis", "--plan", "fibre-upgrade", "--json"]
STATE_CHANGES = (
    [{"kind": "age", "years": 5}],
    [{"kind": "fail_srlg", "srlg": "duct-13-a"}],
    [{"kind": "fail_links", "links": "c1/leaf-p001-r1~*"}],
    [{"kind": "swap_switches", "nodes": {"kind": "border"}, "part": "border-deep-51.2T"}],
)


def seconds(command: list[str], env: dict[str, str]) -> tuple[float, float]:
    """(seconds, peak GB) of one process."""
    start = perf_counter()
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return perf_counter() - start, usage.ru_maxrss / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    rows: list[tuple[str, float, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "NUMBA_CACHE_DIR": f"{folder}/numba", "TWIN_CACHE_DIR": f"{folder}/twin"}
        rows.append(("twin warmup, first time on a machine", seconds([TWIN, "warmup"], env)[0], "–"))
        cold, memory = [], []
        for _ in range(runs):
            subprocess.run(["rm", "-rf", f"{folder}/twin"], check=True)
            taken, peak = seconds(FLAGSHIP, env)
            cold.append(taken)
            memory.append(peak)
        rows.append(("whatif memphis fibre-upgrade, cold process, nothing cached", median(cold), "30 s"))
        again = [seconds(FLAGSHIP, env) for _ in range(runs)]
        rows.append(("the same again, compiled arrays cached", median(t for t, _ in again), "6 s"))
        rows.append(("peak memory of these, GB", max(*memory, *(m for _, m in again)), "4 GB"))
        helped = [seconds([TWIN, "--help"], env)[0] for _ in range(runs)]
        rows.append(("twin --help", median(helped), "0.5 s"))
    rows += warm(runs)
    table = Table("what", "seconds", "aim", title="answers, medians")
    for what, value, aim in rows:
        table.add_row(what, f"{value:.2f}", aim)
    Console(width=110).print(table)


def warm(runs: int) -> list[tuple[str, float, str]]:
    """Re-scores in one warm process, each state change new to the process the first time it is timed."""
    import twin

    rows = []
    for name in ("memphis", "memphis-small"):
        network = twin.load(name)
        network.score()
        taken = []
        for change in STATE_CHANGES[: 2 if name == "memphis-small" else 4]:
            for i in range(runs):
                years = [{"kind": "age", "years": 0.1 * (i + 1)}]
                start = perf_counter()
                network.what_if([*change, *years])
                taken.append(perf_counter() - start)
        rows.append((f"what-if of a state change on {name}, warm", median(taken), "2 s" if name == "memphis" else "–"))
        rows.append((f"  slowest of {len(taken)}", max(taken), "–"))
    rows.append(("all links of memphis judged again after an age change, warm", rejudged(5 * runs), "0.05 s"))
    rows.append(("peak memory of the warm process, GB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, "–"))
    return rows


def rejudged(runs: int) -> float:
    """Seconds for the light, latency, buffers and capacity of every link, each time at another age."""
    import twin
    from twin.optics.link_health import compute_link_health
    from twin.scenario.apply import apply_changes, baseline, parse_changes

    network = twin.load("memphis")
    before = baseline(network, network.job())
    taken = []
    for i in range(runs + 1):
        changes = parse_changes([{"kind": "age", "years": 0.5 * (i + 1)}])
        state = apply_changes(before, changes, network._reader, "benchmark").state
        start = perf_counter()
        compute_link_health(state, network.document, network._reader)
        taken.append(perf_counter() - start)
    return median(taken[1:])


if __name__ == "__main__":
    main()
