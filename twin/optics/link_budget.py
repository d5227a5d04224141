"""What arrives at each receiver: loss budget with age, received power, SNR, margin, mode, bits and frames lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays import Floats, Ints, State
from ..catalogue import Mode, Part
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from .amplified_lines import amplified_lines, nf_growth_db, short_gain_db, unrestored_db, worst_gsnr_db
from .fec import coherent_ber_ratio, direct_ber_ratio, reed_solomon_loss_ratio, residual_loss_ratio, threshold_snr_ratio
from .fibre import SpanLoss, dispersion_ps_per_nm, pmd_squared_ps2, span_loss
from .optical_paths import OPTICS, OpticalPaths, codes_in, link_optics

N_PATCH_CONNECTORS = 2
"""Mated pairs of an indoor optical patch, one at each end."""
MAX_MODES = 8
FAINTEST_SNR_DB = -3000.0
"""Below this the noise over the signal is beyond what a float holds."""
LIMITS = (
    "line rate",
    "transceiver mode",
    "dark",
    "buffer",
    "loss",
    "reach",
    "network cards",
    "pauses",
    "congestion control",
)
"""What holds a direction of a link below its nominal capacity, by index."""
LINE_RATE, MODE, DARK, BUFFER, LOSS, REACH, CARDS, PAUSES, CONGESTION_CONTROL = range(9)


@dataclass(frozen=True, eq=False)
class LinkBudgets:
    """Columns by line (N), see `OpticalPaths`; `gbps` is 0 where there is not light enough, and NaN where
    a link states neither a rate nor a transceiver. `by_link` spreads them."""

    lines: OpticalPaths
    worst: Ints
    """Line that decides for each kind of link, int64[K]: the slowest, of these the one with the least margin."""
    spans: SpanLoss
    loss_db: Floats
    """Spans, multiplexers, protection switch or patch cords."""
    droop_db: Floats
    """What the laser has lost with age."""
    launch_dbm: Floats
    """Of the transmitter when new."""
    into_fibre_dbm: Floats
    """Power per channel into the first span."""
    correction_db: Floats
    """Received power as measured over what the model says of that day."""
    received_dbm: Floats
    dispersion_ps_per_nm: Floats
    pmd_ps: Floats
    line_gsnr_db: Floats
    """Of the worst channel of an amplified line, in 0.1 nm; NaN elsewhere."""
    snr_db: Floats
    """At a coherent receiver, in 0.1 nm."""
    mode_margin_db: Floats
    """float64[N, MAX_MODES], modes of the part from the fastest; minus infinity where dispersion or PMD forbid it."""
    mode: Ints
    """Of a coherent part, counted from its fastest; -1 where it is dark or has none."""
    margin_db: Floats
    gbps: Floats
    pre_fec_ber_ratio: Floats
    loss_ratio: Floats
    limit: Ints

    def by_link(self, column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A column by line, spread over all links."""
        return np.asarray(column[self.worst][self.lines.kind_of_link])


def compute_link_budgets(
    state: State, reader: FigureReader, lines: OpticalPaths, ageing: AgeingCase, later_years: Floats | float = 0.0
) -> LinkBudgets:
    """Light of every line, by the technology of its transceiver.

    `later_years`: how long after the state's day, a number or one for each kind of link.
    """
    later = np.broadcast_to(np.asarray(later_years, dtype=np.float64), lines.n_kinds)
    out = _dim(state, reader, lines, ageing, later)
    link = lines.link_of_path
    codes = state["link_transceiver"][link]
    stated = state["link_capacity_gbps"][link]
    length_km = lines.sum_of_spans(state["span_length_km"])
    for code in codes_in(codes, len(state.parts)):
        rows = np.flatnonzero(codes == code)
        part = reader.catalogue.get(state.parts[code])
        rate = reader.part(part.id, "rate_gbps")
        port = np.where(np.isnan(stated[rows]), rate, stated[rows])
        out.gbps[rows] = np.minimum(port, rate)
        if part.optics == "coherent":
            _judge_coherent(out, rows, part, reader, port, _runs(state, reader, part, link[rows]))
        elif part.optics == "direct_detect":
            _judge_direct(out, rows, part, reader, length_km[rows])
        elif part.optics == "copper":
            beyond = length_km[rows] * 1e3 > reader.part(part.id, "reach_m")
            out.limit[rows] = np.where(beyond, REACH, LINE_RATE)
            out.gbps[rows] = np.where(beyond, 0.0, out.gbps[rows])
    if len(lines.kind) > lines.n_kinds:
        order = np.lexsort((out.margin_db, out.gbps, lines.kind))
        out.worst[:] = order[lines.first[:-1]]
    return out


