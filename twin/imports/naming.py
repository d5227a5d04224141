"""Ids of a document from the names of a source: unchanged where an id may be so written."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from ..model.identity import MAX_ID_LENGTH, normal_form
from ..printable import REFUSED_CATEGORIES, id_problem, printable_text
from .ledger import Ledger

MAX_NAME_LENGTH = 200
ROOM_FOR_NUMBER = 12
"""Characters of an id that stay free for a number."""


class Ids:
    """Gives every record an id that is its name where possible; names that stand twice are numbered."""

    def __init__(self, what: str, ledger: Ledger) -> None:
        self._what, self._ledger = what, ledger
        self._taken: set[str] = set()
        self._n_uses: dict[str, int] = {}

    def new(self, name: str, *, is_stated: bool = True) -> str:
        """Return an unused id for a name. One that the source states twice is a finding."""
        plain = printable(name)
        if plain != name:
            conversion = "characters that an id cannot hold are replaced; name keeps the text"
            self._ledger.converted(f"{self._what}.name", conversion)
        given = plain
        if normal_form(plain) in self._taken:
            n = self._n_uses.get(plain, 1)
            while normal_form(given) in self._taken:
                n += 1
                given = f"{plain[: MAX_ID_LENGTH - ROOM_FOR_NUMBER]}#{n}"
            self._n_uses[plain] = n
            if is_stated:
                problem = f"{self._what}: one name stands several times; the later ones are numbered"
                self._ledger.finding("duplicate id", problem, "make names unique", f"{plain} → {given}")
        self._taken.add(normal_form(given))
        return given


def printable(name: str) -> str:
    """Return a name as an id may be written: printable, without spaces at its ends, at most 200 characters."""
    text = name
    if id_problem(text):
        text = "".join(" " if unicodedata.category(c) in REFUSED_CATEGORIES else c for c in text).strip()
    return text[:MAX_ID_LENGTH].strip() or "unnamed"


def texts(values: Iterable[object]) -> tuple[str, ...]:
    """Return tags as a record may hold them: texts of 1 to 200 characters, each once."""
    return tuple(dict.fromkeys(display_name(str(value)) for value in values if str(value)))


def display_name(text: str) -> str:
    """Return a text as a record may show it: printable, at most 200 characters."""
    return printable_text(text[:MAX_NAME_LENGTH])
