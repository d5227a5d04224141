"""Shipped networks, and the generators that expand a compact block into nodes and links.

A list of the networks needs no generator, so these are imported when first used.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from twin.errors import CatalogueError, did_you_mean

if TYPE_CHECKING:
    from .expansion import FABRICS, GENERATORS, MAX_RECORDS, check_size, digest, expand, n_records_of, size_of
    from .generator import Generator

__all__ = [
    "FABRICS",
    "GENERATORS",
    "MAX_RECORDS",
    "NETWORKS",
    "Generator",
    "check_size",
    "digest",
    "expand",
    "n_records_of",
    "network_text",
    "size_of",
]

NETWORKS: dict[str, str] = {
    "ageing-lines": "One line of each kind that ages: amplified, regenerated, protected, metro, direct-detect.",
    "leaf-spine-demo": "Four leaves, two spines, eight hosts and a few demands: small enough to check by hand.",
    "memphis": "Three campuses, 440,112 accelerators, joined by leased fibre and old border routers.",
    "memphis-small": "As `memphis`, with a few dozen racks per campus: for quick trials.",
    "two-campus": "Two small campuses, 40 km apart on new dark fibre, that train one model.",
}


def network_text(name: str) -> str:
    """Return the document of a shipped network as YAML. Raises CatalogueError with similar names."""
    if name not in NETWORKS:
        raise CatalogueError(
            f"unknown network {name!r}",
            where="networks",
            expected=f"one of {', '.join(NETWORKS)}",
            hint=did_you_mean(name, NETWORKS),
        )
    return files(__package__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")


if not TYPE_CHECKING:  # a type checker would take any attribute for granted

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(".expansion", __name__), name)
