"""Checks that the changes of plans name what exists: links, nodes, shared risks, demands, sites and parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..arrays import NetworkArrays
from ..catalogue import Catalogue, Kind
from ..errors import CatalogueError, ChangeError, Issue, did_you_mean
from ..errors.wording import quoted
from ..model.document import TopologyDocument
from .apply import parse_changes
from .changes import AddLink, AddNode, Change
from .select import LinkSelector, NodeSelector, match_ids

PART_KINDS: dict[tuple[str, str], Kind] = {
    ("set_transceivers", "part"): "transceiver",
    ("set_channels", "mux"): "mux",
    ("set_fibre", "fibre"): "fibre",
    ("swap_switches", "part"): "switch",
    ("swap_accelerators", "accelerator"): "accelerator",
    ("use_accelerator", "accelerator"): "accelerator",
}
"""Kind of part that a field of a change names, by change and field."""
NOUNS = {"links": "link", "nodes": "node", "racks": "node", "srlg": "shared risk", "ids": "demand", "sites": "site"}
"""Records that a field of a change selects."""


def plan_issues(document: TopologyDocument, arrays: NetworkArrays, catalogue: Catalogue) -> Iterator[Issue]:
    """Find what the plans of a document name and what does not exist, neither before the plan nor added by it.

    Whether a change applies and can be built is found when the plan is evaluated.
    """
    if not document.plans:
        return
    names: dict[str, Sequence[str]] = {
        "link": arrays.link_ids,
        "node": arrays.node_ids,
        "shared risk": arrays.srlgs,
        "site": sorted(site.id for site in document.sites),
        "demand": sorted(demand.id for demand in document.demands),
    }
    index = {noun: {name: row for row, name in enumerate(known)} for noun, known in names.items()}
    for plan in document.plans:
        changes = parse_changes(plan.changes, f"plans[{plan.id}].changes")
        known, rows = _with_added(names, index, changes)
        for i, change in enumerate(changes):
            where = f"plans[{plan.id}].changes[{i}]"
            yield from _selection_issues(change, where, known, rows)
            yield from _site_issues(change, where, known["site"])
            yield from _part_issues(change, where, catalogue)


def _with_added(
    names: dict[str, Sequence[str]], index: dict[str, dict[str, int]], changes: Sequence[Change]
) -> tuple[dict[str, Sequence[str]], dict[str, dict[str, int]]]:
    """Return the names and their rows with those that the changes add."""
    added = {
        "link": [change.link.id for change in changes if isinstance(change, AddLink)],
        "node": [change.node.id for change in changes if isinstance(change, AddNode)],
        "shared risk": [
            srlg
            for change in changes
            if isinstance(change, AddLink)
            for srlg in (*change.link.srlgs, *(name for span in change.link.spans for name in span.srlgs))
        ],
    }
    known, rows = dict(names), dict(index)
    for noun, new_names in added.items():
        if new_names:
            known[noun] = sorted({*names[noun], *new_names})
            rows[noun] = {name: row for row, name in enumerate(known[noun])}
    return known, rows


def _selection_issues(
    change: Any, where: str, known: dict[str, Sequence[str]], rows: dict[str, dict[str, int]]
) -> Iterator[Issue]:
    for field, noun in NOUNS.items():
        selector = getattr(change, field, None)
        conditions = selector if isinstance(selector, LinkSelector | NodeSelector) else None
        globs = conditions.id if conditions else selector
        if conditions is not None and conditions.site is not None and conditions.site not in known["site"]:
            hint = did_you_mean(conditions.site, known["site"])
            yield Issue(f"{where}.{field}.site", f"no site {quoted(conditions.site)}", hint)
        if globs is None:
            continue
        for glob in (globs,) if isinstance(globs, str) else dict.fromkeys(globs):
            try:
                match_ids(known[noun], rows[noun], glob, f"{where}.{field}", noun)
            except ChangeError as error:
                yield Issue(error.where, error.problem, error.hint)


def _site_issues(change: Any, where: str, sites: Sequence[str]) -> Iterator[Issue]:
    named = [("site", getattr(change, "site", None))]
    named += [(f"placement[{i}].site", place.site) for i, place in enumerate(getattr(change, "placement", ()))]
    for field, site in named:
        if site is not None and site not in sites:
            yield Issue(f"{where}.{field}", f"no site {quoted(site)}", did_you_mean(site, sites))


def _part_issues(change: Any, where: str, catalogue: Catalogue) -> Iterator[Issue]:
    for (kind, field), part_kind in PART_KINDS.items():
        part_id = getattr(change, field, None) if change.kind == kind else None
        if part_id is not None:
            try:
                catalogue.get(part_id, part_kind)
            except CatalogueError as error:
                yield Issue(f"{where}.{field}", error.problem, error.hint)
