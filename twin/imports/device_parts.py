"""Parts of devices by the names of their models: those of the user first, then those of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable

from ..catalogue import Part, catalogue
from ..model.records import FORWARDING_KINDS
from .cabling import Cabling, Device
from .ledger import Ledger
from .options import ImportOptions

NO_PART = "ports, latency, power and price of the device; a part with this model as alias names them (--parts)"
NOT_A_SWITCH = "ports and power of the device; only switches have parts"


class DeviceParts:
    """Finds the parts of devices, and keeps the own parts that are used."""

    def __init__(self, options: ImportOptions) -> None:
        self._by_name: dict[str, Part] = {}
        self._own = {part.id for part in options.parts}
        self._used: dict[str, Part] = {}
        for part in (*options.parts, *catalogue().parts("switch")):
            for name in (part.id, *part.aliases) if part.kind == "switch" else ():
                self._by_name.setdefault(name.casefold(), part)

    @property
    def own_parts(self) -> tuple[Part, ...]:
        """Own parts that devices name, by id; the document holds them."""
        return tuple(self._used[part_id] for part_id in sorted(self._used))

    def settle(self, cabling: Cabling, ledger: Ledger) -> dict[str, str]:
        """Return the part id of each device that has one, by key of the device."""
        found: dict[str, str] = {}
        for key, device in cabling.devices.items():
            if not device.models:
                continue
            part = self._part(device.models)
            if part is None:
                ledger.dropped("model of a device", NO_PART, _place(device))
            elif device.kind not in FORWARDING_KINDS:
                ledger.dropped("model of a device", NOT_A_SWITCH, _place(device))
            else:
                ledger.converted("model of a device", f"part {part.id}")
                found[key] = part.id
                if part.id in self._own:
                    self._used[part.id] = part
        return found

    def _part(self, names: Iterable[str]) -> Part | None:
        return next((part for name in names if (part := self._by_name.get(name.casefold())) is not None), None)


def _place(device: Device) -> str:
    return f"{device.name}: {device.models[0]}"
