"""Amplified optical paths: unrestored loss, and GSNR of the worst channel at the receiver."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import NamedTuple

import numpy as np

from ..arrays import Floats, State
from ..arrays.boosters import booster_codes
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from .amplification import Amplification
from .fibre import SpanLoss
from .gn_model import AmplifiedSpans, Comb, line_noise
from .optical_paths import COHERENT, OpticalPaths, link_optics

MAX_MEAN_SPAN_LOSS_DB, MIN_GSNR_DB = 300.0, -300.0
"""Above this mean loss of its spans a path is not modelled, since floats cannot hold the power; its GSNR is MIN."""
BAND_CENTRE_THZ = 193.7
"""Middle of the C band, 191.3 to 196.1 THz; channels are placed symmetrically around it."""


def unrestored_db(state: State, paths: OpticalPaths, spans: SpanLoss, amplification: Amplification) -> Floats:
    """Compute the loss of each path that no amplifier restores, float64[N].

    It is the loss behind the last amplifier, less the level there. Without amplifiers it is the whole loss.
    """
    rows = np.arange(len(paths.path_of_span))
    last = np.full(len(paths.kind_of_path) + 1, -1)
    amplified = state["span_amplifier"] >= 0
    np.maximum.at(last, paths.path_of_span[amplified], rows[amplified])
    behind_last = rows > last[paths.path_of_span]
    at_last = rows == last[paths.path_of_span]
    lost_db = np.where(behind_last, spans.total_db, np.where(at_last, -amplification.level_db, 0.0))
    return paths.sum_over_spans(lost_db)


def amplified_spans(
    state: State,
    reader: FigureReader,
    spans: SpanLoss,
    amplification: Amplification,
    growth: NoiseGrowth,
    paths: OpticalPaths,
    path: int,
) -> AmplifiedSpans:
    """Convert the spans of a path to the input of the GN model, without its booster.

    Half of a span's connectors are before its fibre. A measured loss scales every loss of its span. The GN model
    restores the power into the first span, so what an amplifier lacks counts as loss before the next span.

    Args:
        state: columns of the network.
        reader: source of figures.
        spans: losses by row of `span_*`.
        amplification: boosters and amplifiers.
        growth: growth of noise figures with age.
        paths: optical paths.
        path: one path.

    Returns:
        The spans in order.
    """
    rows = slice(int(paths.span_first[path]), int(paths.span_last[path]))
    fibre = state["span_fibre"][rows]

    def figure(name: str) -> Floats:
        return reader.by_code(state.parts, fibre, name, "fibre")

    scale, length_km = spans.measured_ratio[rows], state["span_length_km"][rows]
    connectors_db = spans.connectors_db[rows] * scale
    level_before_db = np.append(0.0, amplification.level_db[rows][:-1])
    points_db = (spans.splices_db + spans.repairs_db + spans.lumped_db)[rows] * scale
    return AmplifiedSpans(
        length_km=length_km,
        loss_db_per_km=(spans.fibre_db + spans.ageing_db)[rows] * scale / length_km,
        before_db=connectors_db / 2.0 - level_before_db,
        after_db=connectors_db / 2.0 + points_db,
        dispersion_ps_per_nm_km=figure("dispersion_ps_per_nm_km"),
        effective_area_um2=figure("effective_area_um2"),
        pmd_ps_per_sqrt_km=figure("pmd_ps_per_sqrt_km"),
        # a span without an amplifier adds no noise and restores nothing
        noise_figure_db=(amplification.noise_figure_db + growth.amplifier_db)[rows],
        group_index_ratio=figure("group_index_ratio"),
    )


def with_booster(
    line: AmplifiedSpans, amplification: Amplification, growth: NoiseGrowth, path: int, launch_dbm: float
) -> AmplifiedSpans:
    """Put the booster of a path, if it has one, before the spans of its line.

    The booster is an amplifier behind a span of no length that loses what the booster gains.

    Args:
        line: spans of the path.
        amplification: boosters and amplifiers.
        growth: growth of noise figures with age.
        path: the path.
        launch_dbm: power per channel into the first span; the power into the booster stays.
    """
    net_gain_db = float(amplification.booster_net_gain_db[path] + launch_dbm - amplification.into_fibre_dbm[path])
    if np.isnan(net_gain_db):
        return line
    noise_db = float(amplification.booster_noise_figure_db[path] + growth.booster_db[path])
    first = {spec.name: getattr(line, spec.name)[:1] for spec in fields(line)}
    first |= {
        "length_km": np.zeros(1),
        "before_db": np.array([net_gain_db]),
        "after_db": np.zeros(1),
        "noise_figure_db": np.array([noise_db]),
    }
    return AmplifiedSpans(**{name: np.concatenate((value, getattr(line, name))) for name, value in first.items()})


def comb_of_link(state: State, reader: FigureReader, link: int, launch_dbm: float) -> Comb:
    """Build the comb of all channels of one fibre pair of a link, adjacent in the middle of the band.

    Channels beyond the band do not count.
    """
    part = reader.catalogue.get(state.parts[state["link_transceiver"][link]])
    spacing_ghz = reader.part(part.id, "spacing_ghz")
    n_in_band = max(int(1e3 * reader.general("c_band_thz") // spacing_ghz), 1)
    n = min(int(state["link_n_channels"][link]), n_in_band)
    first_thz = BAND_CENTRE_THZ - (n - 1) * spacing_ghz / 2e3
    return Comb.grid(n, first_thz, spacing_ghz, part.modes[0].baud_gbd, launch_dbm)


class NoiseGrowth(NamedTuple):
    """Growth of noise figures with age, in dB."""

    amplifier_db: Floats
    """By row of `span_*`."""
    booster_db: Floats
    """By path; a booster is as old as the transceivers."""


def noise_growth(
    state: State, reader: FigureReader, paths: OpticalPaths, ageing: AgeingCase, later: Floats
) -> NoiseGrowth:
    """Compute how much noise figures have grown with age.

    `later`: years after the day of the state by kind of link, float64[K].
    """
    link, has_booster = paths.link_of_path, booster_codes(state, reader)[paths.link_of_path] >= 0
    growth = NoiseGrowth(np.zeros(len(state["span_amplifier"])), np.zeros(len(link)))
    if not (state["span_amplifier"] >= 0).any() and not has_booster.any():
        return growth
    db_per_year = reader.general("amplifier_nf_growth_db_per_year", ageing)
    age_years = state["span_amplifier_age_years"] + paths.spread_to_spans(later)
    booster_years = np.where(has_booster, state["link_age_years"][link] + later[paths.kind_of_path], 0.0)
    return NoiseGrowth(*(np.maximum(np.nan_to_num(years), 0.0) * db_per_year for years in (age_years, booster_years)))


def worst_gsnr_db(
    state: State,
    reader: FigureReader,
    paths: OpticalPaths,
    spans: SpanLoss,
    amplification: Amplification,
    growth: NoiseGrowth,
) -> Floats:
    """Compute the GSNR of the worst channel of each coherent amplified path.

    Equal paths are computed once.

    Args:
        state: columns of the network.
        reader: source of figures.
        paths: optical paths.
        spans: losses by row of `span_*`.
        amplification: boosters and amplifiers.
        growth: growth of noise figures with age.

    Returns:
        float64[N], noise in 0.1 nm; NaN for other paths.
    """
    gsnr_db = np.full(len(paths.kind_of_path), np.nan)
    rows = amplification.rows
    coherent = link_optics(state, reader, paths.link_of_path[rows]) == COHERENT
    computed: dict[tuple[object, ...], float] = {}
    for path in rows[coherent].tolist():
        path_spans = amplified_spans(state, reader, spans, amplification, growth, paths, path)
        launch_dbm = float(amplification.into_fibre_dbm[path])
        path_spans = with_booster(path_spans, amplification, growth, path, launch_dbm)
        comb = comb_of_link(state, reader, int(paths.link_of_path[path]), launch_dbm)
        key = (_columns_as_bytes(path_spans), _columns_as_bytes(comb))
        if key not in computed:
            fibre_db = path_spans.loss_db_per_km * path_spans.length_km
            lost_db = (fibre_db + path_spans.before_db + path_spans.after_db).sum()
            too_lossy = lost_db > len(path_spans.length_km) * MAX_MEAN_SPAN_LOSS_DB
            worst_db = math.nan if too_lossy else float(line_noise(path_spans, comb).gsnr_01nm_db.min())
            # without a value the nonlinear noise would exceed the signal
            computed[key] = MIN_GSNR_DB if math.isnan(worst_db) else worst_db
        gsnr_db[path] = computed[key]
    return gsnr_db


def _columns_as_bytes(columns: AmplifiedSpans | Comb) -> tuple[bytes, ...]:
    return tuple(getattr(columns, name).tobytes() for name in columns.__dataclass_fields__)
