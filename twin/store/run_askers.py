"""Who asked for a run: the same question of several clients is one run."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from .tables import RUN_ASKERS, RUNS


class OtherAskerError(Exception):
    """Somebody else asked for the run, too."""


def add_asker(connection: Connection, run_id: str, key_name: str, *, is_new: bool) -> None:
    """Note that a client asked for a run.

    Args:
        connection: a transaction.
        run_id: id of the run.
        key_name: name of its API key; empty without a key.
        is_new: whether the run begins anew, so that earlier clients count no more.
    """
    if is_new:
        connection.execute(delete(RUN_ASKERS).where(RUN_ASKERS.c.run_id == run_id))
    if key_name not in askers(connection, run_id):
        connection.execute(insert(RUN_ASKERS).values(run_id=run_id, key_name=key_name))


def askers(connection: Connection, run_id: str) -> set[str]:
    """Return the names of the API keys that asked for a run; empty for a request without a key."""
    return set(connection.execute(select(RUN_ASKERS.c.key_name).where(RUN_ASKERS.c.run_id == run_id)).scalars())


def delete_stale_askers(connection: Connection) -> None:
    """Delete the names of runs that are there no more."""
    connection.execute(delete(RUN_ASKERS).where(RUN_ASKERS.c.run_id.not_in(select(RUNS.c.id))))
