"""Spans of imported links: lengths that are stated, those that follow from positions, and those that are unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .cabling import Cable, Cabling
from .ledger import Ledger
from .naming import display_name
from .options import ImportOptions
from .places import OWN_PLACE, Buildings, straight_km_between
from .trace import Path, path_text

MIN_SPAN_KM = 1e-6
MAX_SPAN_KM = 20_000.0
FIBRE_ASSUMED = ("attenuation of fibre", "that of G.652.D", "the source states no loss", "measurements")
PATCH_ASSUMED = ("length of a patch cable", "0 km", "the source states none; the circuit beside it has a length", "")
INDOOR_ASSUMED = ("length of a cable at one site", "0 km", "the source states none", "")
BUILDING_ASSUMED = (
    "length of a cable in one building",
    "0 km",
    "the source states none; copper, multimode or short cables join its ends",
    "length",
)
PLACE_ASSUMED = (
    "site of a device",
    "one for each building",
    "the source states none; indoor cables join a building",
    "--site",
)
GRADE_ASSUMED = ("grade of multimode fibre", "OM3", "the source states none", "fibre of the spans")
COPPER = "copper-cable"
MAX_PAIRS = 10_000


class SpanMaker:
    """Makes the spans of links, and counts the links without a length."""

    def __init__(self, cabling: Cabling, options: ImportOptions, ledger: Ledger) -> None:
        self.cabling, self.options, self.ledger = cabling, options, ledger
        self._buildings = Buildings(cabling)
        self.n_without_length = 0
        self.n_assumed_length = 0

    def fields_of(self, paths: Sequence[Path]) -> dict[str, Any]:
        """Return the spans of a link, and their fibre pairs; nothing where the length is unknown."""
        cable = next(paths[0].cables)
        if cable.is_line and len(paths) == len(paths[0].stretches) == 1:
            return {"spans": list(cable.spans)}
        lengths = [self._length_km(path) for path in paths]
        known = [length for length in lengths if length is not None]
        if not known:
            return self._without_length(paths[0])
        if max(known) - min(known) > 1e-9 or len(known) < len(lengths):
            problem = "members of one bundle have different lengths; the longest is used"
            self.ledger.finding("different lengths", problem, "", path_text(self.cabling, paths[0]))
        if max(known) == 0:
            return {}  # a stated 0 km is a patch cable, which has no fibre span
        path = paths[max(range(len(lengths)), key=lambda i: lengths[i] or 0.0)]
        has_circuit = any(stretch.circuit is not None for stretch in path.stretches)
        spans = self._span_records(path)
        single_mode = has_circuit or all(cable.medium == "fibre" for cable in path.cables)
        if single_mode and any("measured_loss_db" not in span for span in spans):
            self.ledger.assumed(*FIBRE_ASSUMED, path_text(self.cabling, path))
        pairs = {"n_fibre_pairs": min(len(paths), MAX_PAIRS)} if len(paths) > 1 else {}
        return {"spans": spans, **pairs}

    def _span_records(self, path: Path) -> list[dict[str, Any]]:
        spans: list[dict[str, Any]] = []
        for stretch in path.stretches:
            if stretch.circuit is None:
                record: Any = stretch.cable
            else:
                record = self.cabling.devices[stretch.circuit]
            length_km = record.length_km
            fibre = self._fibre(record, path) if stretch.circuit is None else ""
            if length_km is None:
                self.ledger.assumed(*PATCH_ASSUMED, path_text(self.cabling, path))
            stated = stretch.cable.spans if stretch.cable is not None else ()
            found: list[dict[str, Any]] = [dict(span) for span in self._turned(stated, path)]
            found = found or [{"length_km": max(length_km or 0.0, MIN_SPAN_KM)} | ({"fibre": fibre} if fibre else {})]
            if stretch.n_connectors:
                found[-1]["n_connectors"] = stretch.n_connectors
            for span in found:
                if record.name:
                    span.setdefault("name", display_name(record.name))
                if record.source is not None:
                    span.setdefault("source", record.source)
            spans += found
        return spans

    def _fibre(self, cable: Cable, path: Path) -> str:
        """Return the catalogue id of a cable's fibre; empty for single mode, which is the default of a span."""
        if cable.fibre or cable.medium == "fibre":
            return cable.fibre
        if cable.medium == "copper":
            return COPPER
        self.ledger.assumed(*GRADE_ASSUMED, path_text(self.cabling, path))
        return GRADE_ASSUMED[1]

    def _turned(self, spans: Sequence[dict[str, Any]], path: Path) -> Sequence[dict[str, Any]]:
        """Return stated spans in the order of the path, of which the first cable tells the direction."""
        first = next(iter(path.cables))
        return spans[::-1] if first.ends[0] != path.ends[0] else spans

    def _length_km(self, path: Path) -> float | None:
        """Return the length of a path; None if a circuit, or all of its cables, state none."""
        circuits = [self.cabling.devices[s.circuit].length_km for s in path.stretches if s.circuit is not None]
        cables = [cable.length_km for cable in path.cables]
        if any(length is None for length in circuits or cables):
            return None
        return sum(length or 0.0 for length in (*circuits, *cables))

    def _without_length(self, path: Path) -> dict[str, Any]:
        """Return the spans of a link whose length is not stated; latency is known all the same where it is stated."""
        n = 0 if next(iter(path.cables)).latency_us is not None else 1
        places = [self.cabling.devices[end.device].place for end in path.ends]
        where = path_text(self.cabling, path)
        has_circuit = any(stretch.circuit is not None for stretch in path.stretches)
        if places[0] is not None and places[0] == places[1] and not has_circuit:
            self.n_assumed_length += n
            self.ledger.assumed(*INDOOR_ASSUMED, where)
            return {}
        if not has_circuit and self._is_in_one_building(path):
            self.n_assumed_length += n
            self.ledger.assumed(*BUILDING_ASSUMED, where)
            return {}
        straight_km = straight_km_between(*(self.cabling.places[p] if p is not None else None for p in places))
        factor = self.options.length_factor
        if straight_km is None or (has_circuit and places[0] == places[1]):
            self.n_without_length += n
            hint = "state lengths, positions, or --site for devices of one building"
            problem = "latency and loss have no value" if n else "loss has no value; latency is stated"
            if n and any(place is None or place.startswith(OWN_PLACE) for place in places):
                problem += "; devices without a site get one each"
            self.ledger.finding("missing length", problem, hint, where)
            return self._unknown_length(path)
        self.n_assumed_length += n
        why = "the source states positions and no length"
        if factor is None:
            self.ledger.assumed("length of a link", "great circle x the model's ratio", why, "--length-factor", where)
            return {}
        self.ledger.assumed("length of a link", f"great circle x {factor:g}", why, "--length-factor", where)
        return {"spans": [{"length_km": min(max(straight_km * factor, MIN_SPAN_KM), MAX_SPAN_KM)}]}

    def _unknown_length(self, path: Path) -> dict[str, Any]:
        """Return nothing; give devices without a place one by building, so that the length is not taken as 0."""
        for end in path.ends:
            if self.cabling.devices[end.device].place is None:
                self._settle_place(end.device)
        return {}

    def _is_in_one_building(self, path: Path) -> bool:
        a, b = (end.device for end in path.ends)
        devices = self.cabling.devices
        if not self._buildings.is_one(a, b):
            return False
        if devices[a].place != devices[b].place:
            self._settle_place(a)
        return devices[a].place == devices[b].place

    def _settle_place(self, key: str) -> None:
        settled = self._buildings.settle_place(key)
        for device in settled if len(settled) > 1 else ():  # alone, it assumes nothing: the length stays unknown
            self.ledger.assumed(*PLACE_ASSUMED, device.name)
