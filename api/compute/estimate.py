"""Estimate of a question before it is queued: light questions do not wait for heavy ones."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple

import yaml
from twin.topologies import NETWORKS, network_text, size_of

from twin.arrays import END_POINTS
from twin.errors import TwinError
from twin.model.document import Fabric, TopologyDocument, TrafficBlock
from twin.model.validation import validate_as
from twin.store import NetworkStore
from twin.traffic.demand_counts import n_demands_at_most

from ..bodies import NetworkRequest
from ..networks import n_stored_records
from ..questions.table import Question
from .network_key import network_key

MAX_LIGHT_RECORDS = 10_000
"""Most nodes, links and demands of a network whose questions are light."""
LISTS = ("nodes", "links", "demands", "spans", "measurements", "traffic")
"""Fields of a document whose entries count as records."""
MAX_LIGHT_BYTES = 256 * 1024
"""Largest body that is expected to take about a second or less."""


class Estimate(NamedTuple):
    """Facts about a question before it starts."""

    network: str
    """Key of its network."""
    is_light: bool
    """True if it takes about a second or less."""


def estimate_of(question: Question, asked: NetworkRequest, store: NetworkStore) -> Estimate:
    """Return the estimate of a question.

    Args:
        question: row of the table.
        asked: validated request; the document in it has not been validated.
        store: store of networks that it may name.

    Raises:
        NotFoundError: there is no network of a name.
    """
    networks = [network for network in (asked.network, getattr(asked, "other", None)) if network is not None]
    n_records = sum(n_records_of_network(network, store) for network in networks)
    key = "+".join(network_key(network) for network in networks)
    return Estimate(key, not question.is_long and n_records <= MAX_LIGHT_RECORDS)


def estimate_of_body(question: Question, body: bytes) -> Estimate:
    """Return the estimate of a question whose body has not been read.

    Args:
        question: row of the table.
        body: JSON text.
    """
    return Estimate(sha256(body).hexdigest(), not question.is_long and len(body) <= MAX_LIGHT_BYTES)


def n_records_of_network(network: str | TopologyDocument | Mapping[str, Any], store: NetworkStore) -> int:
    """Return the number of records of a network. Faults count as nothing, because validation reports them.

    Args:
        network: name of a network, or a document.
        store: store of networks that may be named.

    Raises:
        NotFoundError: there is no network of the name.
    """
    if isinstance(network, str):
        return _n_records_that_ship(network) if network in NETWORKS else n_stored_records(store, network)
    return _n_records_of_document(network)


def _n_records_of_document(network: TopologyDocument | Mapping[str, Any]) -> int:
    data = network.to_dict() if isinstance(network, TopologyDocument) else network
    n_records = sum(len(_list_of(data, name)) for name in LISTS)
    n_of_fabrics = 0
    for fabric in _list_of(data, "fabrics"):
        n_nodes, n_links = _size_of_fabric(fabric)
        n_of_fabrics, n_records = n_of_fabrics + n_nodes, n_records + n_nodes + n_links
    if n_records > MAX_LIGHT_RECORDS:
        return n_records
    nodes = _list_of(data, "nodes")
    n_nodes = len(nodes) + n_of_fabrics
    n_end_points = sum(isinstance(node, Mapping) and node.get("kind") in END_POINTS for node in nodes) + n_of_fabrics
    demands = (_n_demands_at_most(block, n_end_points or n_nodes, n_nodes) for block in _list_of(data, "traffic"))
    return n_records + sum(demands)


@cache
def _n_records_that_ship(name: str) -> int:
    return _n_records_of_document(yaml.safe_load(network_text(name)))


def _list_of(data: Mapping[str, Any], name: str) -> list[Any] | tuple[Any, ...]:
    found = data.get(name)
    return found if isinstance(found, list | tuple) else ()


def _size_of_fabric(data: Any) -> tuple[int, int]:
    try:
        fabric: Fabric = validate_as(Fabric, data, "fabric")
        n_nodes, n_links = size_of(fabric)
    except TwinError:
        return 0, 0
    return n_nodes, n_links


def _n_demands_at_most(data: Any, n_end_points: int, n_nodes: int) -> int:
    """Return a bound on the demands of a traffic block, because the nodes that it names have not been made.

    Args:
        data: the block.
        n_end_points: nodes that send and receive where the block names none, at most.
        n_nodes: all nodes, at most.
    """
    try:
        return n_demands_at_most(validate_as(TrafficBlock, data, "traffic"), n_end_points, n_nodes)
    except TwinError:
        return 0
