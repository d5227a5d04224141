"""Many clients at once: their statuses, and the time of /livez beside them.

python benchmarks/torture/clients.py [clients, default 1000] [seconds, default 60]
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter

from service import quantile, served

BODY = json.dumps({"network": "leaf-spine-demo", "main_assumptions": False}).encode()
QUESTION = b"POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
    len(BODY),
    BODY,
)
LIVE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


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


async def watch(port: int, end_s: float, times_s: list[float]) -> None:
    while time.monotonic() < end_s:
        start_s = time.monotonic()
        assert await status_of(port, LIVE) == "200"
        times_s.append(time.monotonic() - start_s)
        await asyncio.sleep(0.1)


async def run(port: int, n: int, seconds: float) -> None:
    found: Counter[str] = Counter()
    times_s: list[float] = []
    end_s = time.monotonic() + seconds
    await asyncio.gather(watch(port, end_s, times_s), *(client(port, end_s, found) for _ in range(n)))
    print(f"{n} clients for {seconds:g} s: {dict(found)}")
    print(f"/livez: p50 {quantile(times_s, 0.5):.3f} s, p99 {quantile(times_s, 0.99):.3f} s")


def main(n: int, seconds: float) -> None:
    with served() as port:
        asyncio.run(run(port, n, seconds))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, float(sys.argv[2]) if len(sys.argv) > 2 else 60.0)
