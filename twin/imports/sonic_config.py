"""Configuration database of SONiC: one switch, its ports, bundles and neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .cabling import Cable, End, Interface
from .fields import Fields, origin, plain
from .files import SourceFile, check_count
from .options import MAX_CAPACITY_GBPS
from .sightings import port_key
from .sonic_switches import Switches

MBPS = 1e-3
"""Gb/s of one Mb/s."""
READ_TABLES = frozenset(
    {"DEVICE_METADATA", "PORT", "PORTCHANNEL", "PORTCHANNEL_MEMBER", "DEVICE_NEIGHBOR", "DEVICE_NEIGHBOR_METADATA"}
)
EFFECTS = {
    "CABLE_LENGTH": "lengths by port for buffers, rounded up; state lengths by --site or by hand",
    "BUFFER_PG": "buffers of the switch",
    "BUFFER_POOL": "buffers of the switch",
    "BUFFER_PROFILE": "buffers of the switch",
    "BUFFER_QUEUE": "buffers of the switch",
    "PFC_WD": "watchdog of priority flow control",
    "BGP_NEIGHBOR": "routing; the twin has its own",
}
PORT_EFFECTS = {
    "fec": "forward error correction of the port",
    "lanes": "lanes of the switch chip",
    "mtu": "size of frames",
}


def read_config(file: SourceFile, switches: Switches) -> None:
    """Read the tables of one switch."""
    reader = _ConfigReader(file, switches)
    data = {str(key): value for key, value in file.data.items()}
    for name, value in data.items():
        if name not in READ_TABLES:
            n = len(value) if isinstance(value, dict | list) and value else 1
            switches.ledger.dropped(f"tables.{name[:60]}", EFFECTS.get(name, "not in the document"), file.name, n)
    reader.run(data)


class _ConfigReader:
    """Reads the tables of one file."""

    def __init__(self, file: SourceFile, switches: Switches) -> None:
        self.file, self.switches, self.ledger = file, switches, switches.ledger
        self.host = ""

    def run(self, data: Mapping[str, Any]) -> None:
        """Read the switch, then its ports, then its neighbours."""
        self._metadata(data)
        own = self.switches.by_key[self.host]
        bundles = dict(self._members(data))
        for name, fields in self._rows(data, "PORT"):
            alias = fields.text("alias")
            rate = fields.number("speed", 1e-9, MAX_CAPACITY_GBPS, "Mb/s → Gb/s", MBPS)
            state = fields.flag("admin_status")
            fields.close(PORT_EFFECTS)
            own.ports[port_key(name)] = Interface(rate, bundles.get(name, ""), state is not False)
            if alias and port_key(alias) != port_key(name):
                own.aliases.setdefault(port_key(alias), name)
        for name, bundle in bundles.items():
            own.ports.setdefault(port_key(name), Interface(bundle=bundle))
        for name, fields in self._rows(data, "DEVICE_NEIGHBOR_METADATA"):
            self.switches.device(name, _stated(fields, "type"), origin(self.file.name, fields.place, name), fields)
            fields.close({"mgmt_addr": "addresses; the twin has none", "hwsku": "model of the device"})
        for name, fields in self._rows(data, "DEVICE_NEIGHBOR"):
            self._neighbour(name, fields)

    def _metadata(self, data: Mapping[str, Any]) -> None:
        fields = next((fields for name, fields in self._rows(data, "DEVICE_METADATA") if name == "localhost"), None)
        name = _stated(fields, "hostname") if fields is not None else ""
        if not name:
            name = self.file.path.stem
            problem = "the file states no hostname; the name of the file is used"
            self.ledger.finding("missing name", problem, "state DEVICE_METADATA.localhost.hostname", self.file.name)
        kind = _stated(fields, "type") if fields is not None else ""
        source = origin(self.file.name, "DEVICE_METADATA", name)
        self.switches.device(name, kind, source, fields)
        self.switches.describe(name, "config_db", source)
        self.host = name.casefold()
        if fields is not None:
            model = fields.text("hwsku")
            if model:
                device = self.switches.cabling.devices[self.host]
                device.tags, device.models = (f"model: {model}",), (model,)
            fields.close({"platform": "model of the device", "buffer_model": "buffers of the switch"})

    def _rows(self, data: Mapping[str, Any], table: str) -> Iterator[tuple[str, Fields]]:
        """Yield key and fields of each row of a table; what is no row is a finding."""
        rows = data.get(table, {})
        if not isinstance(rows, dict):
            self.ledger.finding("bad value", f"{table} is no mapping; it is not read", "", self.file.name)
            return
        check_count(len(rows), f"{self.file.where}: {table}")
        for key, record in rows.items():
            place = f"{table}.{plain(key)[:80]}"
            if isinstance(record, dict):
                yield plain(key), Fields(record, table, place, self.ledger)
            else:
                self.ledger.finding("bad value", "a row is no mapping; it is left out", "", place)

    def _members(self, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield port and bundle of each member; both forms of the table are read."""
        for key, _ in self._rows(data, "PORTCHANNEL_MEMBER"):
            bundle, _, port = key.partition("|")
            if port:
                self.ledger.converted("PORTCHANNEL_MEMBER", "members of one link")
                yield port, bundle
        for bundle, fields in self._rows(data, "PORTCHANNEL"):
            for port in fields.texts("members"):
                yield port, bundle
            fields.close({"min_links": "members that a bundle needs", "mtu": "size of frames"})

    def _neighbour(self, port: str, fields: Fields) -> None:
        name, far = _stated(fields, "name"), _stated(fields, "port")
        local = _stated(fields, "local_port") or port
        fields.close({"type": "type of the neighbour", "mgmt_addr": "addresses; the twin has none"})
        if not name:
            problem = "a neighbour without a name; no link is made"
            self.ledger.finding("one-sided cable", problem, "state its name", f"{self.host}:{local}")
            return
        self.switches.device(name, "", origin(self.file.name, fields.place, name))
        cable = Cable(f"{self.file.name} {fields.place}", (End(self.host, local), End(name.casefold(), far)))
        cable.source = origin(self.file.name, fields.place)
        self.switches.links.append((cable, (False, True)))


def _stated(fields: Fields, name: str) -> str:
    """Return a field as text; `None`, as SONiC writes what is not stated, is empty."""
    if fields.record.get(name) == "None":
        fields.skip(name)
        return ""
    return fields.text(name)
