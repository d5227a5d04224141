"""Transport goodput: the share of a link's rate that loss recovery, windows and time-outs leave to senders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Floats
from ..catalogue.figure_reader import FigureReader
from ..model.records import Lossless

NEGLIGIBLE_LOSS_RATIO = 1e-10
"""One frame in ten billion: recovery below this loss has no visible effect."""
TCP_TIMEOUT_ROUND_TRIPS = 4.0
"""Time-out of the throughput equation over the round trip, as RFC 3448 recommends (section 3.1)."""
MIN_ROUND_TRIP_US = 1e-6
"""Round trip over a tenth of a millimetre of fibre; rates are computed over at least this."""


@dataclass(frozen=True, eq=False)
class TransportGoodput:
    """Shares of a link's rate that senders turn into goodput, one row for each link."""

    recovery_ratio: Floats
    """Share left by retransmissions, where windows are large enough."""
    window_ratio: Floats
    """Share left by the window: bytes in flight over a round trip, against the rate of a queue pair."""
    goodput_ratio: Floats
    """Share left by both, for a fixed number of queue pairs."""
    timeout_s: Floats
    """Expected stall of a burst of one packet per queue pair by tail loss, which only a time-out repairs."""


@dataclass(frozen=True, eq=False)
class ArcFlows:
    """Equal flows of one phase of a job on some arcs, one row each; float64[n]."""

    n_flows: Floats
    """Flows on all members of an arc; below 1 where a flow takes one of several routes."""
    round_trip_us: Floats
    """Round trip of the whole path of these flows, their harmonic mean."""
    available_gbps: Floats
    """Gb/s of all members that senders may fill, before losses are resent."""
    member_gbps: Floats
    source_gbps: float
    """Most that a flow gets where it leaves its rack or host; infinite where that is unknown."""
    loss_ratio: Floats
    """Share of frames that the link loses."""
    n_pauses_per_s: Floats
    """Pauses per second that lose frames. They matter to TCP, where each is a loss event of every connection."""


@dataclass(frozen=True, eq=False)
class FlowGoodput:
    """Goodput of flows on some arcs, one row each; float64[n]."""

    gbps: Floats
    """All flows together, after all that follows."""
    cap_ratio: Floats
    """Share left by the most that a flow can send: the rate of a member, or a stated rate of a queue pair."""
    window_ratio: Floats
    """Share of that left by windows."""
    recovery_ratio: Floats
    """Share of that left by retransmissions."""
    line_ratio: Floats
    """Share of the arc that is not spent on frames sent again; TCP sends less instead, so it spends the lost share."""
    timeout_s: Floats
    """Expected stall of a burst of one packet per flow by tail loss, which only a time-out repairs."""


def flow_goodput(reader: FigureReader, lossless: Lossless, flows: ArcFlows) -> FlowGoodput:
    """Compute the goodput of flows that share arcs evenly.

    A flow sends its share of the arc, and never more than a member carries or a queue pair may send. Over a round trip
    it sends no more than its window. Loss recovery counts at that rate: many slow flows lose less than a fast one.

    Args:
        reader: source of figures.
        lossless: transport settings of the document.
        flows: the flows by arc.
    """
    n, ones = len(flows.n_flows), np.ones(len(flows.n_flows))
    in_flight_bits = 8.0 * (lossless.in_flight_bytes or reader.general("in_flight_bytes"))
    share_gbps = flows.available_gbps / flows.n_flows
    most_gbps = np.minimum(flows.member_gbps, lossless.queue_pair_gbps or np.inf)
    window_gbps = in_flight_bits / (np.maximum(flows.round_trip_us, MIN_ROUND_TRIP_US) * 1e3)
    flow_gbps = np.minimum(share_gbps, most_gbps)
    cap_ratio = np.divide(flow_gbps, share_gbps, out=ones.copy(), where=share_gbps > flow_gbps)
    window_ratio = np.divide(window_gbps, flow_gbps, out=ones.copy(), where=flow_gbps > window_gbps)
    sent_gbps = flow_gbps * window_ratio
    recovery_ratio, timeout_s = ones.copy(), np.zeros(n)
    paused = flows.n_pauses_per_s > 0 if lossless.recovery == "tcp" else np.zeros(n, dtype=np.bool_)
    lossy = np.flatnonzero(((flows.loss_ratio > NEGLIGIBLE_LOSS_RATIO) | paused) & (sent_gbps > 0))
    if len(lossy):
        loss, trip_us = flows.loss_ratio[lossy], flows.round_trip_us[lossy]
        rate_gbps = np.minimum(sent_gbps[lossy], flows.source_gbps)
        if paused.any():
            packets_per_s = rate_gbps * 1e9 / (8.0 * reader.general("tcp_segment_bytes"))
            loss = np.minimum(loss + flows.n_pauses_per_s[lossy] / packets_per_s, 1.0)
        # TCP has a rate of its own, so its share is that of what is sent; go-back-N loses by the rate of the flow
        sent = sent_gbps[lossy] if lossless.recovery == "tcp" else rate_gbps
        recovery_ratio[lossy] = recovery_goodput_ratio(reader, lossless, loss, trip_us, sent)
        timeout_s[lossy] = _timeout_s(reader, loss, np.maximum(flows.n_flows[lossy], 1.0))
    unlimited = (cap_ratio == 1.0) & (window_ratio == 1.0)
    offered_gbps = np.where(unlimited, flows.available_gbps, flows.n_flows * sent_gbps)
    line_ratio = 1.0 - flows.loss_ratio if lossless.recovery == "tcp" else recovery_ratio
    gbps = offered_gbps * recovery_ratio
    return FlowGoodput(gbps, cap_ratio, window_ratio, recovery_ratio, line_ratio, timeout_s)


