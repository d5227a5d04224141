"""Texts as a format can hold them: characters that it refuses are replaced, and the report says so."""

from __future__ import annotations

import re

from ..imports.ledger import Ledger

REPLACEMENT = "\ufffd"
TRIMMED = "spaces at the ends of a text are left out"
REPLACED = "characters that the format cannot hold are replaced by U+FFFD"


def held_text(text: str, refused: re.Pattern[str], name: str, ledger: Ledger) -> str:
    """Return a text without refused characters and without spaces at its ends; count what was changed.

    Args:
        text: what a record states.
        refused: characters that the format cannot hold.
        name: field, for the report.
        ledger: counts of the export.
    """
    clean = refused.sub(REPLACEMENT, text)
    if clean != text:
        ledger.converted(name, REPLACED)
    if clean.strip() != clean:
        ledger.converted(name, TRIMMED)
    return clean.strip()
