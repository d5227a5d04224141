"""Networks of requests: shipped and stored ones are cached, a posted network lives as long as its request."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from threading import Lock
from typing import Any

from twin.topologies import NETWORKS

from twin.loading import load
from twin.model.document import TopologyDocument
from twin.network import Network
from twin.store import NetworkStore
from twin.store.documents import bounded_network, read_network
from twin.store.networks import name_and_digest
from twin.store.records import StoredNetwork

from .bodies import ChangedNetworkRequest, JobsRequest, NetworkRequest
from .problems import find

NETWORK_FIELDS = ("network", "other")
"""Fields of requests that name a network."""


class _CachedNetwork:
    """A shipped network or a stored revision, loaded by the first request that names it, under a lock."""

    def __init__(self, load: Callable[[], Network]) -> None:
        self._load = load
        self._lock = Lock()
        self._network: Network | None = None

    def get(self) -> Network:
        """Return the network, with its arrays compiled."""
        with self._lock:
            if self._network is None:
                network = self._load()
                _ = network.arrays
                self._network = network
            return self._network


class Networks:
    """Cache of networks by name; it also creates networks from documents.

    Requests share a shipped network without a lock. The engine of the network computes one outcome at a time.
    Everything else that requests share is read-only, or a table with the same entries on every thread.

    Args:
        max_records: most nodes and links of a posted document, generators expanded.
        store: the store of networks that requests may name.
        n_cached: most networks in the cache. The least recently used one is dropped first.
    """

    def __init__(self, max_records: int, store: NetworkStore, n_cached: int = 8) -> None:
        self.max_records = max_records
        self.store = store
        self.n_cached = n_cached
        self._lock = Lock()
        self._cached: OrderedDict[str, _CachedNetwork] = OrderedDict()

    def get(self, network: str | TopologyDocument | Mapping[str, Any]) -> Network:
        """Return the network of a request, never of a path.

        Args:
            network: name of a shipped or stored network, `name@digest` for a stored revision, or a document.
        """
        if not isinstance(network, str):
            return bounded_network(network, max_records=self.max_records)
        key, load_network = self._named(network)
        with self._lock:
            entry = self._cached.setdefault(key, _CachedNetwork(load_network))
            self._cached.move_to_end(key)
            while len(self._cached) > self.n_cached:
                self._cached.popitem(last=False)
        return entry.get()

    def get_separate(self, network: str | TopologyDocument | Mapping[str, Any]) -> Network:
        """Return a network with its own engine, for a long request that would delay others."""
        if not isinstance(network, str):
            return bounded_network(network, max_records=self.max_records)
        return self._named(network)[1]()

    def _named(self, text: str) -> tuple[str, Callable[[], Network]]:
        """Return the key of a named network, and the function that loads it.

        The key of a stored network has its digest, so that a new revision is another network.
        """
        if text in NETWORKS:
            return text, partial(load, text)
        stored = _stored(self.store, text)
        return _pinned(stored), partial(self._read, stored.name, stored.revision)

    def _read(self, name: str, revision: str) -> Network:
        content = find(partial(self.store.get, name, revision)).content
        return read_network(content, name, self.max_records)


def pinned_name(store: NetworkStore, name: str) -> str:
    """Return a name that always means the same network: `name@digest` for a stored one.

    Raises:
        NotFoundError: there is no network of this name.
    """
    return name if name in NETWORKS else _pinned(_stored(store, name))


def n_stored_records(store: NetworkStore, name: str) -> int:
    """Return the number of records of a stored network.

    Raises:
        NotFoundError: there is no network of this name.
    """
    return _stored(store, name).n_records


def _stored(store: NetworkStore, text: str) -> StoredNetwork:
    return find(partial(store.find, *name_and_digest(text)))


def _pinned(stored: StoredNetwork) -> str:
    return f"{stored.name}@{stored.revision}"


def check_names(network: Network, request: NetworkRequest, *more_plans: str | None) -> None:
    """Raise NotFoundError if the document lacks a job or a plan of the request.

    more_plans: ids of plans beside `request.plan`; None is ignored.
    """
    for job in (request.job, *((request.jobs or ()) if isinstance(request, JobsRequest) else ())):
        find(partial(network.job, job))
    plan = request.plan if isinstance(request, ChangedNetworkRequest) else None
    for name in (plan, *more_plans):
        if name is not None:
            find(partial(network.plan_record, name))
