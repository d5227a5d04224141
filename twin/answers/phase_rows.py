"""Phases of a step as rows of an answer."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..stages.evaluation import Evaluation
from .arc_text import arc_name


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """One phase of a step that uses the network."""

    name: str
    duration_s: float
    """Time of its bits in a step, on the busiest arc or card, if nothing overlaps with it."""
    card_time_s: float
    """The same at the rate of the network cards, in a network without limits."""
    exposed_s: float
    """What the step saves without this phase."""
    busiest_arc: str
    offered_gbps: float
    """Load of that arc while the cards send at their rate."""
    capacity_gbps: float | None
    """What that arc gives the phase; null where it is unlimited."""
    utilisation_ratio: float
    """Offered load over capacity; above 1 where the network is slower than the cards."""
    n_flows: float
    """Flows on that arc."""
    n_senders: float
    """Most accelerators that send to one accelerator at once."""
    buffer_switch: str | None
    """Switch that they fill most; null without incast."""
    buffer_needed_bytes: float
    """Bytes that reach it before the senders hear from the receivers, less what leaves in that time."""
    buffer_bytes: float | None
    """Its buffer; null where that is unknown."""
    buffer_holds: bool | None
    """True where the buffer holds the bytes; null where that is unknown."""


def phase_rows(e: Evaluation) -> tuple[PhaseRow, ...]:
    """Return the phases of a step that use the network; empty without a step."""
    rows = []
    for use in e.phases if e.step is not None else ():
        incast = use.incast
        is_known = not math.isnan(incast.buffer_bytes)
        holds = incast.needed_bytes <= incast.buffer_bytes if is_known else None
        rows.append(
            PhaseRow(
                name=use.name,
                duration_s=use.duration_s,
                card_time_s=use.card_time_s,
                exposed_s=e.step.exposed_s[use.name] if e.step is not None else 0.0,
                busiest_arc=arc_name(e, use.arc),
                offered_gbps=use.offered_gbps,
                capacity_gbps=use.capacity_gbps if math.isfinite(use.capacity_gbps) else None,
                utilisation_ratio=use.utilisation_ratio,
                n_flows=use.n_flows,
                n_senders=incast.n_senders,
                buffer_switch=e.case.state.node_ids[incast.switch] if incast.switch >= 0 else None,
                buffer_needed_bytes=incast.needed_bytes,
                buffer_bytes=incast.buffer_bytes if is_known else None,
                buffer_holds=holds if incast.switch >= 0 else True,
            )
        )
    return tuple(rows)
