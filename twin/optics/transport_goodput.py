"""From bits lost to work lost: what a sender's recovery, window and time-outs leave of a link's rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Floats
from ..catalogue.figure_reader import FigureReader
from ..model.records import Lossless

NEGLIGIBLE_LOSS_RATIO = 1e-10
"""A frame in ten billion: nothing that a sender does about it shows."""
TCP_TIMEOUT_ROUND_TRIPS = 4.0
"""Time-out of the throughput equation over the round trip, as RFC 3448 recommends (section 3.1)."""
SHORTEST_TRIP_US = 1e-6
"""A tenth of a millimetre of glass there and back: no rate is taken over less."""


@dataclass(frozen=True, eq=False)
class TransportGoodput:
    """What senders make of a link, by row: shares of its rate."""

    recovery_ratio: Floats
    """Left by the repeats of what was lost, where windows are wide enough."""
    window_ratio: Floats
    """Left by the window: bytes in flight over a round trip, against the rate of a queue pair."""
    goodput_ratio: Floats
    """Left by both together, for queue pairs that cannot be multiplied: a job's."""
    timeout_s: Floats
    """Expected stall of a burst of one packet per queue pair by lost tails, which nothing but a time-out repairs."""


def compute_transport_goodput(
    reader: FigureReader, lossless: Lossless, loss_ratio: Floats, round_trip_us: Floats, member_gbps: Floats
) -> TransportGoodput:
    """Goodput of queue pairs over one link by frames lost, round trip and window, in steady state."""
    in_flight_bits = 8.0 * (lossless.in_flight_bytes or reader.general("in_flight_bytes"))
    n, asked_gbps = len(loss_ratio), pair_rate_gbps(lossless, member_gbps)
    out = TransportGoodput(np.ones(n), np.ones(n), np.ones(n), np.zeros(n))
    held = np.flatnonzero(round_trip_us * (asked_gbps * 1e3) > in_flight_bits)
    out.window_ratio[held] = in_flight_bits / (round_trip_us[held] * (asked_gbps[held] * 1e3))
    out.goodput_ratio[held] = out.window_ratio[held]
    lost = np.flatnonzero(loss_ratio > NEGLIGIBLE_LOSS_RATIO)
    if len(lost):
        loss, trip_us, window = loss_ratio[lost], round_trip_us[lost], out.window_ratio[lost]
        asked = asked_gbps[lost]
        out.recovery_ratio[lost] = recovery_of(reader, lossless, loss, trip_us, asked)
        out.goodput_ratio[lost] = window * recovery_of(reader, lossless, loss, trip_us, asked * window)
        pairs = np.maximum(member_gbps[lost] / asked, 1.0)
        tail_lost = -np.expm1(pairs * np.log1p(-np.minimum(loss, 1.0 - 1e-15)))
        out.timeout_s[lost] = tail_lost * reader.general("retransmission_timeout_s")
    return out


def pair_rate_gbps(lossless: Lossless, member_gbps: Floats) -> Floats:
    """Rate of one queue pair on each link; no flow is faster than its member."""
    asked_gbps = lossless.queue_pair_gbps
    return np.where(member_gbps > 0, np.minimum(asked_gbps, member_gbps), asked_gbps)


def recovery_of(
    reader: FigureReader, lossless: Lossless, loss_ratio: Floats, round_trip_us: Floats, rate_gbps: Floats
) -> Floats:
    """Goodput over the rate of a queue pair.

    Go-back-N sends again all that was in flight: (1 - p) / (1 + p W), W packets of a queue pair in a round trip.
    Selective repeat loses what was lost, 1 - p. TCP follows the throughput equation of RFC 3448, section 3.1.
    """
    if lossless.recovery == "tcp":
        return np.minimum(1.0, tcp_gbps(loss_ratio, round_trip_us, reader.general("tcp_segment_bytes")) / rate_gbps)
    if lossless.recovery == "selective_repeat":
        return np.asarray(1.0 - loss_ratio)
    packets = rate_gbps * 1e3 * round_trip_us / (reader.general("packet_bytes") * 8.0)
    return np.asarray((1.0 - loss_ratio) / (1.0 + loss_ratio * packets))


def tcp_gbps(loss_event_ratio: Floats, round_trip_us: Floats, segment_bytes: float) -> Floats:
    """Rate of one TCP connection by the share of packets that begin a loss (RFC 3448, section 3.1, b = 1)."""
    p, trip_s = loss_event_ratio, np.maximum(round_trip_us, SHORTEST_TRIP_US) / 1e6
    retries = TCP_TIMEOUT_ROUND_TRIPS * 3.0 * np.sqrt(3.0 * p / 8.0) * p * (1.0 + 32.0 * p * p)
    apart_s = trip_s * (np.sqrt(2.0 * p / 3.0) + retries)
    endless = np.full(len(apart_s), np.inf)
    return np.asarray(np.divide(segment_bytes * 8.0, apart_s * 1e9, out=endless, where=apart_s > 0))
