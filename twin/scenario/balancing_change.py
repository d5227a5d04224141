"""Change of how switches balance load, and the records of a document with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ..errors import TopologyError
from ..model.balancing_rules import balancing_issues
from ..model.document import TopologyDocument
from ..model.jobs import TrainingJob
from ..model.records import BalancingName, BalancingTier, Id, LoadBalancing
from .change import Context, Fields, WorkloadChange


class SetLoadBalancing(WorkloadChange):
    """Set how switches spread flows over equal-cost links.

    It holds for all links of the tier and fabric that it names, in place of every record for them. It acts on jobs
    only, not on demands.
    """

    kind: Literal["set_load_balancing"] = "set_load_balancing"
    example: ClassVar[Fields] = {"mode": "ecmp", "n_flows_per_pair": 4, "tier": "fabric"}
    mode: BalancingName
    """New mode; ecmp, polarised, dlb, flowlet and pinned place whole flows, spray places packets."""
    n_flows_per_pair: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Flows (queue pairs) from one network card to another; None = the catalogue's value."""
    n_rehashes: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Segments that a flow sends one after the other, for flowlet."""
    efficiency_ratio: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share of the rate of even splitting that spray reaches; None = the catalogue's value."""
    tier: BalancingTier | None = None
    """Tier of the links: between switches, at a border router, or between sites; None = all."""
    fabric: Id | None = None
    """Id of a fabric or campus; None = all."""

    def edit_workload(
        self, document: TopologyDocument, job: TrainingJob | None, context: Context
    ) -> tuple[TopologyDocument, TrainingJob | None]:
        """Return the document with the record, and the same job."""
        record = LoadBalancing(**{name: value for name, value in self if name != "kind"})
        return with_load_balancing(document, record, context.node_ids, context.where), job


def with_load_balancing(
    document: TopologyDocument, record: LoadBalancing, node_ids: Collection[str], where: str
) -> TopologyDocument:
    """Return a document whose links of the record's scope all follow the record.

    Args:
        document: document to change.
        record: new record.
        node_ids: ids of all nodes, fabrics expanded.
        where: place of the change, for messages.

    Raises:
        TopologyError: a setting that the mode does not have or lacks, or an unknown fabric.
    """
    issues = list(balancing_issues([record], node_ids))
    if issues:
        raise TopologyError("the load balancing contradicts itself", where=where, found=issues)
    records = (*(old for old in document.load_balancing if not _covers(record, old)), record)
    return document.model_copy(update={"load_balancing": (*records, *_narrower(record, records))})


def _covers(record: LoadBalancing, other: LoadBalancing) -> bool:
    """Return whether every link of the other record's scope is in this one's."""
    return record.tier in (None, other.tier) and record.fabric in (None, other.fabric)


def _narrower(record: LoadBalancing, records: Iterable[LoadBalancing]) -> list[LoadBalancing]:
    """Copies of the record of a tier for each fabric with a record of its own, which would go before it."""
    if record.tier is None or record.fabric is not None:
        return []
    fabrics = {old.fabric for old in records if old.fabric is not None and old.tier is None}
    return [replace(record, fabric=fabric) for fabric in sorted(fabrics)]
