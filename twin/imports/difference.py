"""Differences between two imports of one source, by the ids of the source, and the changes that make one the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic

from ..answers.data import Answer
from ..errors import ChangeError
from ..errors.wording import counted
from ..model.document import LABELS, TopologyDocument
from ..model.record_pairs import Plain, R, Record, compared_fields, field_texts, matched, origin_of, source_id
from ..model.records import Node, asdict_compact
from ..scenario.apply import MAX_CHANGES

OF_THE_SOURCE = frozenset(
    {"kind", "site", "up", "forwards", "ends", "capacity_gbps", "n_parallel", "n_failed", "weight", "latency_us",
     "srlgs", "spans", "length_km", "n_connectors", "measured_loss_db", "source", "target", "offered_gbps",
     "latitude_deg", "longitude_deg"}
)  # fmt: skip
"""Fields that imports write: one that the new import leaves out is gone. Others are the user's own where no record of
the new import states them."""
NO_CHANGE = {
    "site": "no change edits a site",
    "added demand": "no change adds a demand",
    "demand": "no change edits the ends of a demand",
    "node": "no change edits a node that traffic names",
}


@dataclass(frozen=True, slots=True)
class RecordDifference:
    """A record that one of the two imports has, or that they state differently."""

    kind: str
    """site, node, link or demand."""
    id: str
    """Id in the old document; of an added record, in the new one."""
    source_id: str
    what: str
    """added, removed, changed or renamed."""
    fields: tuple[str, ...] = ()
    """Fields that differ, as `name: old → new`."""
    why_not: str = ""
    """Reason why the plan has no change for it; empty = it has."""


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


@dataclass(slots=True)
class _Plan:
    """Changes, by kind, in the order in which they apply."""

    removed_links: list[str] = field(default_factory=list)
    removed_nodes: list[str] = field(default_factory=list)
    nodes: list[Plain] = field(default_factory=list)
    links: list[Plain] = field(default_factory=list)
    scaled: dict[float, list[str]] = field(default_factory=lambda: defaultdict(list))
    failed_nodes: list[str] = field(default_factory=list)
    failed_links: list[str] = field(default_factory=list)

    def changes(self) -> list[Plain]:
        """Return the changes as plain data."""
        found: list[Plain] = []
        if self.removed_links:
            found.append({"kind": "remove_links", "links": self.removed_links})
        if self.removed_nodes:
            found.append({"kind": "remove_nodes", "nodes": self.removed_nodes})
        found += self.nodes
        found += ({"kind": "add_link", "link": link} for link in self.links)
        for factor, ids in self.scaled.items():
            found.append({"kind": "scale_demands", "factor_ratio": factor, "ids": ids})
        if self.failed_nodes:
            found.append({"kind": "fail_nodes", "nodes": self.failed_nodes})
        if self.failed_links:
            found.append({"kind": "fail_links", "links": self.failed_links})
        return found


class Pairs(Generic[R]):
    """Records of one kind in two documents, matched by the ids of their source, else by their own ids."""

    def __init__(self, old: Sequence[R], new: Sequence[R]) -> None:
        self.old_of: dict[str, R] = matched(old, new)
        """Id in the new document -> record in the old one."""
        taken = {record.id for record in self.old_of.values()}
        self.added: list[R] = [record for record in new if record.id not in self.old_of]
        self.removed: list[R] = [record for record in old if record.id not in taken and origin_of(record) is not None]
        """Records of the old document that came from the source and are no longer there."""
        self.kept = {record.id for record in old} - {record.id for record in self.removed}
        self.stated = OF_THE_SOURCE | {name for record in new for name in asdict_compact(record)}
        """Fields that come from the source."""

    def id_of(self, new_id: str) -> str:
        """Return the id in the old document, or the same id for an added record."""
        return self.old_of[new_id].id if new_id in self.old_of else new_id


def difference(old: TopologyDocument, new: TopologyDocument, name: str) -> ImportDifference:
    """Return what differs between an older document and a new import of the same source.

    Records of the old document without an origin in the source, and fields that no record of the new import states,
    are the user's own: they stay.

    Args:
        old: document of an earlier import, with whatever was added to it since.
        new: document of the new import.
        name: name of the old document, for the summary.

    Raises:
        ChangeError: more changes than a plan takes.
    """
    found = _Difference(old, new)
    found.run()
    changes = found.plan.changes()
    if len(changes) > MAX_CHANGES:
        hint = "take the new import in place of the old document"
        raise ChangeError(f"{len(changes):,} changes", where=name, expected=f"at most {MAX_CHANGES:,}", hint=hint)
    records = tuple(found.records)
    return ImportDifference(name, _summary(name, records, len(changes)), records, tuple(changes))


def _summary(name: str, records: Sequence[RecordDifference], n_changes: int) -> tuple[str, ...]:
    n_of = {what: sum(record.what == what for record in records) for what in ("added", "removed", "changed", "renamed")}
    if not records:
        return (f"Nothing differs from {name}.",)
    told = ", ".join(f"{n:,} {what}" for what, n in n_of.items() if n)
    n_left = sum(bool(record.why_not) for record in records)
    left = f"{counted(n_left, 'difference')} without a change" if n_left else "nothing is left out"
    return (f"Against {name}: {told}.", f"{counted(n_changes, 'change')} in the plan; {left}.")


class _Difference:
    """Compares two documents and plans the changes."""

    def __init__(self, old: TopologyDocument, new: TopologyDocument) -> None:
        self.old, self.new = old, new
        self.sites, self.nodes = Pairs(old.sites, new.sites), Pairs(old.nodes, new.nodes)
        self.links, self.demands = Pairs(old.links, new.links), Pairs(old.demands, new.demands)
        self.new_sites = {site.id: site for site in self.sites.added}
        """Sites that no node of the plan has added yet."""
        self.records: list[RecordDifference] = []
        self.plan = _Plan()
        self.stated_of_spans = OF_THE_SOURCE | {
            name for link in new.links for span in link.spans for name in asdict_compact(span)
        }
        self.rebuilt: set[str] = set()
        """Nodes that are removed and added again; so are their links."""

    def run(self) -> None:
        """Compare sites, nodes, links and demands."""
        self._sites()
        self._nodes()
        self._links()
        self._demands()

    def _note(self, kind: str, record: Record, what: str, fields: Sequence[str] = (), why_not: str = "") -> None:
        self.records.append(RecordDifference(kind, record.id, source_id(record), what, tuple(fields), why_not))

    def _renamed(self, kind: str, record: Record, old: Record) -> None:
        if record.id != old.id:
            self._note(kind, old, "renamed", (f"id: {old.id} → {record.id}",), "the old id stays")

    def _sites(self) -> None:
        for site in self.new.sites:
            old = self.sites.old_of.get(site.id)
            if old is None:
                self._note("site", site, "added")
                continue
            self._renamed("site", site, old)
            fields = field_texts(compared_fields(old), self._merged(self.sites, old, compared_fields(site)))
            if fields:
                self._note("site", old, "changed", fields, NO_CHANGE["site"])
        for site in self.sites.removed:
            self._note("site", site, "removed", (), "no change removes a site; its nodes go")

    def _nodes(self) -> None:
        used = {end for demand in self.old.demands for end in (demand.source, demand.target)}
        for node in self.new.nodes:
            old = self.nodes.old_of.get(node.id)
            if old is None:
                self._add(node)
                continue
            self._renamed("node", node, old)
            before = compared_fields(old)
            after = self._merged(self.nodes, old, compared_fields(replace(node, site=self._site(node.site))))
            fields = field_texts(before, after)
            if not fields:
                continue
            if after == {**before, "up": False}:
                self.plan.failed_nodes.append(old.id)
                self._note("node", old, "changed", fields)
            elif old.id in used or self.old.traffic:
                self._note("node", old, "changed", fields, NO_CHANGE["node"])
            else:
                self.rebuilt.add(old.id)
                self.plan.removed_nodes.append(old.id)
                self.plan.nodes.append(self._add_node({"id": old.id, **after} | _labels(old)))
                self._note("node", old, "changed", fields)
        for node in self.nodes.removed:
            self.plan.removed_nodes.append(node.id)
            self._note("node", node, "removed")

    def _add(self, node: Node) -> None:
        if node.id in self.nodes.kept:
            self._note("node", node, "added", (), "its id is that of another node")
            return
        self._note("node", node, "added")
        self.plan.nodes.append(self._add_node(asdict_compact(replace(node, site=self._site(node.site)))))

    def _site(self, site: str | None) -> str | None:
        return None if site is None else self.sites.id_of(site)

    def _add_node(self, node: Plain) -> Plain:
        """Return the change that adds a node; the first one at a new site adds the site too."""
        site = self.new_sites.pop(node.get("site", ""), None)
        return {"kind": "add_node", "node": node} | ({} if site is None else {"new_site": asdict_compact(site)})

    def _links(self) -> None:
        removed_nodes = {node.id for node in self.nodes.removed}
        for link in self.new.links:
            old = self.links.old_of.get(link.id)
            ends = self.nodes.id_of(link.ends[0]), self.nodes.id_of(link.ends[1])
            if old is None:
                self._note("link", link, "added")
                self.plan.links.append(asdict_compact(replace(link, ends=ends)))
                continue
            self._renamed("link", link, old)
            before = compared_fields(old)
            after = self._merged(self.links, old, compared_fields(replace(link, ends=ends)))
            fields = field_texts(before, after)
            if fields:
                self._note("link", old, "changed", fields)
            if fields and after == {**before, "up": False}:
                self.plan.failed_links.append(old.id)
                after = before
            if after != before:
                self.plan.removed_links.append(old.id)
                self.plan.links.append({"id": old.id, **after} | _labels(old))
            elif self.rebuilt.intersection(ends):
                self.plan.links.append(asdict_compact(old))
        kept = {record.id for record in self.links.old_of.values()}
        for link in self.links.removed:
            self._note("link", link, "removed")
            if not removed_nodes.intersection(link.ends) and not self.rebuilt.intersection(link.ends):
                self.plan.removed_links.append(link.id)
        kept |= {link.id for link in self.links.removed}
        for link in self.old.links:
            if link.id in kept:
                continue
            if removed_nodes.intersection(link.ends):
                self._note("link", link, "removed")
            elif self.rebuilt.intersection(link.ends):
                self.plan.links.append(asdict_compact(link))

    def _demands(self) -> None:
        removed_nodes = {node.id for node in self.nodes.removed}
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
            if {**before, "offered_gbps": 0} != {**after, "offered_gbps": 0} or not old.offered_gbps:
                self._note("demand", old, "changed", fields, NO_CHANGE["demand"])
            else:
                self.plan.scaled[demand.offered_gbps / old.offered_gbps].append(old.id)
                self._note("demand", old, "changed", fields)
        for demand in self.demands.removed:
            self._note("demand", demand, "removed")
            if not removed_nodes & {demand.source, demand.target}:
                self.plan.scaled[0.0].append(demand.id)

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


def _labels(record: Record) -> Plain:
    """Return the fields of a record that only describe it."""
    data = asdict_compact(record)
    return {name: data[name] for name in LABELS if name in data}
