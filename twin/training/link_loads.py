"""Link loads of a job: load of every arc by one unit of each flow set, and the slowest path of each phase."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Floats, Ints, State
from ..arrays.sums import sums_by
from ..traffic.routes import Routes
from .job_flows import JobFlows
from .phase_capacity import FLOW_KINDS
from .step_inputs import UnitLinkLoads


@dataclass(frozen=True, eq=False)
class PairTable:
    """Distinct node pairs of all flow sets, and the row of each flow among them."""

    source: Ints
    target: Ints
    rows: tuple[Ints, ...]
    phases: tuple[str, ...]
    """Phase of each flow set."""
    n_accelerator_pairs: dict[str, Floats]
    """Pairs of accelerators that exchange in a phase, by row and phase; phases without flows are left out."""

    @classmethod
    def of(cls, flows: JobFlows, n_nodes: int) -> PairTable:
        """Collect the pairs of all flow sets of a job; every job has at least one set."""
        sets = flows.sets()
        keys = [f.source * n_nodes + f.target for _, f in sets]
        distinct, inverse = np.unique(np.concatenate(keys), return_inverse=True)
        rows = tuple(np.split(inverse, np.cumsum([len(k) for k in keys])[:-1]))
        n_pairs: dict[str, Floats] = {}
        for (phase, flow), flow_rows in zip(sets, rows, strict=True):
            counted = np.bincount(flow_rows, weights=flow.n_pairs, minlength=len(distinct)).astype(np.float64)
            n_pairs[phase] = n_pairs[phase] + counted if phase in n_pairs else counted
        n_pairs = {phase: counted for phase, counted in n_pairs.items() if counted.any()}
        return cls(distinct // n_nodes, distinct % n_nodes, rows, tuple(phase for phase, _ in sets), n_pairs)


def unit_link_loads(state: State, flows: JobFlows, pairs: PairTable, routes: Routes) -> UnitLinkLoads:
    """Compute the load of every used arc by one unit of each flow set; latencies are zero.

    Args:
        state: nodes of the network.
        flows: flow sets of the job.
        pairs: distinct pairs of the flows.
        routes: routes of the pairs.
    """
    loads, unreachable = [], []
    is_used = np.zeros(len(routes.arc), dtype=np.bool_)
    for (phase, flow), rows in zip(flows.sets(), pairs.rows, strict=True):
        amount = sums_by(rows, flow.amount, len(pairs.source))
        loads.append(routes.loads_by_row(amount))
        is_used |= loads[-1] > 0
        for row in rows[~routes.reachable[rows]][:1]:
            unreachable.append((phase, state.node_ids[pairs.source[row]], state.node_ids[pairs.target[row]]))
    used = slice(None) if is_used.all() else np.flatnonzero(is_used)
    columns: dict[str, list[Floats]] = {phase: [] for phase in FLOW_KINDS}
    for (phase, _), load in zip(flows.sets(), loads, strict=True):
        columns[phase].append(load[used])
    return UnitLinkLoads(
        arc=routes.arc[used],
        local=tuple(columns["local"]),
        pipeline=tuple(columns["pipeline"]),
        crossing=tuple(columns["crossing"]),
        context=tuple(columns["context"]),
        expert=tuple(columns["expert"]),
        wide={(i, j): load for (i, j, _), load in zip(flows.wide, columns["wide_area"], strict=True)},
        local_latency_us=0.0,
        wide_latency_us=0.0,
        pipeline_latency_us=0.0,
        crossing_latency_us=0.0,
        worst_round_trip_us=0.0,
        unreachable=tuple(unreachable),
        n_pairs={phase: routes.loads_by_row(n_pairs)[used] for phase, n_pairs in pairs.n_accelerator_pairs.items()},
    )


def with_latency(
    loads: UnitLinkLoads, state: State, arc_latency_us: Floats, pairs: PairTable, routes: Routes
) -> UnitLinkLoads:
    """Add the latency of the slowest path of each phase to the loads, and the round trips of its flows.

    A flow's round trip is that of the slowest route of its pair, there and back the same way.
    """
    latency = routes.worst_latency_us(state["arc_head"], arc_latency_us, state.n_nodes)
    both_ways_us = np.repeat(arc_latency_us[0::2] + arc_latency_us[1::2], 2)
    round_trip_us = routes.worst_latency_us(state["arc_head"], both_ways_us, state.n_nodes)
    same_rows = len(loads.arc) == len(routes.arc)
    row_of_load = slice(None) if same_rows else np.searchsorted(routes.arc, loads.arc)
    worst = dict.fromkeys(FLOW_KINDS, 0.0)
    for phase, rows in zip(pairs.phases, pairs.rows, strict=True):
        worst[phase] = max(worst[phase], float(latency[rows].max(initial=0.0)))
    return replace(
        loads,
        local_latency_us=worst["local"],
        wide_latency_us=worst["wide_area"],
        pipeline_latency_us=worst["pipeline"],
        crossing_latency_us=worst["crossing"],
        worst_round_trip_us=float(round_trip_us[np.concatenate(pairs.rows)].max(initial=0.0)),
        n_pairs_per_us={
            phase: routes.loads_by_row(
                np.divide(n_pairs, round_trip_us, out=np.zeros(len(n_pairs)), where=round_trip_us > 0)
            )[row_of_load]
            for phase, n_pairs in pairs.n_accelerator_pairs.items()
        },
    )
