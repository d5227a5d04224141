"""Faults of optical lines as built: technology, power beyond the model, gain and output power of amplifiers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..arrays import State
from ..arrays.boosters import booster_parts, highest_launch_dbm
from ..catalogue.figure_reader import FigureReader
from ..optics.amplification import Amplification, amplified_paths
from ..optics.amplified_lines import comb_of_link
from ..optics.gn_model import outside_validity
from ..optics.optical_paths import COHERENT, OpticalPaths, link_optics, optical_paths_of
from ..optics.power_budget import amplification_as_built
from .build_fault import BuildFault

TOLERANCE_DB = 1e-9
"""A smaller excess is rounding."""
HINTS = {
    "max_gain_db": "shorter spans, less loss in them, or an amplifier with more gain",
    "max_output_dbm": "fewer channels a pair, less power in each, or a stronger amplifier",
    "launch_dbm": "less power in each channel",
    "total_power_dbm": "fewer channels a pair, or less power in each",
}
"""Hints that lessen the excess of each rule."""


def line_faults(state: State, reader: FigureReader) -> Iterator[tuple[str, BuildFault]]:
    """Find the faults of amplified lines and of launch powers, each with its key."""
    yield from _launch_faults(state, reader)
    paths = optical_paths_of(state, reader)
    if not len(amplified_paths(state, reader, paths)):
        return
    optics = link_optics(state, reader)
    amplification = amplification_as_built(state, reader, paths)
    for path in amplification.rows.tolist():
        link = int(paths.link_of_path[path])
        name = state.arrays.link_ids[link]
        where = f"links[{name}]"
        if optics[link] != COHERENT:
            label = state.part_id(state["link_transceiver"][link])
            if label is not None:
                problem = f"{label} does not run over amplifiers"
                fault = BuildFault(where, "optics", label, "coherent", problem, "take a coherent part")
                yield f"amplifier {name}", fault
            continue
        comb = comb_of_link(state, reader, link, amplification.wanted_launch_dbm(path))
        place = f"{name} path {path - paths.first_path[paths.kind_of_path[path]]}"
        for rule, value, limit, problem in outside_validity(comb):
            yield f"{rule} {place}", BuildFault(where, rule, value, limit, problem, HINTS[rule])
        yield from _amplifier_faults(state, reader, paths, amplification, path)


def _launch_faults(state: State, reader: FigureReader) -> Iterator[tuple[str, BuildFault]]:
    """Find stated launch powers that a transceiver does not give and for which no booster is assumed."""
    stated_dbm = state["link_launch_dbm"]
    if np.isnan(stated_dbm).all():
        return
    limit_dbm = highest_launch_dbm(state, reader)
    optics = link_optics(state, reader)
    for link in np.flatnonzero((stated_dbm > limit_dbm) & (optics != COHERENT)):
        name, part = state.arrays.link_ids[link], state.part_id(state["link_transceiver"][link])
        problem = f"launch of {stated_dbm[link]:g} dBm: {part} gives at most {limit_dbm[link]:g} dBm"
        value, limit = float(stated_dbm[link]), float(limit_dbm[link])
        yield f"launch {name}", BuildFault(f"links[{name}]", "launch_dbm", value, limit, problem, HINTS["launch_dbm"])


def _amplifier_faults(
    state: State, reader: FigureReader, paths: OpticalPaths, amplification: Amplification, path: int
) -> Iterator[tuple[str, BuildFault]]:
    """Find the booster and the amplifiers of a path that lack gain or output power."""
    names, link = booster_parts(state), int(paths.link_of_path[path])
    link_id, first = state.arrays.link_ids[link], int(state.arrays.span_first[link])
    total_db = 10.0 * np.log10(max(int(state["link_n_channels"][link]), 1))
    if amplification.booster[path] >= 0:
        part, gain_db = names[amplification.booster[path]], float(amplification.booster_wanted_gain_db[path])
        output_dbm = amplification.wanted_launch_dbm(path) + float(state["link_booster_voa_db"][link])
        for key, fault in _limits(reader, part, f"links[{link_id}].booster", gain_db, output_dbm + total_db):
            yield f"{key} {link_id} booster {path - paths.first_path[paths.kind_of_path[path]]}", fault
    for row in range(int(paths.span_first[path]), int(paths.span_last[path])):
        if state["span_amplifier"][row] < 0:
            continue
        part, gain_db = names[state["span_amplifier"][row]], float(amplification.wanted_gain_db[row])
        output_dbm = float(amplification.into_fibre_dbm[path] + amplification.input_db[row]) + gain_db
        where = f"links[{link_id}].spans[{row - first}]"
        for key, fault in _limits(reader, part, where, gain_db, output_dbm + total_db):
            yield f"{key} {link_id} span {row - first}", fault


def _limits(
    reader: FigureReader, part: str, where: str, gain_db: float, total_dbm: float
) -> Iterator[tuple[str, BuildFault]]:
    """Compare the gain and the total output power of an amplifier with the limits of its part."""
    for rule, value, limit, unit in (
        ("max_gain_db", gain_db, reader.part_or(part, "max_gain_db", np.inf), "dB"),
        ("max_output_dbm", total_dbm, reader.part_or(part, "max_output_dbm", np.inf), "dBm"),
    ):
        if value > limit + TOLERANCE_DB:
            problem = f"{part} gives {limit:g} {unit}; {value:.1f} {unit} are asked for"
            yield f"amplifier {rule}", BuildFault(where, rule, float(value), float(limit), problem, HINTS[rule])
