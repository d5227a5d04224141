"""Records of inputs that a user is unsure about: a place, its range, and how values are spread over it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from ..errors import Issue
from ..printable import SHOWN
from .identity import Name, Note, Provenance, Tags
from .records import STRICT

DistributionName = Literal["triangular", "pert", "uniform"]


@dataclass(frozen=True, slots=True)
class Uncertain:
    """An input that may have any value of a range."""

    __pydantic_config__ = STRICT

    where: Annotated[str, Field(min_length=1, max_length=500), SHOWN]
    """Place of the input: a path of a sweep, `sites.SITE.FIELD`, `demands.ID`, `parts.PART.FIGURE`, `general.NAME`
    or `prices.NAME`."""
    low: float
    """Least value, in the unit of the place."""
    high: float
    """Greatest value."""
    value: float | None = None
    """Most likely value; None = every value is equally likely, or the one that the catalogue states."""
    distribution: DistributionName | None = None
    """Distribution: triangular, pert, or uniform. None = triangular with a most likely value, else uniform."""
    note: Note = ""
    """Text for readers."""
    name: Name = ""
    """Display name; not a key."""
    tags: Tags = ()
    """Free labels; not used in answers."""
    source: Provenance | None = None
    """Origin of the record: a text, or file, position and id in it."""


def uncertain_key(record: Uncertain) -> str:
    """Return the order of uncertain inputs in a document."""
    return record.where


def uncertain_issues(records: Collection[Uncertain]) -> Iterator[Issue]:
    """Find ranges without order, values outside them, distributions without a value, and places that stand twice."""
    seen: dict[str, int] = {}
    for i, record in enumerate(records):
        where = f"uncertain[{i}]"
        if record.low > record.high:
            yield Issue(f"{where}.low", f"{record.low:g} is above high {record.high:g}", "swap them")
        elif record.value is not None and not record.low <= record.value <= record.high:
            yield Issue(f"{where}.value", f"{record.value:g} is outside {record.low:g} to {record.high:g}")
        if record.where in seen:
            yield Issue(f"{where}.where", f"{record.where} stands twice", f"also in uncertain[{seen[record.where]}]")
        seen.setdefault(record.where, i)
