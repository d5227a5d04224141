"""Ports of panels, circuits and cables of NetBox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .cabling import Cable, Cabling, Device, End, Interface, Rear
from .fields import Fields, plain
from .ledger import Ledger
from .media import read_medium
from .netbox_types import UP_STATES, choice_of, id_of, name_of
from .options import MAX_CAPACITY_GBPS
from .quantities import KM_OF, finite

INTERFACE = "dcim.interface"
FRONT, REAR, TERMINATION = "dcim.frontport", "dcim.rearport", "circuits.circuittermination"
DATA_TYPES = frozenset({INTERFACE, FRONT, REAR, TERMINATION})
MAX_POSITIONS = 1024
MAX_BRANCHES = 64
CABLE_EFFECTS = {"color": "colour of the cable", "tenant": "owner of the cable", "custom_fields": "fields of your own"}


class CablingReader:
    """Reads ports, circuits and cables into one cabling."""

    def __init__(self, cabling: Cabling, ledger: Ledger) -> None:
        self.cabling, self.ledger = cabling, ledger
        self.ports: dict[tuple[str, int], End] = {}
        """(type of object, id) -> port."""
        self.has_interface: set[str] = set()
        self.rear_of_id: dict[int, End] = {}
        self.panels: set[str] = set()

    def provider_network(self, fields: Fields, record_id: int, file: str) -> None:
        """Add a network of a provider as a device: what is inside is unknown."""
        self._provider(record_id, fields.text("name"), fields.source(file, str(record_id)))
        fields.close()

    def _provider(self, record_id: int, name: str, source: dict[str, str] | None = None) -> str:
        key = f"provider network {record_id}"
        if key not in self.cabling.devices:
            device = Device(key, name or key, kind="switch", role="provider network", source=source)
            self.cabling.devices[key] = device
            problem = "the path inside is unknown: it is one switch, its length is that of the circuits"
            self.ledger.finding("provider network", problem, "model the path inside by hand", name or key)
        return key

    def circuit(self, fields: Fields, record_id: int, file: str) -> None:
        """Add a circuit: a signal path with a length and a rate."""
        name = fields.text("cid") or f"circuit {record_id}"
        device = Device(f"circuit {record_id}", name, kind="circuit", source=fields.source(file, str(record_id)))
        device.capacity_gbps = fields.number("commit_rate", 1e-9, MAX_CAPACITY_GBPS, "kb/s → Gb/s", 1e-6)
        device.length_km = self._length_km(fields, "distance", "distance_unit")
        device.up = choice_of(fields.raw("status")) in UP_STATES
        if fields.raw("status") is not None:
            fields.count("status", "up or down")
        fields.close({"provider": "owner of the circuit", "type": "kind of the circuit", "custom_fields": "your own"})
        self.cabling.devices[device.key] = device
        self.cabling.rear_of[End(device.key, "A")] = Rear(End(device.key, "Z"))

    def circuit_termination(self, fields: Fields, record_id: int, _file: str) -> None:
        """Add one end of a circuit; an end in a network of a provider is joined to it."""
        circuit = fields.raw("circuit")
        key, side = f"circuit {id_of(circuit)}", choice_of(fields.raw("term_side")) or "A"
        if key not in self.cabling.devices:
            name = plain(name_of(circuit, "cid")) or key
            self.cabling.devices[key] = Device(key, name, kind="circuit")
            self.cabling.rear_of[End(key, "A")] = Rear(End(key, "Z"))
            self.ledger.finding("missing record", "a circuit is not in the dump", "dump circuits too", name)
        end = End(key, side)
        self.ports[TERMINATION, record_id] = end
        fields.count("circuit")
        fields.count("term_side")
        network = fields.raw("provider_network")
        if choice_of(fields.raw("termination_type")) == "circuits.providernetwork":
            network = fields.raw("termination") or fields.raw("termination_id")
        network_id = id_of(network)
        if network_id is not None:
            provider = self._provider(network_id, plain(name_of(network)))
            ends = end, End(provider, f"{self.cabling.devices[key].name} {side}")
            self.cabling.cables.append(Cable(f"termination {record_id}", ends))
            self.cabling.interfaces[ends[1]] = Interface()
        fields.close({"port_speed": "rate at one end of the circuit", "site": "devices name their site"})

    def rear_port(self, fields: Fields, record_id: int, _file: str) -> None:
        """Add a rear port of a panel."""
        end = self._panel_port(fields, record_id)
        self.rear_of_id[record_id] = end
        self.ports[REAR, record_id] = end
        fields.skip("positions", "type", "cable", "front_ports")
        fields.close()

    def front_port(self, fields: Fields, record_id: int, _file: str) -> None:
        """Add a front port of a panel, and the rear port and position behind it."""
        end = self._panel_port(fields, record_id)
        self.ports[FRONT, record_id] = end
        mappings = fields.raw("rear_ports")
        behind: Any = mappings[0] if isinstance(mappings, list) and mappings else fields.record
        rear_id, position = None, 1
        if isinstance(behind, Mapping):
            rear_id, position = id_of(behind.get("rear_port")), behind.get("rear_port_position") or 1
        rear = self.rear_of_id.get(rear_id) if rear_id is not None else None
        if rear is None or not isinstance(position, int) or not 1 <= position <= MAX_POSITIONS:
            problem = "a front port without its rear port; paths end there"
            self.ledger.finding("missing record", problem, "dump rear-ports too", f"{end.device}:{end.port}")
        else:
            self.cabling.rear_of[end] = Rear(rear, position)
            fields.count("rear_port")
        fields.skip("rear_port", "rear_port_position", "type", "cable")
        fields.close()

    def _panel_port(self, fields: Fields, record_id: int) -> End:
        device = f"device {id_of(fields.raw('device'))}"
        self.panels.add(device)
        name = fields.text("name") or f"port {record_id}"
        return End(device, f"{fields.kind} {name}")  # a front and a rear port may have the same name

    def cable(self, fields: Fields, record_id: int, file: str) -> None:
        """Add a cable: one, one for each pair of its terminations, or the branches of a breakout."""
        sides = [self._side(fields, side) for side in ("a", "b")]
        name = fields.text("label")
        where = f"cable {name or record_id}"
        if any(side is None for side in sides):
            self.ledger.dropped("cables", "power, console or management cable: no data", where)
            return
        a, b = (side or [] for side in sides)
        length_km = self._length_km(fields, "length", "length_unit")
        cable_type = choice_of(fields.raw("type"))
        if cable_type:
            fields.count("type", "cable type → fibre, multimode or copper")
        status = choice_of(fields.raw("status"))
        if status:
            fields.count("status", "up or down")
        tags = fields.raw("tags")
        fields.close(CABLE_EFFECTS)
        if not a or not b:
            self.ledger.finding("one-sided cable", "no link is made", "add the other end", where)
            return
        medium, fibre = read_medium(cable_type, self.ledger, where)
        pairs = self._pairs(a, b, where)
        for first, second in pairs:
            self.cabling.cables.append(
                Cable(
                    f"cable {record_id}" + (f" {second.port}" if len(pairs) > 1 else ""),
                    (first, second),
                    length_km=length_km,
                    medium=medium,
                    fibre=fibre,
                    name=name if len(pairs) == 1 else "",
                    up=status in UP_STATES,
                    tags=tuple(_tag_names(tags)),
                    source=fields.source(file, str(record_id)),
                    n_branches=len(pairs) if len(a) != len(b) else 1,
                )
            )

    def _pairs(self, a: Sequence[End], b: Sequence[End], where: str) -> list[tuple[End, End]]:
        """Return the pairs of ends of a cable with several terminations."""
        if len(a) == len(b):
            if len(a) > 1:
                told = "the source lists the ends of a cable without their pairs"
                self.ledger.assumed("pairs of ends of a cable", "in the order of the lists", told, "", where)
            return list(zip(a, b, strict=True))
        if 1 in (len(a), len(b)) and max(len(a), len(b)) <= MAX_BRANCHES:
            single, branches = (a[0], b) if len(a) == 1 else (b[0], a)
            self.ledger.converted("cables", f"breakout into {len(branches)} → as many links that fail together")
            return [(single, branch) for branch in branches]
        problem = f"{len(a)} ends at one side and {len(b)} at the other; no link is made"
        self.ledger.finding("unclear cable", problem, "split it into several cables", where)
        return []

    def _side(self, fields: Fields, side: str) -> list[End] | None:
        """Return the ports at one side of a cable; None if it is a cable for other things than data."""
        stated = fields.raw(f"{side}_terminations")
        if stated is None and fields.record.get(f"termination_{side}_id") is not None:
            kind = fields.raw(f"termination_{side}_type")
            stated = [{"object_type": kind, "object_id": fields.raw(f"termination_{side}_id")}]
            stated[0]["object"] = fields.raw(f"termination_{side}")
        ends: list[End] = []
        for termination in stated if isinstance(stated, list) else ():
            if not isinstance(termination, Mapping):
                continue
            kind, object_id = termination.get("object_type"), termination.get("object_id")
            if isinstance(kind, str) and kind not in DATA_TYPES:
                return None
            end = self.ports.get((kind, object_id)) if isinstance(kind, str) and isinstance(object_id, int) else None
            end = end or self._from_nested(kind, termination.get("object"))
            if end is None or end.device not in self.cabling.devices:
                place = f"{fields.place}: {plain(kind)[:40]} {plain(object_id)[:20]}"
                self.ledger.finding("unknown end", "an end is in no file of the dump", "dump its endpoint too", place)
            else:
                ends.append(end)
        if ends:
            fields.count(f"{side}_terminations")
        return ends

    def _from_nested(self, kind: object, nested: object) -> End | None:
        """Return an interface from the short form of it in a cable, where the dump lacks interfaces."""
        if kind != INTERFACE or not isinstance(nested, Mapping):
            return None
        name, device = nested.get("name"), id_of(nested.get("device"))
        if not isinstance(name, str) or device is None:
            return None
        self.has_interface.add(f"device {device}")
        return End(f"device {device}", plain(name))

    def _length_km(self, fields: Fields, name: str, unit_name: str) -> float | None:
        stated = fields.raw(name)
        unit = choice_of(fields.raw(unit_name)).lower()
        if stated is None or stated == "":
            return None
        if unit not in KM_OF:
            fields.bad(name, stated, f"{unit_name} among {', '.join(KM_OF)}; it is not used")
            return None
        value = finite(stated)
        if value is None or not 0 <= value * KM_OF[unit] <= 20_000:
            fields.bad(name, stated, "a length from 0 to 20,000 km")
            return None
        fields.count(name, f"{unit} → km" if unit != "km" else "")
        return value * KM_OF[unit]

    def finish(self) -> None:
        """Set the kind of panels, and leave out devices without any port for data, such as power strips."""
        for key, device in list(self.cabling.devices.items()):
            if not key.startswith("device "):
                continue
            if key in self.panels and key not in self.has_interface:
                device.kind = "panel"
                self.ledger.converted("devices", "front and rear ports, no interface → patch panel")
            elif key not in self.panels and key not in self.has_interface:
                self.ledger.dropped("devices", "no port for data, such as power strips and shelves", device.name)
                del self.cabling.devices[key]


def _tag_names(tags: Any) -> list[str]:
    found = (tag if isinstance(tag, str) else name_of(tag) for tag in (tags if isinstance(tags, list) else ()))
    return [plain(name) for name in found if name]
