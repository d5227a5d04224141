"""Shapes in which tools print the neighbours of a device as JSON: one row each, as records with plain fields.

Source: lldpd (`lldpctl -f json`, `-f json0`), Arista EOS, Cisco NX-OS, Junos (`| display json`), OpenConfig, SR Linux,
NAPALM (`get_lldp_neighbors`, `get_lldp_neighbors_detail`), and tables of ntc-templates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .fields import plain

Record = dict[str, Any]
MAX_DEPTH = 8
"""Depth of envelopes, and of the nested fields of a neighbour."""
MAX_ANSWERS = 1000
"""Answers of commands in one list."""
ENVELOPES = (
    "result",
    "results",
    "ins_api",
    "outputs",
    "output",
    "body",
    "stdout",
    "stdout_lines",
    "json",
    "data",
    "msg",
)
"""Keys under which interfaces for programs wrap the answer of a command."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape of an answer, and the names of its fields."""

    name: str
    rows: Callable[[Any], list[Record] | None]
    """Records of the neighbours; None for data of another shape."""
    local_port: tuple[str, ...]
    name_of_neighbour: tuple[str, ...]
    chassis: tuple[str, ...]
    port: tuple[str, ...]
    port_type: tuple[str, ...] = ()
    port_text: tuple[str, ...] = ()
    """Description of the port."""
    medium: tuple[str, ...] = ()
    """Name of the medium, which tells the rate."""


def flat(value: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the plain fields of nested data by dotted names.

    Lists of one item, and objects that hold only a value, stand for what they hold.
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, Mapping) and depth < MAX_DEPTH:
        for key, inner in value.items():
            name = str(key).rpartition(":")[2]
            is_holder = name in ("value", "data") and prefix
            yield from flat(inner, prefix if is_holder else f"{prefix}.{name}" if prefix else name, depth + 1)
    elif isinstance(value, list):
        items = [item for item in value if isinstance(item, str | int | float)]
        if items and prefix:
            yield prefix, " ".join(map(plain, items))
        elif value and prefix:
            yield prefix, f"{len(value)} items"
    elif value is not None and prefix:
        yield prefix, value


def _items(value: Any) -> list[Any]:
    """Return a list, or one thing as a list of it."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _named(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield (key, value) of a mapping, or of a list of mappings."""
    for item in _items(value):
        if isinstance(item, Mapping):
            yield from ((str(key), inner) for key, inner in item.items())


def _lldpctl(data: Any) -> list[Record] | None:
    """Read lldpctl: `json` has names of interfaces and of neighbours as keys, `json0` has lists for everything."""
    lldp = data.get("lldp") if isinstance(data, Mapping) else None
    if not isinstance(lldp, Mapping | list):
        return None
    found: list[Record] = []
    for part in _items(lldp):
        interfaces = part.get("interface") if isinstance(part, Mapping) else None
        for item in _items(interfaces):
            if not isinstance(item, Mapping):
                continue
            pairs = [(item["name"], item)] if isinstance(item.get("name"), str) else list(item.items())
            found += [_lldpctl_row(str(port), row) for port, row in pairs if isinstance(row, Mapping)]
    return found


def _lldpctl_row(port: str, row: Mapping[str, Any]) -> Record:
    chassis = row.get("chassis")
    rest = {key: value for key, value in row.items() if key not in ("chassis", "name")}
    if isinstance(chassis, Mapping) and "id" not in chassis and len(chassis) == 1:
        name, inner = next(iter(chassis.items()))
        chassis = {**inner, "name": name} if isinstance(inner, Mapping) else chassis
    capabilities = next((c for k, c in _named(chassis) if k == "capability"), None)
    record: Record = {"interface": port} | dict(flat(rest)) | dict(flat(chassis, "chassis"))
    record = {key: value for key, value in record.items() if not key.startswith("chassis.capability")}
    return record | {"chassis.capability": _enabled(capabilities)}


def _enabled(capabilities: Any) -> str:
    """Return the names of capabilities that are enabled."""
    names = (c.get("type") for c in _items(capabilities) if isinstance(c, Mapping) and c.get("enabled") is True)
    return " ".join(str(name).lower() for name in names)


def _eos(data: Any) -> list[Record] | None:
    neighbours = data.get("lldpNeighbors") if isinstance(data, Mapping) else None
    if isinstance(neighbours, list):
        return [dict(flat(row)) for row in neighbours if isinstance(row, Mapping)]
    if not isinstance(neighbours, Mapping):
        return None
    found: list[Record] = []
    for port, value in neighbours.items():
        rows = value.get("lldpNeighborInfo") if isinstance(value, Mapping) else value
        for row in _items(rows):
            if isinstance(row, Mapping):
                capabilities = row.get("systemCapabilities")
                known = [k for k, v in capabilities.items() if v is True] if isinstance(capabilities, Mapping) else []
                record = {key: v for key, v in flat(row) if not key.startswith("systemCapabilities")}
                found.append({"port": port} | record | {"systemCapabilities": " ".join(known).lower()})
    return found


def _nxos(data: Any) -> list[Record] | None:
    if not isinstance(data, Mapping):
        return None
    tables = [value for key, value in data.items() if str(key).startswith(("TABLE_nbor", "TABLE_cdp_neighbor"))]
    if not tables:
        return None
    rows = (row for table in tables for key, value in _named(table) if key.startswith("ROW_") for row in _items(value))
    return [dict(flat(row)) for row in rows if isinstance(row, Mapping)]


