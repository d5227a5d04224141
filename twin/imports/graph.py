"""Nodes and edges with attributes, shared by the formats that hold a graph: GraphML, node-link, topohub."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .cabling import Cable, Cabling, Device, End
from .demands import read_demand
from .directions import with_reverse
from .fields import Fields, unknown_end
from .files import records_of
from .ledger import Ledger
from .opposites import Opposites
from .options import MAX_CAPACITY_GBPS, ImportOptions
from .places import place_at
from .quantities import KM_OF, Bundle, bundle_in, finite, length_km

LABELS = ("label", "name", "Label", "Name")
ROLES = ("kind", "role", "type", "device_type", "tier", "layer")
LATITUDES = ("Latitude", "latitude", "lat", "latitude_deg")
LONGITUDES = ("Longitude", "longitude", "lon", "lng", "long", "longitude_deg")
RATES: tuple[tuple[str, str, float], ...] = (
    ("capacity_gbps", "", 1.0),
    ("bandwidth_gbps", "", 1.0),
    ("speed_gbps", "", 1.0),
    ("LinkSpeedRaw", "b/s → Gb/s", 1e-9),
    ("capacity_mbps", "Mb/s → Gb/s", 1e-3),
    ("capacity_bps", "b/s → Gb/s", 1e-9),
)
"""Attributes of a rate whose unit their name or their format states: name, conversion, factor."""
RATE_TEXTS = ("LinkLabel", "capacity", "bandwidth", "speed", "label")
"""Attributes of a rate that count only as a text with a unit, such as `2x10G`."""
LENGTHS: tuple[tuple[str, str], ...] = (
    ("length_km", "km"),
    ("distance_km", "km"),
    ("dist_km", "km"),
    ("length_m", "m"),
    ("distance_m", "m"),
)
RISKS = ("srlgs", "srlg", "SRLG", "SRLGs", "risk_groups")
LENGTH_TEXTS = ("length", "distance", "dist")
UNIT_UNKNOWN = "its unit is not stated: the rate or length of the link; rename it with its unit, such as capacity_gbps"
DRAWING = "drawing"
"""Attribute of what a file says only of its picture."""
DRAWN = {DRAWING: "picture of the network"}
EDGE_EFFECTS = dict.fromkeys((*RATE_TEXTS[:-1], *LENGTH_TEXTS), UNIT_UNKNOWN) | DRAWN
HYPEREDGE = "hyperedge"


class GraphReader:
    """Reads the nodes and edges of one graph."""

    def __init__(self, file: str, cabling: Cabling, ledger: Ledger, options: ImportOptions, *, directed: bool) -> None:
        """Start to read a graph.

        Args:
            file: name of the file, for `source`.
            cabling: what is filled.
            ledger: counts of the import.
            options: what the user states.
            directed: whether an edge is one direction; opposite edges are then one link.
        """
        self.file, self.cabling, self.ledger, self.options = file, cabling, ledger, options
        self.directed = directed
        self._opposites = Opposites(cabling, ledger)
        self.geographic = False
        """True where `pos` of nodes is a position in degrees; elsewhere it is one of a drawing."""

    def node(self, key: str, attributes: Mapping[str, Any], place: str) -> None:
        """Add a node; a second one of the same key is a finding."""
        if key in self.cabling.devices:
            self.ledger.finding("duplicate id", "only the first node of an id is used", "make ids unique", place)
            return
        fields = Fields(attributes, "nodes", place, self.ledger)
        name = fields.text(*LABELS) or key
        fields.skip(*(label for label in LABELS if attributes.get(label) == name), "id")
        role = fields.text(*ROLES)
        device = Device(key, name, role=role, source=fields.source(self.file, key))
        if str(fields.raw(HYPEREDGE) or "").lower() in ("1", "true"):
            device.kind = "switch"
            self.ledger.assumed("kind of a hyperedge node", "switch", "it joins several links", "", name)
        device.place = self._place(fields, key, name)
        device.tags = fields.texts("tags")
        device.display_name = fields.text("display_name")
        device.up = fields.flag("up") is not False
        device.forwards = fields.flag("forwards")
        fields.close(dict.fromkeys(("pos", "x", "y"), "position in a drawing, not in degrees") | DRAWN)
        self.cabling.devices[key] = device

    def _place(self, fields: Fields, key: str, name: str) -> str | None:
        site = fields.text("site")
        pos = fields.raw("pos") if self.geographic else None
        latitude = longitude = None
        if isinstance(pos, list | tuple) and len(pos) == 2:
            longitude, latitude = (finite(value) for value in pos)
            fields.count("pos", "[longitude, latitude] → two fields")
        else:
            for names in (LATITUDES, LONGITUDES):
                found = next((n for n in names if fields.record.get(n) is not None), None)
                limit = 90 if names is LATITUDES else 180
                value = fields.number(found, -limit, limit) if found else None
                latitude, longitude = (value, longitude) if names is LATITUDES else (latitude, value)
        if latitude is not None and longitude is not None:
            if abs(latitude) <= 90 and abs(longitude) <= 180:
                return place_at(self.cabling, f"site {site or key}", site or name, latitude, longitude)
            fields.bad("pos", f"{longitude}, {latitude}", "degrees")
        return place_at(self.cabling, f"site {site}", site, None, None) if site else None

    def edge(self, source: str, target: str, attributes: Mapping[str, Any], place: str, key: str = "") -> None:
        """Add an edge; ends that are no nodes are a finding."""
        for end in (source, target):
            if end not in self.cabling.devices:
                unknown_end(self.ledger, place, end)
                return
        fields = Fields(attributes, "links", place, self.ledger)
        fields.skip("source", "target", "key")
        rate = self._rate(fields)
        name = fields.text("id", "name", "label") if isinstance(attributes.get("id"), str) else fields.text("name")
        cable = Cable(
            key or f"{source}~{target} {place}",
            (End(source), End(target)),
            length_km=self._length_km(fields),
            capacity_gbps=rate.capacity_gbps if rate else None,
            n_parallel=rate.n_parallel if rate else 1,
            name=name,
            source=fields.source(self.file, key),
        )
        self._directions(fields, cable)
        cable.display_name = fields.text("display_name")
        cable.srlgs, cable.tags = fields.texts(*RISKS), fields.texts("tags")
        if name != attributes.get("label") and not fields.is_read("label"):
            label = fields.text("label")
            cable.tags += (label,) if label and label not in cable.tags else ()
        cable.up = fields.flag("up") is not False
        cable.n_failed = int(fields.number("n_failed", 0, 10_000_000) or 0)
        n = fields.number("n_parallel", 1, 1_000_000)
        cable.n_parallel = int(n) if n is not None else cable.n_parallel
        cable.ends = (End(source, fields.text("source_port")), End(target, fields.text("target_port")))
        fields.close(EDGE_EFFECTS)
        if self.directed:
            self._opposites.add(cable)
        else:
            self.cabling.cables.append(cable)

    def _directions(self, fields: Fields, cable: Cable) -> None:
        """Read weight, latency, and the values of the way back from target to source, where they differ."""
        weight, back = (fields.number(name, 1e-12, 1e9) for name in ("weight", "reverse_weight"))
        cable.weight = with_reverse(weight, back, "weight", self.ledger, fields.place)
        stated_us, back_us = (fields.number(name, 0, 1e9) for name in ("latency_us", "reverse_latency_us"))
        cable.latency_us = with_reverse(stated_us, back_us, "latency", self.ledger, fields.place)
        back_gbps = fields.number("reverse_capacity_gbps", 1e-9, MAX_CAPACITY_GBPS)
        stated_gbps = cable.capacity_gbps if isinstance(cable.capacity_gbps, float) else None
        cable.capacity_gbps = with_reverse(stated_gbps, back_gbps, "rate", self.ledger, fields.place)

    def demands(self, value: object, where: str) -> None:
        """Read demands of the graph: a list of records with source, target and offered_gbps."""
        for i, record in enumerate(records_of(value, where)):
            self.demand(record, f"demands[{i}]")

    def demand(self, record: Mapping[str, Any], place: str) -> None:
        """Add a demand; an unknown end or a bad amount is a finding."""
        read_demand(Fields(record, "demands", place, self.ledger), self.file, self.cabling)

    def finish(self) -> None:
        """Join directed edges with their opposite ones."""
        self.cabling.cables += (cable for cable, _ in self._opposites.links())

    def _rate(self, fields: Fields) -> Bundle | None:
        for name, conversion, factor in RATES:
            if fields.record.get(name) not in (None, "", 0):
                value = fields.number(name, 1e-9, MAX_CAPACITY_GBPS, conversion, factor)
                if value is not None:
                    return Bundle(1, value)
        for name in RATE_TEXTS:
            value_text = fields.record.get(name)
            bundle = bundle_in(value_text) if isinstance(value_text, str) else None
            if bundle is not None and 1e-9 <= bundle.capacity_gbps <= MAX_CAPACITY_GBPS:
                fields.raw(name)
                fields.count(name, "text with a unit → Gb/s")
                return bundle
        return None

    def _length_km(self, fields: Fields) -> float | None:
        for name, unit in LENGTHS:
            if fields.record.get(name) not in (None, ""):
                factor = KM_OF[unit]
                return fields.number(name, 0, 20_000, "" if unit == "km" else f"{unit} → km", factor)
        for name in LENGTH_TEXTS:
            text = fields.record.get(name)
            km = length_km(text) if isinstance(text, str) else None
            if km is not None and km <= 20_000:
                fields.raw(name)
                fields.count(name, "text with a unit → km")
                return km
        return None
