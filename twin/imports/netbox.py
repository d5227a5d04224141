"""NetBox: a folder of API dumps, a file for each endpoint, as an API envelope or a bare list.

Source: NetBox REST API, versions 3.3 to 4. Both forms of fields that changed between versions are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import DocumentError, did_you_mean
from .cabling import Cabling, Device, End, Interface
from .fields import Fields, plain
from .files import SourceFile, records_of
from .ledger import Ledger
from .netbox_cabling import FRONT, INTERFACE, REAR, TERMINATION, CablingReader
from .netbox_fixture import fixture_endpoints, is_fixture
from .netbox_modules import ModuleReader, model_names
from .netbox_types import UP_STATES, VIRTUAL, WIRELESS, choice_of, id_of, name_of, port_of, type_gbps
from .options import MAX_CAPACITY_GBPS, ImportOptions
from .places import place_at

READ_ENDPOINTS = (
    *("sites", "devices", "interfaces", "front-ports", "rear-ports", "cables"),
    *("circuits", "circuit-terminations", "provider-networks", "modules", "inventory-items"),
)
"""Endpoints that are read."""
UNREAD_ENDPOINTS: dict[str, str] = {
    "locations": "room of a device",
    "racks": "places and power of racks",
    "regions": "group of sites",
    "site-groups": "group of sites",
    "device-roles": "devices name their role",
    "device-types": "ports and watts of a model; name own parts by hand",
    "manufacturers": "devices name their model",
    "platforms": "software of a device",
    "module-types": "modules name their model",
    "module-bays": "modules name their bay",
    "power-ports": "watts of a device",
    "power-outlets": "watts of a device",
    "power-feeds": "power limit of a site",
    "power-panels": "power limit of a site",
    "console-ports": "management only",
    "console-server-ports": "management only",
    "cable-terminations": "cables name their terminations",
    "providers": "owner of a circuit",
    "circuit-types": "kind of a circuit",
    "virtual-chassis": "several devices managed as one",
    "tags": "records name their tags",
    "tenants": "owner of a record",
    "ip-addresses": "addresses; the twin has none",
    "prefixes": "addresses; the twin has none",
    "vlans": "logical networks; the twin has none",
}
"""Endpoints that are not read, and what each could change."""
COSTS: dict[str, tuple[str, frozenset[str]]] = {
    "cables": ("no link is made", frozenset()),
    "interfaces": (
        "rates, states and aggregation groups are unknown, and ports only by the names in cables",
        frozenset(),
    ),
    "sites": ("positions of sites, and so lengths between them, are unknown", frozenset()),
    "front-ports": ("cables to patch panels end there", frozenset({FRONT})),
    "rear-ports": ("cables to patch panels end there", frozenset({REAR, FRONT})),
    "circuits": ("lengths, rates and states of circuits are unknown", frozenset({TERMINATION})),
    "circuit-terminations": ("cables to circuits end there", frozenset({TERMINATION})),
}
"""Endpoints that a dump should have: what it costs where one is missing, and the types of cable ends that need it;
none = always."""
ENDPOINTS = (*READ_ENDPOINTS, *UNREAD_ENDPOINTS)
NAME_NOISE = re.compile(r"^(dcim|circuits|ipam|tenancy|extras|netbox|api)-|-?(page)?-?\d+$")
DEVICE_EFFECTS = {
    "serial": "identity of the device",
    "tenant": "owner of the device",
    "custom_fields": "fields of your own, such as shared-risk groups",
    "face": "side of the rack",
    "position": "height in the rack",
    "platform": "software of the device",
    "primary_ip": "addresses; the twin has none",
    "location": "room of the device",
}
HINT = "a folder of files such as devices.json, interfaces.json, cables.json"


def endpoint_of(name: str) -> str:
    """Return the endpoint of a file or a key: `dcim_devices`, `dcim/devices/`, `interfaces-2` -> its plain name."""
    text = re.sub(r"[\s_./]+", "-", name.lower()).strip("-")
    while (shorter := NAME_NOISE.sub("", text)) != text and shorter:
        text = shorter
    return text


def recognise(files: Sequence[SourceFile]) -> bool:
    """Return whether the files are named by endpoints, cables or devices among them."""
    names = {endpoint_of(file.path.stem) for file in files if file.ending == ".json"}
    if names & {"cables", "devices", "interfaces"}:
        return True
    if len(files) != 1 or not files[0].looks_like_json:
        return False
    try:
        data = files[0].data
    except DocumentError:
        return False
    if is_fixture(data):
        return True
    return isinstance(data, dict) and {"devices", "cables"} <= {endpoint_of(str(key)) for key in data}


def read(files: Sequence[SourceFile], cabling: Cabling, ledger: Ledger, _options: ImportOptions) -> None:
    """Read the endpoints in the order in which they refer to each other."""
    lists: dict[str, list[_Listed]] = {}
    for file in files:
        if file.ending != ".json":
            ledger.dropped("files", "not read: its name does not end in .json", file.name)
            continue
        for endpoint, where, value in _endpoints(file):
            if endpoint in READ_ENDPOINTS:
                lists.setdefault(endpoint, []).append(_Listed(file, where, _unpacked(value, file, where, ledger)))
            else:
                effect = UNREAD_ENDPOINTS.get(endpoint)
                if effect is None:
                    hint = did_you_mean(endpoint, ENDPOINTS) or HINT
                    ledger.finding("unknown endpoint", "file is not read", hint, f"{file.name}: {endpoint}")
                else:
                    ledger.dropped(endpoint, effect, file.name, len(_unpacked(value, file, where, ledger)))
    if "devices" not in lists:
        known = ", ".join(sorted(lists)) or "no endpoint that is read"
        raise DocumentError(f"found {known}", where=files[0].where, expected="devices among the endpoints", hint=HINT)
    missing = _missing_endpoints(lists, ledger, files[0].where)
    reader = _Reader(lists, cabling, ledger)
    reader.run()
    if missing and not (cabling.cables and reader.rest.has_interface):
        names = ", ".join(f"{endpoint}.json" for endpoint in missing)
        raise DocumentError(f"no cable can be read without {names}", where=files[0].where, hint=HINT)


def _missing_endpoints(lists: Mapping[str, Sequence[_Listed]], ledger: Ledger, where: str) -> list[str]:
    """Report the endpoints that the dump lacks and needs, with what each costs; return their names."""
    kinds = {
        kind
        for listed in lists.get("cables", ())
        for record in listed.records
        for kind in (*_end_types(record), record.get("termination_a_type"), record.get("termination_b_type"))
        if isinstance(kind, str)
    }
    missing = []
    for endpoint, (cost, needed_by) in COSTS.items():
        if endpoint not in lists and (not needed_by or needed_by & kinds):
            missing.append(endpoint)
            hint = f"dump /api/.../{endpoint}/?limit=0 as {endpoint}.json"
            ledger.finding("missing endpoint", f"no {endpoint}.json: {cost}", hint, where)
    return missing


def _end_types(record: Mapping[str, Any]) -> Iterator[Any]:
    for side in ("a_terminations", "b_terminations"):
        ends = record.get(side)
        yield from (end.get("object_type") for end in (ends if isinstance(ends, list) else ()) if isinstance(end, dict))


class _Listed:
    """The records of one endpoint in one file."""

    def __init__(self, file: SourceFile, where: str, records: Sequence[Mapping[str, Any]]) -> None:
        self.file, self.where, self.records = file, where, records


def _endpoints(file: SourceFile) -> Iterator[tuple[str, str, Any]]:
    """Yield (endpoint, place, value): the whole file by its name, or each key of a file of several endpoints."""
    data = file.data
    if is_fixture(data):
        yield from ((endpoint, endpoint, records) for endpoint, records in fixture_endpoints(data).items())
        return
    several = isinstance(data, dict) and "results" not in data
    keys = {key: endpoint_of(key) for key in data} if several else {}
    if several and any(endpoint in ENDPOINTS for endpoint in keys.values()):
        yield from ((endpoint, str(key), data[key]) for key, endpoint in keys.items())
    else:
        yield endpoint_of(file.path.stem), "", data


def _unpacked(value: Any, file: SourceFile, where: str, ledger: Ledger) -> Sequence[Mapping[str, Any]]:
    """Return the records of an API envelope or a bare list; an envelope that is one page of several is a finding."""
    place = f"{file.where}: {where}" if where else file.where
    if isinstance(value, dict):
        results = value.get("results")
        count = value.get("count")
        if isinstance(results, list) and isinstance(count, int) and count > len(results) and value.get("next"):
            problem = "one page of several; records are missing unless the other pages are here too"
            ledger.finding("incomplete dump", problem, "dump with ?limit=0", f"{file.name}: {len(results)} of {count}")
        value = results
    return records_of(value, place, "an API envelope with results, or a list of objects")


class _Reader:
    """Reads sites, devices and interfaces; ports, cables and circuits are left to `CablingReader`."""

    def __init__(self, lists: dict[str, list[_Listed]], cabling: Cabling, ledger: Ledger) -> None:
        self.lists, self.cabling, self.ledger = lists, cabling, ledger
        self.rest = CablingReader(cabling, ledger)
        self.modules = ModuleReader(cabling, ledger)

    def run(self) -> None:
        """Read all endpoints, then leave out devices without any port for data."""
        for fields, record_id, file in self._records("sites"):
            self._site(fields, record_id, file)
        for fields, record_id, file in self._records("devices"):
            self._device(fields, record_id, file)
        for reader, endpoint in (
            (self.rest.provider_network, "provider-networks"),
            (self.rest.circuit, "circuits"),
            (self.rest.circuit_termination, "circuit-terminations"),
            (self.rest.rear_port, "rear-ports"),
            (self.rest.front_port, "front-ports"),
            (self.modules.module, "modules"),
            (self.modules.inventory_item, "inventory-items"),
        ):
            for fields, record_id, file in self._records(endpoint):
                reader(fields, record_id, file)
        cabled = self._cabled()
        for fields, record_id, _file in self._records("interfaces"):
            self._interface(fields, record_id, record_id in cabled)
        for fields, record_id, file in self._records("cables"):
            self.rest.cable(fields, record_id, file)
        self.rest.finish()
        self.modules.finish()

    def _records(self, endpoint: str) -> Iterator[tuple[Fields, int, str]]:
        """Yield (fields, id, file) of each record; an id that stands twice is a finding."""
        seen: set[int] = set()
        for listed in self.lists.get(endpoint, ()):
            prefix = f"{listed.where}[" if listed.where else "["
            for i, record in enumerate(listed.records):
                record_id = record.get("id")
                place = f"{listed.file.name} {prefix}{i}]"
                if not isinstance(record_id, int) or isinstance(record_id, bool):
                    raise DocumentError("has no number as id", where=f"{listed.file.where}: {place}", hint=HINT)
                if record_id in seen:
                    self.ledger.finding("duplicate id", "only the first record of an id is used", "", place)
                    continue
                seen.add(record_id)
                fields = Fields(record, endpoint, f"{prefix}{i}]", self.ledger)
                fields.skip("id", "url", "display", "display_url", "created", "last_updated", "slug", "_occupied")
                yield fields, record_id, listed.file.name

    def _cabled(self) -> set[int | None]:
        """Return the ids of interfaces that a cable names."""
        found: set[int | None] = set()
        for listed in self.lists.get("cables", ()):
            for record in listed.records:
                for side in ("a_terminations", "b_terminations"):
                    ends = record.get(side)
                    for end in ends if isinstance(ends, list) else ():
                        if isinstance(end, dict) and end.get("object_type") == INTERFACE:
                            found.add(id_of(end.get("object_id")))
                for side in ("termination_a", "termination_b"):  # before version 3.3
                    if record.get(f"{side}_type") == INTERFACE:
                        found.add(id_of(record.get(f"{side}_id")))
        return found

    def _site(self, fields: Fields, record_id: int, file: str) -> None:
        name = fields.text("name") or f"site {record_id}"
        latitude, longitude = fields.number("latitude", -90, 90), fields.number("longitude", -180, 180)
        key = place_at(self.cabling, f"site {record_id}", name, latitude, longitude)
        self.cabling.places[key].source = fields.source(file, str(record_id))
        fields.close({"physical_address": "text only"})

    def _device(self, fields: Fields, record_id: int, file: str) -> None:
        display = fields.record.get("display")
        name = fields.text("name") or (
            plain(display) if isinstance(display, str) and display else f"device {record_id}"
        )
        role = plain(name_of(fields.raw("role", "device_role")))
        device = Device(f"device {record_id}", name, role=role, source=fields.source(file, str(record_id)))
        site = fields.raw("site")
        site_id = id_of(site)
        if site_id is not None:
            name_of_site = plain(name_of(site)) or f"site {site_id}"
            device.place = place_at(self.cabling, f"site {site_id}", name_of_site, None, None)
            fields.count("site")
        status = choice_of(fields.raw("status"))
        device.up = status in UP_STATES
        if status:
            fields.count("status", f"{status[:40]} → {'up' if device.up else 'down'}")
        device.tags = tuple(self._tags(fields))
        device.models = model_names(fields.record.get("device_type"))
        fields.close(DEVICE_EFFECTS)
        self.cabling.devices[device.key] = device

    def _tags(self, fields: Fields) -> Iterator[str]:
        """Yield the tags of a device; its model and rack become tags too."""
        tags = fields.raw("tags")
        for tag in tags if isinstance(tags, list) else ():
            text = tag if isinstance(tag, str) else name_of(tag)
            if text:
                fields.count("tags")
                yield plain(text)
        kind = fields.raw("device_type")
        model = name_of(kind, "model")
        if model:
            maker = name_of(kind.get("manufacturer"))
            fields.count("device_type", "tag, and the part of a model that is known")
            yield plain(f"model: {maker} {model}".replace("  ", " "))
        rack = name_of(fields.raw("rack"))
        if rack:
            fields.count("rack", "tag")
            yield plain(f"rack: {rack}")

    def _interface(self, fields: Fields, record_id: int, is_cabled: bool) -> None:
        device = f"device {id_of(fields.raw('device'))}"
        name = fields.text("name") or f"interface {record_id}"
        kind = choice_of(fields.raw("type"))
        if kind in VIRTUAL or kind.startswith(WIRELESS):
            self.ledger.dropped("interfaces", "virtual, aggregated or wireless: no cable of its own", name)
            return
        self.rest.has_interface.add(device)
        end = End(device, name)
        rate = fields.number("speed", 1e-9, MAX_CAPACITY_GBPS, "kb/s → Gb/s", 1e-6)
        if rate is None:
            rate = type_gbps(kind)
            if rate is not None:
                fields.count("type", "interface type → Gb/s")
            elif is_cabled:
                problem = f"type {kind[:60]!r} states no rate" if kind else "no type and no speed"
                hint = "state speed, or --capacity-gbps"
                where = self.cabling.devices[device].name if device in self.cabling.devices else device
                self.ledger.finding("unknown interface type", problem, hint, f"{where}:{name}")
        lag = plain(name_of(fields.raw("lag")))
        if lag:
            fields.count("lag", "members of one link")
        enabled = fields.raw("enabled")
        if enabled is not None:
            fields.count("enabled")
        self.rest.ports[INTERFACE, record_id] = end
        optic, port = self.modules.interface(record_id, end, fields, kind), port_of(kind)
        if is_cabled:
            cages = port.cages if port is not None else ()
            self.cabling.interfaces[end] = Interface(
                rate, lag, enabled is not False, optic, cages, is_management=fields.raw("mgmt_only") is True
            )
            fields.close()
