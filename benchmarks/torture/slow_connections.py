"""Slow connections, half of them with a half-sent header and half with a half-sent body, while a question is asked.

python benchmarks/torture/slow_connections.py [number of connections, default 800]
"""

from __future__ import annotations

import socket
import sys
import time

from service import quantile, served, timed, verdict

PARTS = (b"POST /v1/sco", b"POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{")
WATCH_S = 20.0
MAX_P99_S = 1.0


def main(n: int) -> int:
    with served("--processes", "1") as port:
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(n)]
        for i, connection in enumerate(slow):
            connection.sendall(PARTS[i % 2])
        found, end_s = [], time.monotonic() + WATCH_S
        while time.monotonic() < end_s:
            found.append(timed(port, "/v1/score", {"network": "leaf-spine-demo"}))
            time.sleep(0.05)
        n_closed = 0
        for connection in slow:
            connection.settimeout(0.05)
            try:
                n_closed += 1 if connection.recv(4096) is not None else 0
            except TimeoutError:
                pass
            except OSError:
                n_closed += 1
        for connection in slow:
            connection.close()
    n_answered, times_s = sum(status == 200 for status, _ in found), [time_s for _, time_s in found]
    p50_s, p99_s = quantile(times_s, 0.5), quantile(times_s, 0.99)
    return verdict(
        f"{n_closed} of {n} closed; {n_answered} of {len(found)} answered, p50 {p50_s:.3f} s, p99 {p99_s:.3f} s",
        f"all slow ones closed in {WATCH_S:g} s, all questions answered, p99 at most {MAX_P99_S:g} s",
        holds=n_closed == n and n_answered == len(found) > 0 and p99_s <= MAX_P99_S,
    )


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 800))
