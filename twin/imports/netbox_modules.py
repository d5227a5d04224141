"""Modules and inventory items of NetBox: transceivers of interfaces, network cards of servers, line cards.

A transceiver is an inventory item whose component is an interface, or a module in a bay of the interface's name. A
module with interfaces of its own is a card.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .cabling import Cabling, End
from .fields import Fields, plain
from .ledger import Ledger
from .netbox_types import id_of, name_of, port_of

INTERFACE = "dcim.interface"
MODULE_EFFECTS = {"serial": "identity of the module", "asset_tag": "identity of the module", "status": "up or down"}
ITEM_EFFECTS = {"serial": "identity of the item", "asset_tag": "identity of the item", "role": "kind of the item"}


class ModuleReader:
    """Collects modules and inventory items, and gives interfaces their transceivers and devices their cards."""

    def __init__(self, cabling: Cabling, ledger: Ledger) -> None:
        self.cabling, self.ledger = cabling, ledger
        self._of_module: dict[int, tuple[str, str, tuple[str, ...]]] = {}
        """Id of a module -> device, name of its bay, names of its model."""
        self._of_interface: dict[int, tuple[str, ...]] = {}
        """Id of an interface -> names of the model of its transceiver."""
        self._in_bay: dict[End, tuple[str, ...]] = {}
        """Device and name of a bay -> names of the model of its module."""
        self._with_interfaces: set[int] = set()

    def module(self, fields: Fields, record_id: int, _file: str) -> None:
        """Keep a module: its device, its bay, and the names of its model."""
        device, bay = id_of(fields.raw("device")), plain(name_of(fields.raw("module_bay")))
        models = model_names(fields.raw("module_type"))
        fields.skip("status")
        fields.close(MODULE_EFFECTS)
        if device is not None and models:
            self._of_module[record_id] = (f"device {device}", bay, models)
            if bay:
                self._in_bay.setdefault(End(f"device {device}", bay), models)

    def inventory_item(self, fields: Fields, _record_id: int, _file: str) -> None:
        """Keep an inventory item that is the transceiver of an interface; others are reported."""
        kind, component = fields.raw("component_type"), id_of(fields.raw("component_id"))
        nested = fields.raw("component")
        interface = component if component is not None else id_of(nested)
        maker, part, name = name_of(fields.raw("manufacturer")), fields.raw("part_id"), fields.raw("name")
        fields.skip("device", "label", "discovered", "parent", "_depth", "status")
        fields.close(ITEM_EFFECTS)
        named = (part, f"{maker} {part}" if part else "", name)
        texts = [plain(text) for text in named if isinstance(text, str) and text]
        if kind != INTERFACE or interface is None:
            self.ledger.dropped("inventory-items", "content of a device that is no transceiver of a port", fields.place)
        elif texts:
            self._of_interface[interface] = tuple(dict.fromkeys(text.strip() for text in texts))

    def interface(self, record_id: int, end: End, fields: Fields, kind: str) -> tuple[str, ...]:
        """Return the names of the model of an interface's transceiver; a type that names one counts too."""
        module = id_of(fields.raw("module"))
        if module is not None and module in self._of_module:
            self._with_interfaces.add(module)
        models = self._of_interface.get(record_id) or self._in_bay.get(end, ())
        if models:
            self.ledger.converted("inventory-items and modules", "transceivers of interfaces")
        elif port_of(kind) is None and kind and "-" in kind:
            models = (kind,)  # such as 100gbase-lr4; types with -x- name only a cage
        return models

    def finish(self) -> None:
        """Give devices the models of their cards: modules with interfaces."""
        for record_id in sorted(self._with_interfaces):
            key, _, models = self._of_module[record_id]
            device = self.cabling.devices.get(key)
            if device is not None:
                device.cards = (*device.cards, models)
                self.ledger.converted("modules", "cards of a device")
        bays = {(end.device, end.port) for end in self.cabling.interfaces}
        for record_id, (key, bay, models) in self._of_module.items():
            if record_id not in self._with_interfaces and (key, bay) not in bays:
                self.ledger.dropped("modules", "power supplies, fans, and modules without interfaces", models[0])


def model_names(kind: Any) -> tuple[str, ...]:
    """Return the names of a model: slug, part number, manufacturer and model, model."""
    return tuple(dict.fromkeys(_names(kind)))


def _names(kind: Any) -> Iterator[str]:
    maker = name_of(kind.get("manufacturer")) if isinstance(kind, Mapping) else ""
    slug, number, model = (name_of(kind, name) for name in ("slug", "part_number", "model"))
    for name in (slug, number if slug != number else "", f"{maker} {model}".strip(), model):
        if name:
            yield plain(name)
