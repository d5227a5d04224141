"""One link explained: where its light goes, which modes it could run, its latency, its goodput, its calendar."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import TIERS, Floats
from ..catalogue import Part
from ..catalogue.figure_reader import FigureReader
from ..optics.amplified_lines import amplified_spans, comb_of_link, gain_shortfall_db, nf_growth_db
from ..optics.gn_model import MAX_CHANNEL_DBM, best_launch_dbm, line_noise
from ..optics.link_budget import LinkBudgets, mode_penalty_db
from ..optics.link_health import LEAST_SHOWN_RATIO
from ..reliability.link_failures import LinkFailures, link_failures, published_wan_link
from ..render import link_figure, svg_of
from ..stages.evaluation import Evaluation
from .forecast import Forecast
from .link_table import NOT_JUDGED, link_table
from .score import html_table
from .summary_text import capacity_reason, is_not_judged, window_reason, window_share

LOWEST_LAUNCH_DBM = -20.0
NOTHING_DB = 1e-9
"""What rounding leaves of two equal powers."""


@dataclass(frozen=True)
class Step:
    """One step of a budget: what it takes (negative) or gives, and where that leaves the level."""

    name: str
    change_db: float | None
    """None where a level is given or read off."""
    level_dbm: float | None = None
    """While it is light."""
    level_db: float | None = None
    """Once it is a ratio of signal to noise, or what is left of a budget."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"step": self.name, "change_db": self.change_db, "level_dbm": self.level_dbm, "level_db": self.level_db}


@dataclass(frozen=True)
class LinkReport:
    """All that is known of a link, as plain data in `sections`."""

    network: str
    id: str
    sections: dict[str, Any]
    forecast: Forecast | None

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the same that `--json` prints."""
        forecast = self.forecast.to_dict() if self.forecast else None
        return {"network": self.network, "id": self.id, **self.sections, "forecast": forecast}

    def to_json(self, indent: int | None = 1) -> str:
        """`to_dict` as JSON text, ending in a newline."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False) + "\n"

    def figure(self) -> Any:
        """A matplotlib figure: the budget as a waterfall, latency, modes (needs the extra `pictures`)."""
        return link_figure(self.to_dict())

    def _repr_html_(self) -> str:
        tables = []
        for line in self.sections["budget"]:
            steps = [(s["step"], _signed(s["change_db"]), level_of(s)) for s in line["steps"]]
            tables.append(html_table(f"{self.id}, {line['line']}", ("budget", "", "level"), steps, ()))
        words = tuple(self.sections["summary"])
        rows = [(name, *(_cell(side[name]) for side in self.sections["directions"])) for name in _shown(self.sections)]
        heads = ("", *(side["direction"] for side in self.sections["directions"]))
        tables.append(html_table("directions", heads, rows, words))
        return "".join(tables) + svg_of(self.figure) + (self.forecast._repr_html_() if self.forecast else "")


def link_report(e: Evaluation, network: str, link: int, reader: FigureReader, forecast: Forecast | None) -> LinkReport:
    """Explain one link of an evaluation."""
    reader = reader.fresh()
    state, arrays = e.case.state, e.case.state.arrays
    budgets = e.health.budgets
    kind = budgets.paths.kind_of_link[link]
    rows = range(budgets.paths.first_path[kind], budgets.paths.first_path[kind + 1])
    part_id = state.part_id(int(state["link_transceiver"][link]))
    part = reader.catalogue.get(part_id) if part_id else None
    failures = link_failures(state, reader, np.array([link]), e.case.ageing)
    sections: dict[str, Any] = {
        "as_of": e.case.document.as_of.isoformat() if e.case.document.as_of else None,
        "ends": [arrays.node_ids[end] for end in arrays.link_ends[link]],
        "tier": TIERS[arrays.link_tier[link]],
        "transceiver": part_id,
        "n_members": int(state["link_n_parallel"][link]),
        "ageing": e.case.ageing,
        "budget": [
            {"line": _line_name(e, row, len(rows)), "steps": [s.to_dict() for s in _budget(e, reader, part, row)]}
            for row in rows
        ],
        "modes": list(_modes(budgets, part, int(budgets.worst_path[kind]))),
        "launch": [found for row in rows if (found := _launch(e, reader, row)) is not None],
        "directions": list(link_table(e, network, [link], reader).rows),
        "failures": _failures(failures, TIERS[arrays.link_tier[link]]),
    }
    sections["summary"] = _summary(e, reader, link, sections)
    return LinkReport(network, arrays.link_ids[link], sections, forecast)


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


def _budget(e: Evaluation, reader: FigureReader, part: Part | None, row: int) -> Iterator[Step]:
    """Waterfall of a line: power from transmitter to receiver, then what is left for the mode in use."""
    budgets = e.health.budgets
    if part is None or part.optics in (None, "copper"):
        return
    level = float(budgets.launch_dbm[row])
    yield Step("launch power", None, level)
    for name, change in _losses(e, reader, row):
        if abs(change) > NOTHING_DB:
            level += change
            yield Step(name, change, level)
    yield Step("received power", None, level)
    if part.optics == "coherent":
        yield from _signal_to_noise(budgets, reader, part, row)
    else:
        budget = reader.part(part.id, "loss_budget_db")
        yield Step("loss budget", None, level_db=budget)
        used = float(budgets.margin_db[row]) - budget
        yield Step("lost on the way", used, level_db=budget + used)
        yield Step("margin", None, level_db=float(budgets.margin_db[row]))


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