def _dim(state: State, reader: FigureReader, lines: OpticalPaths, ageing: AgeingCase, later: Floats) -> LinkBudgets:
    """Everything on the way, before any receiver is asked; lines without a transceiver are done."""
    n, link = len(lines.kind), lines.link_of_path
    way = _Way(state, reader, lines, ageing)
    spans, short_db, droop_db, received = way.received(later)
    growth = nf_growth_db(state, reader, ageing, lines.of_spans(later))
    gsnr = worst_gsnr_db(state, reader, lines, spans, short_db, growth, way.into_fibre_dbm(droop_db))
    correction = np.zeros(n)
    since = state["link_measured_years"][lines.link]
    if not np.isnan(since).all():
        measured = state["link_measured_received_dbm"][link] - way.received(np.nan_to_num(-since))[-1]
        first = np.arange(n) == lines.first[lines.kind]
        correction = np.where(first & ~np.isnan(measured), np.nan_to_num(measured), 0.0)
    nominal = state["link_capacity_gbps"][link]
    nan = np.full(n, np.nan)
    return LinkBudgets(
        lines=lines,
        worst=lines.first[:-1].copy(),
        spans=spans,
        loss_db=lines.sum_of_spans(spans.total_db) + way.ends_db,
        droop_db=droop_db,
        launch_dbm=way.launch_dbm,
        into_fibre_dbm=way.into_fibre_dbm(droop_db),
        correction_db=correction,
        received_dbm=received + correction,
        dispersion_ps_per_nm=lines.sum_of_spans(dispersion_ps_per_nm(state, reader)),
        pmd_ps=np.sqrt(lines.sum_of_spans(pmd_squared_ps2(state, reader))),
        line_gsnr_db=gsnr,
        snr_db=nan.copy(),
        mode_margin_db=np.full((n, MAX_MODES), np.nan),
        mode=np.full(n, -1),
        margin_db=nan.copy(),
        gbps=nominal.copy(),
        pre_fec_ber_ratio=nan.copy(),
        loss_ratio=np.zeros(n),
        limit=np.zeros(n, dtype=np.int64),
    )


def as_it_stands(
    state: State, reader: FigureReader, lines: OpticalPaths, ageing: AgeingCase
) -> tuple[SpanLoss, Floats]:
    """(loss of spans, power per channel into the first span of each line) today, without asking any receiver."""
    way = _Way(state, reader, lines, ageing)
    spans, _, droop_db, _ = way.received(np.zeros(lines.n_kinds))
    return spans, way.into_fibre_dbm(droop_db)


