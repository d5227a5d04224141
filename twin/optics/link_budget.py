"""Link budgets: loss, received power, SNR, margin, mode and errors at the receiver of each optical path."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays import Bools, Floats, Ints, State
from ..arrays.node_ports import stated_gbps
from ..catalogue import Mode, Part
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from .amplification import Amplification
from .amplified_lines import noise_growth, worst_gsnr_db
from .fec import coherent_ber_ratio, direct_ber_ratio, reed_solomon_loss_ratio, residual_loss_ratio, threshold_snr_ratio
from .fibre import SpanLoss, dispersion_ps_per_nm, pmd_squared_ps2
from .optical_paths import OpticalPaths, codes_in
from .power_budget import PowerBudget

MAX_MODES = 8
MIN_SNR_DB = -3000.0
"""Below this the ratio of noise to signal exceeds what a float holds."""
LIMITS = (
    "line rate",
    "transceiver mode",
    "link down",
    "buffer",
    "loss",
    "reach",
    "network cards",
    "pauses",
    "congestion control",
    "rate unknown",
)
"""Reasons why a direction of a link carries less than its nominal capacity, by index."""
LINE_RATE, MODE, DOWN, BUFFER, LOSS, REACH, CARDS, PAUSES, CONGESTION_CONTROL, RATE_UNKNOWN = range(10)


@dataclass(frozen=True, eq=False)
class LinkBudgets:
    """Columns by optical path (N), see `OpticalPaths`. `by_link` spreads a column over the links.

    `rate_gbps` is 0 where the receiver gets too little power or too much. It is unknown, NaN, as is the margin, where a
    path passes a ROADM.
    """

    paths: OpticalPaths
    worst_path: Ints
    """Path that decides for each kind of link, int64[K]: the slowest; of equals the one with the least margin."""
    spans: SpanLoss
    loss_db: Floats
    """Loss of spans, multiplexers, and protection switch or patch cords."""
    droop_db: Floats
    """Transmit power that the laser has lost with age."""
    launch_dbm: Floats
    """Power of the transmitter when new."""
    amplification: Amplification
    """Boosters and amplifiers."""
    correction_db: Floats
    """Measured received power minus the modelled power on the day of the measurement."""
    received_dbm: Floats
    dispersion_ps_per_nm: Floats
    pmd_ps: Floats
    line_gsnr_db: Floats
    """GSNR of the worst channel of an amplified path, noise in 0.1 nm; NaN for other paths."""
    snr_db: Floats
    """SNR at a coherent receiver, noise in 0.1 nm."""
    mode_margin_db: Floats
    """float64[N, MAX_MODES], modes of the part from the fastest; minus infinity where dispersion or PMD exclude it."""
    mode: Ints
    """Mode of a coherent part, counted from its fastest; -1 where the path is down or has no modes."""
    margin_db: Floats
    """Margin of the SNR at the mode in use, or of the loss budget."""
    receiver_headroom_db: Floats
    """Greatest power that the receiver bears minus the received power; NaN where the part states none."""
    rate_gbps: Floats
    pre_fec_ber_ratio: Floats
    loss_ratio: Floats
    limit: Ints
    """Index into LIMITS."""

    @property
    def into_fibre_dbm(self) -> Floats:
        """Power per channel into the first span."""
        return self.amplification.into_fibre_dbm

    @cached_property
    def member_gbps(self) -> Floats:
        """Line rate of one member of each link, float64[n_links], read-only; NaN where unknown."""
        out = self.by_link(self.rate_gbps)
        out.flags.writeable = False
        return out

    def by_link(self, column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Spread a column by path over all links; each link takes the value of its worst path."""
        return np.asarray(column[self.worst_path][self.paths.kind_of_link])


