"""Backups: every table as lines of JSON in a gzip file, the same for SQLite and PostgreSQL, with a checksum."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from ..errors import StoreError
from .database import Database
from .tables import METADATA, STEPS, VERSION

FORMAT = "dc-twin store"
FORMAT_VERSION = 1
BATCH = 50
"""Rows that are read or written at once."""
MAX_LINE_BYTES = 512 * 1024**2


def write_backup(database: Database, path: Path) -> int:
    """Write all rows of one state of the database to a file, and return their number.

    The file appears under its name once it is complete and on the disk.

    Raises:
        StoreError: the database or the file failed.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                with gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0, compresslevel=6) as packed:
                    n_rows = _write_rows(database, packed)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise StoreError(f"cannot be written: {error.strerror}", where=str(path)) from error
    return n_rows


def _write_rows(database: Database, packed: gzip.GzipFile) -> int:
    checksum, n_rows = hashlib.sha256(), 0

    def write(line: dict[str, Any]) -> None:
        text = json.dumps(line).encode() + b"\n"
        checksum.update(text)
        packed.write(text)

    with database.read() as connection:
        write({"format": FORMAT, "format_version": FORMAT_VERSION, "version": database.version_of(connection)})
        for table in _tables():
            streamed = connection.execution_options(stream_results=True, yield_per=BATCH)
            for row in streamed.execute(select(table).order_by(*table.primary_key)):
                n_rows += 1
                write({"table": table.name, "row": {key: _plain(value) for key, value in row._mapping.items()}})
    packed.write(json.dumps({"n_rows": n_rows, "sha256": checksum.hexdigest()}).encode() + b"\n")
    return n_rows


def _tables() -> list[Table]:
    """Return the tables with rows, each after those that it refers to."""
    return [table for table in METADATA.sorted_tables if table is not VERSION]


def _plain(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes | memoryview) else value


def restore(path: Path, database: Database, *, replace: bool = False) -> int:
    """Write all rows of a backup to a database, in one transaction, and return their number.

    Args:
        path: file of `write_backup`; its checksum is verified first.
        database: an open database.
        replace: whether to delete what the database holds; otherwise it must be empty.

    Raises:
        StoreError: no backup, a damaged one, one of a newer version, a database that is not empty, or one that fails.
    """
    version = verified_version(path)
    tables = {table.name: table for table in _tables()}
    n_rows = 0
    with database.write(*tables.values()) as connection:
        _make_empty(connection, database, replace=replace)
        batch: list[dict[str, Any]] = []
        last = ""
        for line in _lines(path):
            if "row" not in line:
                continue
            if line["table"] != last or len(batch) == BATCH:
                _insert(connection, tables, last, batch)
                batch, last = [], line["table"]
            batch.append({key: _bytes(value) for key, value in line["row"].items()})
            n_rows += 1
        _insert(connection, tables, last, batch)
        database.take_steps(connection, version)
    return n_rows


def _make_empty(connection: Connection, database: Database, *, replace: bool) -> None:
    for table in reversed(_tables()):
        if not replace and connection.execute(select(table).limit(1)).first() is not None:
            hint = "name another place, or say --replace to delete what it holds"
            raise StoreError("is not empty", where=database.where, hint=hint)
        connection.execute(table.delete())


def _insert(connection: Connection, tables: dict[str, Table], name: str, batch: list[dict[str, Any]]) -> None:
    if batch:
        connection.execute(insert(tables[name]), batch)


def _bytes(value: Any) -> Any:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value


def verified_version(path: Path) -> int:
    """Return the version of the tables of a backup whose checksum is right.

    Raises:
        StoreError: no backup, a damaged one, or one of a newer version.
    """
    where = str(path)
    checksum, n_rows = hashlib.sha256(), 0
    header: dict[str, Any] = {}
    last: dict[str, Any] = {}
    for line in _lines(path, checksum):
        header = header or line
        if header.get("format") != FORMAT:
            raise StoreError("is no backup of a store", where=where, hint="`twin store backup` writes one")
        n_rows += "row" in line
        last = line
    if header.get("format_version") != FORMAT_VERSION or not 0 < header.get("version", 0) <= len(STEPS):
        raise StoreError("is a backup of a newer version", where=where, hint="update dc-twin")
    if last != {"n_rows": n_rows, "sha256": checksum.hexdigest()}:
        raise StoreError("is damaged: its checksum is wrong", where=where, hint="take an earlier backup")
    return int(header["version"])


def _lines(path: Path, checksum: Any = None) -> Iterator[dict[str, Any]]:
    """Yield the lines of a backup. `checksum` takes all lines but the last one, which states it."""
    before = b""
    try:
        with gzip.open(path, "rb") as packed:
            while text := packed.readline(MAX_LINE_BYTES):
                if checksum is not None:
                    checksum.update(before)
                before = text
                line = json.loads(text)
                yield line if isinstance(line, dict) else {}
    except (gzip.BadGzipFile, EOFError, zlib.error, ValueError) as error:
        raise StoreError("is no backup, or a damaged one", where=str(path), hint="take an earlier backup") from error
    except OSError as error:
        raise StoreError(f"cannot be read: {error.strerror}", where=str(path)) from error
