"""Validates plain data strictly as records, models and unions."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterator, Mapping
from datetime import date, datetime
from threading import RLock
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from ..errors import DocumentError, Issue
from ..errors.validation import document_error, place_of
from ..errors.wording import MAX_SHOWN, counted

MAX_DEPTH = 100
"""Maximum nesting of lists and mappings: far more than documents need, far less than parsers can handle."""

_BUILDING = RLock()
_ADAPTERS: dict[Hashable, TypeAdapter[Any]] = {}


def adapter_of(kind: Any) -> TypeAdapter[Any]:
    """Return the validator of a model, record or union; one thread builds it once per process.

    Building takes up to 40 ms. Python 3.11 cannot do it in two threads at once: it parses source, and the parser
    counts depth for all threads together.
    """
    with _BUILDING:
        if kind not in _ADAPTERS:
            _ADAPTERS[kind] = TypeAdapter(kind)
        return _ADAPTERS[kind]


def validate_as(kind: Any, data: Any, where: str, *, prefix: str = "") -> Any:
    """Validate data strictly as a pydantic model, record or union.

    Args:
        kind: what to validate as.
        data: plain data.
        where: file or place of the data, for messages.
        prefix: prefix of the place of each fault, such as `changes`.

    Raises:
        DocumentError: all faults, with their places.
    """
    adapter = adapter_of(kind)
    try:
        text = json.dumps(data, default=_to_json_value)
    except RecursionError as error:
        raise DocumentError("is nested too deeply", where=where, expected=f"at most {MAX_DEPTH} levels") from error
    except (TypeError, ValueError) as error:
        issues = list(_plain_data_issues(data, prefix)) or [Issue(prefix or "document", "contains itself")]
        raise DocumentError(counted(len(issues), "bad field"), where=where, found=issues) from error
    try:
        return adapter.validate_json(text, strict=True)
    except ValidationError as error:
        if any(fault["type"] == "int_type" and _is_whole(fault["input"]) for fault in error.errors()):
            return validate_as(kind, _with_integers(data), where, prefix=prefix)
        place = _surrogate_issue(data)
        if place is not None:
            raise DocumentError("1 bad field", where=where, found=[place]) from error
        raise document_error(error, data, adapter.json_schema, where, prefix=prefix) from error


MAX_WHOLE = 2**53
"""Largest float that stands for an integer: beyond it, neighbours differ by more than one."""


def _is_whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer() and abs(value) <= MAX_WHOLE


def _with_integers(data: Any) -> Any:
    """Return plain data with integers for floats without a fraction: 3.0 is an integer to JSON, and a float field
    takes integers, too."""
    if isinstance(data, Mapping):
        return {key: _with_integers(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_with_integers(value) for value in data]
    return int(data) if _is_whole(data) else data


def valid_or_none(kind: Any, data: Any) -> Any:
    """Return data validated strictly as a model, record or union, or None if it is invalid."""
    try:
        return adapter_of(kind).validate_json(json.dumps(data, default=_to_json_value), strict=True)
    except (ValueError, TypeError, RecursionError):  # a ValidationError is a ValueError
        return None


_SURROGATE = re.compile("[\\ud800-\\udfff]")


def _surrogate_issue(data: Any) -> Issue | None:
    """Find the first text with half of a surrogate pair, which no encoding can write."""
    for path, item in _items(data):
        if isinstance(item, str) and _SURROGATE.search(item):
            where = place_of(path, data).encode("ascii", "backslashreplace").decode()
            problem = f"a lone surrogate, half of a character, in {ascii(item)[:MAX_SHOWN]}"
            return Issue(where, problem, "write the whole character as UTF-8")
    return None


def _plain_data_issues(data: Any, prefix: str) -> Iterator[Issue]:
    """Find what is neither text nor number, list, mapping, date, true, false or null."""
    for path, item in _items(data):
        if isinstance(item, datetime):
            yield Issue(place_of(path, data, prefix), f"{item} is a time", "dates are written 2026-01-31")
        elif not isinstance(item, str | int | float | Mapping | list | tuple | date | BaseModel | None):
            yield Issue(place_of(path, data, prefix), "is no plain data", "text, numbers, lists, mappings")


def _items(data: Any) -> Iterator[tuple[list[Any], Any]]:
    """Yield every value of nested data with its path, and every key with the path of its mapping.

    A list or mapping that occurs several times is entered once, so one that contains itself is finite.
    """
    pending: list[tuple[list[Any], Any]] = [([], data)]
    entered: set[int] = set()
    while pending:
        path, item = pending.pop()
        yield path, item
        if isinstance(item, Mapping | list | tuple):
            if id(item) in entered:
                continue
            entered.add(id(item))
        if isinstance(item, Mapping):
            pending += [(path, key) for key in item]
            pending += [([*path, key], value) for key, value in item.items()]
        elif isinstance(item, list | tuple):
            pending += [([*path, i], value) for i, value in enumerate(item)]


def _to_json_value(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    raise TypeError
