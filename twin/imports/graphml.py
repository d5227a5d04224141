"""GraphML: nodes and edges with typed attributes, as networkx, yEd and the Internet Topology Zoo write it.

Source: Brandes, Eiglsperger, Herman, Himsolt, Marshall: GraphML Progress Report, GD 2001.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import DocumentError
from .cabling import Cabling
from .fields import plain
from .files import SourceFile, check_count, json_of
from .graph import DRAWING, GraphReader
from .ledger import Ledger
from .options import ImportOptions
from .xml_tree import Element, xml_tree

HINT = "GraphML is <graphml><graph edgedefault=...> with nodes and edges"
DEMANDS = "demands"
"""Attribute of the graph with a JSON list of demands, as `twin export` and networkx users write it."""
DRAWN_KEYS = {"nodegraphics": "NodeLabel", "edgegraphics": "EdgeLabel"}
"""Types of yEd's keys -> element inside that holds the label that the picture shows."""
NUMBER_TYPES = frozenset({"int", "long", "float", "double", "integer"})
Keys = Mapping[str, tuple[str, str]]
"""Id of a key -> name of the attribute and its type."""


def recognise(files: Sequence[SourceFile]) -> bool:
    """Return whether every file starts as GraphML does."""
    return all("<graphml" in file.head for file in files)


def read(files: Sequence[SourceFile], cabling: Cabling, ledger: Ledger, options: ImportOptions) -> None:
    """Read the graphs of each file."""
    for file in files:
        root = xml_tree(file)
        graphs = list(root.all("graph")) if root.name == "graphml" else []
        if not graphs:
            raise DocumentError(f"line {root.line}: <{root.name[:40]}> holds no graph", where=file.where, hint=HINT)
        keys = _keys(root)
        for graph in graphs:
            _read_graph(graph, keys, file, cabling, ledger, options)


def _keys(root: Element) -> dict[str, tuple[str, str]]:
    return {
        key.attributes.get("id", ""): (
            key.attributes.get("attr.name") or key.attributes.get("id", ""),
            key.attributes.get("yfiles.type") or key.attributes.get("attr.type", "string"),
        )
        for key in root.all("key")
    }


def _read_graph(
    graph: Element, keys: Keys, file: SourceFile, cabling: Cabling, ledger: Ledger, options: ImportOptions
) -> None:
    data = _attributes(graph, keys, file)
    directed = graph.attributes.get("edgedefault") == "directed"
    reader = GraphReader(file.name, cabling, ledger, options, directed=directed)
    check_count(len(graph.children), f"{file.where}, line {graph.line}")
    for node in graph.all("node"):
        key = node.attributes.get("id")
        if not key:
            raise DocumentError(f"line {node.line}: a node has no id", where=file.where, hint=HINT)
        if node.first("graph") is not None:
            ledger.dropped("nodes.graph", "a graph inside a node is not read", f"line {node.line}")
        reader.node(key, _attributes(node, keys, file), f"line {node.line}")
    for edge in graph.all("edge"):
        ends = edge.attributes.get("source"), edge.attributes.get("target")
        if not ends[0] or not ends[1]:
            raise DocumentError(f"line {edge.line}: an edge lacks source or target", where=file.where, hint=HINT)
        attributes = _attributes(edge, keys, file) | _ports(edge)
        key = edge.attributes.get("id", "")
        reader.edge(ends[0], ends[1], attributes, f"line {edge.line}", key and f"{key} line {edge.line}")
    for _ in graph.all("hyperedge"):
        ledger.finding("hyperedge", "edges of more than two ends are not read", "draw it as a node", file.name)
    reader.finish()
    name = data.get("Network") or data.get("name") or data.get("label")
    if isinstance(name, str) and name:
        cabling.name = plain(name)
        ledger.kept("graph.name")
    demands = data.get(DEMANDS)
    if isinstance(demands, str) and demands.startswith("[{"):
        reader.demands(json_of(demands, f"{file.where}: graph.demands"), f"{file.where}: graph.demands")
        ledger.converted("graph.demands", "JSON text → records")
        del data[DEMANDS]
    for other in data:
        if data[other] != name:
            ledger.dropped(f"graph.{other[:80]}", "not in the document; no answer uses it", file.name)


def _ports(edge: Element) -> dict[str, str]:
    names = (("sourceport", "source_port"), ("targetport", "target_port"))
    return {ours: edge.attributes[theirs] for theirs, ours in names if edge.attributes.get(theirs)}


def _attributes(element: Element, keys: Keys, file: SourceFile) -> dict[str, Any]:
    """Return the data of an element by name; numbers by their declared type, other texts as they are."""
    found: dict[str, Any] = {}
    for data in element.all("data"):
        key = data.attributes.get("key", "")
        if key not in keys:
            raise DocumentError(
                f"line {data.line}: no <key> with the id {key[:80]!r}", where=file.where, hint="declare it at the top"
            )
        name, kind = keys[key]
        if kind in DRAWN_KEYS:
            found[DRAWING] = kind
            label = _label(data, DRAWN_KEYS[kind])
            if label:
                found.setdefault("label", label)
            continue
        text = data.text.strip()
        value: Any = text
        if kind in NUMBER_TYPES and text:
            try:
                value = float(text) if kind in ("float", "double") or len(text) > 15 else int(text)
            except ValueError:
                value = text
        if text or data.children:
            found[name] = value if text else "markup"
    return found


def _label(element: Element, name: str) -> str:
    """Return the first text of an element of a name anywhere below, on one line; empty if there is none."""
    for child in element.children:
        text = " ".join(child.text.split()) if child.name == name else ""
        if text := text or _label(child, name):
            return text
    return ""
