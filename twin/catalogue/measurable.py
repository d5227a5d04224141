"""Names of figures for readers, and the measurement that narrows the range of each."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from .figure_reader import PRICE_OF, UsedFigure, is_reserved
from .sheets import read_sheet

SHEET = "measurable.yaml"
MODE_RATE = " at "
"""Separates a figure of a mode from its rate: `required_snr_db at 400G`."""


class Measurable(NamedTuple):
    """A figure as a reader knows it."""

    label: str
    settled_by: str
    """Measurement or document that narrows its range."""


@cache
def measurables() -> dict[str, Measurable]:
    """Return the rows of the sheet by name of the figure."""
    return {name: Measurable(**row) for name, row in read_sheet(SHEET).items()}


def measurable(figure: UsedFigure) -> Measurable:
    """Return label and measurement of a used figure; both name its part.

    A figure of a part of the user that the sheet does not list is named by its own name, without the unit.
    """
    name, _, rate = figure.name.partition(MODE_RATE)
    row = measurables().get(name) or Measurable(name.rpartition("_")[0].replace("_", " "), "the data sheet of {part}")
    if is_reserved(figure.where) and not figure.where.startswith(PRICE_OF):
        return row
    part = figure.where.removeprefix(PRICE_OF)
    label = f"{row.label} of {part}" + (f" at {rate}" if rate else "")
    return Measurable(label, row.settled_by.format(part=part))
