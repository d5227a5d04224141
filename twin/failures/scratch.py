"""Room that one thread needs to sweep failures."""

from __future__ import annotations

import numpy as np

from ..arrays import Floats
from ..kernels.failure_sweep import Scratch
from ..kernels.graph import FailedNodes, Groups, Queue, RoutingTables, Streams
from ..kernels.greatest_loads import Limits
from ..kernels.pending_loads import PendingLoads, Responses
from ..kernels.plain_sweep import PlainRoom
from ..kernels.streams import Together

MOST_TOGETHER = 256
"""Most nodes that divide their flows to a class anew at once."""


def scratch_for(tables: RoutingTables, streams: Streams, n_widest: int) -> Scratch:
    """Return room for a network.

    Args:
        tables: routes without a failure.
        streams: destinations and classes in streams.
        n_widest: members of the largest class.
    """
    n_nodes, n_arcs = len(tables.flow), len(tables.load)
    flows = np.empty((min(MOST_TOGETHER, n_nodes), n_widest))
    limits = Limits(np.empty(n_nodes), np.empty(n_arcs), np.empty(n_nodes), np.empty(n_nodes), np.zeros(1, np.int64))
    return Scratch(
        nodes=failed_nodes(n_nodes, n_arcs),
        queue=_queue(n_nodes, int(tables.groups.shape.max(initial=-1)) + 1),
        # twice what one step needs: two for each node, and one for each node that divides anew or each stream
        responses=_responses(tables.groups, 6 * n_nodes, 4 * n_arcs + 2 * flows.size + 2 * len(streams.of)),
        loads=_loads(tables.load, n_nodes),
        limits=limits,
        flows=flows,
        nowhere=np.full(n_nodes, -2, np.int32),
        together=_together(streams),
    )


def plain_room(tables: RoutingTables) -> PlainRoom:
    """Return room for a sweep destination by destination."""
    n_nodes, n_arcs = len(tables.flow), len(tables.load)
    return PlainRoom(failed_nodes(n_nodes, n_arcs), _queue(n_nodes, 0), np.empty(n_arcs))


def failed_nodes(n_nodes: int, n_arcs: int) -> FailedNodes:
    """Return room for the nodes that a failure changes, with nothing failed."""
    return FailedNodes(
        kept=np.ones(n_arcs),
        fails=np.zeros(n_nodes, np.bool_),
        split=np.empty(n_nodes, np.uint32),
        is_split=np.zeros(n_nodes, np.bool_),
        n_gone=np.empty(n_nodes, np.int64),
        entry=np.empty(n_nodes, np.int64),
        new_fraction=np.full(n_nodes, -1, np.int64),
        cut=np.empty(n_nodes, np.uint32),
        is_cut=np.zeros(n_nodes, np.bool_),
        near=np.empty(n_nodes),
        new_flow=np.empty(n_nodes),
        order=np.empty(n_nodes, np.uint32),
        heap_key=np.empty(n_arcs + n_nodes),
        heap_node=np.empty(n_arcs + n_nodes, np.uint32),
        next_hop=np.empty(n_arcs, np.uint32),
    )


def _together(streams: Streams) -> Together:
    n_nodes, n = streams.range_at.shape
    return Together(
        n_hit=np.zeros(n, np.int64),
        flow_gbps=np.zeros(n),
        by_member=np.empty(n, np.int64),
        moved=np.zeros((n_nodes, n)),
        unit=np.ones(n),
        waits=np.zeros(len(streams.begin), np.bool_),
        after=np.empty(len(streams.begin), np.int64),
        end=np.zeros(n, np.uint32),
        head=np.empty(n, np.uint32),
        factor=np.empty(n),
        gbps=np.empty(n),
        part=np.empty(n, np.uint32),
    )


def _queue(n_nodes: int, n_shapes: int) -> Queue:
    return Queue(
        first=np.full(n_nodes + 1, -1, np.int64),
        after=np.empty(n_nodes, np.int64),
        waits=np.zeros(n_nodes, np.bool_),
        moved=np.zeros(n_nodes),
        entry_of=np.full(n_shapes, -1, np.int64),
        group=np.empty(2 * n_nodes, np.int64),
        response=np.empty(2 * n_nodes, np.int64),
        total=np.empty(2 * n_nodes),
    )


def _responses(groups: Groups, n_more: int, n_more_values: int) -> Responses:
    """Return the fractions of groups as responses, with room for more."""
    n_groups, n_values = len(groups.shape), len(groups.fraction)
    first = np.zeros(n_groups + n_more + 1, np.int64)
    first[: n_groups + 1] = groups.first
    value = np.zeros(n_values + n_more_values)
    value[:n_values] = groups.fraction
    least, greatest = np.zeros(n_groups + n_more), np.zeros(n_groups + n_more)
    if n_groups:
        least[:n_groups] = np.minimum.reduceat(groups.fraction, groups.first[:-1])
        greatest[:n_groups] = np.maximum.reduceat(groups.fraction, groups.first[:-1])
    return Responses(np.full(1, n_groups), first, value, least, greatest)


def _loads(load: Floats, n_nodes: int) -> PendingLoads:
    return PendingLoads(
        load=load.copy(),
        n_pending=np.zeros(1, np.int64),
        pending=np.empty(n_nodes, np.uint32),
        response=np.full(2 * n_nodes, -1, np.int64),
        arc=np.empty(2 * n_nodes, np.int64),
        amount=np.empty(2 * n_nodes),
        n_touched=np.zeros(1, np.int64),
        touched=np.empty(n_nodes, np.uint32),
        is_touched=np.zeros(n_nodes, np.bool_),
    )
