"""Texts of the fields in which two records differ, down to the items of lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors.wording import counted, value_text

MISSING = "-"
MAX_SHOWN = 6
"""Items of a list, and fields of an added item, that are written out."""


@dataclass(frozen=True, slots=True)
class Default:
    """Value of a field that a record leaves out."""

    value: Any


def field_texts(before: Mapping[str, Any], after: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return the fields that differ, each as `field: before → after`; items of lists by their place."""
    names = [name for name in dict.fromkeys((*before, *after)) if before.get(name) != after.get(name)]
    return [text for name in names for text in _difference(f"{prefix}{name}", before.get(name), after.get(name))]


def _difference(name: str, before: Any, after: Any) -> Iterator[str]:
    if not (_is_records(before) and _is_records(after)):
        yield f"{name}: {_text(before)} → {_text(after)}"
        return
    places: dict[str, list[int]] = {}
    for i in range(max(len(before or ()), len(after or ()))):
        old, new = (items[i] if items and i < len(items) else None for items in (before, after))
        if old is None or new is None:
            places.setdefault(f": {_text(old)} → {_text(new)}", []).append(i)
        elif old != new:
            for text in field_texts(old, new, "."):
                places.setdefault(text, []).append(i)
    yield from (f"{name}[{_places_text(rows)}]{text}" for text, rows in places.items())


def _places_text(rows: list[int]) -> str:
    """Return places in a list: `0`, `0-3` or `0, 2`."""
    if len(rows) > 1 and rows == [*range(rows[0], rows[-1] + 1)]:
        return f"{rows[0]}-{rows[-1]}"
    return ", ".join(map(str, rows))


def _is_records(value: Any) -> bool:
    return value is None or (isinstance(value, list | tuple) and all(isinstance(item, Mapping) for item in value))


def _text(value: Any) -> str:
    if value is None:
        return MISSING
    if isinstance(value, Default):
        return f"{_text(value.value)} (default)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return _listed([f"{name} {_text(item)}" for name, item in value.items()])
    if isinstance(value, list | tuple) and value:
        return _listed([_text(item) for item in value])
    return value_text(value)


def _listed(texts: list[str]) -> str:
    more = f" and {counted(len(texts) - MAX_SHOWN, 'other')}" if len(texts) > MAX_SHOWN else ""
    return f"{', '.join(texts[:MAX_SHOWN])}{more}"
