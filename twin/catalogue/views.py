"""Restricted views of the catalogue and the price book: only named kinds of figures can be read."""

from __future__ import annotations

from typing import Any, cast

from ..errors import UndeclaredInputError
from .parts import GENERAL, Catalogue
from .prices import PriceBook
from .records import Figure, Kind, Part

PRICES = "prices"
"""Kind of the figures of a price book, beside the kinds of parts and GENERAL."""


class CatalogueView(Catalogue):
    """A catalogue restricted to parts of some kinds, and to general figures if GENERAL is one of them."""

    def __init__(self, catalogue: Catalogue, kinds: frozenset[str]) -> None:
        self._catalogue, self._kinds = catalogue, kinds

    def get(self, part_id: str, kind: Kind | None = None) -> Part:
        """Return the part of an id. Raises UndeclaredInputError if its kind is not in the view."""
        part = self._catalogue.get(part_id, kind)
        self._check_kind(part.kind)
        return part

    def parts(self, kind: Kind | None = None) -> tuple[Part, ...]:
        """Return the parts of a kind. Raises UndeclaredInputError if it is not in the view, or for all kinds."""
        self._check_kind(kind or "all kinds")
        return self._catalogue.parts(kind)

    @property
    def general(self) -> dict[str, Figure]:  # type: ignore[override]  # read through the check
        """General figures by name. Raises UndeclaredInputError if GENERAL is not in the view."""
        self._check_kind(GENERAL)
        return self._catalogue.general

    def general_figure(self, name: str) -> Figure:
        """Return the general figure of a name. Raises UndeclaredInputError if GENERAL is not in the view."""
        self._check_kind(GENERAL)
        return self._catalogue.general_figure(name)

    def _check_kind(self, kind: str) -> None:
        if kind not in self._kinds:
            raise UndeclaredInputError(f"catalogue: {kind}")


class _NoPrices:
    """Replaces a price book that must not be read."""

    def __getattr__(self, name: str) -> Any:
        raise UndeclaredInputError(f"catalogue: {PRICES}")


def view_of_figures(catalogue: Catalogue, prices: PriceBook, kinds: frozenset[str]) -> tuple[Catalogue, PriceBook]:
    """Restrict the catalogue and the price book to some kinds of figures.

    Args:
        catalogue: catalogue to restrict.
        prices: price book to restrict.
        kinds: kinds of parts, GENERAL, PRICES.

    Returns:
        Both as views; reading another kind raises UndeclaredInputError.
    """
    book = prices if PRICES in kinds else cast(PriceBook, _NoPrices())
    return CatalogueView(catalogue, kinds), book
