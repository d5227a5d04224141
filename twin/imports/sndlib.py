"""SNDlib networks, native text and XML: coordinates, installed capacities, choices of capacity, demands.

Source: Orlowski, Pióro, Tomaszewski, Wessäly: SNDlib 1.0, Networks 55 (2010), and the format description of SNDlib.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..errors import DocumentError
from .cabling import Cable, Cabling, Device, End, StatedDemand
from .fields import Fields, origin, unknown_end
from .files import SourceFile, check_count
from .ledger import Ledger
from .options import MAX_CAPACITY_GBPS, ImportOptions
from .places import place_at
from .quantities import finite
from .xml_tree import Element, xml_tree

GBPS_OF_UNIT = {"KBITPERSEC": 1e-6, "MBITPERSEC": 1e-3, "GBITPERSEC": 1.0}
"""Gb/s of the units that files state in `meta`."""
NO_UNIT = ("unit of capacities and demands", "1 unit = 1 Gb/s", "the source states no unit", "--demand-scale")
CHOICES = "modules that a plan can add; no plan is made"
XML_ROOT = re.compile(r"(?:<\?[^>]*>\s*|<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<network[\s>](?![^>]*urn:ietf:)", re.DOTALL)
TOKEN = re.compile(r"[()]|[^\s()]+")
EFFECTS = {
    "setup_cost": "price of the link; no part has it",
    "module_choices": CHOICES,
    "pre_installed_cost": "price of what is installed",
    "max_path_length": "limit of hops; the twin routes by weight",
}


class _Network(NamedTuple):
    """Records that both forms of a file state; they are (fields, place)."""

    nodes: list[tuple[dict[str, Any], str]]
    links: list[tuple[dict[str, Any], str]]
    demands: list[tuple[dict[str, Any], str]]
    unit: str
    geographic: bool
    name: str


def recognise(files: Sequence[SourceFile]) -> bool:
    """Return whether every file starts as SNDlib files do."""
    return all(_is_native(file) or _is_xml(file) for file in files)


def _is_native(file: SourceFile) -> bool:
    return file.head.startswith("?SNDlib native format") or bool(re.search(r"^\s*NODES \(", file.head, re.MULTILINE))


def _is_xml(file: SourceFile) -> bool:
    return XML_ROOT.match(file.head) is not None


def read(files: Sequence[SourceFile], cabling: Cabling, ledger: Ledger, options: ImportOptions) -> None:
    """Read each file."""
    for file in files:
        network = _from_xml(file) if file.head.startswith("<") else _from_text(file)
        _fill(network, file, cabling, ledger, options)


def _from_xml(file: SourceFile) -> _Network:
    root = xml_tree(file)
    structure = root.first("networkStructure")
    nodes = structure.first("nodes") if structure is not None else None
    links = structure.first("links") if structure is not None else None
    if nodes is None or links is None:
        hint = "SNDlib XML is <network><networkStructure> with nodes and links"
        raise DocumentError(f"line {root.line}: no nodes and links", where=file.where, hint=hint)
    demands = root.first("demands")
    meta = root.first("meta")
    return _Network(
        [(_xml_node(e), f"line {e.line}") for e in nodes.all("node")],
        [(_xml_link(e), f"line {e.line}") for e in links.all("link")],
        [(_xml_demand(e), f"line {e.line}") for e in demands.all("demand")] if demands is not None else [],
        meta.text_of("unit") if meta is not None else "",
        nodes.attributes.get("coordinatesType", "geographical") == "geographical",
        root.attributes.get("name", ""),
    )


def _xml_node(element: Element) -> dict[str, Any]:
    at = element.first("coordinates")
    position = {"x": at.text_of("x"), "y": at.text_of("y")} if at is not None else {}
    return {"id": element.attributes.get("id", ""), **position}


def _xml_link(element: Element) -> dict[str, Any]:
    installed, extra = element.first("preInstalledModule"), element.first("additionalModules")
    return {
        "id": element.attributes.get("id", ""),
        "source": element.text_of("source"),
        "target": element.text_of("target"),
        "pre_installed_capacity": installed.text_of("capacity") if installed is not None else "",
        "pre_installed_cost": _above_0(installed.text_of("cost")) if installed is not None else "",
        "routing_cost": _above_0(element.text_of("routingCost")),
        "setup_cost": _above_0(element.text_of("setupCost")),
        "module_choices": len(list(extra.all("addModule"))) if extra is not None else "",
    }


def _xml_demand(element: Element) -> dict[str, Any]:
    names = {"source": "source", "target": "target", "routing_unit": "routingUnit", "demand_value": "demandValue"}
    data = {ours: element.text_of(theirs) for ours, theirs in names.items()}
    return {"id": element.attributes.get("id", ""), **data, "max_path_length": element.text_of("maxPathLength")}


def _above_0(text: str) -> str:
    """Return a text, or nothing for a number 0: SNDlib writes 0 where nothing is stated."""
    return "" if re.fullmatch(r"[+-]?0*\.?0*", text) else text


def _from_text(file: SourceFile) -> _Network:
    sections: dict[str, list[tuple[list[str], str]]] = {"NODES": [], "LINKS": [], "DEMANDS": []}
    unit, name, current = "", "", ""
    for number, line in enumerate(file.text.splitlines(), 1):
        plain_line = line.partition("#")[0].strip()
        if line.startswith("# network "):
            name = line[len("# network ") :].strip()
        if not plain_line or plain_line.startswith("?"):
            continue
        opening = re.fullmatch(r"([A-Z_]+) \(", plain_line)
        if opening:
            current = opening[1]
        elif plain_line == ")":
            current = ""
        elif current == "META":
            key, _, value = plain_line.partition("=")
            unit = value.strip() if key.strip() == "unit" else unit
        elif current in sections:
            sections[current].append((TOKEN.findall(plain_line), f"line {number}"))
            check_count(len(sections[current]), f"{file.where}: {current}")
        elif not current:
            hint = "sections are META, NODES, LINKS, DEMANDS, ADMISSIBLE_PATHS"
            raise DocumentError(f"line {number}: outside of a section", where=file.where, hint=hint)
    if current:
        raise DocumentError(f"section {current} has no end", where=file.where, hint="the file may be truncated")
    if not sections["NODES"]:
        raise DocumentError("no section NODES (", where=file.where, hint="is it an SNDlib network?")
    nodes = list(_records(sections["NODES"], ("id", "(", "x", "y", ")"), file))
    return _Network(
        nodes,
        list(_records(sections["LINKS"], LINK_FORM, file)),
        list(_records(sections["DEMANDS"], DEMAND_FORM, file)),
        unit,
        all(_is_position(record) for record, _ in nodes),
        name,
    )


def _is_position(record: dict[str, Any]) -> bool:
    """Return whether the coordinates of a node may be degrees; the native form does not say what they are."""
    x, y = finite(record["x"]), finite(record["y"])
    return x is not None and y is not None and abs(x) <= 180 and abs(y) <= 90


LINK_FORM = (
    *("id", "(", "source", "target", ")"),
    *("pre_installed_capacity", "pre_installed_cost", "routing_cost", "setup_cost", "("),
)
DEMAND_FORM = ("id", "(", "source", "target", ")", "routing_unit", "demand_value", "max_path_length")


def _records(
    lines: list[tuple[list[str], str]], form: Sequence[str], file: SourceFile
) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the fields of each line by the form of its section; what follows the form are choices of modules."""
    for tokens, place in lines:
        if len(tokens) < len(form) or any(name in "()" and tokens[i] != name for i, name in enumerate(form)):
            expected = " ".join(name if name in "()" else f"<{name}>" for name in form)
            raise DocumentError(f"{place}: {' '.join(tokens)[:80]!r}", where=file.where, expected=expected)
        record = {name: tokens[i] for i, name in enumerate(form) if name not in "()"}
        for name in ("pre_installed_cost", "routing_cost", "setup_cost"):
            if name in record:
                record[name] = _above_0(record[name])
        n_choices = (len(tokens) - len(form) - 1) // 2
        yield record | ({"module_choices": n_choices} if n_choices > 0 else {}), place


