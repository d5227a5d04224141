"""Phase goodput: what windows, loss recovery and hashing leave to the flows of each phase, from one count of flows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..arrays import Bools, Floats, Ints
from ..catalogue.figure_reader import FigureReader
from ..model.records import Lossless
from ..optics.pfc_headroom import pauses_per_s
from ..optics.transport_goodput import ArcFlows, FlowGoodput, TransportGoodput, flow_goodput
from .phase_capacity import PhaseCapacity
from .step_inputs import UnitLinkLoads


@dataclass(frozen=True, eq=False)
class ArcRates:
    """Figures of the arcs of a job's loads, one row each; float64[n_rows]."""

    available_gbps: Floats
    """Gb/s of all members, without what background demands carry and before losses are resent."""
    member_gbps: Floats
    loss_ratio: Floats
    is_access: Bools
    """Cables of racks and hosts; bool[n_rows]."""
    loses_in_pauses: Bools
    """Arcs that lose frames in pauses; bool[n_rows]."""


@dataclass(frozen=True, eq=False)
class PhaseGoodput:
    """Flows of one phase on the arcs of the loads; rows without flows have no limit."""

    n_flows: Floats
    round_trip_us: Floats
    """Harmonic mean over the flows of an arc, of the whole path of each."""
    flows: FlowGoodput


def n_flows_per_pair(lossless: Lossless, reader: FigureReader) -> float:
    """Flows of a pair of accelerators in a phase: the document's number, else the catalogue's figure."""
    stated = lossless.n_flows_per_accelerator
    return reader.general("n_flows_per_accelerator") if stated is None else stated


def phase_goodput(
    reader: FigureReader, lossless: Lossless, loads: UnitLinkLoads, arcs: ArcRates, *, no_delay: bool = False
) -> dict[str, PhaseGoodput]:
    """Compute the goodput of the flows of each phase that the job has.

    Args:
        reader: source of figures.
        lossless: transport settings of the document.
        loads: unit loads of the job, with its pairs of accelerators by arc.
        arcs: figures of the arcs of the loads.
        no_delay: whether round trips count as 0.

    Returns:
        Goodput by kind of flow sets.
    """
    n_each, n_pauses_per_s = n_flows_per_pair(lossless, reader), np.zeros(len(loads.arc))
    if lossless.recovery == "tcp" and arcs.loses_in_pauses.any():
        n_pauses_per_s[arcs.loses_in_pauses] = pauses_per_s(reader, lossless)
    goodput = {}
    for kind, n_pairs in loads.n_pairs.items():
        used = n_pairs > 0
        n_flows = n_pairs * n_each
        round_trip_us = np.zeros(len(n_pairs))
        if not no_delay:
            per_us = loads.n_pairs_per_us[kind]
            np.divide(n_pairs, per_us, out=round_trip_us, where=per_us > 0)
        at_source = used & arcs.is_access
        source_gbps = float((arcs.available_gbps[at_source] / n_flows[at_source]).max(initial=0.0)) or np.inf
        on_used = ArcFlows(
            n_flows[used],
            round_trip_us[used],
            arcs.available_gbps[used],
            arcs.member_gbps[used],
            source_gbps,
            arcs.loss_ratio[used],
            n_pauses_per_s[used],
        )
        goodput[kind] = PhaseGoodput(
            n_flows, round_trip_us, _on_all_rows(flow_goodput(reader, lossless, on_used), used, arcs.available_gbps)
        )
    return goodput


def _on_all_rows(found: FlowGoodput, used: Bools, available_gbps: Floats) -> FlowGoodput:
    """Spread figures of the used rows over all rows; the others have no limit."""
    if used.all():
        return found
    ones = np.ones(len(used))
    columns = {
        "gbps": available_gbps,
        "cap_ratio": ones,
        "window_ratio": ones,
        "recovery_ratio": ones,
        "line_ratio": ones,
        "timeout_s": np.zeros(len(used)),
    }
    for name, default in columns.items():
        column = default.copy()
        column[used] = getattr(found, name)
        columns[name] = column
    return FlowGoodput(**columns)


def phase_capacity(available_gbps: Floats, goodput: Mapping[str, PhaseGoodput]) -> PhaseCapacity:
    """Compute the capacity for each phase, after all limits of its flows but hash collisions.

    Args:
        available_gbps: Gb/s by row of the loads, before these limits; float64[n_rows].
        goodput: goodput by kind of flow sets.
    """
    limits = {kind: found.flows.gbps for kind, found in goodput.items()}
    return PhaseCapacity.same_for_all(available_gbps).lowered(limits)


def line_gbps(available_gbps: Floats, goodput: Mapping[str, PhaseGoodput]) -> dict[str, Floats]:
    """Compute what the flows of each phase share where they collide: the line without what loss recovery resends."""
    return {kind: available_gbps * found.flows.line_ratio for kind, found in goodput.items()}


@dataclass(frozen=True, eq=False)
class ArcTransport:
    """What transport leaves of each arc, in the phase of the job that it costs most; float64[2 * n_links].

    Arcs without flows of the job have the figures of queue pairs as the document states them.
    """

    window_ratio: Floats
    cap_ratio: Floats
    """Share left by the most that a flow can send; see `FlowGoodput`."""
    recovery_ratio: Floats
    goodput_ratio: Floats
    """Share left by all three."""
    timeout_s: Floats
    n_flows: Floats
    """Flows of that phase; 0 without a job."""
    round_trip_us: Floats
    """Round trip of the whole path of these flows; 0 without a job."""

    @classmethod
    def of_links(cls, transport: TransportGoodput) -> ArcTransport:
        """Take the figures of links without a job, for both directions."""
        names = ("window_ratio", "recovery_ratio", "goodput_ratio", "timeout_s")
        window, recovery, goodput, timeout = (np.repeat(getattr(transport, name), 2) for name in names)
        n = len(window)
        return cls(window, np.ones(n), recovery, goodput, timeout, np.zeros(n), np.zeros(n))

    def with_job(self, arc: Ints, goodput: Mapping[str, PhaseGoodput]) -> ArcTransport:
        """Replace the figures of the arcs that carry flows of a job, in the phase that gets least of its share.

        Args:
            arc: arcs of the loads; int64[n_rows].
            goodput: goodput by kind of flow sets, by row.
        """
        columns = {name: getattr(self, name).copy() for name in self.__dataclass_fields__}
        lowest = np.full(len(arc), np.inf)
        for found in goodput.values():
            flows = found.flows
            ratio = flows.cap_ratio * flows.window_ratio * flows.recovery_ratio
            rows = np.flatnonzero((found.n_flows > 0) & (ratio < lowest))
            lowest[rows] = ratio[rows]
            named = {
                name: getattr(flows, name) for name in ("window_ratio", "cap_ratio", "recovery_ratio", "timeout_s")
            }
            named |= {"goodput_ratio": ratio, "n_flows": found.n_flows, "round_trip_us": found.round_trip_us}
            for name, column in named.items():
                columns[name][arc[rows]] = column[rows]
        return ArcTransport(**columns)
