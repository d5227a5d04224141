"""Link report: link budget, modes, latency, goodput, failures and forecast of one link."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from ..arrays import TIERS, State, Tier
from ..arrays.boosters import booster_parts
from ..catalogue import Part
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from ..optics.amplified_lines import amplified_spans, comb_of_link, noise_growth, with_booster
from ..optics.gn_model import MAX_CHANNEL_DBM, best_launch_dbm, line_noise
from ..optics.link_budget import LinkBudgets
from ..reliability.link_failures import link_failures, published_wan_link
from ..render import link_figure, svg_of
from ..render.link_tables import link_report_table
from ..render.numbers import cell_text, level_text
from ..render.quantities import frequency_text, hours_text
from ..render.residual_table import HEADINGS, MODEL_NOTE, residual_cells
from ..stages.evaluation import Evaluation
from .arc_text import capacity_reason, lacks_transceiver, sender_reason
from .data import Answer, to_data
from .forecast import Forecast
from .link_budget_steps import BudgetLine, budget_lines
from .link_table import NO_BUDGET, LinkDirection, link_table
from .residuals import MeasuredNetwork, ResidualRow
from .score import html_table
from .warning import AnswerWarning

LOWEST_LAUNCH_DBM = -20.0
"""Lower end of the search for the best launch power."""
NEAR_DB = 1.0
"""Receiver headroom below this is told."""
SHOWN_DB = 1e-9
"""A smaller lack of gain is rounding."""


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
    """Launch power per channel of an amplified path: in use and best, with the GSNR at both."""

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


@dataclass(frozen=True, repr=False)
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
    residuals: tuple[ResidualRow, ...] = field(default=(), metadata={"optional": True})
    """Measured minus modelled, of each reading of the link; absent where nothing was measured."""
    warnings: tuple[AnswerWarning, ...] = field(default=(), metadata={"optional": True})
    """Rules that the network breaks as it stands; absent where there are none."""

    def figure(self) -> Any:
        """Draw the budget as a waterfall, latency and modes, as a matplotlib figure (needs the extra `pictures`)."""
        return link_figure(self.to_dict())

    def _repr_html_(self) -> str:
        tables = []
        for line in self.budget:
            steps = [(step.step, _signed_db(step.change_db), level_text(to_data(step))) for step in line.steps]
            tables.append(html_table(f"{self.id}, {line.line}", ("budget", "", "level"), steps, ()))
        rows = [
            (name, *(cell_text(side[name]) for side in self.directions)) for name in _stated_columns(self.directions)
        ]
        heads = ("", *(side.direction for side in self.directions))
        if self.residuals:
            cells = [residual_cells(row) for row in to_data(self.residuals)]
            tables.append(html_table("measured and model", HEADINGS, cells, (MODEL_NOTE,)))
        tables.append(html_table("directions", heads, rows))
        tables.insert(0, html_table(self.id, (), (), (), self.summary))
        return "".join(tables) + svg_of(self.figure) + (self.forecast._repr_html_() if self.forecast else "")

    def _table(self) -> Any:
        return link_report_table(self.to_dict())


def link_report(
    e: Evaluation,
    network: str,
    link: int,
    reader: FigureReader,
    forecast: Forecast | None,
    measured: MeasuredNetwork | None = None,
) -> LinkReport:
    """Build the report of one link.

    Args:
        e: evaluation of the network.
        network: name of the network.
        link: row of the link.
        reader: source of figures.
        forecast: forecast of the link; None for no forecast.
        measured: readings of the network; None without any.
    """
    reader = reader.fresh()
    state, arrays = e.case.state, e.case.state.arrays
    budgets = e.health.budgets
    kind = budgets.paths.kind_of_link[link]
    paths = range(budgets.paths.first_path[kind], budgets.paths.first_path[kind + 1])
    part_id = state.part_id(int(state["link_transceiver"][link]))
    part = reader.catalogue.get(part_id) if part_id else None
    directions = link_table(e, network, [link], reader, measured=measured).rows
    launches = tuple(launch for path in paths if (launch := _launch(e, reader, path)) is not None)
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
        budget=budget_lines(e, reader, part, kind),
        modes=tuple(_modes(budgets, part, int(budgets.worst_path[kind]))),
        launch=launches,
        directions=directions,
        failures=failures,
        summary=tuple(_summary(e, reader, link, directions, launches, failures)),
        forecast=forecast,
        residuals=measured.of_link(arrays.link_ids[link]) if measured else (),
    )


def _modes(budgets: LinkBudgets, part: Part | None, path: int) -> Iterator[ModeMargin]:
    for i, mode in enumerate(part.modes if part else ()):
        margin_db = float(budgets.mode_margin_db[path, i])
        yield ModeMargin(
            rate_gbps=mode.rate_gbps,
            modulation=mode.modulation,
            baud_gbd=mode.baud_gbd,
            required_snr_db=mode.required_snr_db.value,
            margin_db=margin_db if math.isfinite(margin_db) else None,
            in_use=bool(budgets.mode[path] == i),
        )


def _launch(e: Evaluation, reader: FigureReader, path: int) -> Launch | None:
    """Launch power of an optical path in use and best, with the GSNR at both; None for a path without amplifiers."""
    budgets, state = e.health.budgets, e.case.state
    if not math.isfinite(budgets.line_gsnr_db[path]):
        return None
    amplification, paths = budgets.amplification, budgets.paths
    growth = noise_growth(state, reader, paths, e.case.ageing, np.zeros(paths.n_kinds))
    line = amplified_spans(state, reader, budgets.spans, amplification, growth, paths, path)
    link, used_dbm = int(paths.link_of_path[path]), float(budgets.into_fibre_dbm[path])
    n_channels = int(state["link_n_channels"][link])
    highest_dbm = min(MAX_CHANNEL_DBM, _least_output_dbm(e, reader, path) - 10.0 * math.log10(n_channels))
    # noise of the booster is a constant share of the signal, so it does not move the best power
    best_dbm = best_launch_dbm(line, comb_of_link(state, reader, link, used_dbm), LOWEST_LAUNCH_DBM, highest_dbm)
    line = with_booster(line, amplification, growth, path, best_dbm)
    best_comb = comb_of_link(state, reader, link, best_dbm)
    return Launch(
        channel_dbm=used_dbm,
        line_gsnr_db=float(budgets.line_gsnr_db[path]),
        best_channel_dbm=best_dbm,
        best_line_gsnr_db=float(line_noise(line, best_comb).gsnr_01nm_db.min()),
    )


def _least_output_dbm(e: Evaluation, reader: FigureReader, path: int) -> float:
    """Return the least of the greatest output powers of the booster and the amplifiers of a path."""
    state, budgets = e.case.state, e.health.budgets
    spans = slice(budgets.paths.span_first[path], budgets.paths.span_last[path])
    codes = {*state["span_amplifier"][spans].tolist(), int(budgets.amplification.booster[path])} - {-1}
    names = booster_parts(state)
    return min(reader.part_or(names[code], "max_output_dbm", math.inf) for code in sorted(codes))


def _failures(state: State, reader: FigureReader, link: int, ageing: AgeingCase) -> Failures:
    failures = link_failures(state, reader, np.array([link]), ageing)
    figures = {spec.name: float(getattr(failures, spec.name)[0]) for spec in fields(failures)}
    published = None
    if TIERS[state.link_tier[link]] == "wide_area":
        median = published_wan_link(0.5)
        published = PublishedMedian(median.mtbf_h, median.mttr_h)
    finite = {name: value if math.isfinite(value) else None for name, value in figures.items()}
    return Failures(**finite, published_median_link=published)


def _summary(
    e: Evaluation,
    reader: FigureReader,
    link: int,
    directions: Sequence[LinkDirection],
    launches: Sequence[Launch],
    failures: Failures,
) -> Iterator[str]:
    """Sentences on the link: state and margin, the limit of each direction, amplifiers, launch power, cuts."""
    state, health = e.case.state, e.health
    yield _state_text(e, link)
    reasons = [capacity_reason(e, 2 * link + side) for side in (0, 1)]
    if health.lit[link] and state["link_up"][link]:
        if health.rate_unknown[link]:
            yield f"{_capitalised(reasons[0])}."
        elif reasons[0] == reasons[1]:
            yield f"Limit, both directions: {reasons[0]}."
        else:
            yield from (f"Limit, {row.direction}: {reason}." for row, reason in zip(directions, reasons, strict=True))
        for reason in dict.fromkeys(sender_reason(e, 2 * link + side) for side in (0, 1)):
            if reason and not health.rate_unknown[link]:
                yield f"A job gets less: {reason}."
    if lacks_transceiver(e)[link]:
        yield NO_BUDGET.capitalize()
    yield from _amplifier_sentences(e, link, launches)
    if failures.n_cuts_per_year:
        ageing = e.case.ageing
        log_sigma = reader.general("cut_repair_log_sigma_ratio", ageing)
        repair_h = reader.general("cut_repair_h", ageing) * math.exp(log_sigma**2 / 2.0)
        bridged = "; protection bridges it" if state["link_protection"][link] >= 0 else ""
        yield f"Fibre cut: {frequency_text(failures.n_cuts_per_year)}, {hours_text(repair_h)} to repair{bridged}."


def _state_text(e: Evaluation, link: int) -> str:
    """Return a sentence on the state of the link and its margin."""
    health = e.health
    if not e.case.state["link_up"][link]:
        return "Link down: it is switched off or failed."
    if not health.lit[link]:
        return f"{_capitalised(capacity_reason(e, 2 * link))}."
    margin_db, required_db = float(health.margin_db[link]), float(health.required_margin_db[link])
    if not math.isfinite(margin_db):
        return "Link up."
    needed = "enough" if margin_db >= required_db else "too little"
    headroom_db = float(health.receiver_headroom_db[link])
    near = f" The receiver bears {headroom_db:.1f} dB more." if headroom_db < max(required_db, NEAR_DB) else ""
    return f"Link up, {margin_db:.1f} dB margin: {needed}, {required_db:g} dB is required.{near}"


def _capitalised(text: str) -> str:
    return text[0].upper() + text[1:]


def _amplifier_sentences(e: Evaluation, link: int, launches: Sequence[Launch]) -> Iterator[str]:
    """Sentences on amplifiers that lack gain, and on the best launch power."""
    amplification = e.health.budgets.amplification
    lacking_db = amplification.wanted_gain_db - amplification.gain_db
    for i, span in enumerate(range(*e.case.state.arrays.span_first[link : link + 2])):
        if lacking_db[span] > SHOWN_DB:
            yield f"The amplifier after span {i + 1} lacks {lacking_db[span]:.1f} dB of gain."
    texts = {
        f"Launch power is {launch.channel_dbm:.1f} dBm per channel; the best is {launch.best_channel_dbm:.1f} dBm "
        f"({launch.best_line_gsnr_db - launch.line_gsnr_db:+.2f} dB GSNR)."
        for launch in launches
    }
    yield from sorted(texts)


def _stated_columns(directions: Sequence[LinkDirection]) -> list[str]:
    """Columns with a value in at least one direction."""
    first, second = directions
    return [n for n in first if n not in ("id", "direction") and (first[n] is not None or second[n] is not None)]


def _signed_db(change_db: float | None) -> str:
    return "" if change_db is None else f"{change_db:+.2f} dB"
