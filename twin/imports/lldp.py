"""LLDP and CDP: what devices say of their neighbours, one JSON file for each device, or one file for all.

Source: IEEE 802.1AB. The shapes of the answers are in `lldp_shapes.py`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from ..errors import DocumentError
from .cabling import Cable, Cabling, Device, End
from .fields import Fields, origin, plain
from .files import SourceFile, check_count
from .ledger import Ledger
from .lldp_shapes import Record, Shape, answers_of
from .management import LEFT_OUT, is_management
from .netbox_types import type_gbps
from .options import ImportOptions
from .sightings import Sightings

MAX_FIRST = 20
"""Devices of a file of several among which one must have neighbours."""
HINT = "one JSON file for each device, named after it, such as leaf-1.json of `lldpctl -f json`"
NOISE = re.compile(
    r"[-_. ]*(show|sh|lldp|cdp|lldpctl|lldpcli|neighbou?rs?|neigh?|nei|details?|info|json0?|output)(?=[-_. ]|$)|"
    r"(?<![^-_. ])(show|sh|lldp|cdp|lldpctl|lldpcli|neighbou?rs?|nei|details?|json0?|output)[-_. ]+",
    re.IGNORECASE,
)
"""Words of commands in names of files; what is left is the device."""
MAC = re.compile(
    r"(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}|(?:[0-9a-f]{4}[.-]){2}[0-9a-f]{4}|(?:0x)?[0-9a-f]{12}", re.IGNORECASE
)
ADDRESS = re.compile(r"[\d.]+|[0-9a-fA-F:]*:[0-9a-fA-F:.]*")
SERIAL = re.compile(r"\([A-Z0-9]{8,16}\)$")
"""Serial number behind the name of a device in CDP."""
CAPABILITIES = ("chassis.capability", "systemCapabilities", "enabled_capability", "remote_system_enable_capab",
                "capability", "capabilities")  # fmt: skip
HOST_WORDS = frozenset({"station", "stationonly", "s", "host", "h"})
FORWARDS = re.compile(r"bridge|router|switch|\b[br]\b", re.IGNORECASE)
EFFECTS = {"ttl": "age of the record", "via": "protocol of the record", "age": "age of the record"}


def recognise(files: Sequence[SourceFile]) -> bool:
    """Return whether the first JSON file holds neighbours of a device, or of several."""
    file = next((file for file in files if file.looks_like_json), None)
    if file is None:
        return False
    try:
        return bool(_answers(file))
    except DocumentError:
        return False


RATE_HINT = "--capacity-gbps states one for all such links"


class _Answers(NamedTuple):
    """Neighbours that one device states."""

    host: str
    where: str
    answers: list[tuple[Shape, list[Record]]]


def _answers(file: SourceFile) -> list[_Answers]:
    data = file.data
    found = answers_of(data)
    if found:
        return [_Answers(_own_name(data) or name_of_file(file), "", found)]
    if not isinstance(data, dict) or not any(answers_of(value) for value in islice(data.values(), MAX_FIRST)):
        return []
    parts = [_Answers(plain(host), plain(host)[:80], answers) for host, value in data.items()
             if (answers := answers_of(value))]  # fmt: skip
    return parts if len(parts) * 2 > len(data) else []


def _own_name(data: Any) -> str:
    """Return the name that a device gives itself beside its neighbours; empty if there is none."""
    if not isinstance(data, dict):
        return ""
    chassis = data.get("local-chassis")
    inner = chassis.get("chassis") if isinstance(chassis, dict) else None
    if isinstance(inner, dict) and "id" not in inner and len(inner) == 1:
        return plain(next(iter(inner)))
    return next(
        (plain(name) for key in ("hostname", "fqdn", "host_name") if isinstance(name := data.get(key), str)), ""
    )


def name_of_file(file: SourceFile) -> str:
    """Return the device that a file is named after: `leaf-1_lldp_neighbors.json` is leaf-1."""
    name = file.name
    for ending in (".json", ".json0", ".txt"):
        name = name.removesuffix(ending)
    return NOISE.sub("", name).strip("-_. ") or name


def read(files: Sequence[SourceFile], cabling: Cabling, ledger: Ledger, options: ImportOptions) -> None:
    """Read the neighbours of each device, then make one cable of what both ends say."""
    cabling.one_place = "site"
    reader = _Reader(cabling, ledger, options.keep_management)
    for file in files:
        if len(files) > 1 and not file.looks_like_json:
            ledger.dropped("files", "not read: no JSON", file.name)
            continue
        found = _answers(file)
        if not found:
            if len(files) == 1:
                raise DocumentError("holds no neighbours in a known shape", where=file.where, hint=HINT)
            ledger.finding("unknown shape", "file is not read", HINT, file.name)
        for part in found:
            reader.collect(file, part)
    if not reader.rows:
        raise DocumentError("holds no neighbour", where=files[0].where, hint=HINT)
    reader.finish()


class _Row(NamedTuple):
    """A neighbour of a device."""

    host: str
    file: str
    place: str
    shape: Shape
    record: Record


class _Reader:
    """Collects all neighbours first: names of devices are settled when all are known."""

    def __init__(self, cabling: Cabling, ledger: Ledger, keeps_management: bool) -> None:
        self.cabling, self.ledger, self.keeps_management = cabling, ledger, keeps_management
        self.rows: list[_Row] = []
        self.hosts: dict[str, str] = {}
        """Device of each file -> file."""

    def collect(self, file: SourceFile, part: _Answers) -> None:
        """Keep the rows of a device."""
        self.hosts.setdefault(part.host, file.name)
        for shape, records in part.answers:
            check_count(len(self.rows) + len(records), file.where)
            for i, record in enumerate(records):
                place = f"{part.where} neighbour {i + 1}".strip()
                self.rows.append(_Row(part.host, file.name, place, shape, record))

    def finish(self) -> None:
        """Settle names, add the devices, and make cables."""
        names = _Names(self.hosts, self.rows)
        described = {names.key(host) for host in self.hosts}
        for host, file in self.hosts.items():
            self._device(names.key(host), host, origin(file, "", host))
        seen = Sightings(self.cabling, self.ledger, "neighbours")
        for row in self.rows:
            self._row(row, names, seen)
        seen.finish(described, one_end_is_assumed=True)

    def _device(self, key: str, name: str, source: dict[str, str]) -> Device:
        device = self.cabling.devices.get(key)
        if device is None:
            device = self.cabling.devices[key] = Device(key, name, source=source)
        return device

    def _row(self, row: _Row, names: _Names, seen: Sightings) -> None:
        shape = row.shape
        fields = Fields(row.record, "neighbours", row.place, self.ledger)
        local = fields.text(*shape.local_port)
        name, chassis = fields.text(*shape.name_of_neighbour), fields.text(*shape.chassis)
        port = self._port(fields, shape)
        medium = fields.text(*shape.medium)
        role = self._role(fields)
        fields.close(EFFECTS)
        place = f"{row.host}:{local}"
        key = names.of_neighbour(name, chassis)
        if not key or not local:
            problem = "a neighbour without name and address, or without local port; no link is made"
            self.ledger.finding("one-sided cable", problem, "name the device", place)
            return
        if not self.keeps_management and (is_management(local) or is_management(port)):
            self.ledger.dropped(*LEFT_OUT, place)
            return
        shown = names.shown(name, chassis)
        device = self._device(key, shown, origin(row.file, row.place, name or chassis))
        device.role = device.role or role
        cable = Cable(f"{row.file} {row.place}", (End(names.key(row.host), local), End(key, port)))
        cable.capacity_gbps = type_gbps(medium) if medium else None
        if cable.capacity_gbps is not None:
            self.ledger.converted("neighbours.medium", "type of the medium → Gb/s")
        elif any(letter.isdigit() for letter in medium):
            self.ledger.finding("unknown interface type", "its rate is not known", RATE_HINT, f"{place}: {medium[:60]}")
        cable.source = origin(row.file, row.place, place)
        seen.add(cable)

    def _port(self, fields: Fields, shape: Shape) -> str:
        """Return the port of the neighbour; its description where the id is an address."""
        port = fields.text(*shape.port).strip('"')
        kind = fields.text(*shape.port_type).lower() if shape.port_type else ""
        is_address = MAC.fullmatch(port) is not None
        described = fields.record.get(next((n for n in shape.port_text if n in fields.record), ""))
        is_usable = isinstance(described, str) and 0 < len(described) <= 64 and not re.search(r"\s", described.strip())
        if is_usable and (is_address or not port or kind in ("mac", "macaddress", "local") or port.isdecimal()):
            self.ledger.converted("neighbours.port", "address or number of a port → its description")
            fields.skip(*shape.port_text)
            return plain(str(described).strip())
        return port

    def _role(self, fields: Fields) -> str:
        """Return `host` for a neighbour that is a station and does not forward; empty for all others."""
        text = fields.text(*CAPABILITIES).lower().replace(",", " ").replace("-", "")
        words = set(text.split())
        if words & HOST_WORDS and not FORWARDS.search(text):
            return "host"
        return ""


def _shown(name: str) -> str:
    """Return the name of a neighbour without the serial number that CDP puts behind it."""
    return SERIAL.sub("", name.strip())


class _Names:
    """Keys of devices: a full name and its first part are one device, unless two domains have that first part."""

    def __init__(self, hosts: Mapping[str, str], rows: Sequence[_Row]) -> None:
        self._name_of_chassis: dict[str, str] = {}
        self._full: dict[str, set[str]] = defaultdict(set)
        for host in hosts:
            self._add(host)
        for row in rows:
            name, chassis = (_first(row.record, names) for names in (row.shape.name_of_neighbour, row.shape.chassis))
            if name:
                self._add(_shown(name))
                if chassis:
                    self._name_of_chassis.setdefault(_address(chassis), _shown(name))

    def _add(self, name: str) -> None:
        full = name.casefold()
        if "." in full and not ADDRESS.fullmatch(full):
            self._full[full.partition(".")[0]].add(full)

    def key(self, name: str) -> str:
        """Return the key of a device by its name."""
        full = name.casefold()
        if ADDRESS.fullmatch(full) or MAC.fullmatch(full):
            return full
        short = full.partition(".")[0]
        if short == full:
            known = self._full.get(short, set())
            return short if len(known) != 1 else next(iter(known))
        return full

    def of_neighbour(self, name: str, chassis: str) -> str:
        """Return the key of a neighbour by its name, else by the name that others give its address."""
        return self.key(self.shown(name, chassis))

    def shown(self, name: str, chassis: str) -> str:
        """Return the name of a neighbour for people; its address if nobody names it."""
        return _shown(name) or self._name_of_chassis.get(_address(chassis), chassis)


def _address(text: str) -> str:
    """Return an address in one spelling."""
    return re.sub(r"[^0-9a-z]", "", text.casefold())


def _first(record: Record, names: Sequence[str]) -> str:
    found: Iterator[Any] = (record[name] for name in names if name in record)
    return next((plain(value) for value in found if isinstance(value, str) and value), "")
