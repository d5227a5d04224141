"""Change of the next hops of nodes towards single destinations."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ..arrays.wcmp_groups import check_groups
from ..errors import ChangeError
from ..model.document import TopologyDocument
from ..model.jobs import TrainingJob
from ..model.records import WcmpGroup
from ..model.wcmp_rules import group_key
from .change import Context, Fields, WorkloadChange


class SetWcmpGroups(WorkloadChange):
    """Set next hops with integer weights, by node and destination, in place of shortest paths.

    The groups of all destinations that it names are replaced; other destinations keep theirs. It acts on demands only,
    not on jobs. `twin optimum -o FILE` writes such a change.
    """

    kind: Literal["set_wcmp_groups"] = "set_wcmp_groups"
    example_network: ClassVar[str] = "leaf-spine-demo"
    example: ClassVar[Fields] = {
        "groups": [
            {"node": "leaf-1", "target": "host-2-1", "next_hops": {"leaf-1~spine-1": 3, "leaf-1~spine-2": 1}},
            {"node": "spine-1", "target": "host-2-1", "next_hops": {"leaf-2~spine-1": 1}},
            {"node": "spine-2", "target": "host-2-1", "next_hops": {"leaf-2~spine-2": 1}},
            {"node": "leaf-2", "target": "host-2-1", "next_hops": {"host-2-1~leaf-2": 1}},
        ]
    }
    groups: Annotated[tuple[WcmpGroup, ...], Field(min_length=1, max_length=2_000_000)]
    """Groups; each next hop is the destination, or has a group towards it."""

    def edit_workload(
        self, document: TopologyDocument, job: TrainingJob | None, context: Context
    ) -> tuple[TopologyDocument, TrainingJob | None]:
        """Return the document with the groups, and the same job."""
        if context.arrays is None:
            raise ChangeError("needs a network", where=context.where)
        check_groups(context.arrays, self.groups, context.where)
        replaced = {group.target for group in self.groups}
        kept = (group for group in document.wcmp_groups if group.target not in replaced)
        groups = tuple(sorted((*kept, *self.groups), key=group_key))
        return document.model_copy(update={"wcmp_groups": groups}), job
