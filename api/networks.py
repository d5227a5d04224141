"""The networks that are asked: those of the catalogue are kept, posted ones live as long as their request."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import Any

from twin.topologies import NETWORKS, check_size, expand, network_text

from twin.loading import Network, from_document, load
from twin.model.document import TopologyDocument

from .bodies import ChangedQuestion
from .problems import find


class _Held:
    """A network of the catalogue and the lock under which it is asked: what it remembers is not thread-safe."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.network: Network | None = None


class Networks:
    """Gives out networks by name or document: one question at a time each, different ones side by side."""

    def __init__(self, max_records: int, n_kept: int = 8) -> None:
        self.max_records = max_records
        self.n_kept = n_kept
        self._lock = Lock()
        self._held: OrderedDict[str, _Held] = OrderedDict()

    @contextmanager
    def asked(self, network: str | TopologyDocument | Mapping[str, Any]) -> Iterator[Network]:
        """The network for the time of a question. A text is a name of the catalogue and never a path."""
        if not isinstance(network, str):
            yield self._posted(network)
            return
        _check_name(network)
        held = self._hold(network)
        with held.lock:
            if held.network is None:
                held.network = load(network)
            yield held.network

    def aside(self, network: str | TopologyDocument | Mapping[str, Any]) -> Network:
        """The network with a memory of its own, for a question so long that no other should wait for it."""
        if not isinstance(network, str):
            return self._posted(network)
        _check_name(network)
        return load(network)

    def _hold(self, name: str) -> _Held:
        with self._lock:
            held = self._held.setdefault(name, _Held())
            self._held.move_to_end(name)
            while len(self._held) > self.n_kept:
                self._held.popitem(last=False)
            return held

    def _posted(self, data: TopologyDocument | Mapping[str, Any]) -> Network:
        network = from_document(data)
        check_size(network.document, self.max_records)
        network.generators = network.generators._replace(expand=partial(expand, max_records=self.max_records))
        return network


def _check_name(name: str) -> None:
    """404 with near names for what is not in the catalogue; a path never is."""
    if name not in NETWORKS:
        find(lambda: network_text(name))


def find_names(network: Network, asked: ChangedQuestion, *more_plans: str | None) -> None:
    """404 for a job or plan that the document does not have."""
    find(lambda: network.job(asked.job))
    for plan in (asked.plan, *more_plans):
        if plan is not None:
            find(partial(network.plan, plan))