class _Way:
    """What light meets between transmitter and receiver of each line, at any time."""

    def __init__(self, state: State, reader: FigureReader, lines: OpticalPaths, ageing: AgeingCase) -> None:
        self._state, self._reader, self._lines, self._ageing = state, reader, lines, ageing
        link = lines.link_of_path
        part = state["link_transceiver"][link]
        self.launch_dbm = reader.by_code(state.parts, part, "launch_dbm", "transceiver")
        self._has_laser = link_optics(state, reader, link) >= OPTICS.index("direct_detect")
        self.ends_db = self._ends_db(link)
        """Multiplexers and protection switch of both ends, or patch cords where there are no spans."""
        self.stated_dbm = state["link_launch_dbm"][link]
        self._droop = reader.general("laser_droop_db_per_year", ageing) if self._has_laser.any() else 0.0
        self._boosted = np.zeros(len(lines.kind), dtype=np.bool_)
        self._boosted[amplified_lines(state, lines)] = True

    def received(self, later: Floats) -> tuple[SpanLoss, Floats, Floats, Floats]:
        """(loss of spans, gain that amplifiers lack, droop of lasers, power at the receiver by the model).

        `later`: years by kind of link.
        """
        lines = self._lines
        spans = span_loss(self._state, self._reader, self._ageing, lines.of_spans(later))
        droop_db = np.where(self._has_laser, self._droop * self._transmitter_age(later), 0.0)
        short_db = short_gain_db(self._state, self._reader, lines, spans)
        lost_db = unrestored_db(self._state, lines, spans, short_db)
        return spans, short_db, droop_db, self.into_fibre_dbm(droop_db) - self.ends_db / 2.0 - lost_db

    def into_fibre_dbm(self, droop_db: Floats) -> Floats:
        """Power per channel into the first span: as stated, or the transmitter's behind one end's parts.

        A booster holds what is stated; without amplifiers it droops with the laser.
        """
        stated = self.stated_dbm - np.where(self._boosted, 0.0, droop_db)
        return np.where(np.isnan(stated), self.launch_dbm - droop_db - self.ends_db / 2.0, stated)

    def _transmitter_age(self, later: Floats) -> Floats:
        """Years of each line's transmitter; without a date it ages from the day its power was measured."""
        state, link = self._state, self._lines.link_of_path
        fitted, since = state["link_age_years"][link], state["link_measured_years"][link]
        later = later[self._lines.kind]
        known = np.where(np.isnan(fitted), since, fitted)
        return np.where(np.isnan(known), 0.0, np.maximum(np.nan_to_num(known + later), 0.0))

    def _ends_db(self, link: Ints) -> Floats:
        state, reader, lines = self._state, self._reader, self._lines
        ends_db = 2.0 * reader.by_code(state.parts, state["link_mux"][link], "loss_db", "mux", 0.0)
        protection = state["link_protection"][link]
        ends_db += reader.by_code(state.parts, protection, "loss_db", "protection", 0.0)
        patch = self._has_laser & (lines.span_first == lines.span_last)
        if patch.any():
            ends_db[patch] += N_PATCH_CONNECTORS * reader.general("connector_db")
        return np.asarray(ends_db)


def _runs(state: State, reader: FigureReader, part: Part, links: Ints) -> npt.NDArray[np.bool_]:
    """bool[links, modes]: modes whose rate, where it is below the port's, the ports at both ends can run."""
    runs = np.ones((len(links), len(part.modes)), dtype=np.bool_)
    for code in codes_in(state["node_part"][state["link_ends"][links]].ravel(), len(state.parts)):
        rates = reader.catalogue.get(state.parts[code]).port_rates_gbps
        if rates:
            ends = (state["node_part"][state["link_ends"][links]] == code).any(axis=1)
            runs[ends] &= [mode.rate_gbps in rates or mode.rate_gbps > max(rates) for mode in part.modes]
    return runs


def _judge_coherent(
    out: LinkBudgets, rows: Ints, part: Part, reader: FigureReader, port_gbps: Floats, runs: npt.NDArray[np.bool_]
) -> None:
    """Coherent channel: 1/SNR = 1/OSNR_tx + 1/SNR_rx + 1/GSNR of an amplified line; SNR_rx grows with received power.

    It runs at the slowest mode that fills its port, or, where that has no margin, at the fastest below it that has and
    that both ports run. The margin is to the mode's SNR and its penalties for dispersion and PMD, or to the receiver's
    highest power, whichever is less (its lowest is in the SNR).

    The receiver's curve is drawn through two points of a 400ZR data sheet (Huawei 02313LHH): nothing checks it.
    """
    received = out.received_dbm[rows]
    line = np.nan_to_num(10.0 ** (-out.line_gsnr_db[rows] / 10.0))
    receiver_db = reader.part(part.id, "receiver_snr_at_0dbm_db") + received
    snr = line + 10.0 ** (np.maximum(receiver_db, FAINTEST_SNR_DB) / -10.0)
    snr_db = -10.0 * np.log10(snr + 10.0 ** (-reader.part_or(part.id, "tx_osnr_db", np.inf) / 10.0))
    overload_db = reader.part_or(part.id, "rx_max_dbm", np.inf) - received
    cd, pmd = out.dispersion_ps_per_nm[rows], out.pmd_ps[rows]
    beyond = cd > reader.part_or(part.id, "max_dispersion_ps_per_nm", np.inf)
    beyond |= pmd > reader.part_or(part.id, "max_pmd_ps", np.inf)
    rate, chosen, slowest = np.zeros(len(rows)), np.full(len(rows), -1), np.full(len(rows), len(part.modes) - 1)
    for i, mode in enumerate(part.modes):
        name = f"required_snr_db at {mode.rate_gbps:g}G"
        reader.note(part.id, name, mode.required_snr_db)
        penalty_db = penalty_of(mode, "dispersion_ps_per_nm", cd) + penalty_of(mode, "pmd_ps", pmd)
        here = np.minimum(snr_db - mode.required_snr_db.value - penalty_db, overload_db)
        here = np.where(beyond, -np.inf, here)
        out.mode_margin_db[rows, i] = here
        slower = max((other.rate_gbps for other in part.modes if other.rate_gbps < mode.rate_gbps), default=0.0)
        can = runs[:, i] | (port_gbps < mode.rate_gbps)
        takes = (chosen < 0) & (here >= 0) & (port_gbps > slower) & can
        rate[takes], chosen[takes], slowest[can] = mode.rate_gbps, i, i
    out.snr_db[rows] = snr_db
    _settle_coherent(out, rows, part, reader, port_gbps, rate, np.where(chosen < 0, slowest, chosen))


