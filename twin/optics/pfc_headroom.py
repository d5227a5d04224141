"""PFC headroom of wide-area links: bytes needed, bytes available, and the rate that the policy leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import TIERS, Bools, Floats, Ints, State
from ..catalogue.figure_reader import FigureReader
from ..model.records import Lossless
from .transport_goodput import MIN_ROUND_TRIP_US, pair_rate_gbps, tcp_gbps

PAUSE_RATES_GBPS = (800, 400, 200, 100, 50, 25, 10)
"""Port rates whose response to a pause is tabulated, in quanta."""


@dataclass(frozen=True, eq=False)
class PfcHeadroom:
    """Headroom at the receiving router of wide-area links, by row of `arcs`; other arcs need none."""

    arcs: Ints
    """Arcs of wide-area links, ascending; empty where PFC is not used on them."""
    needed_bytes: Floats
    """Headroom for full rate without loss."""
    available_bytes: Floats
    """Lossless buffer of one port; NaN where the catalogue does not state it."""
    rate_gbps: Floats
    """Rate of a member without loss under `shaped`; infinite where the buffer sets no limit."""
    retained_ratio: Floats
    """Share of a member's rate that remains under `drop_on_pause`; 1 under `shaped`."""
    lost_bytes: Floats
    """Bytes that each pause loses under `drop_on_pause`; 0 under `shaped`."""

    def by_arc(self, name: str, n_arcs: int, default: float) -> Floats:
        """Spread a column over all arcs; `default` for arcs without a row."""
        out = np.full(n_arcs, default)
        out[self.arcs] = getattr(self, name)
        return out

    def of_arc(self, name: str, arc: int, default: float) -> float:
        """Look up a column for one arc; `default` if the arc has no row."""
        row = int(np.searchsorted(self.arcs, arc))
        return float(getattr(self, name)[row]) if row < len(self.arcs) and self.arcs[row] == arc else default


def compute_pfc_headroom(
    state: State, lossless: Lossless, reader: FigureReader, lit: Bools, member_gbps: Floats, round_trip_us: Floats
) -> PfcHeadroom:
    """Compute the PFC headroom of wide-area arcs.

    xoff = lossless MTU + (MTU + 2 L R / (8 v) + MAC and PHY + quanta) * cell factor; `shaped` solves it for R. The
    lossless share of a router's buffer is divided among its wide-area ports.

    Args:
        state: columns of the network.
        lossless: policy, recovery and pauses of the document.
        reader: source of figures.
        lit: links that carry traffic, bool[n_links].
        member_gbps: rate of one member, float64[n_links].
        round_trip_us: unloaded round trip, float64[n_links].

    Returns:
        Columns by wide-area arc; empty for policy `lossy`.

    Source: SONiC's buffer_headroom_mellanox.lua.
    """
    wide_area = state.link_tier == TIERS.index("wide_area")
    links = np.flatnonzero(wide_area) if lossless.policy != "lossy" else np.zeros(0, np.int64)
    arcs = (2 * links[:, None] + np.array([0, 1])).ravel()
    if not len(arcs):
        return PfcHeadroom(arcs, *(np.zeros(0) for _ in range(5)))
    available_bytes = _port_buffer_bytes(state, reader, lit & wide_area)[state["arc_head"][arcs]]
    rate_gbps = np.repeat(member_gbps[links], 2)
    quanta_bytes = reader.general("pfc_quantum_bytes") * _pause_quanta(reader, rate_gbps)
    frame_bytes = reader.general("pfc_mtu_bytes") + reader.general("pfc_mac_phy_bytes") + quanta_bytes
    mtu_bytes, cell_factor = reader.general("pfc_lossless_mtu_bytes"), reader.general("pfc_cell_factor_ratio")
    round_trip_s = 2e3 * np.repeat(state.link_length_km[links], 2)
    round_trip_s = np.maximum(round_trip_s / reader.general("pfc_signal_speed_m_per_s"), MIN_ROUND_TRIP_US / 1e6)
    needed_bytes = mtu_bytes + (frame_bytes + rate_gbps * 1e9 / 8.0 * round_trip_s) * cell_factor
    lossless_gbps, retained_ratio, lost_bytes = np.full(len(arcs), np.inf), np.ones(len(arcs)), np.zeros(len(arcs))
    known = ~np.isnan(available_bytes)
    if lossless.policy == "shaped":
        in_flight_bytes = np.maximum((available_bytes - mtu_bytes) / cell_factor - frame_bytes, 0.0)
        lossless_gbps = np.where(known, in_flight_bytes * 8.0 / round_trip_s / 1e9, np.inf)
    else:
        lost_bytes = np.where(known, np.maximum(needed_bytes - available_bytes, 0.0), 0.0)
        retained_ratio = _retained_ratio(reader, lossless, lost_bytes, rate_gbps, np.repeat(round_trip_us[links], 2))
    return PfcHeadroom(arcs, needed_bytes, available_bytes, lossless_gbps, retained_ratio, lost_bytes)


