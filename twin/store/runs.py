"""Runs in the database: a queue that several servers share, and the answers.

>>> from twin.store import open_database
>>> runs = RunStore(open_database(None))
>>> runs.page().runs
()
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, delete, func, insert, or_, select, update

from ..errors import CatalogueError, DocumentError, StoreLimitError
from ..errors.wording import quoted
from ..seal import opened, sealed
from .database import Database
from .networks import MAX_PAGE
from .run_askers import OtherAskerError, add_asker, askers, delete_stale_askers
from .run_records import ENDED, Asked, Claim, Ending, NewRun, Run, RunLimits, RunPage, RunState
from .tables import RUN_PARTS, RUNS

ID_FORM = re.compile(r"[0-9a-f]{64}")
LOG = logging.getLogger("twin.store")
LOST = "its server ended {n} times while it ran"
RESET: dict[str, Any] = {
    "n_done": 0,
    "n_items": 0,
    "n_attempts": 0,
    "is_cancelled": False,
    "owner": None,
    "started_at": None,
    "ended_at": None,
    "status": None,
    "detail": None,
    "problem": None,
    "answer": None,
    "n_answer_bytes": 0,
}
"""Columns of a run that has not begun."""


class RunStore:
    """Runs in a database. All methods may be called from several threads and servers at once.

    Args:
        database: an open database; the caller closes it.
        limits: bounds of the runs.
        now: clock.
    """

    def __init__(
        self,
        database: Database,
        limits: RunLimits = RunLimits(),  # noqa: B008  # frozen
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.database = database
        self.limits = limits
        self._now = now

    def ask(self, new: NewRun, key_name: str = "") -> Asked:
        """Queue a run, unless the same one waits, runs or is done. One that is being cancelled begins anew.

        Args:
            new: the run.
            key_name: name of the API key that asks; empty without a key.

        Raises:
            StoreLimitError: too many runs wait, or the database holds as many as it may.
            StoreError: the database failed; nothing was queued.
        """
        with self.database.write(RUNS) as connection:
            found = connection.execute(_runs().where(RUNS.c.id == new.id)).one_or_none()
            is_over = found is not None and (found.is_cancelled or found.state in (RunState.FAILED, RunState.CANCELLED))
            if found is not None and not is_over:
                add_asker(connection, new.id, key_name, is_new=False)
                return Asked(_run_of(found), False)
            self._purge(connection, len(new.request))
            self._check_limits(connection, is_new=found is None)
            number = connection.execute(select(func.coalesce(func.max(RUNS.c.number), 0) + 1)).scalar_one()
            row = RESET | {"number": number, "state": RunState.QUEUED.value, "asked_at": self._time()}
            row |= {"question": new.question, "network": new.network, "seen_at": self._time()}
            row |= {"request": new.request, "n_request_bytes": len(new.request)}
            if found is None:
                connection.execute(insert(RUNS).values(id=new.id, **row))
            else:
                _delete_parts(connection, new.id)
                connection.execute(update(RUNS).where(RUNS.c.id == new.id).values(row))
            add_asker(connection, new.id, key_name, is_new=True)
            return Asked(_run_of(connection.execute(_runs().where(RUNS.c.id == new.id)).one()), True)

    def _check_limits(self, connection: Connection, *, is_new: bool) -> None:
        waiting = select(func.count()).select_from(RUNS).where(RUNS.c.state == RunState.QUEUED.value)
        counts = {
            "runs that wait": (waiting, self.limits.n_queued),
            "runs": (select(func.count()).select_from(RUNS), self.limits.n_runs + (not is_new)),
        }
        for noun, (query, n_most) in counts.items():
            n = int(connection.execute(query).scalar_one())
            if n >= n_most:
                raise StoreLimitError(
                    f"there would be {n + 1:,} {noun}",
                    where="runs",
                    expected=f"at most {n_most:,}",
                    hint="wait, or delete runs that are not needed",
                )

    def claim(self, owner: str) -> Claim | None:
        """Take the oldest run that waits, or that a lost server was computing; None if there is none.

        owner: id of this work; each claim has its own, so that work on a run that was asked again counts no more.
        """
        lost_before = self._time(-self.limits.lost_after_s)
        with self.database.write(RUNS) as connection:
            is_lost = and_(RUNS.c.state == RunState.RUNNING.value, RUNS.c.seen_at < lost_before)
            for lost in connection.execute(_runs().where(is_lost).order_by(RUNS.c.number)).all():
                self._end_lost(connection, lost)
            query = _runs(RUNS.c.request).where(or_(RUNS.c.state == RunState.QUEUED.value, is_lost))
            row = connection.execute(query.order_by(RUNS.c.number).limit(1)).one_or_none()
            if row is None:
                return None
            claimed = {"state": RunState.RUNNING.value, "owner": owner, "n_attempts": row.n_attempts + 1}
            claimed |= {"started_at": self._time(), "seen_at": self._time(), "n_done": 0, "n_items": 0}
            connection.execute(update(RUNS).where(RUNS.c.id == row.id).values(claimed))
            run = _run_of(connection.execute(_runs().where(RUNS.c.id == row.id)).one())
            return Claim(run, bytes(row.request), _parts(connection, run.id))

    def _end_lost(self, connection: Connection, row: Row[Any]) -> None:
        """End a run of a lost server if it was cancelled, or has been started as often as it may be."""
        if row.is_cancelled:
            values: dict[str, Any] = {"state": RunState.CANCELLED.value}
        elif row.n_attempts >= self.limits.n_attempts:
            values = {"state": RunState.FAILED.value, "status": 500, "detail": LOST.format(n=row.n_attempts)}
        else:
            return
        _delete_parts(connection, row.id)
        connection.execute(update(RUNS).where(RUNS.c.id == row.id).values(ended_at=self._time(), **values))

    def report(self, run_id: str, owner: str, n_done: int, n_items: int) -> bool:
        """Store the progress of a run, as a sign of life, and return whether it is still wanted.

        It is not wanted once it was cancelled or deleted, or another server has taken it.
        """
        is_mine = and_(RUNS.c.id == run_id, RUNS.c.owner == owner, RUNS.c.state == RunState.RUNNING.value)
        with self.database.write(RUNS) as connection:
            values = {"n_done": n_done, "n_items": n_items, "seen_at": self._time()}
            connection.execute(update(RUNS).where(is_mine).values(values))
            found = connection.execute(select(RUNS.c.is_cancelled).where(is_mine)).one_or_none()
        return found is not None and not found.is_cancelled

    def keep(self, run_id: str, owner: str, parts: Mapping[str, bytes]) -> None:
        """Keep finished parts of a run, in place of earlier ones of the same names, while it is this server's.

        They are there once the call returns, and are deleted when the run ends.
        """
        is_mine = and_(RUNS.c.id == run_id, RUNS.c.owner == owner, RUNS.c.state == RunState.RUNNING.value)
        with self.database.write(RUNS) as connection:
            if connection.execute(select(RUNS.c.id).where(is_mine)).one_or_none() is None:
                return
            connection.execute(update(RUNS).where(is_mine).values(seen_at=self._time()))
            for name, content in parts.items():
                is_same = and_(RUN_PARTS.c.run_id == run_id, RUN_PARTS.c.name == name)
                connection.execute(delete(RUN_PARTS).where(is_same))
                kept = sealed(content, _about(run_id, name))
                connection.execute(insert(RUN_PARTS).values(run_id=run_id, name=name, content=kept))

    def end(self, run_id: str, owner: str, ending: Ending) -> None:
        """Store the end of a run, unless it is not this server's any more."""
        is_mine = and_(RUNS.c.id == run_id, RUNS.c.owner == owner, RUNS.c.state == RunState.RUNNING.value)
        values: dict[str, Any] = {"state": ending.state.value, "ended_at": self._time(), "status": ending.status}
        values |= {"detail": ending.detail, "problem": ending.problem, "answer": ending.answer}
        values |= {"n_answer_bytes": len(ending.answer or b"") + len(ending.problem or b"")}
        with self.database.write(RUNS) as connection:
            if connection.execute(update(RUNS).where(is_mine).values(values)).rowcount:
                _delete_parts(connection, run_id)

    def release(self, owner: str) -> None:
        """Queue the run of a server that ends; the next one goes on from its kept parts."""
        is_mine = and_(RUNS.c.owner == owner, RUNS.c.state == RunState.RUNNING.value)
        waiting = {"state": RunState.QUEUED.value, "owner": None, "n_attempts": RUNS.c.n_attempts - 1}
        with self.database.write(RUNS) as connection:
            connection.execute(update(RUNS).where(is_mine, ~RUNS.c.is_cancelled).values(waiting))
            ended = {"state": RunState.CANCELLED.value, "ended_at": self._time()}
            for row in connection.execute(select(RUNS.c.id).where(is_mine, RUNS.c.is_cancelled)).all():
                _delete_parts(connection, row.id)
            connection.execute(update(RUNS).where(is_mine, RUNS.c.is_cancelled).values(ended))

    def cancel(self, run_id: str, only_asker: str | None = None) -> Run:
        """Cancel a run that waits or runs, and return it. An ended run stays as it is.

        Args:
            run_id: id of the run.
            only_asker: name of an API key that nobody else than it may have asked for the run; None = anybody may have.

        Raises:
            CatalogueError: there is no such run.
            OtherAskerError: somebody else asked for it, too.
        """
        with self.database.write(RUNS) as connection:
            run = _run_of(self._row(connection, run_id))
            if only_asker is not None and askers(connection, run_id) != {only_asker}:
                raise OtherAskerError
            if run.state == RunState.QUEUED:
                _delete_parts(connection, run_id)
                values: dict[str, Any] = {"state": RunState.CANCELLED.value, "ended_at": self._time()}
            else:
                values = {"is_cancelled": True}
            if not run.is_ended:
                connection.execute(update(RUNS).where(RUNS.c.id == run_id).values(values))
            return _run_of(self._row(connection, run_id))

    def delete(self, run_id: str) -> None:
        """Delete a run with its answer; the work of one that runs ends.

        Raises:
            CatalogueError: there is no such run.
        """
        with self.database.write(RUNS) as connection:
            self._row(connection, run_id)
            _delete_parts(connection, run_id)
            connection.execute(delete(RUNS).where(RUNS.c.id == run_id))

    def find(self, run_id: str) -> Run:
        """Return a run without its answer.

        Raises:
            CatalogueError: there is no such run.
        """
        with self.database.read() as connection:
            return _run_of(self._row(connection, run_id))

    def ending(self, run_id: str) -> Ending | None:
        """Return the end of a run with its answer or problem; None if it has not ended.

        Raises:
            CatalogueError: there is no such run.
        """
        columns = (RUNS.c.answer, RUNS.c.problem, RUNS.c.status)
        with self.database.read() as connection:
            row = self._row(connection, run_id, *columns)
        if row.state not in ENDED:
            return None
        answer, problem = (None if value is None else bytes(value) for value in (row.answer, row.problem))
        return Ending(RunState(row.state), answer, row.status or 200, row.detail, problem)

    def page(
        self, limit: int = 100, after: int | None = None, state: str | None = None, question: str | None = None
    ) -> RunPage:
        """Return runs, the newest first.

        Args:
            limit: most runs of the page, 1 to 1,000.
            after: number of the last run of the page before.
            state: state of the runs; None = any.
            question: name of their question; None = any.

        Raises:
            DocumentError: an argument out of its range.
        """
        if not 1 <= limit <= MAX_PAGE:
            raise DocumentError(f"{limit} rows", where="limit", expected=f"1 to {MAX_PAGE}")
        if state is not None and state not in [*RunState]:
            raise DocumentError(f"{quoted(state)} is no state", where="state", hint=", ".join(RunState))
        query = _runs().order_by(RUNS.c.number.desc())
        if after is not None:
            query = query.where(RUNS.c.number < after)
        if state is not None:
            query = query.where(RUNS.c.state == state)
        if question is not None:
            query = query.where(RUNS.c.question == question)
        with self.database.read() as connection:
            rows = list(connection.execute(query.limit(limit + 1)))
        runs = tuple(map(_run_of, rows[:limit]))
        return RunPage(runs, runs[-1].number if len(rows) > limit else None)

    def purge(self) -> None:
        """Delete runs that ended longer ago than they are kept, and the oldest ones beyond the bound of bytes."""
        with self.database.write(RUNS) as connection:
            self._purge(connection, 0)
            delete_stale_askers(connection)

    def _purge(self, connection: Connection, n_more_bytes: int) -> None:
        is_ended = RUNS.c.state.in_([state.value for state in ENDED])
        too_old = self._time(-self.limits.kept_days * 86_400)
        connection.execute(delete(RUNS).where(is_ended, RUNS.c.ended_at < too_old))
        size = RUNS.c.n_request_bytes + RUNS.c.n_answer_bytes
        n_bytes = int(connection.execute(select(func.coalesce(func.sum(size), 0))).scalar_one()) + n_more_bytes
        if n_bytes <= self.limits.n_bytes:
            return
        for row in connection.execute(select(RUNS.c.id, size).where(is_ended).order_by(RUNS.c.number)).all():
            connection.execute(delete(RUNS).where(RUNS.c.id == row.id))
            n_bytes -= int(row[1])
            if n_bytes <= self.limits.n_bytes:
                return

    def _row(self, connection: Connection, run_id: str, *columns: Any) -> Row[Any]:
        row = connection.execute(_runs(*columns).where(RUNS.c.id == run_id)).one_or_none()
        if row is None:
            hint = "GET /v1/runs lists them; a run is deleted some days after its end"
            raise CatalogueError(f"unknown run {quoted(run_id)}", where="runs", hint=hint)
        return row

    def _time(self, offset_s: float = 0.0) -> str:
        return (self._now() + timedelta(seconds=offset_s)).strftime("%Y-%m-%dT%H:%M:%SZ")


