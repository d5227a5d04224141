"""Answers to requests that had a key, kept for a day: the same request again gets the same answer and does nothing.

>>> from twin.store import open_database
>>> replies = ReplyStore(open_database(None))
>>> replies.begin("key", "request") is None
True
>>> replies.keep("key", Reply(201, {"Location": "/a"}, b"{}"))
>>> replies.begin("key", "request").status
201
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, update

from ..errors import StoreLimitError
from .database import Database
from .tables import REPLIES


class Reply(NamedTuple):
    """Answer to a request."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class ReplyLimits(NamedTuple):
    """Bounds of the answers that are kept."""

    kept_s: float = 86_400.0
    """Time for which an answer is kept."""
    n_replies: int = 10_000
    """Most answers; the oldest ones are deleted first."""
    n_bytes: int = 256 * 2**20
    """Most bytes of all answers; the oldest ones are deleted first."""
    pending_s: float = 150.0
    """Time after which a request without an answer counts as lost with its server."""


class OtherRequestError(Exception):
    """The key was used for another request."""


class PendingError(Exception):
    """Another request with the same key and body is being answered."""


class ReplyStore:
    """Answers by key in a database. All methods may be called from several threads and servers at once.

    Args:
        database: an open database; the caller closes it.
        limits: bounds.
        now: clock.
    """

    def __init__(
        self,
        database: Database,
        limits: ReplyLimits = ReplyLimits(),  # noqa: B008  # immutable
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.database, self.limits, self._now = database, limits, now

    def begin(self, key: str, request: str) -> Reply | None:
        """Return the answer to a request that was answered before; None if the caller shall answer it now.

        Args:
            key: key of the client.
            request: everything that the answer depends on.

        Raises:
            OtherRequestError: the key was used for another request.
            PendingError: the same request is being answered.
            StoreLimitError: too many requests with keys are being answered.
            StoreError: the database failed.
        """
        digest, asked = _digest(key), _digest(request)
        with self.database.write(REPLIES) as connection:
            self._purge(connection)
            row = connection.execute(select(REPLIES).where(REPLIES.c.key == digest)).one_or_none()
            if row is None:
                values = {"key": digest, "request": asked, "asked_at": self._time(), "n_bytes": 0}
                connection.execute(insert(REPLIES).values(values))
                return None
            if row.request != asked:
                raise OtherRequestError
            if row.status is None:
                raise PendingError
            return Reply(row.status, json.loads(row.headers), bytes(row.body))

    def keep(self, key: str, reply: Reply) -> None:
        """Keep the answer to a request that has begun."""
        values = {"status": reply.status, "headers": json.dumps(dict(reply.headers)), "body": reply.body}
        values["n_bytes"] = len(reply.body)
        with self.database.write(REPLIES) as connection:
            connection.execute(update(REPLIES).where(REPLIES.c.key == _digest(key)).values(values))
            self._purge(connection)

    def forget(self, key: str) -> None:
        """Delete a request that has begun and was not answered; its key may be used again."""
        with self.database.write(REPLIES) as connection:
            is_open = (REPLIES.c.key == _digest(key)) & REPLIES.c.status.is_(None)
            connection.execute(delete(REPLIES).where(is_open))

    def _purge(self, connection: Connection) -> None:
        """Delete answers that are too old, requests that were lost, and the oldest answers beyond the bounds."""
        connection.execute(delete(REPLIES).where(REPLIES.c.asked_at < self._time(-self.limits.kept_s)))
        is_lost = REPLIES.c.status.is_(None) & (REPLIES.c.asked_at < self._time(-self.limits.pending_s))
        connection.execute(delete(REPLIES).where(is_lost))
        totals = select(func.count(), func.coalesce(func.sum(REPLIES.c.n_bytes), 0))
        n, n_bytes = map(int, connection.execute(totals).one())
        if n < self.limits.n_replies and n_bytes <= self.limits.n_bytes:
            return
        is_answered = REPLIES.c.status.is_not(None)
        oldest = select(REPLIES.c.key, REPLIES.c.n_bytes).where(is_answered).order_by(REPLIES.c.asked_at, REPLIES.c.key)
        for row in connection.execute(oldest).all():
            connection.execute(delete(REPLIES).where(REPLIES.c.key == row.key))
            n, n_bytes = n - 1, n_bytes - row.n_bytes
            if n < self.limits.n_replies and n_bytes <= self.limits.n_bytes:
                return
        if n >= self.limits.n_replies:
            raise StoreLimitError(
                f"{n:,} requests with a key are being answered",
                where="Idempotency-Key",
                expected=f"at most {self.limits.n_replies:,}",
                hint="ask again later",
            )

    def _time(self, offset_s: float = 0.0) -> str:
        return (self._now() + timedelta(seconds=offset_s)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
