"""Nodes and links of one layer of RFC 8345."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import DocumentError
from . import openroadm
from .cabling import Cable, Cabling, Device, End
from .fields import Fields, plain, unknown_end
from .files import SourceFile
from .ledger import Ledger
from .opposites import Opposites
from .options import MAX_CAPACITY_GBPS
from .places import place_at
from .yang_json import HINT, Record, inner, path_value, records_in, te_bandwidth_gbps, without_modules

DOWN = frozenset({"down", "maintenance", "preparing-maintenance", "testing"})
BANDWIDTH = "bytes per second → Gb/s"
NODE_NAMES = ("te-node-attributes", "l3-node-attributes", "l2-node-attributes", "l1-node-attributes")
MAX_WEIGHT = 1e9
MAX_LATENCY_US = 1e9
LINK_EFFECTS = {
    "underlay": "path of the link in the layer below; supporting-link is read",
    "unreserved-bandwidth": "rate that is left; the twin computes loads",
    "max-resv-link-bandwidth": "limit of reservations",
    "interface-switching-capability": "layer at which the link switches",
    "administrative-group": "colours of links",
    "link-latency": "latency; the length of the fibre gives it",
    "label-restrictions": "channels that are free",
    "bundled-links": "members that are links of their own: the rate counts twice",
}
NODE_EFFECTS = {
    "termination-point": "ports without a link, and states of single ports",
    "supporting-node": "nodes below: failures that nodes share",
    "degree-attributes": "channels of a degree",
    "srg-attributes": "channels of an add-drop group",
}
Edges = list[tuple[Cable, tuple[str, ...], tuple[tuple[str, str], ...]]]
"""Links, with the ids of their directions, and the (layer, link) pairs that carry them."""


@dataclass(slots=True)
class Layer:
    """A network of the source."""

    key: str
    file: SourceFile
    record: dict[str, Any]
    """The network, names without modules."""
    where: str
    links: Sequence[Record]

    def below(self) -> set[str]:
        """Return the layers that this one stands on."""
        found = {plain(path_value(ref, "network-ref")) for ref in self._supporting()}
        for link in self.links:
            refs = path_value(link, "supporting-link")
            if isinstance(refs, list):
                found |= {plain(path_value(ref, "network-ref")) for ref in refs}
        return found - {self.key}

    def _supporting(self) -> Sequence[Any]:
        refs = self.record.get("supporting-network")
        return refs if isinstance(refs, list) else ()


class LayerReader:
    """Reads one layer into a cabling; links are returned, since layers below may give them lengths."""

    def __init__(self, layer: Layer, cabling: Cabling, ledger: Ledger, prefix: str = "") -> None:
        """Start to read a layer.

        Args:
            layer: the network.
            cabling: what is filled.
            ledger: counts of the import.
            prefix: start of the keys of nodes, where several layers fill one cabling.
        """
        self.prefix = prefix
        self.key, self.file, self.record = layer.key, layer.file, layer.record
        self.cabling, self.ledger = cabling, ledger
        self.where = f"{layer.file.where}: network {layer.key}"
        self.folded: dict[str, str] = {}
        """Node of a degree or an add-drop group -> its ROADM."""
        self.carried_by: dict[str, tuple[tuple[str, str], ...]] = {}
        self.opposites = Opposites(cabling, ledger)

    def read(self) -> Edges:
        """Read nodes, then links; return the links, both directions joined."""
        for i, node in enumerate(records_in(self.record, "node", self.where)):
            self._node(without_modules(node), f"node[{i}]")
        self._report_folded()
        for i, link in enumerate(records_in(self.record, "link", self.where)):
            self._link(without_modules(link), f"link[{i}]")
        found: Edges = []
        for cable, keys in self.opposites.links():
            refs = dict.fromkeys(ref for key in keys for ref in self.carried_by.get(key, ()))
            found.append((cable, keys, tuple(refs)))
        return found

    def _node(self, record: dict[str, Any], place: str) -> None:
        node_id = record.get("node-id")
        if not isinstance(node_id, str | int) or node_id == "":
            raise DocumentError("has no node-id", where=f"{self.where}: {place}", hint=HINT)
        name = plain(node_id)
        fields = Fields(record, "nodes", place, self.ledger)
        roadm = openroadm.roadm_of(record)
        key = self._key(name)
        if key in self.cabling.devices or name in self.folded:
            self.ledger.finding("duplicate id", "only the first node of an id is used", "make ids unique", place)
            return
        if roadm:
            self.folded[name] = roadm
            name, key = roadm, self._key(roadm)
            fields.skip("node-id", "supporting-node", "termination-point", "node-type")
        else:
            fields.text("node-id")
        if key not in self.cabling.devices:
            self._device(key, name, fields, "ROADM" if roadm else fields.text("kind", "node-type", "device-type"))
        fields.skip("administrative-state", "operational-state")
        fields.close(NODE_EFFECTS)

    def _device(self, key: str, name: str, fields: Fields, role: str) -> None:
        device = Device(key, name, role=role, source=fields.source(self.file.name, name))
        te = inner(fields, "te", "nodes.te", self.ledger)
        position: Fields | None = inner(te, "geolocation", "nodes.te.geolocation", self.ledger) if te else None
        for container in NODE_NAMES:
            holder = te if te is not None and container.startswith("te-") else fields
            attributes = inner(holder, container, f"nodes.{container}", self.ledger)
            if attributes is None:
                continue
            device.display_name = device.display_name or attributes.text("name")
            device.up = device.up and attributes.text("admin-status") not in DOWN
            position = position or inner(attributes, "geolocation", f"nodes.{container}.geolocation", self.ledger)
            attributes.close()
        if te is not None:
            device.up = device.up and te.text("oper-status") not in DOWN
            te.skip("te-node-id")
            te.close()
        device.up = device.up and openroadm.is_up(fields)
        device.display_name = fields.text("display_name") or device.display_name
        device.tags = fields.texts("tags")
        device.forwards = fields.flag("forwards")
        device.place = self._place(fields, name, position)
        self.cabling.devices[key] = device

    def _place(self, fields: Fields, name: str, position: Fields | None) -> str | None:
        site = fields.text("site")
        if not site:
            site = openroadm.supporting_node(fields.record, openroadm.SITES)
            if site:
                fields.skip("supporting-node")
                self.ledger.converted("nodes.supporting-node", "node of clli-network → site")
        latitude, longitude = fields.number("latitude_deg", -90, 90), fields.number("longitude_deg", -180, 180)
        if position is not None:
            stated = position.number("latitude", -90, 90), position.number("longitude", -180, 180)
            latitude, longitude = (stated[0] if latitude is None else latitude,
                                   stated[1] if longitude is None else longitude)  # fmt: skip
            position.close({"altitude": "height of the node"})
        if latitude is None or longitude is None:
            return place_at(self.cabling, f"site {site}", site, None, None) if site else None
        return place_at(self.cabling, f"site {site or name}", site or name, latitude, longitude)

    def _report_folded(self) -> None:
        """Report the ROADMs that stand for several nodes of the source."""
        for roadm, n in Counter(self.folded.values()).items():
            why = "the source has a node for each degree and add-drop group"
            self.ledger.assumed("inside of a ROADM", "one node that joins all degrees", why, "", roadm)
            self.ledger.converted("nodes", "degrees and add-drop groups → their ROADM", n)

    def _key(self, node_id: str) -> str:
        return self.prefix + node_id

    def _link(self, record: dict[str, Any], place: str) -> None:
        link_id = record.get("link-id")
        if not isinstance(link_id, str | int) or link_id == "":
            raise DocumentError("has no link-id", where=f"{self.where}: {place}", hint=HINT)
        key = plain(link_id)
        fields = Fields(record, "links", place, self.ledger)
        fields.text("link-id")
        ends = [self._end(fields, *names) for names in (("source", "source-node", "source-tp"),
                                                        ("destination", "dest-node", "dest-tp"))]  # fmt: skip
        a, b = ends
        if a is None or b is None:
            return
        if a.device == b.device and str(record.get("link-type")) in openroadm.INNER_LINKS:
            self.ledger.converted("links", "links inside a ROADM → its node")
            return
        cable = Cable(key, (a, b), name=key, source=fields.source(self.file.name, key))
        self._te(fields, cable)
        self._layer_attributes(fields, cable)
        self._annotations(fields, cable)
        if "OMS-attributes" in record:
            cable.spans, risks = openroadm.oms_spans(fields, self.ledger)
            cable.srlgs += risks
            cable.length_km = sum(span["length_km"] for span in cable.spans) if cable.spans else cable.length_km
        cable.up = cable.up and openroadm.is_up(fields)
        refs = fields.raw("supporting-link")
        if isinstance(refs, list) and refs:
            fields.count("supporting-link", "shared risks and lengths of the layer below")
            self.carried_by[key] = tuple(
                (plain(path_value(ref, "network-ref") or self.key), plain(path_value(ref, "link-ref"))) for ref in refs
            )
        opposite = fields.text("reverse_of", "opposite-link")
        fields.close(LINK_EFFECTS)
        self.opposites.add(cable, opposite)

    def _end(self, fields: Fields, container: str, node: str, port: str) -> End | None:
        """Return an end of a link; None with a finding if it is no node of the layer."""
        value = fields.raw(container)
        node_id, tp = path_value(value, node), path_value(value, port)
        name = plain(node_id) if isinstance(node_id, str | int) else ""
        key = self._key(self.folded.get(name, name))
        if key not in self.cabling.devices:
            unknown_end(self.ledger, fields.place, name)
            return None
        fields.count(container)
        return End(key, plain(tp) if isinstance(tp, str | int) else "")

    def _te(self, fields: Fields, cable: Cable) -> None:
        """Read the attributes of RFC 8795."""
        te = inner(fields, "te", "links.te", self.ledger)
        attributes = inner(te, "te-link-attributes", "links.te", self.ledger) if te is not None else None
        if te is None or attributes is None:
            return
        bandwidth = path_value(attributes.record, "max-link-bandwidth", "te-bandwidth")
        generic = path_value(bandwidth, "generic") if bandwidth is not None else None
        if generic is not None:
            attributes.raw("max-link-bandwidth")
            gbps = te_bandwidth_gbps(generic)
            if gbps is None or not 1e-9 <= gbps <= MAX_CAPACITY_GBPS:
                attributes.bad("max-link-bandwidth", generic, "bytes per second, such as 0x1.74p33")
            else:
                attributes.count("max-link-bandwidth", BANDWIDTH)
                cable.capacity_gbps = gbps
        members = path_value(te.record, "component-links", "component-link")
        if isinstance(members, list) and len(members) > 1:
            te.raw("component-links")
            te.count("component-links", "members of one link, the rate shared equally")
            cable.n_parallel = min(len(members), 1_000_000)
            if isinstance(cable.capacity_gbps, float):
                cable.capacity_gbps /= cable.n_parallel
        metric = next((n for n in ("te-default-metric", "te-igp-metric") if n in attributes.record), None)
        cable.weight = attributes.number(metric, 1e-12, MAX_WEIGHT) if metric else None
        cable.latency_us = attributes.number("te-delay-metric", 0, MAX_LATENCY_US, "microseconds → latency_us")
        if cable.latency_us is None:
            delay = inner(attributes, "performance-metrics-one-way", "links.te", self.ledger)
            cable.latency_us = delay.number("one-way-delay", 0, MAX_LATENCY_US) if delay is not None else None
        risks = path_value(attributes.record, "te-srlgs", "value")
        if isinstance(risks, list) and risks:
            attributes.raw("te-srlgs")
            attributes.count("te-srlgs", "numbers → shared risks")
            cable.srlgs = tuple(plain(risk) for risk in risks if isinstance(risk, str | int))
        cable.display_name = attributes.text("name")
        cable.up = attributes.text("admin-status") not in DOWN and te.text("oper-status") not in DOWN
        attributes.close(LINK_EFFECTS)
        te.close(LINK_EFFECTS)

    def _layer_attributes(self, fields: Fields, cable: Cable) -> None:
        """Read the attributes of layers 1 to 3 and of OTN, where TE states none."""
        l2 = inner(fields, "l2-link-attributes", "links.l2", self.ledger)
        if l2 is not None:
            rate_gbps = l2.number("rate", 1e-9, MAX_CAPACITY_GBPS, "Mb/s → Gb/s", 1e-3)
            delay_us = l2.number("delay", 0, MAX_LATENCY_US)
            cable.capacity_gbps = rate_gbps if cable.capacity_gbps is None else cable.capacity_gbps
            cable.latency_us = delay_us if cable.latency_us is None else cable.latency_us
            cable.display_name = cable.display_name or l2.text("name")
            l2.close()
        l3 = inner(fields, "l3-link-attributes", "links.l3", self.ledger)
        if l3 is not None:
            metric = l3.number("metric1", 1e-12, MAX_WEIGHT)
            cable.weight = metric if cable.weight is None else cable.weight
            cable.display_name = cable.display_name or l3.text("name")
            l3.close({"metric2": "second routing metric"})
        metric = fields.number("TE-metric", 1e-12, MAX_WEIGHT)
        cable.weight = metric if metric is not None else cable.weight
        free_gbps = fields.number("available-bandwidth", 0, MAX_CAPACITY_GBPS, "Mb/s → Gb/s", 1e-3)
        used_gbps = fields.number("used-bandwidth", 0, MAX_CAPACITY_GBPS, "Mb/s → Gb/s", 1e-3)
        if cable.capacity_gbps is None and free_gbps is not None and free_gbps + (used_gbps or 0.0) > 0:
            cable.capacity_gbps = free_gbps + (used_gbps or 0.0)

    def _annotations(self, fields: Fields, cable: Cable) -> None:
        """Read the annotations of an export of the twin; they go before the rounded attributes."""
        rate_gbps = fields.number("capacity_gbps", 1e-9, MAX_CAPACITY_GBPS)
        n_parallel = fields.number("n_parallel", 1, 1_000_000)
        weight, latency_us = fields.number("weight", 1e-12, MAX_WEIGHT), fields.number("latency_us", 0, MAX_LATENCY_US)
        cable.capacity_gbps = cable.capacity_gbps if rate_gbps is None else rate_gbps
        cable.n_parallel = cable.n_parallel if n_parallel is None else int(n_parallel)
        cable.weight = cable.weight if weight is None else weight
        cable.latency_us = cable.latency_us if latency_us is None else latency_us
        cable.length_km = fields.number("length_km", 0, 20_000)
        cable.n_failed = int(fields.number("n_failed", 0, 10_000_000) or 0)
        cable.srlgs = fields.texts("srlgs") or cable.srlgs
        cable.tags = fields.texts("tags")
        cable.display_name = fields.text("display_name") or cable.display_name
