"""Makes NetBox dumps by hand: devices, interfaces, panels, circuits, cables, in the shape of the REST API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Dump:
    """A dump that grows record by record."""

    def __init__(self) -> None:
        self.endpoints: dict[str, list[Record]] = {
            name: [] for name in ("sites", "devices", "interfaces", "front-ports", "rear-ports", "cables", "circuits")
        }
        self.endpoints["circuit-terminations"] = []

    def add(self, endpoint: str, **fields: Any) -> int:
        records = self.endpoints.setdefault(endpoint, [])
        records.append({"id": len(records) + 1, **fields})
        return len(records)

    def site(self, name: str, latitude: float | None = None, longitude: float | None = None) -> int:
        return self.add("sites", name=name, latitude=latitude, longitude=longitude)

    def device(self, name: str, role: str, site: int, **fields: Any) -> int:
        site_name = self.endpoints["sites"][site - 1]["name"]
        kind = {"id": 1, "model": "X-1", "manufacturer": {"id": 1, "name": "Maker"}}
        fields = {"device_type": kind, "status": {"value": "active", "label": "Active"}, "tags": []} | fields
        role_object = {"id": 1, "name": role, "slug": role.lower()}
        return self.add("devices", name=name, role=role_object, site={"id": site, "name": site_name}, **fields)

    def interface(self, device: int, name: str, kind: str, lag: int | None = None, **fields: Any) -> int:
        group = None if lag is None else {"id": lag, "name": self.endpoints["interfaces"][lag - 1]["name"]}
        owner = {"id": device, "name": self.endpoints["devices"][device - 1]["name"]}
        type_object = {"value": kind, "label": kind.upper()}
        fields = {"enabled": True, "speed": None} | fields
        return self.add("interfaces", device=owner, name=name, type=type_object, lag=group, **fields)

    def panel(self, name: str, site: int, n_ports: int, *, shared_rear: bool = False) -> tuple[list[int], list[int]]:
        """A patch panel; ids of its front and rear ports. One rear port of several positions if `shared_rear`."""
        device = self.device(name, "Patch Panel", site)
        owner = {"id": device, "name": name}
        rears = [
            self.add("rear-ports", device=owner, name=f"R{i + 1}", positions=n_ports if shared_rear else 1)
            for i in range(1 if shared_rear else n_ports)
        ]
        fronts = [
            self.add(
                "front-ports",
                device=owner,
                name=f"F{i + 1}",
                rear_port={"id": rears[0 if shared_rear else i]},
                rear_port_position=i + 1 if shared_rear else 1,
            )
            for i in range(n_ports)
        ]
        return fronts, rears

    def circuit(self, cid: str, distance: float | None, unit: str = "km", commit_rate: int | None = None) -> list[int]:
        """A circuit; ids of its terminations A and Z."""
        unit_object = {"value": unit, "label": unit} if distance is not None else None
        state = {"value": "active", "label": "Active"}
        circuit = self.add(
            "circuits", cid=cid, distance=distance, distance_unit=unit_object, commit_rate=commit_rate, status=state
        )
        owner = {"id": circuit, "cid": cid}
        return [self.add("circuit-terminations", circuit=owner, term_side=side) for side in "AZ"]

    def cable(
        self, a: list[tuple[str, int]], b: list[tuple[str, int]], length: float | None = None, **fields: Any
    ) -> int:
        def ends(side: list[tuple[str, int]]) -> list[Record]:
            return [{"object_type": kind, "object_id": object_id, "object": None} for kind, object_id in side]

        unit = {"value": "m", "label": "Meters"} if length is not None else None
        fields = {"type": "smf", "status": {"value": "connected", "label": "Connected"}, "label": ""} | fields
        return self.add(
            "cables", a_terminations=ends(a), b_terminations=ends(b), length=length, length_unit=unit, **fields
        )

    def write(self, folder: Path, *, envelope: bool = True) -> Path:
        folder.mkdir(exist_ok=True)
        for name, records in self.endpoints.items():
            content: Any = {"count": len(records), "next": None, "previous": None, "results": records}
            (folder / f"{name}.json").write_text(json.dumps(content if envelope else records), encoding="utf-8")
        return folder


INTERFACE, FRONT, REAR, CIRCUIT = "dcim.interface", "dcim.frontport", "dcim.rearport", "circuits.circuittermination"


def worked_case(n_members: int = 4) -> Dump:
    """Members of an aggregation group: 30 m → patch panel → circuit of 12.4 km → patch panel → 45 m."""
    dump = Dump()
    north, south = dump.site("Halle Nord", 51.5, 12.0), dump.site("Süd", 51.4, 12.1)
    a, b = dump.device("border 1", "Border Router", north), dump.device("border 2", "Border Router", south)
    groups = [dump.interface(device, "Port-Channel1", "lag") for device in (a, b)]
    panel_a, rear_a = dump.panel("ODF north", north, n_members)
    panel_b, rear_b = dump.panel("ODF south", south, n_members)
    for i in range(n_members):
        first = dump.interface(a, f"Ethernet{i + 1}/1", "400gbase-x-qsfpdd", groups[0])
        second = dump.interface(b, f"Ethernet{i + 9}/1", "400gbase-x-qsfpdd", groups[1])
        circuit = dump.circuit(f"DF-{i + 1}", 12.4)
        dump.cable([(INTERFACE, first)], [(FRONT, panel_a[i])], 30)
        dump.cable([(REAR, rear_a[i])], [(CIRCUIT, circuit[0])])
        dump.cable([(CIRCUIT, circuit[1])], [(REAR, rear_b[i])])
        dump.cable([(FRONT, panel_b[i])], [(INTERFACE, second)], 45)
    return dump
