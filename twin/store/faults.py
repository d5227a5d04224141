"""Faults of a database as errors of the store: the problem and what to do, without statements or passwords."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ..errors import StoreError

SQLITE_FAULTS = {
    "SQLITE_FULL": ("the disk is full", "free some space; what was stored before is intact"),
    "SQLITE_READONLY": ("is read-only", "check the rights of the directory and the disk"),
    "SQLITE_CANTOPEN": ("cannot be opened", "check the directory, its rights and the disk"),
    "SQLITE_NOTADB": ("is no database of SQLite", "give the store a directory of its own"),
    "SQLITE_CORRUPT": ("is damaged", "restore a backup in a new directory"),
    "SQLITE_BUSY": ("is locked by another process", "try again, or end that process"),
    "SQLITE_IOERR": ("cannot be read or written", "check the disk"),
    "SQLITE_PERM": ("may not be opened", "check the rights of the file"),
}
"""Problem and hint by the name of an error of SQLite, without its details."""
SERVER_FAULTS = {
    "53100": ("the server's disk is full", "free some space; what was stored before is intact"),
    "53300": ("the server has no free connection", "try again, or raise max_connections"),
    "25006": ("the server is read-only", "name the primary server"),
    "28P01": ("wrong user or password", "check the URL"),
    "28000": ("wrong user or password", "check the URL"),
    "3D000": ("no such database", "create it first"),
    "42501": ("the user lacks a right", "grant CREATE on the schema public"),
    "55P03": ("is locked by another process", "try again, or end that process"),
}
"""Problem and hint by SQLSTATE of PostgreSQL."""
LOST = ("no connection to the server", "start the server; the next request connects again")


def store_error(error: DBAPIError | PoolTimeoutError | sqlite3.Error, where: str) -> StoreError | None:
    """Return the StoreError of a fault of the database, or None where the statement is at fault.

    Args:
        error: as SQLAlchemy or the driver raises it.
        where: place of the database.
    """
    if isinstance(error, PoolTimeoutError):
        return StoreError("all connections are in use", where=where, hint="try again")
    original = error.orig if isinstance(error, DBAPIError) else error
    name = getattr(original, "sqlite_errorname", None)
    if name is not None:
        fault = SQLITE_FAULTS.get("_".join(name.split("_")[:2]))
    else:
        state = getattr(original, "sqlstate", None)
        is_lost = getattr(error, "connection_invalidated", False) or state is None or state[:2] in ("08", "57")
        # a refused login has no state, only a text
        fault = SERVER_FAULTS.get(state or _state_in(str(original)), LOST if is_lost else None)
    return None if fault is None else StoreError(fault[0], where=where, hint=fault[1])


def _state_in(message: str) -> str:
    """Return the SQLSTATE of a refused connection, which the driver gives as text alone."""
    texts = {
        "authentication failed": "28P01",
        "no password supplied": "28P01",
        "does not exist": "3D000",
        "too many clients": "53300",
    }
    return next((state for part, state in texts.items() if part in message), "")
