"""The database of the store: SQLite in a directory or in memory, or PostgreSQL by URL.

>>> database = open_database(None)
>>> with database.read() as connection:
...     database.version_of(connection)
2
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, func, insert, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool

from ..errors import StoreError
from ..errors.wording import counted
from .faults import store_error
from .tables import STEPS, VERSION

FILE = "twin.sqlite3"
"""Name of the database file in a directory."""
WAIT_S = 10.0
"""Longest wait for a lock of another process, and for a connection of the pool."""
N_CONNECTIONS = 8
"""Connections to a database; requests beyond them wait."""
IS_WRITE = "twin_is_write"
LOCK_OF_STEPS = 0x7477696E
"""Key of PostgreSQL's advisory lock of those that prepare a database."""


class Database:
    """A database whose tables are those of this version.

    Transactions raise StoreError where the database fails. After a fault has passed, the next transaction works: a lost
    connection is replaced.
    """

    def __init__(self, engine: Engine, where: str, file: Path | None = None) -> None:
        self.engine = engine
        self.where = where
        """Place for messages: a path or a URL without its password."""
        self._file, self._file_id, self._lock = file, _id_of(file), Lock()

    @property
    def is_sqlite(self) -> bool:
        """Return whether this is a database of SQLite."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection in a transaction that sees one state of the database."""
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with self._transaction(options) as connection:
            yield connection

    @contextmanager
    def write(self, *tables: Table) -> Iterator[Connection]:
        """Yield a connection in a transaction that is durable once the block ends without an error.

        tables: tables that no one else may write meanwhile. SQLite has one writer at a time anyway.
        """
        with self._transaction({IS_WRITE: True}) as connection:
            if tables and not self.is_sqlite:
                names = ", ".join(table.name for table in tables)
                connection.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
            yield connection

    @contextmanager
    def _transaction(self, options: dict[str, Any]) -> Iterator[Connection]:
        self._find_file()
        try:
            with self.engine.connect().execution_options(**options) as connection, connection.begin():
                yield connection
        except (DBAPIError, PoolTimeoutError, sqlite3.Error) as error:
            found = store_error(error, self.where)
            if found is None:
                raise
            raise found from error

    def _find_file(self) -> None:
        """Check that the file of SQLite is in its place: connections to one that was moved away would go on.

        Raises:
            StoreError: it is gone. Once a file is back, it is used.
        """
        if self._file is None or self._file_id is None:
            return
        found = _id_of(self._file)
        if found == self._file_id:
            return
        with self._lock:
            if found is None:
                self.engine.dispose()
                raise StoreError("was moved away", where=self.where, hint="put it back; the next request opens it")
            if found != self._file_id:
                self.engine.dispose()
                self._file_id = found
        self.prepare()

    def version_of(self, connection: Connection) -> int:
        """Return the number of steps that the database has taken; 0 = it is empty.

        Raises:
            StoreError: a database of something else, or of a newer version of this program.
        """
        names = inspect(connection).get_table_names()
        if VERSION.name not in names:
            if names:
                raise StoreError(
                    f"holds {counted(len(names), 'table')} of something else", where=self.where,
                    hint="give the store a database of its own",
                )  # fmt: skip
            return 0
        version: int = connection.execute(select(func.max(VERSION.c.version))).scalar() or 0
        if version > len(STEPS):
            raise StoreError(
                f"has version {version} of the tables, and this program knows {len(STEPS)}",
                where=self.where,
                hint="update dc-twin, or restore a backup in a new place",
            )
        return version

    def take_steps(self, connection: Connection, version: int) -> None:
        """Bring the tables from a version to that of this program."""
        VERSION.create(connection, checkfirst=True)
        for step in STEPS[version:]:
            step(connection)
        connection.execute(VERSION.delete())
        connection.execute(insert(VERSION).values(version=len(STEPS)))

    def prepare(self) -> None:
        """Create the tables, or bring them to this version."""
        with self.read() as connection:
            if self.version_of(connection) == len(STEPS):
                return
        if self.is_sqlite:
            self._write_ahead()
        with self.write() as connection:
            if not self.is_sqlite:
                connection.execute(select(func.pg_advisory_xact_lock(LOCK_OF_STEPS)))
            version = self.version_of(connection)  # another process may have been faster
            if version < len(STEPS):
                self.take_steps(connection, version)

    def _write_ahead(self) -> None:
        """Let readers go on while one writes. The mode stays in the file."""
        try:
            raw = self.engine.raw_connection()
            try:
                raw.cursor().execute("PRAGMA journal_mode=WAL")
            finally:
                raw.close()
        except (DBAPIError, sqlite3.Error) as error:
            found = store_error(error, self.where)
            if found is None:
                raise
            raise found from error

    def opened(self) -> None:
        """Remember which file this is, once it exists."""
        self._file_id = _id_of(self._file)

    def close(self) -> None:
        """Close all connections; an in-memory database is gone."""
        self.engine.dispose()


