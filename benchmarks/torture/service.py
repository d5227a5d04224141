"""A service started by a torture script, and clients that measure it."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

START_S = 900


@contextmanager
def served(*options: str) -> Iterator[int]:
    """Start `twin serve` with options, and yield its port once it is ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "twin.cli.main", "serve", "--port", str(port), *options]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        end_s = time.monotonic() + START_S
        while time.monotonic() < end_s and status_of(port, "/readyz") != 200:
            time.sleep(0.5)
        yield port
    finally:
        start_s = time.monotonic()
        process.terminate()
        process.wait(60)
        print(f"SIGTERM: ended in {time.monotonic() - start_s:.1f} s")


def status_of(port: int, path: str, body: Any = None, timeout_s: float = 180) -> int:
    """Send one request and return its status; 0 if there is no connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request(
            "GET" if body is None else "POST", path, None if body is None else json.dumps(body, default=str)
        )
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def timed(port: int, path: str, body: Any = None) -> tuple[int, float]:
    """Return the status of a request, and its time in seconds."""
    start_s = time.monotonic()
    return status_of(port, path, body), time.monotonic() - start_s


def quantile(times_s: list[float], share: float) -> float:
    """Return a quantile of measured times."""
    return sorted(times_s)[min(len(times_s) - 1, int(share * len(times_s)))] if times_s else float("nan")
