"""Key of the network of a request: its name, or a digest of its document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from twin.model.document import TopologyDocument


def network_key(network: str | TopologyDocument | Mapping[str, Any]) -> str:
    """Return a text that is the same for the same network.

    network: name of a network, or a document.
    """
    if isinstance(network, str):
        return network
    data = network.to_dict() if isinstance(network, TopologyDocument) else network
    # not sorted: order of keys changes the key, never an answer
    return sha256(json.dumps(data, separators=(",", ":")).encode()).hexdigest()
