"""Records of two documents side by side: what is added, removed, changed or renamed, equal changes once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import date
from typing import Any, Literal

from ..model.document import RECORD_LISTS, TopologyDocument
from ..model.field_texts import Default, field_texts
from ..model.record_pairs import Plain, R, compared_fields, matched, with_defaults
from ..model.records import Link, Node, Span
from ..units import DAYS_PER_YEAR

What = Literal["added", "removed", "changed", "renamed"]
AGE_DIGITS = 2
"""Decimal places of ages."""
MAX_EXAMPLES = 3
MAX_GROUPS = 1000
"""Most groups of differences of one kind of record; the rest is one group without its fields."""
RECORDS = ("sites", "nodes", "links", "demands")
"""Lists whose records have sources, and refer to each other by id."""
NOT_COMPARED = frozenset({*RECORDS, "fabrics", "name", "note", "schema_version", "assumptions"})
"""Fields of a document that are compared as records, or that only describe it."""


@dataclass(frozen=True, slots=True)
class DifferingRecords:
    """Records of one kind that differ alike."""

    what: What
    kind: str
    """site, node, link, demand, or the name of a list or field of the document."""
    id: str
    """First of them, by its id in the newer document; of a removed record, in the older one."""
    n: int
    fields: tuple[str, ...]
    """Fields that differ, as `name: old → new`."""
    examples: tuple[str, ...] = field(default=(), metadata={"optional": True})
    """Ids of some of them, where there are several."""


@dataclass(frozen=True)
class DocumentSide:
    """A document with its nodes and links, fabrics expanded."""

    document: TopologyDocument
    nodes: Sequence[Node]
    links: Sequence[Link]


def record_differences(old: DocumentSide, new: DocumentSide) -> tuple[DifferingRecords, ...]:
    """Compare the records of two documents.

    Records are matched by the ids of their source, else by their own ids. Names, tags and notes are not compared.
    """
    found: list[DifferingRecords] = []
    site_of = _old_ids(old.document.sites, new.document.sites)
    node_of = _old_ids(old.nodes, new.nodes)

    def ends(link: Link) -> Link:
        a, b = (node_of.get(end, end) for end in link.ends)
        return link if (a, b) == link.ends else replace(link, ends=(a, b))

    found += _differences("site", old.document.sites, new.document.sites, lambda site: site)
    found += _differences("node", old.nodes, new.nodes, lambda node: _moved(node, site_of))
    found += _differences("link", old.links, new.links, ends, (old.document.as_of, new.document.as_of))
    demands = tuple(old.document.demands), tuple(new.document.demands)
    found += _differences(
        "demand",
        *demands,
        lambda demand: (
            replace(
                demand,
                source=node_of.get(demand.source, demand.source),
                target=node_of.get(demand.target, demand.target),
            )
            if node_of
            else demand
        ),
    )
    found += _of_document(old.document, new.document)
    return tuple(found)


def _moved(node: Node, site_of: Mapping[str, str]) -> Node:
    renamed = None if node.site is None else site_of.get(node.site)
    return node if renamed is None else replace(node, site=renamed)


def _old_ids(old: Sequence[R], new: Sequence[R]) -> dict[str, str]:
    """Return the old id of each renamed record by its new id."""
    return {name: record.id for name, record in matched(old, new).items() if record.id != name}


Group = tuple[What, tuple[str, ...]]
AsOf = tuple[date | None, date | None]
"""Days of two documents."""


def _differences(
    kind: str, old: Sequence[R], new: Sequence[R], with_old_ids: Callable[[R], R], as_of: AsOf = (None, None)
) -> Iterator[DifferingRecords]:
    """Yield the differences of records of one kind.

    Args:
        kind: kind of the records.
        old: records of the older document.
        new: records of the newer document.
        with_old_ids: names other records as the old document does.
        as_of: days of both documents, for ages.
    """
    old_of = matched(old, new)
    taken = {record.id for record in old_of.values()}
    groups: dict[Group, list[str]] = {}
    for record in new:
        known = old_of.get(record.id)
        if known is None:
            groups.setdefault(("added", ()), []).append(record.id)
            continue
        if known.id != record.id:
            groups.setdefault(("renamed", (f"id: {known.id} → {record.id}",)), []).append(record.id)
        if known == record:
            continue
        before, after = compared_fields(known), compared_fields(with_old_ids(record))
        names = before.keys() | after.keys()
        before, after = _with_ages(before, after, as_of)
        if "spans" in before and "spans" in after:
            before, after = _with_span_defaults(before, after)
        texts = tuple(field_texts(with_defaults(known, before, names), with_defaults(record, after, names)))
        if texts:
            groups.setdefault(("changed", texts), []).append(record.id)
    removed = [record.id for record in old if record.id not in taken]
    if removed:
        groups["removed", ()] = removed
    yield from _grouped(kind, groups)


def _with_ages(before: Plain, after: Plain, as_of: AsOf) -> tuple[Plain, Plain]:
    """Return two records and their spans with ages where one states the day of installation and the other its age."""
    spans = [list(side.get("spans") or ()) for side in (before, after)]
    for i in range(min(map(len, spans))):
        spans[0][i], spans[1][i] = _same_age_form(spans[0][i], spans[1][i], as_of)
    before, after = _same_age_form(before, after, as_of)
    return tuple(  # type: ignore[return-value]
        side | {"spans": listed} if "spans" in side else side
        for side, listed in zip((before, after), spans, strict=True)
    )


def _same_age_form(before: Plain, after: Plain, as_of: AsOf) -> tuple[Plain, Plain]:
    sides = [dict(before), dict(after)]
    for side, other, day in ((sides[0], after, as_of[0]), (sides[1], before, as_of[1])):
        installed = side.get("installed")
        if day is not None and installed is not None and "installed" not in other and "age_years" in other:
            age_years = (day - date.fromisoformat(str(installed))).days / DAYS_PER_YEAR
            del side["installed"]
            side |= {name: age_years for name in other if name.endswith("age_years") and name not in side}
    for side in sides:
        side |= {name: round(side[name], AGE_DIGITS) for name in side if name.endswith("age_years") and side[name]}
    return sides[0], sides[1]


def _with_span_defaults(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    defaults = {spec.name: spec.default for spec in fields(Span)}
    olds, news = list(before["spans"]), list(after["spans"])
    for i in range(min(len(olds), len(news))):
        olds[i], news[i] = _with_defaults(olds[i], news[i], defaults)
    return before | {"spans": olds}, after | {"spans": news}


def _with_defaults(
    before: Mapping[str, Any], after: Mapping[str, Any], defaults: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return two records, each with the default of a field that only the other one states."""
    known = {name: Default(value) for name, value in defaults.items() if isinstance(value, bool | int | float | str)}
    pair = dict(before), dict(after)
    sides = [side | {name: known[name] for name in before.keys() | after.keys() if name in known and name not in side}
             for side in pair]  # fmt: skip
    return sides[0], sides[1]


