"""What every change is: one floor that it edits, and what it may look at."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from pydantic import BaseModel

from ..arrays import CompiledNetwork, Ints, State
from ..catalogue import Kind
from ..catalogue.figure_reader import FigureReader
from ..model.document import TopologyDocument
from ..model.jobs import TrainingJob
from ..model.records import STRICT
from .select import Links, Nodes, select_links, select_nodes


@dataclass(frozen=True)
class Context:
    """What a change may look at: where it stands, the document it changes, and the catalogue."""

    where: str
    document: TopologyDocument
    reader: FigureReader

    def part(self, state: State, part_id: str, kind: Kind) -> tuple[State, int]:
        """A state that knows the part, and its code. CatalogueError for an unknown part or one of another kind."""
        self.reader.catalogue.get(part_id, kind)
        return state.with_part(part_id)

    def links(self, state: State, chosen: Links) -> Ints:
        """Rows of the links chosen."""
        return select_links(state, chosen, self.document.as_of, self.where)

    def nodes(self, state: State, chosen: Nodes) -> Ints:
        """Rows of the nodes chosen."""
        return select_nodes(state, chosen, self.document.as_of, self.where)


class _Change(BaseModel):
    model_config = STRICT | {"frozen": True}


class StructureChange(_Change):
    """Changes what exists: the network is edited and compiled again."""

    @abstractmethod
    def edit_graph(self, network: CompiledNetwork, context: Context) -> CompiledNetwork:
        """The network with this change."""


class WorkloadChange(_Change):
    """Changes what is asked: demands or the job."""

    @abstractmethod
    def edit_workload(
        self, document: TopologyDocument, job: TrainingJob | None, context: Context
    ) -> tuple[TopologyDocument, TrainingJob | None]:
        """Document and job with this change."""


class StateChange(_Change):
    """Changes input columns: no graph is copied."""

    @abstractmethod
    def overlay(self, state: State, context: Context) -> State:
        """The state with this change."""
