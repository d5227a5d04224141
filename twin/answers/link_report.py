"""One link explained: where its light goes, which modes it could run, its latency, its goodput, its calendar."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from ..arrays import TIERS, Floats, State, Tier
from ..catalogue import Part
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from ..optics.amplified_lines import amplified_spans, comb_of_link, gain_shortfall_db, nf_growth_db
from ..optics.gn_model import MAX_CHANNEL_DBM, best_launch_dbm, line_noise
from ..optics.link_budget import LinkBudgets, mode_penalty_db
from ..optics.link_health import LEAST_SHOWN_RATIO
from ..reliability.link_failures import link_failures, published_wan_link
from ..render import link_figure, svg_of
from ..render.numbers import cell_text, level_text
from ..stages.evaluation import Evaluation
from .data import Answer, to_data
from .forecast import Forecast
from .link_table import NOT_JUDGED, LinkDirection, link_table
from .score import html_table
from .summary_text import capacity_reason, is_not_judged, window_reason, window_share

LOWEST_LAUNCH_DBM = -20.0
NOTHING_DB = 1e-9
"""What rounding leaves of two equal powers."""


@dataclass(frozen=True, slots=True)
class BudgetStep:
    """One step of a link budget: its change, and the level after it."""

    step: str
    change_db: float | None
    """Negative where the step takes something; null where a level is given or read off."""
    level_dbm: float | None = None
    """Optical power after the step; null in the part of the budget that counts in dB."""
    level_db: float | None = None
    """Signal to noise ratio, or what is left of a loss budget."""


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """The link budget between two transponders."""

    line: str
    steps: tuple[BudgetStep, ...]


@dataclass(frozen=True, slots=True)
class ModeMargin:
    """A mode of the transceiver and its margin; null where dispersion or PMD forbid the mode."""

    rate_gbps: float
    modulation: str
    baud_gbd: float
    required_snr_db: float
    margin_db: float | None
    in_use: bool


@dataclass(frozen=True, slots=True)
class Launch:
    """Of an amplified line: launch power per channel in use and at its best, and the GSNR at both."""

    channel_dbm: float
    line_gsnr_db: float
    best_channel_dbm: float
    best_line_gsnr_db: float


@dataclass(frozen=True, slots=True)
class PublishedMedian:
    """The median wide-area link of an operator's published statistics."""

    mtbf_h: float
    mttr_h: float


@dataclass(frozen=True, slots=True)
class Failures:
    """How often the line and one member fail, and for how long; null where nothing fails."""

    line_mtbf_h: float | None
    line_mttr_h: float | None
    line_unavailability_ratio: float | None
    member_mtbf_h: float | None
    member_mttr_h: float | None
    member_unavailability_ratio: float | None
    n_failures_per_year: float | None
    n_cuts_per_year: float | None
    n_amplifier_failures_per_year: float | None
    n_transceiver_failures_per_year: float | None
    n_switches_per_year: float | None
    published_median_link: PublishedMedian | None = field(default=None, metadata={"optional": True})
    """Of wide-area links only."""


@dataclass(frozen=True)
class LinkReport(Answer):
    """One link: summary, budget, modes, both directions, failures and forecast."""

    network: str
    id: str
    as_of: str | None
    ends: tuple[str, str]
    tier: Tier
    transceiver: str | None
    n_members: int
    ageing: AgeingCase
    budget: tuple[BudgetLine, ...]
    modes: tuple[ModeMargin, ...]
    launch: tuple[Launch, ...]
    directions: tuple[LinkDirection, ...]
    failures: Failures
    summary: tuple[str, ...]
    forecast: Forecast | None

    def figure(self) -> Any:
        """A matplotlib figure: the budget as a waterfall, latency, modes (needs the extra `pictures`)."""
        return link_figure(self.to_dict())

    def _repr_html_(self) -> str:
        tables = []
        for line in self.budget:
            steps = [(s.step, _signed(s.change_db), level_text(to_data(s))) for s in line.steps]
            tables.append(html_table(f"{self.id}, {line.line}", ("budget", "", "level"), steps, ()))
        rows = [(name, *(cell_text(side[name]) for side in self.directions)) for name in _shown(self.directions)]
        heads = ("", *(side.direction for side in self.directions))
        tables.append(html_table("directions", heads, rows, self.summary))
        return "".join(tables) + svg_of(self.figure) + (self.forecast._repr_html_() if self.forecast else "")


