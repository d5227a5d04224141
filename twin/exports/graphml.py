"""GraphML: an undirected graph with typed attributes; lists are JSON texts, since attributes hold single values.

Source: Brandes, Eiglsperger, Herman, Himsolt, Marshall: GraphML Progress Report, GD 2001.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from ..imports.ledger import Ledger
from .plain import Attributes, PlainNetwork
from .texts import REPLACEMENT, held_text

HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns '
    'http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">\n'
)
NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, escaped or not. Source: W3C, XML 1.0, production 2."""
IN_ELEMENT = {"nodes": frozenset({"id"}), "links": frozenset({"source", "target"})}
"""Attributes that the elements themselves state."""
Keys = dict[str, str]
"""Name of an attribute -> id of its key."""


def write(network: PlainNetwork, ledger: Ledger) -> dict[str, bytes]:
    """Return the file. Demands are a JSON text of the graph."""
    graph: Attributes = {"name": network.name} | ({"demands": network.demands} if network.demands else {})
    ledger.kept("document.name")
    if network.demands:
        ledger.converted("demands", "records → JSON text of the graph", len(network.demands))
    lines: list[str] = [HEAD]
    keys = [
        _declare(lines, element, records, IN_ELEMENT.get(kind, frozenset()))
        for element, kind, records in (
            ("graph", "graph", [graph]),
            ("node", "nodes", network.nodes),
            ("edge", "links", network.links),
        )
    ]
    lines.append('<graph edgedefault="undirected">\n')
    lines += _data(graph, keys[0], "graph", ledger)
    for node in network.nodes:
        lines += (f"<node id={_quoted(node['id'])}>", *_data(node, keys[1], "nodes", ledger), "</node>\n")
    for link in network.links:
        lines.append(
            f"<edge id={_quoted(link['id'])} source={_quoted(link['source'])} target={_quoted(link['target'])}>"
        )
        lines += (*_data(link, keys[2], "links", ledger), "</edge>\n")
    lines.append("</graph>\n</graphml>\n")
    return {"": "".join(lines).encode()}


def _quoted(text: str) -> str:
    return quoteattr(NOT_IN_XML.sub(REPLACEMENT, text))


def _declare(lines: list[str], element: str, records: Sequence[Attributes], stated: frozenset[str]) -> Keys:
    """Add the declarations of all attributes of a kind of record, sorted by name; return the ids of their keys."""
    kinds: dict[str, str] = {}
    for record in records:
        for name, value in record.items():
            if name not in kinds and name not in stated:
                kinds[name] = _type(value)
    keys: Keys = {}
    for name in sorted(kinds):
        keys[name] = f"{element[0]}{len(keys)}"
        lines.append(f'<key id="{keys[name]}" for="{element}" attr.name="{name}" attr.type="{kinds[name]}"/>\n')
    return keys


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "double" if isinstance(value, float) else "long" if isinstance(value, int) else "string"


def _data(record: Mapping[str, Any], keys: Keys, kind: str, ledger: Ledger) -> Iterator[str]:
    for name, value in record.items():
        if name in keys:
            yield f'<data key="{keys[name]}">{_content(value, f"{kind}.{name}", ledger)}</data>'


def _content(value: Any, name: str, ledger: Ledger) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | int):
        return repr(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)
    return escape(held_text(text, NOT_IN_XML, name, ledger), {"\r": "&#13;"})
