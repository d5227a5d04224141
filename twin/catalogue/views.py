"""Views of the catalogue and the price book, of which only the named kinds of figures can be read."""

from __future__ import annotations

from typing import Any, cast

from ..errors import UndeclaredInputError
from .parts import GENERAL, Catalogue
from .prices import PriceBook
from .records import Figure, Kind, Part

PRICES = "prices"
"""Kind of the figures in a price book, beside the kinds of parts and GENERAL."""


class CatalogueView(Catalogue):
    """A catalogue of which only parts of some kinds can be read, and general figures where GENERAL is among them."""

    def __init__(self, catalogue: Catalogue, kinds: frozenset[str]) -> None:
        self._catalogue, self._kinds = catalogue, kinds

    def get(self, part_id: str, kind: Kind | None = None) -> Part:
        """The part of that id. Raises UndeclaredInputError where its kind is not in the view."""
        part = self._catalogue.get(part_id, kind)
        self._check_kind(part.kind)
        return part

    def parts(self, kind: Kind | None = None) -> tuple[Part, ...]:
        """Parts of a kind. Raises UndeclaredInputError where it is not in the view; all kinds are never in it."""
        self._check_kind(kind or "all kinds")
        return self._catalogue.parts(kind)

    @property
    def general(self) -> dict[str, Figure]:  # type: ignore[override]  # read through the check
        """General figures by name. Raises UndeclaredInputError where GENERAL is not in the view."""
        self._check_kind(GENERAL)
        return self._catalogue.general

    def general_figure(self, name: str) -> Figure:
        """The general figure of that name."""
        self._check_kind(GENERAL)
        return self._catalogue.general_figure(name)

    def _check_kind(self, kind: str) -> None:
        if kind not in self._kinds:
            raise UndeclaredInputError(f"catalogue: {kind}")


class _NoPrices:
    """Stands for a price book that may not be read."""

    def __getattr__(self, name: str) -> Any:
        raise UndeclaredInputError(f"catalogue: {PRICES}")


def view_of_figures(catalogue: Catalogue, prices: PriceBook, kinds: frozenset[str]) -> tuple[Catalogue, PriceBook]:
    """Catalogue and price book of which only these kinds can be read.

    Args:
        catalogue: what the view reads from.
        prices: likewise.
        kinds: kinds of parts, GENERAL, PRICES.

    Returns:
        Both, where reading another kind raises UndeclaredInputError.
    """
    book = prices if PRICES in kinds else cast(PriceBook, _NoPrices())
    return CatalogueView(catalogue, kinds), book
