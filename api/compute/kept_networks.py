"""Networks of a compute process: posted documents are kept, too, because planning tools post one again and again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from twin.model.document import TopologyDocument
from twin.network import Network
from twin.store import NetworkStore

from ..questions.context import NetworkSource
from .network_key import network_key

N_KEPT = 4
"""Most posted networks that a process keeps."""


class KeptNetworks:
    """Networks by name, and the last posted ones. One thread uses them, so no question needs an engine of its own.

    Args:
        networks: cache of named networks, and builder of posted ones.
    """

    def __init__(self, networks: NetworkSource) -> None:
        self._networks = networks
        self._kept: OrderedDict[str, Network] = OrderedDict()
        self._names: set[str] = set()
        self.is_known: bool | None = None
        """True if all networks of the current question were there before; None before the first. The caller resets it.
        """

    @property
    def store(self) -> NetworkStore | None:
        """Return the store of networks; None where nothing may be written."""
        return self._networks.store

    def get(self, network: str | TopologyDocument | Mapping[str, Any]) -> Network:
        """Return the network of a request."""
        key = network_key(network)
        if isinstance(network, str):
            found = self._networks.get(network)
            self._note(is_known=key in self._names)
            self._names.add(key)
            return found
        known = self._kept.get(key)
        self._note(is_known=known is not None)
        if known is None:
            known = self._kept[key] = self._networks.get(network)
            while len(self._kept) > N_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return known

    def _note(self, *, is_known: bool) -> None:
        self.is_known = is_known and self.is_known is not False

    def get_separate(self, network: str | TopologyDocument | Mapping[str, Any]) -> Network:
        """Return the same network: one thread uses it."""
        return self.get(network)
