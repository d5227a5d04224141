"""Tables of the store, and the steps from each version of them to the next one.

A new table is a `Table` on `METADATA` and one more step in `STEPS`. Databases of earlier versions get it when they are
opened, and backups contain its rows.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

METADATA = MetaData()
NAME_LENGTH = 64
NAME = String(NAME_LENGTH).with_variant(String(NAME_LENGTH, collation="C"), "postgresql")
"""Name that sorts by its bytes, in any locale of the database."""
DIGEST = String(64)
"""SHA-256 of stored bytes, as hexadecimal digits."""

VERSION = Table("twin_store", METADATA, Column("version", Integer, nullable=False))
"""One row: the number of steps that this database has taken."""

DOCUMENTS = Table(
    "documents",
    METADATA,
    Column("digest", DIGEST, primary_key=True),
    Column("n_bytes", Integer, nullable=False, index=True),
    Column("summary", Text, nullable=False),  # JSON in ASCII
    Column("content", LargeBinary, nullable=False),  # last, so that lists do not read it
)
"""Stored bytes, each once, whatever networks have had them."""

NETWORKS = Table(
    "networks",
    METADATA,
    Column("name", NAME, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("digest", DIGEST, ForeignKey(DOCUMENTS.c.digest), nullable=False),
    Column("stored_at", String(20), nullable=False),
)
"""Current revision of each network."""

REVISIONS = Table(
    "revisions",
    METADATA,
    Column("name", NAME, ForeignKey(NETWORKS.c.name), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("digest", DIGEST, ForeignKey(DOCUMENTS.c.digest), nullable=False, index=True),
    Column("stored_at", String(20), nullable=False),
)
"""Revisions of each network, numbered from 1."""

RUNS = Table(
    "runs",
    METADATA,
    Column("id", DIGEST, primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("question", NAME, nullable=False),
    Column("network", Text, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("n_done", Integer, nullable=False),
    Column("n_items", Integer, nullable=False),
    Column("n_attempts", Integer, nullable=False),
    Column("is_cancelled", Boolean, nullable=False),
    Column("owner", String(64)),
    Column("seen_at", String(20), nullable=False),  # last sign of life of the owner
    Column("asked_at", String(20), nullable=False),
    Column("started_at", String(20)),
    Column("ended_at", String(20)),
    Column("status", Integer),
    Column("detail", Text),
    Column("n_request_bytes", Integer, nullable=False),
    Column("n_answer_bytes", Integer, nullable=False),
    Column("request", LargeBinary, nullable=False),  # large columns last, so that lists do not read them
    Column("problem", LargeBinary),
    Column("answer", LargeBinary),
)
"""Questions that are answered in the background: a queue, and the answers."""

RUN_PARTS = Table(
    "run_parts",
    METADATA,
    Column("run_id", DIGEST, primary_key=True),
    Column("name", NAME, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
"""Finished parts of runs that have not ended, so that an interrupted run goes on: items of a batch, rows of a study."""

RUN_ASKERS = Table(
    "run_askers",
    METADATA,
    Column("run_id", DIGEST, primary_key=True),
    Column("key_name", NAME, primary_key=True),  # empty for a request without a key
)
"""Names of the API keys that asked for a run; one that may only read cancels a run that nobody else asked for."""

REPLIES = Table(
    "replies",
    METADATA,
    Column("key", DIGEST, primary_key=True),  # of the client and its Idempotency-Key
    Column("request", DIGEST, nullable=False),
    Column("asked_at", String(20), nullable=False, index=True),
    Column("status", Integer),  # null while the request is being answered
    Column("headers", Text),  # JSON in ASCII
    Column("n_bytes", Integer, nullable=False),
    Column("body", LargeBinary),
)
"""Answers to requests that had a key, so that the same request again does nothing twice."""


def create(*tables: Table) -> Callable[[Connection], None]:
    """Return the step that creates tables."""

    def step(connection: Connection) -> None:
        METADATA.create_all(connection, tables=list(tables))

    return step


STEPS: tuple[Callable[[Connection], None], ...] = (
    create(DOCUMENTS, NETWORKS, REVISIONS, RUNS),
    create(RUN_PARTS, REPLIES),
    create(RUN_ASKERS),
)
"""Steps in order. A step never changes once it was released; it may find that a later table definition is in place."""
