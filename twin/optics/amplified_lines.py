"""Amplified optical paths: gain shortfall, unrestored loss, and GSNR of the worst channel at the receiver."""

from __future__ import annotations

import numpy as np

from ..arrays import Floats, Ints, State
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from .fibre import SpanLoss
from .gn_model import AmplifiedSpans, Comb, line_noise
from .optical_paths import COHERENT, OpticalPaths, link_optics

MAX_MEAN_SPAN_LOSS_DB, MIN_GSNR_DB = 300.0, -300.0
"""Above this mean loss of its spans a path is not modelled, since floats cannot hold the power; its GSNR is MIN."""
BAND_CENTRE_THZ = 193.7
"""Middle of the C band, 191.3 to 196.1 THz; channels are placed symmetrically around it."""


def amplified_paths(state: State, paths: OpticalPaths) -> Ints:
    """Find the paths with an amplifier in one of their spans, ascending rows."""
    rows = np.unique(paths.path_of_span[state["span_amplifier"] >= 0])
    return rows[rows < len(paths.kind_of_path)]


def gain_shortfall_db(state: State, reader: FigureReader, paths: OpticalPaths, spans: SpanLoss) -> Floats:
    """Compute the loss since the previous amplifier that each amplifier cannot restore.

    The next amplifier restores the shortfall if its gain suffices.

    Returns:
        dB by row of `span_*`; 0 where a span has no amplifier or the gain suffices.
    """
    shortfall_db = np.zeros(len(spans.fibre_db))
    codes = state["span_amplifier"]
    if not (codes >= 0).any():
        return shortfall_db
    gain_db = reader.by_code(state.parts, codes, "max_gain_db", "amplifier")
    total_db = spans.total_db
    for path in amplified_paths(state, paths):
        lost_db = 0.0
        for row in range(paths.span_first[path], paths.span_last[path]):
            lost_db += total_db[row]
            if codes[row] >= 0:
                lost_db = shortfall_db[row] = max(lost_db - gain_db[row], 0.0)
    return shortfall_db


def unrestored_db(state: State, paths: OpticalPaths, spans: SpanLoss, shortfall_db: Floats) -> Floats:
    """Compute the loss of each path that no amplifier restores, float64[N].

    It is the loss behind the last amplifier plus that amplifier's shortfall. Without amplifiers it is the whole loss.
    """
    rows = np.arange(len(paths.path_of_span))
    last = np.full(len(paths.kind_of_path) + 1, -1)
    amplified = state["span_amplifier"] >= 0
    np.maximum.at(last, paths.path_of_span[amplified], rows[amplified])
    behind_last = rows > last[paths.path_of_span]
    at_last = rows == last[paths.path_of_span]
    return paths.sum_over_spans(np.where(behind_last, spans.total_db, np.where(at_last, shortfall_db, 0.0)))


def amplified_spans(
    state: State, reader: FigureReader, spans: SpanLoss, nf_growth_db: Floats, shortfall_db: Floats, rows: slice
) -> AmplifiedSpans:
    """Convert spans to the input of the GN model.

    Half of a span's connectors are before its fibre. A measured loss scales every loss of its span.

    Args:
        state: columns of the network.
        reader: source of figures.
        spans: losses by row of `span_*`.
        nf_growth_db: growth of each amplifier's noise figure with age, by row of `span_*`.
        shortfall_db: gain that each amplifier lacks, by row of `span_*`; it counts as a loss before the next span.
        rows: the spans of one path.

    Returns:
        The spans in order.
    """
    fibre = state["span_fibre"][rows]

    def figure(name: str) -> Floats:
        return reader.by_code(state.parts, fibre, name, "fibre")

    noise_db = reader.by_code(state.parts, state["span_amplifier"][rows], "noise_figure_db", "amplifier")
    scale, length_km = spans.measured_ratio[rows], state["span_length_km"][rows]
    connectors_db = spans.connectors_db[rows] * scale
    previous_shortfall_db = np.append(0.0, shortfall_db[rows][:-1])
    points_db = (spans.splices_db + spans.repairs_db + spans.lumped_db)[rows] * scale
    return AmplifiedSpans(
        length_km=length_km,
        loss_db_per_km=(spans.fibre_db + spans.ageing_db)[rows] * scale / length_km,
        before_db=connectors_db / 2.0 + previous_shortfall_db,
        after_db=connectors_db / 2.0 + points_db,
        dispersion_ps_per_nm_km=figure("dispersion_ps_per_nm_km"),
        effective_area_um2=figure("effective_area_um2"),
        pmd_ps_per_sqrt_km=figure("pmd_ps_per_sqrt_km"),
        # a span without an amplifier adds no noise and restores nothing
        noise_figure_db=np.where(np.isnan(noise_db), -np.inf, noise_db + nf_growth_db[rows]),
        group_index_ratio=figure("group_index_ratio"),
    )


