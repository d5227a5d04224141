"""Options of reading measurements: what a user states in place of what a file leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import cast

from ..errors import DocumentError, did_you_mean
from ..errors.wording import quoted
from ..imports.decimals import decimal_option
from ..imports.options import pair_of_option
from ..model.measurements import READINGS, Quantity
from .units import UNITS, converter


@dataclass(frozen=True)
class ReadingOptions:
    """Options that a user states for all files of a run."""

    at: date | None = None
    """Day of readings whose file states none; None = the network's `as_of`, as an assumption."""
    as_of: date | None = None
    """Day of the network that is written; None = its own."""
    device: str = ""
    """Node whose ports the files name."""
    quantity: Quantity | None = None
    """Quantity of series whose name says none."""
    unit: str = ""
    """Unit of values that state none."""
    decimal: str | None = None
    """Decimal sign of the numbers in a sheet, `.` or `,`; None = as each column shows."""
    today: date | None = None
    """Day after which readings are wrong, if neither the network nor `as_of` states one; None = that of the clock."""
    maps: Mapping[str, str] = field(default_factory=dict)
    """Name in a file -> `LINK`, `LINK#SPAN`, or either with `@NODE`, the end where it was read."""


def reading_options(
    *,
    at: str | None = None,
    as_of: str | None = None,
    device: str | None = None,
    quantity: str | None = None,
    unit: str | None = None,
    maps: Sequence[str] = (),
    decimal: str | None = None,
) -> ReadingOptions:
    """Check options as they are written on a command line.

    Raises:
        DocumentError: no date, an unknown quantity, or a unit of something else.
    """
    if quantity is not None and quantity not in READINGS:
        hint = did_you_mean(quantity, READINGS)
        raise DocumentError(f"no quantity {quoted(quantity)}", where="--quantity", hint=hint or ", ".join(READINGS))
    known = cast("Quantity | None", quantity)
    if unit and known is not None and converter(known, unit) is None:
        expected = ", ".join(UNITS[READINGS[known].field])
        raise DocumentError(f"{quoted(unit)} is no unit of {known}", where="--unit", expected=expected)
    pairs = dict(pair_of_option(text, "--map", "NAME=LINK") for text in maps)
    return ReadingOptions(
        _day(at, "--at"), _day(as_of, "--as-of"), device or "", known, unit or "", decimal_option(decimal), maps=pairs
    )


def _day(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DocumentError(f"{quoted(text)} is no day", where=option, hint="write 2026-11-20") from None
