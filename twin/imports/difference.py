"""Differences between two imports of one source, by the ids of the source, and the changes that make one the other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..answers.data import Answer
from ..errors import ChangeError
from ..errors.wording import counted
from ..model.document import LABELS, TopologyDocument
from ..model.field_texts import MISSING, field_texts
from ..model.record_pairs import Record, compared_fields, source_id
from ..model.records import Demand, Link, Node, asdict_compact
from ..render.quantities import names_text
from ..scenario.apply import MAX_CHANGES
from ..scenario.job_changes import MAX_FACTOR_RATIO
from .difference_pairs import OF_THE_SOURCE, Pairs
from .difference_plan import Plain, Plan, Step, TryPlan
from .port_tags import BETWEEN_PORTS, port_tag, ports_in_tag, tagged_ports

NO_CHANGE = {
    "site": "no change edits a site",
    "ports": "ports are labels: no answer changes, and the plan keeps the old ones",
    "part": "no change edits own parts: take those of the new import, or --parts",
    "document": "no change edits it: set it in the document",
    "added demand": "no change adds a demand",
    "demand": "no change edits the ends of a demand, or makes one of nothing",
    "node": "no change edits a node that traffic names",
}


@dataclass(frozen=True, slots=True)
class RecordDifference:
    """A record that one of the two imports has, or that they state differently."""

    kind: str
    """site, node, link, demand, part or document."""
    id: str
    """Id in the old document; of an added record, in the new one."""
    source_id: str
    what: str
    """added, removed, changed or renamed."""
    fields: tuple[str, ...] = ()
    """Fields that differ, as `name: old → new`."""
    why_not: str = ""
    """Reason why the plan has no change for it, or not for all of it; empty = it has."""


@dataclass(frozen=True, repr=False)
class ImportDifference(Answer):
    """Differences between an older document and a new import."""

    old: str
    summary: tuple[str, ...]
    records: tuple[RecordDifference, ...]
    changes: tuple[Plain, ...]
    """Changes that make the old document answer as the new one; `--change @FILE` reads them."""

    def _table(self) -> Any:
        from ..render.difference_table import difference_table

        return difference_table(self.to_dict())


def difference(old: TopologyDocument, new: TopologyDocument, name: str, try_plan: TryPlan) -> ImportDifference:
    """Return what differs between an older document and a new import of the same source.

    Records of the old document without an origin in the source, and fields that no record of the new import states,
    are the user's own: they stay.

    Args:
        old: document of an earlier import, with whatever was added to it since.
        new: document of the new import.
        name: name of the old document, for the summary.
        try_plan: function that applies changes to the old network, and raises TwinError where they are refused. What
            it refuses is left out of the plan, with its reason.

    Raises:
        ChangeError: more changes than a plan takes.
        TwinError: the old network refuses a plan without changes.
    """
    found = _Difference(old, new)
    found.run()
    n_changes = len(found.plan.changes(found.steps))
    if n_changes > MAX_CHANGES:
        hint = "take the new import in place of the old document"
        raise ChangeError(f"{n_changes:,} changes", where=name, expected=f"at most {MAX_CHANGES:,}", hint=hint)
    steps, reasons = found.plan.accepted(found.steps, try_plan)
    changes = found.plan.changes(steps)
    records = tuple(found.settled(steps, reasons, changes))
    return ImportDifference(name, _summary(name, records, len(changes)), records, tuple(changes))


def _summary(name: str, records: Sequence[RecordDifference], n_changes: int) -> tuple[str, ...]:
    n_of = {what: sum(record.what == what for record in records) for what in ("added", "removed", "changed", "renamed")}
    if not records:
        return (f"Nothing differs from {name}.",)
    told = ", ".join(f"{n:,} {what}" for what, n in n_of.items() if n)
    n_left = sum(bool(record.why_not) for record in records)
    left = f"{counted(n_left, 'difference')} not or not fully in it" if n_left else "nothing is left out"
    return (f"Against {name}: {told}.", f"{counted(n_changes, 'change')} in the plan; {left}.")


class _Difference:
    """Compares two documents and plans the changes."""

    def __init__(self, old: TopologyDocument, new: TopologyDocument) -> None:
        self.old, self.new = old, new
        self.sites, self.nodes = Pairs(old.sites, new.sites), Pairs(old.nodes, new.nodes)
        self.links, self.demands = Pairs(old.links, new.links), Pairs(old.demands, new.demands)
        self.records: list[RecordDifference] = []
        self.steps: list[Step] = []
        added_sites = (replace(site, id=self.sites.id_of(site.id)) for site in self.sites.added)
        self.plan = Plan(old, added_sites)
        self.stated_of_spans = OF_THE_SOURCE | {
            name for link in new.links for span in link.spans for name in asdict_compact(span)
        }
        self.users: dict[str, list[Demand]] = defaultdict(list)
        """Node -> demands that name it."""
        for demand in old.demands:
            for end in {demand.source, demand.target}:
                self.users[end].append(demand)
        self.n_measurements = Counter(m.of.link for m in old.measurements)

    def run(self) -> None:
        """Compare sites, nodes, links, demands, and what the document states for all of them."""
        self._sites()
        self._nodes()
        self._links()
        self._demands()
        self._document()

    def settled(
        self, steps: Sequence[Step], reasons: Mapping[int, str], changes: Sequence[Plain]
    ) -> Iterator[RecordDifference]:
        """Yield the differences with what is left out of the plan, and what goes with the changes in it."""
        sites = {change["new_site"]["id"] for change in changes if "new_site" in change}
        failed = {name for step in steps for name in step.failed_nodes}
        for i, record in enumerate(self.records):
            why = reasons.get(i, record.why_not)
            if record.kind == "site" and record.what == "added" and record.id not in sites:
                why = "no node of the plan is there"
            if record.kind == "node" and record.what == "removed" and record.id in failed:
                own = [d.id for d in self.users[record.id] if d.origin is None]
                why = f"it stays and fails: demands of your own name it: {names_text(own)}" if own else why
                record = replace(record, fields=("up: true → false",))
            yield replace(record, why_not=why)
        rebuilt = {step.rebuilt for step in steps}
        for link in self.old.links:  # what stands at a link is lost where it is removed and added again
            n = self.n_measurements[link.id]
            if n and rebuilt.intersection(link.ends):
                yield RecordDifference("link", link.id, source_id(link), "changed", (f"measurements: {n} → 0",),
                                       "a node at its end is removed and added again")  # fmt: skip
        if self.old.wcmp_groups and any(step.removed_links or step.removed_nodes for step in steps):
            why = "groups with a next hop that is removed are left out: compute them again"
            yield RecordDifference("document", "wcmp_groups", "", "changed", (), why)

    def _note(self, kind: str, record: Record, what: str, fields: Sequence[str] = (), why_not: str = "") -> int:
        """Keep a difference, and return its position."""
        self.records.append(RecordDifference(kind, record.id, source_id(record), what, tuple(fields), why_not))
        return len(self.records) - 1

    def _renamed(self, kind: str, record: Record, old: Record) -> None:
        if record.id != old.id:
            self._note(kind, old, "renamed", (f"id: {old.id} → {record.id}",), "the old id stays")

    def _added(self, kind: str, record: Record, new_id: str) -> int:
        """Note an added record, under the id that the plan gives it."""
        fields = (f"id: {record.id} → {new_id}",) if new_id != record.id else ()
        return self._note(kind, replace(record, id=new_id), "added", fields)

    def _sites(self) -> None:
        for site in self.new.sites:
            old = self.sites.old_of.get(site.id)
            if old is None:
                self._added("site", site, self.sites.id_of(site.id))
                continue
            self._renamed("site", site, old)
            fields = field_texts(compared_fields(old), self._merged(self.sites, old, compared_fields(site)))
            if fields:
                self._note("site", old, "changed", fields, NO_CHANGE["site"])
        for site in self.sites.removed:
            self._note("site", site, "removed", (), "no change removes a site; its nodes go")

    def _nodes(self) -> None:
        for node in self.new.nodes:
            placed = replace(node, site=None if node.site is None else self.sites.id_of(node.site))
            old = self.nodes.old_of.get(node.id)
            if old is None:
                added = replace(placed, id=self.nodes.id_of(node.id))
                i = self._added("node", node, added.id)
                self.steps.append(Step(i, nodes=(asdict_compact(added),)))
                continue
            self._renamed("node", node, old)
            before, after = compared_fields(old), self._merged(self.nodes, old, compared_fields(placed))
            fields = field_texts(before, after)
            if fields:
                self._changed_node(old, before, after, fields)
        for node in self.nodes.removed:
            i = self._note("node", node, "removed")
            fail = Step(i, failed_nodes=(node.id,))
            remove = Step(i, removed_nodes=(node.id,), otherwise=fail)
            self.steps.append(fail if node.id in self.users else remove)

    def _changed_node(self, old: Node, before: Plain, after: Plain, fields: Sequence[str]) -> None:
        goes_down = before.get("up", True) and not after.get("up", True)
        if after == {**before, "up": False}:
            self.steps.append(Step(self._note("node", old, "changed", fields), failed_nodes=(old.id,)))
        elif old.id in self.users or self.old.traffic:
            i = self._note("node", old, "changed", fields, NO_CHANGE["node"])
            if goes_down:
                self.steps.append(Step(i, failed_nodes=(old.id,)))
        else:
            record = {"id": old.id, **after} | _labels(old)
            i = self._note("node", old, "changed", fields)
            self.steps.append(Step(i, removed_nodes=(old.id,), rebuilt=old.id, nodes=(record,)))

    def _links(self) -> None:
        for link in self.new.links:
            ends = self.nodes.id_of(link.ends[0]), self.nodes.id_of(link.ends[1])
            old = self.links.old_of.get(link.id)
            placed = replace(link, id=self.links.id_of(link.id), ends=ends, tags=self._tags(link, ends))
            if old is None:
                self.steps.append(Step(self._added("link", link, placed.id), links=(asdict_compact(placed),)))
                continue
            self._renamed("link", link, old)
            before, after = compared_fields(old), self._merged(self.links, old, compared_fields(placed))
            fields = field_texts(before, after)
            moved = _moved_ports(old, placed)
            if after == {**before, "up": False} and fields:
                self.steps.append(Step(self._note("link", old, "changed", fields), failed_links=(old.id,)))
                fields = []
            if fields:
                n = self.n_measurements[old.id]
                lost = f"{counted(n, 'measurement')} of it left out: the link is removed and added again" if n else ""
                i = self._note("link", old, "changed", [*fields, *moved], lost)
                record = {"id": old.id, **after} | _labels(old) | _port_tags(old, placed)
                self.steps.append(Step(i, removed_links=(old.id,), links=(record,)))
            elif moved:
                self._note("link", old, "changed", moved, NO_CHANGE["ports"])
        gone = {node.id for node in self.nodes.removed}
        for link in self.links.removed:
            self.steps.append(Step(self._note("link", link, "removed"), removed_links=(link.id,)))
        known = {record.id for record in (*self.links.old_of.values(), *self.links.removed)}
        for link in self.old.links:
            if link.id not in known and gone.intersection(link.ends):
                self._note("link", link, "removed")

    def _tags(self, link: Link, ends: tuple[str, str]) -> tuple[str, ...]:
        """Return the tags of a link, those of its ports with the ids of the old document."""
        ports = {port_tag(link.ends[0], a, link.ends[1], b): port_tag(ends[0], a, ends[1], b) for a, b in
                 tagged_ports(link)}  # fmt: skip
        return tuple(ports.get(tag, tag) for tag in link.tags)

    def _demands(self) -> None:
        for demand in self.new.demands:
            old = self.demands.old_of.get(demand.id)
            if old is None:
                self._note("demand", demand, "added", (), NO_CHANGE["added demand"])
                continue
            self._renamed("demand", demand, old)
            moved = replace(demand, source=self.nodes.id_of(demand.source), target=self.nodes.id_of(demand.target))
            before, after = compared_fields(old), self._merged(self.demands, old, compared_fields(moved))
            fields = field_texts(before, after)
            if not fields:
                continue
            factor = demand.offered_gbps / old.offered_gbps if old.offered_gbps else MAX_FACTOR_RATIO + 1
            if {**before, "offered_gbps": 0} != {**after, "offered_gbps": 0} or not factor <= MAX_FACTOR_RATIO:
                self._note("demand", old, "changed", fields, NO_CHANGE["demand"])
            else:
                i = self._note("demand", old, "changed", fields)
                self.steps.append(Step(i, factors={old.id: factor}))
        for demand in self.demands.removed:
            self.steps.append(Step(self._note("demand", demand, "removed"), factors={demand.id: 0.0}))

    def _document(self) -> None:
        """Compare the margin of links and own parts; parts that only the old document has are the user's."""
        old_parts = {part.id: part for part in self.old.parts}
        for part in self.new.parts:
            known = old_parts.get(part.id)
            if known is None or known.model_dump() != part.model_dump():
                what = "added" if known is None else "changed"
                self.records.append(RecordDifference("part", part.id, "", what, (), NO_CHANGE["part"]))
        before, after = self.old.required_margin_db, self.new.required_margin_db
        if "required_margin_db" in self.new.model_fields_set and before != after:
            fields = (f"required_margin_db: {before:g} → {after:g}",)
            self.records.append(RecordDifference("document", "", "", "changed", fields, NO_CHANGE["document"]))

    def _merged(self, pairs: Pairs[Any], old: Record, new: Plain) -> Plain:
        """Return the fields of the new record, and those of the old one that no record of the import states."""
        before = compared_fields(old)
        merged = {name: value for name, value in before.items() if name not in pairs.stated} | new
        spans, old_spans = new.get("spans", []), before.get("spans", [])
        if spans and len(spans) == len(old_spans):
            merged["spans"] = [
                {name: value for name, value in old_span.items() if name not in self.stated_of_spans} | span
                for old_span, span in zip(old_spans, spans, strict=True)
            ]
        return merged