def link_report(e: Evaluation, network: str, link: int, reader: FigureReader, forecast: Forecast | None) -> LinkReport:
    """Explain one link of an evaluation."""
    reader = reader.fresh()
    state, arrays = e.case.state, e.case.state.arrays
    budgets = e.health.budgets
    kind = budgets.paths.kind_of_link[link]
    paths = range(budgets.paths.first_path[kind], budgets.paths.first_path[kind + 1])
    part_id = state.part_id(int(state["link_transceiver"][link]))
    part = reader.catalogue.get(part_id) if part_id else None
    directions = link_table(e, network, [link], reader).rows
    launch = tuple(found for path in paths if (found := _launch(e, reader, path)) is not None)
    failures = _failures(state, reader, link, e.case.ageing)
    tail, head = arrays.link_ends[link]
    return LinkReport(
        network=network,
        id=arrays.link_ids[link],
        as_of=e.case.document.as_of.isoformat() if e.case.document.as_of else None,
        ends=(arrays.node_ids[tail], arrays.node_ids[head]),
        tier=TIERS[arrays.link_tier[link]],
        transceiver=part_id,
        n_members=int(state["link_n_parallel"][link]),
        ageing=e.case.ageing,
        budget=tuple(
            BudgetLine(_line_name(e, path, len(paths)), tuple(_budget(e, reader, part, path))) for path in paths
        ),
        modes=tuple(_modes(budgets, part, int(budgets.worst_path[kind]))),
        launch=launch,
        directions=directions,
        failures=failures,
        summary=tuple(_summary(e, reader, link, directions, launch, failures)),
        forecast=forecast,
    )


def _line_name(e: Evaluation, row: int, n_rows: int) -> str:
    """What a line is of its link, in words."""
    lines, arrays = e.health.budgets.paths, e.case.state.arrays
    if n_rows == 1:
        return "whole link"
    first, last = (
        int(end[row] - arrays.span_first[lines.link_of_path[row]]) for end in (lines.span_first, lines.span_last)
    )
    spans = f"span {last}" if last == first + 1 else f"spans {first + 1} to {last}"
    return f"{'standby' if arrays.span_standby[lines.span_first[row]] else 'working'} path, {spans}"


# --- the budget --------------------------------------------------------------------------------------------------


def _budget(e: Evaluation, reader: FigureReader, part: Part | None, row: int) -> Iterator[BudgetStep]:
    """Waterfall of a line: power from transmitter to receiver, then what is left for the mode in use."""
    budgets = e.health.budgets
    if part is None or part.optics in (None, "copper"):
        return
    level = float(budgets.launch_dbm[row])
    yield BudgetStep("launch power", None, level)
    for name, change in _losses(e, reader, row):
        if abs(change) > NOTHING_DB:
            level += change
            yield BudgetStep(name, change, level)
    yield BudgetStep("received power", None, level)
    if part.optics == "coherent":
        yield from _signal_to_noise(budgets, reader, part, row)
    else:
        budget = reader.part(part.id, "loss_budget_db")
        yield BudgetStep("loss budget", None, level_db=budget)
        used = float(budgets.margin_db[row]) - budget
        yield BudgetStep("lost on the way", used, level_db=budget + used)
        yield BudgetStep("margin", None, level_db=float(budgets.margin_db[row]))


