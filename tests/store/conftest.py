"""Databases of the three kinds: the same tests run on each."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.postgres import PostgresServer, programs
from twin.store import Database, NetworkStore, open_database


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running server. Without the programs the tests are skipped, but not in CI."""
    folder = programs()
    if folder is None:
        assert not os.environ.get("CI"), "CI installs postgresql"
        pytest.skip("PostgreSQL is not installed (apt install postgresql)")
    with tempfile.TemporaryDirectory(prefix="twin-pg-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        server = PostgresServer(folder, Path(name))
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
