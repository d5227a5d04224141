"""A service started by a torture script, clients that measure it, and the verdict that a script ends with."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import psutil

START_S = 900
MAX_END_S = 10.0
"""Time in which the service ends after SIGTERM."""
MARK = "verdict"


def verdict(figures: str, limit: str, *, holds: bool) -> int:
    """Print the line that `all.py` puts into its table, and return the exit code.

    Args:
        figures: what was measured.
        limit: what must hold.
        holds: whether it does.
    """
    print(f"{MARK} | {figures} | {limit} | {'holds' if holds else 'FAILS'}", flush=True)
    return 0 if holds else 1


class Answer(NamedTuple):
    """An answer of the service; status 0 if there is none."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}


class Service:
    """`twin serve` on a free port, in a process group of its own.

    Args:
        options: options of the command.
        within: command that starts it, such as one that mounts a disk of its own.
    """

    def __init__(self, *options: str, within: Sequence[str] = ()) -> None:
        self.port = free_port()
        command = [*within, sys.executable, "-m", "twin.cli.main", "serve", "--port", str(self.port), *options]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)

    def children(self) -> list[psutil.Process]:
        """Return the processes below the service: the compute processes and their parent."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def wait_until_ready(self) -> None:
        """Wait until it answers questions. Raises RuntimeError if it ends before that."""
        end_s = time.monotonic() + START_S
        while status_of(self.port, "/readyz") != 200:
            if self.process.poll() is not None or time.monotonic() > end_s:
                raise RuntimeError("the service did not start")
            time.sleep(0.1)

    def kill(self) -> None:
        """End all its processes with SIGKILL."""
        children = self.children()
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        psutil.wait_procs(children, 10)

    def end(self) -> float:
        """End it with SIGTERM, and return how long that takes."""
        start_s = time.monotonic()
        self.process.terminate()
        try:
            self.process.wait(6 * MAX_END_S)
        except subprocess.TimeoutExpired:
            self.kill()
        return time.monotonic() - start_s


@contextmanager
def served(*options: str) -> Iterator[int]:
    """Start `twin serve` with options, and yield its port once it is ready.

    Raises:
        RuntimeError: it does not start, has ended meanwhile, or does not end in time.
    """
    with watched(Service(*options)) as service:
        yield service.port


@contextmanager
def watched(service: Service) -> Iterator[Service]:
    """Yield a service once it is ready, and end it. Raises RuntimeError as `served` does."""
    try:
        service.wait_until_ready()
        yield service
        has_ended = service.process.poll() is not None
    finally:
        taken_s = service.end()
    print(f"SIGTERM: ended in {taken_s:.1f} s")
    if has_ended or taken_s > MAX_END_S:
        raise RuntimeError("the service ended on its own" if has_ended else "the service did not end in time")


def free_port() -> int:
    """Return a free port below those that the system gives to clients, which could take it meanwhile."""
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port


def ask(
    port: int, path: str, body: Any = None, *, method: str = "", client: str = "127.0.0.1", timeout_s: float = 180
) -> Answer:
    """Send one request.

    Args:
        port: port of the service.
        path: path and query.
        body: bytes, or data that is sent as JSON.
        method: method; GET without a body and POST with one if empty.
        client: address from which it is sent; each is a client of its own.
        timeout_s: longest wait for each part of the answer.
    """
    content = body if body is None or isinstance(body, bytes) else json.dumps(body, default=str).encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s, source_address=(client, 0))
    try:
        connection.request(method or ("GET" if body is None else "POST"), path, content)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(), answer.headers)
    except (OSError, http.client.HTTPException):
        return Answer(0)
    finally:
        connection.close()


def status_of(port: int, path: str, body: Any = None, client: str = "127.0.0.1") -> int:
    """Send one request and return its status; 0 if there is no answer."""
    return ask(port, path, body, client=client).status


def timed(port: int, path: str, body: Any = None, client: str = "127.0.0.1") -> tuple[int, float]:
    """Return the status of a request, and its time in seconds."""
    start_s = time.monotonic()
    return status_of(port, path, body, client), time.monotonic() - start_s


def quantile(times_s: list[float], share: float) -> float:
    """Return a quantile of measured times."""
    return sorted(times_s)[min(len(times_s) - 1, int(share * len(times_s)))] if times_s else float("nan")


def resident_mib() -> float:
    """Return the memory of all processes below this one, shared pages counted once for each."""
    found = 0.0
    for child in psutil.Process(os.getpid()).children(recursive=True):
        try:
            found += child.memory_info().rss / 2**20
        except psutil.NoSuchProcess:  # it has ended meanwhile
            continue
    return found
