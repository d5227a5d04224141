"""The networks that requests name: shipped ones are kept, posted ones live as long as their request."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from threading import Lock
from typing import Any

from twin.topologies import NETWORKS, check_size, expand, network_text

from twin.loading import Network, from_document, load
from twin.model.document import TopologyDocument

from .bodies import ChangedNetworkRequest
from .problems import find


class _Slot:
    """A shipped network, loaded by the first request that names it; the lock keeps a second from loading it too."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = Lock()
        self._network: Network | None = None

    def get(self) -> Network:
        """The network, with its arrays compiled."""
        with self._lock:
            if self._network is None:
                network = load(self._name)
                _ = network.arrays
                self._network = network
            return self._network


class Networks:
    """Gives out networks by name or document.

    Requests share a shipped network. Nothing here keeps them apart: the network's engine computes one outcome at a
    time, and everything else that they share is either read-only or a table whose entries every thread computes alike.
    """

    def __init__(self, max_records: int, n_kept: int = 8) -> None:
        self.max_records = max_records
        self.n_kept = n_kept
        self._lock = Lock()
        self._slots: OrderedDict[str, _Slot] = OrderedDict()

    def get(self, network: str | TopologyDocument | Mapping[str, Any]) -> Network:
        """The network of a request. A text is the name of a shipped network, never a path."""
        if not isinstance(network, str):
            return self._posted(network)
        _check_name(network)
        return self._slot(network).get()

    def separate(self, network: str | TopologyDocument | Mapping[str, Any]) -> Network:
        """The network with an engine of its own, for a request so long that others should not wait for it."""
        if not isinstance(network, str):
            return self._posted(network)
        _check_name(network)
        return load(network)

    def _slot(self, name: str) -> _Slot:
        with self._lock:
            slot = self._slots.setdefault(name, _Slot(name))
            self._slots.move_to_end(name)
            while len(self._slots) > self.n_kept:
                self._slots.popitem(last=False)
            return slot

    def _posted(self, data: TopologyDocument | Mapping[str, Any]) -> Network:
        network = from_document(data)
        check_size(network.document, self.max_records)
        network.generators = network.generators._replace(expand=partial(expand, max_records=self.max_records))
        return network


def _check_name(name: str) -> None:
    """Raise NotFoundError with near names unless a network of this name ships."""
    if name not in NETWORKS:
        find(lambda: network_text(name))


def find_names(network: Network, request: ChangedNetworkRequest, *more_plans: str | None) -> None:
    """Raise NotFoundError for a job or plan that the document does not have."""
    find(lambda: network.job(request.job))
    for plan in (request.plan, *more_plans):
        if plan is not None:
            find(partial(network.plan, plan))