def _junos(data: Any) -> list[Record] | None:
    if not isinstance(data, Mapping) or "lldp-neighbors-information" not in data:
        return None
    parts = (value for key, value in _named(data["lldp-neighbors-information"]) if key == "lldp-neighbor-information")
    return [dict(flat(row)) for value in parts for row in _items(value) if isinstance(row, Mapping)]


def _openconfig(data: Any) -> list[Record] | None:
    """Read the trees of OpenConfig and SR Linux: interfaces that hold neighbours."""
    for _ in range(3):  # lldp, interfaces, interface
        if isinstance(data, Mapping):
            inner = {str(key).rpartition(":")[2]: value for key, value in data.items()}
            data = next((inner[key] for key in ("lldp", "interfaces", "interface") if key in inner), data)
    if not isinstance(data, list) or not all(isinstance(item, Mapping) for item in data):
        return None
    found, has_neighbours = [], False
    for item in data:
        stated = item.get("neighbors", item.get("neighbor"))
        rows = stated.get("neighbor") if isinstance(stated, Mapping) and "neighbor" in stated else stated
        has_neighbours |= stated is not None
        for row in _items(rows):
            if isinstance(row, Mapping):
                state = row.get("state")
                record = dict(flat(state if isinstance(state, Mapping) else row))
                found.append(record | {"interface": item.get("name", "")})
    return found if has_neighbours else None


NAPALM_KEYS = ({"hostname", "port"}, {"remote_system_name", "remote_port"})


def _napalm(data: Any) -> list[Record] | None:
    if not isinstance(data, Mapping) or not data:
        return None
    found: list[Record] = []
    for port, rows in data.items():
        if not isinstance(rows, list) or not all(
            isinstance(row, Mapping) and any(row.keys() >= keys for keys in NAPALM_KEYS) for row in rows
        ):
            return None
        found += [dict(flat(row)) | {"interface": port} for row in rows]
    return found


TABLE_LOCAL = ("local_interface", "local_intf", "local_port", "local_port_id", "interface")
TABLE_NAMES = ("neighbor_name", "neighbor", "neighbour", "system_name", "device_id", "dest_host", "destination_host",
               "remote_system_name", "remote_device", "neighbor_device")  # fmt: skip
TABLE_PORTS = ("neighbor_interface", "neighbor_port_id", "neighbor_port", "remote_port", "remote_interface", "port_id",
               "port_identifier")  # fmt: skip


def _rows_of_table(data: Any) -> list[Record] | None:
    """Read lists of flat records, keys in any case, such as those of ntc-templates and of parsed CDP tables."""
    if isinstance(data, Mapping) and isinstance(data.get("index"), Mapping):
        data = list(data["index"].values())
    if not isinstance(data, list) or not data:
        return None
    found: list[Record] = []
    for row in data:
        if not isinstance(row, Mapping):
            return None
        record = {str(key).lower(): value for key, value in flat(row)}
        if not any(k in record for k in TABLE_LOCAL) or not any(k in record for k in (*TABLE_NAMES, *TABLE_PORTS)):
            return None
        found.append(record)
    return found


SHAPES = (
    Shape("lldpctl", _lldpctl, ("interface",), ("chassis.name",), ("chassis.id",), ("port.id",), ("port.id.type",),
          ("port.descr",), ("port.auto-negotiation.current",)),
    Shape("eos", _eos, ("port",), ("neighborDevice", "systemName"), ("chassisId",),
          ("neighborPort", "neighborInterfaceInfo.interfaceId_v2", "neighborInterfaceInfo.interfaceId"),
          ("neighborInterfaceInfo.interfaceIdType",), ("neighborInterfaceInfo.interfaceDescription",),
          ("neighborInterfaceInfo.operMauType",)),
    Shape("nxos", _nxos, ("l_port_id", "intf_id"), ("sys_name", "device_id"), ("chassis_id",), ("port_id",), (),
          ("port_desc",)),
    Shape("junos", _junos, ("lldp-local-interface", "lldp-local-port-id"), ("lldp-remote-system-name",),
          ("lldp-remote-chassis-id",), ("lldp-remote-port-id",), ("lldp-remote-port-id-subtype",),
          ("lldp-remote-port-description",)),
    Shape("openconfig", _openconfig, ("interface",), ("system-name",), ("chassis-id",), ("port-id",),
          ("port-id-type",), ("port-description",)),
    Shape("napalm", _napalm, ("interface",), ("hostname", "remote_system_name"), ("remote_chassis_id",),
          ("port", "remote_port"), (), ("remote_port_description",)),
    Shape("table", _rows_of_table, TABLE_LOCAL, TABLE_NAMES, ("chassis_id",), TABLE_PORTS, (),
          ("neighbor_description", "neighbor_port_description", "port_description")),
)  # fmt: skip


def answers_of(data: Any, depth: int = 0) -> list[tuple[Shape, list[Record]]]:
    """Return shape and records of each answer in some data; empty for data of no such shape."""
    for shape in SHAPES:
        rows = shape.rows(data)
        if rows is not None:
            return [(shape, rows)]
    if depth >= MAX_DEPTH:
        return []
    inner: list[Any] = []
    if isinstance(data, Mapping):
        inner = [data[key] for key in ENVELOPES if key in data]
    elif isinstance(data, list) and len(data) <= MAX_ANSWERS:
        inner = data
    return [answer for value in inner for answer in answers_of(value, depth + 1)]
