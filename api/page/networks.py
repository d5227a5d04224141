"""Networks that the page shows: those that ship, and those that the service stores."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from threading import Lock
from typing import Any, NamedTuple

from twin.topologies import NETWORKS, network_text

from twin.errors.wording import counted
from twin.model.document import TopologyDocument
from twin.store import NetworkStore
from twin.store.documents import read_network
from twin.store.networks import name_and_digest
from twin.store.records import NetworkPage, RevisionPage

from ..problems import find

MAX_ROWS = 50
"""Stored networks, or revisions of one, on a page."""
N_CACHED = 16
"""Documents of which the page keeps names of jobs and plans."""


class NamedNote(NamedTuple):
    """A job or a plan by id, with its note."""

    id: str
    note: str


class PageNetwork(NamedTuple):
    """Facts about a network that the page shows before any question is asked."""

    name: str
    sentence: str
    default_job: str | None
    jobs: tuple[NamedNote, ...]
    plans: tuple[NamedNote, ...]
    plan_changes: dict[str, list[dict[str, Any]]]
    """Changes of each plan as plain data."""
    title: str = ""
    """Heading of the page, if it is not the name."""
    stored_name: str = ""
    """Name under which it is stored; empty for a network that ships."""
    others: tuple[NamedNote, ...] = ()
    """Networks and revisions that it may be compared with, each with what it is."""


class PageNetworks:
    """Shipped and stored networks, by name.

    Args:
        store: the store of networks.
    """

    def __init__(self, store: NetworkStore) -> None:
        self._store = store
        self._lock = Lock()
        self._cached: OrderedDict[str, PageNetwork] = OrderedDict()

    def shipped(self) -> Sequence[tuple[str, str]]:
        """Return name and sentence of each shipped network."""
        return sorted(NETWORKS.items())

    def stored(self, after: str | None) -> NetworkPage:
        """Return stored networks by name.

        after: name after which they begin; None = the first ones.
        """
        return self._store.page(MAX_ROWS, after)

    def revisions(self, name: str, after: int | None) -> RevisionPage:
        """Return the revisions of a stored network, the newest first. Raises NotFoundError.

        Args:
            name: name of the network.
            after: number of the revision after which they begin; None = the newest ones.
        """
        return find(partial(self._store.revisions, name, MAX_ROWS, after))

    def others(self, name: str) -> tuple[NamedNote, ...]:
        """Return the networks and revisions that a network may be compared with, its own revisions first.

        name: name of the network, or `name@digest`.
        """
        stored_name, _ = name_and_digest(name)
        found = []
        if stored_name not in NETWORKS:
            found += [
                NamedNote(f"{stored_name}@{row.revision}", f"revision {row.number}, {time_text(row.stored_at)}")
                for row in self.revisions(stored_name, None).revisions
            ]
        found += [NamedNote(row.name, "stored") for row in self.stored(None).networks]
        found += [NamedNote(other, sentence) for other, sentence in self.shipped()]
        return tuple(each for each in found if each.id != name)

    def network(self, name: str) -> PageNetwork:
        """Return a network. Raises NotFoundError with similar names.

        name: name of a shipped or stored network, or `name@digest`.
        """
        if name in NETWORKS:
            return self._keep(name, name, NETWORKS[name], network_text(name).encode())
        stored_name, digest = name_and_digest(name)
        stored = find(partial(self._store.find, stored_name, digest))
        sentence = f"Revision {stored.number}, stored {time_text(stored.stored_at)}. "
        sentence += f"{counted(stored.n_nodes, 'node')}, {counted(stored.n_links, 'link')}."
        title = f"{stored_name}, revision {stored.number}" if digest else stored_name
        with self._lock:
            known = self._cached.get(stored.revision)
        if known is not None:
            return known._replace(name=name, sentence=sentence, title=title, stored_name=stored_name)
        content = find(partial(self._store.get, stored_name, stored.revision)).content
        kept = self._keep(stored.revision, name, sentence, content)
        return kept._replace(title=title, stored_name=stored_name)

    def _keep(self, key: str, name: str, sentence: str, content: bytes) -> PageNetwork:
        with self._lock:
            known = self._cached.get(key)
        if known is None:
            known = _page_network(name, sentence, read_network(content, name).document)
            with self._lock:
                self._cached[key] = known
                while len(self._cached) > N_CACHED:
                    self._cached.popitem(last=False)
        return known


def time_text(stored_at: str) -> str:
    """Return a time of the store without seconds: `2026-11-27T10:57:38Z` -> 2026-11-27 10:57 UTC."""
    return f"{stored_at[:10]} {stored_at[11:16]} UTC"


def _page_network(name: str, sentence: str, document: TopologyDocument) -> PageNetwork:
    return PageNetwork(
        name,
        sentence,
        document.default_job,
        tuple(NamedNote(job.id, job.note) for job in document.jobs),
        tuple(NamedNote(plan.id, plan.note) for plan in document.plans),
        {plan["id"]: plan.get("changes", []) for plan in document.to_dict().get("plans", ())},
    )
