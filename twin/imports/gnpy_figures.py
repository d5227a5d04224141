"""Figures of own parts from GNPy files: stated ones, and those of a similar part of the catalogue as assumptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..catalogue import catalogue
from ..model.part_rules import similar_parts
from ..printable import printable_text
from .ledger import Ledger
from .naming import display_name, printable

AS_OF = "2026"
"""Year in which GNPy 3.0.1 was current: its files bear no date."""
MODEL_FIBRE, MODEL_AMPLIFIER, MODEL_TRANSCEIVER = "G.652.D", "EDFA", "OpenZR+-400G"
"""Parts of the catalogue whose figures stand in for those that GNPy does not state."""
STATED_BY = "figures of the part in the file of parts"
FIBRE_FIGURES: dict[str, tuple[str, str, float, float, float]] = {
    "dispersion": ("dispersion_ps_per_nm_km", "s/m² → ps/(nm km)", 1e6, -200, 200),
    "effective_area": ("effective_area_um2", "m² → µm²", 1e12, 1, 1000),
    "pmd_coef": ("pmd_ps_per_sqrt_km", "s/√m → ps/√km", 1e12 * 1000**0.5, 0, 100),
}
"""Field of GNPy -> figure of a fibre, conversion, factor, range of the result."""


def below(data: Any, name: str) -> Mapping[str, Any] | None:
    """Return the object under a YANG name, also inside a request of the API, or the data themselves without it."""
    if isinstance(data, dict) and isinstance(data.get("gnpy-api:api"), dict):
        data = data["gnpy-api:api"]
    inner = data.get(name, data) if isinstance(data, dict) else None
    return inner if isinstance(inner, dict) else None


def fibre_part(
    name: str, stated: Mapping[str, float], source: str, ledger: Ledger, place: str, model: str = MODEL_FIBRE
) -> dict[str, Any]:
    """Return a fibre of stated figures; the others are those of a fibre of the catalogue, as assumptions."""
    figures = dict(figures_of("fibre", model, stated, source, ledger, place))
    return {"id": name, "kind": "fibre", "name": display_name(name), "figures": figures}


def figures_of(
    kind: str, model: str, stated: Mapping[str, float], source: str, ledger: Ledger, place: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the figures of a part: stated ones, and those of a similar part of the catalogue as assumptions."""
    similar = catalogue().get(model)
    required = set.intersection(*(set(part.figures) for part in similar_parts(similar, catalogue())))
    for name, value in stated.items():
        yield name, figure(value, source)
    for name in sorted(required - set(stated)):
        known = similar.figure(name)
        why = f"GNPy states none; that of {model}"
        ledger.assumed(f"{kind}, {name}", f"{known.value:g}", why, STATED_BY, place)
        yield (
            name,
            {**known.model_dump(mode="json"), "source": f"assumed as {model}: {known.source}", "status": "estimate"},
        )


def figure(value: float, source: str) -> dict[str, Any]:
    """Return an exact figure of a part of one's own."""
    return {
        "value": value,
        "low": value,
        "high": value,
        "source": printable_text(source),
        "as_of": AS_OF,
        "status": "own",
    }


def own_id(name: str, taken: set[str]) -> str:
    """Return an id for a part that neither the catalogue nor `taken` has."""
    plain_name = printable(name)[:180]
    if plain_name.startswith("price of ") or any(part.id == plain_name for part in catalogue().parts()):
        plain_name = f"own-{plain_name}"
    found, n = plain_name, 1
    while found in taken:
        n += 1
        found = f"{plain_name}#{n}"
    return found
