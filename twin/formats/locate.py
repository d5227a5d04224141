"""Lines of places in a file; they are searched only for a file that has a fault."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from ..errors import Issue, TwinError
from ..errors.validation import item_label

MAX_JSON_BYTES = 4 * 1024 * 1024
"""Maximum size of a JSON file whose lines are searched; the search is much slower than reading JSON."""
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
INTERCONNECTS = ".params.interconnects["
"""Start of the place of a link that a fabric passes on as it is written."""
Position = tuple[int, int]
"""Line and column, from 1."""


@contextmanager
def located(path: Path | None) -> Iterator[None]:
    """Add the path of a file, and lines and columns in it, to an error of its content; None = no file."""
    try:
        yield
    except TwinError as error:
        if path is not None and not error.file:
            _locate(error, path)
        raise


def _locate(error: TwinError, path: Path) -> None:
    error.file = str(path)
    positions = _positions_in_file(path, {issue.where for issue in error.issues})
    if error.has_issues:
        error.where = str(path)
        error.set_issues(_with_position(issue, positions) for issue in error.issues)
    elif error.where != str(path):
        position = positions.get(error.where)
        place = str(Issue(error.where, "", "", *(position or ()))).removesuffix(": ")
        error.where = f"{path}: {place}" if error.where else str(path)


def _with_position(issue: Issue, positions: dict[str, Position]) -> Issue:
    position = positions.get(issue.where)
    return issue if position is None else replace(issue, line=position[0], column=position[1])


def _positions_in_file(path: Path, places: Collection[str]) -> dict[str, Position]:
    try:
        if path.suffix.lower() == ".json" and path.stat().st_size > MAX_JSON_BYTES:
            return {}
        return positions_of(path.read_text(encoding="utf-8-sig"), places)
    except (OSError, ValueError, RecursionError, yaml.YAMLError):  # the fault itself may be one of these
        return {}


def positions_of(text: str, places: Collection[str]) -> dict[str, Position]:
    """Return the positions of places such as `links[l].spans[0].length_km` in a YAML or JSON text.

    A field that is missing has the position of its record. A link of a generator that is written as a record, in
    `params.interconnects`, has that position. A place outside the text, such as a record that a generator makes, has
    none.
    """
    return _Search(places).run(yaml.parse(text, _Loader))


@dataclass(slots=True)
class _Value:
    """A value that was read: its id if it is a record, and the positions inside it by the rest of their place."""

    position: Position
    id: str | None
    text: str | None
    inside: list[tuple[str, Position]]


class _Search:
    """A search for places; it holds the positions of one record of a list at a time."""

    def __init__(self, places: Collection[str]) -> None:
        self._found: dict[str, tuple[int, Position]] = {}
        self._places_of: dict[str, list[str]] = {}
        for place in places:
            starts = {place[: i + 1] for i, letter in enumerate(place) if letter == "]"}
            for start in {*starts, place.partition("[")[0].partition(".")[0]}:
                self._places_of.setdefault(start, []).append(place)

    def run(self, events: Iterator[Any]) -> dict[str, Position]:
        """Return the positions that were found."""
        for event in events:
            if isinstance(event, yaml.MappingStartEvent):
                self._fields(events)
                break
        return {place: position for place, (_, position) in self._found.items()}

    def _fields(self, events: Iterator[Any]) -> None:
        for key in events:
            if isinstance(key, yaml.MappingEndEvent):
                return
            name, event = _read(key, events).text, next(events)
            if isinstance(event, yaml.SequenceStartEvent):
                self._match(str(name), "", _position(key), is_list=True)
                self._items(str(name), events)
            else:
                value = _read(event, events)
                self._match(str(name), "", _position(key))
                for rest, position in value.inside:
                    self._match(str(name), rest, position)

    def _items(self, name: str, events: Iterator[Any]) -> None:
        for i, event in enumerate(events):
            if isinstance(event, yaml.SequenceEndEvent):
                return
            record = _read(event, events)
            start = f"{name}[{item_label(record.id, i)}]"
            if name == "fabrics":
                self._interconnects(record)
            if start in self._places_of:
                self._match(start, "", record.position)
                for rest, position in record.inside:
                    self._match(start, rest, position)

    def _interconnects(self, fabric: _Value) -> None:
        """Note the positions of links that stand in the parameters of a fabric."""
        for rest, position in fabric.inside:
            _, is_link, inner = rest.partition(INTERCONNECTS)
            place = f"links[{inner}"
            for end in (i + 1 for i, letter in enumerate(place) if is_link and letter == "]"):
                self._match(place[:end], place[end:], position)

    def _match(self, start: str, rest: str, position: Position, *, is_list: bool = False) -> None:
        """Note the position for all places at or below it, unless a longer part of the place is known."""
        known = start + rest
        for place in self._places_of.get(start, ()):
            is_below = not is_list and place.startswith((f"{known}.", f"{known}["))
            if (place == known or is_below) and self._found.get(place, (-1, None))[0] < len(known):
                self._found[place] = len(known), position


def _read(event: Any, events: Iterator[Any]) -> _Value:
    """Read one value from the events; `event` is its first."""
    value = _Value(_position(event), None, getattr(event, "value", None), [])
    if isinstance(event, yaml.SequenceStartEvent):
        for i, item in enumerate(events):
            if isinstance(item, yaml.SequenceEndEvent):
                break
            inner = _read(item, events)
            _put(value, f"[{item_label(inner.id, i)}]", inner.position, inner)
    elif isinstance(event, yaml.MappingStartEvent):
        for key_event in events:
            if isinstance(key_event, yaml.MappingEndEvent):
                break
            key = _read(key_event, events)
            inner = _read(next(events), events)
            if key.text == "id":
                value.id = inner.text
            _put(value, f".{key.text}", key.position, inner)
    return value


def _put(value: _Value, start: str, position: Position, inner: _Value) -> None:
    value.inside.append((start, position))
    value.inside += [(start + rest, position) for rest, position in inner.inside]


def _position(event: Any) -> Position:
    return event.start_mark.line + 1, event.start_mark.column + 1
