"""What arrives at each receiver: loss budget with age, received power, margin, mode, frame loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, erfc, erfcinv

from ..arrays import Floats, Ints, State
from .amplified import SpanLoss, amplified_links, worst_gsnr
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


def span_loss(state: State, reader: FigureReader, ageing: AgeingCase) -> SpanLoss:
    """Loss of every span.

    Cuts come at a steady rate per km and year and leave two splices each; attenuation grows by a share of its first
    value a year. Both are models with a low, central and high case, the least certain part of the answer.
    """
    if not len(state["span_length_km"]):
        return SpanLoss(np.zeros(0), np.zeros(0), np.zeros(0))
    age = np.maximum(np.nan_to_num(state["span_age_years"]), 0.0)
    attenuation = reader.by_code(state.parts, state["span_fibre"], "attenuation_db_per_km", "fibre")
    growth = reader.general("attenuation_growth_ratio_per_year", ageing)
    cuts = reader.general("n_cuts_per_km_year", ageing) * state["span_length_km"] * age
    splices = state["span_n_splices"] + cuts * reader.general("n_splices_per_cut")
    return SpanLoss(
        glass_db_per_km=attenuation * (1.0 + growth * age),
        connectors_db=state["span_n_connectors"] * reader.general("connector_db"),
        points_db=splices * reader.general("splice_db") + state["span_lumped_loss_db"],
    )


def link_loss_db(state: State, reader: FigureReader, spans: SpanLoss) -> Floats:
    """Loss of every link: its spans, the multiplexers at both ends, and the patch cords of links without spans."""
    span_db = spans.total_db(state["span_length_km"])
    loss = np.bincount(state["span_link"], weights=span_db, minlength=state.arrays.n_links).astype(np.float64)
    loss += 2.0 * np.nan_to_num(reader.by_code(state.parts, state["link_mux"], "loss_db", "mux"))
    patch = (np.diff(state["span_first"]) == 0) & (link_optics(state, reader) >= OPTICS.index("direct_detect"))
    if patch.any():
        loss[patch] += N_PATCH_CONNECTORS * reader.general("connector_db")
    return loss


def link_optics(state: State, reader: FigureReader) -> Ints:
    """Index into OPTICS of each link."""
    table = np.zeros(len(state.parts) + 1, dtype=np.int64)
    for code in np.unique(state["link_transceiver"]):
        if code >= 0:
            table[code] = OPTICS.index(reader.catalogue.get(state.parts[code]).optics or "")
    return np.asarray(table[state["link_transceiver"]])


@dataclass(frozen=True, eq=False)
class Light:
    """Columns by link, filled technology by technology; `member_gbps` is 0 where there is not light enough."""

    received_dbm: Floats
    line_gsnr_db: Floats
    """Of the worst channel of an amplified line, in 0.1 nm; NaN elsewhere."""
    margin_db: Floats
    member_gbps: Floats
    loss_ratio: Floats
    limit: Ints


def judge_light(state: State, reader: FigureReader, spans: SpanLoss, loss_db: Floats, ageing: AgeingCase) -> Light:
    """Received power, margin, rate and frame loss of every link, by the technology of its transceiver."""
    n_links = state.arrays.n_links
    nominal = state["link_capacity_gbps"]
    out = Light(
        np.full(n_links, np.nan),
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
    out.received_dbm[:] = _amplified(out, state, reader, spans, droop * age, ageing)
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


def _amplified(
    out: Light, state: State, reader: FigureReader, spans: SpanLoss, droop_db: Floats, ageing: AgeingCase
) -> Floats:
    """Received power of links over amplifiers, NaN elsewhere; their GSNR goes into `out`."""
    received = np.full(state.arrays.n_links, np.nan)
    links = amplified_links(state)
    if not len(links):
        return received
    growth = reader.general("amplifier_nf_growth_db_per_year", ageing)
    coherent = link_optics(state, reader)[links] == OPTICS.index("coherent")
    for link in links[coherent]:
        received[link], out.line_gsnr_db[link] = worst_gsnr(
            state, reader, spans, growth, int(link), float(droop_db[link])
        )
    return received


def _dispersion_ps_per_nm(state: State, reader: FigureReader) -> Floats:
    """Accumulated chromatic dispersion of each link."""
    per_km = reader.by_code(state.parts, state["span_fibre"], "dispersion_ps_per_nm_km", "fibre")
    total = np.bincount(state["span_link"], weights=per_km * state["span_length_km"], minlength=state.arrays.n_links)
    return np.asarray(total, dtype=np.float64)


def _judge_coherent(
    out: Light,
    rows: Ints,
    part_id: str,
    reader: FigureReader,
    loss_db: Floats,
    port_gbps: Floats,
    dispersion_ps_per_nm: Floats,
) -> None:
    """Coherent channel: 1/SNR = 1/OSNR_tx + 1/SNR_rx + 1/GSNR of an amplified line; SNR_rx grows with received power.

    It runs at the slowest mode that fills its port, or, where that has no margin, at the fastest below it that has.
    The margin is to the mode's SNR or the receiver's highest power, whichever is less (its lowest is in the SNR); too
    much dispersion is out of reach.

    The receiver's curve is drawn through two points of a 400ZR data sheet (Huawei 02313LHH): nothing checks it.
    """
    amplified = ~np.isnan(out.line_gsnr_db[rows])
    received = np.where(amplified, out.received_dbm[rows], reader.part(part_id, "launch_dbm") - loss_db)
    line = np.where(amplified, 10.0 ** (-out.line_gsnr_db[rows] / 10.0), 0.0)
    snr = line + 10.0 ** (-(reader.part(part_id, "receiver_snr_at_0dbm_db") + received) / 10.0)
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
    out: Light, rows: Ints, part_id: str, reader: FigureReader, loss_db: Floats, length_km: Floats
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
