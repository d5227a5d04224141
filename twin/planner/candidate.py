"""Candidates of a plan: changes that are bought together or not at all, and what each of them replaces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field, JsonValue

from ..arrays import State
from ..errors import ChangeError
from ..model.records import STRICT, Id
from ..model.validation import validate_as
from ..scenario.apply import Scenario, edited, parse_changes
from ..scenario.changes import Change
from ..stages.evaluation import Case

MAX_OWN = 200
"""Most candidates of a file."""
MEASURED = ("link_measured_received_dbm", "link_measured_years", "span_measured_loss_db", "span_measured_years")
AGES = ("link_age_years", "span_age_years", "node_age_years", "span_undated")
FOLLOWING = frozenset({*MEASURED, *AGES, "link_capacity_gbps", "arc_capacity_gbps", "parts"})
"""Columns that follow from others which a change replaces; two candidates may replace them for the same record."""

Footprint = frozenset[tuple[Any, ...]]
"""Footprint of a candidate, the things that it replaces: columns by record, records, fields of the job."""


@dataclass(frozen=True)
class Candidate:
    """Changes that a plan takes as a whole or not at all."""

    id: str
    kind: str
    """Row of the table of generators, or `own`."""
    note: str
    """Reason for looking at it."""
    changes: tuple[Change, ...]
    needs: tuple[str, ...] = ()
    """Candidates without which it is not considered."""
    slot: str = ""
    """Candidates of the same slot exclude each other; empty = only what they replace decides."""

    def to_data(self) -> list[dict[str, Any]]:
        """Return the changes as plain data."""
        return [plain_change(change) for change in self.changes]


class OwnCandidate(BaseModel):
    """A candidate of a file."""

    model_config = STRICT | {"frozen": True}

    id: Id
    note: Annotated[str, Field(max_length=4000)] = ""
    needs: Annotated[tuple[Id, ...], Field(max_length=MAX_OWN)] = ()
    changes: Annotated[tuple[dict[str, JsonValue], ...], Field(min_length=1, max_length=1000)]


def plain_change(change: Change) -> dict[str, Any]:
    """Return a change as plain data, without fields that have their default value."""
    return {"kind": change.kind, **change.model_dump(mode="json", exclude_defaults=True)}


def own_candidates(data: Sequence[Any], where: str = "candidates") -> tuple[Candidate, ...]:
    """Read candidates from plain data: mappings with `id`, `changes`, and optionally `note` and `needs`.

    Args:
        data: list of mappings, or of candidates.
        where: place of the list, for messages.

    Raises:
        DocumentError: bad fields, all of them.
        ChangeError: too many candidates, an id twice, or a need that is no candidate.
    """
    given = [item for item in data if isinstance(item, Candidate)]
    if len(data) > MAX_OWN:
        raise ChangeError(f"{len(data)} candidates", where=where, expected=f"at most {MAX_OWN}")
    rows = validate_as(
        tuple[OwnCandidate, ...], [row for row in data if not isinstance(row, Candidate)], where, prefix=where
    )
    found = [
        Candidate(
            id=row.id,
            kind="own",
            note=row.note,
            changes=parse_changes(row.changes, f"{where}[{row.id}].changes"),
            needs=row.needs,
        )
        for row in rows
    ]
    found = [*given, *found]
    check_ids(found, where)
    return tuple(found)


def check_ids(candidates: Sequence[Candidate], where: str) -> None:
    """Raise ChangeError for an id that stands twice, or a need that is no candidate."""
    ids = [candidate.id for candidate in candidates]
    for name in ids:
        if ids.count(name) > 1:
            raise ChangeError(f"candidate {name!r} stands twice", where=where, expected="each id once")
    for candidate in candidates:
        for need in candidate.needs:
            if need not in ids:
                raise ChangeError(f"candidate {candidate.id!r} needs {need!r}, which is no candidate", where=where)


def footprint(candidate: Candidate, origin: Scenario, reader: Any) -> Footprint:
    """Return what a candidate replaces: columns by record, records, fields of the job.

    Two candidates that replace the same thing exclude each other. Ages and measurements follow from other columns and
    do not count.

    Raises:
        ChangeError: a target is missing, or a change does not apply.
    """
    after = edited(origin, candidate.changes, reader, f"candidates[{candidate.id}].changes")
    return frozenset(_differences(origin, after))


def _differences(origin: Scenario, after: Scenario) -> Iterator[tuple[Any, ...]]:
    before, state = origin.case.state, after.case.state
    if state.arrays is not before.arrays:
        for kind, old, new in (
            ("node", before.node_ids, state.node_ids),
            ("link", before.link_ids, state.link_ids),
        ):
            yield from ((kind, name) for name in set(old) ^ set(new))
    yield from _replaced_columns(State.of(state.arrays) if state.arrays is not before.arrays else before, state)
    yield from _replaced_records(origin.case, after.case)
    yield from _replaced_job_fields(origin.case, after.case)


def _replaced_columns(before: State, after: State) -> Iterator[tuple[Any, ...]]:
    span_link = after["span_link"]
    for column in sorted(set(after.overlay) - FOLLOWING):
        old, new = before[column], after[column]
        if old is new:
            continue
        rows = np.flatnonzero(_differ(old, new) | _renewed(column, before, after))
        prefix = column.partition("_")[0]
        links = np.unique(span_link[rows]) if prefix == "span" else rows
        ids = after.node_ids if prefix == "node" else after.link_ids
        yield from ((column, ids[row]) for row in links.tolist())


def _differ(old: Any, new: Any) -> Any:
    both_nan = np.isnan(old) & np.isnan(new) if old.dtype.kind == "f" else np.zeros(len(old), dtype=np.bool_)
    return (old != new) & ~both_nan


def _renewed(column: str, before: State, after: State) -> Any:
    """Rows whose part is replaced by a new one of the same kind: the age falls."""
    ages = {"link_transceiver": "link_age_years", "span_fibre": "span_age_years", "node_part": "node_age_years"}
    if column not in ages:
        return np.zeros(len(after[column]), dtype=np.bool_)
    return _differ(before[ages[column]], after[ages[column]])


def _replaced_records(before: Case, after: Case) -> Iterator[tuple[Any, ...]]:
    if before.document is after.document:
        return
    for name in type(before.document).model_fields:
        old, new = getattr(before.document, name), getattr(after.document, name)
        if old is new or name in ("nodes", "links", "fabrics"):
            continue
        if not isinstance(old, tuple):
            if old != new:
                yield ("document", name)
            continue
        yield from {(name, _key(row)) for row in (*old, *new) if (row in old) != (row in new)}


def _key(record: Any) -> Any:
    if hasattr(record, "tier") and hasattr(record, "mode"):
        return (record.tier, record.fabric)
    return getattr(record, "id", repr(record))


def _replaced_job_fields(before: Case, after: Case) -> Iterator[tuple[Any, ...]]:
    old, new = before.job, after.job
    if old is new or old is None or new is None:
        return
    for spec in fields(old):
        a, b = getattr(old, spec.name), getattr(new, spec.name)
        if a == b:
            continue
        if spec.name == "placement":
            yield from (("placement", place.site) for place in (*a, *b) if (place in a) != (place in b))
        elif is_dataclass(a) and spec.name == "parallelism":
            changed = (inner.name for inner in fields(a) if getattr(a, inner.name) != getattr(b, inner.name))
            yield from (("parallelism", name) for name in changed if name != "dp")
        else:
            yield ("job", spec.name)


def exclusions(candidates: Sequence[Candidate], prints: Sequence[Footprint]) -> tuple[int, ...]:
    """Return for each candidate the bits of those that exclude it: of its slot, or that replace the same."""
    masks = []
    for i, (candidate, own) in enumerate(zip(candidates, prints, strict=True)):
        mask = 0
        for j, (other, theirs) in enumerate(zip(candidates, prints, strict=True)):
            same_slot = bool(candidate.slot) and candidate.slot == other.slot
            if i != j and (same_slot or not own.isdisjoint(theirs)):
                mask |= 1 << j
        masks.append(mask)
    return tuple(masks)


def changes_of(candidates: Iterable[Candidate]) -> list[dict[str, Any]]:
    """Return the changes of candidates as plain data, in their order."""
    return [change for candidate in candidates for change in candidate.to_data()]
