"""Answers as plain data; `data_fields.py` says how the fields of a dataclass appear in it."""

from __future__ import annotations

import dataclasses
import json
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
    values: Callable[[Any], tuple[Any, ...]]
    special: tuple[DataField, ...]
    """Fields that are rounded or optional."""


@cache
def _shape(kind: type) -> _Shape:
    rows = data_fields(kind)
    names = [row.name for row in rows]
    values = attrgetter(*names) if len(names) > 1 else lambda value: tuple(getattr(value, name) for name in names)
    special = tuple(row for row in rows if row.optional or row.decimals is not None)
    return _Shape(tuple(row.key for row in rows), values, special)


def _fields_to_data(value: Any) -> dict[str, Any]:
    kind: type = type(value)
    keys, values, special = _shape(kind)
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
        return json_text(self.to_dict(fields), indent)


def json_text(data: Any, indent: int | None = 1) -> str:
    """Return plain data as JSON text, ending in a newline."""
    return json.dumps(data, indent=indent, ensure_ascii=False, allow_nan=False) + "\n"
