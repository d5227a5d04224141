"""Topology file of containerlab: a lab of the network, with what the twin knows of it as variables.

Source: containerlab, schema of topology files (version 0.76). Variables of nodes (`config.vars`) and links (`vars`) are
free; all attributes are under `twin` there, so that `twin import` gives them back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ..errors import DocumentError
from ..imports.ledger import Ledger
from ..model.records import FORWARDING_KINDS
from .plain import Attributes, PlainNetwork

MAX_LAB_LINKS = 100_000
"""Links of a lab, as many as can be read again; no computer runs as many."""
SWITCH_KIND, END_KIND = "nokia_srlinux", "linux"
IMAGES = {SWITCH_KIND: "ghcr.io/nokia/srlinux", END_KIND: "ghcr.io/srl-labs/network-multitool"}
"""Kinds of containerlab for switches and for end points, where no tag names another."""
PORT_FORMATS = {SWITCH_KIND: "e1-{}"}
OTHER_PORT = "eth{}"
MAX_LAB_NAME = 50
NOT_IN_NAME = re.compile(r"[^a-zA-Z0-9._-]+")
NOT_PLAIN = re.compile("[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""Characters that a quoted text of YAML holds only as an escape. Source: YAML 1.2.2, productions 1 and 109."""
PORT_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9/._-]{0,40}")
FROM_TAGS = ("kind", "type", "image")
"""Settings of a node that tags such as `kind: nokia_srlinux` name, as an import of a topology leaves them."""


def write(network: PlainNetwork, ledger: Ledger) -> dict[str, bytes]:
    """Return the file. Members of a link are links of their own in the lab; demands stand with their source."""
    lab = _Lab(network, ledger)
    lines = [f"name: {_name(network.name, {}) if network.name else 'twin'}\n", "topology:\n"]
    if network.name:
        lines.append(f"  defaults: {_text({'config': {'vars': {'twin': {'name': network.name}}}})}\n")
    ledger.kept("document.name")
    kinds = {kind: {"image": image} for kind, image in IMAGES.items() if kind in lab.kinds_used}
    if kinds:
        lines.append(f"  kinds: {_text(kinds)}\n")
    lines.append("  nodes:\n" if network.nodes else "  nodes: {}\n")
    lines += [f"    {_text(name)}: {_text(settings)}\n" for name, settings in lab.nodes()]
    lines.append("  links:\n" if network.links else "  links: []\n")
    lines += lab.links()
    return {"": "".join(lines).encode()}