def _settle_coherent(
    out: LinkBudgets, rows: Ints, part: Part, reader: FigureReader, port_gbps: Floats, rate: Floats, shown: Ints
) -> None:
    """Margin, rate, errors and limit at the mode shown: the one chosen, of a dark channel the slowest its ports run."""
    margins = out.mode_margin_db[rows, : len(part.modes)]
    margin = np.take_along_axis(margins, shown[:, None], axis=1)[:, 0]
    reachable = np.isfinite(margins).any(axis=1)
    out.margin_db[rows] = np.where(np.isfinite(margin), margin, np.nan)
    slowed = rate < np.minimum(port_gbps, part.modes[0].rate_gbps)
    out.limit[rows] = np.where(reachable, np.where(slowed, MODE, LINE_RATE), REACH)
    out.gbps[rows], out.mode[rows] = np.minimum(port_gbps, rate), np.where(rate > 0, shown, -1)
    if part.fec is None:
        return
    threshold = reader.part(part.fec, "threshold_ber_ratio")
    for i, mode in enumerate(part.modes):
        at = rows[shown == i]
        snr = threshold_snr_ratio(mode.modulation, threshold) * 10.0 ** (out.margin_db[at] / 10.0)
        out.pre_fec_ber_ratio[at] = coherent_ber_ratio(snr, mode.modulation)
    residual = residual_loss_ratio(reader.general("coherent_residual_ber_ratio"))
    out.loss_ratio[rows] = np.where(rate > 0, residual, 1.0)


def penalty_of(mode: Mode, impairment: str, amount: Floats) -> Floats:
    """dB that a mode loses to an impairment: linear between the points its part states, infinite beyond the last."""
    points = [(p.at, p.penalty_db.value) for p in mode.penalties if p.impairment == impairment]
    if not points:
        return np.zeros(len(amount))
    if points[0][0] > 0:
        points = [(0.0, 0.0), *points]
    at, penalty_db = np.array(points).T
    return np.where(amount > at[-1], np.inf, np.interp(amount, at, penalty_db))


def _judge_direct(out: LinkBudgets, rows: Ints, part: Part, reader: FigureReader, length_km: Floats) -> None:
    """Direct detection: margin of the loss budget, against which droop and what was measured count, and KP4's or KR4's
    errors at that margin; the receiver's highest power where the part states it."""
    margin = reader.part(part.id, "loss_budget_db") - out.loss_db[rows] - out.droop_db[rows] + out.correction_db[rows]
    margin = np.minimum(margin, reader.part_or(part.id, "rx_max_dbm", np.inf) - out.received_dbm[rows])
    beyond = length_km > reader.part(part.id, "reach_km")
    out.margin_db[rows] = margin
    if part.fec is not None:
        ber = direct_ber_ratio(margin, reader.part(part.fec, "threshold_ber_ratio"))
        loss = reed_solomon_loss_ratio(ber, part.fec)
        out.pre_fec_ber_ratio[rows], out.loss_ratio[rows] = ber, loss
        out.gbps[rows] = np.where((loss > 0.5) | beyond, 0.0, out.gbps[rows])
    out.limit[rows] = np.where(beyond, REACH, out.limit[rows])
