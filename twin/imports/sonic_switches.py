"""Switches of SONiC: kinds by their types, ports with aliases, bundles, and cables that several files state."""

from __future__ import annotations

from dataclasses import dataclass, field

from .cabling import Cable, Cabling, Device, End, Interface, Origin
from .fields import Fields
from .ledger import Ledger
from .sightings import Sightings, port_key

KINDS: dict[str, str] = {
    "torrouter": "leaf",
    "backendtorrouter": "leaf",
    "mgmttorrouter": "leaf",
    "bmcmgmttorrouter": "leaf",
    "leafrouter": "spine",
    "backendleafrouter": "spine",
    "mgmtleafrouter": "spine",
    "spinerouter": "core",
    "lowerspinerouter": "core",
    "upperspinerouter": "core",
    "fabricspinerouter": "core",
    "spinechassisfrontendrouter": "core",
    "spine": "core",
    "supervisor": "core",
    "linecard": "core",
    "corerouter": "core",
    "regionalhub": "border",
    "lowerregionalhub": "border",
    "upperregionalhub": "border",
    "fabricregionalhub": "border",
    "aznghub": "border",
    "edgezoneaggregator": "border",
    "regionalwanaggregator": "border",
    "server": "host",
    "ixia": "host",
    "miniserver": "host",
    "msee": "border",
}
"""Type of a device, lower case -> kind. A leaf of SONiC is the tier above the top-of-rack switches."""
ASICS = frozenset({"asic", "fabricasic", "linecardasic"})
INSIDE = ASICS | {"chassisbackendrouter", "smartcable", "minits", "consoleserver"}
"""Types of what is inside a switch or a cable, or for management."""
INSIDE_EFFECT = "inside of a switch or a cable, or for management"
FAR_BUNDLE = ("bundle at the far end", "as at the near end", "no file of the device at the far end", "")


@dataclass(slots=True)
class Switch:
    """Figures of one device, from all files that name it."""

    name: str
    kind: str = ""
    described_by: dict[str, str] = field(default_factory=dict)
    """Kind of a file of its own -> file."""
    aliases: dict[str, str] = field(default_factory=dict)
    """`port_key` of an alias -> name of the port."""
    ports: dict[str, Interface] = field(default_factory=dict)
    """`port_key` of a name -> what is stated of the port."""
    alias_ports: dict[str, Interface] = field(default_factory=dict)
    """`port_key` of an alias -> what a minigraph states of the port."""


class Switches:
    """Collects what the files state, and makes devices and cables."""

    def __init__(self, cabling: Cabling, ledger: Ledger) -> None:
        self.cabling, self.ledger = cabling, ledger
        self.by_key: dict[str, Switch] = {}
        self.left_out: set[str] = set()
        self.links: list[tuple[Cable, tuple[bool, bool]]] = []
        """Cables, and whether the port of each end may be an alias: an alias of one port may be the name of another."""

    def device(self, name: str, kind: str, source: Origin, fields: Fields | None = None) -> Switch:
        """Return a device by its name, whose letters may be in any case; its type is settled by the first file."""
        key = name.casefold()
        switch = self.by_key.get(key)
        if switch is None:
            switch = self.by_key[key] = Switch(name)
            self.cabling.devices[key] = Device(key, name, source=source)
        self._settle_kind(key, switch, kind, fields)
        return switch

    def describe(self, name: str, kind_of_file: str, source: Origin) -> Switch:
        """Return the device that a file is of; two files of one kind and one name are a finding."""
        switch = self.device(name, "", source)
        other = switch.described_by.setdefault(kind_of_file, source["file"])
        if other != source["file"]:
            problem = "two files are of one hostname; both are read as of one switch"
            self.ledger.finding("duplicate id", problem, "state hostnames", f"{name}: {other}, {source['file']}")
        return switch

    def _settle_kind(self, key: str, switch: Switch, kind: str, fields: Fields | None) -> None:
        if not kind:
            return
        if switch.kind and switch.kind.casefold() != kind.casefold():
            problem = "files state different types of a device; the first one is used"
            self.ledger.finding("conflict", problem, "check the files", f"{switch.name}: {switch.kind}, {kind}")
            return
        switch.kind = switch.kind or kind
        if kind.casefold() in INSIDE:
            self.left_out.add(key)
            return
        found = KINDS.get(kind.casefold())
        device = self.cabling.devices[key]
        if found is None:
            device.role = device.role or kind
        elif device.kind is None:
            device.kind = found  # type: ignore[assignment]
            if fields is not None:
                self.ledger.converted(f"{fields.kind}.type", f"{kind} → {found}")

    def finish(self) -> None:
        """Make cables; a port has its name, not its alias."""
        for key in self.left_out:
            self.ledger.dropped("devices", INSIDE_EFFECT, self.by_key[key].name)
            del self.cabling.devices[key]
        seen = Sightings(self.cabling, self.ledger, "links")
        for switch in self.by_key.values():
            for alias, stated in switch.alias_ports.items():
                own = switch.ports.setdefault(port_key(switch.aliases.get(alias, alias)), stated)
                own.bundle = own.bundle or stated.bundle
                own.capacity_gbps = own.capacity_gbps if own.capacity_gbps is not None else stated.capacity_gbps
        for cable, are_aliases in self.links:
            ends = [self._end(end, is_alias) for end, is_alias in zip(cable.ends, are_aliases, strict=True)]
            if any(end.device in self.left_out for end in ends):
                self.ledger.dropped("links", INSIDE_EFFECT, cable.key)
                continue
            cable.ends = ends[0], ends[1]
            seen.add(cable)
        described = {key for key, switch in self.by_key.items() if switch.described_by}
        seen.finish(described)
        for cable in self.cabling.cables:
            self._set_interfaces(cable, described)

    def _end(self, end: End, is_alias: bool) -> End:
        if not is_alias:
            return end
        return End(end.device, self.by_key[end.device].aliases.get(port_key(end.port), end.port))

    def _set_interfaces(self, cable: Cable, described: set[str]) -> None:
        """Give the ports of a cable their rates and bundles; a far end without a file has the bundle of this end."""
        found: list[Interface | None] = []
        for end in cable.ends:
            known = self.by_key[end.device].ports.get(port_key(end.port))
            found.append(known)
            if known is not None:
                self.cabling.interfaces[end] = known
        for here, there, end in ((0, 1, cable.ends[1]), (1, 0, cable.ends[0])):
            near = found[here]
            if near is not None and near.bundle and found[there] is None and end.device not in described:
                self.cabling.interfaces[end] = Interface(bundle=near.bundle)
                self.ledger.assumed(*FAR_BUNDLE, f"{self.by_key[end.device].name}:{end.port}")
