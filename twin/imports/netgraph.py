"""NetGraph: scenarios as YAML, with groups of nodes, blueprints, links by pattern, risk groups and demands.

Source: networmix/NetGraph v0.17.4 (`network.nodes`, `network.links`, `demands`), and v0.9.1 for the older format
(`network.groups`, `network.adjacency`, `traffic_matrix_set`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import DocumentError
from ..errors.wording import type_text
from ..formats.native import parse_mapping
from .cabling import Cable, Cabling, Device, End
from .containerlab import MAX_YAML_BYTES
from .fields import Fields, origin, plain
from .files import SourceFile
from .ledger import Ledger
from .netgraph_demands import read_demands
from .netgraph_expand import Edge, Expansion
from .netgraph_select import Vertex, nested
from .options import MAX_CAPACITY_GBPS, ImportOptions
from .places import place_at
from .quantities import finite

ENDINGS = (".yml", ".yaml")
NETWORK = re.compile(rb"^network:", re.MULTILINE)
OTHER_TOOLS = re.compile(rb"^(topology|schema_version):", re.MULTILINE)
HINT = "expected network: with nodes and links, or groups and adjacency"
ROLES = ("role", "tier", "node_type", "site_type", "type")
DISTANCES = ("distance_km", "length_km")
UNREAD = {
    "failures": "failures of the scenario; `twin failures` has its own",
    "failure_policy_set": "failures of the scenario; `twin failures` has its own",
    "workflow": "steps of an analysis",
    "components": "ports, watts and price of hardware; name own parts",
    "seed": "random numbers of the analysis",
    "vars": "anchors; their values are where they are used",
}
ATTRIBUTE_EFFECTS = {"hardware": "ports, watts, price and optics; name own parts"}


def recognise(files: Sequence[SourceFile]) -> bool:
    """Return whether one YAML file has a network at its top."""
    if len(files) != 1 or files[0].ending not in ENDINGS:
        return False
    content = files[0].content
    return NETWORK.search(content) is not None and OTHER_TOOLS.search(content) is None


def read(files: Sequence[SourceFile], cabling: Cabling, ledger: Ledger, _options: ImportOptions) -> None:
    """Read one scenario."""
    if len(files) != 1:
        raise DocumentError("several scenarios", where=files[1].where, hint="name one file")
    file = files[0]
    if len(file.content) > MAX_YAML_BYTES:
        expected = f"at most {MAX_YAML_BYTES:,} bytes of YAML"
        raise DocumentError(f"{len(file.content):,} bytes", where=file.where, expected=expected)
    data = parse_mapping(file.text, file.where, as_json=file.looks_like_json, expected=HINT, merges=True)
    network = data.get("network")
    if not isinstance(network, Mapping):
        raise DocumentError(f"network holds {type_text(network)}", where=file.where, expected="a mapping", hint=HINT)
    expansion = Expansion(data, file.where, ledger)
    expansion.run(network)
    if not expansion.selector.vertices:
        raise DocumentError("has no nodes", where=file.where, hint=HINT)
    if isinstance(network.get("name"), str):
        cabling.name = plain(network["name"])
        ledger.kept("network.name")
    _generate_risks(data.get("risk_groups"), expansion, file, ledger)
    for vertex in expansion.selector.vertices.values():
        _node(vertex, file, cabling, ledger)
    _cables(expansion, file, cabling, ledger)
    read_demands(data, expansion, file, cabling, ledger)
    for name, effect in UNREAD.items():
        if data.get(name) not in (None, {}, []):
            ledger.dropped(name, effect, file.name)


def _node(vertex: Vertex, file: SourceFile, cabling: Cabling, ledger: Ledger) -> None:
    """Add a node; its role, coordinates and state come from its attributes."""
    fields = Fields(vertex.attributes, "nodes.attrs", vertex.place, ledger)
    device = Device(vertex.name, vertex.name, source=origin(file.name, vertex.place, vertex.name))
    device.role = fields.text(*ROLES)
    ledger.kept("nodes.name")
    coordinates = fields.raw("coords")
    if isinstance(coordinates, list) and len(coordinates) == 2:
        latitude, longitude = (finite(value) for value in coordinates)
        if latitude is not None and longitude is not None and abs(latitude) <= 90 and abs(longitude) <= 180:
            fields.count("coords", "[latitude, longitude] → a site")
            device.place = place_at(cabling, f"site {vertex.name}", vertex.name, latitude, longitude)
        else:
            fields.bad("coords", coordinates, "[latitude, longitude] in degrees")
    if vertex.disabled:
        device.up = False
        ledger.converted("nodes.disabled", "disabled → down")
    fields.close(ATTRIBUTE_EFFECTS)
    cabling.devices[device.key] = device


def _cables(expansion: Expansion, file: SourceFile, cabling: Cabling, ledger: Ledger) -> None:
    """Add a link for each edge, with the risk groups of its ends: what fails a node takes its links."""
    vertices = expansion.selector.vertices
    of_nodes = [vertex for vertex in vertices.values() if vertex.risk_groups]
    if of_nodes:
        ledger.converted("nodes.risk_groups", "risk group of a node → of its links", len(of_nodes))
    for i, edge in enumerate(expansion.edges):
        fields = Fields(edge.fields, "links", edge.place, ledger)
        cable = Cable(f"{edge.place} {i}", (End(edge.source), End(edge.target)), n_parallel=edge.n)
        cable.name = f"{edge.source}~{edge.target}"
        cable.source = origin(file.name, edge.place, cable.name)
        cable.capacity_gbps = fields.number("capacity", 1e-9, MAX_CAPACITY_GBPS)
        if cable.capacity_gbps is not None:
            ledger.assumed("unit of capacity", "Gb/s", "NetGraph states none; its examples count so", "", edge.place)
        cable.weight = fields.number("cost", 1e-12, 1e9, "cost → weight")
        cable.up = not fields.flag("disabled")
        ends = (vertices[edge.source].risk_groups, vertices[edge.target].risk_groups)
        cable.srlgs = tuple(dict.fromkeys((*_risks(edge, expansion, ledger), *ends[0], *ends[1])))
        fields.skip("attrs", "risk_groups")
        cable.length_km = _attributes(edge, ledger)
        cabling.cables.append(cable)


def _risks(edge: Edge, expansion: Expansion, ledger: Ledger) -> tuple[str, ...]:
    found = expansion.risk_names(edge.fields.get("risk_groups"))
    if found:
        ledger.converted("links.risk_groups", "risk group → shared risk")
    return found


def _attributes(edge: Edge, ledger: Ledger) -> float | None:
    """Return the length of a link, and count its other attributes."""
    attributes = edge.fields.get("attrs")
    fields = Fields(attributes if isinstance(attributes, Mapping) else {}, "links.attrs", edge.place, ledger)
    length_km = next(
        (km for name in DISTANCES if (km := fields.number(name, 0, 20_000, "distance → length_km")) is not None), None
    )
    fields.close(ATTRIBUTE_EFFECTS)
    return length_km


def _generate_risks(value: Any, expansion: Expansion, file: SourceFile, ledger: Ledger) -> None:
    """Add the risk groups that blocks of `generate` make of an attribute; rules of membership are dropped."""
    for i, block in enumerate(value if isinstance(value, list) else ()):
        place = f"{file.name}: risk_groups[{i}]"
        stated = block.get("generate") if isinstance(block, Mapping) else None
        if isinstance(block, Mapping) and isinstance(block.get("membership"), Mapping):
            ledger.dropped("risk_groups.membership", "failures that links share", place)
        if isinstance(block, Mapping) and block.get("children"):
            ledger.dropped("risk_groups.children", "groups inside a group that fail with it", place)
        if not isinstance(stated, Mapping):
            continue
        template, attribute = str(stated.get("name", "${value}"))[:200], str(stated.get("group_by", ""))
        if stated.get("path") is not None:
            ledger.dropped("risk_groups.generate", "failures that links share", place)
            continue
        n = sum(1 for _ in _join_groups(expansion, stated.get("scope"), attribute, template))
        ledger.converted("risk_groups.generate", "values of an attribute → shared risks", n)


def _join_groups(expansion: Expansion, scope: Any, attribute: str, template: str) -> Iterator[str]:
    """Put links or nodes into the group of their value; yield the group each time."""
    if scope == "node":
        for vertex in expansion.selector.vertices.values():
            value = vertex.value(attribute)
            if value is not None:
                name = _named(template, value)
                vertex.risk_groups = (*vertex.risk_groups, name)
                yield name
    elif scope == "link":
        for edge in expansion.edges:
            own = edge.fields.get("attrs")
            value = nested(own, attribute) if isinstance(own, Mapping) else None
            if value is not None:
                name = _named(template, value)
                edge.fields = {**edge.fields, "risk_groups": [*(edge.fields.get("risk_groups") or ()), name]}
                yield name


def _named(template: str, value: Any) -> str:
    return plain(template.replace("${value}", str(value)).replace("$value", str(value)))
