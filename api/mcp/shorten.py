"""Answers within a number of characters: figures are rounded, lists are cut, and what is left out is named."""

from __future__ import annotations

import json
from typing import Any

MAX_CHARACTERS = 5_900
"""Longest answer by default."""
MAX_ASKED_CHARACTERS = 40_000
"""Longest answer to a call that states `fields` or `top`."""
N_DIGITS = 5
TOP = 8
"""Most items of a list by default."""
MAX_TEXT = 1_000
"""Longest text within an answer."""
VERDICT = "verdict"
Data = dict[str, Any]


def shortened(data: Data, *, top: int, max_characters: int, more: str, next_step: str = "") -> str:
    """Return an answer as JSON text of bounded length.

    Lists are cut to fewer items first, then the last fields go, so that the verdict stays.

    Args:
        data: the answer, the most important fields first.
        top: most items of a list.
        max_characters: most characters of the text; at least twice MAX_TEXT.
        more: how to ask for what is left out.
        next_step: question that a reader may ask now; empty for none.
    """
    last = {"next": next_step} if next_step else {}
    kept, gone = dict(data), dict[str, str]()
    while True:
        left_out: dict[str, str] = {}
        shown: Data = {}
        for key, value in kept.items():
            whole = key == VERDICT and len(kept) > 1
            shown[key] = _cut(value, key, len(value) if whole else top, left_out)
        left_out = gone | left_out
        missing = {"left_out": left_out, "more": more} if left_out else {}
        text = json.dumps(shown | last | missing, ensure_ascii=False)
        if len(text) <= max_characters or (top == 1 and len(kept) <= 1):
            return text
        if top > 1:
            top //= 2
        else:
            gone = {kept.popitem()[0]: "all"} | gone


def _cut(value: Any, place: str, top: int, left_out: dict[str, str]) -> Any:
    """Return a value with rounded figures and cut lists; `left_out` gets the number of items by place."""
    if isinstance(value, dict):
        return {key: _cut(item, f"{place}.{key}", top, left_out) for key, item in value.items()}
    if isinstance(value, list):
        if len(value) > top:
            left_out[place] = f"{top} of {len(value):,} shown"
        return [_cut(item, place, top, left_out) for item in value[:top]]
    if isinstance(value, float):
        return rounded(value)
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return value[: MAX_TEXT - 1] + "…"
    return value


def rounded(value: float) -> float | int:
    """Return a figure with N_DIGITS digits, whole numbers without a fraction."""
    short = float(f"{value:.{N_DIGITS}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short
