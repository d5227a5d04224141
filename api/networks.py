"""Networks of requests: shipped networks are cached, a posted network lives as long as its request."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from threading import Lock
from typing import Any

from twin.topologies import NETWORKS, check_size, expand, network_text

from twin.loading import from_document, load
from twin.model.document import TopologyDocument
from twin.network import Network

from .bodies import ChangedNetworkRequest, JobsRequest, NetworkRequest
from .problems import find


class _ShippedNetwork:
    """A shipped network, loaded by the first request that names it. Its lock prevents a second load."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = Lock()
        self._network: Network | None = None

    def get(self) -> Network:
        """Return the network, with its arrays compiled."""
        with self._lock:
            if self._network is None:
                network = load(self._name)
                _ = network.arrays
                self._network = network
            return self._network


class Networks:
    """Cache of networks by name; it also creates networks from documents.

    Requests share a shipped network without a lock. The engine of the network computes one outcome at a time.
    Everything else that requests share is read-only, or a table with the same entries on every thread.

    Args:
        max_records: most nodes and links of a posted document, generators expanded.
        n_cached: most shipped networks in the cache. The least recently used one is dropped first.
    """

    def __init__(self, max_records: int, n_cached: int = 8) -> None:
        self.max_records = max_records
        self.n_cached = n_cached
        self._lock = Lock()
        self._shipped: OrderedDict[str, _ShippedNetwork] = OrderedDict()

    def get(self, network: str | TopologyDocument | Mapping[str, Any]) -> Network:
        """Return the network of a request. A text is the name of a shipped network, never a path."""
        if not isinstance(network, str):
            return self._posted(network)
        self.check(network)
        return self._cached(network).get()

    def get_separate(self, network: str | TopologyDocument | Mapping[str, Any]) -> Network:
        """Return a network with its own engine, for a long request that would delay others."""
        if not isinstance(network, str):
            return self._posted(network)
        self.check(network)
        return load(network)

    def check(self, network: str | TopologyDocument | Mapping[str, Any]) -> None:
        """Raise NotFoundError with similar names for a name of no network. It takes no time worth a queue."""
        if isinstance(network, str) and network not in NETWORKS:
            find(lambda: network_text(network))

    def _cached(self, name: str) -> _ShippedNetwork:
        with self._lock:
            entry = self._shipped.setdefault(name, _ShippedNetwork(name))
            self._shipped.move_to_end(name)
            while len(self._shipped) > self.n_cached:
                self._shipped.popitem(last=False)
            return entry

    def _posted(self, data: TopologyDocument | Mapping[str, Any]) -> Network:
        network = from_document(data)
        check_size(network.document, self.max_records)
        network.generators = network.generators._replace(expand=partial(expand, max_records=self.max_records))
        return network


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
