"""The network: its document, its sorted records, and its networkx graph, built on first use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from ..catalogue import Catalogue, catalogue
from ..errors import ChangeError, TwinError, did_you_mean, joined_error
from .document import Fabric, TopologyDocument
from .edit import Edit, build_graph
from .part_rules import check_parts
from .records import Link, Node
from .rules import check
from .unused_fields import UnusedField, unused_fields
from .wcmp_rules import groups_of_records

if TYPE_CHECKING:
    import networkx as nx


COMPACT_SHARE = 2
"""A fabric stays compact while at least one of so many of its records is as generated."""


@dataclass(frozen=True, slots=True)
class Expansion:
    """Records that a compact block expands to."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]


class Generators(NamedTuple):
    """Functions that expand fabric blocks into records.

    The model package reaches the generators only through them.
    """

    expand: Callable[[Fabric], Expansion]
    digest: Callable[[], str]
    """Returns a digest of the generators, for the cache of compiled arrays."""


class NetworkGraph:
    """A network. Records and graph are built and validated on first use."""

    at_origin: Callable[[], AbstractContextManager[None]] = nullcontext
    """Context that adds the file of the document to errors; networks that were not read from a file have none."""

    def __init__(self, document: TopologyDocument, generators: Generators) -> None:
        self.document = document.canonical()
        self.generators = generators

    @cached_property
    def _expansions(self) -> tuple[Expansion, ...]:
        expansions: list[Expansion] = []
        errors: list[TwinError] = []
        for fabric in self.document.fabrics:
            try:
                expansions.append(self.generators.expand(fabric))
            except TwinError as error:
                errors.append(error)
        if errors:
            raise joined_error(errors, "fabric", self.document.name)
        return tuple(expansions)

    @cached_property
    def _records(self) -> tuple[tuple[Node, ...], tuple[Link, ...]]:
        with self.at_origin():
            nodes = [node for part in self._expansions for node in part.nodes] + list(self.document.nodes)
            links = [link for part in self._expansions for link in part.links] + list(self.document.links)
            check(self.document, nodes, links, self.catalogue)
        return tuple(sorted(nodes, key=lambda n: n.id)), tuple(sorted(links, key=lambda link: link.id))

    @cached_property
    def catalogue(self) -> Catalogue:
        """Shipped parts and the document's own parts. Raises TopologyError for invalid own parts."""
        own_parts = self.document.parts
        if not own_parts:
            return catalogue()
        with self.at_origin():
            check_parts(own_parts, catalogue(), self.document.name)
        return catalogue().with_parts(own_parts)

    @cached_property
    def unused_fields(self) -> tuple[UnusedField, ...]:
        """Fields that the document states and no answer uses yet, one row for each field."""
        return unused_fields(self.document)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes by id, fabrics expanded. Raises TopologyError for inconsistent records."""
        return self._records[0]

    @property
    def links(self) -> tuple[Link, ...]:
        """All links by id, fabrics expanded. Raises TopologyError for inconsistent records."""
        return self._records[1]

    @cached_property
    def graph(self) -> nx.MultiGraph:
        """Frozen MultiGraph. The attribute `record` is the Node or Link; edge keys are link ids."""
        import networkx as nx  # 0.2 s of import that an answer does not need

        return nx.freeze(build_graph(self.nodes, self.links))

    def to_networkx(self) -> nx.MultiGraph:
        """Return a new graph with one plain attribute per field, for networkx algorithms."""
        import networkx as nx

        graph: nx.MultiGraph = nx.MultiGraph()
        for node in self.nodes:
            graph.add_node(node.id, **_attributes(node))
        for link in self.links:
            graph.add_edge(*link.ends, key=link.id, **_attributes(link))
        return graph

    def to_document(self) -> TopologyDocument:
        """Return the document in canonical order with compact fabrics; it loads to the same network."""
        return self.document

    def with_document(self, document: TopologyDocument) -> Self:
        """Return a network of the same class for another document."""
        return type(self)(document, self.generators)

    def with_added(self, nodes: Iterable[Node] = (), links: Iterable[Link] = ()) -> Self:
        """Return a network with additional records.

        Fabrics are not expanded here, and faults are reported when the records are built.
        """
        document = self.document
        return self.with_document(
            document.model_copy(update={"nodes": (*document.nodes, *nodes), "links": (*document.links, *links)})
        )

    def without(self, nodes: Iterable[str] = (), links: Iterable[str] = ()) -> Self:
        """Return a network without these nodes, the links that end at them, and these links.

        Raises:
            ChangeError: a node or link does not exist.
        """
        removed_nodes, removed_links = frozenset(nodes), frozenset(links)
        for noun, requested, known in (
            ("node", removed_nodes, {node.id for node in self.nodes}),
            ("link", removed_links, {link.id for link in self.links}),
        ):
            for name in sorted(requested - known):
                raise ChangeError(f"no {noun} {name!r} to remove", where=name, hint=did_you_mean(name, known))
        return self.with_records(
            [node for node in self.nodes if node.id not in removed_nodes],
            [link for link in self.links if link.id not in removed_links and not removed_nodes.intersection(link.ends)],
        )

    def with_records(self, nodes: Iterable[Node], links: Iterable[Link]) -> Self:
        """Return a network of exactly these records.

        A fabric stays compact if most of its records are present; it names the others. Measurements of absent links
        are dropped.
        """
        remaining: dict[tuple[type, str], list[Node | Link]] = {}
        all_records: list[Node | Link] = [*nodes, *links]
        for record in all_records:
            remaining.setdefault((type(record), record.id), []).append(record)
        compact: list[Fabric] = []
        for fabric, part in zip(self.document.fabrics, self._expansions, strict=True):
            records: list[Node | Link] = [*part.nodes, *part.links]
            present = [record for record in records if remaining.get((type(record), record.id)) == [record]]
            if len(present) * COMPACT_SHARE >= len(records):
                compact.append(_without(fabric, records, present))
                for record in present:
                    del remaining[type(record), record.id]
        single_records = [record for group in remaining.values() for record in group]
        groups = groups_of_records(
            self.document.wcmp_groups,
            [record for record in all_records if isinstance(record, Node)],
            [record for record in all_records if isinstance(record, Link)],
        )
        present_links = {record.id for record in all_records if isinstance(record, Link)}
        return self.with_document(
            self.document.model_copy(
                update={
                    "measurements": tuple(m for m in self.document.measurements if m.of.link in present_links),
                    "wcmp_groups": groups,
                    "fabrics": tuple(compact),
                    "nodes": tuple(record for record in single_records if isinstance(record, Node)),
                    "links": tuple(record for record in single_records if isinstance(record, Link)),
                }
            )
        )

    @contextmanager
    def edit(self) -> Iterator[Edit]:
        """Open an editable copy of the graph; on exit it is validated and becomes `edit.network`.

        This network does not change.

        Raises:
            ChangeError: an edit of the graph that is not understood; all of them.
            TopologyError: all faults of the edited network.

        >>> with network.edit() as edit:  # doctest: +SKIP
        ...     edit.remove_link("a~b")
        ...     edit.set_link("a~c", capacity_gbps=400)
        >>> edit.network  # doctest: +SKIP
        """
        session = Edit(self)
        yield session
        session.close()


def _without(fabric: Fabric, records: list[Node | Link], present: list[Node | Link]) -> Fabric:
    """Return a fabric that leaves out its records that are not present."""
    if len(present) == len(records):
        return fabric
    kept = {id(record) for record in present}
    absent = (record.id for record in records if id(record) not in kept)
    return fabric.model_copy(update={"without": tuple(sorted({*fabric.without, *absent}))})


def _attributes(record: Node | Link) -> dict[str, Any]:
    return {spec.name: getattr(record, spec.name) for spec in fields(record) if spec.name not in ("id", "ends")}