def _signal_to_noise(budgets: LinkBudgets, reader: FigureReader, part: Part, row: int) -> Iterator[Step]:
    receiver = reader.part(part.id, "receiver_snr_at_0dbm_db") + float(budgets.received_dbm[row])
    yield Step("SNR of the receiver alone", None, level_db=receiver)
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
            yield Step(name, change, level_db=level)
    mode = part.modes[int(budgets.mode[row])] if budgets.mode[row] >= 0 else part.modes[-1]
    for name, impairment, amount in (
        ("penalty for dispersion", "dispersion_ps_per_nm", budgets.dispersion_ps_per_nm),
        ("penalty for PMD", "pmd_ps", budgets.pmd_ps),
    ):
        penalty = float(mode_penalty_db(mode, impairment, amount[row : row + 1])[0])
        if 0.0 < penalty < math.inf:
            level -= penalty
            yield Step(name, -penalty, level_db=level)
    level -= mode.required_snr_db.value
    yield Step(f"needed for {mode.rate_gbps:g}G", -mode.required_snr_db.value, level_db=level)
    margin = float(budgets.margin_db[row])
    if math.isfinite(margin) and abs(margin - level) > NOTHING_DB:
        yield Step("receiver overload", margin - level, level_db=margin)
        level = margin
    yield Step("margin" if math.isfinite(margin) else "margin, but out of reach", None, level_db=level)


# --- the rest ----------------------------------------------------------------------------------------------------


def _modes(budgets: LinkBudgets, part: Part | None, row: int) -> Iterator[dict[str, Any]]:
    for i, mode in enumerate(part.modes if part else ()):
        margin = float(budgets.mode_margin_db[row, i])
        yield {
            "rate_gbps": mode.rate_gbps,
            "modulation": mode.modulation,
            "baud_gbd": mode.baud_gbd,
            "required_snr_db": mode.required_snr_db.value,
            "margin_db": margin if math.isfinite(margin) else None,
            "in_use": bool(budgets.mode[row] == i),
        }


def _launch(e: Evaluation, reader: FigureReader, row: int) -> dict[str, Any] | None:
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
    return {
        "channel_dbm": float(budgets.into_fibre_dbm[row]),
        "line_gsnr_db": float(budgets.line_gsnr_db[row]),
        "best_channel_dbm": best,
        "best_line_gsnr_db": float(line_noise(glass, at_best).gsnr_01nm_db.min()),
    }


def _failures(found: LinkFailures, tier: str) -> dict[str, Any]:
    columns = {name: float(getattr(found, name)[0]) for name in LinkFailures.__dataclass_fields__}
    shown: dict[str, Any] = {name: value if math.isfinite(value) else None for name, value in columns.items()}
    if tier == "wide_area":
        published = published_wan_link(0.5)
        shown["published_median_link"] = {"mtbf_h": published.mtbf_h, "mttr_h": published.mttr_h}
    return shown


def _summary(e: Evaluation, reader: FigureReader, link: int, sections: dict[str, Any]) -> list[str]:
    """What a reader should take home."""
    state, arrays, health = e.case.state, e.case.state.arrays, e.health
    said = []
    for side, row in enumerate(sections["directions"]):
        said.append(f"{row['direction']}: {capacity_reason(e, 2 * link + side)}.")
    if said[0].split(": ", 1)[1] == said[1].split(": ", 1)[1]:
        said = [f"Both ways: {said[0].split(': ', 1)[1]}"]
    if window_share(e, link) < LEAST_SHOWN_RATIO:
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
    for found in sections["launch"]:
        gain = found["best_line_gsnr_db"] - found["line_gsnr_db"]
        tip = (
            f"Launched at {found['channel_dbm']:.1f} dBm a channel; {found['best_channel_dbm']:.1f} dBm would be best "
            f"({gain:+.2f} dB of GSNR)."
        )
        said += [] if tip in said else [tip]
    failures = sections["failures"]
    if failures["n_cuts_per_year"]:
        years = 1.0 / failures["n_cuts_per_year"]
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


def _shown(sections: dict[str, Any]) -> list[str]:
    first, second = sections["directions"]
    return [n for n in first if n not in ("id", "direction") and (first[n] is not None or second[n] is not None)]


def level_of(step: Mapping[str, Any]) -> str:
    """Where a step of a budget leaves the level, as text."""
    return f"{step['level_dbm']:.2f} dBm" if step["level_db"] is None else f"{step['level_db']:.2f} dB"


def _cell(value: Any) -> str:
    return "–" if value is None else f"{value:.5g}" if isinstance(value, float) else str(value)


def _signed(change: float | None) -> str:
    return "" if change is None else f"{change:+.2f} dB"