class _Lab:
    """Names, kinds and ports of a lab."""

    def __init__(self, network: PlainNetwork, ledger: Ledger) -> None:
        self.network, self.ledger = network, ledger
        taken: dict[str, int] = {}
        self.names = {node["id"]: _name(node["id"], taken) for node in network.nodes}
        self.settings = {node["id"]: _settings(node) for node in network.nodes}
        self.kinds_used = {settings["kind"] for settings in self.settings.values()}
        self.has_own_kind = {node["id"] for node in network.nodes if _stated_settings(node)}
        self.ports: dict[str, set[str]] = {node["id"]: set() for node in network.nodes}
        self.n_ports: dict[str, int] = dict.fromkeys(self.ports, 0)

    def nodes(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield name and settings of each node."""
        demands: dict[str, list[Attributes]] = {}
        for demand in self.network.demands:
            rest = {name: value for name, value in demand.items() if name != "source"}
            demands.setdefault(demand["source"], []).append(rest)
        if demands:
            n = len(self.network.demands)
            self.ledger.converted("demands", "variables of the source; the lab sends no traffic", n)
        n_renamed = sum(name != node_id for node_id, name in self.names.items())
        if n_renamed:
            self.ledger.converted("nodes.id", "name that a container may have; a variable keeps the id", n_renamed)
        for node in self.network.nodes:
            own = node | ({"demands": demands[node["id"]]} if node["id"] in demands else {})
            settings = self.settings[node["id"]] | {"group": node["kind"], "config": {"vars": {"twin": own}}}
            self.ledger.converted("nodes.kind", f"lab kind {settings['kind']}")
            yield self.names[node["id"]], settings

    def links(self) -> Iterator[str]:
        """Yield the lines of the links, one link for each member. Raises DocumentError for too many members."""
        n_members = sum(link.get("n_parallel", 1) for link in self.network.links)
        if n_members > MAX_LAB_LINKS:
            expected = f"at most {MAX_LAB_LINKS:,} members of links"
            raise DocumentError(f"{n_members:,} members", where="containerlab", expected=expected, hint="export a part")
        if n_members > len(self.network.links):
            self.ledger.converted("links.n_parallel", "a link of the lab for each member", n_members)
        n_down = sum(link.get("up") is False or link.get("n_failed", 0) > 0 for link in self.network.links)
        if n_down:
            self.ledger.converted("links.up, links.n_failed", "a variable; the lab has the link up", n_down)
        for link in self.network.links:
            own = {name: value for name, value in link.items() if name not in ("source", "target", "n_parallel")}
            stated = self._stated_ports(link)
            for i in range(link.get("n_parallel", 1)):
                ports = stated[i] if i < len(stated) else ("", "")
                ends = [self._end(link[end], port) for end, port in zip(("source", "target"), ports, strict=True)]
                yield f"    - endpoints: {_text(ends)}\n      vars: {_text({'twin': own})}\n"
                own = {"id": link["id"]}

    def _stated_ports(self, link: Attributes) -> list[tuple[str, str]]:
        """Return the ports of the members that tags name, `leaf-1:e1-1 ~ spine-1:e1-3`, source first."""
        found: list[tuple[str, str]] = []
        ends = [f"{link['source']}:", f"{link['target']}:"]
        for tag in link.get("tags", ()):
            parts = tag.split(" ~ ")
            if len(parts) == 2 and not parts[0].startswith(ends[0]):
                parts.reverse()
            if len(parts) == 2 and all(part.startswith(end) for part, end in zip(parts, ends, strict=True)):
                found.append((parts[0].removeprefix(ends[0]), parts[1].removeprefix(ends[1])))
        return found

    def _end(self, node_id: str, stated: str) -> str:
        """Return an endpoint: the stated port where the lab's own kind is stated too, else the next free one."""
        taken = self.ports[node_id]
        kind = self.settings[node_id]["kind"]
        port = stated
        if node_id not in self.has_own_kind or not PORT_NAME.fullmatch(stated) or stated in taken:
            while True:
                self.n_ports[node_id] += 1
                port = PORT_FORMATS.get(kind, OTHER_PORT).format(self.n_ports[node_id])
                if port not in taken:
                    break
        taken.add(port)
        return f"{self.names[node_id]}:{port}"


def _stated_settings(node: Attributes) -> dict[str, str]:
    """Return kind, type and image of a node that its tags name; empty without a kind."""
    stated: dict[str, str] = {}
    for tag in node.get("tags", ()):
        name, sign, value = tag.partition(": ")
        if sign and name in FROM_TAGS:
            stated.setdefault(name, value)
    return stated if "kind" in stated else {}


def _settings(node: Attributes) -> dict[str, str]:
    """Return the settings of a node: those that its tags name, else the usual kind."""
    forwards = node.get("forwards")
    is_switch = node["kind"] in FORWARDING_KINDS if forwards is None else forwards
    return _stated_settings(node) or {"kind": SWITCH_KIND if is_switch else END_KIND}


def _name(text: str, taken: dict[str, int]) -> str:
    """Return a name that containerlab takes, unique among those taken whatever the case of their letters."""
    plain = NOT_IN_NAME.sub("-", text).strip("-._")[:MAX_LAB_NAME] or "n"
    name, n = plain, taken.get(plain.lower(), 0)
    while name.lower() in taken:
        n += 1
        name = f"{plain}-{n}"
    taken[plain.lower()] = n
    taken[name.lower()] = taken.get(name.lower(), 0)
    return name


def _text(value: Any) -> str:
    """Return plain data as JSON that YAML reads alike."""
    return NOT_PLAIN.sub(_escape, json.dumps(value, ensure_ascii=False, allow_nan=False))


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