def open_database(data: str | Path | None) -> Database:
    """Open a database, and create its tables where they are missing.

    Args:
        data: directory of a SQLite database, URL of a PostgreSQL database, or None for one in memory.

    Raises:
        StoreError: it cannot be opened, is of something else, or of a newer version of this program.
    """
    if data is None:
        database = Database(_sqlite_engine(None), "the store in memory")
    elif isinstance(data, str) and "://" in data:
        database = _server(data)
    else:
        folder = Path(data)
        database = Database(_sqlite_engine(_file_in(folder)), str(folder / FILE), folder / FILE)
    try:
        database.prepare()
        database.opened()
    except BaseException:
        database.close()
        raise
    return database


def _id_of(file: Path | None) -> tuple[int, int] | None:
    """Return what tells a file from one that takes its place; None if there is none."""
    if file is None:
        return None
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _file_in(folder: Path) -> Path:
    """Return the file of a database in a directory, which is created if it is missing."""
    if folder.exists() and not folder.is_dir():
        raise StoreError("is a file", where=str(folder), hint=f"name the directory that holds {FILE}")
    if not folder.exists() and not folder.absolute().parent.is_dir():
        raise StoreError(f"no directory {folder.absolute().parent}", where=str(folder), hint="make it first")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot be made: {error.strerror}", where=str(folder)) from error
    return folder / FILE


def _sqlite_engine(file: Path | None) -> Engine:
    url = URL.create("sqlite+pysqlite", database=":memory:" if file is None else str(file))
    # an in-memory database lives in its only connection, so threads queue for it
    size = {"pool_size": 1, "max_overflow": 0} if file is None else {"pool_size": N_CONNECTIONS, "max_overflow": 0}
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_timeout=WAIT_S if file is not None else 6 * WAIT_S,
        connect_args={"check_same_thread": False, "timeout": WAIT_S},
        **size,
    )

    def connect(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions on its own
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    def begin(connection: Connection) -> None:
        is_write = connection.get_execution_options().get(IS_WRITE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")

    event.listen(engine, "connect", connect)
    event.listen(engine, "begin", begin)
    return engine


def _server(address: str) -> Database:
    """Return a database of PostgreSQL, not yet connected."""
    forms = "a directory, or postgresql://user:password@host/database"
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise StoreError("is no URL of a database", where="data", expected=forms) from None
    where = url.render_as_string(hide_password=True)
    if url.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise StoreError(f"no database {url.drivername!r}", where=where, expected=forms)
    try:
        import psycopg  # noqa: F401  # an extra
    except ImportError:
        raise StoreError(
            "PostgreSQL needs the package psycopg", where=where, hint="pip install 'dc-twin[postgres]'"
        ) from None
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            pool_size=N_CONNECTIONS,
            max_overflow=0,
            pool_timeout=WAIT_S,
            connect_args={"connect_timeout": 5, "options": f"-c lock_timeout={int(WAIT_S * 1000)}"},
        )
    except SQLAlchemyError as error:
        raise StoreError(f"cannot be used: {error}", where=where) from error
    return Database(engine, where)
