"""Records of two documents matched with each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import MISSING as MISSING_DEFAULT
from dataclasses import fields
from typing import Any, TypeVar

from .document import LABELS
from .identity import Source
from .records import Demand, Link, Node, Site, asdict_compact

Record = Site | Node | Link | Demand
R = TypeVar("R", Site, Node, Link, Demand)
Plain = dict[str, Any]
NOT_COMPARED = frozenset({*LABELS, "origin", "note", "id"})
"""Fields of a record that no answer uses."""
NO_DEFAULT = (MISSING_DEFAULT, None, (), "")


def matched(old: Sequence[R], new: Sequence[R]) -> dict[str, R]:
    """Match records by the ids of their source, else by their own ids; id in the new document -> old record."""
    old_of: dict[str, R] = {}
    by_source, by_id = _unique(old), {record.id: record for record in old}
    taken: set[str] = set()
    for key, record in _unique(new).items():
        if key in by_source:
            old_of[record.id] = by_source[key]
            taken.add(by_source[key].id)
    for record in new:
        if record.id not in old_of and record.id in by_id and record.id not in taken:
            old_of[record.id] = by_id[record.id]
            taken.add(record.id)
    return old_of


def origin_of(record: Record) -> Source | str | None:
    """Return the origin of a record."""
    return record.origin if isinstance(record, Demand) else record.source


def source_id(record: Record) -> str:
    """Return the id of a record in its source; empty if it is not stated."""
    origin = origin_of(record)
    return (origin.id or "") if isinstance(origin, Source) else ""


def _unique(records: Iterable[R]) -> dict[str, R]:
    """Return records by the ids of their source, without those that have none or share it."""
    found: dict[str, R | None] = {}
    for record in records:
        name = source_id(record)
        if name:
            found[name] = None if name in found else record
    return {name: record for name, record in found.items() if record is not None}


def compared_fields(record: Record) -> Plain:
    """Return the fields of a record that answers use."""
    data = {name: value for name, value in asdict_compact(record).items() if name not in NOT_COMPARED}
    if "spans" in data:
        data["spans"] = [{n: v for n, v in span.items() if n not in NOT_COMPARED} for span in data["spans"]]  # type: ignore[attr-defined]
    return data


def with_defaults(record: Record, data: Plain, names: Iterable[str]) -> Plain:
    """Return fields of a record with its defaults for those of `names` that it leaves out."""
    defaults = {spec.name: spec.default for spec in fields(record) if spec.default not in NO_DEFAULT}
    return data | {name: defaults[name] for name in names if name not in data and name in defaults}
