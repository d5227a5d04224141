"""Stored networks as records, and the condition of a write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ..errors import RevisionError

ANY = frozenset({"*"})
"""Any revision, as `*` in If-Match."""


@dataclass(frozen=True, slots=True)
class StoredNetwork:
    """A revision of a stored network, without its document."""

    name: str
    revision: str
    """SHA-256 of the stored bytes, as hexadecimal digits: the ETag."""
    number: int
    """Number of the revision, from 1."""
    stored_at: str
    """Time of the write, in UTC."""
    n_bytes: int
    title: str
    """The document's own name."""
    n_nodes: int
    """Nodes, with fabrics expanded."""
    n_links: int
    """Links, with fabrics expanded."""
    n_jobs: int
    n_plans: int
    n_measurements: int
    n_demands: int | None = None
    """Most demands, those of traffic blocks too; null for a revision that an earlier version has stored."""

    @property
    def n_records(self) -> int:
        """Return the records that a question is about: nodes, links, demands and measurements."""
        return self.n_nodes + self.n_links + self.n_measurements + (self.n_demands or 0)


@dataclass(frozen=True, slots=True)
class NetworkPage:
    """A page of stored networks by name."""

    networks: tuple[StoredNetwork, ...]
    next: str | None
    """Value of `after` for the next page; null on the last one."""


@dataclass(frozen=True, slots=True)
class RevisionPage:
    """A page of the revisions of a network, the newest first."""

    revisions: tuple[StoredNetwork, ...]
    next: int | None
    """Value of `after` for the next page; null on the last one."""


class StoredDocument(NamedTuple):
    """A revision with its stored bytes."""

    network: StoredNetwork
    content: bytes


class Written(NamedTuple):
    """Result of a write."""

    network: StoredNetwork
    is_new: bool
    """True if there was no network of this name."""


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """Bounds of what the store holds."""

    n_networks: int = 10_000
    n_revisions: int = 100_000
    """Revisions of all networks together."""
    n_bytes: int = 4 * 1024**3
    """Bytes of all documents together."""
    n_document_bytes: int = 64 * 1024**2
    """Bytes of one document."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Revisions that a write expects to find."""

    match: frozenset[str] | None = None
    """The current revision must be one of these, as of If-Match; None = no such condition."""
    none_match: frozenset[str] | None = None
    """The current revision must be none of these, as of If-None-Match; None = no such condition."""

    def check(self, name: str, current: str | None) -> None:
        """Raise RevisionError unless the current revision is as expected; None = there is no network of this name."""
        hint = "read the network again, then repeat the change"
        if self.match is not None and (current is None or not self.match & {current, "*"}):
            problem = "is not stored" if current is None else f"has the revision {current}"
            raise RevisionError(problem, where=name, expected=", ".join(sorted(self.match)), hint=hint)
        if self.none_match is not None and current is not None and self.none_match & {current, "*"}:
            raise RevisionError(f"is stored already, with the revision {current}", where=name, hint=hint)


ALWAYS = Condition()
"""Condition of a write that replaces whatever is there."""
