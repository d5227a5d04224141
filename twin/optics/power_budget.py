"""Power budgets: loss and power of each optical path from its transmitter to its receiver, at any time."""

from __future__ import annotations

import numpy as np

from ..arrays import Floats, Ints, State
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from .amplified_lines import amplified_paths, gain_shortfall_db, unrestored_db
from .fibre import SpanLoss, span_loss
from .optical_paths import OPTICS, OpticalPaths, link_optics

N_PATCH_CONNECTORS = 2
"""Mated pairs of an indoor optical patch, one at each end."""


class PowerBudget:
    """Power from the transmitter to the receiver of each path, at any time."""

    def __init__(self, state: State, reader: FigureReader, paths: OpticalPaths, ageing: AgeingCase) -> None:
        self._state, self._reader, self._paths, self._ageing = state, reader, paths, ageing
        link = paths.link_of_path
        part = state["link_transceiver"][link]
        self.launch_dbm = reader.by_code(state.parts, part, "launch_dbm", "transceiver")
        self._has_laser = link_optics(state, reader, link) >= OPTICS.index("direct_detect")
        self.terminal_loss_db = self._terminal_loss_db(link)
        """Multiplexers and protection switch of both ends, or patch cords where there are no spans."""
        self.stated_dbm = state["link_launch_dbm"][link]
        self._droop_db_per_year = reader.general("laser_droop_db_per_year", ageing) if self._has_laser.any() else 0.0
        self._amplified = np.zeros(len(paths.kind_of_path), dtype=np.bool_)
        self._amplified[amplified_paths(state, paths)] = True

    def received(self, later: Floats) -> tuple[SpanLoss, Floats, Floats, Floats]:
        """Compute the received power and what reduces it, some years after the day of the state.

        Args:
            later: years by kind of link, float64[K].

        Returns:
            Span loss, gain shortfall of amplifiers by row of `span_*`, laser droop and modelled received power by path.
        """
        paths = self._paths
        spans = span_loss(self._state, self._reader, self._ageing, paths.spread_to_spans(later))
        droop_db = np.where(self._has_laser, self._droop_db_per_year * self._transmitter_age_years(later), 0.0)
        shortfall_db = gain_shortfall_db(self._state, self._reader, paths, spans)
        lost_db = unrestored_db(self._state, paths, spans, shortfall_db)
        received_dbm = self.into_fibre_dbm(droop_db) - self.terminal_loss_db / 2.0 - lost_db
        return spans, shortfall_db, droop_db, received_dbm

    def into_fibre_dbm(self, droop_db: Floats) -> Floats:
        """Power per channel into the first span: as stated, or the transmitter's minus half the terminal loss.

        An amplified path keeps the stated power; without amplifiers it droops with the laser.
        """
        stated_dbm = self.stated_dbm - np.where(self._amplified, 0.0, droop_db)
        return np.where(np.isnan(stated_dbm), self.launch_dbm - droop_db - self.terminal_loss_db / 2.0, stated_dbm)

    def _transmitter_age_years(self, later: Floats) -> Floats:
        """Age of each path's transmitter; without a date it ages from the day when its power was measured."""
        state, link = self._state, self._paths.link_of_path
        fitted, since = state["link_age_years"][link], state["link_measured_years"][link]
        later = later[self._paths.kind_of_path]
        reference = np.where(np.isnan(fitted), since, fitted)
        return np.where(np.isnan(reference), 0.0, np.maximum(np.nan_to_num(reference + later), 0.0))

    def _terminal_loss_db(self, link: Ints) -> Floats:
        state, reader, paths = self._state, self._reader, self._paths
        loss_db = 2.0 * reader.by_code(state.parts, state["link_mux"][link], "loss_db", "mux", 0.0)
        protection = state["link_protection"][link]
        loss_db += reader.by_code(state.parts, protection, "loss_db", "protection", 0.0)
        is_patch = self._has_laser & (paths.span_first == paths.span_last)
        if is_patch.any():
            loss_db[is_patch] += N_PATCH_CONNECTORS * reader.general("connector_db")
        return np.asarray(loss_db)


def compute_launch_conditions(
    state: State, reader: FigureReader, paths: OpticalPaths, ageing: AgeingCase
) -> tuple[SpanLoss, Floats]:
    """Compute span losses and launch powers on the day of the state, without any receiver.

    Returns:
        Loss of the spans, and the power per channel into the first span of each path, float64[N].
    """
    power = PowerBudget(state, reader, paths, ageing)
    spans, _, droop_db, _ = power.received(np.zeros(paths.n_kinds))
    return spans, power.into_fibre_dbm(droop_db)
