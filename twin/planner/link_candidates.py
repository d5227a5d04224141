"""Candidates of links: new fibre, new transceivers, more channels or members, routes, and the cards of racks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..catalogue import Part
from ..errors.wording import counted
from ..model.records import Link, asdict_compact
from ..scenario.apply import parse_changes
from .candidate import Candidate
from .situation import LinkGroup, Situation

N_PARTS = 2
"""Most other parts that a generator offers for one group."""
MAX_ROUTES = 6
"""Most second routes: each set of them is a network that is compiled."""
CHANNEL_FACTORS = (2, 8)
"""Members of a link over those of today."""


def candidate(name: str, kind: str, note: str, changes: list[dict[str, Any]], slot: str = "") -> Candidate:
    """Return a candidate of plain changes."""
    return Candidate(name, kind, note, parse_changes(changes, f"candidates[{name}].changes"), slot=slot)


def fibre(found: Situation) -> Iterator[Candidate]:
    """New fibre of the lowest attenuation, and of the kind that is there, for worn links with spans."""
    single_mode = [part for part in found.parts("fibre") if part.medium is None]
    for group in found.groups:
        if not group.fibres or not (group.worn or group.tier == "wide_area"):
            continue
        best = sorted(single_mode, key=lambda part: (part.value_or("attenuation_db_per_km", np.inf), part.id))
        for part in best[:1]:
            change = {"kind": "set_fibre", "links": group.selector, "fibre": part.id}
            yield candidate(
                f"fibre {group.name}: {part.id}", "fibre", f"{group.why}; own new fibre of the least loss", [change]
            )


def transceivers(found: Situation) -> Iterator[Candidate]:
    """New transceivers of the same or a higher rate, which fit the fibre, for worn or full links."""
    for group in found.groups:
        if group.transceiver is None:
            continue
        old = found.reader.catalogue.get(group.transceiver, "transceiver")
        faster = [part for part in found.parts("transceiver") if _fits(part, old)]
        faster.sort(key=lambda part: (-part.value("rate_gbps"), found.usd(part), part.id))
        renewed = [old] if group.worn and old.id in found.reader.prices.part_usd else []
        for part in [*faster[:N_PARTS], *renewed]:
            change = {"kind": "set_transceivers", "links": group.selector, "part": part.id}
            note = f"{group.why}; {'new ones of the same kind' if part.id == old.id else f'instead of {old.id}'}"
            yield candidate(f"transceivers {group.name}: {part.id}", "transceivers", note, [change])


def _fits(part: Part, old: Part) -> bool:
    """Return whether a transceiver is faster and of the same technology, medium and reach."""
    same = (part.optics, part.medium) == (old.optics, old.medium)
    reach = part.value_or("reach_m", np.inf) >= old.value_or("reach_m", 0.0)
    return same and reach and part.value("rate_gbps") > old.value("rate_gbps")


def channels(found: Situation) -> Iterator[Candidate]:
    """More members of worn or full links: on more fibre pairs, or on the same pairs with a wider multiplexer."""
    for group in found.groups:
        for factor in CHANNEL_FACTORS:
            n = group.n_parallel * factor
            for extra in _ways(found, group, n, factor):
                change = {"kind": "set_channels", "links": group.selector, "n_parallel": n, **extra}
                text = ", ".join(f"{value} pairs" if name == "n_fibre_pairs" else str(value)
                                 for name, value in extra.items())  # fmt: skip
                name = f"channels {group.name}: {n}" + (f" ({text})" if text else "")
                yield candidate(name, "channels", f"{group.why}; {counted(group.n_parallel, 'member')} today", [change])


def _ways(found: Situation, group: LinkGroup, n: int, factor: int) -> Iterator[dict[str, Any]]:
    """Yield fibre pairs and multiplexers that hold so many members."""
    if not group.fibres:
        if factor == min(CHANNEL_FACTORS):
            yield {}
        return
    if factor == min(CHANNEL_FACTORS):
        yield {"n_fibre_pairs": group.n_fibre_pairs * factor}
    if group.mux is not None:
        n_per_pair = -(-n // group.n_fibre_pairs)
        if found.reader.catalogue.get(group.mux, "mux").value("n_channels") >= n_per_pair:
            yield {}
            return
        wide = [part for part in found.parts("mux") if part.value("n_channels") >= n_per_pair]
        wide.sort(key=lambda part: (part.value("n_channels"), found.usd(part), part.id))
        yield from ({"mux": part.id} for part in wide[:1])


def routes(found: Situation) -> Iterator[Candidate]:
    """A second route, in a duct of its own, between sites that wide-area links join: leased fibre, other routers."""
    state = found.state
    for link in _longest_by_sites(found):
        a, b = (found.nodes[end] for end in link.ends)
        ends = (_other_router(found, a.id) or a.id, _other_router(found, b.id) or b.id)
        name = f"{link.id}-diverse"
        if name in state.link_index or state["link_mux"][state.link_index[link.id]] < 0:
            continue
        spans = tuple(
            replace(span, srlgs=(f"{name}-duct",), leased=True, cable=None, name="", tags=(), source=None)
            for span in link.spans
        )
        record = Link(
            id=name,
            ends=ends,
            n_parallel=link.n_parallel,
            transceiver=link.transceiver,
            mux=link.mux,
            n_fibre_pairs=link.n_fibre_pairs,
            spans=spans,
            installed=found.scenario.case.document.as_of,
        )
        change = {"kind": "add_link", "link": asdict_compact(record)}
        note = f"a second route between {a.site} and {b.site}, in a separate duct, as long as {link.id}"
        yield candidate(f"route {name}", "routes", note, [change])


def _longest_by_sites(found: Situation) -> list[Link]:
    """Return the longest wide-area link between each pair of sites, of the neediest pairs, by id."""
    longest: dict[tuple[str, str], Link] = {}
    for group in found.wide_area:
        for name in group.ids:
            link = found.links[name]
            sites = tuple(sorted(found.nodes[end].site or "" for end in link.ends))
            if len(set(sites)) == 2 and link.spans:
                key = sites[0], sites[1]
                old = longest.get(key)
                if old is None or (_km(old), old.id) < (_km(link), link.id):
                    longest[key] = link

    def need(link: Link) -> tuple[bool, float, str]:
        row = found.state.link_index[link.id]
        return not found.worn[row], -float(found.use_ratio[row]), link.id

    return sorted(sorted(longest.values(), key=need)[:MAX_ROUTES], key=lambda link: link.id)


def _km(link: Link) -> float:
    return sum(span.length_km for span in link.spans)


def _other_router(found: Situation, node: str) -> str | None:
    """Return another router like this one at the same site, the first by id; None without one."""
    record, state = found.nodes[node], found.state
    alike = [
        name
        for name, other in found.nodes.items()
        if name != node and other.site == record.site and other.kind == record.kind and other.part == record.part
    ]
    n_wide = dict.fromkeys(alike, 0)
    for group in found.wide_area:
        for end in state["link_ends"][group.rows].reshape(-1).tolist():
            name = state.node_ids[end]
            if name in n_wide:
                n_wide[name] += 1
    return min(alike, key=lambda name: (n_wide[name], name), default=None)


def cards(found: Situation) -> Iterator[Candidate]:
    """Twice the cables of full or worn access links, which carry the network cards of racks and hosts."""
    for group in found.groups:
        if group.tier == "access":
            change = {"kind": "set_channels", "links": group.selector, "n_parallel": 2 * group.n_parallel}
            name = f"cards {group.name}: {2 * group.n_parallel}"
            yield candidate(name, "cards", f"{group.why}; {counted(group.n_parallel, 'member')} today", [change])
