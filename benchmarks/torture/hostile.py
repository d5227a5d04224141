"""Hostile questions while a two-node question is asked again and again: its p50 and p99, and what became of the others.

python benchmarks/torture/hostile.py [number of hostile questions, default 40]
"""

from __future__ import annotations

import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from service import quantile, served, timed
from twin.topologies import network_text

from twin.formats.native import parse_mapping

TWO_NODES = {
    "nodes": [{"id": "a", "kind": "host"}, {"id": "b", "kind": "host"}],
    "links": [{"id": "l", "ends": ["a", "b"], "capacity_gbps": 100}],
}


def leaf_spine(n: int) -> dict[str, Any]:
    params = {"n_leaves": n, "n_spines": n}
    return {"fabrics": [{"id": "f", "generator": "leaf_spine", "params": params}]}


def hostile(i: int) -> dict[str, Any]:
    small = parse_mapping(network_text("memphis-small"), "memphis-small", as_json=False)
    bodies = (
        {"network": leaf_spine(1400)},  # just under two million records
        {"network": leaf_spine(700)},  # half a million: within the estimate
        {"network": small | {"lossless": {"n_flows_per_accelerator": 1e5}, "name": f"flows {i}"}},
        {"network": "memphis"},
    )
    return bodies[i % len(bodies)]


def main(n: int) -> None:
    with served("--processes", "2") as port, ThreadPoolExecutor(n) as threads:
        asked = [threads.submit(timed, port, "/v1/score", hostile(i)) for i in range(n)]
        small: list[tuple[int, float]] = []
        while not all(future.done() for future in asked) and len(small) < 5000:
            small.append(timed(port, "/v1/score", {"network": TWO_NODES}))
        times_s = [time_s for status, time_s in small if status == 200]
        print(f"hostile: {dict(Counter(future.result()[0] for future in asked))}")
        print(f"two nodes: {dict(Counter(status for status, _ in small))}")
        print(f"  p50 {quantile(times_s, 0.5):.3f} s, p99 {quantile(times_s, 0.99):.3f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
