"""Base classes of changes: each edits one level (structure, workload or state) and reads a `Context`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel

from ..arrays import CompiledNetwork, Ints, NetworkArrays, State
from ..catalogue import Kind
from ..catalogue.figure_reader import FigureReader
from ..field_descriptions import describe_fields
from ..model.document import TopologyDocument
from ..model.jobs import TrainingJob
from ..model.records import STRICT
from .select import Links, Nodes, select_links, select_nodes


@dataclass(frozen=True)
class Context:
    """What a change may read: its place for messages, the document that it changes, its nodes, and the catalogue."""

    where: str
    document: TopologyDocument
    node_ids: Sequence[str]
    """Ids of all nodes, fabrics expanded."""
    reader: FigureReader
    arrays: NetworkArrays | None = None
    """Nodes and links that exist, fabrics expanded; None where changes replace columns only."""

    def part(self, state: State, part_id: str, kind: Kind) -> tuple[State, int]:
        """Add a part to the codes of a state.

        Returns:
            The state with the part among its codes, and the code.

        Raises:
            CatalogueError: the part is unknown or of another kind.
        """
        self.reader.catalogue.get(part_id, kind)
        return state.with_part(part_id)

    def links(self, state: State, selector: Links) -> Ints:
        """Return the rows of the selected links, ascending."""
        return select_links(state, selector, self.document.as_of, self.where)

    def nodes(self, state: State, selector: Nodes) -> Ints:
        """Return the rows of the selected nodes, ascending."""
        return select_nodes(state, selector, self.document.as_of, self.where)


Fields = Mapping[str, Any]
"""Fields of a change as plain data, without `kind`."""


def _describe(schema: dict[str, Any], change: type[BaseModel]) -> None:
    """Describe the fields, and require `kind`: data without it is refused, though the class has a default."""
    describe_fields(schema, change)
    if "kind" in schema["properties"]:
        schema["required"] = ["kind", *schema.get("required", ())]


class _Change(BaseModel):
    model_config = STRICT | {"frozen": True, "json_schema_extra": _describe}

    example: ClassVar[Fields]
    """Fields of an example that applies to the shipped network `example_network`."""
    example_network: ClassVar[str] = "memphis-small"


class StructureChange(_Change):
    """A change of nodes and links: the network is edited and compiled again."""

    @abstractmethod
    def edit_graph(self, network: CompiledNetwork, context: Context) -> CompiledNetwork:
        """Return the network with this change."""


class WorkloadChange(_Change):
    """A change of the demands or of the job."""

    @abstractmethod
    def edit_workload(
        self, document: TopologyDocument, job: TrainingJob | None, context: Context
    ) -> tuple[TopologyDocument, TrainingJob | None]:
        """Return the document and the job with this change."""


class StateChange(_Change):
    """A change of input columns; the graph is not copied."""

    @abstractmethod
    def overlay(self, state: State, context: Context) -> State:
        """Return the state with this change."""
