"""What each link can carry today: loss budget, margin, rate, what buffers and losses leave of it, and its latency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, erfc, erfcinv

from ..arrays import TIERS, Bools, Floats, Ints, State
from ..model.document import TopologyDocument
from ..units import SPEED_OF_LIGHT_KM_PER_S
from .figures import FigureReader, Lean

AgeingCase = Literal["low", "value", "high"]
DEFAULT_CAPACITY_GBPS = 400.0
"""Of a link that names neither a capacity nor a transceiver; stated in the schema of `Link.capacity_gbps`."""
N_PATCH_CONNECTORS = 2
"""Mated pairs of an indoor optical patch, one at each end."""
OPTICS = ("", "copper", "direct_detect", "coherent")
"""Technologies of transceivers, by index; the first is a link without one."""
LIMITS = ("line rate", "transceiver mode", "dark", "buffer", "loss", "reach", "network cards")
"""What holds a direction of a link below its nominal capacity, by index."""
LINE_RATE, MODE, DARK, BUFFER, LOSS, REACH, CARDS = range(7)


@dataclass(frozen=True, eq=False)
class LinkHealth:
    """Columns by link (L), or by arc (2L: link 2l forward, 2l + 1 back). NaN where a notion does not apply.

    `arc_*_gbps` are of all members together; `member_gbps` is one member's light.
    """

    lit: Bools
    optics: Ints
    loss_db: Floats
    received_dbm: Floats
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
    losses, multiplexers at both ends. Margins: direct detection by loss budget; unamplified coherent by received power
    and transmitter OSNR, both in 0.1 nm. A coherent channel runs at its fastest mode with margin, or is dark.
    """
    reader = reader.fresh()
    loss_db = link_loss_db(state, reader, ageing)
    light = _light(state, reader, loss_db, ageing)
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
        optics=_optics(state, reader),
        loss_db=loss_db,
        received_dbm=light.received_dbm,
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


def link_loss_db(state: State, reader: FigureReader, ageing: AgeingCase) -> Floats:
    """Loss from transmitter to receiver of every link, dB.

    Cuts come at a steady rate per km and year and leave two splices each; attenuation grows by a share of its first
    value a year. Both are models with a low, central and high case, the least certain part of the answer.
    """
    n_links = state.arrays.n_links
    loss = np.zeros(n_links)
    if len(state["span_length_km"]):
        age = np.maximum(np.nan_to_num(state["span_age_years"]), 0.0)
        attenuation = reader.by_code(state.parts, state["span_fibre"], "attenuation_db_per_km", "fibre")
        growth = reader.general("attenuation_growth_ratio_per_year", ageing)
        cuts = reader.general("n_cuts_per_km_year", ageing) * state["span_length_km"] * age
        splices = state["span_n_splices"] + cuts * reader.general("n_splices_per_cut")
        span_db = (
            state["span_length_km"] * attenuation * (1.0 + growth * age)
            + splices * reader.general("splice_db")
            + state["span_n_connectors"] * reader.general("connector_db")
            + state["span_lumped_loss_db"]
        )
        loss += np.bincount(state["span_link"], weights=span_db, minlength=n_links)
    mux_db = reader.by_code(state.parts, state["link_mux"], "loss_db", "mux")
    loss += 2.0 * np.nan_to_num(mux_db)
    patch = (np.diff(state["span_first"]) == 0) & (_optics(state, reader) >= OPTICS.index("direct_detect"))
    if patch.any():
        loss[patch] += N_PATCH_CONNECTORS * reader.general("connector_db")
    return loss


def _optics(state: State, reader: FigureReader) -> Ints:
    table = np.zeros(len(state.parts) + 1, dtype=np.int64)
    for code in np.unique(state["link_transceiver"]):
        if code >= 0:
            table[code] = OPTICS.index(reader.catalogue.get(state.parts[code]).optics or "")
    return np.asarray(table[state["link_transceiver"]])


