"""Faults of channels on fibre pairs: no multiplexer or too small a one, a wrong grid, a band that is over-full.

Each rule is checked by itself, so that a change that ends one fault does not uncover another.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..arrays import Floats, State
from ..arrays.cables import cable_runs
from ..catalogue.figure_reader import FigureReader
from ..errors.wording import counted, quoted
from .build_fault import BuildFault

PAIRS_HINT = "light more pairs, or name another cable with a common shared risk for links with pairs of their own"


def band_faults(state: State, reader: FigureReader) -> Iterator[tuple[str, BuildFault]]:
    """Find the faults of channels, by link and by cable that several links share, each with its key."""
    spacing_ghz = reader.by_code(state.parts, state["link_transceiver"], "spacing_ghz", "transceiver")
    band_ghz = 1e3 * reader.general("c_band_thz")
    yield from _link_faults(state, reader, spacing_ghz, band_ghz)
    yield from _cable_faults(state, spacing_ghz, band_ghz)


def _link_faults(
    state: State, reader: FigureReader, spacing_ghz: Floats, band_ghz: float
) -> Iterator[tuple[str, BuildFault]]:
    """Check the channels of each link: a multiplexer with a port and the grid for each, and the band of its pairs."""
    mux_channels = reader.by_code(state.parts, state["link_mux"], "n_channels", "mux")
    mux_spacing_ghz = reader.by_code(state.parts, state["link_mux"], "spacing_ghz", "mux")
    n_pairs = state["link_n_fibre_pairs"]
    on_fibre = (np.diff(state.arrays.span_first) > 0) & (state["link_transceiver"] >= 0)
    for link in np.flatnonzero(on_fibre & (state["link_n_parallel"] > n_pairs)).tolist():
        name, n = state.arrays.link_ids[link], int(state["link_n_parallel"][link])
        pairs, where = counted(int(n_pairs[link]), "fibre pair"), f"links[{name}]"
        is_wdm, has_mux = not np.isnan(spacing_ghz[link]), not np.isnan(mux_channels[link])
        n_ports = int(mux_channels[link] * n_pairs[link]) if has_mux else int(n_pairs[link])
        if not (is_wdm and has_mux):
            problem = f"{n} channels on {pairs} without a multiplexer"
            hint = "name a mux for coherent channels, or a fibre pair for each"
            yield f"mux {name}", BuildFault(where, "mux", float(n), float(n_pairs[link]), problem, hint)
        elif n > n_ports:
            problem = f"{n} channels; the multiplexers have {n_ports} ports"
            ports = float(n), float(n_ports)
            yield f"mux {name}", BuildFault(where, "n_channels", *ports, problem, "take a larger mux")
        if not is_wdm:
            continue
        n_channels_max = int(band_ghz // spacing_ghz[link]) * int(n_pairs[link])
        if n > n_channels_max:
            problem = f"{n} channels of {spacing_ghz[link]:g} GHz; room for {n_channels_max} on {pairs}"
            band = float(n), float(n_channels_max)
            yield f"band {name}", BuildFault(where, "c_band_thz", *band, problem, "light more pairs")
        if mux_spacing_ghz[link] < spacing_ghz[link]:
            problem = f"channels of {spacing_ghz[link]:g} GHz do not pass a {mux_spacing_ghz[link]:g} GHz mux"
            grid = float(spacing_ghz[link]), float(mux_spacing_ghz[link])
            yield f"grid {name}", BuildFault(where, "spacing_ghz", *grid, problem, "change the mux too")


def _cable_faults(state: State, spacing_ghz: Floats, band_ghz: float) -> Iterator[tuple[str, BuildFault]]:
    """Check the channels of all links on a cable, which share the band of its pairs.

    A cable has as many pairs as the link on it that uses most. A member without wavelength multiplexing takes a pair.
    """
    if not (state["span_cable"] >= 0).any():
        return
    for cable, runs in cable_runs(state).items():
        links = np.unique([run.link for run in runs])
        links = links[state["link_transceiver"][links] >= 0]
        if len(links) < 2:
            continue
        n_pairs, n_channels = int(state["link_n_fibre_pairs"][links].max()), state["link_n_parallel"][links]
        where, is_wdm = f"links[{state.link_ids[links[0]]}]", ~np.isnan(spacing_ghz[links])
        place = f"on {counted(n_pairs, 'fibre pair')} of cable {quoted(cable)}, which {len(links)} links share"
        n_alone, n = int(n_channels[~is_wdm].sum()), int(n_channels[is_wdm].sum())
        if n_alone + is_wdm.any() > n_pairs:
            limit = float(n_pairs - is_wdm.any())
            problem = f"{counted(n_alone, 'member')} without wavelength multiplexing {place}"
            yield (
                f"pairs {cable}",
                BuildFault(where, "n_fibre_pairs", float(n_alone), limit, problem, PAIRS_HINT, is_shared=True),
            )
        if n == 0:
            continue
        mean_ghz = float((n_channels * spacing_ghz[links])[is_wdm].sum()) / n
        n_most = int(band_ghz // mean_ghz) * n_pairs
        if n > n_most:
            problem = f"{n} channels of {mean_ghz:g} GHz; room for {n_most} {place}"
            yield (
                f"band of {cable}",
                BuildFault(where, "c_band_thz", float(n), float(n_most), problem, PAIRS_HINT, is_shared=True),
            )
