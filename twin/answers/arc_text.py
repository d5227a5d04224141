"""Text about one direction of a link: its name, and what limits its rate."""

from __future__ import annotations

import math

import numpy as np

from ..arrays import Bools
from ..optics.link_budget import BUFFER, CARDS, CONGESTION_CONTROL, DOWN, LINE_RATE, LOSS, MODE, PAUSES, REACH
from ..optics.link_health import LEAST_SHOWN_RATIO, ROADM_TEXT
from ..optics.transport_goodput import pair_rate_gbps
from ..render.numbers import cell_text
from ..render.quantities import bytes_text, percent_text
from ..stages.evaluation import Evaluation

LOSS_TEXT = "frame loss of"
"""First words of the reason that frames are lost."""


def arc_name(e: Evaluation, arc: int) -> str:
    """Return link and direction of an arc as text: `wan-1-2 (c1/border-1 → c2/border-1)`."""
    return f"{e.case.state.arrays.link_ids[arc // 2]} ({direction_text(e, arc)})"


def direction_text(e: Evaluation, arc: int) -> str:
    """Return the direction of an arc as text: `c1/border-1 → c2/border-1`."""
    arrays = e.case.state.arrays
    tail, head = arrays.link_ends[arc // 2][:: 1 if arc % 2 == 0 else -1]
    return f"{arrays.node_ids[tail]} → {arrays.node_ids[head]}"


def arc_reason(e: Evaluation, arc: int) -> str:
    """Return the limit of a job on an arc: what its flows can send, or the limit of the arc for all traffic."""
    sender, any_traffic_reason = sender_reason(e, arc), capacity_reason(e, arc)
    if not sender:
        return any_traffic_reason
    # what flows can send is below the limit of the arc; losses come on top of it
    is_second = sender.startswith(LOSS_TEXT) and e.health.arc_limit[arc] != LINE_RATE
    return f"{any_traffic_reason}, and {sender}" if is_second else sender


def sender_reason(e: Evaluation, arc: int) -> str:
    """Describe what windows, slow flows or loss recovery leave of an arc; empty where its flows can fill it."""
    transport = e.arc_transport
    if transport.recovery_ratio[arc] < min(transport.window_ratio[arc], transport.cap_ratio[arc], LEAST_SHOWN_RATIO):
        return _loss_reason(e, arc) if e.health.arc_limit[arc] != LOSS else ""
    if transport.window_ratio[arc] < LEAST_SHOWN_RATIO:
        return _window_reason(e, arc)
    return _cap_reason(e, arc) if transport.cap_ratio[arc] < LEAST_SHOWN_RATIO else ""


def _window_reason(e: Evaluation, arc: int) -> str:
    """Describe the rate that windows leave on an arc, and the bytes in flight that would fill it."""
    transport, health, link = e.arc_transport, e.health, arc // 2
    n_flows, rtt_us = float(transport.n_flows[arc]), float(transport.round_trip_us[arc])
    flow_gbps = float(health.arc_sending_gbps[arc]) / n_flows if n_flows else 0.0
    who = f"windows of {_flows_text(n_flows)}"
    if not n_flows:
        who, rtt_us = "queue pair windows", float(health.arc_latency_us[2 * link] + health.arc_latency_us[2 * link + 1])
        flow_gbps = float(pair_rate_gbps(e.case.document.lossless, health.member_gbps[link : link + 1])[0])
    needed_bytes = min(flow_gbps, float(health.member_gbps[link])) * rtt_us * 1e3 / 8.0
    return (
        f"{who} over {rtt_us / 1e3:.3g} ms round trip leave {percent_text(float(transport.window_ratio[arc]))} of "
        f"{_line_rate_text(e, arc)}; {bytes_text(math.ceil(needed_bytes / 1e6) * 1e6)} in flight would fill it"
    )


def _cap_reason(e: Evaluation, arc: int) -> str:
    """Describe the rate that too few flows leave on an arc."""
    transport, link = e.arc_transport, arc // 2
    stated_gbps = e.case.document.lossless.queue_pair_gbps
    most_gbps = min(float(e.health.member_gbps[link]), math.inf if stated_gbps is None else stated_gbps)
    return (
        f"{_flows_text(float(transport.n_flows[arc]))} of at most {most_gbps:g} Gb/s fill "
        f"{percent_text(float(transport.cap_ratio[arc]))} of {_line_rate_text(e, arc)}"
    )


def _flows_text(n_flows: float) -> str:
    return f"{n_flows:,.0f} flow{'' if round(n_flows) == 1 else 's'}" if n_flows >= 1.0 else "fewer than one flow"


def lacks_transceiver(e: Evaluation) -> Bools:
    """Select fibre links that name no transceiver: they have no link budget and carry their rate over any fibre.

    Copper cables have no link budget either way, so they are left out.

    Returns:
        bool[n_links].
    """
    state = e.case.state
    has_fibre = np.zeros(state.arrays.n_links, dtype=np.bool_)
    has_fibre[state.arrays.span_link[~e.health.budgets.spans.is_copper]] = True
    return np.asarray((state["link_transceiver"] < 0) & has_fibre)


def capacity_reason(e: Evaluation, arc: int) -> str:
    """Describe the capacity limit of an arc with its figures: line rate, mode, buffer, loss, or a link that is down."""
    link, health = arc // 2, e.health
    if math.isnan(health.member_gbps[link]):
        if e.case.state["link_at_roadm"][link]:
            return f"rate unknown, {ROADM_TEXT}"
        return "rate unknown: the link states neither capacity_gbps nor a transceiver"
    return {
        LINE_RATE: _line_rate_reason,
        CONGESTION_CONTROL: _congestion_control_reason,
        BUFFER: _buffer_reason,
        LOSS: _loss_reason,
        PAUSES: _pause_reason,
        MODE: _mode_reason,
        REACH: _reach_reason,
        CARDS: _cards_reason,
        DOWN: _down_reason,
    }[int(health.arc_limit[arc])](e, arc)


def _line_rate_text(e: Evaluation, arc: int) -> str:
    return f"{int(e.case.state.n_members_up[arc // 2]):,} x {cell_text(float(e.health.arc_member_gbps[arc]))} Gb/s"


def _line_rate_reason(e: Evaluation, arc: int) -> str:
    return f"line rate of {_line_rate_text(e, arc)}"


def _congestion_control_reason(e: Evaluation, arc: int) -> str:
    return f"congestion control leaves part of {_line_rate_text(e, arc)}"


def _buffer_reason(e: Evaluation, arc: int) -> str:
    headroom, link = e.health.headroom, arc // 2
    available_bytes = headroom.of_arc("available_bytes", arc, math.nan)
    needed_bytes = headroom.of_arc("needed_bytes", arc, math.nan)
    rate_gbps = headroom.of_arc("rate_gbps", arc, math.inf)
    return (
        f"{bytes_text(available_bytes)} PFC headroom per port of {_head_text(e, arc)}, {bytes_text(needed_bytes)} "
        f"needed at {e.case.state.link_length_km[link]:g} km, so {rate_gbps:.0f} of "
        f"{float(e.health.member_gbps[link]):g} Gb/s"
    )


def _head_text(e: Evaluation, arc: int) -> str:
    """Receiving node and its part."""
    state = e.case.state
    head = state.arrays.arc_head[arc]
    part = state.part_id(int(state["node_part"][head]))
    return f"{state.arrays.node_ids[head]} ({part})" if part else str(state.arrays.node_ids[head])


def _loss_reason(e: Evaluation, arc: int) -> str:
    health, link = e.health, arc // 2
    recovery_ratio = float(e.arc_transport.recovery_ratio[arc])
    return (
        f"{LOSS_TEXT} {health.loss_ratio[link]:.2g} leaves {percent_text(recovery_ratio)} of {_line_rate_text(e, arc)}"
    )


def _pause_reason(e: Evaluation, arc: int) -> str:
    retained_ratio = e.health.headroom.of_arc("retained_ratio", arc, 1.0)
    return (
        f"frames lost in pauses, beyond the buffer of {_head_text(e, arc)}, leave {percent_text(retained_ratio)} of "
        f"{_line_rate_text(e, arc)}"
    )


def _mode_reason(e: Evaluation, arc: int) -> str:
    link = arc // 2
    return f"slower mode, {float(e.health.member_gbps[link]):g} Gb/s with {e.health.margin_db[link]:.1f} dB margin"


def _reach_reason(e: Evaluation, arc: int) -> str:
    link = arc // 2
    part = e.case.state.part_id(int(e.case.state["link_transceiver"][link]))
    return f"link down: {e.case.state.link_length_km[link]:g} km is beyond the reach of {part}"


def _cards_reason(e: Evaluation, arc: int) -> str:
    return f"network cards of the rack carry {e.health.arc_capacity_gbps[arc]:.0f} Gb/s of it"


def _down_reason(e: Evaluation, arc: int) -> str:
    return f"link down: {shortage_text(e, arc // 2)}"


def shortage_text(e: Evaluation, link: int) -> str:
    """Return by how much a link is down: decibels short of its margin, or too much power at the receiver."""
    headroom_db, margin_db = float(e.health.receiver_headroom_db[link]), float(e.health.margin_db[link])
    if headroom_db < 0 <= margin_db:
        return f"{-headroom_db:.1f} dB too much power at the receiver"
    return f"{-margin_db:.1f} dB short"
