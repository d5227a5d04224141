"""Builds a document from physical cabling: the one way from any source to a network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from ..catalogue import Part
from ..errors import DocumentError
from ..errors.wording import counted
from ..formats import parse_document
from ..model.document import MAX_SITES, TopologyDocument
from ..model.records import Demand, Link, Node
from ..model.validation import validate_as
from .cabling import PASSIVE, Cable, Cabling, Device, End, Place
from .demands import MAX_OFFERED_GBPS
from .device_parts import DeviceParts
from .ledger import Ledger
from .link_optics import LinkOptics
from .links import LinkMaker
from .management import leave_out_management
from .naming import Ids, display_name, texts
from .options import ImportOptions
from .places import place_at
from .roles import settle_roles
from .trace import Tracer

CHUNK = 5000
"""Records that are validated at a time."""
R = TypeVar("R", Node, Link, Demand)
NO_LINKS = ("the source joins no two devices: no figure of routing has a value", "name the file that holds the links")
STATES_NO_SITE = "the source states none"
ONE_SITE = "the source states none and describes one lab or fabric"


@dataclass(frozen=True, slots=True)
class Built:
    """A document, and the counts of links by what is known of them."""

    document: TopologyDocument
    n_cables: int
    n_links: int
    n_without_rate: int
    n_without_length: int
    n_assumed_length: int
    n_parts: int = 0
    """Nodes whose part is named."""
    n_own_parts: int = 0
    """Parts of the user among them, which have no price."""


def build(cabling: Cabling, options: ImportOptions, ledger: Ledger, where: str) -> Built:
    """Trace the cables and make records of sites, nodes, links and demands.

    Args:
        cabling: what the source states; kinds and places of devices are settled in it.
        options: what the user states.
        ledger: counts of the import.
        where: the source, for messages.

    Raises:
        DocumentError: more sites than a document holds.
    """
    settle_roles(cabling, options, ledger)
    _leave_out_ignored(cabling, ledger)
    if not options.keep_management:
        leave_out_management(cabling, ledger)
    _settle_sites(cabling, options, ledger)
    _leave_out_duplicates(cabling, ledger)
    node_ids = _node_ids(cabling, ledger)
    parts = DeviceParts(options)
    part_ids = parts.settle(cabling, ledger)
    maker = LinkMaker(cabling, options, ledger, LinkOptics(cabling, parts, ledger))
    plain_links = maker.plain_links(Tracer(cabling, ledger).paths())
    n_cables = len(cabling.cables)
    links = _records(Link, (maker.record(link, node_ids) for link in plain_links), where)
    if not links and len(node_ids) > 1:
        ledger.finding("no links", *NO_LINKS, counted(len(node_ids), "device"))
    site_ids = _site_ids(cabling, node_ids, ledger)
    if len(site_ids) > MAX_SITES:
        hint = "--site NAME puts devices without a site into one; each has one of its own where lengths are unknown"
        raise DocumentError(f"{len(site_ids):,} sites", where=where, expected=f"at most {MAX_SITES:,}", hint=hint)
    data: dict[str, Any] = {
        "schema_version": 1,
        "sites": [_site(cabling.places[key], site_id) for key, site_id in site_ids.items()],
        "assumptions": _assumptions(ledger),
        "parts": _own_parts(cabling, parts.own_parts),
        "required_margin_db": cabling.required_margin_db,
    }
    if cabling.name:
        data["name"] = display_name(cabling.name)
    nodes = (_node(cabling.devices[key], node_id, site_ids, part_ids.get(key)) for key, node_id in node_ids.items())
    update = {
        "nodes": _records(Node, nodes, where),
        "links": links,
        "demands": _records(Demand, _demands(cabling, node_ids, ledger), where),
    }
    document = parse_document({name: value for name, value in data.items() if value}, where)
    document = document.model_copy(update=update)
    spans = maker.spans
    counts = maker.n_without_rate, spans.n_without_length, spans.n_assumed_length
    n_own_parts = len(data["parts"])
    return Built(document, n_cables, len(links), *counts, n_parts=len(part_ids), n_own_parts=n_own_parts)


def _records(kind: type[R], records: Iterable[dict[str, Any]], where: str) -> tuple[R, ...]:
    """Validate plain records some at a time, so that only these are in memory beside the result."""
    found: list[R] = []
    rest = iter(records)
    while chunk := list(islice(rest, CHUNK)):
        found += validate_as(tuple[kind, ...], chunk, where, prefix=f"{kind.__name__.lower()}s")  # type: ignore[valid-type]
    return tuple(found)


def _leave_out_ignored(cabling: Cabling, ledger: Ledger) -> None:
    ignored = {key for key, device in cabling.devices.items() if device.kind == "ignore"}
    if ignored:
        ledger.dropped("devices", "left out by --role REGEX=ignore, with their cables", n=len(ignored))
        cabling.cables = [c for c in cabling.cables if not any(end.device in ignored for end in c.ends)]
        cabling.devices = {key: device for key, device in cabling.devices.items() if key not in ignored}


def _settle_sites(cabling: Cabling, options: ImportOptions, ledger: Ledger) -> None:
    """Give devices without a place that of the option, or one of all where the source describes one lab or fabric."""
    has_places = any(device.place is not None for device in cabling.devices.values())
    for device in cabling.devices.values():
        if device.place is not None:
            continue
        why, stated = STATES_NO_SITE, options.site_of(device.name)
        if stated is None and cabling.one_place and not has_places:
            why, stated = ONE_SITE, cabling.one_place
        if stated is not None:
            device.place = place_at(cabling, f"option {stated}", stated, None, None)
            ledger.assumed("site of a device", stated, why, "--site", device.name)


def _leave_out_duplicates(cabling: Cabling, ledger: Ledger) -> None:
    """Leave out cables between the same two ports, and find ports with two cables.

    Cables without ports are parallel links and no duplicates.
    """
    pairs: set[tuple[End, ...]] = set()
    first: dict[End, Cable] = {}
    kept: list[Cable] = []
    for cable in cabling.cables:
        a, b = cable.ends
        pair = (a, b) if a <= b else (b, a)
        if a.port and b.port and pair in pairs:
            problem = "the same two ports are joined twice; the first cable is kept"
            ledger.finding("duplicate cable", problem, "state it once", _ends_text(cabling, pair))
            continue
        pairs.add(pair)
        kept.append(cable)
        for end in set(cable.ends):
            other = first.setdefault(end, cable) if end.port else cable
            if other is not cable and other.n_branches == 1:
                problem = "one port has two cables; both are kept"
                ledger.finding("duplicate cable", problem, "remove one", _ends_text(cabling, (end,)))
    cabling.cables = kept


def _ends_text(cabling: Cabling, ends: tuple[End, ...]) -> str:
    return " ~ ".join(f"{cabling.devices[end.device].name}:{end.port}" for end in ends)


def _node_ids(cabling: Cabling, ledger: Ledger) -> dict[str, str]:
    ids = Ids("nodes", ledger)
    return {key: ids.new(d.name) for key, d in cabling.devices.items() if d.kind not in PASSIVE}


def _site_ids(cabling: Cabling, node_ids: Iterable[str], ledger: Ledger) -> dict[str, str]:
    """Return ids of the places that devices name, in the order of the devices."""
    ids = Ids("sites", ledger)
    used = dict.fromkeys(place for key in node_ids if (place := cabling.devices[key].place) is not None)
    return {key: ids.new(cabling.places[key].name) for key in used}


def _site(place: Place, site_id: str) -> dict[str, Any]:
    data: dict[str, Any] = {"id": site_id}
    if place.latitude_deg is not None and place.longitude_deg is not None:
        data |= {"latitude_deg": place.latitude_deg, "longitude_deg": place.longitude_deg}
    if place.name != site_id:
        data["name"] = display_name(place.name)
    if place.source is not None:
        data["source"] = place.source
    return data


def _node(device: Device, node_id: str, site_ids: dict[str, str], part_id: str | None) -> dict[str, Any]:
    data: dict[str, Any] = {"id": node_id, "kind": device.kind}
    if part_id is not None:
        data["part"] = part_id
    if device.place is not None:
        data["site"] = site_ids[device.place]
    if not device.up:
        data["up"] = False
    for name in ("forwards", "n_cards", "rail"):
        value = getattr(device, name)
        if value is not None:
            data[name] = value
    if device.display_name or device.name != node_id:
        data["name"] = display_name(device.display_name or device.name)
    if device.tags:
        data["tags"] = list(texts(device.tags)[:1000])
    if device.source is not None:
        data["source"] = device.source
    return data


def _demands(cabling: Cabling, node_ids: dict[str, str], ledger: Ledger) -> Iterator[dict[str, Any]]:
    ids = Ids("demands", ledger)
    for demand in cabling.demands:
        ends = demand.source_device, demand.target_device
        place = " → ".join(cabling.devices[key].name if key in cabling.devices else key for key in ends)
        if any(key not in node_ids for key in ends):
            ledger.finding("unknown end", "demand left out: an end is no node", "check its ends", place)
        elif ends[0] == ends[1]:
            ledger.dropped("demands of a node to itself", "no link carries them", place)
        elif not 0 <= demand.offered_gbps <= MAX_OFFERED_GBPS:
            ledger.finding("bad value", "demand left out: out of range", "0 to 1e9 Gb/s", place)
        else:
            record: dict[str, Any] = {"id": ids.new(demand.key, is_stated=demand.is_named), "source": node_ids[ends[0]]}
            record |= {"target": node_ids[ends[1]], "offered_gbps": demand.offered_gbps}
            if demand.display_name:
                record["name"] = display_name(demand.display_name)
            if demand.tags:
                record["tags"] = list(texts(demand.tags)[:1000])
            yield record | ({"origin": demand.source} if demand.source is not None else {})


def _own_parts(cabling: Cabling, named: Sequence[Part]) -> list[dict[str, Any]]:
    """Return parts that devices name, and those of the source; a part that the user states goes before one of its."""
    found = [part.model_dump(mode="json", exclude_defaults=True) for part in named]
    ids = {part.id for part in named}
    return found + [part for part_id, part in cabling.parts.items() if part_id not in ids]


def _assumptions(ledger: Ledger) -> list[str]:
    """Return the assumptions of the import as sentences of the document."""
    return [
        f"{what}: {value} ({why}; {counted(row.n, 'time')})"
        for (what, value, why, _), row in list(ledger.assumed_rows.items())[:500]
        if what and row.n
    ]
