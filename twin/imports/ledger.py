"""Ledger of an import: what became of each field of the source, counted, with the first places."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors.wording import MAX_SHOWN

MAX_PLACES = 3
"""Places that a row of the report names."""
MAX_ROWS = 1000
"""Rows of one list of the report; fields beyond are counted together, so that hostile files stay bounded."""
OTHERS = "others"


@dataclass(slots=True)
class Row:
    """One row of the report: how often, and where first."""

    n: int = 0
    places: list[str] = field(default_factory=list)

    def add(self, place: str, n: int) -> None:
        """Count `n` more, at a place."""
        self.n += n
        shown = place if len(place) <= MAX_SHOWN else f"{place[:MAX_SHOWN]}…"
        if place and len(self.places) < MAX_PLACES and shown not in self.places:
            self.places.append(shown)


Key = tuple[str, ...]


class Ledger:
    """Counts what an import did with the fields of its files.

    Keys of the dicts: kept (field,); converted (field, conversion); assumed (what, value, why, option);
    dropped (field, effect); findings (kind, problem, hint).
    """

    def __init__(self) -> None:
        self.kept_rows: dict[Key, Row] = {}
        self.converted_rows: dict[Key, Row] = {}
        self.assumed_rows: dict[Key, Row] = {}
        self.dropped_rows: dict[Key, Row] = {}
        self.finding_rows: dict[Key, Row] = {}

    def kept(self, name: str, n: int = 1) -> None:
        """Count a field that the document holds as it is written."""
        _row(self.kept_rows, (name,)).n += n

    def converted(self, name: str, conversion: str, n: int = 1) -> None:
        """Count a field that the document holds in another unit or form."""
        _row(self.converted_rows, (name, conversion)).n += n

    def assumed(self, what: str, value: str, why: str, option: str, place: str = "", n: int = 1) -> None:
        """Count a value that the source does not state; `option` is what a user can state it with."""
        _row(self.assumed_rows, (what, value, why, option)).add(place, n)

    def dropped(self, name: str, effect: str, place: str = "", n: int = 1) -> None:
        """Count a field that the document does not hold; `effect` is what it could change."""
        _row(self.dropped_rows, (name, effect)).add(place, n)

    def finding(self, kind: str, problem: str, hint: str, place: str, n: int = 1) -> None:
        """Count something in the source that looks wrong or is missing."""
        _row(self.finding_rows, (kind, problem, hint)).add(place, n)


def _row(rows: dict[Key, Row], key: Key) -> Row:
    row = rows.get(key)
    if row is None:
        if len(rows) >= MAX_ROWS:
            key = (OTHERS, *[""] * (len(key) - 1))
        row = rows.setdefault(key, Row())
    return row
