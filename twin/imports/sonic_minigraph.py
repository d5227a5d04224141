"""Minigraph of SONiC: devices and links around one switch, and the bundles of that switch."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .cabling import Cable, End, Interface
from .fields import Fields, origin
from .files import SourceFile
from .options import MAX_CAPACITY_GBPS
from .sightings import port_key
from .sonic_config import MBPS
from .sonic_switches import ASICS, Switches
from .xml_tree import Element

ROOTS = ("DeviceMiniGraph", "Device")
"""Names of the root: a minigraph, or the description of one device."""
CHIP = re.compile(r"(^|-)ASIC\d+$", re.IGNORECASE)
"""Names of chips inside of a switch."""
DATA_LINKS = frozenset({"DeviceInterfaceLink", "UnderlayInterfaceLink", ""})
LINK_EFFECTS = {
    "DeviceMgmtLink": "the management network carries no data",
    "DeviceSerialLink": "console; it carries no data",
    "BackendFabricLink": "inside of a chassis",
    "LogicalLink": "port of a cable with a switch in it; the link to the server is stated by its own",
}
FIELD_EFFECTS = {"Validate": "check of the cabling", "FlowControl": "pause frames of the port",
                 "AutoNegotiation": "negotiation of the rate", "HwSku": "model of the device"}  # fmt: skip
SECTIONS = {
    "CpgDec": "routing; the twin has its own",
    "DpgDec": "addresses; its bundles are read",
    "UngDec": "other parts of the description",
    "MetadataDeclaration": "settings of the switch",
    "LinkMetadataDeclaration": "settings of links",
}


def read_minigraph(file: SourceFile, root: Element, switches: Switches) -> None:
    """Read devices and links, then rates and bundles of the switch that the file is of."""
    reader = _MinigraphReader(file, switches)
    if root.name == "Device":
        reader.device(root)
        return
    reader.host = root.text_of("Hostname").casefold()
    for section in root.children:
        if section.name == "PngDec":
            for device in _inside(section, "Devices", "Device"):
                reader.device(device)
            reader.own_device(root.text_of("Hostname"), root.line)
            for link in _inside(section, "DeviceInterfaceLinks", "DeviceLinkBase"):
                reader.link(link)
        elif section.name in SECTIONS:
            switches.ledger.dropped(f"minigraph.{section.name}", SECTIONS[section.name], file.name)
    for section in root.children:
        if section.name == "DeviceInfos":
            reader.speeds(section)
        elif section.name == "DpgDec":
            reader.bundles(section)


def _inside(element: Element, *names: str) -> Iterator[Element]:
    """Yield the elements at a path."""
    for child in element.all(names[0]):
        if len(names) == 1:
            yield child
        else:
            yield from _inside(child, *names[1:])


def _type(element: Element) -> str:
    """Return the type of an element, as its attribute states it."""
    return element.attributes.get("type", "").rpartition(":")[2]


class _MinigraphReader:
    """Reads one minigraph."""

    def __init__(self, file: SourceFile, switches: Switches) -> None:
        self.file, self.switches, self.ledger = file, switches, switches.ledger
        self.host = ""

    def _fields(self, element: Element, kind: str) -> Fields:
        record = {child.name: child.text.strip() for child in element.children if child.text.strip()}
        return Fields(record, kind, f"line {element.line}", self.ledger)

    def device(self, element: Element) -> None:
        """Add a device."""
        fields = self._fields(element, "devices")
        name = fields.text("Hostname").strip('"')
        kind = fields.text("ElementType") or _type(element)
        if not name:
            self.ledger.finding("missing name", "a device without Hostname is left out", "name it", fields.place)
            return
        self.switches.device(name, kind, fields.source(self.file.name, name), fields)
        model = fields.text("HwSku")
        device = self.switches.cabling.devices[name.casefold()]
        if model and not device.tags:
            device.tags, device.models = (f"model: {model}",), (model,)
        fields.close(FIELD_EFFECTS)

    def own_device(self, name: str, line: int) -> None:
        """Mark the switch that the file is of; it is added if the file does not list it."""
        if name:
            self.switches.describe(name, "minigraph", origin(self.file.name, f"line {line}", name))

    def link(self, element: Element) -> None:
        """Add a link for data."""
        fields = self._fields(element, "links")
        kind = fields.text("ElementType") or _type(element)
        if kind not in DATA_LINKS:
            self.ledger.dropped(f"links of type {kind[:60]}", LINK_EFFECTS.get(kind, "no link for data"), fields.place)
            return
        is_internal = fields.flag("ChassisInternal") is True
        stated = fields.text("StartDevice"), fields.text("EndDevice")
        names = self._owners(*stated, is_internal)
        if names is None:
            self.ledger.dropped("links inside of a chassis", "inside of a chassis", fields.place)
            return
        ports = [fields.text("StartPort"), fields.text("EndPort")]
        for i in (0, 1):
            if names[i] != stated[i]:  # ports of several chips have the same names
                ports[i] = f"{stated[i]} {ports[i]}"
        rate = None
        if fields.record.get("Bandwidth") not in (None, "0"):
            rate = fields.number("Bandwidth", 1e-9, MAX_CAPACITY_GBPS, "Mb/s → Gb/s", MBPS)
        fields.close(FIELD_EFFECTS)
        if not all(names):
            problem = "an end names no device; no link is made"
            self.ledger.finding("one-sided cable", problem, "state StartDevice and EndDevice", fields.place)
            return
        for name in names:
            self.switches.device(name, "", fields.source(self.file.name, name))
        ends = [End(name.casefold(), port) for name, port in zip(names, ports, strict=True)]
        if ends[1].device == self.host:
            ends.reverse()
        place = f"{names[0]}:{ports[0]} ~ {names[1]}:{ports[1]}"
        cable = Cable(place, (ends[0], ends[1]), capacity_gbps=rate, source=fields.source(self.file.name))
        self.switches.links.append((cable, (True, True)))

    def _owners(self, start: str, end: str, is_internal: bool) -> tuple[str, str] | None:
        """Return the devices of a link, the switch for its chip; None for a link inside of a chassis."""
        are_chips = [self._is_chip(name) for name in (start, end)]
        if not any(are_chips):
            return None if is_internal else (start, end)
        outside = end if are_chips[0] else start
        if all(are_chips) or outside.casefold() == self.host or not self.host:
            return None
        own = self.switches.by_key[self.host].name
        self.ledger.converted("links.StartDevice, links.EndDevice", "chip of the switch → the switch")
        return (own, end) if are_chips[0] else (start, own)

    def _is_chip(self, name: str) -> bool:
        switch = self.switches.by_key.get(name.casefold())
        return (switch is not None and switch.kind.casefold() in ASICS) or CHIP.search(name) is not None

    def speeds(self, section: Element) -> None:
        """Read the speeds of the switch's own ports; a link's own bandwidth goes before them."""
        switch = self.switches.by_key.get(self.host)
        if switch is None:
            return
        for element in _inside(section, "DeviceInfo", "EthernetInterfaces", "EthernetInterface"):
            fields = self._fields(element, "interfaces")
            names = fields.text("InterfaceName"), fields.text("PortName")
            rate = fields.number("Speed", 0, MAX_CAPACITY_GBPS, "Mb/s → Gb/s", MBPS)
            fields.skip(*fields.record)
            key = port_key(names[0] or names[1])
            if key and rate:
                switch.alias_ports.setdefault(key, Interface()).capacity_gbps = rate

    def bundles(self, section: Element) -> None:
        """Read the bundles of the switch's own ports."""
        switch = self.switches.by_key.get(self.host)
        if switch is None:
            return
        for info in section.all("DeviceDataPlaneInfo"):
            owner = info.text_of("Hostname")
            chip = f"{owner} " if self._is_chip(owner) else ""
            for element in _inside(info, "PortChannelInterfaces", "PortChannel"):
                fields = self._fields(element, "bundles")
                name, members = fields.text("Name"), fields.texts("AttachTo")
                fields.close()
                for port in members if name else ():
                    switch.alias_ports.setdefault(port_key(chip + port), Interface()).bundle = name
