"""Stored networks: a name, and revisions of its document by the digest of their bytes.

>>> store = NetworkStore(open_database(None))
>>> written = store.put("pair", b"nodes: [{id: a, kind: switch, ports: [{speed_gbps: 100}]}]")  # doctest: +SKIP
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Connection, Row, Select, delete, exists, func, insert, select, update

from twin.topologies import MAX_RECORDS
from twin.topologies import NETWORKS as SHIPPED

from .. import deadline
from ..errors import CatalogueError, DocumentError, StoreError, StoreLimitError, did_you_mean
from ..errors.wording import quoted
from .database import Database
from .documents import read_network, summary_of
from .records import ALWAYS, Condition, NetworkPage, RevisionPage, StoredDocument, StoredNetwork, StoreLimits, Written
from .tables import DOCUMENTS, NETWORKS, REVISIONS

NAME_FORM = re.compile(r"[a-z0-9._-]{1,64}")
PATTERN_FORM = re.compile(r"[a-z0-9._*?-]{1,64}")
DIGEST_FORM = re.compile(r"[0-9a-f]{64}")
MAX_PAGE = 1000
"""Most rows of a page."""
N_NAMES_COMPARED = 4000
"""Most names that are compared for a hint."""


def check_name(name: str) -> None:
    """Raise DocumentError unless a network may be stored under this name."""
    form = "1 to 64 of a-z, 0-9, `.`, `_` and `-`"
    if not NAME_FORM.fullmatch(name):
        raise DocumentError(f"{quoted(name)} is no name of a stored network", where="name", expected=form)
    if not name.strip("."):
        raise DocumentError(f"{quoted(name)} stands for a folder in addresses", where="name", expected=form)
    if name in SHIPPED:
        hint = f"for instance my-{name}"
        raise DocumentError(_shipped_problem(name), where="name", hint=hint)


def _shipped_problem(name: str) -> str:
    return f"{quoted(name)} is the name of a shipped network"


def name_and_digest(text: str) -> tuple[str, str | None]:
    """Return the name of a network, and the digest of a revision if the text states one: `name` or `name@digest`."""
    name, sign, digest = text.partition("@")
    return name, digest if sign else None


class NetworkStore:
    """Networks in a database. All methods may be called from several threads and processes at once.

    Args:
        database: an open database; the caller closes it.
        limits: bounds of what the store holds.
        max_records: most nodes and links of a network, generators expanded.
        now: clock of the time of a write.
    """

    def __init__(
        self,
        database: Database,
        limits: StoreLimits = StoreLimits(),  # noqa: B008  # frozen
        max_records: int = MAX_RECORDS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.database = database
        self.limits = limits
        self.max_records = max_records
        self._now = now

    def put(self, name: str, content: bytes, condition: Condition = ALWAYS) -> Written:
        """Store a document as the current revision of a network. The same bytes again change nothing.

        Args:
            name: 1 to 64 of a-z, 0-9, `.`, `_` and `-`; no name of a shipped network.
            content: the document, JSON or YAML in UTF-8. It is validated in full first.
            condition: revisions that are expected before.

        Raises:
            DocumentError: a bad name, or an invalid document; it lists every fault.
            TopologyError: records contradict each other.
            RevisionError: the current revision is not as expected.
            StoreLimitError: the store holds as much as it may.
            StoreError: the database failed; nothing was stored.
        """
        check_name(name)
        network = read_network(content, name, self.max_records, self.limits.n_document_bytes)
        summary = summary_of(network)
        digest = hashlib.sha256(content).hexdigest()
        deadline.check()  # a request that has taken all of its time writes nothing
        with self.database.write(NETWORKS, DOCUMENTS) as connection:
            found = connection.execute(select(NETWORKS).where(NETWORKS.c.name == name)).one_or_none()
            is_same = found is not None and found.digest == digest
            if not is_same or condition.none_match is not None:  # a repeated write has found its effect
                condition.check(name, None if found is None else found.digest)
            if not is_same:
                self._insert(connection, name, 0 if found is None else found.number, digest, content, summary)
            row = connection.execute(_networks().where(NETWORKS.c.name == name)).one()
        return Written(_network_of(row), found is None)

    def _insert(
        self, connection: Connection, name: str, number: int, digest: str, content: bytes, summary: str
    ) -> None:
        """Insert a revision after that of a number; 0 = the first one of a network."""
        is_known = connection.execute(select(exists().where(DOCUMENTS.c.digest == digest))).scalar()
        self._check_limits(connection, 0 if is_known else len(content), is_new=number == 0)
        if not is_known:
            row = {"digest": digest, "n_bytes": len(content), "summary": summary, "content": content}
            connection.execute(insert(DOCUMENTS).values(row))
        current = {"number": number + 1, "digest": digest, "stored_at": self._now().strftime("%Y-%m-%dT%H:%M:%SZ")}
        if number == 0:
            connection.execute(insert(NETWORKS).values(name=name, **current))
        else:
            connection.execute(update(NETWORKS).where(NETWORKS.c.name == name).values(current))
        connection.execute(insert(REVISIONS).values(name=name, **current))

    def _check_limits(self, connection: Connection, n_bytes: int, *, is_new: bool) -> None:
        counts = {
            "networks": (select(func.count()).select_from(NETWORKS), int(is_new), self.limits.n_networks),
            "revisions": (select(func.count()).select_from(REVISIONS), 1, self.limits.n_revisions),
            "bytes": (select(func.coalesce(func.sum(DOCUMENTS.c.n_bytes), 0)), n_bytes, self.limits.n_bytes),
        }
        for noun, (query, n_more, n_most) in counts.items():
            n = int(connection.execute(query).scalar_one())
            if n_more and n + n_more > n_most:
                raise StoreLimitError(
                    f"the store would hold {n + n_more:,} {noun}",
                    where="store",
                    expected=f"at most {n_most:,}",
                    hint="delete networks that are not needed",
                )

    def find(self, name: str, revision: str | None = None) -> StoredNetwork:
        """Return a revision of a network without its document; the current one unless a digest is given.

        Raises:
            CatalogueError: there is none; the message has similar names.
        """
        with self.database.read() as connection:
            return _network_of(self._row(connection, name, revision))

    def get(self, name: str, revision: str | None = None) -> StoredDocument:
        """Return a revision of a network with its stored bytes; the current one unless a digest is given.

        Raises:
            CatalogueError: there is none; the message has similar names.
            StoreError: the stored bytes are damaged.
        """
        with self.database.read() as connection:
            network = _network_of(self._row(connection, name, revision))
            query = select(DOCUMENTS.c.content).where(DOCUMENTS.c.digest == network.revision)
            content = bytes(connection.execute(query).scalar_one())
        if hashlib.sha256(content).hexdigest() != network.revision:
            problem = "the stored bytes of this revision are damaged: their digest is another one"
            raise StoreError(problem, where=f"{network.name}@{network.revision}", hint="restore a backup")
        return StoredDocument(network, content)

    def _row(self, connection: Connection, name: str, revision: str | None) -> Row[tuple[object, ...]]:
        if name in SHIPPED:
            hint = f"it is not stored and has no revisions: GET /v1/topologies/{name}"
            raise CatalogueError(_shipped_problem(name), where="networks", hint=hint)
        is_name = NAME_FORM.fullmatch(name) is not None  # a text that the database cannot encode is none
        current = connection.execute(_networks().where(NETWORKS.c.name == name)).one_or_none() if is_name else None
        if current is None:
            names = connection.execute(select(NETWORKS.c.name).order_by(NETWORKS.c.name).limit(N_NAMES_COMPARED))
            known = [*names.scalars(), *SHIPPED]
            hint = did_you_mean(name, known) or "names: GET /v1/networks and GET /v1/topologies"
            raise CatalogueError(f"unknown network {quoted(name)}", where="networks", hint=hint)
        if revision is None or revision == current.digest:
            return current
        query = _revisions().where(REVISIONS.c.name == name, REVISIONS.c.digest == revision)
        query = query.order_by(REVISIONS.c.number.desc()).limit(1)
        found = connection.execute(query).one_or_none() if DIGEST_FORM.fullmatch(revision) else None
        if found is None:
            hint = f"GET /v1/networks/{name}/revisions lists them"
            raise CatalogueError(f"no revision {quoted(revision)}", where=name, hint=hint)
        return found

    def page(self, limit: int = 100, after: str | None = None, pattern: str | None = None) -> NetworkPage:
        """Return networks by name.

        Args:
            limit: most networks of the page, 1 to 1,000.
            after: name after which the page begins, of the page before.
            pattern: part of the names, with `*` for any characters and `?` for one; None = all.

        Raises:
            DocumentError: an argument out of its range.
        """
        query = _networks().order_by(NETWORKS.c.name)
        if after is not None:
            query = query.where(NETWORKS.c.name > after)
        if pattern is not None:
            if not PATTERN_FORM.fullmatch(pattern):
                raise DocumentError(f"{quoted(pattern)} fits no name", where="pattern", hint="for instance campus-*")
            like = pattern.replace("_", r"\_").replace("*", "%").replace("?", "_")
            query = query.where(NETWORKS.c.name.like(like, escape="\\"))
        rows = self._rows(query, limit)
        networks = tuple(map(_network_of, rows[:limit]))
        return NetworkPage(networks, networks[-1].name if len(rows) > limit else None)

    def revisions(self, name: str, limit: int = 100, after: int | None = None) -> RevisionPage:
        """Return the revisions of a network, the newest first.

        Args:
            name: name of the network.
            limit: most revisions of the page, 1 to 1,000.
            after: number of the last revision of the page before.

        Raises:
            CatalogueError: there is no such network; the message has similar names.
            DocumentError: an argument out of its range.
        """
        self.find(name)
        query = _revisions().where(REVISIONS.c.name == name).order_by(REVISIONS.c.number.desc())
        if after is not None:
            query = query.where(REVISIONS.c.number < after)
        rows = self._rows(query, limit)
        found = tuple(map(_network_of, rows[:limit]))
        return RevisionPage(found, found[-1].number if len(rows) > limit else None)

    def _rows(self, query: Select[tuple[object, ...]], limit: int) -> list[Row[tuple[object, ...]]]:
        if not 1 <= limit <= MAX_PAGE:
            raise DocumentError(f"{limit} rows", where="limit", expected=f"1 to {MAX_PAGE}")
        with self.database.read() as connection:
            return list(connection.execute(query.limit(limit + 1)))

    def delete(self, name: str, condition: Condition = ALWAYS) -> None:
        """Delete a network with all its revisions.

        Raises:
            CatalogueError: there is no such network; the message has similar names.
            RevisionError: the current revision is not as expected.
        """
        with self.database.write(NETWORKS, DOCUMENTS) as connection:
            row = self._row(connection, name, None)
            condition.check(name, row.digest)
            connection.execute(delete(REVISIONS).where(REVISIONS.c.name == name))
            connection.execute(delete(NETWORKS).where(NETWORKS.c.name == name))
            is_used = exists().where(REVISIONS.c.digest == DOCUMENTS.c.digest)
            connection.execute(delete(DOCUMENTS).where(~is_used))


def _networks() -> Select[tuple[object, ...]]:
    """Return the query of current revisions without their documents."""
    columns = (NETWORKS, DOCUMENTS.c.n_bytes, DOCUMENTS.c.summary)
    return select(*columns).join(DOCUMENTS, DOCUMENTS.c.digest == NETWORKS.c.digest)


def _revisions() -> Select[tuple[object, ...]]:
    """Return the query of all revisions without their documents."""
    columns = (REVISIONS, DOCUMENTS.c.n_bytes, DOCUMENTS.c.summary)
    return select(*columns).join(DOCUMENTS, DOCUMENTS.c.digest == REVISIONS.c.digest)


def _network_of(row: Row[tuple[object, ...]]) -> StoredNetwork:
    return StoredNetwork(
        name=row.name,
        revision=row.digest,
        number=row.number,
        stored_at=row.stored_at,
        n_bytes=row.n_bytes,
        **json.loads(row.summary),
    )
