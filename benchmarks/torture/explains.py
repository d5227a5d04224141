"""Many explanations at once: their statuses, and the memory of the service before and after.

python benchmarks/torture/explains.py [number of questions, default 500] [at the same time, default 50]
"""

from __future__ import annotations

import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from memory import resident_mib
from service import served, status_of

ALLOWED = {200, 429, 503}


def main(n: int, n_at_once: int) -> int:
    with served("--processes", "2") as port, ThreadPoolExecutor(n_at_once) as threads:
        body = {"network": "memphis-small"}
        status_of(port, "/v1/explain", body)
        before_mib = resident_mib()
        found = Counter(threads.map(lambda _: status_of(port, "/v1/explain", body), range(n)))
        print(f"{n} explanations: {dict(found)}; {before_mib:.0f} MiB before, {resident_mib():.0f} MiB after")
    return sum(count for status, count in found.items() if status not in ALLOWED)


if __name__ == "__main__":
    arguments = [int(text) for text in sys.argv[1:]]
    sys.exit(1 if main(*(arguments or [500]), *([] if len(arguments) > 1 else [50])) else 0)
