"""Node-link JSON of networkx: an undirected multigraph, one record on each line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ..imports.ledger import Ledger
from .plain import PlainNetwork


def write(network: PlainNetwork, ledger: Ledger) -> dict[str, bytes]:
    """Return the file. Demands are in `graph`, since edges would change the graph."""
    edges = ({"source": link["source"], "target": link["target"], "key": link["id"], **link} for link in network.links)
    demands = f',\n"demands": {_lines(network.demands)}' if network.demands else ""
    ledger.kept("document.name")
    if network.demands:
        ledger.converted("demands", "records → list of the graph", len(network.demands))
    text = (
        '{"directed": false, "multigraph": true,\n'
        f'"graph": {{"name": {_text(network.name)}{demands}}},\n'
        f'"nodes": {_lines(network.nodes)},\n'
        f'"edges": {_lines(edges)}}}\n'
    )
    return {"": text.encode()}


def _lines(records: Iterable[Any]) -> str:
    return "[" + ",\n".join(map(_text, records)) + "]"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
