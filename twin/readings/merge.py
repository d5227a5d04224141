"""Measurements from readings: their link, span, lane and direction, checked by the rules of documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from ..catalogue import Catalogue
from ..errors import Issue
from ..errors.wording import quoted
from ..imports.ledger import Ledger
from ..model.document import TopologyDocument
from ..model.identity import Source
from ..model.measurement_rules import issues_of
from ..model.measurements import (
    BOTH_DIRECTIONS,
    READINGS,
    Direction,
    MeasuredPlace,
    Measurement,
    all_measurements,
    measurement_key,
)
from ..model.records import Link
from .found import Found
from .options import ReadingOptions
from .places import Place, Places, Unknown
from .plausibility import plausible

WINDOWS_NM = {True: (1290.0, 1330.0), False: (1525.0, 1575.0)}
"""Wavelengths whose loss the model states: 1310 nm for direct detection, else 1550 nm."""
LENGTH_RATIO, LENGTH_KM = 0.02, 0.05
"""Difference of a measured length from that of the span that is a finding: the larger of a share and a length."""
KINDS = {"at": "wrong day", "span": "no such span", "lane": "no such lane"}
"""Kinds of findings by the field that a rule complains about; others are out of range."""


@dataclass
class Merger:
    """Makes measurements of readings."""

    document: TopologyDocument
    links: Sequence[Link]
    places: Places
    catalogue: Catalogue
    as_of: date
    ledger: Ledger
    options: ReadingOptions
    made: dict[tuple[object, ...], Measurement] = field(default_factory=dict)
    """Measurements by place, quantity, direction and day."""
    _devices: dict[tuple[object, ...], tuple[str, str]] = field(default_factory=dict)

    def merge(self, readings: Sequence[Found]) -> tuple[Measurement, ...]:
        """Return the measurements of readings, in the order of documents."""
        known = {_key(m): m for m in self.document.measurements}
        older = {(m.of, m.quantity) for m in all_measurements((), self.links, self.as_of)}
        for reading in sorted(readings, key=_preference):
            m = self._measurement(reading)
            if m is None:
                continue
            key = _key(m)
            if key in known:
                self._finding("already stated", "the document has this reading; left out", "", reading)
            elif m.is_used and (m.of, m.quantity) in older:
                hint = "remove measured_loss_db or measured_received_dbm, its older form"
                self._finding("already stated", "an older field of the record states one; left out", hint, reading)
            elif key in self.made:
                self._twice(key, reading)
            else:
                self.made[key] = m
                self._devices[key] = (reading.thing.device, reading.thing.port)
        return tuple(sorted(self.made.values(), key=measurement_key))

    def _twice(self, key: tuple[object, ...], reading: Found) -> None:
        """Report a second reading of a thing on a day: of the other end, or of the same one."""
        if reading.thing.port and self._devices[key] != (reading.thing.device, reading.thing.port):
            effect = "the other end or port states the same thing; the sender's reading, else the first, is kept"
            self.ledger.dropped(reading.quantity, effect, reading.where)
        else:
            self._finding("read twice", "several readings of one thing on a day; the first is kept", "", reading)

    def _measurement(self, reading: Found) -> Measurement | None:
        place = self.places.find(reading.thing)
        if isinstance(place, Unknown):
            name = quoted(reading.thing.name)
            self.ledger.finding(place.kind, place.problem, place.hint, f"{reading.where}: {name}")
            return None
        of = self._of(place, reading)
        if of is None or not self._fits(place.link, of, reading):
            return None
        at = reading.at or self.options.at
        if at is None:
            at = self.as_of
            why, text = "the file states no day", at.isoformat()
            self.ledger.assumed("day of a reading", text, why, "--at", reading.where)
        if not self._is_plausible(place.link, of, reading):
            return None
        value = {READINGS[reading.quantity].field: reading.value}
        m = Measurement(
            of, reading.quantity, at, self._direction(place, reading), source=Source(**reading.source), **value
        )
        issues = list(issues_of(m, place.link, self.as_of))
        for issue in issues[:1]:
            kind, hint = _kind(issue)
            self.ledger.finding(kind, f"{issue.problem}; left out"[:200], hint, reading.where)
        return None if issues else m

    def _of(self, place: Place, reading: Found) -> MeasuredPlace | None:
        """Return the place in the document: the span where one is needed, the lane among those of all members."""
        link, thing = place.link, reading.thing
        span = thing.span if place.span is None else place.span
        if span is None and reading.quantity in ("span_loss", "amplifier_gain"):
            named = [i for i, each in enumerate(link.spans) if each.name and each.name in thing.names]
            candidates = named or list(range(len(link.spans)))
            if len(candidates) != 1:
                problem = f"the link has {len(link.spans)} spans, and the file names none; left out"
                self._finding("which span", problem, "--map NAME=LINK#SPAN", reading)
                return None
            span = candidates[0]
        lane = thing.lane
        if place.member is not None:
            lane = place.member * thing.n_lanes + (lane or 0)
        return MeasuredPlace(link.id, span, lane)

    def _direction(self, place: Place, reading: Found) -> Direction | None:
        """Return the direction: as stated, else that of what goes into or out of the port."""
        thing, link = reading.thing, place.link
        if thing.stated_direction:
            stated = self.places.direction_of(link, thing.stated_direction)
            if stated is not None:
                return stated
        side = place.side
        if side is None and thing.device:
            side = self.places.side_of(link, thing.device)
        if reading.quantity == "span_loss":
            return None if side is None else BOTH_DIRECTIONS[side]
        if side is None or not thing.way:
            return None
        return BOTH_DIRECTIONS[side if thing.way == "out" else 1 - side]

    def _fits(self, link: Link, of: MeasuredPlace, reading: Found) -> bool:
        """Return whether the wavelength is that of the model; a length that differs is a finding only."""
        if reading.wavelength_nm is not None:
            is_direct = link.transceiver is not None and self.catalogue.get(link.transceiver).optics == "direct_detect"
            low_nm, high_nm = WINDOWS_NM[is_direct]
            if not low_nm <= reading.wavelength_nm <= high_nm:
                problem = f"loss at {reading.wavelength_nm:g} nm, the model's is at {1310 if is_direct else 1550} nm"
                self._finding("wrong wavelength", f"{problem}; left out", "measure at that wavelength", reading)
                return False
        if reading.length_km is not None and of.span is not None and of.span < len(link.spans):
            stated_km = link.spans[of.span].length_km
            if abs(reading.length_km - stated_km) > max(LENGTH_RATIO * stated_km, LENGTH_KM):
                problem = f"{reading.length_km:.4g} km, the document says {stated_km:g} km"
                self._finding("length differs", problem, "check length_km of the span", reading)
        return True

    def _is_plausible(self, link: Link, of: MeasuredPlace, reading: Found) -> bool:
        if of.span is not None and of.span >= len(link.spans):
            return True  # refused by the rules of documents
        low, high, why = plausible(reading.quantity, link, of, self.catalogue)
        # comparing the negation lets no NaN pass
        if low <= reading.value <= high:
            return True
        unit = READINGS[reading.quantity].unit
        problem = f"{reading.quantity} beyond {low:.4g} to {high:.4g} {unit} {why}; left out"
        hint = "check unit and place; a document may state it by hand"
        self.ledger.finding("implausible", problem, hint, f"{reading.where}: {reading.value:.6g} {unit}")
        return False

    def _finding(self, kind: str, problem: str, hint: str, reading: Found) -> None:
        self.ledger.finding(kind, problem, hint, f"{reading.where}: {reading.thing.name}")


def _key(m: Measurement) -> tuple[object, ...]:
    return m.of, m.quantity, m.direction, m.at


def _preference(reading: Found) -> bool:
    """Return the order of readings: of one rate the sender's counts, since the receiver sees it after losses."""
    return reading.quantity == "interface_rate" and reading.thing.way == "in"


def _kind(issue: Issue) -> tuple[str, str]:
    """Return kind and hint of a finding from a fault of the rules."""
    kind = KINDS.get(issue.where.rpartition(".")[2], "out of range")
    hint = "--as-of DAY brings the network to that day" if "lies after as_of" in issue.problem else issue.hint
    return kind, hint


def days_of(readings: Sequence[Found]) -> Iterator[date]:
    """Yield the stated days of readings."""
    yield from (reading.at for reading in readings if reading.at is not None)
