"""Pause over a distance: the headroom it takes, the buffer there is, and what the policy makes of the difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import TIERS, Bools, Floats, Ints, State
from ..catalogue.figure_reader import FigureReader
from ..model.records import Lossless
from .transport_goodput import SHORTEST_TRIP_US, pair_rate_gbps, tcp_gbps

PAUSE_RATES_GBPS = (800, 400, 200, 100, 50, 25, 10)
"""Port rates whose answer to a pause is tabled, in quanta."""


@dataclass(frozen=True, eq=False)
class PfcHeadroom:
    """At the far router of wide-area links, by row of `arcs`; other arcs have no such question."""

    arcs: Ints
    """Arcs of wide-area links, ascending; none where pause is not used over them."""
    needed_bytes: Floats
    """To lose nothing at full rate."""
    available_bytes: Floats
    """Lossless buffer of one port; NaN where the catalogue says nothing of it."""
    rate_gbps: Floats
    """At which a member loses nothing (`shaped`); infinite where nothing holds it back."""
    kept_ratio: Floats
    """Of a member's rate, under `drop_on_pause`; 1 under `shaped`."""

    def by_arc(self, name: str, n_arcs: int, otherwise: float) -> Floats:
        """One of the columns for all arcs."""
        out = np.full(n_arcs, otherwise)
        out[self.arcs] = getattr(self, name)
        return out

    def of_arc(self, name: str, arc: int, otherwise: float) -> float:
        """One of the columns at one arc."""
        row = int(np.searchsorted(self.arcs, arc))
        return float(getattr(self, name)[row]) if row < len(self.arcs) and self.arcs[row] == arc else otherwise


def compute_pfc_headroom(
    state: State, lossless: Lossless, reader: FigureReader, lit: Bools, member_gbps: Floats, round_trip_us: Floats
) -> PfcHeadroom:
    """PfcHeadroom of wide-area arcs: xoff = lossless MTU + (MTU + 2 L R / (8 v) + MAC and PHY + quanta) * cell factor.

    As in SONiC's buffer_headroom_mellanox.lua; `shaped` solves it for R. The lossless share of a router's buffer is
    divided among its wide-area ports.
    """
    far = state.link_tier == TIERS.index("wide_area")
    links = np.flatnonzero(far) if lossless.policy != "lossy" else np.zeros(0, np.int64)
    arcs = (2 * links[:, None] + np.array([0, 1])).ravel()
    if not len(arcs):
        return PfcHeadroom(arcs, *(np.zeros(0) for _ in range(4)))
    there = _port_buffer_bytes(state, reader, lit & far)[state["arc_head"][arcs]]
    rate = np.repeat(member_gbps[links], 2)
    quanta_bytes = reader.general("pfc_quantum_bytes") * _pause_quanta(reader, rate)
    frames = reader.general("pfc_mtu_bytes") + reader.general("pfc_mac_phy_bytes") + quanta_bytes
    lossless_mtu, factor = reader.general("pfc_lossless_mtu_bytes"), reader.general("pfc_cell_factor_ratio")
    there_and_back_s = 2e3 * np.repeat(state.link_length_km[links], 2)
    there_and_back_s = np.maximum(there_and_back_s / reader.general("pfc_signal_speed_m_per_s"), SHORTEST_TRIP_US / 1e6)
    needed = lossless_mtu + (frames + rate * 1e9 / 8.0 * there_and_back_s) * factor
    absorbed, kept = np.full(len(arcs), np.inf), np.ones(len(arcs))
    known = ~np.isnan(there)
    if lossless.policy == "shaped":
        room = np.maximum((there - lossless_mtu) / factor - frames, 0.0)
        absorbed = np.where(known, room * 8.0 / there_and_back_s / 1e9, np.inf)
    else:
        short = np.where(known, np.maximum(needed - there, 0.0), 0.0)
        kept = _kept_ratio(reader, lossless, short, rate, np.repeat(round_trip_us[links], 2))
    return PfcHeadroom(arcs, needed, there, absorbed, kept)


def _port_buffer_bytes(state: State, reader: FigureReader, configured: Bools) -> Floats:
    """Lossless buffer of one wide-area port of each node; NaN where the catalogue says nothing of it.

    PfcHeadroom is set aside for every port that is configured, whether its member is up or not.
    """
    members = np.where(configured, state["link_n_parallel"], 0)
    ports = np.zeros(state.n_nodes)
    for side in (0, 1):
        ports = ports + np.bincount(state["link_ends"][:, side], weights=members, minlength=state.n_nodes)
    buffer = reader.by_code(state.parts, state["node_part"], "buffer_bytes", "switch")
    share = reader.by_code(state.parts, state["node_part"], "lossless_share_ratio", "switch")
    asics = reader.by_code(state.parts, state["node_part"], "n_asics", "switch", 1.0)
    return np.asarray(buffer * share / np.maximum(np.ceil(ports / asics), 1.0))


def _pause_quanta(reader: FigureReader, rate_gbps: Floats) -> Floats:
    """Quanta that a port of this rate takes to heed a pause, those of the next faster rate that is tabled."""
    quanta = np.zeros(len(rate_gbps))
    for tabled in PAUSE_RATES_GBPS:
        quanta = np.where(rate_gbps <= tabled, reader.general(f"n_pfc_quanta_{tabled}g"), quanta)
    fastest = PAUSE_RATES_GBPS[0]
    return np.where(rate_gbps > fastest, reader.general(f"n_pfc_quanta_{fastest}g"), quanta)


def _kept_ratio(
    reader: FigureReader, lossless: Lossless, short_bytes: Floats, rate_gbps: Floats, round_trip_us: Floats
) -> Floats:
    """Share of the rate that is left where each pause loses `short_bytes`, and the sender repeats as it does.

    One loss a pause, however many frames: go-back-N repeats a round trip besides, selective repeat the loss alone, TCP
    takes it as one loss event of every connection.
    """
    pauses = lossless.n_pauses_per_s
    pauses = reader.general("n_pauses_per_s") if pauses is None else pauses
    rate_bytes_per_s = np.maximum(rate_gbps, 1e-9) * 1e9 / 8.0
    hit = (short_bytes > 0) & (rate_gbps > 0)
    if lossless.recovery == "tcp":
        segment = reader.general("tcp_segment_bytes")
        pair_gbps = pair_rate_gbps(lossless, rate_gbps)
        event = np.minimum(pauses * segment * 8.0 / (pair_gbps * 1e9), 1.0)
        left = tcp_gbps(event, round_trip_us, segment) / pair_gbps
        return np.where(hit, np.minimum(left, 1.0), 1.0)
    again = short_bytes.copy()
    if lossless.recovery == "go_back_n":
        again += rate_bytes_per_s * round_trip_us / 1e6
    return np.where(hit, 1.0 / (1.0 + pauses * again / rate_bytes_per_s), 1.0)
