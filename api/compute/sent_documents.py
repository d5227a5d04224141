"""Stored documents of the current question, as the service has sent them to a compute process."""

from __future__ import annotations

from collections.abc import Sequence

from twin.errors import CatalogueError
from twin.store.records import StoredDocument, StoredNetwork


class SentDocuments:
    """Documents by name and revision, in place of a database."""

    def __init__(self) -> None:
        self._documents: dict[tuple[str, str | None], StoredDocument] = {}

    def set(self, documents: Sequence[StoredDocument]) -> None:
        """Replace the documents by those of the next question."""
        self._documents = {(document.network.name, document.network.revision): document for document in documents}

    def find(self, name: str, revision: str | None = None) -> StoredNetwork:
        """Return a revision of a network without its document."""
        return self.get(name, revision).network

    def get(self, name: str, revision: str | None = None) -> StoredDocument:
        """Return a revision of a network with its stored bytes.

        Raises:
            CatalogueError: it was not sent.
        """
        if (name, revision) not in self._documents:
            raise CatalogueError(f"unknown network {name!r}", where="network")
        return self._documents[name, revision]
