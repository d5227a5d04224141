"""Boosters of links: those that records name, and those that stated launch powers need."""

from __future__ import annotations

import numpy as np

from ..catalogue.figure_reader import FigureReader
from .columns import Bools, Floats, Ints
from .state import State

ASSUMED_BOOSTER = "EDFA-booster"
"""Part that is assumed where a link states a launch power that its transceiver does not reach."""
REACHED_DB = 1e-9
"""A launch power this much above what the transceiver reaches is rounding."""


def booster_parts(state: State) -> tuple[str, ...]:
    """Return the parts that codes of boosters point into: those of the state, then the assumed one."""
    return (*state["parts"], ASSUMED_BOOSTER)


def booster_codes(state: State, reader: FigureReader) -> Ints:
    """Find the booster at each end of each link: the named one, else the assumed one where the launch power needs it.

    A coherent transceiver reaches the upper end of its launch power, minus the loss of multiplexer and protection.

    Returns:
        Index into `booster_parts`, -1 for none; int64[n_links].
    """
    named, stated_dbm = state["link_booster"], state["link_launch_dbm"]
    candidates = (named < 0) & ~np.isnan(stated_dbm) & (np.diff(state["span_first"]) > 0)
    if not candidates.any():
        return named  # type: ignore[no-any-return]
    reach_dbm = highest_launch_dbm(state, reader) - terminal_loss_db(state, reader) / 2.0
    needed = candidates & _coherent(state, reader) & (stated_dbm > reach_dbm + REACHED_DB)
    return np.where(needed, len(state["parts"]), named)


def highest_launch_dbm(state: State, reader: FigureReader) -> Floats:
    """Look up the upper end of the launch power of links that state one; infinite elsewhere, float64[n_links]."""
    transceiver = state["link_transceiver"]
    highest_dbm = np.full(len(state["parts"]) + 1, np.inf)
    for code in _transceivers_with_launch(state):
        part = reader.catalogue.get(state["parts"][code])
        if "launch_dbm" in part.figures:
            reader.part(part.id, "launch_dbm")
            highest_dbm[code] = part.figures["launch_dbm"].high
    return np.where(np.isnan(state["link_launch_dbm"]), np.inf, highest_dbm[transceiver])


def _coherent(state: State, reader: FigureReader) -> Bools:
    is_coherent = np.zeros(len(state["parts"]) + 1, dtype=np.bool_)
    for code in _transceivers_with_launch(state):
        is_coherent[code] = reader.catalogue.get(state["parts"][code]).optics == "coherent"
    return np.asarray(is_coherent[state["link_transceiver"]])


def _transceivers_with_launch(state: State) -> Ints:
    codes = np.unique(state["link_transceiver"][~np.isnan(state["link_launch_dbm"])])
    return codes[codes >= 0]


def terminal_loss_db(state: State, reader: FigureReader) -> Floats:
    """Compute the loss of multiplexers and protection switch of both ends, float64[n_links]."""
    loss_db = 2.0 * reader.by_code(state["parts"], state["link_mux"], "loss_db", "mux", 0.0)
    return np.asarray(loss_db + reader.by_code(state["parts"], state["link_protection"], "loss_db", "protection", 0.0))


def n_boosters(state: State) -> Ints:
    """Count the boosters of each link if it has some: one a direction, fibre pair and optical path; int64[n_links]."""
    n_paths = 1 + state["link_n_regenerators"] + (state["link_protection"] >= 0)
    return np.asarray(2 * state["link_n_fibre_pairs"] * n_paths)
