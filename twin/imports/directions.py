"""Values of the two directions of a link, where a source states them apart."""

from __future__ import annotations

from .ledger import Ledger
from .quantities import both_ways

Directed = float | tuple[float, float] | None
"""One value, or one for each direction; None = not stated."""


def of_directions(there: float | None, back: float | None, what: str, ledger: Ledger, place: str) -> Directed:
    """Return the values of two directions; one that is not stated is that of the other, and counts as assumed.

    Args:
        there: value of the first direction; None = not stated.
        back: value of the other one; None = not stated.
        what: name of the value in the report.
        ledger: counts of the import.
        place: link in the source.

    Returns:
        One value where both are the same, or one for each direction; None if neither is stated.
    """
    if there is not None and back is not None:
        return both_ways(there, back)
    if there is not None or back is not None:
        value, why = "that of the other direction", "the source states one direction"
        ledger.assumed(f"{what} of a direction", value, why, "", place)
    return there if there is not None else back


def with_reverse(stated: float | None, back: float | None, what: str, ledger: Ledger, place: str) -> Directed:
    """Return a value that holds for both directions, unless another one is stated for the way back.

    Args:
        stated: value of the link; None = not stated.
        back: value of the way back; None = the same.
        what: name of the value in the report.
        ledger: counts of the import.
        place: link in the source.

    Returns:
        One value, or one for each direction. A value of the way back alone counts for both, as assumed.
    """
    return stated if back is None else of_directions(stated, back, what, ledger, place)