_LIGHT = [column for column in RUNS.c if column.name not in ("request", "answer", "problem")]
_FIELDS = ("id", "number", "question", "network", "n_done", "n_items", "n_attempts")
_TIMES = ("asked_at", "started_at", "ended_at", "detail")


def _runs(*more_columns: Any) -> Select[Any]:
    """Return the query of runs without their requests and answers."""
    return select(*_LIGHT, *more_columns)


def _run_of(row: Row[Any]) -> Run:
    values = row._mapping
    return Run(state=RunState(values["state"]), **{name: values[name] for name in (*_FIELDS, *_TIMES)})


def _parts(connection: Connection, run_id: str) -> dict[str, bytes]:
    """Return the parts of a run by name. One that is damaged is left out, so that its work is done again."""
    query = select(RUN_PARTS.c.name, RUN_PARTS.c.content).where(RUN_PARTS.c.run_id == run_id)
    parts: dict[str, bytes] = {}
    for row in connection.execute(query.order_by(RUN_PARTS.c.name)):
        content = opened(bytes(row.content), _about(run_id, row.name))
        if content is None:
            LOG.warning("a kept part of run %s is damaged; its work is done again", run_id[:12])
        else:
            parts[row.name] = content
    return parts


def _about(run_id: str, name: str) -> str:
    return f"{run_id} {name}"


def _delete_parts(connection: Connection, run_id: str) -> None:
    connection.execute(delete(RUN_PARTS).where(RUN_PARTS.c.run_id == run_id))
