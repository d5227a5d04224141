"""Reading the catalogue on behalf of an analysis, and remembering which figures the answer leans on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import CatalogueError
from .parts import Catalogue
from .prices import PriceBook
from .records import Figure

PLACEHOLDER = "placeholder"
"""Status of a shipped price that no user has replaced; the others are those of catalogue figures."""


@dataclass(frozen=True, slots=True, order=True)
class UsedFigure:
    """A figure that an answer used: whose, which, its range and source."""

    where: str
    name: str
    value: float
    low: float
    high: float
    status: str
    source: str

    @classmethod
    def of(cls, where: str, name: str, figure: Figure) -> UsedFigure:
        """From a catalogue figure."""
        return cls(where, name, figure.value, figure.low, figure.high, figure.status, figure.source)


Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
N_COLUMNS_KEPT = 64


@dataclass(frozen=True, slots=True)
class _Column:
    codes: Ints
    """Kept, so that no other array gets its identity."""
    values: Floats
    used_figures: tuple[UsedFigure, ...]


@dataclass
class FigureReader:
    """Hands out catalogue figures and keeps a list of those that were used."""

    catalogue: Catalogue
    prices: PriceBook
    used: dict[tuple[str, str], UsedFigure] = field(default_factory=dict)
    _known: dict[tuple[str, str], UsedFigure] = field(default_factory=dict)
    """Leans made before, by this reader and those that come fresh from it."""
    _columns: dict[tuple[Any, ...], _Column] = field(default_factory=dict)
    """What `by_code` gave for columns that nobody writes into, likewise."""

    def fresh(self) -> FigureReader:
        """The same sources with an empty list of used figures."""
        return FigureReader(self.catalogue, self.prices, {}, self._known, self._columns)

    def used_figures(self) -> tuple[UsedFigure, ...]:
        """What was used so far, in a fixed order."""
        return tuple(self.used[key] for key in sorted(self.used))

    def note(self, where: str, name: str, figure: Figure) -> float:
        """A figure that was found elsewhere, noted as used; the same for as long as there are these sources."""
        key = where, name
        used_figure = self._known.get(key)
        if used_figure is None:
            used_figure = self._known[key] = UsedFigure.of(where, name, figure)
        self.used[key] = used_figure
        return used_figure.value

    def part(self, part_id: str, name: str) -> float:
        """A figure that the part must have."""
        key = part_id, name
        used_figure = self._known.get(key)
        if used_figure is None:
            used_figure = self._known[key] = UsedFigure.of(part_id, name, self.catalogue.get(part_id).figure(name))
        self.used[key] = used_figure
        return used_figure.value

    def part_or(self, part_id: str, name: str, default: float) -> float:
        """A figure of a part, or the default where it has none."""
        if (part_id, name) in self._known or name in self.catalogue.get(part_id).figures:
            return self.part(part_id, name)
        return default

    def general(self, name: str, case: str = "value") -> float:
        """A figure that belongs to no part; case is value, low or high."""
        key = "general", name
        used_figure = self._known.get(key)
        if used_figure is None:
            figure = self.catalogue.general.get(name)
            if figure is None:
                raise CatalogueError(f"no general figure {name!r}")
            used_figure = self._known[key] = UsedFigure.of("general", name, figure)
        self.used[key] = used_figure
        return float(getattr(used_figure, case))

    def price(self, name: str, part_id: str | None = None) -> float:
        """A figure of the price book, noted as used, and as a placeholder while no user has replaced it.

        `name` is a scalar of the book, or a group (`part_usd`, `rent_usd_per_accelerator_hour`) with a part's id.
        Raises CatalogueError where the group has no price for the part.
        """
        key = f"price of {part_id}" if part_id else "price book", name
        used_figure = self._known.get(key)
        if used_figure is None:
            figure: Figure = getattr(self.prices, name) if part_id is None else self.prices.entry(name, part_id)
            item = name if part_id is None else f"{name}.{part_id}"
            used_figure = UsedFigure.of(*key, figure)
            if item in self.prices.placeholder_items:
                used_figure = replace(used_figure, status=PLACEHOLDER)
            self._known[key] = used_figure
        self.used[key] = used_figure
        return used_figure.value

    def by_code(
        self,
        parts: tuple[str, ...],
        codes: Ints,
        name: str,
        kind: str,
        default: float = float("nan"),
    ) -> Floats:
        """A figure for each row of a column of part codes; `default` where the row has no part or the part no such
        figure. Not to be written into."""
        if codes.flags.writeable:
            return self._column(parts, codes, name, kind, default).values
        key = id(codes), parts, name, kind, str(default)
        known = self._columns.get(key)
        if known is None:
            if len(self._columns) >= N_COLUMNS_KEPT:
                self._columns.clear()
            known = self._columns[key] = self._column(parts, codes, name, kind, default)
        for each in known.used_figures:
            self.used[each.where, each.name] = each
        return known.values

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
