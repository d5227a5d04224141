"""Checks that the changes of plans name what exists: links, nodes, shared risks, demands, sites and parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..arrays import NetworkArrays
from ..catalogue import Catalogue, Kind
from ..errors import CatalogueError, ChangeError, Issue, did_you_mean
from ..errors.wording import quoted
from ..model.document import TopologyDocument
from ..model.globs import has_match, require_match
from .apply import parse_changes
from .changes import AddLink, AddNode, Change
from .select import LinkSelector, NodeSelector

PART_KINDS: dict[tuple[str, str], tuple[Kind, ...]] = {
    ("set_transceivers", "part"): ("transceiver",),
    ("set_channels", "mux"): ("mux",),
    ("set_fibre", "fibre"): ("fibre",),
    ("swap_switches", "part"): ("switch",),
    ("swap_servers", "part"): ("server", "card"),
    ("swap_accelerators", "accelerator"): ("accelerator",),
    ("use_accelerator", "accelerator"): ("accelerator",),
}
"""Kinds of parts that a field of a change may name, by change and field."""
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
    }
    if not document.traffic:  # the demands that blocks make are known when a plan is evaluated
        names["demand"] = sorted(demand.id for demand in document.demands)
    index: dict[str, Mapping[str, int]] = {"link": arrays.link_index, "node": arrays.node_index}
    for noun in names.keys() - index.keys():
        index[noun] = {name: row for row, name in enumerate(names[noun])}
    for plan in document.plans:
        changes = parse_changes(plan.changes, f"plans[{plan.id}].changes")
        added = _added_names(changes)
        for i, change in enumerate(changes):
            where = f"plans[{plan.id}].changes[{i}]"
            yield from _selection_issues(change, where, names, index, added)
            yield from _site_issues(change, where, names["site"])
            yield from _part_issues(change, where, catalogue)


def _added_names(changes: Sequence[Change]) -> dict[str, list[str]]:
    """Return the names of links, nodes and shared risks that the changes add, sorted."""
    nodes = [change.node.id for change in changes if isinstance(change, AddNode)]
    links = [change.link for change in changes if isinstance(change, AddLink)]
    srlgs = [name for link in links for names in (link.srlgs, *(span.srlgs for span in link.spans)) for name in names]
    return {"node": sorted(nodes), "link": sorted(link.id for link in links), "shared risk": sorted(srlgs)}


def _selection_issues(
    change: Any,
    where: str,
    names: Mapping[str, Sequence[str]],
    index: Mapping[str, Mapping[str, int]],
    added: Mapping[str, Sequence[str]],
) -> Iterator[Issue]:
    for field, noun in NOUNS.items():
        if noun not in names:
            continue
        selector = getattr(change, field, None)
        conditions = selector if isinstance(selector, LinkSelector | NodeSelector) else None
        globs = conditions.id if conditions else selector
        if conditions is not None and conditions.site is not None and conditions.site not in names["site"]:
            hint = did_you_mean(conditions.site, names["site"])
            yield Issue(f"{where}.{field}.site", f"no site {quoted(conditions.site)}", hint)
        for glob in (globs,) if isinstance(globs, str) else dict.fromkeys(globs or ()):
            if glob not in added.get(noun, ()) and not has_match(added.get(noun, ()), glob):
                try:
                    require_match(names[noun], index[noun], glob, f"{where}.{field}", noun)
                except ChangeError as error:
                    yield Issue(error.where, error.problem, error.hint)


def _site_issues(change: Any, where: str, sites: Sequence[str]) -> Iterator[Issue]:
    named = [("site", getattr(change, "site", None))]
    named += [(f"placement[{i}].site", place.site) for i, place in enumerate(getattr(change, "placement", ()))]
    for field, site in named:
        if site is not None and site not in sites:
            yield Issue(f"{where}.{field}", f"no site {quoted(site)}", did_you_mean(site, sites))


def _part_issues(change: Any, where: str, catalogue: Catalogue) -> Iterator[Issue]:
    for (kind, field), part_kinds in PART_KINDS.items():
        part_id = getattr(change, field, None) if change.kind == kind else None
        if part_id is not None:
            try:
                catalogue.get(
                    part_id, next((each for each in part_kinds if catalogue.has(part_id, each)), part_kinds[0])
                )
            except CatalogueError as error:
                yield Issue(f"{where}.{field}", error.problem, error.hint)
