"""Topology JSON of GNPy: ROADMs and transceivers as nodes, the elements between them as lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from .cabling import Cabling, Device
from .fields import Fields, plain, unknown_end
from .files import SourceFile, records_of
from .gnpy_figures import FIBRE_FIGURES, below
from .gnpy_lines import Amplifier, Element, Fibre, LinePair, LineTracer, Pass, paired
from .ledger import Ledger
from .places import place_at
from .quantities import KM_OF, finite
from .spans import MAX_SPAN_KM, MIN_SPAN_KM

TYPES = ("Roadm", "Transceiver", "Fiber", "RamanFiber", "Edfa", "Multiband_amplifier", "Fused")
MAX_DB, MAX_DB_PER_KM = 100.0, 10.0
HINT = "expected elements and connections, as GNPy writes them"
RAMAN = "Raman amplification in the fibre"
EFFECTS = {
    "raman_pumps": RAMAN,
    "raman_coefficient": RAMAN,
    "raman_efficiency": RAMAN,
    "temperature": RAMAN,
    "gamma": "nonlinear noise; it follows from the effective area",
    "dispersion_slope": "dispersion far from 1550 nm",
    "dispersion_per_frequency": "dispersion by frequency",
    "n2": "nonlinear noise; it follows from the effective area",
    "design_bands": "channels that the line is designed for",
    "restrictions": "amplifiers that GNPy may choose",
    "per_degree_impairments": "noise and loss of a path through the ROADM, which is not modelled",
    "loss": "loss of a path through the ROADM, which is not modelled",
    "region": "name of a region; no answer uses it",
}
ROADM_POWERS = ("target_pch_out_db", "target_psd_out_mWperGHz", "target_out_mWperSlotWidth")


class TopologyReader:
    """Reads the elements of one topology."""

    def __init__(self, file: SourceFile, cabling: Cabling, ledger: Ledger) -> None:
        self.file, self.cabling, self.ledger = file, cabling, ledger
        self.elements: dict[str, Element] = {}
        self.terminals: dict[str, str] = {}
        """Key of each ROADM and transceiver -> its type."""
        self.arcs: dict[str, list[str]] = defaultdict(list)
        self.aliases: dict[str, str] = {}
        """Key of a transceiver at a ROADM -> the ROADM."""
        self.exported: dict[str, tuple[str, str, str]] = {}
        """Key of a transceiver that `twin export` wrote -> its node, link and part."""
        self.names: dict[str, list[str]] = {}
        """First element of a line -> name and transceiver of its link."""
        self.powers_dbm: dict[tuple[str, str], float] = {}
        """(ROADM, first element of a line or empty) -> power per channel at its output."""

    def read(self, topology: Mapping[str, Any]) -> list[LinePair]:
        """Add the nodes to the cabling, and return the lines between them.

        Raises:
            DocumentError: elements or connections that are no lists of objects.
        """
        where = self.file.where
        name = topology.get("network_name")
        if isinstance(name, str) and not self.cabling.name:
            self.cabling.name = plain(name)
        for i, record in enumerate(records_of(topology.get("elements"), f"{where}: elements", HINT)):
            self._element(record, f"elements[{i}]")
        for i, record in enumerate(records_of(topology.get("connections"), f"{where}: connections", HINT)):
            self._connection(record, f"connections[{i}]")
        for key in topology:
            if key not in ("elements", "connections", "network_name"):
                self.ledger.dropped(f"topology.{plain(key)[:80]}", "not in the document; no answer uses it", where)
        self._fold_transceivers()
        self._drop_drawn_positions()
        tracer = LineTracer(self.cabling.devices, self.elements, self.arcs, self.ledger)
        lines = [line._replace(name=self.names.get(line.elements[0].key, ("", ""))[0]) for line in tracer.lines()]
        return paired(lines, self.ledger)

    def _element(self, record: Mapping[str, Any], place: str) -> None:
        fields = Fields(record, "elements", place, self.ledger)
        key, kind = fields.text("uid"), fields.text("type").rpartition(":")[2]  # YANG may write the module before it
        if not key:
            self.ledger.finding("bad value", "an element without a uid is left out", "state its uid", place)
        elif key in self.elements or key in self.terminals:
            self.ledger.finding("duplicate id", "only the first element of a uid is used", "make uids unique", place)
        elif kind not in TYPES:
            hint = f"one of {', '.join(TYPES)}"
            self.ledger.finding("unknown type", "an element of unknown type is left out", hint, f"{place}: {kind}")
        elif kind in ("Roadm", "Transceiver"):
            self.terminals[key] = kind
            self._terminal(key, kind, fields)
        else:
            self.elements[key] = self._line_element(key, kind, fields)
        if kind in TYPES:
            fields.close({"metadata": "position of an element of a line"} | EFFECTS)

    def _terminal(self, key: str, kind: str, fields: Fields) -> None:
        node = self._exported_node(key, kind, fields)
        if node:
            self.aliases[key] = node
            if node in self.cabling.devices:
                fields.skip("metadata")
                return
            key = node
        device = Device(key, key, role=kind, source=fields.source(self.file.name, key))
        device.place = self._place(fields, key, device)
        if kind == "Roadm":
            params = self._inner(fields, "params", kind)
            for name in ROADM_POWERS[:1]:
                power = params.number(name, -60, 30)
                if power is not None:
                    self.powers_dbm[key, ""] = power
            for degree, value in _per_degree(params):
                power = finite(value)
                if power is not None and -60 <= power <= 30:
                    self.powers_dbm[key, plain(degree)] = power
                    params.count("per_degree_pch_out_db", "by element → launch power of the line")
            params.close(EFFECTS | dict.fromkeys(ROADM_POWERS, "launch power of its lines"))
            fields.drop("type_variety", "loss and noise of a path through the ROADM, which is not modelled")
        self.cabling.devices[key] = device

    def _exported_node(self, key: str, kind: str, fields: Fields) -> str:
        """Return the node of a transceiver of `twin export`, `trx NODE (LINK)` in region LINK; empty for others."""
        metadata = fields.record.get("metadata")
        location = metadata.get("location") if isinstance(metadata, dict) else None
        link = location.get("region") if isinstance(location, dict) else None
        if kind != "Transceiver" or not isinstance(link, str) or not link or not key.endswith(f" ({plain(link)})"):
            return ""
        node = key[: -len(plain(link)) - 3].removeprefix("trx ")
        if node:
            self.exported[key] = node, plain(link), fields.text("type_variety")
        return node

    def _place(self, fields: Fields, key: str, device: Device) -> str | None:
        metadata = fields.raw("metadata")
        record = metadata.get("location") if isinstance(metadata, dict) else None
        if not isinstance(record, dict):
            return None
        location = Fields(_stated(record), "location", fields.place, self.ledger)
        city = location.text("city")
        latitude = location.number("latitude", -90, 90)
        longitude = location.number("longitude", -180, 180)
        location.close(EFFECTS)
        device.display_name = city if city != key else ""
        if latitude is None or longitude is None:
            return place_at(self.cabling, f"city {city}", city, None, None) if city else None
        return place_at(self.cabling, f"city {city or key} {latitude} {longitude}", city or key, latitude, longitude)

    def _inner(self, fields: Fields, name: str, kind: str) -> Fields:
        """Return the fields of a nested object; anything else is a finding and counts as empty."""
        value = fields.raw(name)
        if value is not None and not isinstance(value, dict):
            fields.bad(name, value, "an object")
        return Fields(_stated(value), kind, fields.place, self.ledger)

    def _line_element(self, key: str, kind: str, fields: Fields) -> Element:
        fields.skip("metadata")
        if kind in ("Edfa", "Multiband_amplifier"):
            return self._amplifier(key, kind, fields)
        params = self._inner(fields, "params", kind)
        if kind == "Fused":
            loss_db = params.number("loss", 0, MAX_DB)
            params.close(EFFECTS)
            return Pass(key, loss_db or 0.0)
        fibre = self._fibre(key, fields, params)
        params.close(EFFECTS)
        if kind == "RamanFiber":
            fields.drop("operational", RAMAN)
        return fibre

    def _fibre(self, key: str, fields: Fields, params: Fields) -> Fibre:
        fibre = Fibre(key, self._length_km(params), fields.text("type_variety") or params.text("type_variety"))
        fibre.source = fields.source(self.file.name, key)
        fibre.loss_db_per_km = self._attenuation_db_per_km(params)
        con_in, con_out = params.number("con_in", 0, MAX_DB), params.number("con_out", 0, MAX_DB)
        att_in = params.number("att_in", 0, MAX_DB) or 0.0
        lumped_db = self._lumped_db(params)
        fibre.head_db = None if con_in is None and not att_in else (con_in or 0.0) + att_in
        fibre.tail_db = None if con_out is None and not lumped_db else (con_out or 0.0) + lumped_db
        for name, (figure, conversion, factor, low, high) in FIBRE_FIGURES.items():
            value = params.number(name, low, high, conversion, factor)
            if value is not None:
                fibre.figures[figure] = value
        return fibre

    def _length_km(self, params: Fields) -> float | None:
        unit = params.text("length_units")
        factor = KM_OF.get(unit) if unit in ("km", "m") else None
        if unit and factor is None:
            params.bad("length_units", unit, "km or m")
        if factor is None:
            self.ledger.assumed("unit of a length", "km", "length_units is not stated", "", params.place)
            factor = 1.0
        length_km = params.number("length", 0, MAX_SPAN_KM, "" if factor == 1 else "m → km", factor)
        return None if length_km is None else max(length_km, MIN_SPAN_KM)

    def _attenuation_db_per_km(self, params: Fields) -> float | None:
        stated = params.record.get("loss_coef")
        values: list[object] = []
        if isinstance(stated, dict):
            values = stated["value"] if isinstance(stated.get("value"), list) else []
        elif stated is None:
            listed = params.raw("loss_coef_per_frequency")
            rows = listed if isinstance(listed, list) else []
            values = [row.get("loss_coef_value") for row in rows if isinstance(row, dict)]
        else:
            return params.number("loss_coef", 0, MAX_DB_PER_KM)
        numbers = [number for value in values if (number := finite(value)) is not None and 0 <= number <= MAX_DB_PER_KM]
        if not numbers:
            return None
        params.skip("loss_coef")
        params.count("loss_coef", "by frequency → mean")
        return sum(numbers) / len(numbers)

    def _lumped_db(self, params: Fields) -> float:
        listed = params.raw("lumped_losses")
        total_db = 0.0
        for row in listed if isinstance(listed, list) else ():
            loss_db = finite(row.get("loss")) if isinstance(row, dict) else None
            if loss_db is None or not 0 <= loss_db <= MAX_DB:
                params.bad("lumped_losses", listed, "position and loss in dB")
                return 0.0
            total_db += loss_db
        if total_db:
            params.count("lumped_losses", "losses at positions → one loss of the span")
        return min(total_db, MAX_DB)

    def _amplifier(self, key: str, kind: str, fields: Fields) -> Amplifier:
        if kind == "Multiband_amplifier":
            listed = fields.raw("amplifiers")
            bands = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
            if not bands:
                return Amplifier(key, fields.text("type_variety"), source=fields.source(self.file.name, key))
            fields.drop("type_variety", "its first band is read alone")
            if bands[1:]:
                self.ledger.dropped(
                    "Multiband_amplifier.amplifiers", "bands beside the first", fields.place, len(bands) - 1
                )
            fields = Fields(bands[0], kind, fields.place, self.ledger)
        operational = self._inner(fields, "operational", "Edfa")
        amplifier = Amplifier(
            key,
            fields.text("type_variety"),
            gain_db=operational.number("gain_target", 0, MAX_DB),
            tilt_db=operational.number("tilt_target", -MAX_DB, MAX_DB),
            out_voa_db=operational.number("out_voa", 0, MAX_DB),
            in_voa_db=operational.number("in_voa", 0, MAX_DB),
            delta_db=operational.number("delta_p", -MAX_DB, MAX_DB),
            source=fields.source(self.file.name, key),
        )
        operational.close(EFFECTS)
        return amplifier

    def _connection(self, record: Mapping[str, Any], place: str) -> None:
        fields = Fields(record, "connections", place, self.ledger)
        ends = [fields.text("from_node", "source"), fields.text("to_node", "target")]
        fields.close()
        for end in ends:
            if end not in self.elements and end not in self.terminals:
                unknown_end(self.ledger, place, end)
                return
        if ends[0] in self.exported:
            _, *self.names[ends[1]] = self.exported[ends[0]]
        a, b = (self.exported[end][0] if end in self.exported else end for end in ends)
        self.arcs[a].append(b)

    def _fold_transceivers(self) -> None:
        """Make each transceiver at a ROADM a name of that ROADM; others stay terminals of lines."""
        into: dict[str, set[str]] = defaultdict(set)
        for source, targets in self.arcs.items():
            for target in targets:
                into[target].add(source)
        for key, kind in self.terminals.items():
            beside = {*self.arcs.get(key, ()), *into.get(key, ())}
            if kind == "Transceiver" and len(beside) == 1 and self.terminals.get(next(iter(beside))) == "Roadm":
                self.aliases[key] = next(iter(beside))
                del self.cabling.devices[key]
                self.ledger.converted("Transceiver", "part of the node of its ROADM")

    def _drop_drawn_positions(self) -> None:
        """Leave out positions that are all the same: they are placeholders."""
        places = [place for place in self.cabling.places.values() if place.latitude_deg is not None]
        if len(places) > 1 and len({(place.latitude_deg, place.longitude_deg) for place in places}) == 1:
            effect = "all elements have the same position, so it is none"
            self.ledger.dropped("location.latitude, longitude", effect, self.file.name, len(places))
            for place in places:
                place.latitude_deg = place.longitude_deg = None


def _per_degree(params: Fields) -> list[tuple[object, object]]:
    """Return the first element of each line of a ROADM and the power into it; YANG writes a list."""
    by_key, listed = params.raw("per_degree_pch_out_db"), params.raw("per_degree_power_targets")
    found: list[tuple[object, object]] = list(by_key.items()) if isinstance(by_key, dict) else []
    for row in listed if isinstance(listed, list) else ():
        if isinstance(row, dict):
            found.append((row.get("degree_uid"), row.get("per_degree_pch_out_db")))
    return found


def _stated(value: Any) -> dict[str, Any]:
    """Return the fields of an object that have a value; YANG writes `[null]` for none."""
    return {name: item for name, item in value.items() if item != [None]} if isinstance(value, dict) else {}


def topology_of(data: Any) -> Mapping[str, Any] | None:
    """Return the topology in the data of a file, also below its YANG name; None for anything else."""
    inner = below(data, "gnpy-network-topology:topology")
    return inner if inner is not None and "elements" in inner and "connections" in inner else None
