"""Phase use: what each phase of a step asks of the arcs and of the switch buffers while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..arrays import Floats, Ints
from ..arrays.sums import sums_by
from .accelerator_groups import n_rounds
from .phase_capacity import GBIT
from .phase_goodput import PhaseGoodput
from .step import Step
from .step_inputs import StepInputs, UnitLinkLoads, slowest_arc


@dataclass(frozen=True, eq=False)
class Endpoints:
    """Racks and hosts of a job, and the switches before them; by row of the loads or by node."""

    tail: Ints
    """Node that each arc leaves; int64[n_rows]."""
    head: Ints
    """Node that each arc enters; int64[n_rows]."""
    n_accelerators: Ints
    """Accelerators of the job by node; int64[n_nodes]."""
    card_gbps: Floats
    """Rate of the network cards of one accelerator by node; float64[n_nodes]."""
    buffer_bytes: Floats
    """Buffer of a switch by node, NaN where it is unknown; float64[n_nodes]."""


@dataclass(frozen=True, slots=True)
class Incast:
    """Senders that reach one receiver at the same time, and what their first round trip puts into a switch buffer."""

    n_senders: float
    """Most accelerators that send to one accelerator at once."""
    switch: int
    """Node row of the fullest switch; -1 where no phase has more than one sender."""
    needed_bytes: float
    """Bytes that arrive there before senders hear from the receivers, less what leaves in that time."""
    buffer_bytes: float
    """Buffer of the switch; NaN where it is unknown."""


@dataclass(frozen=True, slots=True)
class PhaseUse:
    """One phase of a step on the network."""

    name: str
    duration_s: float
    """Time of its bits in a step, on the busiest arc or card, if nothing overlaps with it."""
    card_time_s: float
    """Time of its bits at the rate of the network cards, in a network without limits."""
    arc: int
    """Busiest arc, or the first that enters a receiver where no arc is slower than the cards."""
    offered_gbps: float
    """Load of that arc while the cards send at their rate."""
    capacity_gbps: float
    """What that arc gives the phase."""
    utilisation_ratio: float
    """Offered load over capacity, above 1 where the network is slower than the cards."""
    n_flows: float
    """Flows on that arc."""
    incast: Incast


def phase_uses(
    inputs: StepInputs, step: Step, goodput: Mapping[str, PhaseGoodput], ends: Endpoints, in_flight_bytes: float
) -> tuple[PhaseUse, ...]:
    """Describe each phase of a step that uses the network, in the order of the phases.

    Args:
        inputs: the job on its network.
        step: its step.
        goodput: goodput of its flows by kind of flow sets.
        ends: racks and hosts of the job, and switches.
        in_flight_bytes: window of a flow.
    """
    loads, capacity = inputs.loads, inputs.capacity
    incast = _IncastModel(loads, goodput, ends, in_flight_bytes)
    uses = []
    for phase, by_kind in step.phase_bits.items():
        bits = np.asarray(sum(by_kind.values(), np.zeros(len(loads.arc))))
        if not bits.any():
            continue
        arc_s = np.asarray(sum(capacity.seconds(kind, column) for kind, column in by_kind.items()))
        row, slowest_s = slowest_arc(arc_s, bits)
        n_pairs = sum((loads.n_pairs[kind] for kind, column in by_kind.items() if column.any()), np.zeros(len(bits)))
        card_s = card_time_s(bits, np.asarray(n_pairs), ends) or slowest_s  # cards of unknown rate are no limit
        messages = {kind: _n_messages(inputs, step, kind) for kind in by_kind}
        speed_ratio = min(1.0, card_s / slowest_s)
        worst = max(
            (incast.of(kind, column, messages[kind], speed_ratio) for kind, column in by_kind.items() if column.any()),
            key=lambda found: (found.needed_bytes, found.n_senders),
        )
        uses.append(
            PhaseUse(
                name=phase,
                duration_s=max(slowest_s, card_s),
                card_time_s=card_s,
                arc=int(loads.arc[row]),
                offered_gbps=float(bits[row]) / card_s / GBIT,
                capacity_gbps=float(bits[row]) / slowest_s / GBIT,
                utilisation_ratio=slowest_s / card_s,
                n_flows=float(sum(goodput[kind].n_flows[row] for kind, column in by_kind.items() if column.any())),
                incast=worst,
            )
        )
    return tuple(uses)


def card_time_s(bits: Floats, n_pairs: Floats, ends: Endpoints) -> float:
    """Seconds that the busiest network cards need for the bits that leave or enter their rack or host.

    Args:
        bits: bits by row; float64[n_rows].
        n_pairs: pairs of accelerators by row; float64[n_rows]. Cards of accelerators without a pair do not help.
        ends: racks and hosts of the job.
    """
    slowest_s, n_nodes = 0.0, len(ends.card_gbps)
    for side in (ends.tail, ends.head):
        by_node, pairs_of_node = (sums_by(side, column, n_nodes) for column in (bits, n_pairs))
        rate = ends.card_gbps * np.minimum(ends.n_accelerators, pairs_of_node) * GBIT
        seconds = np.divide(by_node, rate, out=np.zeros(n_nodes), where=rate > 0)
        slowest_s = max(slowest_s, float(seconds.max(initial=0.0)))
    return slowest_s


def _n_messages(inputs: StepInputs, step: Step, kind: str) -> float:
    """Pieces that an accelerator sends to a peer in a step: one for each round, bucket or micro batch."""
    job, m = inputs.job, float(max(step.split))
    if kind in ("context", "expert"):
        return m * n_rounds(job)[kind]
    if kind in ("pipeline", "crossing"):
        return m * job.parallelism.n_virtual_stages
    return inputs.accelerators.n_buckets * (m if job.parallelism.fully_sharded else 1.0)


class _IncastModel:
    """Incast at the receivers of the kinds of flow sets."""

    def __init__(
        self, loads: UnitLinkLoads, goodput: Mapping[str, PhaseGoodput], ends: Endpoints, in_flight_bytes: float
    ) -> None:
        self._loads, self._goodput, self._ends, self._in_flight_bytes = loads, goodput, ends, in_flight_bytes
        self._rows = np.flatnonzero(ends.n_accelerators[ends.head] > 0)

    def of(self, kind: str, bits: Floats, n_messages: float, speed_ratio: float) -> Incast:
        """Find the switch that the senders of a kind fill most, over its buffer.

        All receivers behind a switch are sent to at once. A sender stops after a round trip at the rate of its card,
        after its window, or at the end of its message.

        Args:
            kind: one of FLOW_KINDS.
            bits: bits of a step by row; float64[n_rows].
            n_messages: pieces that these bits of a pair are sent in.
            speed_ratio: part of the rate of its card that the network lets a sender have, at most 1.
        """
        ends = self._ends
        rows = self._rows[self._loads.n_pairs[kind][self._rows] > 0]
        if not len(rows):
            return Incast(1.0, -1, 0.0, np.nan)
        n_pairs, node = self._loads.n_pairs[kind][rows], ends.head[rows]
        n_senders = np.bincount(node, weights=n_pairs, minlength=len(ends.card_gbps))[node] / ends.n_accelerators[node]
        excess = n_pairs * np.maximum(speed_ratio - 1.0 / n_senders, 0.0)
        burst_bytes = ends.card_gbps[node] * self._goodput[kind].round_trip_us[rows] * 1e3 / 8.0
        burst_bytes = np.minimum(burst_bytes, bits[rows] / n_pairs / n_messages / 8.0)
        n_each = self._goodput[kind].n_flows[rows] / n_pairs
        burst_bytes = np.minimum(burst_bytes, self._in_flight_bytes * n_each)
        needed_bytes = np.bincount(ends.tail[rows], weights=excess * burst_bytes, minlength=len(ends.card_gbps))
        fill_ratio = needed_bytes / np.where(np.isnan(ends.buffer_bytes), np.inf, ends.buffer_bytes)
        switch = int(np.argmax(fill_ratio if fill_ratio.any() else needed_bytes))
        if not needed_bytes[switch]:
            return Incast(max(float(n_senders.max()), 1.0), -1, 0.0, np.nan)
        return Incast(float(n_senders.max()), switch, float(needed_bytes[switch]), float(ends.buffer_bytes[switch]))