def _losses(e: Evaluation, reader: FigureReader, row: int) -> Iterator[tuple[str, float]]:
    """(what, dB) on the way; what amplifiers give back comes as one gain."""
    state, budgets = e.case.state, e.health.budgets
    link, lines = budgets.paths.link_of_path[row], budgets.paths
    spans = slice(lines.span_first[row], lines.span_last[row])
    mux = state.part_id(int(state["link_mux"][link]))
    protection = state.part_id(int(state["link_protection"][link]))
    mux_db = reader.part(mux, "loss_db") if mux else 0.0
    switch_db = reader.part(protection, "loss_db") if protection else 0.0
    yield "ageing of the laser", -float(budgets.droop_db[row])
    yield "multiplexer", -mux_db
    yield "protection switch, near", -switch_db / 2.0
    total = float(budgets.spans.total_db[spans].sum())
    patch_db = 0.0
    if lines.span_first[row] == lines.span_last[row]:
        patch_db = float(budgets.loss_db[row]) - 2.0 * mux_db - switch_db
    yield "patch cord, near", -patch_db / 2.0
    end_db = mux_db + (switch_db + patch_db) / 2.0
    into_fibre = float(budgets.launch_dbm[row] - budgets.droop_db[row]) - end_db
    yield "booster or setting of the launch", float(budgets.into_fibre_dbm[row]) - into_fibre
    for name, column in (
        ("glass, as new", "fibre_db"),
        ("glass, grown with age", "ageing_db"),
        ("connectors", "connectors_db"),
        ("splices", "splices_db"),
        ("splices of expected repairs", "repairs_db"),
        ("other parts in the span", "lumped_db"),
        ("measured beyond the model", "correction_db"),
    ):
        yield name, -float(getattr(budgets.spans, column)[spans].sum())
    at_end = float(budgets.received_dbm[row] - budgets.correction_db[row])
    gain = at_end - (float(budgets.into_fibre_dbm[row]) - total - end_db)
    yield "amplifiers", gain if (state["span_amplifier"][spans] >= 0).any() else 0.0
    yield "patch cord, far", -patch_db / 2.0
    yield "multiplexer, far", -mux_db
    yield "protection switch, far", -switch_db / 2.0
    yield "received power measured beyond the model", float(budgets.correction_db[row])


def _signal_to_noise(budgets: LinkBudgets, reader: FigureReader, part: Part, row: int) -> Iterator[BudgetStep]:
    receiver = reader.part(part.id, "receiver_snr_at_0dbm_db") + float(budgets.received_dbm[row])
    yield BudgetStep("SNR of the receiver alone", None, level_db=receiver)
    noise = _ratio(receiver)
    level = receiver
    line_db = float(budgets.line_gsnr_db[row])
    for name, other_db in (
        ("noise of the transmitter", reader.part_or(part.id, "tx_osnr_db", math.inf)),
        ("noise of the line", line_db if math.isfinite(line_db) else math.inf),
    ):
        noise += _ratio(other_db)
        change = -10.0 * math.log10(noise) - level
        level += change
        if change:
            yield BudgetStep(name, change, level_db=level)
    mode = part.modes[int(budgets.mode[row])] if budgets.mode[row] >= 0 else part.modes[-1]
    for name, impairment, amount in (
        ("penalty for dispersion", "dispersion_ps_per_nm", budgets.dispersion_ps_per_nm),
        ("penalty for PMD", "pmd_ps", budgets.pmd_ps),
    ):
        penalty = float(mode_penalty_db(mode, impairment, amount[row : row + 1])[0])
        if 0.0 < penalty < math.inf:
            level -= penalty
            yield BudgetStep(name, -penalty, level_db=level)
    level -= mode.required_snr_db.value
    yield BudgetStep(f"needed for {mode.rate_gbps:g}G", -mode.required_snr_db.value, level_db=level)
    margin = float(budgets.margin_db[row])
    if math.isfinite(margin) and abs(margin - level) > NOTHING_DB:
        yield BudgetStep("receiver overload", margin - level, level_db=margin)
        level = margin
    yield BudgetStep("margin" if math.isfinite(margin) else "margin, but out of reach", None, level_db=level)


# --- the rest ----------------------------------------------------------------------------------------------------


def _modes(budgets: LinkBudgets, part: Part | None, row: int) -> Iterator[ModeMargin]:
    for i, mode in enumerate(part.modes if part else ()):
        margin = float(budgets.mode_margin_db[row, i])
        yield ModeMargin(
            rate_gbps=mode.rate_gbps,
            modulation=mode.modulation,
            baud_gbd=mode.baud_gbd,
            required_snr_db=mode.required_snr_db.value,
            margin_db=margin if math.isfinite(margin) else None,
            in_use=bool(budgets.mode[row] == i),
        )