def _grouped(kind: str, groups: Mapping[Group, list[str]]) -> Iterator[DifferingRecords]:
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[1][0]))
    for (what, differing), ids in ordered[:MAX_GROUPS]:
        examples = tuple(ids[:MAX_EXAMPLES]) if len(ids) > 1 else ()
        yield DifferingRecords(what, kind, ids[0], len(ids), differing, examples)
    for what in ("added", "removed", "changed", "renamed"):
        rest = [name for (other, _), ids in ordered[MAX_GROUPS:] if other == what for name in ids]
        if rest:
            yield DifferingRecords(what, kind, rest[0], len(rest), (), tuple(rest[:MAX_EXAMPLES]))


def _of_document(old: TopologyDocument, new: TopologyDocument) -> Iterator[DifferingRecords]:
    """Yield differences of the other lists, by id, and of the fields of the document."""
    data = [document.model_copy(update=dict.fromkeys((*RECORDS, "fabrics"), ())).to_dict() for document in (old, new)]
    for name in dict.fromkeys((*data[0], *data[1])):
        before, after = data[0].get(name), data[1].get(name)
        if name in NOT_COMPARED or before == after:
            continue
        if name in RECORD_LISTS:
            kinds = {row.id: type(row) for document in (old, new) for row in getattr(document, name)}
            yield from _of_list(name, before or [], after or [], kinds)
        elif before is None or after is None:
            yield DifferingRecords("added" if before is None else "removed", name, name, 1, ())
        else:
            yield DifferingRecords("changed", name, name, 1, tuple(field_texts({name: before}, {name: after})))


def _specs(kind: Any) -> Mapping[str, Any]:
    """Return the fields of a class of records, which is a dataclass or a pydantic model."""
    return {spec.name: spec for spec in fields(kind)} if is_dataclass(kind) else getattr(kind, "model_fields", {})


def _of_list(
    name: str, before: list[dict[str, Any]], after: list[dict[str, Any]], kinds: Mapping[str, Any]
) -> Iterator[DifferingRecords]:
    olds, news = ({row["id"]: row for row in rows} for rows in (before, after))
    for record_id in sorted({*olds, *news}):
        old, new = olds.get(record_id), news.get(record_id)
        if old is None or new is None:
            yield DifferingRecords("added" if old is None else "removed", name, record_id, 1, ())
        elif old != new:
            defaults = {key: spec.default for key, spec in _specs(kinds[record_id]).items()}
            old, new = _with_defaults(old, new, defaults)
            yield DifferingRecords("changed", name, record_id, 1, tuple(field_texts(old, new)))
