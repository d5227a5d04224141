"""Many clients at once: their statuses, and the time of /livez beside them.

python benchmarks/torture/clients.py [clients, default 1000] [seconds, default 60]
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
import time
from collections import Counter
from multiprocessing import Process, Queue

from service import quantile, served, timed, verdict

BODY = json.dumps({"network": "leaf-spine-demo", "main_assumptions": False}).encode()
QUESTION = b"POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
    len(BODY),
    BODY,
)
ALLOWED = {"200", "429", "503"}
MAX_P99_S = 0.25


async def status_of(port: int, request: bytes) -> str:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        return answer.split(b" ", 2)[1].decode() if answer else "closed"
    except OSError as error:
        return type(error).__name__


async def client(port: int, end_s: float, found: Counter[str]) -> None:
    while time.monotonic() < end_s:
        status = await status_of(port, QUESTION)
        found[status] += 1
        if status != "200":
            await asyncio.sleep(1)  # as Retry-After asks


def watch(port: int, seconds: float, found: Queue[list[float]]) -> None:
    """Ask /livez for some time, in a process of its own: the clients would delay it."""
    times_s, end_s = [], time.monotonic() + seconds
    while time.monotonic() < end_s:
        status, time_s = timed(port, "/livez")
        times_s.append(time_s if status == 200 else math.inf)
        time.sleep(0.1)
    found.put(times_s)


async def run(port: int, n: int, seconds: float) -> Counter[str]:
    """Ask with so many clients, and return their statuses."""
    found: Counter[str] = Counter()
    end_s = time.monotonic() + seconds
    await asyncio.gather(*(client(port, end_s, found) for _ in range(n)))
    return found


def main(n: int, seconds: float) -> int:
    with served() as port:
        queue: Queue[list[float]] = Queue()
        probe = Process(target=watch, args=(port, seconds, queue))
        probe.start()
        found = asyncio.run(run(port, n, seconds))
        times_s = queue.get()
        probe.join()
    p50_s, p99_s = quantile(times_s, 0.5), quantile(times_s, 0.99)
    return verdict(
        f"{n:,} clients, {seconds:g} s: {dict(found)}; /livez: p50 {p50_s:.3f} s, p99 {p99_s:.3f} s of {len(times_s)}",
        f"statuses {sorted(ALLOWED)}, p99 at most {MAX_P99_S:g} s",
        holds=p99_s <= MAX_P99_S and not found.keys() - ALLOWED and found["200"] > 0,
    )


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, float(sys.argv[2]) if len(sys.argv) > 2 else 60.0))
