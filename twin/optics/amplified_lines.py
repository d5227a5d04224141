"""Lines over amplified spans: GSNR of the worst channel at the receiver, from the glass and amplifiers as they are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..arrays import Floats, Ints, State
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from .fibre import SpanLoss
from .gn_model import AmplifiedSpans, Comb, line_noise
from .optical_paths import COHERENT, OpticalPaths, link_optics

DARK_SPAN_DB, FAINT_DB = 300.0, -300.0
"""Spans that lose so much on the mean carry no light that numbers could hold; their GSNR is taken as this."""
BAND_CENTRE_THZ = 193.7
"""Middle of the C band, 191.3 to 196.1 THz; channels are lit from here outwards."""


def amplified_lines(state: State, lines: OpticalPaths) -> Ints:
    """Rows of lines with an amplifier in one of their spans."""
    found = np.unique(lines.path_of_span[state["span_amplifier"] >= 0])
    return found[found < len(lines.kind)]


def short_gain_db(state: State, reader: FigureReader, lines: OpticalPaths, spans: SpanLoss) -> Floats:
    """Gain that the amplifier after each span lacks to restore all loss since the one before; the next makes up for it
    if it can. By row of `span_*`, 0 where there is none or it suffices."""
    out = np.zeros(len(spans.fibre_db))
    codes = state["span_amplifier"]
    if not (codes >= 0).any():
        return out
    gain_db = reader.by_code(state.parts, codes, "max_gain_db", "amplifier")
    total_db = spans.total_db
    for line in amplified_lines(state, lines):
        lost_db = 0.0
        for row in range(lines.span_first[line], lines.span_last[line]):
            lost_db += total_db[row]
            if codes[row] >= 0:
                lost_db = out[row] = max(lost_db - gain_db[row], 0.0)
    return out


def unrestored_db(state: State, lines: OpticalPaths, spans: SpanLoss, short_db: Floats) -> Floats:
    """By line: loss behind its last amplifier, and what that one lacks; all loss of a line without amplifiers."""
    rows = np.arange(len(lines.path_of_span))
    last = np.full(len(lines.kind) + 1, -1)
    amplified = state["span_amplifier"] >= 0
    np.maximum.at(last, lines.path_of_span[amplified], rows[amplified])
    behind = rows > last[lines.path_of_span]
    lacking = rows == last[lines.path_of_span]
    return lines.sum_of_spans(np.where(behind, spans.total_db, np.where(lacking, short_db, 0.0)))


def amplified_spans(
    state: State, reader: FigureReader, spans: SpanLoss, nf_growth_db: Floats, short_db: Floats, rows: slice
) -> AmplifiedSpans:
    """Spans as the line model takes them; half of a span's connectors stand before its fibre.

    By row of `span_*`: `nf_growth_db`, what each amplifier's noise figure has gained with age; `short_db`, the gain it
    lacks, as a loss in front of the next span. Where a loss was measured every part of the span is scaled to it.
    """
    fibre = state["span_fibre"][rows]

    def figure(name: str) -> Floats:
        return reader.by_code(state.parts, fibre, name, "fibre")

    noise_db = reader.by_code(state.parts, state["span_amplifier"][rows], "noise_figure_db", "amplifier")
    scale, length_km = spans.measured_ratio[rows], state["span_length_km"][rows]
    connectors = spans.connectors_db[rows] * scale
    lacking = np.append(0.0, short_db[rows][:-1])
    points = (spans.splices_db + spans.repairs_db + spans.lumped_db)[rows] * scale
    return AmplifiedSpans(
        length_km=length_km,
        loss_db_per_km=(spans.fibre_db + spans.ageing_db)[rows] * scale / length_km,
        before_db=connectors / 2.0 + lacking,
        after_db=connectors / 2.0 + points,
        dispersion_ps_per_nm_km=figure("dispersion_ps_per_nm_km"),
        effective_area_um2=figure("effective_area_um2"),
        pmd_ps_per_sqrt_km=figure("pmd_ps_per_sqrt_km"),
        # a span without an amplifier adds no noise and restores nothing
        noise_figure_db=np.where(np.isnan(noise_db), -np.inf, noise_db + nf_growth_db[rows]),
        group_index_ratio=figure("group_index_ratio"),
    )


def comb_of_link(state: State, reader: FigureReader, link: int, launch_dbm: float) -> Comb:
    """All channels of one fibre pair of a link, side by side in the middle of the band."""
    part = reader.catalogue.get(state.parts[state["link_transceiver"][link]])
    n = int(state["link_n_channels"][link])
    spacing_ghz = reader.part(part.id, "spacing_ghz")
    first_thz = BAND_CENTRE_THZ - (n - 1) * spacing_ghz / 2e3
    return Comb.grid(n, first_thz, spacing_ghz, part.modes[0].baud_gbd, launch_dbm)


def nf_growth_db(state: State, reader: FigureReader, ageing: AgeingCase, later_years: Floats | float) -> Floats:
    """What the noise figure of the amplifier after each span has gained with its age."""
    if not (state["span_amplifier"] >= 0).any():
        return np.zeros(len(state["span_amplifier"]))
    age = np.maximum(np.nan_to_num(state["span_amplifier_age_years"] + later_years), 0.0)
    return np.asarray(age * reader.general("amplifier_nf_growth_db_per_year", ageing))


def worst_gsnr_db(
    state: State,
    reader: FigureReader,
    lines: OpticalPaths,
    spans: SpanLoss,
    short_db: Floats,
    growth_db: Floats,
    fibre_launch_dbm: Floats,
) -> Floats:
    """GSNR of the worst channel of each line over amplifiers, noise in 0.1 nm; NaN for others. Equal lines cost one."""
    out = np.full(len(lines.kind), np.nan)
    of_line = amplified_lines(state, lines)
    coherent = link_optics(state, reader, lines.link_of_path[of_line]) == COHERENT
    known: dict[tuple[object, ...], float] = {}
    for line in of_line[coherent]:
        rows = slice(lines.span_first[line], lines.span_last[line])
        glass = amplified_spans(state, reader, spans, growth_db, short_db, rows)
        comb = comb_of_link(state, reader, int(lines.link_of_path[line]), float(fibre_launch_dbm[line]))
        key = (_bytes(glass), _bytes(comb))
        if key not in known:
            lost_db = (glass.loss_db_per_km * glass.length_km + glass.before_db + glass.after_db).sum()
            faint = lost_db > len(glass.length_km) * DARK_SPAN_DB
            known[key] = FAINT_DB if faint else float(line_noise(glass, comb).gsnr_01nm_db.min())
        out[line] = known[key]
    return out


def _bytes(columns: AmplifiedSpans | Comb) -> tuple[bytes, ...]:
    each: Callable[[str], bytes] = lambda name: getattr(columns, name).tobytes()  # noqa: E731 (keeps the type)
    return tuple(each(name) for name in columns.__dataclass_fields__)
