"""Noise figure of an amplifier by its gain or input power."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..arrays import Floats
from ..catalogue.figure_reader import FigureReader
from ..catalogue.records import NOISE_LAW_FIGURES
from ..catalogue.two_stage_noise import Stages, two_stages

OPENROADM_SLOT_GHZ = 50.0
"""Width of spectrum that a noise figure by input power refers to; OpenROADM, quoted by GNPy 3.0.1."""


@dataclass(frozen=True, eq=False)
class NoiseFigure:
    """Noise figure of an amplifier part: points with linear interpolation, or two stages."""

    at: Floats
    """Gains in dB, or input powers in dBm per 50 GHz, ascending."""
    noise_db: Floats
    by_input: bool
    stages: Stages | None
    min_gain_db: float
    """Below this gain an input pad adds 1 dB for each dB."""

    def at_db(self, gain_db: float, input_dbm: float) -> float:
        """Compute the noise figure at a gain in dB and an input power in dBm per 50 GHz."""
        if self.by_input:
            return float(np.interp(input_dbm, self.at, self.noise_db))
        used_db = max(gain_db, self.min_gain_db)
        pad_db = used_db - gain_db
        if self.stages is not None:
            return self.stages.noise_figure_db(used_db) + pad_db
        return float(np.interp(used_db, self.at, self.noise_db)) + pad_db


def noise_figure_of(reader: FigureReader, part_id: str) -> NoiseFigure:
    """Return the noise figure of an amplifier part as a function of gain and input power.

    A part states one of: points by gain or input power, a law between its least and its most gain, or one figure.
    """
    part = reader.catalogue.get(part_id, "amplifier")
    if part.noise_figures:
        points = [
            (point.at, reader.note(part_id, f"noise_figure_db at {point.at:g}", point.noise_figure_db))
            for point in part.noise_figures
        ]
        at, noise_db = np.array(points).T
        return NoiseFigure(at, noise_db, part.noise_figures[0].gain_db is None, None, float(at[0]))
    if part.noise_law is None:
        constant_db = np.array([reader.part(part_id, "noise_figure_db")])
        return NoiseFigure(np.zeros(1), constant_db, False, None, reader.part_or(part_id, "min_gain_db", -math.inf))
    at_min, at_max, low_db, high_db = (reader.part(part_id, name) for name in NOISE_LAW_FIGURES)
    stages = two_stages(low_db, high_db, at_max, at_min) if part.noise_law == "two_stage" else None
    return NoiseFigure(np.array([low_db, high_db]), np.array([at_min, at_max]), False, stages, low_db)


def input_per_slot_dbm(channel_dbm: float, spacing_ghz: float) -> float:
    """Convert a power per channel to the power per 50 GHz."""
    return channel_dbm + 10.0 * math.log10(OPENROADM_SLOT_GHZ / spacing_ghz)
