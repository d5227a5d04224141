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
    """Share left by both, for a fixed number of queue pairs, as a job has."""
    timeout_s: Floats
    """Expected stall of a burst of one packet per queue pair by tail loss, which only a time-out repairs."""


def compute_transport_goodput(
    reader: FigureReader, lossless: Lossless, loss_ratio: Floats, round_trip_us: Floats, member_gbps: Floats
) -> TransportGoodput:
    """Compute the goodput of queue pairs over each link, in steady state.

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
        n_pairs = np.maximum(member_gbps[lossy] / rate_gbps, 1.0)
        tail_loss_ratio = -np.expm1(n_pairs * np.log1p(-np.minimum(loss, 1.0 - 1e-15)))
        goodput.timeout_s[lossy] = tail_loss_ratio * reader.general("retransmission_timeout_s")
    return goodput


def pair_rate_gbps(lossless: Lossless, member_gbps: Floats) -> Floats:
    """Compute the rate of one queue pair on each link; no flow is faster than its member."""
    requested_gbps = lossless.queue_pair_gbps
    return np.where(member_gbps > 0, np.minimum(requested_gbps, member_gbps), requested_gbps)


def recovery_goodput_ratio(
    reader: FigureReader, lossless: Lossless, loss_ratio: Floats, round_trip_us: Floats, rate_gbps: Floats
) -> Floats:
    """Compute the goodput over the rate of a queue pair, by the recovery of its transport.

    Go-back-N repeats all packets in flight: (1 - p) / (1 + p W), with W packets of a queue pair in a round trip.
    Selective repeat loses only what was lost: 1 - p.

    Source: for TCP the throughput equation of RFC 3448, section 3.1.
    """
    if lossless.recovery == "tcp":
        return np.minimum(1.0, tcp_gbps(loss_ratio, round_trip_us, reader.general("tcp_segment_bytes")) / rate_gbps)
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
