"""What each link can carry today: its light, what buffers, losses and network cards leave of it, and its latency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import TIERS, Bools, Floats, Ints, State
from ..model.document import TopologyDocument
from ..units import SPEED_OF_LIGHT_KM_PER_S
from .figures import FigureReader, Lean
from .light import (
    BUFFER,
    CARDS,
    DARK,
    LINE_RATE,
    LOSS,
    REACH,
    AgeingCase,
    judge_light,
    link_loss_db,
    link_optics,
    span_loss,
)


@dataclass(frozen=True, eq=False)
class LinkHealth:
    """Columns by link (L), or by arc (2L: link 2l forward, 2l + 1 back). NaN where a notion does not apply.

    `arc_*_gbps` are of all members together; `member_gbps` is one member's light.
    """

    lit: Bools
    optics: Ints
    loss_db: Floats
    received_dbm: Floats
    line_gsnr_db: Floats
    margin_db: Floats
    required_margin_db: Floats
    member_gbps: Floats
    loss_ratio: Floats
    goodput_ratio: Floats
    lossless_gbps: Floats
    arc_capacity_gbps: Floats
    arc_limit: Ints
    propagation_us: Floats
    fec_us: Floats
    arc_switch_us: Floats
    arc_latency_us: Floats
    leans: tuple[Lean, ...]


def judge_links(
    state: State, document: TopologyDocument, reader: FigureReader, ageing: AgeingCase = "value"
) -> LinkHealth:
    """Every link of a state, at once. `ageing` picks the low, central or high case of the ageing figures.

    Loss: span attenuation grown linearly with age, splices (those of repaired cuts among them), connectors, lumped
    losses, multiplexers at both ends. Margins: direct detection by loss budget; coherent by received power, transmitter
    OSNR and, over amplifiers, the GSNR of the worst channel, all in 0.1 nm.
    """
    reader = reader.fresh()
    spans = span_loss(state, reader, ageing)
    loss_db = link_loss_db(state, reader, spans)
    light = judge_light(state, reader, spans, loss_db, ageing)
    lit = state.in_service & (light.member_gbps > 0)
    propagation_us, fec_us, arc_switch_us = _latency(state, reader)
    arc_latency_us = np.repeat(propagation_us + fec_us, 2) + arc_switch_us
    loss_ratio = np.where(np.isnan(state["link_loss_ratio"]), light.loss_ratio, state["link_loss_ratio"])
    round_trip_us = arc_latency_us[0::2] + arc_latency_us[1::2]
    goodput_ratio = _go_back_n(reader, document, loss_ratio, round_trip_us)
    lossless_gbps = _lossless_gbps(state, document, reader, lit, light.member_gbps)
    member = np.repeat(light.member_gbps, 2)
    after_loss = member * np.repeat(goodput_ratio, 2)
    carried = np.where(np.repeat(lit, 2), np.minimum(after_loss, lossless_gbps), 0.0)
    limit = np.repeat(light.limit, 2)
    limit = np.where(after_loss < member * 0.999, LOSS, limit)
    limit = np.where(lossless_gbps < after_loss, BUFFER, limit)
    cards = np.repeat(_card_share(state, reader, lit, light.member_gbps), 2)
    limit = np.where((cards < 1.0) & (limit == LINE_RATE), CARDS, limit)
    limit = np.where(np.repeat((light.member_gbps <= 0) & (light.limit != REACH), 2), DARK, limit)
    required = np.where(
        np.isnan(state["link_required_margin_db"]), document.required_margin_db, state["link_required_margin_db"]
    )
    return LinkHealth(
        lit=lit,
        optics=link_optics(state, reader),
        loss_db=loss_db,
        received_dbm=light.received_dbm,
        line_gsnr_db=light.line_gsnr_db,
        margin_db=light.margin_db,
        required_margin_db=required,
        member_gbps=light.member_gbps,
        loss_ratio=loss_ratio,
        goodput_ratio=goodput_ratio,
        lossless_gbps=lossless_gbps,
        arc_capacity_gbps=carried * np.repeat(state.n_members_up, 2) * cards,
        arc_limit=limit,
        propagation_us=propagation_us,
        fec_us=fec_us,
        arc_switch_us=arc_switch_us,
        arc_latency_us=arc_latency_us,
        leans=reader.leans(),
    )


def _latency(state: State, reader: FigureReader) -> tuple[Floats, Floats, Floats]:
    """Propagation and FEC by link, and the passage of the switch that an arc leads to."""
    n_links = state.arrays.n_links
    propagation = np.zeros(n_links)
    if len(state["span_length_km"]):
        index = reader.by_code(state.parts, state["span_fibre"], "group_index_ratio", "fibre")
        span_us: Floats = state["span_length_km"] * index / SPEED_OF_LIGHT_KM_PER_S * 1e6
        passed = state["span_amplifier"] >= 0
        if passed.any():
            span_us = span_us + passed * reader.general("amplifier_site_us")
        propagation = np.bincount(state["span_link"], weights=span_us, minlength=n_links).astype(np.float64)
    table = np.zeros(len(state.parts) + 1)
    for code in np.unique(state["link_transceiver"]):
        fec = reader.catalogue.get(state.parts[code]).fec if code >= 0 else None
        if fec is not None:
            table[code] = reader.part(fec, "latency_us")
    fec_us = table[state["link_transceiver"]]
    switch_us = np.nan_to_num(reader.by_code(state.parts, state["node_part"], "latency_us", "switch"))
    return propagation, fec_us, switch_us[state["arc_head"]]


def _card_share(state: State, reader: FigureReader, lit: Bools, member_gbps: Floats) -> Floats:
    """By link: the share of its light that the network cards of a rack at its end can fill; 1 elsewhere.

    Only links with a transceiver are held against the cards; a bare `capacity_gbps` is taken as it is said.
    """
    cards = reader.by_code(state.parts, state["node_accelerator"], "nic_gbps", "accelerator")
    cards = cards * state["node_n_accelerators"]
    light = np.where(lit & (state["link_transceiver"] >= 0), member_gbps * state.n_members_up, 0.0)
    share = np.ones(state.arrays.n_links)
    for side in (0, 1):
        end = state["link_ends"][:, side]
        ports = sum(np.bincount(state["link_ends"][:, s], weights=light, minlength=len(cards)) for s in (0, 1))
        with np.errstate(invalid="ignore", divide="ignore"):
            filled = np.fmin(cards / ports, 1.0)
        share = np.minimum(share, np.where(np.isnan(cards[end]) | (cards[end] <= 0), 1.0, filled[end]))
    return np.where(light > 0, share, 1.0)


def _go_back_n(reader: FigureReader, document: TopologyDocument, loss: Floats, round_trip_us: Floats) -> Floats:
    """Share of the rate that go-back-N leaves: (1 - p) / (1 + p W), W = packets of one queue pair in a round trip."""
    if not loss.any():
        return np.ones(len(loss))
    packet_bits = reader.general("packet_bytes") * 8.0
    window = document.lossless.queue_pair_gbps * 1e3 * round_trip_us / packet_bits
    return (1.0 - loss) / (1.0 + loss * window)


def _pause_quanta(reader: FigureReader, rate_gbps: Floats) -> Floats:
    """Quanta that a port of this rate takes to heed a pause, those of the next faster rate that is tabled."""
    quanta = np.zeros(len(rate_gbps))
    for tabled in (800, 400, 200, 100, 50, 25, 10):
        quanta = np.where(rate_gbps <= tabled, reader.general(f"n_pfc_quanta_{tabled}g"), quanta)
    return np.where(rate_gbps > 800, reader.general("n_pfc_quanta_800g"), quanta)


def _lossless_gbps(
    state: State, document: TopologyDocument, reader: FigureReader, lit: Bools, member_gbps: Floats
) -> Floats:
    """Rate per member and arc that the far router's buffer can absorb after a pause; infinite where none is needed.

    R <= ((buffer per port - lossless MTU) / cell factor - MTU - MAC and PHY - pause quanta) * 8 v / (2 L), the headroom
    formula of SONiC's buffer_headroom_mellanox.lua solved for the rate. The lossless share of a router's
    buffer is divided among its wide-area ports.
    """
    n_arcs = 2 * state.arrays.n_links
    rate = np.full(n_arcs, np.inf)
    far = state.arrays.link_tier == TIERS.index("wide_area")
    if document.lossless.policy != "shaped" or not far.any():
        return rate
    # headroom is set aside for every port that is configured, whether its member is up or not
    members = np.where(lit & far, state["link_n_parallel"], 0)
    ports = np.zeros(state.arrays.n_nodes)
    for side in (0, 1):
        ports = ports + np.bincount(state["link_ends"][:, side], weights=members, minlength=state.arrays.n_nodes)
    buffer = reader.by_code(state.parts, state["node_part"], "buffer_bytes", "switch")
    share = reader.by_code(state.parts, state["node_part"], "lossless_share_ratio", "switch")
    asics = np.nan_to_num(reader.by_code(state.parts, state["node_part"], "n_asics", "switch"), nan=1.0)
    per_port = buffer * share / np.maximum(np.ceil(ports / asics), 1.0)
    arcs = np.flatnonzero(np.repeat(far, 2))
    frames = reader.general("pfc_mtu_bytes") + reader.general("pfc_mac_phy_bytes")
    in_hand = frames + reader.general("pfc_quantum_bytes") * _pause_quanta(reader, np.repeat(member_gbps, 2)[arcs])
    speed = reader.general("pfc_signal_speed_m_per_s")
    cells = (per_port[state["arc_head"][arcs]] - reader.general("pfc_lossless_mtu_bytes")) / reader.general(
        "pfc_cell_factor_ratio"
    )
    room = np.maximum(cells - in_hand, 0.0)
    there_and_back_m = 2.0 * 1e3 * np.repeat(state.arrays.link_length_km, 2)[arcs]
    absorbed = room * 8.0 * speed / there_and_back_m / 1e9
    rate[arcs] = np.where(np.isnan(absorbed), np.inf, absorbed)
    return rate
