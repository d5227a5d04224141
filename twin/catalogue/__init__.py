"""The catalogue: parts with sourced figures, and the price book. Files are read on first use."""

from .parts import GENERAL, Catalogue, catalogue
from .prices import PriceBook, load_price_book
from .records import KINDS, Figure, Kind, Mode, Part, Penalty

__all__ = [
    "GENERAL",
    "KINDS",
    "Catalogue",
    "Figure",
    "Kind",
    "Mode",
    "Part",
    "Penalty",
    "PriceBook",
    "catalogue",
    "load_price_book",
]
