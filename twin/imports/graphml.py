"""GraphML: nodes and edges with typed attributes, as networkx, yEd and the Internet Topology Zoo write it.

Source: Brandes, Eiglsperger, Herman, Himsolt, Marshall: GraphML Progress Report, GD 2001.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import DocumentError
from .cabling import Cabling
from .fields import plain
from .files import SourceFile, check_count, json_of
from .graph import DRAWING, GraphReader
from .ledger import Ledger
from .options import ImportOptions
from .xml_tree import MAX_ELEMENTS, Element, xml_tree

HINT = "GraphML is <graphml><graph edgedefault=...> with nodes and edges"
DEMANDS = "demands"
"""Attribute of the graph with a JSON list of demands, as `twin export` and networkx users write it."""
DRAWN_KEYS = {"nodegraphics": "NodeLabel", "edgegraphics": "EdgeLabel"}
"""Types of yEd's keys -> element inside that holds the label that the picture shows."""
NUMBER_TYPES = frozenset({"int", "long", "float", "double", "integer"})


class Key(NamedTuple):
    """An attribute that a file declares."""

    name: str
    kind: str
    """Type of its values."""
    domain: str
    """Name of the elements that have it: node, edge, graph, or all."""
    default: Element | None
    """Holds the value of elements without one; None = they have none."""


Keys = Mapping[str, Key]
"""Id of a key -> the key."""
Defaults = Mapping[str, Mapping[str, tuple[str, Any]]]
"""Name of an element -> id of a key -> name and value of its default."""


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
        defaults = {domain: _defaults(keys, domain) for domain in ("graph", "node", "edge")}
        n_records = sum(1 + len(graph.children) for graph in graphs)
        n_values = n_records * max(map(len, defaults.values()))
        if n_values > MAX_ELEMENTS:
            problem, limit = f"{n_values:,} values by default", f"at most {MAX_ELEMENTS:,}"
            hint = "delete the keys that no answer uses"
            raise DocumentError(problem, where=file.where, expected=limit, hint=hint)
        for graph in graphs:
            _read_graph(graph, keys, defaults, file, GraphReader(file.name, cabling, ledger, options,
                        directed=graph.attributes.get("edgedefault") == "directed"))  # fmt: skip


def _keys(root: Element) -> dict[str, Key]:
    return {
        key.attributes.get("id", ""): Key(
            key.attributes.get("attr.name") or key.attributes.get("id", ""),
            key.attributes.get("yfiles.type") or key.attributes.get("attr.type", "string"),
            key.attributes.get("for", "all"),
            key.first("default"),
        )
        for key in root.all("key")
    }


def _defaults(keys: Keys, domain: str) -> dict[str, tuple[str, Any]]:
    """Return id -> name and value of the keys whose default holds for elements without a value; drawings have none."""
    return {
        key_id: (key.name, value)
        for key_id, key in keys.items()
        if key.domain in (domain, "all")
        and key.default is not None
        and key.kind not in DRAWN_KEYS
        and (value := _value(key.default, key.kind)) is not None
    }


def _read_graph(graph: Element, keys: Keys, defaults: Defaults, file: SourceFile, reader: GraphReader) -> None:
    cabling, ledger = reader.cabling, reader.ledger
    data = _attributes(graph, keys, file, defaults["graph"])
    check_count(len(graph.children), f"{file.where}, line {graph.line}")
    for node in graph.all("node"):
        key = node.attributes.get("id")
        if not key:
            raise DocumentError(f"line {node.line}: a node has no id", where=file.where, hint=HINT)
        if node.first("graph") is not None:
            ledger.dropped("nodes.graph", "a graph inside a node is not read", f"line {node.line}")
        reader.node(key, _attributes(node, keys, file, defaults["node"]), f"line {node.line}")
    for edge in graph.all("edge"):
        ends = edge.attributes.get("source"), edge.attributes.get("target")
        if not ends[0] or not ends[1]:
            raise DocumentError(f"line {edge.line}: an edge lacks source or target", where=file.where, hint=HINT)
        attributes = _attributes(edge, keys, file, defaults["edge"]) | _ports(edge)
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


def _attributes(
    element: Element, keys: Keys, file: SourceFile, defaults: Mapping[str, tuple[str, Any]]
) -> dict[str, Any]:
    """Return the data of an element by name, and the defaults of keys that it has no data of."""
    found: dict[str, Any] = {}
    stated: set[str] = set()
    for data in element.all("data"):
        key = data.attributes.get("key", "")
        if key not in keys:
            raise DocumentError(
                f"line {data.line}: no <key> with the id {key[:80]!r}", where=file.where, hint="declare it at the top"
            )
        stated.add(key)
        name, kind = keys[key].name, keys[key].kind
        if kind in DRAWN_KEYS:
            found[DRAWING] = kind
            label = _label(data, DRAWN_KEYS[kind])
            if label:
                found.setdefault("label", label)
            continue
        value = _value(data, kind)
        if value is not None:
            found[name] = value
    for key, (name, value) in defaults.items():
        if key not in stated:
            found.setdefault(name, value)
    return found


def _value(data: Element, kind: str) -> Any:
    """Return a value: a number by its declared type, another text as it is, `markup` for elements; None if empty."""
    text = data.text.strip()
    if kind in NUMBER_TYPES and text:
        try:
            return float(text) if kind in ("float", "double") or len(text) > 15 else int(text)
        except ValueError:
            return text
    return text or ("markup" if data.children else None)


def _label(element: Element, name: str) -> str:
    """Return the first text of an element of a name anywhere below, on one line; empty if there is none."""
    for child in element.children:
        text = " ".join(child.text.split()) if child.name == name else ""
        if text := text or _label(child, name):
            return text
    return ""