def _fill(network: _Network, file: SourceFile, cabling: Cabling, ledger: Ledger, options: ImportOptions) -> None:
    """Add the records of a file to the cabling."""
    unit_gbps = GBPS_OF_UNIT.get(network.unit.upper())
    scale = unit_gbps if unit_gbps is not None else options.demand_scale or 1.0
    note = f"{network.unit} → Gb/s" if unit_gbps is not None else f"x {scale:g} Gb/s"
    if network.name:
        cabling.name = network.name
    for records, what in ((network.nodes, "nodes"), (network.links, "links"), (network.demands, "demands")):
        check_count(len(records), f"{file.where}: {what}")
    for record, place in network.nodes:
        _node(Fields(record, "nodes", place, ledger), network, file, cabling)
    n_amounts = 0
    for record, place in network.links:
        n_amounts += _link(Fields(record, "links", place, ledger), file, cabling, scale, note)
    for record, place in network.demands:
        n_amounts += _demand(Fields(record, "demands", place, ledger), file, cabling, scale, note)
    if unit_gbps is None and options.demand_scale is None and n_amounts:
        ledger.assumed(*NO_UNIT, file.name, n_amounts)


def _node(fields: Fields, network: _Network, file: SourceFile, cabling: Cabling) -> None:
    key = fields.text("id")
    if not key:
        raise DocumentError(f"{fields.place}: a node has no id", where=file.where)
    if key in cabling.devices:
        fields.ledger.finding("duplicate id", "only the first node of an id is used", "make ids unique", fields.place)
        return
    device = Device(key, key, kind="switch", source=fields.source(file.name, key))
    longitude = latitude = None
    if network.geographic:
        longitude = fields.number("x", -180, 180, "x → longitude")
        latitude = fields.number("y", -90, 90, "y → latitude")
    fields.close(dict.fromkeys("xy", "position on a plane, not in degrees: no length follows from it"))
    if longitude is not None and latitude is not None:
        device.place = place_at(cabling, f"site {key}", key, latitude, longitude)
    cabling.devices[key] = device


