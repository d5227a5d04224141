"""Fields of one source record: each that is read is counted, and the rest is reported as dropped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors.wording import quoted, value_text
from ..printable import printable_text
from .cabling import Origin
from .ledger import Ledger
from .quantities import finite

NO_EFFECT = "not in the document; no answer uses it"
MAX_TEXT = 2000
FLAGS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False, "up": True, "down": False}


class Fields:
    """Reads the fields of a record by name and keeps count of them."""

    def __init__(self, record: Mapping[str, Any], kind: str, place: str, ledger: Ledger) -> None:
        """Start to read a record.

        Args:
            record: the fields.
            kind: kind of the record in the report, such as `nodes`.
            place: place of the record in its file.
            ledger: counts of the import.
        """
        self.record, self.kind, self.place, self.ledger = record, kind, place, ledger
        self._seen: set[str] = set()

    def raw(self, *names: str) -> Any:
        """Return the first field of the names that is stated, uncounted as kept; None if there is none."""
        for name in names:
            if name in self.record and self.record[name] is not None:
                self._seen.add(name)
                return self.record[name]
        return None

    def text(self, *names: str) -> str:
        """Return a field as text, kept as it is written; empty if it is not stated."""
        for name in names:
            value = self.record.get(name)
            if value is None or value == "":
                continue
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                self._seen.add(name)
                self.ledger.kept(f"{self.kind}.{name}")
                return plain(value)
        return ""

    def number(self, name: str, low: float, high: float, conversion: str = "", factor: float = 1.0) -> float | None:
        """Return a field as a number times `factor`; None if it is not stated, or with a finding if it is no number.

        low, high: range of the result.
        """
        if name not in self.record:
            return None
        value = self.raw(name)
        if value is None or value == "":
            return None
        number = finite(value)
        if number is None or not low <= number * factor <= high:
            self.bad(name, value, f"a number from {low:g} to {high:g}" + (" after conversion" if factor != 1 else ""))
            return None
        self.count(name, conversion)
        return number * factor

    def flag(self, name: str) -> bool | None:
        """Return a field as true or false; None if it is not stated, or with a finding if it is neither."""
        value = self.raw(name)
        if value is None or value == "":
            return None
        word = str(value).strip().lower()
        if word not in FLAGS:
            self.bad(name, value, "true or false")
            return None
        self.count(name)
        return FLAGS[word]

    def texts(self, *names: str) -> tuple[str, ...]:
        """Return the first stated field as texts: a list, a JSON text of one, or texts with semicolons between."""
        name = next((name for name in names if self.record.get(name) not in (None, "", [])), None)
        if name is None:
            return ()
        value = self.raw(name)
        if isinstance(value, str):
            value = _listed(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            value = [value]
        if not isinstance(value, list):
            return ()
        found = tuple(plain(item) for item in value if isinstance(item, str | int | float) and item != "")
        if found:
            self.count(name)
        return found

    def count(self, name: str, conversion: str = "") -> None:
        """Count a field as converted, or as kept without a conversion."""
        if conversion:
            self.ledger.converted(f"{self.kind}.{name}", conversion)
        else:
            self.ledger.kept(f"{self.kind}.{name}")

    def bad(self, name: str, value: object, expected: str) -> None:
        """Keep a finding about a value that cannot be used; it counts as not stated."""
        place = f"{self.place}: {name} = {value_text(value)}"
        self.ledger.finding("bad value", f"{self.kind}.{name} is not used", f"expected {expected}", place)

    def drop(self, name: str, effect: str) -> None:
        """Count a stated field as dropped, with what it could change."""
        if self.record.get(name) not in (None, "", [], {}):
            self._seen.add(name)
            self.ledger.dropped(f"{self.kind}.{name}", effect, self.place)

    def is_read(self, name: str) -> bool:
        """Return whether a field was read or skipped."""
        return name in self._seen

    def skip(self, *names: str) -> None:
        """Take fields as read that only repeat others."""
        self._seen.update(names)

    def close(self, effects: Mapping[str, str] | None = None) -> None:
        """Count all fields that were not read as dropped; `effects` says what some of them could change."""
        for name, value in self.record.items():
            if name not in self._seen and value not in (None, "", [], {}):
                effect = (effects or {}).get(name, NO_EFFECT)
                self.ledger.dropped(f"{self.kind}.{str(name)[:80]}", effect, self.place)

    def source(self, file: str, record_id: str = "") -> Origin:
        """Return the origin of the record."""
        return origin(file, self.place, record_id)


def _listed(text: str) -> Any:
    """Return the items of a JSON list, or of a text with semicolons."""
    if text.startswith("["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    return [part.strip() for part in text.split(";")]


def plain(value: object) -> str:
    """Return a value as text that any encoding can write; half of a surrogate pair becomes a question mark."""
    text = str(value)[:MAX_TEXT]
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def origin(file: str, position: str = "", record_id: str = "") -> Origin:
    """Return the origin of a record, without fields that are empty."""
    fields = {"file": plain(file), "position": plain(position), "id": plain(record_id)}
    return {name: printable_text(text) for name, text in fields.items() if text}


def unknown_end(ledger: Ledger, place: str, name: str) -> None:
    """Keep a finding about a cable or demand whose end is no device of the source."""
    ledger.finding(
        "unknown end", "left out: an end is no device of the source", "add the device", f"{place}: {quoted(name)}"
    )
