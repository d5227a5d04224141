"""The network: owner of the truth, as a document, as sorted records, and lazily as a frozen networkx graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from ..catalogue import Catalogue, catalogue
from ..errors import ChangeError, did_you_mean
from .document import Fabric, TopologyDocument
from .part_rules import check_parts
from .records import Link, Node
from .rules import check
from .unused_fields import UnusedField, unused_fields

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True, slots=True)
class Expansion:
    """What a compact block stands for."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]


class Generators(NamedTuple):
    """How fabric blocks become records; the generators of `topologies/` are reached through it."""

    expand: Callable[[Fabric], Expansion]
    digest: Callable[[], str]
    """Says which generators these are, for the cache of compiled arrays."""


class NetworkGraph:
    """A validated network. Records and the graph are built when first asked for."""

    def __init__(self, document: TopologyDocument, generators: Generators) -> None:
        self.document = document.canonical()
        self.generators = generators

    @cached_property
    def _expansions(self) -> tuple[Expansion, ...]:
        return tuple(self.generators.expand(fabric) for fabric in self.document.fabrics)

    @cached_property
    def _records(self) -> tuple[tuple[Node, ...], tuple[Link, ...]]:
        nodes = [node for part in self._expansions for node in part.nodes] + list(self.document.nodes)
        links = [link for part in self._expansions for link in part.links] + list(self.document.links)
        check(self.document, nodes, links, self.catalogue)
        return tuple(sorted(nodes, key=lambda n: n.id)), tuple(sorted(links, key=lambda link: link.id))

    @cached_property
    def catalogue(self) -> Catalogue:
        """The shipped parts, and those of the document. Raises TopologyError where the latter cannot be taken."""
        own = self.document.parts
        if not own:
            return catalogue()
        check_parts(self.document, catalogue())
        return catalogue().with_parts(own)

    @cached_property
    def unused_fields(self) -> tuple[UnusedField, ...]:
        """What the document states that no answer depends on yet, one row for each field."""
        return unused_fields(self.document)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes, by id, fabrics expanded. Raises TopologyError where records do not fit together."""
        return self._records[0]

    @property
    def links(self) -> tuple[Link, ...]:
        """All links, by id, fabrics expanded. Raises TopologyError where records do not fit together."""
        return self._records[1]

    @cached_property
    def graph(self) -> nx.MultiGraph:
        """Frozen MultiGraph: attribute `record` of a node is its Node, of an edge its Link; edge keys are link ids."""
        import networkx as nx  # 0.2 s of import that an answer does not need

        return nx.freeze(_build_graph(self.nodes, self.links))

    def to_networkx(self) -> nx.MultiGraph:
        """A private copy with one plain attribute per field, for any networkx algorithm."""
        import networkx as nx

        graph: nx.MultiGraph = nx.MultiGraph()
        for node in self.nodes:
            graph.add_node(node.id, **_attributes(node))
        for link in self.links:
            graph.add_edge(*link.ends, key=link.id, **_attributes(link))
        return graph

    def to_document(self) -> TopologyDocument:
        """The document in canonical order, compact fabrics kept; loading it gives this network again."""
        return self.document

    def with_document(self, document: TopologyDocument) -> Self:
        """A network of the same kind on another document."""
        return type(self)(document, self.generators)

    def with_added(self, nodes: Iterable[Node] = (), links: Iterable[Link] = ()) -> Self:
        """A network with more records; nothing is expanded, and faults are reported when its records are built."""
        document = self.document
        return self.with_document(
            document.model_copy(update={"nodes": (*document.nodes, *nodes), "links": (*document.links, *links)})
        )

    def without(self, nodes: Iterable[str] = (), links: Iterable[str] = ()) -> Self:
        """A network without these nodes, the links that hang on them, and these links."""
        gone_nodes, gone_links = frozenset(nodes), frozenset(links)
        for what, asked, known in (
            ("node", gone_nodes, {node.id for node in self.nodes}),
            ("link", gone_links, {link.id for link in self.links}),
        ):
            for name in sorted(asked - known):
                raise ChangeError(f"no {what} {name!r} to remove", where=name, hint=did_you_mean(name, known))
        return self.with_records(
            [node for node in self.nodes if node.id not in gone_nodes],
            [link for link in self.links if link.id not in gone_links and not gone_nodes.intersection(link.ends)],
        )

    def with_records(self, nodes: Iterable[Node], links: Iterable[Link]) -> Self:
        """A network of exactly these records; a fabric stays compact while all of its records are among them.

        Measurements of links that are not among them go.
        """
        left: dict[tuple[type, str], list[Node | Link]] = {}
        every: list[Node | Link] = [*nodes, *links]
        for record in every:
            left.setdefault((type(record), record.id), []).append(record)
        kept: list[Fabric] = []
        for fabric, part in zip(self.document.fabrics, self._expansions, strict=True):
            records: list[Node | Link] = [*part.nodes, *part.links]
            if all(left.get((type(record), record.id)) == [record] for record in records):
                kept.append(fabric)
                for record in records:
                    del left[type(record), record.id]
        rest = [record for group in left.values() for record in group]
        left_links = {record.id for record in every if isinstance(record, Link)}
        return self.with_document(
            self.document.model_copy(
                update={
                    "measurements": tuple(m for m in self.document.measurements if m.of.link in left_links),
                    "fabrics": tuple(kept),
                    "nodes": tuple(record for record in rest if isinstance(record, Node)),
                    "links": tuple(record for record in rest if isinstance(record, Link)),
                }
            )
        )

    @contextmanager
    def edit(self) -> Iterator[Edit]:
        """A private copy of the graph to change; on close it is validated and waits as `edit.network`.

        Raises TopologyError with every fault of the edited graph, and leaves this network as it was.

        >>> with network.edit() as edit:  # doctest: +SKIP
        ...     edit.remove_link("a~b")
        >>> edit.network  # doctest: +SKIP
        """
        session = Edit(self)
        yield session
        session.close()


class Edit:
    """An open edit: `graph` is a private MultiGraph of records; `network` is there after close."""

    def __init__(self, origin: NetworkGraph) -> None:
        self._origin = origin
        self._network: NetworkGraph | None = None
        self.graph = _build_graph(origin.nodes, origin.links)

    @property
    def network(self) -> NetworkGraph:
        """The edited network. Raises ChangeError while the edit is open."""
        if self._network is None:
            raise ChangeError("the edit is still open", hint="read .network after the with block")
        return self._network

    def put_node(self, node: Node) -> None:
        """Add a node, or replace the record of one."""
        self.graph.add_node(node.id, record=node)

    def put_link(self, link: Link) -> None:
        """Add a link, or replace the record of one between the same ends."""
        self.graph.add_edge(*link.ends, key=link.id, record=link)

    def remove_link(self, link_id: str) -> None:
        """Take a link out. Raises ChangeError where there is none of that id."""
        for a, b, key in self.graph.edges(keys=True):
            if key == link_id:
                self.graph.remove_edge(a, b, key=key)
                return
        known = [key for _, _, key in self.graph.edges(keys=True)]
        raise ChangeError(f"no link {link_id!r} to remove", where=link_id, hint=did_you_mean(link_id, known))

    def remove_node(self, node_id: str) -> None:
        """Take a node out, and the links that hang on it. Raises ChangeError where there is none of that id."""
        if node_id not in self.graph:
            raise ChangeError(
                f"no node {node_id!r} to remove", where=node_id, hint=did_you_mean(node_id, self.graph.nodes)
            )
        self.graph.remove_node(node_id)

    def close(self) -> None:
        """Take the graph over as a network and validate it."""
        nodes = [(name, data.get("record")) for name, data in self.graph.nodes(data=True)]
        links = [(key, data.get("record")) for _, _, key, data in self.graph.edges(keys=True, data=True)]
        for name, record in (*nodes, *links):
            if not isinstance(record, Node | Link):
                raise ChangeError(
                    "has no record", where=str(name), hint="use edit.put_node(Node) or edit.put_link(Link)"
                )
        network = self._origin.with_records([record for _, record in nodes], [record for _, record in links])
        _ = network.nodes
        self._network = network


def _build_graph(nodes: Iterable[Node], links: Iterable[Link]) -> nx.MultiGraph:
    import networkx as nx

    graph: nx.MultiGraph = nx.MultiGraph()
    graph.add_nodes_from((node.id, {"record": node}) for node in nodes)
    graph.add_edges_from((link.ends[0], link.ends[1], link.id, {"record": link}) for link in links)
    return graph


def _attributes(record: Node | Link) -> dict[str, Any]:
    return {spec.name: getattr(record, spec.name) for spec in fields(record) if spec.name not in ("id", "ends")}
