"""Candidates of nodes: routers and switches of another model, spines, accelerators."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..arrays import NODE_KINDS, TIERS
from ..catalogue import Part
from ..model.records import Link, asdict_compact
from .candidate import Candidate
from .link_candidates import N_PARTS, candidate
from .situation import Situation

MAX_SPINE_LINKS = 256
"""Most links of a spine that is copied."""


def routers(found: Situation) -> Iterator[Candidate]:
    """Larger routers or switches at the ends of worn or full links, with the links of the router to its site."""
    state = found.state
    rows = [state["link_ends"][group.rows].reshape(-1) for group in (*found.groups, *found.wide_area)]
    for ids, old_id in found.node_groups(np.concatenate(rows)) if rows else ():
        old = found.reader.catalogue.get(old_id, "switch")
        selector = ids[0] if len(ids) == 1 else list(ids)
        name = ids[0] if len(ids) == 1 else f"{len(ids)} {found.kind_of(ids[0])} nodes"
        for part in _larger(found, old):
            change = {"kind": "swap_switches", "nodes": selector, "part": part.id}
            note = f"{len(ids)} of {old.id} at the ends of worn or busy links"
            yield candidate(f"routers {name}: {part.id}", "routers", note, [change])


def _larger(found: Situation, old: Part) -> list[Part]:
    """Return the least expensive switches of the same role with more capacity, or the same and a deeper buffer."""
    role = old.id.partition("-")[0]
    larger = [
        part
        for part in found.parts("switch")
        if part.id.partition("-")[0] == role
        and _capacity_gbps(part) >= _capacity_gbps(old)
        and set(old.cages) & set(part.cages)
        and (_capacity_gbps(part), part.value_or("buffer_bytes", 0.0))
        > (_capacity_gbps(old), old.value_or("buffer_bytes", 0.0))
    ]
    return sorted(larger, key=lambda part: (found.usd(part), part.id))[:N_PARTS]


def _capacity_gbps(part: Part) -> float:
    return part.value_or("n_ports", 0.0) * part.value_or("port_gbps", 0.0)


def uplinks(found: Situation) -> Iterator[Candidate]:
    """Twice the members of the links of border routers to their site, which larger wide-area links need."""
    state = found.state
    routers_of = np.unique(
        np.concatenate([[0][:0], *(state["link_ends"][g.rows].reshape(-1) for g in found.wide_area)])
    )
    if not len(routers_of):
        return
    n = {int(v) for v in state["link_n_parallel"][_border_rows(found, routers_of)].tolist()}
    if len(n) != 1:
        return
    n_today = n.pop()
    for factor in (2, 4):
        change = {"kind": "set_channels", "links": {"tier": "border"}, "n_parallel": factor * n_today}
        note = f"links of border routers to their site, {n_today} member each today"
        yield candidate(f"uplinks border: {factor * n_today}", "uplinks", note, [change])


def _border_rows(found: Situation, routers_of: np.ndarray) -> np.ndarray:
    state = found.state
    rows = np.flatnonzero(state.link_tier == TIERS.index("border"))
    return rows[np.isin(state["link_ends"][rows], routers_of).any(axis=1)] if len(rows) else rows


def spines(found: Situation) -> Iterator[Candidate]:
    """One more spine like the first one of each part, cabled alike, where fabric links are full."""
    busy = [group for group in found.groups if group.tier == "fabric" and group.full]
    if not busy:
        return
    state = max(busy, key=lambda group: group.use_ratio).use_text
    by_part: dict[tuple[str, str], list[str]] = {}
    for node in found.nodes.values():
        if node.kind == "spine":
            by_part.setdefault((node.site or "", node.part or ""), []).append(node.id)
    for ids in by_part.values():
        model = found.nodes[min(ids)]
        links = [link for link in found.links.values() if model.id in link.ends]
        if not 0 < len(links) <= MAX_SPINE_LINKS:
            continue
        new = f"{model.id}-more"
        changes: list[dict[str, Any]] = [
            {"kind": "add_node", "node": asdict_compact(replace(model, id=new, name="", tags=(), source=None))}
        ]
        for link in sorted(links, key=lambda link: link.id):
            changes.append({"kind": "add_link", "link": asdict_compact(_copied(link, model.id, new))})
        yield candidate(f"spine {new}", "spines", f"fabric links: {state}; {len(ids)} spines today", changes)


def _copied(link: Link, old: str, new: str) -> Link:
    a, b = (new if end == old else end for end in link.ends)
    return replace(link, id=f"{link.id}-more", ends=(a, b), name="", tags=(), source=None)


def accelerators(found: Situation) -> Iterator[Candidate]:
    """Other accelerators at one site of the job; the job moves to them.

    They are as many as the power of the site allows. Where it states no power, they are as many as today, or fill
    the places of the racks.
    """
    job = found.job
    if job is None:
        return
    powered = {site.id for site in found.scenario.case.document.sites if site.power_megawatts is not None}
    figure = f"{job.precision}_tflops"
    for site in sorted({place.site for place in job.placement}):
        kinds = {place.accelerator for place in job.placement if place.site == site} | _kinds_at(found, site)
        best = max((_tflops(found, kind, figure) for kind in kinds if kind), default=0.0)
        in_use = {kind for place in job.placement for kind in _kinds_at(found, place.site)}
        better = [
            part
            for part in found.parts("accelerator")
            if part.value_or(figure, 0.0) > best and part.id not in kinds and part.id in in_use
        ]
        better.sort(key=lambda part: (found.usd(part), part.id))
        here = ", ".join(sorted(kind for kind in kinds if kind))
        move = {"kind": "use_accelerator", "site": site}
        for part in better[:N_PARTS]:
            for suffix, limit, filled in _filled_racks(found, site, part, site in powered):
                changes = [move | {"accelerator": part.id}, *filled]
                name = f"accelerators {site}: {part.id}{suffix}"
                yield candidate(name, "accelerators", f"{site} has {here}; {limit}", changes)


def _filled_racks(
    found: Situation, site: str, part: Part, is_powered: bool
) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Yield (suffix of the name, limit, changes) of each way to fill the racks of a site."""
    change = {"kind": "swap_accelerators", "accelerator": part.id, "racks": {"kind": "rack", "site": site}}
    if is_powered:
        yield "", "as many as its power allows", [change | {"fit_power": True}]
        return
    state = found.state
    at_site = state["node_site"] == state.arrays.sites.index(site)
    n = state["node_n_accelerators"] * (at_site & (state["node_kind"] == NODE_KINDS.index("rack")))
    n_places = int(part.value("n_per_rack"))
    numbers = np.unique(n[n > 0]).tolist()
    rows = {number: [state.node_ids[row] for row in np.flatnonzero(n == number).tolist()] for number in numbers}
    same = [change | {"racks": ids, "n_per_rack": number} for number, ids in rows.items()]
    if same:
        yield "", "as many as today, it states no power", same
    if numbers and numbers != [n_places]:
        yield ", full racks", f"{n_places} in each rack, it states no power", [change]


def no_accelerators(found: Situation) -> str:
    """Return why there are no candidates of accelerators; empty without a job."""
    return (
        "" if found.job is None else "no site of the job has a slower kind than one that the job uses and has a price"
    )


def no_spines(found: Situation) -> str:
    """Return why there are no candidates of spines; empty where no fabric link is busy."""
    n_spines = sum(node.kind == "spine" for node in found.nodes.values())
    if not n_spines or not any(group.tier == "fabric" and group.full for group in found.groups):
        return ""
    return f"no spine has 1 to {MAX_SPINE_LINKS} links"


def _kinds_at(found: Situation, site: str) -> set[str]:
    state = found.state
    rows = (state["node_n_accelerators"] > 0) & (state["node_site"] == state.arrays.sites.index(site))
    return {name for code in np.unique(state["node_accelerator"][rows]).tolist() if (name := state.part_id(int(code)))}


def _tflops(found: Situation, kind: str, figure: str) -> float:
    return found.reader.catalogue.get(kind, "accelerator").value_or(figure, 0.0)