def compute_link_budgets(
    state: State, reader: FigureReader, paths: OpticalPaths, ageing: AgeingCase, later_years: Floats | float = 0.0
) -> LinkBudgets:
    """Compute the link budget of every optical path, by the technology of its transceiver.

    Args:
        state: columns of the network.
        reader: source of figures.
        paths: optical paths of the links.
        ageing: low, central or high case of the ageing figures.
        later_years: years after the day of the state: a number, or float64[K], one for each kind of link.

    Returns:
        The budgets, one row for each path.
    """
    later = np.broadcast_to(np.asarray(later_years, dtype=np.float64), paths.n_kinds)
    budgets = _budgets_before_receivers(state, reader, paths, ageing, later)
    link = paths.link_of_path
    codes = state["link_transceiver"][link]
    rate_stated_gbps = budgets.rate_gbps.copy()  # as stated, until a transceiver limits it below
    length_km = paths.sum_over_spans(state["span_length_km"])
    for code in codes_in(codes, len(state.parts)):
        rows = np.flatnonzero(codes == code)
        part = reader.catalogue.get(state.parts[code])
        part_gbps = reader.part(part.id, "rate_gbps")
        port_gbps = np.where(np.isnan(rate_stated_gbps[rows]), part_gbps, rate_stated_gbps[rows])
        budgets.rate_gbps[rows] = np.minimum(port_gbps, part_gbps)
        if part.optics == "coherent":
            supported = _supported_modes(state, reader, part, link[rows])
            _fill_coherent(budgets, rows, part, reader, port_gbps, supported)
        elif part.optics == "direct_detect":
            _fill_direct(budgets, rows, part, reader, length_km[rows])
    _forget_roadms(budgets, state["link_at_roadm"][link] & (codes >= 0))
    if len(paths.kind_of_path) > paths.n_kinds:
        order = np.lexsort((budgets.margin_db, budgets.rate_gbps, paths.kind_of_path))
        budgets.worst_path[:] = order[paths.first_path[:-1]]
    return budgets


def _forget_roadms(budgets: LinkBudgets, passed: Bools) -> None:
    """Clear what is not modelled: the receiver of a path that passes a ROADM is not at the end of this link."""
    for column in (
        budgets.margin_db,
        budgets.receiver_headroom_db,
        budgets.rate_gbps,
        budgets.snr_db,
        budgets.pre_fec_ber_ratio,
    ):
        column[passed] = np.nan
    budgets.mode_margin_db[passed] = np.nan
    budgets.mode[passed], budgets.loss_ratio[passed], budgets.limit[passed] = -1, 0.0, 0


def _budgets_before_receivers(
    state: State, reader: FigureReader, paths: OpticalPaths, ageing: AgeingCase, later: Floats
) -> LinkBudgets:
    """Budgets up to the receiver; its own columns stay at their defaults, final for paths without a transceiver."""
    n, link = len(paths.kind_of_path), paths.link_of_path
    power = PowerBudget(state, reader, paths, ageing)
    spans, droop_db, amplification, received_dbm = power.received(later)
    growth = noise_growth(state, reader, paths, ageing, later)
    gsnr_db = worst_gsnr_db(state, reader, paths, spans, amplification, growth)
    correction_db = np.zeros(n)
    since = state["link_measured_years"][paths.link_of_kind]
    if not np.isnan(since).all():
        difference_db = state["link_measured_received_dbm"][link] - power.received(np.nan_to_num(-since)).received_dbm
        is_first = np.arange(n) == paths.first_path[paths.kind_of_path]
        correction_db = np.where(is_first & ~np.isnan(difference_db), np.nan_to_num(difference_db), 0.0)
    nominal_gbps = stated_gbps(state, reader)[link]
    nan = np.full(n, np.nan)
    return LinkBudgets(
        paths=paths,
        worst_path=paths.first_path[:-1].copy(),
        spans=spans,
        loss_db=paths.sum_over_spans(spans.total_db) + power.terminal_loss_db,
        droop_db=droop_db,
        launch_dbm=power.launch_dbm,
        amplification=amplification,
        correction_db=correction_db,
        received_dbm=received_dbm + correction_db,
        dispersion_ps_per_nm=paths.sum_over_spans(dispersion_ps_per_nm(state, reader)),
        pmd_ps=np.sqrt(paths.sum_over_spans(pmd_squared_ps2(state, reader))),
        line_gsnr_db=gsnr_db,
        snr_db=nan.copy(),
        mode_margin_db=np.full((n, MAX_MODES), np.nan),
        mode=np.full(n, -1),
        margin_db=nan.copy(),
        receiver_headroom_db=nan.copy(),
        rate_gbps=nominal_gbps.copy(),
        pre_fec_ber_ratio=nan.copy(),
        loss_ratio=np.zeros(n),
        limit=np.zeros(n, dtype=np.int64),
    )


