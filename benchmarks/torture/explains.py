"""Many explanations at once: all are answered, and the memory of the service does not grow.

python benchmarks/torture/explains.py [number of questions, default 500] [at the same time, default 50]

A client that is refused with 429 or 503 asks again. Fails if another status is returned, or if the memory grows by
more than 64 MiB over the second half.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from service import resident_mib, served, status_of, verdict

REFUSED = (429, 503)
MAX_GROWTH_MIB = 64.0
WAIT_S = 1.0
"""Time after which a client that was refused asks again, as the service proposes at the least."""


def answered(port: int) -> list[int]:
    """Ask until there is room, and return the statuses."""
    found = list[int]()
    while not found or found[-1] in REFUSED:
        if found:
            time.sleep(WAIT_S)
        found.append(status_of(port, "/v1/explain", {"network": "memphis-small"}))
    return found


def main(n: int, n_at_once: int) -> int:
    found, memory_mib = Counter[int](), list[float]()
    with served("--processes", "2") as port, ThreadPoolExecutor(n_at_once) as threads:
        answered(port)
        memory_mib.append(resident_mib())
        for part in (n - n // 2, n // 2):
            for statuses in threads.map(lambda _: answered(port), range(part)):
                found.update(statuses)
            memory_mib.append(resident_mib())
    return verdict(
        f"{dict(found)}; {memory_mib[0]:.0f} MiB, {memory_mib[1]:.0f} half-way, {memory_mib[2]:.0f} in the end",
        f"all answered, 429 and 503 meanwhile, at most {MAX_GROWTH_MIB:.0f} MiB more in the second half",
        holds=found[200] == n and memory_mib[2] - memory_mib[1] <= MAX_GROWTH_MIB,
    )


if __name__ == "__main__":
    arguments = [int(text) for text in sys.argv[1:]]
    sys.exit(main(*(arguments or [500]), *([] if len(arguments) > 1 else [50])))
