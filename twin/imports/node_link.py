"""Node-link JSON of networkx: `nodes` with `id`, and `edges` or `links` with `source` and `target`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import DocumentError
from .cabling import Cabling
from .fields import plain
from .files import SourceFile, records_of
from .graph import GraphReader
from .ledger import Ledger
from .options import ImportOptions

HINT = "node-link JSON has lists nodes and edges (or links)"
EDGE_LISTS = ("edges", "links")


def recognise(files: Sequence[SourceFile]) -> bool:
    """Return whether this is one file with nodes and edges, and without the marks of topohub."""
    return len(files) == 1 and has_graph(files[0]) and not has_topohub_marks(files[0])


def has_graph(file: SourceFile) -> bool:
    """Return whether a file holds an object with a list of nodes and a list of edges that have two ends."""
    if not file.looks_like_json:
        return False
    try:
        data = file.data
    except DocumentError:
        return False
    if not isinstance(data, dict) or not isinstance(data.get("nodes"), list):
        return False
    edges = next((data[name] for name in EDGE_LISTS if isinstance(data.get(name), list)), None)
    return edges is not None and all(isinstance(e, dict) and "source" in e and "target" in e for e in edges[:3])


def has_topohub_marks(file: SourceFile) -> bool:
    """Return whether a graph has what topohub writes: lengths `dist`, or demands and statistics of the graph."""
    graph = file.data.get("graph")
    edges: Any = next((file.data[name] for name in EDGE_LISTS if file.data.get(name)), ())
    has_dist = any(isinstance(edge, dict) and "dist" in edge for edge in edges[:1])
    return has_dist or (isinstance(graph, dict) and "demands" in graph and "stats" in graph)


def read(files: Sequence[SourceFile], cabling: Cabling, ledger: Ledger, options: ImportOptions) -> None:
    """Read each file; several files are one network."""
    for file in files:
        read_graph(file, cabling, ledger, options)


def read_graph(
    file: SourceFile, cabling: Cabling, ledger: Ledger, options: ImportOptions, reader: GraphReader | None = None
) -> Mapping[str, Any]:
    """Read the nodes and edges of one file; return its plain data."""
    data = graph_data(file)
    reader = reader or GraphReader(file.name, cabling, ledger, options, directed=data.get("directed") is True)
    for i, record in enumerate(records_of(data["nodes"], f"{file.where}: nodes", HINT)):
        if "id" not in record or isinstance(record["id"], dict):
            raise DocumentError("has no id", where=f"{file.where}: nodes[{i}]", hint=HINT)
        reader.node(plain(record["id"]), record, f"nodes[{i}]")
    name = next(name for name in EDGE_LISTS if name in data)
    for i, record in enumerate(records_of(data[name], f"{file.where}: {name}", HINT)):
        for end in ("source", "target"):
            if end not in record:
                raise DocumentError(f"has no {end}", where=f"{file.where}: {name}[{i}]", hint=HINT)
        reader.edge(plain(record["source"]), plain(record["target"]), record, f"{name}[{i}]")
    reader.finish()
    graph = data.get("graph")
    graph = graph if isinstance(graph, dict) else {}
    if isinstance(graph.get("name"), str):
        cabling.name = plain(graph["name"])
        ledger.kept("graph.name")
    if isinstance(graph.get("demands"), list):  # topohub has a mapping, which its reader reads
        reader.demands(graph["demands"], f"{file.where}: graph.demands")
    return data


def graph_data(file: SourceFile) -> dict[str, Any]:
    """Return the data of a file with `nodes` and a list of edges. Raises DocumentError for another shape."""
    data = file.data
    if not isinstance(data, dict) or "nodes" not in data or not any(name in data for name in EDGE_LISTS):
        raise DocumentError("holds no graph", where=file.where, expected=HINT)
    return data