def _supported_modes(state: State, reader: FigureReader, part: Part, links: Ints) -> Bools:
    """bool[links, modes]: modes that the ports at both ends support; modes faster than every port always count."""
    supported = np.ones((len(links), len(part.modes)), dtype=np.bool_)
    for code in codes_in(state["node_part"][state["link_ends"][links]].ravel(), len(state.parts)):
        rates = reader.catalogue.get(state.parts[code]).port_rates_gbps
        if rates:
            at_switch = (state["node_part"][state["link_ends"][links]] == code).any(axis=1)
            supported[at_switch] &= [mode.rate_gbps in rates or mode.rate_gbps > max(rates) for mode in part.modes]
    return supported


def _fill_coherent(
    budgets: LinkBudgets, rows: Ints, part: Part, reader: FigureReader, port_gbps: Floats, supported: Bools
) -> None:
    """Coherent channel: 1/SNR = 1/OSNR_tx + 1/SNR_rx + 1/GSNR of an amplified path; SNR_rx grows with received power.

    It runs at the slowest mode that fills its port. Where that mode has no margin, it runs at the fastest slower mode
    that has margin and that both ports support. The margin is to the mode's SNR with its penalties for dispersion and
    PMD, whose limits are those of the mode, else of the part. The receiver's minimum power is part of the SNR. Beyond
    its maximum power no mode works.

    Source: the receiver curve passes through two points of a 400ZR data sheet (Huawei 02313LHH); nothing checks it.
    """
    received_dbm = budgets.received_dbm[rows]
    line_noise = np.nan_to_num(10.0 ** (-budgets.line_gsnr_db[rows] / 10.0))
    receiver_db = reader.part(part.id, "receiver_snr_at_0dbm_db") + received_dbm
    noise = line_noise + 10.0 ** (np.maximum(receiver_db, MIN_SNR_DB) / -10.0)
    snr_db = -10.0 * np.log10(noise + 10.0 ** (-reader.part_or(part.id, "tx_osnr_db", np.inf) / 10.0))
    headroom_db = _receiver_headroom(budgets, rows, part, reader)
    cd_ps_per_nm, pmd_ps = budgets.dispersion_ps_per_nm[rows], budgets.pmd_ps[rows]
    mode_gbps, chosen = np.zeros(len(rows)), np.full(len(rows), -1)
    slowest = np.full(len(rows), len(part.modes) - 1)
    for i, mode in enumerate(part.modes):
        required_snr_db = reader.note(part.id, f"required_snr_db at {mode.rate_gbps:g}G", mode.required_snr_db)
        penalty_db = mode_penalty_db(mode, "dispersion_ps_per_nm", cd_ps_per_nm)
        penalty_db = penalty_db + mode_penalty_db(mode, "pmd_ps", pmd_ps)
        excluded = _beyond_part(reader, part, mode, "dispersion_ps_per_nm", cd_ps_per_nm)
        excluded |= _beyond_part(reader, part, mode, "pmd_ps", pmd_ps)
        margin_db = np.where(excluded, -np.inf, snr_db - required_snr_db - penalty_db)
        budgets.mode_margin_db[rows, i] = margin_db
        next_gbps = max((slower.rate_gbps for slower in part.modes if slower.rate_gbps < mode.rate_gbps), default=0.0)
        usable = supported[:, i] | (port_gbps < mode.rate_gbps)
        selected = (chosen < 0) & (margin_db >= 0) & ~(headroom_db < 0) & (port_gbps > next_gbps) & usable
        mode_gbps[selected], chosen[selected], slowest[usable] = mode.rate_gbps, i, i
    budgets.snr_db[rows] = snr_db
    _fill_mode(budgets, rows, part, reader, port_gbps, mode_gbps, np.where(chosen < 0, slowest, chosen))


def _receiver_headroom(budgets: LinkBudgets, rows: Ints, part: Part, reader: FigureReader) -> Floats:
    """Fill in and return the power below the receiver's maximum; NaN for a part that states none."""
    headroom_db = reader.part_or(part.id, "rx_max_dbm", np.nan) - budgets.received_dbm[rows]
    budgets.receiver_headroom_db[rows] = headroom_db
    return headroom_db


def _beyond_part(reader: FigureReader, part: Part, mode: Mode, impairment: str, amount: Floats) -> Bools:
    """Tell where an impairment exceeds the part's limit, for a mode that states no limit of its own."""
    if any(point.impairment == impairment for point in mode.penalties):
        return np.zeros(len(amount), dtype=np.bool_)
    return np.asarray(amount > reader.part_or(part.id, f"max_{impairment}", np.inf))


