"""Uncertain inputs of a study: figures of the catalogue and of prices with a range, and inputs that a user marks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..arrays import Floats
from ..catalogue import Catalogue, PriceBook
from ..catalogue.figure_reader import PRICE_BOOK, PRICE_OF, FigureReader, UsedFigure
from ..catalogue.measurable import measurable
from ..catalogue.parts import GENERAL
from ..catalogue.prices import GROUPS, SCALARS
from ..errors import ChangeError, TwinError, did_you_mean
from ..model.uncertain import DistributionName, Uncertain
from ..stages.evaluation import Case
from .distributions import values_at
from .document_inputs import set_uncertain
from .paths import path_names

FIGURES = ("parts", "general", "prices")
"""First names of places of figures."""
MARKED = "marked in the document"
"""Status of an input that `uncertain` lists."""


@dataclass(frozen=True, slots=True)
class UncertainInput:
    """An input with a range, and how its values are spread."""

    where: str
    """Place: `parts.PART.FIGURE`, `general.NAME`, `prices.NAME`, or as in `uncertain` of the document."""
    label: str
    """Name for readers."""
    low: float
    value: float | None
    """Most likely value; null where every value is equally likely."""
    high: float
    distribution: DistributionName
    status: str
    """Status of the figure, or `marked in the document`."""
    settled_by: str
    """Measurement or document that narrows the range."""
    figure: UsedFigure | None = field(default=None, metadata={"hidden": True})

    @property
    def is_whole(self) -> bool:
        """Return whether only whole numbers make sense: a count of the document."""
        return self.figure is None and path_names(self.where)[-1].startswith("n_")

    @property
    def nominal(self) -> float:
        """Value of the central case; NaN = what the document states."""
        return float("nan") if self.value is None else self.value

    def at(self, probability: Floats) -> Floats:
        """Return the values at probabilities 0 to 1; float64, as `probability`."""
        found = values_at(self.distribution, probability, self.low, self.value, self.high)
        return np.rint(found) if self.is_whole else found


def uncertain_inputs(
    marked: Sequence[Uncertain],
    used: Iterable[UsedFigure],
    case: Case,
    reader: FigureReader,
) -> tuple[UncertainInput, ...]:
    """Collect the uncertain inputs of some cases: figures that they read, and inputs of the document.

    A figure that the document marks takes the range stated there. A figure that no case reads is left out.

    Args:
        marked: records of the document.
        used: figures that the cases read.
        case: the network as it is, in which a marked input must exist.
        reader: source of figures.

    Returns:
        The inputs by place; those of figures only where low is below high.

    Raises:
        ChangeError: an unknown place, or an end of a range that the place cannot take.
    """
    figures = {place_of(figure): figure for figure in used}
    inputs = {place: _of_figure(place, figure) for place, figure in figures.items() if figure.low < figure.high}
    known: set[str] = set()
    for i, record in enumerate(marked):
        name = f"uncertain[{i}].where"
        if record.where.partition(".")[0] in FIGURES:
            if record.where not in figures:
                known = known or set(_all_places(reader.catalogue, reader.prices))
                if record.where not in known:
                    hint = did_you_mean(record.where, known) or "parts.PART.FIGURE, general.NAME or prices.NAME"
                    raise ChangeError(f"no figure {record.where!r}", where=name, hint=hint)
                continue
            inputs[record.where] = _marked_figure(record, figures[record.where])
        else:
            _check_ends(record, case, name, reader)
            inputs[record.where] = _marked_input(record)
    return tuple(inputs[place] for place in sorted(inputs))


def place_of(figure: UsedFigure) -> str:
    """Return the place of a figure, as `uncertain` of a document names it."""
    if figure.where == GENERAL:
        return f"general.{figure.name}"
    if figure.where == PRICE_BOOK:
        return f"prices.{figure.name}"
    if figure.where.startswith(PRICE_OF):
        return f"prices.{figure.name}.{figure.where.removeprefix(PRICE_OF)}"
    return f"parts.{figure.where}.{figure.name}"


def _all_places(catalogue: Catalogue, prices: PriceBook) -> Iterator[str]:
    yield from (f"general.{name}" for name in catalogue.general)
    yield from (f"prices.{name}" for name in SCALARS)
    yield from (f"prices.{group}.{part}" for group in GROUPS for part in getattr(prices, group))
    for part in catalogue.parts():
        yield from (f"parts.{part.id}.{name}" for name in part.figures)
        yield from (f"parts.{part.id}.required_snr_db at {mode.rate_gbps:g}G" for mode in part.modes)


def _of_figure(place: str, figure: UsedFigure) -> UncertainInput:
    label, settled_by = measurable(figure)
    return UncertainInput(
        place, label, figure.low, figure.value, figure.high, "triangular", figure.status, settled_by, figure
    )


def _marked_figure(record: Uncertain, figure: UsedFigure) -> UncertainInput:
    value = record.value
    if value is None and record.distribution != "uniform" and record.low <= figure.value <= record.high:
        value = figure.value
    label, settled_by = measurable(figure)
    marked = replace(_marked_input(replace(record, value=value)), settled_by=settled_by, figure=figure)
    return replace(marked, label=record.name or label)


def _marked_input(record: Uncertain) -> UncertainInput:
    distribution = record.distribution or ("uniform" if record.value is None else "triangular")
    label = record.name or record.where
    settled = record.note or "a measurement or a contract"
    return UncertainInput(record.where, label, record.low, record.value, record.high, distribution, MARKED, settled)


def _check_ends(record: Uncertain, case: Case, name: str, reader: FigureReader) -> None:
    for value in (record.low, record.high):
        try:
            set_uncertain(case, record.where, value, reader)
        except TwinError as error:
            raise ChangeError(
                f"{record.where}: {error.problem}", where=name, expected=error.expected, hint=error.hint
            ) from error
