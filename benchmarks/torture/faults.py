"""Breaks what the service stores on, while it serves: it says so, stays up, and goes on once the cause has passed.

python benchmarks/torture/faults.py

  full disk        a disk of 4 MiB in memory that a file fills, mounted in a namespace of the user (no root is needed)
  read-only disk   files of the service may not grow (a limit of the system); then a start on a read-only folder
  lost database    a server of PostgreSQL that is killed, and started again

A row whose means this machine lacks is left out, and the verdict says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
from service import Answer, Service, ask, verdict, watched

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.store.postgres import PostgresServer, programs

MOUNT = 'mount -t tmpfs -o size=4m twin "$0" && exec "$@"'
SCORE = {"network": "leaf-spine-demo", "main_assumptions": False}
SWEEP = {"network": "two-campus", "vary": "age=0..20:60"}
WAIT_S = 120.0


class Steps:
    """The steps of a row, each with what was found."""

    def __init__(self) -> None:
        self.failed: list[str] = []
        self.n = 0

    def expect(self, name: str, *, holds: bool, found: object = "") -> None:
        self.n += 1
        print(f"  {'ok' if holds else 'FAILS'}: {name} {found}", flush=True)
        if not holds:
            self.failed.append(name)


def put(service: Service, name: str, n_blanks: int = 0) -> Answer:
    """Store a network; blanks make its document larger."""
    document = b'{"nodes": [{"id": "a", "kind": "switch"}]}' + b" " * n_blanks
    return ask(service.port, f"/v1/networks/{name}", document, method="PUT")


def is_store_error(answer: Answer) -> bool:
    return (
        answer.status in (503, 507)
        and answer.headers["Content-Type"] == "application/problem+json"
        and b"urn:dc-twin:problem:store-error" in answer.body
    )


def is_alive(service: Service) -> bool:
    """Return whether it answers what needs no store."""
    return ask(service.port, "/livez").status == 200 and ask(service.port, "/v1/score", SCORE).status == 200


def eventually(holds: Callable[[], bool]) -> bool:
    """Return whether something holds before long."""
    end_s = time.monotonic() + WAIT_S
    while not holds():
        if time.monotonic() > end_s:
            return False
        time.sleep(0.2)
    return True


def run_of(service: Service) -> str:
    """Ask for a run, and return its path."""
    answer = ask(service.port, "/v1/runs/sweep", SWEEP)
    return answer.headers["Location"] if answer.status in (200, 202) else ""


class SmallDisk:
    """A service on a disk of its own in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        within = ("unshare", "-rm", "sh", "-c", MOUNT, str(folder))
        self.service = Service("--processes", "1", "--data", str(folder / "store"), within=within)

    @property
    def inside(self) -> Path:
        """Return the disk as this process reaches it."""
        return Path(f"/proc/{self.service.process.pid}/root{self.folder}")

    def fill(self) -> None:
        with suppress(OSError), (self.inside / "filler").open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)

    def free(self) -> None:
        (self.inside / "filler").unlink()


def full_disk(steps: Steps) -> None:
    """Fill the disk while a run is computed and networks are stored."""
    with tempfile.TemporaryDirectory() as name, watched((disk := SmallDisk(Path(name))).service) as service:
        expected = ask(service.port, "/v1/sweep", SWEEP).body
        steps.expect("a network is stored", holds=put(service, "kept").status == 201)
        kept = ask(service.port, "/v1/networks/kept").body
        run = run_of(service)
        disk.fill()
        refused = put(service, "large", 300_000)
        steps.expect("a write is refused", holds=is_store_error(refused), found=(refused.status, refused.body[:160]))
        steps.expect("the service stays up", holds=is_alive(service))
        steps.expect("what was stored is read", holds=ask(service.port, "/v1/networks/kept").body == kept)
        time.sleep(5)  # the run cannot be stored meanwhile
        disk.free()
        steps.expect("writes are stored again", holds=put(service, "large", 300_000).status == 201)
        steps.expect("the run ends with the right bytes", holds=ends_with(service, run, expected))