def _launch(e: Evaluation, reader: FigureReader, row: int) -> Launch | None:
    """Of an amplified line: the launch power in use, the best one, and the GSNR at both."""
    budgets, state = e.health.budgets, e.case.state
    if not math.isfinite(budgets.line_gsnr_db[row]):
        return None
    spans = slice(budgets.paths.span_first[row], budgets.paths.span_last[row])
    growth: Floats = nf_growth_db(state, reader, e.case.ageing, 0.0)
    short = gain_shortfall_db(state, reader, budgets.paths, budgets.spans)
    glass = amplified_spans(state, reader, budgets.spans, growth, short, spans)
    comb = comb_of_link(state, reader, int(budgets.paths.link_of_path[row]), float(budgets.into_fibre_dbm[row]))
    parts = {state.part_id(int(code)) for code in state["span_amplifier"][spans]} - {None}
    power_dbm = min(reader.part(part, "max_output_dbm") for part in sorted(str(part) for part in parts))
    highest = min(MAX_CHANNEL_DBM, power_dbm - 10.0 * math.log10(len(comb.frequency_thz)))
    best = best_launch_dbm(glass, comb, LOWEST_LAUNCH_DBM, highest)
    at_best = comb_of_link(state, reader, int(budgets.paths.link_of_path[row]), best)
    return Launch(
        channel_dbm=float(budgets.into_fibre_dbm[row]),
        line_gsnr_db=float(budgets.line_gsnr_db[row]),
        best_channel_dbm=best,
        best_line_gsnr_db=float(line_noise(glass, at_best).gsnr_01nm_db.min()),
    )


def _failures(state: State, reader: FigureReader, link: int, ageing: AgeingCase) -> Failures:
    found = link_failures(state, reader, np.array([link]), ageing)
    rates = {spec.name: float(getattr(found, spec.name)[0]) for spec in fields(found)}
    published = None
    if TIERS[state.link_tier[link]] == "wide_area":
        median = published_wan_link(0.5)
        published = PublishedMedian(median.mtbf_h, median.mttr_h)
    shown = {name: rate if math.isfinite(rate) else None for name, rate in rates.items()}
    return Failures(**shown, published_median_link=published)


def _summary(
    e: Evaluation,
    reader: FigureReader,
    link: int,
    directions: Sequence[LinkDirection],
    launch: Sequence[Launch],
    failures: Failures,
) -> list[str]:
    """What a reader should take home."""
    state, arrays, health = e.case.state, e.case.state.arrays, e.health
    said = []
    for side, row in enumerate(directions):
        said.append(f"{row.direction}: {capacity_reason(e, 2 * link + side)}.")
    if said[0].split(": ", 1)[1] == said[1].split(": ", 1)[1]:
        said = [f"Both ways: {said[0].split(': ', 1)[1]}"]
    if window_share(e, link) < LEAST_SHOWN_RATIO and not health.rate_unknown[link]:
        said.append(f"A job gets less out of it: {window_reason(e, link)}.")
    if is_not_judged(e)[link]:
        said.append(NOT_JUDGED.capitalize())
    margin, required = float(health.margin_db[link]), float(health.required_margin_db[link])
    if math.isfinite(margin):
        verdict = "as wanted" if margin >= required else f"less than the {required:g} dB wanted"
        said.append(f"{margin:.2f} dB of margin, {verdict}.")
    short_db = gain_shortfall_db(state, reader, health.budgets.paths, health.budgets.spans)
    for i, row_of in enumerate(range(*arrays.span_first[link : link + 2])):
        if short_db[row_of] > 0:
            said.append(f"The amplifier after span {i + 1} lacks {short_db[row_of]:.1f} dB of gain.")
    for found in launch:
        gain = found.best_line_gsnr_db - found.line_gsnr_db
        tip = (
            f"Launched at {found.channel_dbm:.1f} dBm a channel; {found.best_channel_dbm:.1f} dBm would be best "
            f"({gain:+.2f} dB of GSNR)."
        )
        said += [] if tip in said else [tip]
    if failures.n_cuts_per_year:
        years = 1.0 / failures.n_cuts_per_year
        case = e.case.ageing
        spread = reader.general("cut_repair_log_sigma_ratio", case)
        mended_h = reader.general("cut_repair_h", case) * math.exp(spread**2 / 2.0)
        bridged = "; protection bridges it" if state["link_protection"][link] >= 0 else ""
        said.append(f"A cut every {years:.3g} years is to be expected, mended in {mended_h:.0f} h{bridged}.")
    if not state["link_up"][link]:
        said.append("The link is down.")
    return said


def _ratio(snr_db: float) -> float:
    """Noise over signal, as far down as numbers go."""
    return math.pow(10.0, min(-snr_db, 3000.0) / 10.0)


def _shown(directions: Sequence[LinkDirection]) -> list[str]:
    first, second = directions
    return [n for n in first if n not in ("id", "direction") and (first[n] is not None or second[n] is not None)]


def _signed(change: float | None) -> str:
    return "" if change is None else f"{change:+.2f} dB"
