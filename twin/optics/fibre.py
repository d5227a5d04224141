"""Fibre spans: loss when new, growth with age, and correction by measurements; dispersion and PMD."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Bools, Floats, State
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from .optical_paths import OPTICS, codes_in, link_optics

MIN_1550_NM = 1500.0
"""Least wavelength at which fibre has its attenuation at 1550 nm."""


@dataclass(frozen=True, eq=False)
class SpanLoss:
    """Loss of each span by row of `span_*`, in dB, by its causes."""

    fibre_db: Floats
    ageing_db: Floats
    """Growth of the attenuation since the fibre was laid."""
    connectors_db: Floats
    splices_db: Floats
    repairs_db: Floats
    """Splices that repair the cuts expected since the fibre was laid."""
    lumped_db: Floats
    correction_db: Floats
    """Measured loss minus the modelled loss of that day; negative where the span is better than the model."""
    is_copper: Bools
    """Spans that are copper cables."""

    @property
    def total_db(self) -> Floats:
        """Total loss of each span."""
        modelled = self.fibre_db + self.ageing_db + self.connectors_db + self.splices_db + self.repairs_db
        return np.asarray(modelled + self.lumped_db + self.correction_db)

    @property
    def measured_ratio(self) -> Floats:
        """Total loss over the modelled loss; the GN model scales every loss of a span by it."""
        total = self.total_db
        modelled = total - self.correction_db
        return np.asarray(np.divide(total, modelled, out=np.ones_like(total), where=modelled > 0))


def span_loss(state: State, reader: FigureReader, ageing: AgeingCase, later_years: Floats | float = 0.0) -> SpanLoss:
    """Compute the loss of every span.

    Cuts occur at a constant rate per km and year, and each leaves two splices. Attenuation grows each year by a share
    of its first value. Both models have a low, central and high case; they are the least certain part of the answer.
    A measured loss replaces the model on the day of the measurement; after that day only ageing is added.

    Args:
        state: columns of the network.
        reader: source of figures.
        ageing: low, central or high case of the ageing figures.
        later_years: years after the day of the state: a number, or float64[n_spans].

    Returns:
        Losses by row of `span_*`.
    """
    if not len(state["span_length_km"]):
        none: Floats = np.zeros(0)
        return SpanLoss(none, none, none, none, none, none, none, np.zeros(0, dtype=np.bool_))
    age_years, measured_age_years = _ages_years(state, later_years)
    length_km = state["span_length_km"]
    fibre_db = length_km * _attenuation_db_per_km(state, reader)
    splice_db = reader.general("splice_db")
    growth_db_per_year = fibre_db * reader.general("attenuation_growth_ratio_per_year", ageing)
    n_cuts_per_year = reader.general("n_cuts_per_km_year", ageing) * length_km
    repair_db_per_year = n_cuts_per_year * reader.general("n_splices_per_cut") * splice_db
    connectors_db = state["span_n_connectors"] * reader.general("connector_db")
    splices_db = state["span_n_splices"] * splice_db
    lumped_db = state["span_lumped_loss_db"]
    new_db = fibre_db + connectors_db + splices_db + lumped_db
    modelled_db = new_db + (growth_db_per_year + repair_db_per_year) * measured_age_years
    correction_db = np.where(np.isnan(measured_age_years), 0.0, state["span_measured_loss_db"] - modelled_db)
    return SpanLoss(
        fibre_db=fibre_db,
        ageing_db=growth_db_per_year * age_years,
        connectors_db=connectors_db,
        splices_db=splices_db,
        repairs_db=repair_db_per_year * age_years,
        lumped_db=lumped_db,
        correction_db=correction_db,
        is_copper=copper_spans(state, reader),
    )


def copper_spans(state: State, reader: FigureReader) -> Bools:
    """Tell which spans are copper cables: they have no link budget and do not age; bool[n_spans]."""
    codes, of_span = np.unique(state["span_fibre"], return_inverse=True)
    is_copper = [code >= 0 and reader.catalogue.get(state.parts[code]).medium == "copper" for code in codes.tolist()]
    return np.array(is_copper, dtype=np.bool_)[of_span]


def _attenuation_db_per_km(state: State, reader: FigureReader) -> Floats:
    """Attenuation of new fibre at 1550 nm, or at 1310 nm for direct-detect optics if the fibre states it.

    Multimode fibre has that at 850 nm, copper none: the loss of a copper cable is part of its reach.
    """
    fibre = state["span_fibre"]
    at_1550 = reader.by_code(state.parts, fibre, "attenuation_db_per_km", "fibre")
    if np.isnan(at_1550).any():
        at_850 = reader.by_code(state.parts, fibre, "attenuation_850_db_per_km", "fibre", 0.0)
        at_1550 = np.where(np.isnan(at_1550), at_850, at_1550)
    links = state["span_link"]
    direct = link_optics(state, reader, links) == OPTICS.index("direct_detect")
    direct &= ~_at_1550(state, reader)[state["link_transceiver"][links]]
    if not direct.any():
        return at_1550
    at_1310 = reader.by_code(state.parts, np.where(direct, fibre, -1), "attenuation_1310_db_per_km", "fibre")
    return np.where(np.isnan(at_1310), at_1550, at_1310)


def _at_1550(state: State, reader: FigureReader) -> Bools:
    """Tell for each code of a transceiver, and for -1, whether its light is beyond 1500 nm; bool[n_parts + 1]."""
    found = np.zeros(len(state.parts) + 1, dtype=np.bool_)
    for code in codes_in(state["link_transceiver"], len(state.parts)):
        found[code] = (reader.catalogue.get(state.parts[code]).wavelength_nm or 0.0) > MIN_1550_NM
    return found


def _ages_years(state: State, later_years: Floats | float) -> tuple[Floats, Floats]:
    """(age of each span, its age when it was measured or NaN); fibre without a date is new at `as_of`."""
    laid, since = state["span_age_years"], state["span_measured_years"]
    age_years = np.where(np.isnan(laid), 0.0, np.maximum(np.nan_to_num(laid + later_years), 0.0))
    measured_age_years = np.where(np.isnan(since), np.nan, np.maximum(np.nan_to_num(laid - since), 0.0))
    aged_since = np.nan_to_num(measured_age_years) + since + later_years
    return np.where(np.isnan(since), age_years, aged_since), measured_age_years


def dispersion_ps_per_nm(state: State, reader: FigureReader) -> Floats:
    """Compute the chromatic dispersion of each span."""
    per_km = reader.by_code(state.parts, state["span_fibre"], "dispersion_ps_per_nm_km", "fibre")
    return np.asarray(per_km * state["span_length_km"])


def pmd_squared_ps2(state: State, reader: FigureReader) -> Floats:
    """Compute the square of each span's mean polarisation mode dispersion; squares of spans in series add."""
    per_root_km = reader.by_code(state.parts, state["span_fibre"], "pmd_ps_per_sqrt_km", "fibre")
    return np.asarray(per_root_km**2 * state["span_length_km"])