def _link(fields: Fields, file: SourceFile, cabling: Cabling, scale: float, note: str) -> int:
    """Add a link; return the number of amounts in it that have no unit of their own."""
    key, source, target = fields.text("id"), fields.text("source"), fields.text("target")
    for end in (source, target):
        if end not in cabling.devices:
            unknown_end(fields.ledger, fields.place, end)
            return 0
    stated = fields.record.get("pre_installed_capacity", "")
    capacity = None
    if _above_0(stated):
        capacity = fields.number("pre_installed_capacity", 1e-9, MAX_CAPACITY_GBPS, note, scale)
    fields.skip("pre_installed_capacity")
    weight = fields.number("routing_cost", 1e-12, 1e9, "routing cost → weight")
    cable = Cable(key or f"{source}~{target} {fields.place}", (End(source), End(target)), name=key)
    cable.capacity_gbps, cable.weight = capacity, weight
    cable.source = fields.source(file.name, key)
    cabling.cables.append(cable)
    fields.close(EFFECTS)
    return int(capacity is not None)


def _demand(fields: Fields, file: SourceFile, cabling: Cabling, scale: float, note: str) -> int:
    """Add a demand: its value times its routing unit; return the number of amounts in it."""
    key, source, target = fields.text("id"), fields.text("source"), fields.text("target")
    unit = fields.number("routing_unit", 1e-12, 1e12) if fields.record.get("routing_unit") else 1.0
    value = fields.number("demand_value", 0, 1e18, f"times routing unit, {note}")
    limit = fields.record.get("max_path_length")
    if str(limit or "").upper() in ("UNLIMITED", "-1", ""):
        fields.skip("max_path_length")
    fields.close(EFFECTS)
    if value is None or unit is None:
        fields.ledger.finding("bad value", "demand is not used", "state its value", fields.place)
        return 0
    known = origin(file.name, fields.place, key)
    cabling.demands.append(StatedDemand(key or fields.place, source, target, value * unit * scale, known))
    return 1
