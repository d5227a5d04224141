"""Answers as plain data; `data_fields.py` says how the fields of a dataclass appear in it."""

from __future__ import annotations

import dataclasses
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

from ..render.plain_text import plain_text
from .data_fields import DataField, data_fields
from .fields import chosen_fields

SCALARS = (str, bool, int, float, type(None))
SCALAR_TYPES = frozenset(SCALARS)


def to_data(value: Any) -> Any:
    """A value as plain data: dataclasses and mappings as dicts, sequences as lists, dates as ISO text."""
    if isinstance(value, SCALARS):
        return value
    if dataclasses.is_dataclass(value):
        return _fields_to_data(value)
    if isinstance(value, Mapping):
        return {key: to_data(item) for key, item in value.items()}
    return value.isoformat() if isinstance(value, date) else [to_data(item) for item in value]


class _Shape(NamedTuple):
    """The fields of a dataclass, prepared for many objects: a table of links has 10^5 rows."""

    keys: tuple[str, ...]
    key_texts: tuple[str, ...]
    """Keys as JSON text, each with its colon."""
    values: Callable[[Any], tuple[Any, ...]]
    special: tuple[DataField, ...]
    """Fields that are rounded or optional."""


@cache
def _shape(kind: type) -> _Shape:
    rows = data_fields(kind)
    names = [row.name for row in rows]
    values = attrgetter(*names) if len(names) > 1 else lambda value: tuple(getattr(value, name) for name in names)
    special = tuple(row for row in rows if row.optional or row.decimals is not None)
    keys = tuple(row.key for row in rows)
    return _Shape(keys, tuple(f"{json.encoder.encode_basestring(key)}: " for key in keys), values, special)


def _float_text(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"Out of range float values are not JSON compliant: {value!r}")
    return float.__repr__(value)


SCALAR_TEXTS: dict[type, Callable[[Any], str]] = {
    str: json.encoder.encode_basestring,
    bool: lambda value: "true" if value else "false",
    int: int.__repr__,
    float: _float_text,
    type(None): lambda _: "null",
}


class _JsonText:
    """Writes values as `json.dumps` writes their `to_data`, without making it first.

    Rows of a table often share records, whose text is made once.
    """

    def __init__(self, indent: int) -> None:
        self._indent = indent
        self._known: dict[tuple[int, int], str] = {}

    def of(self, value: Any, level: int = 0) -> str:
        """Text of a value that stands so many levels deep."""
        scalar = SCALAR_TEXTS.get(type(value))
        if scalar is not None:
            return scalar(value)
        if dataclasses.is_dataclass(value):
            return self._of_fields(value, level)
        if isinstance(value, Mapping):
            encoded = json.encoder.encode_basestring
            items = [f"{encoded(key)}: {self.of(item, level + 1)}" for key, item in value.items()]
            return self._joined("{", items, "}", level)
        for kind in SCALARS:  # a subclass, such as a float of numpy
            if isinstance(value, kind):
                return SCALAR_TEXTS[kind](value)
        if isinstance(value, date):
            return self.of(value.isoformat())
        return self._joined("[", [self.of(item, level + 1) for item in value], "]", level)

    def _of_fields(self, value: Any, level: int) -> str:
        kind: type = type(value)
        shape = _shape(kind)
        texts: list[str | None] = []
        for item in shape.values(value):
            scalar = SCALAR_TEXTS.get(type(item))
            if scalar is not None:
                texts.append(scalar(item))
            elif dataclasses.is_dataclass(item):
                place = id(item), level
                if place not in self._known:
                    self._known[place] = self._of_fields(item, level + 1)
                texts.append(self._known[place])
            else:
                texts.append(self.of(item, level + 1))
        for name, key, decimals, optional, default in shape.special:
            if optional and getattr(value, name) == default:
                texts[shape.keys.index(key)] = None
            elif decimals is not None:
                texts[shape.keys.index(key)] = self.of(round(getattr(value, name), decimals))
        rows = zip(shape.key_texts, texts, strict=True)
        return self._joined("{", [key + text for key, text in rows if text is not None], "}", level)

    def _joined(self, first: str, items: list[str], last: str, level: int) -> str:
        if not items:
            return first + last
        line = "\n" + " " * (self._indent * level)
        inner = line + " " * self._indent
        return f"{first}{inner}{(',' + inner).join(items)}{line}{last}"


def _fields_to_data(value: Any) -> dict[str, Any]:
    kind: type = type(value)
    keys, _, values, special = _shape(kind)
    data = dict(zip(keys, values(value), strict=True))
    for key, item in data.items():
        if type(item) not in SCALAR_TYPES:
            data[key] = to_data(item)
    for name, key, decimals, optional, default in special:
        if optional and getattr(value, name) == default:
            del data[key]
        elif decimals is not None:
            data[key] = round(data[key], decimals)
    return data


class Answer(ABC):
    """Base of every answer: the same data and the same bytes in Python, from the command and over HTTP."""

    def __repr__(self) -> str:
        """The answer as the command shows it, as plain text."""
        return plain_text(self._table())

    @abstractmethod
    def _table(self) -> Any:
        """Return the answer as a rich renderable."""

    def to_dict(self, fields: Iterable[str] | None = None) -> dict[str, Any]:
        """Plain data without clock, paths or random ids.

        fields: names of the fields to keep, with dots between keys: `verdict`, `metrics.step_time_s`; None = all.
        Raises ChangeError for an unknown name.
        """
        data = _fields_to_data(self)
        return data if fields is None else chosen_fields(data, fields, type(self))

    def to_json(self, indent: int | None = 1, fields: Iterable[str] | None = None) -> str:
        """`to_dict` as JSON text, ending in a newline."""
        if indent is None or fields is not None:
            return json_text(self.to_dict(fields), indent)
        return _JsonText(indent).of(self) + "\n"


def json_text(data: Any, indent: int | None = 1) -> str:
    """Return plain data as JSON text, ending in a newline."""
    return json.dumps(data, indent=indent, ensure_ascii=False, allow_nan=False) + "\n"
