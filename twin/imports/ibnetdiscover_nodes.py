"""Nodes of an InfiniBand fabric: switches with the names that they carry, and hosts of their adapters."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from .cabling import Cabling, Device, End, Origin
from .ledger import Ledger
from .roles import OPTION, kind_of_word

AGGREGATION = "Aggregation Node"
"""End of the description of the unit of a switch that reduces; it looks like an adapter."""
ADAPTER = re.compile(
    r"(\S+)\s+((?:HCA|ibp|rocep|mlx\d|mthca|qib|hfi1|ionic|bnxt_re|irdma)[-_]?\w*)(?:\s+\(.*\))?", re.I
)
"""Description of an adapter: host, and name of the card, such as `node001 HCA-1` and `node001 mlx5_0`."""
CARD_NUMBER = re.compile(r"(\d+)$")
MANAGED = re.compile(r"MF0;([^:;]+):([^/]*)(/.*)?")
"""Description of a managed switch: host name, model, and the unit inside of a chassis."""
MAX_RAILS = 64
FEW_HOSTS = 4
"""A switch is no leaf if the switches around it have, in the mean, more than this many times its hosts."""


@dataclass(slots=True)
class IbNode:
    """A switch, an adapter or a router."""

    id: str
    description: str
    source: Origin
    is_described: bool
    """True if it has a block of its own."""
    device: str | None = None
    """Key of its device; None = it is left out."""
    card: str = ""
    """Name of the adapter in its host; empty for a switch."""


class Nodes:
    """Nodes by id; several adapters may be cards of one host."""

    def __init__(self, cabling: Cabling, ledger: Ledger) -> None:
        self.cabling, self.ledger = cabling, ledger
        self.by_id: dict[str, IbNode] = {}

    def add(self, node_id: str, description: str, source: Origin, is_described: bool = False) -> IbNode:
        """Add a node, or return the one of the same id; its own block goes before what others say of it."""
        node = self.by_id.get(node_id)
        if node is None:
            node = self.by_id[node_id] = IbNode(node_id, description, source, is_described)
        elif is_described and not node.is_described:
            node.is_described, node.source = True, source
            node.description = description or node.description
        elif description and not node.description:
            node.description = description
        return node

    def described(self) -> set[str]:
        """Return the keys of the devices whose blocks were read."""
        return {node.device for node in self.by_id.values() if node.is_described and node.device is not None}

    def end(self, node_id: str, port: int) -> End | None:
        """Return a port of a device; that of a card has the name of the card before it."""
        node = self.by_id[node_id]
        if node.device is None:
            return None
        return End(node.device, f"{node.card}/{port}" if node.card else str(port))

    def settle(self, peers: Mapping[tuple[str, int], tuple[str, int]]) -> None:
        """Make the devices: switches by their names, and one host of all cards that name it.

        peers: port -> the port at the other end.
        """
        hosts: dict[str, list[tuple[str, IbNode]]] = defaultdict(list)
        switches: list[IbNode] = []
        for node in self.by_id.values():
            if node.id[0] != "H":
                switches.append(node)
            elif node.description.endswith(AGGREGATION):
                self.ledger.dropped("aggregation nodes", "unit inside of a switch, no host", node.id)
            else:
                match = ADAPTER.fullmatch(node.description)
                name, card = (match[1], match[2]) if match else (node.id, "")
                hosts[name].append((card, node))
        for name, cards in hosts.items():
            self._host(name, cards)
        self._switches(switches, peers)
        self._rails(switches, peers)

    def _host(self, name: str, cards: list[tuple[str, IbNode]]) -> None:
        first = cards[0][1]
        if len(cards) > 1 and len({card for card, _ in cards}) < len(cards):
            problem = "two adapters of one host have the same name; each is a card of it"
            self.ledger.finding("duplicate id", problem, "check the names of the hosts", name)
        device = Device(f"host {name}", name, kind="host", source=first.source)
        if not cards[0][0]:
            device.display_name = first.description
            if first.description:
                self.ledger.converted("Ca.description", "names no host: the adapter is a host, named by its GUID")
        else:
            device.n_cards = len(cards)
            self.ledger.converted("Ca.description", "host and card → one host with its cards", len(cards))
            device.tags = tuple(f"card: {card} {node.id}" for card, node in cards)
        self.cabling.devices[device.key] = device
        taken: set[str] = set()
        for card, node in cards:
            node.device = device.key
            node.card = card if card not in taken else f"{card} {node.id}"
            taken.add(card)

    def _switches(self, switches: list[IbNode], peers: Mapping[tuple[str, int], tuple[str, int]]) -> None:
        """Name the switches; a description that several have is no name."""
        n_of: dict[str, int] = defaultdict(int)
        names = {node.id: _switch_names(node.description) for node in switches}
        for short, full in names.values():
            for name in {short, full}:
                n_of[name] += 1
        leaves = self._leaves(peers)
        for node in switches:
            name = next((name for name in names[node.id] if name and n_of[name] == 1), node.id)
            shown = node.description if node.description != name else ""
            device = Device(f"switch {node.id}", name, source=node.source, display_name=shown)
            device.tags = (f"guid: {node.id}",)
            if kind_of_word("", name) is None:
                device.kind = "leaf" if node.id in leaves else "spine"
                why = "hosts are attached to it" if device.kind == "leaf" else "it joins switches with hosts"
                self.ledger.assumed("kind of a device", device.kind, why, OPTION, name)
            node.device = device.key
            self.cabling.devices[device.key] = device

    def _leaves(self, peers: Mapping[tuple[str, int], tuple[str, int]]) -> set[str]:
        """Return the switches with hosts, without those that join switches with far more hosts.

        A manager of the fabric or a gateway is often attached to a spine.
        """
        n_hosts: dict[str, int] = defaultdict(int)
        beside: dict[str, set[str]] = defaultdict(set)
        for near, far in {(min(pair), max(pair)) for pair in peers.items()}:
            for switch, other in ((near[0], far[0]), (far[0], near[0])):
                if switch[0] == "H":
                    continue
                if other[0] != "H":
                    beside[switch].add(other)
                elif self.by_id[other].device is not None:
                    n_hosts[switch] += 1
        return {
            switch
            for switch, n in n_hosts.items()
            if not beside[switch]
            or sum(n_hosts.get(b, 0) for b in beside[switch]) <= FEW_HOSTS * n * len(beside[switch])
        }

    def _rails(self, switches: list[IbNode], peers: Mapping[tuple[str, int], tuple[str, int]]) -> None:
        """Set the rail of switches where all hosts of each switch are attached by the same card of several."""
        cards: dict[str, set[str]] = defaultdict(set)
        for near, far in peers.items():
            for switch, host in ((near[0], far[0]), (far[0], near[0])):
                if switch[0] == "S" and host[0] == "H" and self.by_id[host].device is not None:
                    cards[switch].add(self.by_id[host].card)
        several = [d for d in self.cabling.devices.values() if (d.n_cards or 0) > 1]
        numbers = sorted({_number(next(iter(found))) for found in cards.values() if len(found) == 1})
        is_by_rail = several and len(numbers) > 1 and all(len(found) == 1 for found in cards.values())
        if not is_by_rail or numbers[0] < 0 or len(numbers) > MAX_RAILS:
            return
        for node in switches:
            if node.id in cards and node.device is not None:
                device = self.cabling.devices[node.device]
                device.rail = numbers.index(_number(next(iter(cards[node.id]))))
                why = "all of its hosts are attached by the same card"
                self.ledger.assumed("rail of a switch", str(device.rail), why, "rail of nodes", device.name)

    def check_cards(self) -> None:
        """Leave out the number of cards of hosts whose cables do not reach every card, or not every rail alike."""
        n_ports: dict[str, dict[int | None, int]] = defaultdict(lambda: defaultdict(int))
        for cable in self.cabling.cables:
            for end, other in (cable.ends, cable.ends[::-1]):
                n_ports[end.device][self.cabling.devices[other.device].rail] += 1
        for key, device in self.cabling.devices.items():
            if device.n_cards is None:
                continue
            by_rail = n_ports[key]
            rails = [n for rail, n in by_rail.items() if rail is not None]
            is_even = not rails or min(rails) * len(rails) >= device.n_cards
            if sum(by_rail.values()) < device.n_cards or not is_even:
                problem = "its cables do not reach each card alike; the number of cards is not set"
                self.ledger.finding("uneven cards", problem, "state n_cards of the host", device.name)
                device.n_cards = None


def _number(card: str) -> int:
    """Return the number of a card; -1 for a card without one."""
    match = CARD_NUMBER.search(card)
    return int(match[1][:9]) if match else -1


def _switch_names(description: str) -> tuple[str, str]:
    """Return the names that a description of a switch may stand for: the short one, and a longer one."""
    match = MANAGED.fullmatch(description)
    if match is None:
        return description, description
    return match[1], match[1] + (match[3] or "")