def compute_transport_goodput(
    reader: FigureReader, lossless: Lossless, loss_ratio: Floats, round_trip_us: Floats, member_gbps: Floats
) -> TransportGoodput:
    """Compute the goodput of queue pairs over each link, in steady state, without a job whose flows are known.

    A stated `queue_pair_gbps` is the rate of a queue pair, and its queue pairs fill the link. Without one the link
    carries flows that are so slow that windows do not limit them, and that only lost frames are resent.

    Args:
        reader: source of figures.
        lossless: transport settings of the document.
        loss_ratio: share of frames lost, float64[n].
        round_trip_us: unloaded round trip, float64[n].
        member_gbps: rate of one member of the link, float64[n].

    Returns:
        Shares by link, float64[n] each.
    """
    in_flight_bits = 8.0 * (lossless.in_flight_bytes or reader.general("in_flight_bytes"))
    n, pair_gbps = len(loss_ratio), pair_rate_gbps(lossless, member_gbps)
    goodput = TransportGoodput(np.ones(n), np.ones(n), np.ones(n), np.zeros(n))
    limited = np.flatnonzero(round_trip_us * (pair_gbps * 1e3) > in_flight_bits)
    goodput.window_ratio[limited] = in_flight_bits / (round_trip_us[limited] * (pair_gbps[limited] * 1e3))
    goodput.goodput_ratio[limited] = goodput.window_ratio[limited]
    lossy = np.flatnonzero(loss_ratio > NEGLIGIBLE_LOSS_RATIO)
    if len(lossy):
        loss, trip_us, window_ratio = loss_ratio[lossy], round_trip_us[lossy], goodput.window_ratio[lossy]
        rate_gbps = pair_gbps[lossy]
        goodput.recovery_ratio[lossy] = recovery_goodput_ratio(reader, lossless, loss, trip_us, rate_gbps)
        in_window = recovery_goodput_ratio(reader, lossless, loss, trip_us, rate_gbps * window_ratio)
        goodput.goodput_ratio[lossy] = window_ratio * in_window
        n_pairs = np.divide(member_gbps[lossy], rate_gbps, out=np.ones(len(lossy)), where=rate_gbps > 0)
        goodput.timeout_s[lossy] = _timeout_s(reader, loss, np.maximum(n_pairs, 1.0))
    return goodput


def _timeout_s(reader: FigureReader, loss_ratio: Floats, n_flows: Floats) -> Floats:
    """Compute the expected stall of a burst of one packet per flow by tail loss."""
    tail_loss_ratio = -np.expm1(n_flows * np.log1p(-np.minimum(loss_ratio, 1.0 - 1e-15)))
    return np.asarray(tail_loss_ratio * reader.general("retransmission_timeout_s"))


def pair_rate_gbps(lossless: Lossless, member_gbps: Floats) -> Floats:
    """Compute the rate of one queue pair on each link; no flow is faster than its member.

    Returns:
        Gb/s by link; 0 where the document states no rate: many slow flows.
    """
    stated_gbps = lossless.queue_pair_gbps
    if stated_gbps is None:
        return np.zeros(len(member_gbps))
    return np.where(member_gbps > 0, np.minimum(stated_gbps, member_gbps), stated_gbps)


def recovery_goodput_ratio(
    reader: FigureReader, lossless: Lossless, loss_ratio: Floats, round_trip_us: Floats, rate_gbps: Floats
) -> Floats:
    """Compute the goodput over the rate of a queue pair, by the recovery of its transport.

    Go-back-N repeats all packets in flight: (1 - p) / (1 + p W), with W packets of a queue pair in a round trip.
    Selective repeat loses only what was lost: 1 - p.

    Args:
        reader: source of figures.
        lossless: transport settings of the document.
        loss_ratio: share of frames lost, float64[n].
        round_trip_us: round trip, float64[n].
        rate_gbps: rate of a flow, float64[n]; 0 for flows so slow that only lost frames are resent.

    Source: for TCP the throughput equation of RFC 3448, section 3.1.
    """
    if lossless.recovery == "tcp":
        most_gbps = tcp_gbps(loss_ratio, round_trip_us, reader.general("tcp_segment_bytes"))
        return np.divide(most_gbps, rate_gbps, out=np.ones(len(rate_gbps)), where=most_gbps < rate_gbps)
    if lossless.recovery == "selective_repeat":
        return np.asarray(1.0 - loss_ratio)
    n_packets = rate_gbps * 1e3 * round_trip_us / (reader.general("packet_bytes") * 8.0)
    return np.asarray((1.0 - loss_ratio) / (1.0 + loss_ratio * n_packets))


def tcp_gbps(loss_event_ratio: Floats, round_trip_us: Floats, segment_bytes: float) -> Floats:
    """Compute the rate of one TCP connection.

    Args:
        loss_event_ratio: share of packets that begin a loss event, float64[n].
        round_trip_us: round trip, float64[n].
        segment_bytes: size of a segment.

    Returns:
        Gb/s, float64[n]; infinite without loss.

    Source: RFC 3448, section 3.1, with b = 1.
    """
    p, trip_s = loss_event_ratio, np.maximum(round_trip_us, MIN_ROUND_TRIP_US) / 1e6
    retries = TCP_TIMEOUT_ROUND_TRIPS * 3.0 * np.sqrt(3.0 * p / 8.0) * p * (1.0 + 32.0 * p * p)
    segment_interval_s = trip_s * (np.sqrt(2.0 * p / 3.0) + retries)
    unlimited = np.full(len(segment_interval_s), np.inf)
    return np.asarray(
        np.divide(segment_bytes * 8.0, segment_interval_s * 1e9, out=unlimited, where=segment_interval_s > 0)
    )
