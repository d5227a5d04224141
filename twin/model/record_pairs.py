"""Records of two documents matched with each other, and the fields that differ, as texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING as MISSING_DEFAULT
from dataclasses import fields
from typing import Any, TypeVar

from ..errors.wording import value_text
from .document import LABELS
from .identity import Source
from .records import Demand, Link, Node, Site, asdict_compact

Record = Site | Node | Link | Demand
R = TypeVar("R", Site, Node, Link, Demand)
Plain = dict[str, Any]
NOT_COMPARED = frozenset({*LABELS, "origin", "note", "id"})
"""Fields of a record that no answer uses."""
MISSING = "-"
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


def field_texts(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the fields that differ as texts: `name: old → new`."""
    texts: list[str] = []
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if _are_rows(old, new):
            rows = enumerate(zip(old, new, strict=True))  # type: ignore[arg-type]
            texts += [f"{name}[{i}].{text}" for i, pair in rows for text in field_texts(*pair)]
        else:
            texts.append(f"{name}: {_text(old)} → {_text(new)}")
    return texts


def _are_rows(old: object, new: object) -> bool:
    """Return whether two values are as many mappings, such as spans, to be compared one by one."""
    return (
        isinstance(old, list)
        and isinstance(new, list)
        and len(old) == len(new)
        and all(isinstance(row, Mapping) for row in (*old, *new))
    )


def _text(value: object) -> str:
    if isinstance(value, list):
        return f"{len(value)} listed"
    return MISSING if value is None else value_text(value)
