"""An edit of a network: an editable graph of records, and the check that every edit of it is understood."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import ChangeError, DocumentError, Issue, did_you_mean
from ..errors.wording import counted, value_text
from .records import Link, Node, asdict_compact
from .validation import validate_as

if TYPE_CHECKING:
    import networkx as nx

    from .network import NetworkGraph

CHANGES_OF_FIELDS = {
    "nodes": {
        "up": "fail_nodes",
        "part": "swap_switches",
        "accelerator": "swap_accelerators",
        "n_accelerators": "swap_accelerators",
    },
    "links": {
        "up": "fail_links",
        "n_failed": "fail_links",
        "transceiver": "set_transceivers",
        "n_parallel": "set_channels",
        "spans": "set_fibre",
    },
}
"""Kinds of changes that set a field, for hints."""
R = TypeVar("R", Node, Link)


class Edit:
    """An edit of a network: `graph` is an editable MultiGraph of records, `network` the result after close.

    Only records count: `set_node`, `set_link`, `put_node` and `put_link` write them. Anything else that was written
    to the graph is refused on close.
    """

    def __init__(self, origin: NetworkGraph) -> None:
        self._origin = origin
        self._network: NetworkGraph | None = None
        self._graph = build_graph(origin.nodes, origin.links)
        records: list[Node | Link] = [*origin.nodes, *origin.links]
        self._valid = {id(record): record for record in records}

    @property
    def graph(self) -> nx.MultiGraph:
        """Editable MultiGraph. The attribute `record` is the Node or Link; edge keys are link ids."""
        return self._graph

    @property
    def network(self) -> NetworkGraph:
        """Edited network. Raises ChangeError while the edit is open."""
        if self._network is None:
            raise ChangeError("the edit is still open", hint="read .network after the with block")
        return self._network

    def put_node(self, node: Node) -> None:
        """Add a node, or replace its record. Raises DocumentError for fields that a document could not state."""
        node = self._read(node, Node)
        self.graph.add_node(node.id, record=node)

    def put_link(self, link: Link) -> None:
        """Add a link, or replace its record; the ends must be the same. Errors as in `put_node`."""
        link = self._read(link, Link)
        self.graph.add_edge(*link.ends, key=link.id, record=link)

    def set_node(self, node_id: str, **values: Any) -> None:
        """Set fields of a node. Raises ChangeError for an unknown node, DocumentError for an invalid field."""
        if node_id not in self.graph:
            raise ChangeError(f"no node {node_id!r}", where=node_id, hint=did_you_mean(node_id, self.graph.nodes))
        record: Node = self.graph.nodes[node_id]["record"]
        self.put_node(_validated(record, asdict_compact(record) | values))

    def set_link(self, link_id: str, **values: Any) -> None:
        """Set fields of a link; new `ends` move it. Errors as in `set_node`."""
        a, b = self._ends(link_id, "no link {}")
        record: Link = self.graph.edges[a, b, link_id]["record"]
        changed = _validated(record, asdict_compact(record) | values)
        if "ends" in values:
            self.graph.remove_edge(a, b, key=link_id)
        self.put_link(changed)

    def remove_link(self, link_id: str) -> None:
        """Remove a link. Raises ChangeError for an unknown id."""
        a, b = self._ends(link_id, "no link {} to remove")
        self.graph.remove_edge(a, b, key=link_id)

    def remove_node(self, node_id: str) -> None:
        """Remove a node and its links. Raises ChangeError for an unknown id."""
        if node_id not in self.graph:
            raise ChangeError(
                f"no node {node_id!r} to remove", where=node_id, hint=did_you_mean(node_id, self.graph.nodes)
            )
        self.graph.remove_node(node_id)

    def _read(self, record: Any, kind: type[R]) -> R:
        """Return a record that was put into the edit, validated like one of a document."""
        if not isinstance(record, kind):
            noun = kind.__name__.lower()
            raise ChangeError(
                f"{value_text(record)} is no {noun}", where=f"put_{noun}", expected=f"a twin.{kind.__name__}"
            )
        valid: R = _validated(record, asdict_compact(record))
        self._valid[id(valid)] = valid
        return valid

    def _issues(self) -> Iterator[Issue]:
        """Find what was written to the graph and is no valid record at its place; valid records replace others."""
        for name in self.graph.graph:
            hint = "fields of the document are not edited"
            yield Issue(f"graph[{name}]", "nothing reads attributes of the graph", hint)
        for name, data in self.graph.nodes(data=True):
            yield from _attribute_issues(f"nodes[{name}]", Node, name, data)
            yield from self._record_issues(f"nodes[{name}]", Node, name, data)
        for a, b, key, data in self.graph.edges(keys=True, data=True):
            place, record = f"links[{key}]", data.get("record")
            yield from _attribute_issues(place, Link, key, data)
            yield from self._record_issues(place, Link, key, data)
            if isinstance(record, Link) and record.id == key and set(record.ends) != {a, b}:
                problem = f"its record joins {record.ends[0]!r} and {record.ends[1]!r}, the edge {a!r} and {b!r}"
                yield Issue(f"{place}.ends", problem, f"edit.set_link({key!r}, ends=({a!r}, {b!r}))")

    def _record_issues(self, place: str, kind: type[R], name: Hashable, data: Any) -> Iterator[Issue]:
        record = data.get("record")
        if not isinstance(record, kind):
            form = f"node(Node({name!r}, kind))" if kind is Node else f"link(Link({name!r}, ends))"
            yield Issue(place, "has no record", f"edit.put_{form}")
        elif record.id != name:
            yield Issue(place, f"its record has the id {record.id!r}", "the id of a record names it in the graph")
        elif id(record) not in self._valid:
            try:
                data["record"] = self._read(record, kind)
            except DocumentError as error:
                yield from error.issues

    def _ends(self, link_id: str, problem: str) -> tuple[Any, Any]:
        for a, b, key in self.graph.edges(keys=True):
            if key == link_id:
                return a, b
        known = [key for _, _, key in self.graph.edges(keys=True)]
        raise ChangeError(problem.format(repr(link_id)), where=link_id, hint=did_you_mean(link_id, map(str, known)))

    def close(self) -> None:
        """Convert the graph to a network and validate it.

        Raises:
            ChangeError: an edit that is not understood; all of them.
            TopologyError: all faults of the edited network.
        """
        issues = list(self._issues())
        if issues:
            problem = f"{counted(len(issues), 'edit')} of the graph cannot be understood"
            raise ChangeError(problem, where=self._origin.document.name, found=issues)
        network = self._origin.with_records(
            [data["record"] for _, data in self.graph.nodes(data=True)],
            [data["record"] for _, _, data in self.graph.edges(data=True)],
        )
        _ = network.nodes
        self._network = network


def build_graph(nodes: Iterable[Node], links: Iterable[Link]) -> nx.MultiGraph:
    """Return a MultiGraph of records; edge keys are link ids."""
    import networkx as nx

    graph: nx.MultiGraph = nx.MultiGraph()
    graph.add_nodes_from((node.id, {"record": node}) for node in nodes)
    graph.add_edges_from((link.ends[0], link.ends[1], link.id, {"record": link}) for link in links)
    return graph


def _validated(record: R, data: Mapping[str, Any]) -> R:
    """Return a record of that kind with the fields of `data`. Raises DocumentError."""
    place = f"{type(record).__name__.lower()}s[{record.id}]"
    plain = {name: _without_numpy(value) for name, value in data.items()}
    valid: R = validate_as(type(record), plain, place, prefix=place)
    return valid


def _attribute_issues(place: str, kind: type[Node | Link], name: Hashable, data: Mapping[str, Any]) -> Iterator[Issue]:
    """Find attributes beside the record, which no answer would read."""
    noun = kind.__name__.lower()
    known = [spec.name for spec in fields(kind) if spec.name != "id"]
    for field, value in data.items():
        if field == "record":
            continue
        where = f"{place}.{field}"
        if field not in known:
            hint = did_you_mean(str(field), known) or f"known: {', '.join(known)}"
            yield Issue(where, f"a {noun} has no field {field!r}", hint)
            continue
        change = CHANGES_OF_FIELDS[f"{noun}s"].get(field)
        hint = f"edit.set_{noun}({name!r}, {field}={value!r:.60})" + (f", or the change {change}" if change else "")
        yield Issue(where, "is set beside the record, where no answer reads it", hint)


def _without_numpy(value: Any) -> Any:
    """Return a number of numpy as a plain one."""
    return value.item() if hasattr(value, "item") and hasattr(value, "dtype") and not value.shape else value