def read_only_disk(steps: Steps) -> None:
    """Let no process of the service write, while it computes a run; then start it on a folder that is read-only."""
    with tempfile.TemporaryDirectory() as name:
        options = ("--processes", "1", "--data", name)
        with watched(Service(*options)) as service:
            expected = ask(service.port, "/v1/sweep", SWEEP).body
            steps.expect("a network is stored", holds=put(service, "kept").status == 201)
            kept = ask(service.port, "/v1/networks/kept").body
            run = run_of(service)
            limit_files(service, 0)
            refused = put(service, "new")
            steps.expect("a write is refused", holds=is_store_error(refused), found=refused.body[:160])
            steps.expect("the service stays up", holds=is_alive(service))
            steps.expect("what was stored is read", holds=ask(service.port, "/v1/networks/kept").body == kept)
            limit_files(service, -1)
            steps.expect("writes are stored again", holds=put(service, "new").status == 201)
            steps.expect("the run ends with the right bytes", holds=ends_with(service, run, expected))
        mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
        command = ("unshare", "-rm", "sh", "-c", mount, name, sys.executable, "-m", "twin.cli.main", "serve", *options)
        ended = subprocess.run([*command, "--port", "0"], capture_output=True, text=True, timeout=WAIT_S)
        is_error = ended.returncode == 2 and "twin.sqlite3: cannot be opened" in ended.stderr
        steps.expect("a start on a read-only folder is an error", holds=is_error, found=ended.stderr[:160])
        with watched(Service(*options)) as service:
            steps.expect("what was stored is there", holds=ask(service.port, "/v1/networks/kept").body == kept)


def limit_files(service: Service, max_bytes: int) -> None:
    """Bound the size of files that the service writes; 0 = it writes nothing, -1 = no bound."""
    for process in [psutil.Process(service.process.pid), *service.children()]:
        process.rlimit(psutil.RLIMIT_FSIZE, (max_bytes, -1))


def ends_with(service: Service, run: str, expected: bytes) -> bool:
    """Return whether a run ends with an answer."""
    return eventually(lambda: ask(service.port, f"{run}/answer").body == expected)


def lost_database(steps: Steps) -> None:
    """Kill the server of PostgreSQL while a run is computed, and start it again."""
    found = programs()
    assert found is not None
    with tempfile.TemporaryDirectory(prefix="twin-pg-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        server = PostgresServer(found, Path(name))
        server.start()
        try:
            with watched(Service("--processes", "1", "--data", server.new_url())) as service:
                expected = ask(service.port, "/v1/sweep", SWEEP).body
                steps.expect("a network is stored", holds=put(service, "kept").status == 201)
                kept = ask(service.port, "/v1/networks/kept").body
                run = run_of(service)
                server.stop()
                for answer in (put(service, "new"), ask(service.port, "/v1/networks/kept")):
                    steps.expect("a request is refused", holds=is_store_error(answer), found=answer.body[:160])
                steps.expect("the service stays up", holds=is_alive(service))
                server.start()
                steps.expect("what was stored is read", holds=ask(service.port, "/v1/networks/kept").body == kept)
                steps.expect("writes are stored again", holds=put(service, "new").status == 201)
                steps.expect("the run ends with the right bytes", holds=ends_with(service, run, expected))
        finally:
            server.stop()


def has_namespaces() -> bool:
    """Return whether a user may mount a disk of their own here."""
    words = ("unshare", "-rm", "true")
    return all(map(shutil.which, ("unshare", "nsenter"))) and not subprocess.run(words, capture_output=True).returncode


def main() -> int:
    missing = "" if has_namespaces() else "no namespaces of users here"
    rows = {
        "full disk": (full_disk, missing),
        "read-only disk": (read_only_disk, missing),
        "lost database": (lost_database, "" if programs() else "PostgreSQL is not installed"),
    }
    texts, steps = list[str](), Steps()
    os.environ.pop("TWIN_DATA", None)
    for title, (row, reason) in rows.items():
        print(title, flush=True)
        before, n_failed = steps.n, len(steps.failed)
        if not reason:
            try:
                row(steps)
            except (OSError, RuntimeError, subprocess.SubprocessError) as error:
                steps.expect(f"{title}: {error}", holds=False)
        n = steps.n - before
        texts.append(
            f"{title} {n - (len(steps.failed) - n_failed)} of {n} steps" if n else f"{title} skipped: {reason}"
        )
    return verdict("; ".join(texts), "an error of the store, the service stays up, recovery", holds=not steps.failed)


if __name__ == "__main__":
    sys.exit(main())