def _fill_mode(
    budgets: LinkBudgets,
    rows: Ints,
    part: Part,
    reader: FigureReader,
    port_gbps: Floats,
    mode_gbps: Floats,
    reported: Ints,
) -> None:
    """Margin, rate, errors and limit at the reported mode: the chosen one; if down, the slowest usable one."""
    margins_db = budgets.mode_margin_db[rows, : len(part.modes)]
    margin_db = np.take_along_axis(margins_db, reported[:, None], axis=1)[:, 0]
    within_reach = np.isfinite(margins_db).any(axis=1)
    budgets.margin_db[rows] = np.where(np.isfinite(margin_db), margin_db, np.nan)
    slowed = mode_gbps < np.minimum(port_gbps, part.modes[0].rate_gbps)
    budgets.limit[rows] = np.where(within_reach, np.where(slowed, MODE, LINE_RATE), REACH)
    budgets.rate_gbps[rows] = np.minimum(port_gbps, mode_gbps)
    budgets.mode[rows] = np.where(mode_gbps > 0, reported, -1)
    if part.fec is None:
        return
    threshold_ber_ratio = reader.part(part.fec, "threshold_ber_ratio")
    for i, mode in enumerate(part.modes):
        in_mode = rows[reported == i]
        snr = threshold_snr_ratio(mode.modulation, threshold_ber_ratio) * 10.0 ** (budgets.margin_db[in_mode] / 10.0)
        budgets.pre_fec_ber_ratio[in_mode] = coherent_ber_ratio(snr, mode.modulation)
    residual_ratio = residual_loss_ratio(reader.general("coherent_residual_ber_ratio"))
    budgets.loss_ratio[rows] = np.where(mode_gbps > 0, residual_ratio, 1.0)


def mode_penalty_db(mode: Mode, impairment: str, amount: Floats) -> Floats:
    """Compute the SNR penalty of a mode for an impairment.

    Args:
        mode: a mode with the penalty points that its part states.
        impairment: name of the impairment, its unit included.
        amount: size of the impairment, float64[n].

    Returns:
        dB, float64[n]: linear between the stated points, infinite beyond the last one.
    """
    points = [(p.at, p.penalty_db.value) for p in mode.penalties if p.impairment == impairment]
    if not points:
        return np.zeros(len(amount))
    if points[0][0] > 0:
        points = [(0.0, 0.0), *points]
    at, penalty_db = np.array(points).T
    return np.where(amount > at[-1], np.inf, np.interp(amount, at, penalty_db))


def _fill_direct(budgets: LinkBudgets, rows: Ints, part: Part, reader: FigureReader, length_km: Floats) -> None:
    """Direct detection: the margin of the loss budget, and the errors of KP4 or KR4 at that margin.

    Laser droop and the measured correction count against the budget. More than the receiver's maximum power, if it is
    stated, takes the path down.
    """
    loss_db, droop_db = budgets.loss_db[rows], budgets.droop_db[rows]
    margin_db = reader.part(part.id, "loss_budget_db") - loss_db - droop_db + budgets.correction_db[rows]
    overloaded = _receiver_headroom(budgets, rows, part, reader) < 0
    # the reach over multimode fibre depends on its grade: `scenario/cable_faults.py` checks it; here the loss counts
    reach_km = np.inf if part.medium == "multimode" else reader.part(part.id, "reach_km")
    beyond_reach = length_km > reach_km
    budgets.margin_db[rows] = margin_db
    if part.fec is None:
        budgets.loss_ratio[rows] = np.where(margin_db < 0.0, 1.0, 0.0)
        budgets.rate_gbps[rows] = np.where((margin_db < 0.0) | beyond_reach, 0.0, budgets.rate_gbps[rows])
    else:
        ber_ratio = direct_ber_ratio(margin_db, reader.part(part.fec, "threshold_ber_ratio"))
        loss_ratio = reed_solomon_loss_ratio(ber_ratio, part.fec)
        budgets.pre_fec_ber_ratio[rows], budgets.loss_ratio[rows] = ber_ratio, loss_ratio
        budgets.rate_gbps[rows] = np.where((loss_ratio > 0.5) | beyond_reach, 0.0, budgets.rate_gbps[rows])
    budgets.rate_gbps[rows[overloaded]] = 0.0
    budgets.limit[rows] = np.where(beyond_reach, REACH, budgets.limit[rows])