def pauses_per_s(reader: FigureReader, lossless: Lossless) -> float:
    """Pauses of a wide-area port per second: the document's number, else the catalogue's figure."""
    return reader.general("n_pauses_per_s") if lossless.n_pauses_per_s is None else lossless.n_pauses_per_s


def _port_buffer_bytes(state: State, reader: FigureReader, configured: Bools) -> Floats:
    """Lossless buffer of one wide-area port of each node; NaN where the catalogue does not state it.

    Every configured port reserves headroom, whether its member is up or not.
    """
    links = np.flatnonzero(configured)
    members, ends = state["link_n_parallel"][links], state["link_ends"][links]
    n_ports = np.zeros(state.n_nodes)
    for side in (0, 1):
        n_ports = n_ports + np.bincount(ends[:, side], weights=members, minlength=state.n_nodes)
    buffer_bytes = reader.by_code(state.parts, state["node_part"], "buffer_bytes", "switch")
    lossless_ratio = reader.by_code(state.parts, state["node_part"], "lossless_share_ratio", "switch")
    n_asics = reader.by_code(state.parts, state["node_part"], "n_asics", "switch", 1.0)
    return np.asarray(buffer_bytes * lossless_ratio / np.maximum(np.ceil(n_ports / n_asics), 1.0))


def _pause_quanta(reader: FigureReader, rate_gbps: Floats) -> Floats:
    """Quanta that a port takes to react to a pause; rates between two tabulated ones use the next faster one."""
    quanta = np.zeros(len(rate_gbps))
    for tabulated_gbps in PAUSE_RATES_GBPS:
        quanta = np.where(rate_gbps <= tabulated_gbps, reader.general(f"n_pfc_quanta_{tabulated_gbps}g"), quanta)
    fastest_gbps = PAUSE_RATES_GBPS[0]
    return np.where(rate_gbps > fastest_gbps, reader.general(f"n_pfc_quanta_{fastest_gbps}g"), quanta)


def _retained_ratio(
    reader: FigureReader, lossless: Lossless, lost_bytes: Floats, rate_gbps: Floats, round_trip_us: Floats
) -> Floats:
    """Share of the rate that remains where each pause loses `lost_bytes` and the sender retransmits.

    A pause is one loss, whatever the number of frames. Selective repeat resends the lost bytes; go-back-N resends a
    round trip besides. For TCP a pause is one loss event of every connection.
    """
    n_pauses_per_s = pauses_per_s(reader, lossless)
    rate_bytes_per_s = np.maximum(rate_gbps, 1e-9) * 1e9 / 8.0
    affected = (lost_bytes > 0) & (rate_gbps > 0)
    if lossless.recovery == "tcp":
        segment_bytes = reader.general("tcp_segment_bytes")
        pair_gbps = pair_rate_gbps(lossless, rate_gbps)
        if lossless.queue_pair_gbps is None:
            return np.ones(len(rate_gbps))  # many slow connections: none of them waits for its window
        loss_event_ratio = np.minimum(n_pauses_per_s * segment_bytes * 8.0 / (pair_gbps * 1e9), 1.0)
        remaining_ratio = tcp_gbps(loss_event_ratio, round_trip_us, segment_bytes) / pair_gbps
        return np.where(affected, np.minimum(remaining_ratio, 1.0), 1.0)
    resent_bytes = lost_bytes.copy()
    if lossless.recovery == "go_back_n":
        resent_bytes += rate_bytes_per_s * round_trip_us / 1e6
    return np.where(affected, 1.0 / (1.0 + n_pauses_per_s * resent_bytes / rate_bytes_per_s), 1.0)
