"""Kills the service with SIGKILL while it computes runs and fills its caches: nothing is lost, and no answer is wrong.

python benchmarks/torture/kill_runs.py [number of kills, default 200] [seed, default 1]

The kills take turns between
  the service     while it computes runs, and fills the cache of compiled networks; the next one goes on,
  its computing   the compute processes of another service, which replaces them and asks again,
  the compiler    a process that compiles a kernel into the cache of kernels, whose source changes now and then.

Every run that was acknowledged must end, with the bytes of a service that nobody kills.
"""

from __future__ import annotations

import importlib
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numba
import twin.api.app as app_module
import uvicorn
from service import Answer, Service, ask, free_port, verdict
from twin.api.settings import Settings

from twin.store import RunStore
from twin.store.run_records import RunLimits

LOST_AFTER_S = 5.0
"""Time after which a server counts as lost, in place of a minute."""
WAIT_S = 600.0
N_ASKED = 3
"""Runs that are asked for before each kill."""


def square(number: int) -> dict[str, Any]:
    """Four switches in a ring; each number is another network, so that it is compiled anew."""
    names = "abcd"
    links = [
        {"id": f"l{i}", "ends": [names[i], names[(i + 1) % 4]], "capacity_gbps": 100.0 + number + i} for i in range(4)
    ]
    demands = [{"id": "d", "source": "a", "target": "c", "offered_gbps": 90}]
    return {"nodes": [{"id": name, "kind": "switch"} for name in names], "links": links, "demands": demands}


def questions() -> list[tuple[str, dict[str, Any]]]:
    """Return sweeps, failures and samples that take from a tenth of a second to some seconds."""
    demo, campus = {"network": "leaf-spine-demo"}, {"network": "two-campus"}
    return [
        ("failures", demo | {"depth": 2}),
        ("failures", campus),
        ("sample", demo | {"n_samples": 32}),
        ("sample", campus | {"n_samples": 16, "seed": 2}),
        ("sweep", campus | {"vary": ["age=0..10:6", "demands=1..2:5"]}),
        ("sweep", demo | {"vary": "demands=1..3:40"}),
        *(("failures", {"network": square(i)}) for i in range(6)),
        *(("sample", {"network": square(i), "n_samples": 16}) for i in range(6, 10)),
    ]


def forked(work: Callable[[], object]) -> int:
    """Run something in a process of its own group, and return its id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.setsid()
        work()
        code = 0
    finally:
        os._exit(code)


def killed(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def serve_here(port: int, data: Path) -> None:
    """Serve on threads of this process, without a warm-up, so that a start takes no time."""
    app_module.RunStore = partial(RunStore, limits=RunLimits(lost_after_s=LOST_AFTER_S))  # type: ignore[misc]
    app = app_module.create_app(warm=False, data=data, settings=Settings(0))
    uvicorn.run(app, port=port, log_level="error")


@contextmanager
def serving(data: Path) -> Iterator[tuple[int, int]]:
    """Yield id and port of a service that is forked from this process, and kill it."""
    port = free_port()
    pid = forked(lambda: serve_here(port, data))
    try:
        until(lambda: ask(port, "/livez").status == 200)
        yield pid, port
    finally:
        killed(pid)


def until(holds: Callable[[], bool], timeout_s: float = WAIT_S) -> None:
    """Wait until something holds. Raises TimeoutError."""
    end_s = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > end_s:
            raise TimeoutError
        time.sleep(0.05)


class Checker:
    """The answers of an undisturbed service, and what the disturbed ones made of the same questions."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.draw = folder, random.Random(seed)
        self.found: Counter[str] = Counter()
        with serving(folder / "undisturbed") as (_, port):
            self.expected = [(path, body, ask(port, f"/v1/{path}", body)) for path, body in questions()]
        assert all(answer.status == 200 for _, _, answer in self.expected), [a.status for _, _, a in self.expected]

    def asked(self, port: int) -> dict[str, bytes]:
        """Ask for runs, and return the expected answers by the ids of those that were acknowledged."""
        found = {}
        for path, body, answer in self.draw.sample(self.expected, N_ASKED):
            run = ask(port, f"/v1/runs/{path}", body)
            if run.status in (200, 202):
                found[run.headers["Location"].rpartition("/")[2]] = answer.body
        self.found["acknowledged"] += len(found)
        return found

    def check(self, port: int, runs: dict[str, bytes]) -> None:
        """Compare the answers of runs once they have ended, and delete these."""
        for run, expected in runs.items():
            answer = Answer(0)

            def has_ended(run: str = run) -> bool:
                nonlocal answer
                answer = ask(port, f"/v1/runs/{run}/answer")
                return answer.status not in (0, 409, 503)

            try:
                until(has_ended)
            except TimeoutError:
                self.found["lost"] += 1
                continue
            if answer.status == 404:
                self.found["lost"] += 1
            elif answer.status != 200 or answer.body != expected:
                self.found["wrong"] += 1
                print(f"run {run[:12]}: status {answer.status}, {answer.body[:300]!r}")
            ask(port, f"/v1/runs/{run}", method="DELETE")


