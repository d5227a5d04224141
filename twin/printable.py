"""Characters that ids and shown texts must not contain: they change how a terminal or a page shows the text around."""

from __future__ import annotations

import re
import unicodedata

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

REFUSED_CATEGORIES = {
    "Cc": "a control character",
    "Cf": "an invisible format character",
    "Cs": "a lone surrogate",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
    "Zs": "a space other than U+0020",
}
"""Unicode categories that an id must not contain, and their names in messages."""
REFUSED_IN_TEXT = re.compile("\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a shown text must not contain: control characters but tabs and new lines, and those that turn its direction."""


def id_problem(text: str) -> str:
    """Return why a text is not a valid id, or an empty string.

    An id is printable and has no space at its start or end.
    """
    if text[:1] == " " or text[-1:] == " ":
        return "an id has no space at its start or end"
    if text.isprintable():
        return ""
    for i, letter in enumerate(text):
        if unicodedata.category(letter) in REFUSED_CATEGORIES:
            return _problem("an id", text, i)
    return ""


def text_problem(text: str) -> str:
    """Return why a text must not be shown, or an empty string."""
    found = REFUSED_IN_TEXT.search(text)
    return "" if found is None else _problem("a text", text, found.start())


def printable_text(text: str) -> str:
    """Return a text with a space in place of each character that a shown text must not contain."""
    return REFUSED_IN_TEXT.sub(" ", text)


def _problem(noun: str, text: str, i: int) -> str:
    kind = REFUSED_CATEGORIES[unicodedata.category(text[i])]
    return f"{noun} holds printable characters only: character {i + 1} is {kind} (U+{ord(text[i]):04X})"


def refuse(problem: str) -> None:
    """Raise the fault of a field that pydantic reports, unless the problem is empty."""
    if problem:
        raise PydanticCustomError("text", "{problem}", {"problem": problem})


def _shown(text: str) -> str:
    refuse(text_problem(text))
    return text


SHOWN = AfterValidator(_shown)
"""Annotation of a text that answers, reports or pages show, such as a name or a note."""
