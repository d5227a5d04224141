"""Power budgets: loss and power of each optical path from its transmitter to its receiver, at any time."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..arrays import Floats, Ints, State
from ..arrays.boosters import terminal_loss_db
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from .amplification import Amplification, amplify
from .amplified_lines import unrestored_db
from .fibre import SpanLoss, span_loss
from .optical_paths import OPTICS, OpticalPaths, link_optics

N_PATCH_CONNECTORS = 2
"""Mated pairs of an indoor optical patch, one at each end."""


class ReceivedPower(NamedTuple):
    """Power at the receivers at one time, and what leads to it."""

    spans: SpanLoss
    droop_db: Floats
    """Transmit power that the laser has lost, by path."""
    amplification: Amplification
    received_dbm: Floats
    """Modelled power per channel at the receiver, by path."""


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
        self._droop_db_per_year = reader.general("laser_droop_db_per_year", ageing) if self._has_laser.any() else 0.0

    def received(self, later: Floats) -> ReceivedPower:
        """Compute the received power and what leads to it, some years after the day of the state.

        Args:
            later: years by kind of link, float64[K].
        """
        state, reader, paths = self._state, self._reader, self._paths
        spans = span_loss(state, reader, self._ageing, paths.spread_to_spans(later))
        droop_db = np.where(self._has_laser, self._droop_db_per_year * self._transmitter_age_years(later), 0.0)
        transmitted_dbm = self.launch_dbm - droop_db - self.terminal_loss_db / 2.0
        amplification = amplify(state, reader, paths, spans, self.launch_dbm, transmitted_dbm, droop_db)
        lost_db = unrestored_db(state, paths, spans, amplification)
        received_dbm = amplification.into_fibre_dbm - self.terminal_loss_db / 2.0 - lost_db
        return ReceivedPower(spans, droop_db, amplification, received_dbm)

    def _transmitter_age_years(self, later: Floats) -> Floats:
        """Age of each path's transmitter; without a date it ages from the day when its power was measured."""
        state, link = self._state, self._paths.link_of_path
        fitted, since = state["link_age_years"][link], state["link_measured_years"][link]
        later = later[self._paths.kind_of_path]
        reference = np.where(np.isnan(fitted), since, fitted)
        return np.where(np.isnan(reference), 0.0, np.maximum(np.nan_to_num(reference + later), 0.0))

    def _terminal_loss_db(self, link: Ints) -> Floats:
        reader, paths = self._reader, self._paths
        loss_db = terminal_loss_db(self._state, reader)[link]
        is_patch = self._has_laser & (paths.span_first == paths.span_last)
        if is_patch.any():
            loss_db[is_patch] += N_PATCH_CONNECTORS * reader.general("connector_db")
        return np.asarray(loss_db)


def amplification_as_built(state: State, reader: FigureReader, paths: OpticalPaths) -> Amplification:
    """Compute boosters and amplifiers of lines as they were built: new fibre and lasers, without splices.

    A measured loss replaces the loss of its span. Ageing is judged by the link budget.
    """
    power = PowerBudget(state, reader, paths, "value")
    spans = span_loss(state, reader, "value")
    zero, measured_db = np.zeros(len(spans.fibre_db)), state["span_measured_loss_db"]
    new_db = spans.fibre_db + spans.connectors_db + spans.lumped_db
    built = replace(
        spans,
        ageing_db=zero,
        splices_db=zero,
        repairs_db=zero,
        correction_db=np.where(np.isnan(measured_db), 0.0, measured_db - new_db),
    )
    transmitted_dbm = power.launch_dbm - power.terminal_loss_db / 2.0
    no_droop_db = np.zeros(len(transmitted_dbm))
    return amplify(state, reader, paths, built, power.launch_dbm, transmitted_dbm, no_droop_db)