@dataclass(frozen=True, eq=False)
class _Light:
    received_dbm: Floats
    margin_db: Floats
    member_gbps: Floats
    loss_ratio: Floats
    limit: Ints


def _light(state: State, reader: FigureReader, loss_db: Floats, ageing: AgeingCase) -> _Light:
    n_links = state.arrays.n_links
    nominal = state["link_capacity_gbps"]
    out = _Light(
        np.full(n_links, np.nan),
        np.full(n_links, np.nan),
        np.where(np.isnan(nominal), DEFAULT_CAPACITY_GBPS, nominal),
        np.zeros(n_links),
        np.zeros(n_links, dtype=np.int64),
    )
    codes = state["link_transceiver"]
    droop = reader.general("laser_droop_db_per_year", ageing) if (codes >= 0).any() else 0.0
    age = np.maximum(np.nan_to_num(state["link_age_years"]), 0.0)
    dispersion = _dispersion_ps_per_nm(state, reader)
    for code in np.unique(codes[codes >= 0]):
        rows = np.flatnonzero(codes == code)
        part = reader.catalogue.get(state.parts[code])
        rate = reader.part(part.id, "rate_gbps")
        port = np.where(np.isnan(nominal[rows]), rate, nominal[rows])
        out.member_gbps[rows] = np.minimum(port, rate)
        if part.optics == "coherent":
            light_db = loss_db[rows] + droop * age[rows]
            _judge_coherent(out, rows, part.id, reader, light_db, port, dispersion[rows])
        elif part.optics == "direct_detect":
            length_km = state.arrays.link_length_km[rows]
            _judge_direct(out, rows, part.id, reader, loss_db[rows] + droop * age[rows], length_km)
        elif part.optics == "copper":
            beyond = state.arrays.link_length_km[rows] * 1e3 > reader.part(part.id, "reach_m")
            out.limit[rows] = np.where(beyond, REACH, LINE_RATE)
            out.member_gbps[rows] = np.where(beyond, 0.0, out.member_gbps[rows])
    return out


def _dispersion_ps_per_nm(state: State, reader: FigureReader) -> Floats:
    """Accumulated chromatic dispersion of each link."""
    per_km = reader.by_code(state.parts, state["span_fibre"], "dispersion_ps_per_nm_km", "fibre")
    total = np.bincount(state["span_link"], weights=per_km * state["span_length_km"], minlength=state.arrays.n_links)
    return np.asarray(total, dtype=np.float64)


def _judge_coherent(
    out: _Light,
    rows: Ints,
    part_id: str,
    reader: FigureReader,
    loss_db: Floats,
    port_gbps: Floats,
    dispersion_ps_per_nm: Floats,
) -> None:
    """Unamplified coherent channel: 1/SNR = 1/OSNR_tx + 1/SNR_rx, SNR_rx = its value at 0 dBm plus received power.

    It runs at the slowest mode that fills its port, or, where that has no margin, at the fastest below it that has.
    The margin is to the mode's SNR or the receiver's highest power, whichever is less (its lowest is in the SNR); too
    much dispersion is out of reach.

    The receiver's curve is drawn through two points of a 400ZR data sheet (Huawei 02313LHH): nothing checks it.
    """
    received = reader.part(part_id, "launch_dbm") - loss_db
    snr = 10.0 ** (-(reader.part(part_id, "receiver_snr_at_0dbm_db") + received) / 10.0)
    tx_osnr_db = reader.part_or(part_id, "tx_osnr_db", np.inf)
    snr_db = -10.0 * np.log10(snr + 10.0 ** (-tx_osnr_db / 10.0))
    overload_db = reader.part_or(part_id, "rx_max_dbm", np.inf) - received
    beyond = dispersion_ps_per_nm > reader.part_or(part_id, "max_dispersion_ps_per_nm", np.inf)
    modes = reader.catalogue.get(part_id).modes
    margin = np.full(len(rows), np.nan)
    rate = np.zeros(len(rows))
    for mode in modes:
        reader.used[part_id, f"required_snr_db at {mode.rate_gbps:g}G"] = Lean.of(
            part_id, f"required_snr_db at {mode.rate_gbps:g}G", mode.required_snr_db
        )
        here = np.minimum(snr_db - mode.required_snr_db.value, overload_db)
        slower = max((other.rate_gbps for other in modes if other.rate_gbps < mode.rate_gbps), default=0.0)
        takes = (rate == 0) & (here >= 0) & (port_gbps > slower)
        rate[takes] = mode.rate_gbps
        margin[takes] = here[takes]
    dark = rate == 0
    slowest = modes[-1].required_snr_db.value
    margin[dark] = np.minimum(snr_db - slowest, overload_db)[dark]
    out.received_dbm[rows] = received
    out.margin_db[rows] = margin
    out.limit[rows] = np.where(rate < np.minimum(port_gbps, modes[0].rate_gbps), MODE, LINE_RATE)
    out.limit[rows] = np.where(beyond, REACH, out.limit[rows])
    out.member_gbps[rows] = np.where(beyond, 0.0, np.minimum(port_gbps, rate))


