"""A case some years later: fibre and optics age, and demands grow as their classes state."""

from __future__ import annotations

from dataclasses import replace

from ..catalogue.figure_reader import FigureReader
from ..errors import ChangeError
from ..model.document import TopologyDocument
from ..scenario.apply import edited_case
from ..scenario.fibre_changes import Age
from ..stages.evaluation import Case

MAX_YEARS = 50


def check_years(years: float) -> None:
    """Raise ChangeError for years out of bounds."""
    if not isinstance(years, int | float) or isinstance(years, bool) or not 0 <= years <= MAX_YEARS:
        raise ChangeError(f"{years!r}"[:200], where="years", expected=f"a number from 0 to {MAX_YEARS}")


def later(case: Case, years: float, reader: FigureReader) -> Case:
    """Return a case some years later; itself for 0 years."""
    if not years:
        return case
    aged = edited_case(case, [Age(years=years)], reader)
    return replace(aged, document=grown(case.document, years))


def grown(document: TopologyDocument, years: float) -> TopologyDocument:
    """Return a document whose demands have grown at the rates of their classes."""
    rates = {row.id: row.growth_ratio_per_year for row in document.traffic_classes}
    if not any(rates.get(demand.traffic_class or "", 0.0) for demand in document.demands):
        return document
    demands = tuple(
        replace(demand, offered_gbps=demand.offered_gbps * (1.0 + rates.get(demand.traffic_class or "", 0.0)) ** years)
        for demand in document.demands
    )
    return document.model_copy(update={"demands": demands})