def comb_of_link(state: State, reader: FigureReader, link: int, launch_dbm: float) -> Comb:
    """Build the comb of all channels of one fibre pair of a link, adjacent in the middle of the band."""
    part = reader.catalogue.get(state.parts[state["link_transceiver"][link]])
    n = int(state["link_n_channels"][link])
    spacing_ghz = reader.part(part.id, "spacing_ghz")
    first_thz = BAND_CENTRE_THZ - (n - 1) * spacing_ghz / 2e3
    return Comb.grid(n, first_thz, spacing_ghz, part.modes[0].baud_gbd, launch_dbm)


def nf_growth_db(state: State, reader: FigureReader, ageing: AgeingCase, later_years: Floats | float) -> Floats:
    """Compute how much each amplifier's noise figure has grown with age, by row of `span_*`.

    `later_years`: years after the day of the state: a number, or float64[n_spans].
    """
    if not (state["span_amplifier"] >= 0).any():
        return np.zeros(len(state["span_amplifier"]))
    age_years = np.maximum(np.nan_to_num(state["span_amplifier_age_years"] + later_years), 0.0)
    return np.asarray(age_years * reader.general("amplifier_nf_growth_db_per_year", ageing))


def worst_gsnr_db(
    state: State,
    reader: FigureReader,
    paths: OpticalPaths,
    spans: SpanLoss,
    shortfall_db: Floats,
    growth_db: Floats,
    into_fibre_dbm: Floats,
) -> Floats:
    """Compute the GSNR of the worst channel of each coherent amplified path.

    Equal paths are computed once.

    Args:
        state: columns of the network.
        reader: source of figures.
        paths: optical paths.
        spans: losses by row of `span_*`.
        shortfall_db: gain that each amplifier lacks, by row of `span_*`.
        growth_db: growth of each amplifier's noise figure, by row of `span_*`.
        into_fibre_dbm: power per channel into the first span, by path.

    Returns:
        float64[N], noise in 0.1 nm; NaN for other paths.
    """
    gsnr_db = np.full(len(paths.kind_of_path), np.nan)
    rows = amplified_paths(state, paths)
    coherent = link_optics(state, reader, paths.link_of_path[rows]) == COHERENT
    computed: dict[tuple[object, ...], float] = {}
    for path in rows[coherent]:
        span_rows = slice(paths.span_first[path], paths.span_last[path])
        path_spans = amplified_spans(state, reader, spans, growth_db, shortfall_db, span_rows)
        comb = comb_of_link(state, reader, int(paths.link_of_path[path]), float(into_fibre_dbm[path]))
        key = (_columns_as_bytes(path_spans), _columns_as_bytes(comb))
        if key not in computed:
            fibre_db = path_spans.loss_db_per_km * path_spans.length_km
            lost_db = (fibre_db + path_spans.before_db + path_spans.after_db).sum()
            too_lossy = lost_db > len(path_spans.length_km) * MAX_MEAN_SPAN_LOSS_DB
            computed[key] = MIN_GSNR_DB if too_lossy else float(line_noise(path_spans, comb).gsnr_01nm_db.min())
        gsnr_db[path] = computed[key]
    return gsnr_db


def _columns_as_bytes(columns: AmplifiedSpans | Comb) -> tuple[bytes, ...]:
    return tuple(getattr(columns, name).tobytes() for name in columns.__dataclass_fields__)
