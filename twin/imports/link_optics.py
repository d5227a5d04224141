"""Transceivers of links, by the names of their models at both ends: set only where both ends and the rate agree."""

from __future__ import annotations

from ..catalogue import Part
from .cabling import Cabling, End
from .device_parts import DeviceParts
from .ledger import Ledger

NOT_KNOWN = "reach, power and price of the optics; a transceiver with this model as alias names them (--parts)"
CAGE_ONLY = "form factor of a port: it limits which transceivers fit; their reach and power stay unknown"
OTHER_END = ("transceiver at the other end of a link", "the same", "the source names one end", "inventory items")


class LinkOptics:
    """Finds the transceiver of a link."""

    def __init__(self, cabling: Cabling, parts: DeviceParts, ledger: Ledger) -> None:
        self.cabling, self.parts, self.ledger = cabling, parts, ledger

    def transceiver(self, ports: list[tuple[End, End]], rate_gbps: object, place: str) -> str | None:
        """Return the id of the transceiver at all ports of a link; None, with a row of the report, if it is not clear.

        Args:
            ports: ends of each member.
            rate_gbps: rate of a member.
            place: place of the link, for messages.
        """
        found = [[self._part(end, place) for end in ends] for ends in ports]
        parts = {part.id: part for ends in found for part in ends if part is not None}
        if not parts:
            return None
        if len(parts) > 1:
            problem = f"different transceivers on one link: {', '.join(sorted(parts))}; none is set"
            self.ledger.finding("different transceivers", problem, "check both ends", place)
            return None
        (part,) = parts.values()
        if rate_gbps != part.value("rate_gbps"):
            problem = f"{part.id} is of another rate than its link; it is not set"
            self.ledger.finding("transceiver of another rate", problem, "check speed and model", place)
            return None
        if any(None in ends for ends in found):
            self.ledger.assumed(*OTHER_END, place)
        self.ledger.converted("model of a transceiver", f"part {part.id}")
        self.parts.used(part)
        return part.id

    def _part(self, end: End, place: str) -> Part | None:
        interface = self.cabling.interfaces.get(end)
        if interface is None:
            return None
        if not interface.optic:
            if interface.cages:
                self.ledger.dropped("interfaces.type", CAGE_ONLY, place)
            return None
        part = self.parts.find(interface.optic, "transceiver")
        if part is None:
            self.ledger.dropped("model of a transceiver", NOT_KNOWN, f"{place}: {interface.optic[0]}")
        elif interface.cages and part.form_factor and part.form_factor not in interface.cages:
            problem = f"{part.id} is {part.form_factor}, its port takes {', '.join(interface.cages)}; it is not set"
            self.ledger.finding("wrong cage", problem, "check the model and the type of the port", place)
            return None
        return part
