"""Links over amplified spans: GSNR of the worst channel at the receiver, from the glass and amplifiers as they are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..arrays import Floats, Ints, State
from .figures import FigureReader
from .optical_line import AmplifiedSpans, Comb, line_noise

BAND_CENTRE_THZ = 193.7
"""Middle of the C band, 191.3 to 196.1 THz; channels are lit from here outwards."""


@dataclass(frozen=True, eq=False)
class SpanLoss:
    """Loss of each span, by row of `span_*`: glass in dB/km with its age, and what stands in it, dB."""

    glass_db_per_km: Floats
    connectors_db: Floats
    points_db: Floats
    """Splices and lumped losses."""

    def total_db(self, length_km: Floats) -> Floats:
        """All of a span's loss."""
        return np.asarray(self.glass_db_per_km * length_km + self.connectors_db + self.points_db)


def amplified_links(state: State) -> Ints:
    """Rows of links with an amplifier in one of their spans."""
    return np.unique(state.arrays.span_link[state["span_amplifier"] >= 0])


def line_of_link(
    state: State, reader: FigureReader, loss: SpanLoss, nf_growth_db_per_year: float, link: int
) -> AmplifiedSpans:
    """The spans of a link as the line model takes them; half of a span's connectors stand before its fibre."""
    rows = slice(*state.arrays.span_first[link : link + 2])
    fibre = state["span_fibre"][rows]

    def figure(name: str) -> Floats:
        return reader.by_code(state.parts, fibre, name, "fibre")

    noise_db = reader.by_code(state.parts, state["span_amplifier"][rows], "noise_figure_db", "amplifier")
    age = np.maximum(np.nan_to_num(state["span_age_years"][rows]), 0.0)
    connectors = loss.connectors_db[rows]
    return AmplifiedSpans(
        length_km=state["span_length_km"][rows],
        loss_db_per_km=loss.glass_db_per_km[rows],
        before_db=connectors / 2.0,
        after_db=connectors / 2.0 + loss.points_db[rows],
        dispersion_ps_per_nm_km=figure("dispersion_ps_per_nm_km"),
        effective_area_um2=figure("effective_area_um2"),
        pmd_ps_per_sqrt_km=figure("pmd_ps_per_sqrt_km"),
        # a span without an amplifier adds no noise and restores nothing
        noise_figure_db=np.where(np.isnan(noise_db), -np.inf, noise_db + nf_growth_db_per_year * age),
        group_index_ratio=figure("group_index_ratio"),
    )


def comb_of_link(state: State, reader: FigureReader, link: int, launch_dbm: float) -> Comb:
    """All channels of one fibre pair of a link, side by side in the middle of the band."""
    part = reader.catalogue.get(state.parts[state["link_transceiver"][link]])
    n = math.ceil(state["link_n_parallel"][link] / state["link_n_fibre_pairs"][link])
    spacing_ghz = reader.part(part.id, "spacing_ghz")
    first_thz = BAND_CENTRE_THZ - (n - 1) * spacing_ghz / 2e3
    return Comb.grid(n, first_thz, spacing_ghz, part.modes[0].baud_gbd, launch_dbm)


def fibre_launch_dbm(state: State, reader: FigureReader, link: int) -> float:
    """Power per channel into the first span: as the link says, else the transceiver's less the multiplexer."""
    stated = float(state["link_launch_dbm"][link])
    if not math.isnan(stated):
        return stated
    return reader.part(state.parts[state["link_transceiver"][link]], "launch_dbm") - _mux_db(state, reader, link)


def _mux_db(state: State, reader: FigureReader, link: int) -> float:
    mux = state["link_mux"][link]
    return reader.part(state.parts[mux], "loss_db") if mux >= 0 else 0.0


def worst_gsnr(
    state: State, reader: FigureReader, loss: SpanLoss, nf_growth_db_per_year: float, link: int, droop_db: float
) -> tuple[float, float]:
    """(received dBm, GSNR of the worst channel in 0.1 nm) of an amplified coherent link, behind the demultiplexer.

    Amplifiers restore what stands before them, so the power at the end is the launch less spans after the last one.
    """
    launch = fibre_launch_dbm(state, reader, link)
    if math.isnan(state["link_launch_dbm"][link]):
        launch -= droop_db
    spans = line_of_link(state, reader, loss, nf_growth_db_per_year, link)
    noise = line_noise(spans, comb_of_link(state, reader, link, launch))
    rows = slice(*state.arrays.span_first[link : link + 2])
    last = int(np.flatnonzero(state["span_amplifier"][rows] >= 0)[-1])
    tail_db = (spans.loss_db_per_km * spans.length_km + spans.before_db + spans.after_db)[last + 1 :].sum()
    return launch - float(tail_db) - _mux_db(state, reader, link), float(noise.gsnr_01nm_db.min())
