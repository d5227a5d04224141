"""Stored bytes as networks: JSON or YAML is recognised, migrated to this version, and validated in full."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from twin.topologies import MAX_RECORDS, check_size, expand

from ..arrays import END_POINTS
from ..errors import DocumentError
from ..formats.native import parse_mapping
from ..formats.readers import UTF8_MARK, decode_utf8
from ..loading import from_document
from ..model.document import TopologyDocument
from ..network import Network
from ..traffic.demand_counts import n_demands_at_most

JSON, YAML = "application/json", "application/yaml"


def media_type_of(content: bytes) -> str:
    """Return the media type of a document: JSON if it begins with a brace, else YAML."""
    return JSON if content.removeprefix(UTF8_MARK).lstrip()[:1] == b"{" else YAML


def bounded_network(
    data: TopologyDocument | Mapping[str, Any], label: str = "document", max_records: int = MAX_RECORDS
) -> Network:
    """Create a network from a document or plain data whose nodes and links are bounded.

    Args:
        data: a document, or a mapping with its fields.
        label: name in answers if the document has none.
        max_records: most nodes and links, generators expanded.

    Raises:
        DocumentError: invalid data; it lists every fault.
    """
    network = from_document(data, label=label)
    check_size(network.document, max_records)
    network.generators = network.generators._replace(expand=partial(expand, max_records=max_records))
    return network


def read_network(content: bytes, name: str, max_records: int = MAX_RECORDS, max_bytes: int | None = None) -> Network:
    """Read stored bytes; a document of an earlier version is migrated, and the bytes stay as they are.

    Args:
        content: JSON or YAML text in UTF-8.
        name: name of the network, which answers show if the document has none.
        max_records: most nodes and links, generators expanded.
        max_bytes: most bytes; None = no bound.

    Raises:
        DocumentError: invalid data; it lists every fault.
    """
    if max_bytes is not None and len(content) > max_bytes:
        raise DocumentError(f"{len(content):,} bytes", where=name, expected=f"at most {max_bytes:,} bytes")
    as_json = media_type_of(content) == JSON
    text = decode_utf8(content, name)
    return bounded_network(parse_mapping(text, name, as_json=as_json), name, max_records)


def summary_of(network: Network) -> str:
    """Return the figures of a list of networks, as JSON in ASCII. It expands fabrics and checks all records.

    Raises:
        TopologyError: records contradict each other.
    """
    document = network.document
    figures = {
        "title": document.name,
        "n_nodes": len(network.nodes),
        "n_links": len(network.links),
        "n_jobs": len(document.jobs),
        "n_plans": len(document.plans),
        "n_measurements": len(document.measurements),
        "n_demands": len(document.demands) + _n_generated_demands(network),
    }
    return json.dumps(figures)


def _n_generated_demands(network: Network) -> int:
    """Return a bound on the demands of traffic blocks, which are not made here."""
    n_end_points = sum(node.kind in END_POINTS for node in network.nodes)
    n_nodes = len(network.nodes)
    blocks = network.document.traffic
    return sum(n_demands_at_most(block, n_end_points or n_nodes, n_nodes) for block in blocks)
