"""Parts of devices by the names of their models: those of the user first, then those of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable

from ..catalogue import Kind, Part, catalogue
from ..model.records import FORWARDING_KINDS
from .cabling import Cabling, Device
from .ledger import Ledger
from .options import ImportOptions

NAMED: tuple[Kind, ...] = ("switch", "server", "card", "transceiver")
"""Kinds of parts that imports find by the names of models."""
NO_PART = "ports, latency, power and price of the device; a part with this model as alias names them (--parts)"
NO_SERVER = "ports, power and price of the device; a server with this model as alias names them (--parts)"
NO_CARD = "ports, power and price of the card; a part with this model as alias names them (--parts)"


class DeviceParts:
    """Finds parts by names of models, and keeps the own parts that are used."""

    def __init__(self, options: ImportOptions) -> None:
        self._by_name: dict[tuple[str, str], Part] = {}
        self._own = {part.id: part for part in options.parts}
        self._used: dict[str, Part] = {}
        for part in (*options.parts, *catalogue().parts()):
            for name in (part.id, *part.aliases) if part.kind in NAMED else ():
                self._by_name.setdefault((part.kind, name.casefold()), part)

    @property
    def own_parts(self) -> tuple[Part, ...]:
        """Own parts that devices name, by id; the document holds them."""
        return tuple(self._used[part_id] for part_id in sorted(self._used))

    def find(self, names: Iterable[str], *kinds: Kind) -> Part | None:
        """Return the part of the first name that is known among these kinds."""
        keys = ((kind, name.casefold()) for name in names for kind in kinds)
        return next((part for key in keys if (part := self._by_name.get(key)) is not None), None)

    def used(self, part: Part) -> None:
        """Keep an own part, with the card of an own server, for the document."""
        for part_id in (part.id, part.card or "", part.fec or ""):
            if part_id in self._own:
                self._used[part_id] = self._own[part_id]

    def settle(self, cabling: Cabling, ledger: Ledger) -> dict[str, str]:
        """Return the part id of each device that has one, by key of the device.

        A switch has a part by its model; another device is a server by its model, else it has the part of its cards.
        """
        found: dict[str, str] = {}
        for key, device in cabling.devices.items():
            part = self._part_of(device, ledger)
            if part is not None:
                found[key] = part.id
                self.used(part)
        return found

    def _part_of(self, device: Device, ledger: Ledger) -> Part | None:
        forwards = device.kind in FORWARDING_KINDS
        part = self.find(device.models, "switch" if forwards else "server")
        if part is not None:
            ledger.converted("model of a device", f"part {part.id}")
        elif device.models:
            ledger.dropped(
                "model of a device", NO_PART if forwards else NO_SERVER, f"{device.name}: {device.models[0]}"
            )
        cards = [self.find(names, "card") for names in device.cards] if not forwards and part is None else []
        if not cards:
            return part
        kinds = {card.id: card for card in cards if card is not None}
        if len(kinds) != 1 or None in cards:
            ledger.dropped("model of a card", NO_CARD, f"{device.name}: {device.cards[0][0]}")
            return None
        (card,) = kinds.values()
        device.n_cards = len(cards)
        ledger.converted("model of a card", f"part {card.id}")
        return card
