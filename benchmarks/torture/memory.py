"""Different documents one after the other: the memory of all processes of the service as they go by.

python benchmarks/torture/memory.py [number of documents, default 20000]

The first half fills caches. Fails if the memory grows by more than 64 MiB over the second half.
"""

from __future__ import annotations

import sys

from hostile import TWO_NODES
from service import resident_mib, served, status_of, verdict

N_REPORTS = 10
MAX_GROWTH_MIB = 64.0


def main(n: int) -> int:
    found_mib = list[float]()
    n_answered = 0
    with served("--processes", "1") as port:
        for i in range(n):
            links = [TWO_NODES["links"][0] | {"capacity_gbps": 100 + i}]
            n_answered += status_of(port, "/v1/score", {"network": TWO_NODES | {"links": links}}) == 200
            if (i + 1) % max(1, n // N_REPORTS) == 0:
                found_mib.append(resident_mib())
                print(f"{i + 1:>8,} documents: {found_mib[-1]:.0f} MiB", flush=True)
    half_mib, end_mib = found_mib[len(found_mib) // 2 - 1], found_mib[-1]
    return verdict(
        f"{n_answered:,} of {n:,} documents answered; {half_mib:.0f} MiB half-way, {end_mib:.0f} MiB in the end",
        f"all answered, at most {MAX_GROWTH_MIB:.0f} MiB more in the second half",
        holds=n_answered == n and end_mib - half_mib <= MAX_GROWTH_MIB,
    )


if __name__ == "__main__":
    sys.exit(main(max(N_REPORTS, int(sys.argv[1])) if len(sys.argv) > 1 else 20_000))