def _moved_ports(old: Link, new: Link) -> list[str]:
    """Return the ports that differ as a text; nothing where one of the imports names none."""
    before, after = sorted(tagged_ports(old)), sorted(tagged_ports(new))
    if set(old.ends) == set(new.ends) and old.ends != new.ends:
        after = sorted((b, a) for a, b in after)
    if before == after or not before or not after:
        return []
    gone, came = (sorted(set(these) - set(those)) for these, those in ((before, after), (after, before)))
    return [f"ports: {_ports_text(gone)} → {_ports_text(came)}"]


def _ports_text(ports: Sequence[tuple[str, str]]) -> str:
    return names_text([BETWEEN_PORTS.join(pair) for pair in ports]) if ports else MISSING


def _port_tags(old: Link, new: Link) -> Plain:
    """Return the tags of the old link with the ports of the new one, where the new one names ports."""
    ports = [tag for tag in new.tags if ports_in_tag(tag, new.ends) is not None]
    if not ports:
        return {}
    return {"tags": [*(tag for tag in old.tags if ports_in_tag(tag, old.ends) is None), *ports]}


def _labels(record: Record) -> Plain:
    """Return the fields of a record that only describe it."""
    data = asdict_compact(record)
    return {name: data[name] for name in LABELS if name in data}
