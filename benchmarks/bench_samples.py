"""Times of studies under uncertain inputs: `python benchmarks/bench_samples.py [N_SAMPLES]`."""

from __future__ import annotations

import sys
import time

import twin
from twin.studies.executor import n_cores


def main(n_samples: int) -> None:
    """Sample a what-if of `memphis-small`, with the tornado; the kernels are compiled before."""
    network = twin.load("memphis-small")
    network.sample(["fibre-upgrade"], n_samples=2, executor="serial")
    for n_workers in sorted({1, n_cores()}):
        fresh = twin.load("memphis-small")
        start_s, processor_s = time.perf_counter(), time.process_time()
        answer = fresh.sample(["fibre-upgrade"], n_samples=n_samples, n_workers=n_workers)
        elapsed_s, own_s = time.perf_counter() - start_s, time.process_time() - processor_s
        print(
            f"{n_samples} samples of a what-if, {len(answer.inputs)} inputs, {n_workers} processes: "
            f"{elapsed_s:.1f} s, of which {own_s:.1f} s of processor time in this process"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1024)
