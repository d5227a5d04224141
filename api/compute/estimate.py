"""Estimate of a question before it is queued: light questions do not wait for heavy ones."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple

import yaml
from twin.topologies import NETWORKS, n_records_of, network_text

from twin.errors import TwinError
from twin.model.document import Fabric, TopologyDocument
from twin.model.validation import validate_as

from ..bodies import NetworkRequest
from ..questions.table import Question
from .network_key import network_key

MAX_LIGHT_RECORDS = 10_000
"""Most nodes, links and demands of a network whose questions are light."""
MAX_LIGHT_BYTES = 256 * 1024
"""Largest body that is expected to take about a second or less."""


class Estimate(NamedTuple):
    """Facts about a question before it starts."""

    network: str
    """Key of its network."""
    is_light: bool
    """True if it takes about a second or less."""


def estimate_of(question: Question, asked: NetworkRequest) -> Estimate:
    """Return the estimate of a question.

    Args:
        question: row of the table.
        asked: validated request; the document in it has not been validated.
    """
    networks = [network for network in (asked.network, getattr(asked, "other", None)) if network is not None]
    n_records = sum(map(n_records_of_network, networks))
    key = "+".join(network_key(network) for network in networks)
    return Estimate(key, not question.is_long and n_records <= MAX_LIGHT_RECORDS)


def estimate_of_body(question: Question, body: bytes) -> Estimate:
    """Return the estimate of a question whose body has not been read.

    Args:
        question: row of the table.
        body: JSON text.
    """
    return Estimate(sha256(body).hexdigest(), not question.is_long and len(body) <= MAX_LIGHT_BYTES)


def n_records_of_network(network: str | TopologyDocument | Mapping[str, Any]) -> int:
    """Return the number of records of a network.

    Faults count as nothing, because validation reports them. A stored network named by a reference counts as nothing
    too: its question leaves the places of light ones once it takes longer than they do.
    """
    if isinstance(network, str):
        return _n_records_that_ship(network) if network in NETWORKS else 0
    data = network.to_dict() if isinstance(network, TopologyDocument) else network
    lists = (data.get(name) for name in ("nodes", "links", "demands", "spans", "measurements"))
    n_records = sum(len(records) for records in lists if isinstance(records, list | tuple))
    fabrics = data.get("fabrics")
    if isinstance(fabrics, list | tuple):
        n_records += sum(map(_n_records_of_fabric, fabrics))
    traffic = data.get("traffic")
    return n_records + (MAX_LIGHT_RECORDS if isinstance(traffic, list | tuple) and traffic else 0)


@cache
def _n_records_that_ship(name: str) -> int:
    return n_records_of_network(yaml.safe_load(network_text(name)))


def _n_records_of_fabric(data: Any) -> int:
    try:
        fabric: Fabric = validate_as(Fabric, data, "fabric")
        n_records: int = n_records_of(fabric)
    except TwinError:
        return 0
    return n_records
