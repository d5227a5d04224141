"""Glass and what stands in it: the loss of every span, as new, as it ages, and as it was measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Floats, State
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from .optical_paths import OPTICS, link_optics


@dataclass(frozen=True, eq=False)
class SpanLoss:
    """Loss of each span by row of `span_*`, in dB, by what makes it."""

    fibre_db: Floats
    ageing_db: Floats
    """Growth of the glass' attenuation since it was laid."""
    connectors_db: Floats
    splices_db: Floats
    repairs_db: Floats
    """Splices of the cuts to be expected since the glass was laid."""
    lumped_db: Floats
    correction_db: Floats
    """What a measurement found beyond the model of that day; negative where the span is better."""

    @property
    def total_db(self) -> Floats:
        """All of a span's loss."""
        modelled = self.fibre_db + self.ageing_db + self.connectors_db + self.splices_db + self.repairs_db
        return np.asarray(modelled + self.lumped_db + self.correction_db)

    @property
    def measured_ratio(self) -> Floats:
        """All of a span's loss over what the model alone says: the line model scales every part of a span by it."""
        total = self.total_db
        modelled = total - self.correction_db
        return np.asarray(np.divide(total, modelled, out=np.ones_like(total), where=modelled > 0))


def span_loss(state: State, reader: FigureReader, ageing: AgeingCase, later_years: Floats | float = 0.0) -> SpanLoss:
    """Loss of every span, `later_years` (a number, or one for each span) after the state's day.

    Cuts come at a steady rate per km and year and leave two splices each; attenuation grows by a share of its first
    value a year. Both are models with a low, central and high case, the least certain part of the answer. A measured
    loss stands in the place of the model on its day; from then on only what ages is added.
    """
    if not len(state["span_length_km"]):
        return SpanLoss(*(np.zeros(0) for _ in range(7)))
    age, measured_age = _ages(state, later_years)
    length_km = state["span_length_km"]
    glass = length_km * _attenuation_db_per_km(state, reader)
    splice_db = reader.general("splice_db")
    growth_db = glass * reader.general("attenuation_growth_ratio_per_year", ageing)
    cuts = reader.general("n_cuts_per_km_year", ageing) * length_km
    repair_db = cuts * reader.general("n_splices_per_cut") * splice_db
    connectors = state["span_n_connectors"] * reader.general("connector_db")
    splices = state["span_n_splices"] * splice_db
    lumped = state["span_lumped_loss_db"]
    new = glass + connectors + splices + lumped
    on_its_day = new + (growth_db + repair_db) * measured_age
    correction = np.where(np.isnan(measured_age), 0.0, state["span_measured_loss_db"] - on_its_day)
    return SpanLoss(glass, growth_db * age, connectors, splices, repair_db * age, lumped, correction)


def _attenuation_db_per_km(state: State, reader: FigureReader) -> Floats:
    """Of new glass at 1550 nm, or at 1310 nm under direct-detect optics, which live there, if the fibre states it."""
    fibre = state["span_fibre"]
    at_1550 = reader.by_code(state.parts, fibre, "attenuation_db_per_km", "fibre")
    links = state["span_link"]
    direct = link_optics(state, reader, links) == OPTICS.index("direct_detect")
    if not direct.any():
        return at_1550
    at_1310 = reader.by_code(state.parts, np.where(direct, fibre, -1), "attenuation_1310_db_per_km", "fibre")
    return np.where(np.isnan(at_1310), at_1550, at_1310)


def _ages(state: State, later_years: Floats | float) -> tuple[Floats, Floats]:
    """(age of each span, its age when it was measured or NaN); glass without a date ages from its measurement on."""
    laid, since = state["span_age_years"], state["span_measured_years"]
    age = np.where(np.isnan(laid), 0.0, np.maximum(np.nan_to_num(laid + later_years), 0.0))
    measured_age = np.where(np.isnan(since), np.nan, np.maximum(np.nan_to_num(laid - since), 0.0))
    return np.where(np.isnan(since), age, np.nan_to_num(measured_age) + since + later_years), measured_age


def dispersion_ps_per_nm(state: State, reader: FigureReader) -> Floats:
    """Chromatic dispersion of each span."""
    per_km = reader.by_code(state.parts, state["span_fibre"], "dispersion_ps_per_nm_km", "fibre")
    return np.asarray(per_km * state["span_length_km"])


def pmd_squared_ps2(state: State, reader: FigureReader) -> Floats:
    """Square of the mean polarisation mode dispersion of each span; spans of a line add."""
    per_root_km = reader.by_code(state.parts, state["span_fibre"], "pmd_ps_per_sqrt_km", "fibre")
    return np.asarray(per_root_km**2 * state["span_length_km"])
