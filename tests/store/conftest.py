"""Databases of the three kinds: the same tests run on each."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from twin.store import Database, NetworkStore, open_database


def _programs() -> Path | None:
    """Folder of the newest PostgreSQL that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    on_path = shutil.which("initdb")
    return found[-1] if found else Path(on_path).parent if on_path else None


class PostgresServer:
    """A private server of PostgreSQL on a socket in its own folder; it refuses to run as root."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs, self.folder = programs, folder
        self._as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._as_user:
            shutil.chown(folder, "postgres")
        self._run("initdb", "-D", f"{folder}/data", "-U", "postgres", "-A", "trust", "--no-sync", "--encoding=UTF8")
        self._n_databases = 0

    def _run(self, program: str, *words: str) -> None:
        command = [*self._as_user, str(self.programs / program), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd="/")
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-c listen_addresses='' -k {self.folder} -c fsync=off -c shared_buffers=16MB"
        log = f"{self.folder}/log"
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """Stop it; connections break."""
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-m", "immediate", "stop")

    def new_url(self) -> str:
        """Address of a new, empty database."""
        self._n_databases += 1
        name = f"twin{self._n_databases}"
        self._run("createdb", "-h", str(self.folder), "-U", "postgres", name)
        return f"postgresql://postgres@/{name}?host={self.folder}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running server. Without the programs the tests are skipped, but not in CI."""
    programs = _programs()
    if programs is None:
        assert not os.environ.get("CI"), "CI installs postgresql"
        pytest.skip("PostgreSQL is not installed (apt install postgresql)")
    with tempfile.TemporaryDirectory(prefix="twin-pg-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        server = PostgresServer(programs, Path(name))
        server.start()
        yield server
        server.stop()


@pytest.fixture(params=["memory", "directory", "postgres"])
def data(request: pytest.FixtureRequest, tmp_path: Path) -> str | None:
    """What `open_database` takes, of an empty database of each kind."""
    if request.param == "memory":
        return None
    if request.param == "directory":
        return str(tmp_path / "data")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_url()


@pytest.fixture
def database(data: str | None) -> Iterator[Database]:
    opened = open_database(data)
    yield opened
    opened.close()


@pytest.fixture
def store(database: Database) -> NetworkStore:
    return NetworkStore(database)


def wait_until_gone(pid: int, timeout_s: float = 10.0) -> None:
    """Wait for the end of a process."""
    end = time.monotonic() + timeout_s
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
        time.sleep(0.01)
