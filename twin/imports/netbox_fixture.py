"""NetBox as a dump of its database, `manage.py dumpdata`: rows by model become records as its API has them.

Source: Django serialization format, `[{"model": "dcim.device", "pk": 1, "fields": {...}}]`; NetBox 2.11 to 4.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

Record = dict[str, Any]
ENDPOINT_OF = {
    "dcim.site": "sites", "dcim.device": "devices", "dcim.interface": "interfaces", "dcim.frontport": "front-ports",
    "dcim.rearport": "rear-ports", "dcim.cable": "cables", "circuits.circuit": "circuits",
    "circuits.circuittermination": "circuit-terminations", "circuits.providernetwork": "provider-networks",
    "dcim.powerport": "power-ports", "dcim.poweroutlet": "power-outlets", "dcim.powerfeed": "power-feeds",
    "dcim.module": "modules", "dcim.inventoryitem": "inventory-items", "dcim.location": "locations",
    "dcim.virtualchassis": "virtual-chassis",
}  # fmt: skip
"""Endpoints whose records tell something of a network; other models only name things."""
NAMED_BY = {
    "role": "dcim.devicerole", "device_role": "dcim.devicerole", "site": "dcim.site", "rack": "dcim.rack",
    "device": "dcim.device", "lag": "dcim.interface", "circuit": "circuits.circuit",
    "provider_network": "circuits.providernetwork", "device_type": "dcim.devicetype",
    "manufacturer": "dcim.manufacturer",
}  # fmt: skip
"""Fields that hold the id of a row of another model."""
NAMES = ("name", "model", "slug", "part_number", "cid", "manufacturer")
"""Fields of such a row that a reader needs."""


def is_fixture(data: Any) -> bool:
    """Return whether data is a dump of a database with devices of NetBox."""
    if not isinstance(data, list) or not data or not isinstance(data[0], Mapping) or "model" not in data[0]:
        return False
    return any(isinstance(row, Mapping) and row.get("model") == "dcim.device" for row in data)


def fixture_endpoints(data: list[Any]) -> dict[str, list[Record]]:
    """Return the records of each endpoint. Rows without model, id or fields are left out."""
    rows: dict[str, dict[Any, Mapping[str, Any]]] = defaultdict(dict)
    for row in data:
        if isinstance(row, Mapping) and isinstance(row.get("fields"), Mapping):
            key = row.get("pk")
            if isinstance(row.get("model"), str) and isinstance(key, int) and not isinstance(key, bool):
                rows[row["model"]].setdefault(key, row["fields"])
    ends = _terminations(rows.get("dcim.cabletermination", {}))
    found: dict[str, list[Record]] = {}
    for model, endpoint in ENDPOINT_OF.items():
        if model in rows:
            found[endpoint] = [_record(key, fields, rows) for key, fields in rows[model].items()]
    for cable in found.get("cables", ()):
        for side in ("a", "b"):
            stated = ends.get((cable["id"], side.upper()))
            if stated:
                cable[f"{side}_terminations"] = stated
    return found


def _record(key: int, fields: Mapping[str, Any], rows: Mapping[str, Mapping[Any, Mapping[str, Any]]]) -> Record:
    record: Record = {"id": key}
    for name, value in fields.items():
        if name.startswith("_"):  # columns that NetBox computes
            continue
        model = NAMED_BY.get(name)
        if name.endswith("_type") and isinstance(value, list):
            value = _type_text(value)
        elif model is not None and isinstance(value, int):
            value = _named(value, model, rows)
        record[name] = value
    return record


def _named(key: int, model: str, rows: Mapping[str, Mapping[Any, Mapping[str, Any]]]) -> Record:
    """Return a nested object of a row: its id and names."""
    row = rows.get(model, {}).get(key, {})
    named = {name: row[name] for name in NAMES if row.get(name) not in (None, "")}
    maker = named.get("manufacturer")
    if isinstance(maker, int):
        named["manufacturer"] = {"id": maker, "name": rows.get("dcim.manufacturer", {}).get(maker, {}).get("name", "")}
    return {"id": key, **named}


def _terminations(rows: Mapping[Any, Mapping[str, Any]]) -> dict[tuple[int, str], list[Record]]:
    """Return the ends of each cable by id and side; rows of their own since NetBox 3.3."""
    found: dict[tuple[int, str], list[Record]] = defaultdict(list)
    for row in rows.values():
        kind, object_id = _type_text(row.get("termination_type")), row.get("termination_id")
        cable, side = row.get("cable"), row.get("cable_end")
        if isinstance(cable, int) and isinstance(side, str):
            found[cable, side].append({"object_type": kind, "object_id": object_id})
    return found


def _type_text(value: Any) -> Any:
    """Return a content type, `["dcim", "interface"]`, as the API writes it: `dcim.interface`."""
    return ".".join(value) if isinstance(value, list) and all(isinstance(part, str) for part in value) else value