def kill_services(checker: Checker, n: int) -> None:
    """Kill so many services while they compute runs; the last one goes on with what is left of them."""
    cache = Path(os.environ["TWIN_CACHE_DIR"])
    for _ in range(n):
        for file in cache.glob("*.npz"):  # filled again
            file.unlink()
        with serving(checker.folder / "data") as (pid, port):
            runs = checker.asked(port)
            time.sleep(checker.draw.uniform(0.0, 2.0))
            killed_s = time.monotonic()
            os.killpg(pid, signal.SIGKILL)
        checker.found["kills of the service"] += 1
        with serving(checker.folder / "data") as (_, port):
            checker.check(port, runs)
        print(f"service: {time.monotonic() - killed_s:.1f} s until its {len(runs)} runs had ended", flush=True)


def kill_computing(checker: Checker, n: int) -> None:
    """Kill the compute processes of a service so many times."""
    service = Service("--processes", "1", "--data", str(checker.folder / "computing"))
    try:
        service.wait_until_ready()
        for _ in range(n):
            runs = checker.asked(service.port)
            time.sleep(checker.draw.uniform(0.0, 1.0))
            for process in compute_processes(service):
                process.kill()
            checker.found["kills of computing"] += 1
            checker.check(service.port, runs)
            path, body, expected = checker.draw.choice(checker.expected)
            until(lambda: ask(service.port, "/livez").status == 200, 10.0)
            checker.found["wrong"] += ask_again(service.port, path, body).body != expected.body
    finally:
        service.end()


def compute_processes(service: Service) -> list[Any]:
    """Return the processes that compute: the children of the process that they are forked from."""
    own = {child.pid for child in service.children()}
    return [child for child in service.children() if child.ppid() in own]


def ask_again(port: int, path: str, body: Any) -> Answer:
    """Ask until there is room, as Retry-After proposes."""
    while (answer := ask(port, f"/v1/{path}", body)).status in (429, 503):
        time.sleep(1)
    return answer


SOURCE = """
from twin.kernels.jit import kernel

@kernel
def scaled(x):
    total = 0
    for i in range(x):
        total += {factor} * i
    return total
"""


def kill_compilers(checker: Checker, n: int) -> None:
    """Kill processes that compile a kernel; afterwards its answer is that of its source, never of an older one."""
    folder, factor = checker.folder / "kernels", 1
    folder.mkdir()
    numba.config.CACHE_DIR = str(folder / "cache")
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    file = folder / "kernel_of_torture.py"
    start_s, pid = time.monotonic(), forked(lambda: scaled_by(file, 1))
    os.waitpid(pid, 0)
    usual_s = time.monotonic() - start_s
    for i in range(n):
        if i % 3 == 0:
            factor += 1
            file.write_text(SOURCE.format(factor=factor))
        pid = forked(partial(scaled_by, file, factor))
        time.sleep(checker.draw.uniform(0.2, 1.2) * usual_s)
        killed(pid)
        checker.found["kills of compilers"] += 1
        _, status = os.waitpid(forked(partial(scaled_by, file, factor)), 0)
        checker.found["wrong"] += status != 0


def scaled_by(file: Path, factor: int) -> None:
    """Import the kernel, and compare its answer."""
    if not file.exists():
        file.write_text(SOURCE.format(factor=factor))
    assert importlib.import_module(file.stem).scaled(10) == 45 * factor


def main(n: int, seed: int) -> int:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        os.environ["TWIN_CACHE_DIR"] = str(folder / "cache")
        checker = Checker(folder, seed)
        kill_services(checker, n - n // 2 - n // 4)
        kill_computing(checker, n // 2)
        kill_compilers(checker, n // 4)
    found = checker.found
    return verdict(
        f"{dict(found)}",
        "no acknowledged run lost, no answer wrong",
        holds=not found["lost"] and not found["wrong"] and found["acknowledged"] > 0,
    )


if __name__ == "__main__":
    arguments = [int(text) for text in sys.argv[1:]]
    sys.exit(main(*(arguments or [200])[:1], *(arguments[1:] or [1])))