def _judge_direct(
    out: _Light, rows: Ints, part_id: str, reader: FigureReader, loss_db: Floats, length_km: Floats
) -> None:
    margin = reader.part(part_id, "loss_budget_db") - loss_db
    beyond = length_km > reader.part(part_id, "reach_km")
    out.received_dbm[rows] = reader.part(part_id, "launch_dbm") - loss_db
    out.margin_db[rows] = margin
    fec = reader.catalogue.get(part_id).fec
    if fec is not None:
        margins, rows_of = np.unique(margin, return_inverse=True)
        loss = frame_loss_ratio(margins, reader.part(fec, "threshold_ber_ratio"), *FEC_CODES[fec])[rows_of]
        out.loss_ratio[rows] = loss
        out.member_gbps[rows] = np.where((loss > 0.5) | beyond, 0.0, out.member_gbps[rows])
    out.limit[rows] = np.where(beyond, REACH, out.limit[rows])


FEC_CODES = {"KP4": (544, 15), "KR4": (528, 7)}
"""Symbols of a codeword and how many of them are corrected (Intel AN-846, 5.2 and 5.3)."""
SYMBOL_BITS, CODEWORDS_PER_FRAME = 10, 8


def frame_loss_ratio(
    margin_db: Floats, threshold_ber_ratio: float, n_symbols: int = 544, n_corrected: int = 15
) -> npt.NDArray[np.float64]:
    """Share of 4 KB frames lost behind a Reed-Solomon code (KP4 unless told), at a margin to the optics' budget.

    Random errors only; bursts are worse.

    At zero margin the bit error ratio is the code's threshold; the Q factor of a thermal-noise limited receiver
    follows the received power. Codeword failure of KP4 = I_ps(16, 529), p_s = 1 - (1 - BER)^10 (Intel AN-846, 5.3).
    """
    q_at_zero = np.sqrt(2.0) * erfcinv(2.0 * threshold_ber_ratio)
    q = q_at_zero * 10.0 ** (np.clip(margin_db, -60.0, 30.0) / 10.0)
    ber = 0.5 * erfc(q / np.sqrt(2.0))
    symbol = -np.expm1(SYMBOL_BITS * np.log1p(-ber))
    codeword = betainc(n_corrected + 1, n_symbols - n_corrected, symbol)
    return np.asarray(-np.expm1(CODEWORDS_PER_FRAME * np.log1p(-np.minimum(codeword, 1.0 - 1e-15))))


def _latency(state: State, reader: FigureReader) -> tuple[Floats, Floats, Floats]:
    """Propagation and FEC by link, and the passage of the switch that an arc leads to."""
    n_links = state.arrays.n_links
    propagation = np.zeros(n_links)
    if len(state["span_length_km"]):
        index = reader.by_code(state.parts, state["span_fibre"], "group_index_ratio", "fibre")
        span_us = state["span_length_km"] * index / SPEED_OF_LIGHT_KM_PER_S * 1e6
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
