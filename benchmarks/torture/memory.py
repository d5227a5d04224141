"""Different documents one after the other: the memory of all processes of the service as they go by.

python benchmarks/torture/memory.py [number of documents, default 20000]
"""

from __future__ import annotations

import os
import sys

import psutil
from hostile import TWO_NODES
from service import served, status_of

N_REPORTS = 10


def resident_mib() -> float:
    """Return the memory of all processes below this one, shared pages counted once for each."""
    return sum(child.memory_info().rss for child in psutil.Process(os.getpid()).children(recursive=True)) / 2**20


def main(n: int) -> None:
    with served("--processes", "1") as port:
        for i in range(n):
            links = [TWO_NODES["links"][0] | {"capacity_gbps": 100 + i}]
            assert status_of(port, "/v1/score", {"network": TWO_NODES | {"links": links}}) == 200
            if i % max(1, n // N_REPORTS) == 0:
                print(f"{i:>8,} documents: {resident_mib():.0f} MiB", flush=True)
        print(f"{n:>8,} documents: {resident_mib():.0f} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
