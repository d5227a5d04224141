"""Reads figures for an analysis and lists those that were used: the assumptions of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import CatalogueError
from .parts import GENERAL, Catalogue
from .prices import PriceBook
from .records import Figure

PLACEHOLDER = "placeholder"
"""Status of a shipped price that no user has replaced. Other figures have their catalogue status."""


@dataclass(frozen=True, slots=True, order=True)
class UsedFigure:
    """A figure that an answer used: owner, name, value, range, status and source."""

    where: str
    name: str
    value: float
    low: float
    high: float
    status: str
    source: str

    @classmethod
    def of(cls, where: str, name: str, figure: Figure) -> UsedFigure:
        """Create from a catalogue figure."""
        return cls(where, name, figure.value, figure.low, figure.high, figure.status, figure.source)

    def at(self, value: float) -> UsedFigure:
        """Return the figure with another value, in every case."""
        return UsedFigure(self.where, self.name, value, value, value, self.status, self.source)


Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
PRICE_BOOK, PRICE_OF = "price book", "price of "
N_COLUMNS_CACHED = 64


def is_reserved(part_id: str) -> bool:
    """Tell whether a used figure that belongs to no part has this `where`: no part can have such an id."""
    return part_id in (GENERAL, PRICE_BOOK) or part_id.startswith(PRICE_OF)


def price_item(name: str, part_id: str | None = None) -> str:
    """Return the item of a price in `PriceBook.books` and `placeholder_items`."""
    return name if part_id is None else f"{name}.{part_id}"


@dataclass(frozen=True, slots=True)
class _Column:
    codes: Ints
    """Reference that keeps the array alive, so that its id is not reused."""
    values: Floats
    used_figures: tuple[UsedFigure, ...]


@dataclass
class FigureReader:
    """Reads catalogue figures and prices, and lists those that were used."""

    catalogue: Catalogue
    prices: PriceBook
    used: dict[tuple[str, str], UsedFigure] = field(default_factory=dict)
    _known: dict[tuple[str, str], UsedFigure] = field(default_factory=dict)
    """Used figures created before, shared with readers made by `fresh`."""
    _columns: dict[tuple[Any, ...], _Column] = field(default_factory=dict)
    """Results of `by_code` for read-only columns, shared likewise."""

    def fresh(self) -> FigureReader:
        """Return a reader of the same sources with an empty list of used figures."""
        return FigureReader(self.catalogue, self.prices, {}, self._known, self._columns)

    def with_figures(self, figures: Mapping[tuple[str, str], UsedFigure]) -> FigureReader:
        """Return a reader of the same sources that gives these figures, by where and name, in place of its own."""
        columns = {
            key: column
            for key, column in self._columns.items()
            if not any((used.where, used.name) in figures for used in column.used_figures)
        }
        return FigureReader(self.catalogue, self.prices, {}, {**self._known, **figures}, columns)

    def used_figures(self) -> tuple[UsedFigure, ...]:
        """Return the used figures, sorted by where and name."""
        return tuple(self.used[key] for key in sorted(self.used))

    def note(self, where: str, name: str, figure: Figure) -> float:
        """Record a figure that was read elsewhere as used, and return its value.

        A pair of where and name keeps the first figure recorded for it.
        """
        key = where, name
        used_figure = self._known.get(key)
        if used_figure is None:
            used_figure = self._known[key] = UsedFigure.of(where, name, figure)
        self.used[key] = used_figure
        return used_figure.value

    def part(self, part_id: str, name: str) -> float:
        """Return a figure that the part must have. Raises CatalogueError if it is missing."""
        key = part_id, name
        used_figure = self._known.get(key)
        if used_figure is None:
            used_figure = self._known[key] = UsedFigure.of(part_id, name, self.catalogue.get(part_id).figure(name))
        self.used[key] = used_figure
        return used_figure.value

    def part_or(self, part_id: str, name: str, default: float) -> float:
        """Return a figure of a part, or the default if the part lacks it."""
        if (part_id, name) in self._known or name in self.catalogue.get(part_id).figures:
            return self.part(part_id, name)
        return default

    def general(self, name: str, case: str = "value") -> float:
        """Return a figure that belongs to no part; case is value, low or high.

        Raises CatalogueError for an unknown name.
        """
        key = GENERAL, name
        used_figure = self._known.get(key)
        if used_figure is None:
            figure = self.catalogue.general.get(name)
            if figure is None:
                raise CatalogueError(f"no general figure {name!r}")
            used_figure = self._known[key] = UsedFigure.of(GENERAL, name, figure)
        self.used[key] = used_figure
        return float(getattr(used_figure, case))

    def price(self, name: str, part_id: str | None = None) -> float:
        """Return the value of a figure of the price book; see `price_figure`."""
        return self.price_figure(name, part_id).value

    def price_figure(self, name: str, part_id: str | None = None) -> UsedFigure:
        """Return a figure of the price book; its status is `placeholder` until a user replaces it.

        Args:
            name: a scalar of the book, or a group (`part_usd`, `rent_usd_per_accelerator_hour`, `labour_h`).
            part_id: part, or kind of part, within the group.

        Raises:
            CatalogueError: the group has no price for the part.
        """
        key = f"{PRICE_OF}{part_id}" if part_id else PRICE_BOOK, name
        used_figure = self._known.get(key)
        if used_figure is None:
            figure: Figure = getattr(self.prices, name) if part_id is None else self.prices.entry(name, part_id)
            used_figure = UsedFigure.of(*key, figure)
            if price_item(name, part_id) in self.prices.placeholder_items:
                used_figure = replace(used_figure, status=PLACEHOLDER)
            self._known[key] = used_figure
        self.used[key] = used_figure
        return used_figure

    def by_code(
        self,
        parts: tuple[str, ...],
        codes: Ints,
        name: str,
        kind: str,
        default: float = float("nan"),
    ) -> Floats:
        """Return a figure for each row of a column of part codes; a read-only array.

        Args:
            parts: part ids that the codes point into.
            codes: int64[n_rows], -1 = no part.
            name: name of the figure.
            kind: kind of part that has the figure.
            default: value of rows without a part, or whose part lacks the figure.

        Returns:
            float64[n_rows], in the unit that the name carries.
        """
        if codes.flags.writeable:
            return self._column(parts, codes, name, kind, default).values
        key = id(codes), parts, name, kind, str(default)
        cached = self._columns.get(key)
        if cached is None:
            if len(self._columns) >= N_COLUMNS_CACHED:
                self._columns.clear()
            cached = self._columns[key] = self._column(parts, codes, name, kind, default)
        for used_figure in cached.used_figures:
            self.used[used_figure.where, used_figure.name] = used_figure
        return cached.values

    def _column(self, parts: tuple[str, ...], codes: Ints, name: str, kind: str, default: float) -> _Column:
        table, used_figures = np.full(len(parts) + 1, default), []
        for code in np.flatnonzero(np.bincount(codes + 1, minlength=len(table))[1:]):
            part = self.catalogue.get(parts[code])
            if part.kind == kind and name in part.figures:
                table[code] = self.part(part.id, name)
                used_figures.append(self.used[part.id, name])
        values = table[codes]
        values.flags.writeable = False
        return _Column(codes, values, tuple(used_figures))
