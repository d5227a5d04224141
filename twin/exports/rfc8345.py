"""RFC 8345 as JSON: one network, each link as two directed ones, with the attributes of RFC 8795.

What the modules cannot hold is written as annotations (RFC 7952), which tools that do not know them leave out.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..imports.ledger import Ledger
from ..imports.yang_json import ANNOTATION_MODULE, GBPS_OF_BYTES, te_bandwidth_gbps
from .plain import REVERSE, Attributes, PlainNetwork

TE, TOPOLOGY = "ietf-te-topology", "ietf-network-topology"
MAX_NUMBER = 2**32 - 1
"""Largest metric, delay and shared-risk number: uint32."""
N_DEGREE_DIGITS = 8
"""Digits behind the point of a position. Source: RFC 8795, geographic-coordinate-degree."""
ROUNDED = "rounded to a whole number; an annotation has the exact one"
ANNOTATED = "annotation of RFC 7952"
FIRST_ONLY = ("n_parallel", "n_failed", "length_km", "tags")
"""Annotations of the first direction of a link, which stand for both."""


def write(network: PlainNetwork, ledger: Ledger) -> dict[str, bytes]:
    """Return the file, one record on each line."""
    ledger.converted("document.name", "network-id")
    notes: Attributes = {}
    if network.demands:
        ledger.converted("demands", "records → JSON text in an annotation of the network", len(network.demands))
        notes["demands"] = network.demands
    numbers = _risk_numbers(network.links, ledger)
    links = _links(network.links, numbers, ledger)
    text = (
        '{"ietf-network:networks": {"network": [{\n'
        f'"network-id": {_text(network.name)},\n'
        f'"network-types": {{"{TE}:te-topology": {{}}}},\n'
        f"{_notes_text(notes)}"
        f'"node": {_lines(_node(node, ledger) for node in network.nodes)},\n'
        f'"{TOPOLOGY}:link": {_lines(links)}}}]}}}}\n'
    )
    return {"": text.encode()}


def _notes_text(notes: Attributes) -> str:
    return f'"@": {_text(_annotations(notes))},\n' if notes else ""


def _node(node: Attributes, ledger: Ledger) -> Attributes:
    attributes: Attributes = {"admin-status": "up" if node.get("up", True) else "down"}
    if "display_name" in node:
        attributes = {"name": node["display_name"], **attributes}
    te: Attributes = {"te-node-attributes": attributes}
    notes: Attributes = {name: node[name] for name in ("kind", "site", "forwards", "tags") if name in node}
    if "latitude_deg" in node:
        degrees = [node[f"{name}_deg"] for name in ("latitude", "longitude")]
        written = [f"{value:.{N_DEGREE_DIGITS}f}" for value in degrees]
        te["geolocation"] = dict(zip(("latitude", "longitude"), written, strict=True))
        if [float(text) for text in written] != degrees:
            notes |= {"latitude_deg": degrees[0], "longitude_deg": degrees[1]}
    for name in notes:
        ledger.converted(f"nodes.{name}", ANNOTATED)
    return {"node-id": node["id"], f"{TE}:te": te, "@": _annotations(notes)}


def _links(links: list[Attributes], numbers: Mapping[str, int], ledger: Ledger) -> Iterator[Attributes]:
    """Yield the two directions of each link; the second names the first."""
    taken = {link["id"] for link in links}
    ledger.converted("links", "two directed links each", len(links))
    for link in links:
        back_id = f"{link['id']} (reverse)"
        while back_id in taken:
            back_id += "'"
        taken.add(back_id)
        notes: Attributes = {
            name: link[name] for name in ("n_parallel", "n_failed", "length_km", "tags") if name in link
        }
        yield _direction(link, link["id"], "", notes, numbers, ledger)
        members = {"n_parallel": link["n_parallel"]} if "n_parallel" in link else {}
        yield _direction(link, back_id, REVERSE, {"reverse_of": link["id"]} | members, numbers, ledger)


def _direction(
    link: Attributes, link_id: str, prefix: str, notes: Attributes, numbers: Mapping[str, int], ledger: Ledger
) -> Attributes:
    """Return one direction of a link; prefix: that of the attributes of the way back, or empty."""
    values = {name: link.get(prefix + name, link.get(name)) for name in ("capacity_gbps", "weight", "latency_us")}
    attributes: Attributes = {"name": link["display_name"]} if "display_name" in link else {}
    attributes["admin-status"] = "up" if link.get("up", True) else "down"
    if values["capacity_gbps"] is not None:
        bandwidth = te_bandwidth(values["capacity_gbps"] * link.get("n_parallel", 1))
        attributes["max-link-bandwidth"] = {"te-bandwidth": {"generic": bandwidth}}
        ledger.converted("links.capacity_gbps", "Gb/s of a member → bytes per second of all members")
        if te_bandwidth_gbps(bandwidth) != values["capacity_gbps"]:
            notes["capacity_gbps"] = values["capacity_gbps"]
    for name, leaf in (("weight", "te-default-metric"), ("latency_us", "te-delay-metric")):
        value = values[name] if values[name] is not None or name == "latency_us" else 1.0
        if value is None:
            continue
        attributes[leaf] = min(max(round(value), 1 if name == "weight" else 0), MAX_NUMBER)
        if attributes[leaf] != value:
            ledger.converted(f"links.{name}", ROUNDED)
            notes[name] = value
    risks = link.get("srlgs", ())
    if risks:
        attributes["te-srlgs"] = {"value": [numbers[risk] for risk in risks]}
        if any(str(numbers[risk]) != risk for risk in risks):
            notes["srlgs"] = list(risks)
    source, target = (link["source"], link["target"]) if not prefix else (link["target"], link["source"])
    return {
        "link-id": link_id,
        "source": {"source-node": source},
        "destination": {"dest-node": target},
        f"{TE}:te": {"te-link-attributes": attributes},
    } | ({"@": _annotations(notes)} if notes else {})


def te_bandwidth(gbps: float) -> str:
    """Return a te-bandwidth: bytes per second as a float of 32 bits in hexadecimal. Source: RFC 8776.

    gbps: above 0, at most 1e13.
    """
    (rounded,) = struct.unpack("f", struct.pack("f", gbps / GBPS_OF_BYTES))
    mantissa, exponent = math.frexp(rounded)
    digits = f"{round((mantissa * 2 - 1) * 2**24):06x}".rstrip("0")
    return f"0x1{'.' if digits else ''}{digits}p{max(exponent - 1, 0)}" if rounded >= 1 else "0x1p0"


def _risk_numbers(links: Iterable[Attributes], ledger: Ledger) -> dict[str, int]:
    """Return a number for each shared risk: its own if its name is one, else the next that is free, by name."""
    names = sorted({risk for link in links for risk in link.get("srlgs", ())})
    numbers = {name: int(name) for name in names if _is_number(name)}
    used, n = set(numbers.values()), 0
    for name in names:
        if name not in numbers:
            n += 1
            while n in used:
                n += 1
            numbers[name] = n
            ledger.converted("links.srlgs", "names → numbers; an annotation has the names")
    return numbers


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) <= 10 and str(int(name)) == name and int(name) <= MAX_NUMBER


def _annotations(notes: Attributes) -> Attributes:
    """Return annotations as RFC 7952 allows them: single values, lists as JSON texts."""
    return {
        f"{ANNOTATION_MODULE}:{name}": _text(value) if isinstance(value, list) else value
        for name, value in notes.items()
    }


def _lines(records: Iterable[Any]) -> str:
    return "[" + ",\n".join(map(_text, records)) + "]"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
