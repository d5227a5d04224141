"""Networks of a compute process that misbehave on request, for tests of the pool."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np
from twin.api.networks import Networks

from twin import deadline
from twin.store import NetworkStore, open_database


class HostileNetworks(Networks):
    """Ordinary networks, and names that sleep, wait, fill the memory, crash or fail."""

    def get(self, network: Any) -> Any:
        """Return a network, or misbehave."""
        if network == "sleep":  # as a kernel does: it looks at nothing
            time.sleep(60)
        if network == "wait":  # as stages do: they check between two steps
            for _ in range(6000):
                deadline.check()
                time.sleep(0.01)
        if network == "fill":
            return [np.ones(2**24) for _ in range(100)]
        if network == "crash":
            os._exit(3)
        if network == "fail":
            raise AssertionError("secret")
        return super().get("leaf-spine-demo" if network in ("one", "two") else network)


def hostile_networks() -> HostileNetworks:
    """Return such networks, in a compute process."""
    return HostileNetworks(1000, NetworkStore(open_database(None)))
