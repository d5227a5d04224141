"""Containerlab: topology files, and the impairments that `containerlab tools netem show` prints.

Source: containerlab, topology definition file and link impairments (version 0.76).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import DocumentError
from ..errors.wording import type_text
from ..formats.native import parse_mapping
from .cabling import Cable, Cabling, Device
from .containerlab_links import LinkReader
from .fields import Fields, plain
from .files import SourceFile, check_count
from .graph import GraphReader
from .ledger import Ledger
from .options import ImportOptions
from .places import place_at
from .roles import kind_of_word

ENDINGS = (".yml", ".yaml", ".clab")
MAX_YAML_BYTES = 16 * 1024 * 1024
"""YAML takes some 3 s for each MB to parse."""
TOPOLOGY = re.compile(rb"^topology:", re.MULTILINE)
HINT = "expected topology: with nodes and links"
VARIABLE = re.compile(r"\$\{(\w{1,100})(?::?[=-]([^{}]{0,200}))?\}")
KINDS: dict[str, str] = {
    "bridge": "switch",
    "ovs-bridge": "switch",
    "k8s-kind": "host",
    "ext-container": "host",
    "keysight_ixia-c-one": "host",
    "generic_vm": "host",
    "host": "ignore",
}
"""Kinds of containerlab that say what a node is; those of network systems are settled by group, label or name."""
ROUTING_IMAGES = re.compile(r"frr|quagga|bird|gobgp|vyos|vpp|sonic|holo|openbgpd|router", re.IGNORECASE)
"""Images of Linux nodes that forward."""
SITE_LABELS = ("site", "location", "datacenter", "data-center", "dc", "pop", "city", "campus")
SITE_GROUP = re.compile(r"(?:site|location|dc|data-?cent(?:er|re)|pop|campus|region|zone)[-_ ]?\d+", re.IGNORECASE)
"""Groups that are places, such as `dc1`; others are roles."""
ROLE_LABELS = ("role", "tier", "topoViewer-role", "graph-icon")
LATITUDE, LONGITUDE = "topoViewer-geoCoordinateLat", "topoViewer-geoCoordinateLng"
AS_TAGS = ("kind", "type", "image", "group")
NODE_EFFECTS = {"startup-config": "configuration; the twin has its own routing", "exec": "commands of the container"}


def recognise(files: Sequence[SourceFile]) -> bool:
    """Return whether a YAML file has a topology."""
    return any(file.ending in ENDINGS and TOPOLOGY.search(file.content) is not None for file in files)


def read(files: Sequence[SourceFile], cabling: Cabling, ledger: Ledger, options: ImportOptions) -> None:
    """Read the topologies, then impairments of their links from JSON files beside them."""
    n_topologies = 0
    links = LinkReader(cabling, ledger)
    for file in files:
        if not file.looks_like_json:
            n_topologies += 1
            _TopologyReader(file, cabling, ledger, options, links).run(_topology(file))
    for file in files:
        if file.looks_like_json:
            links.netem_file(file)
    if not n_topologies:
        raise DocumentError("holds no topology of containerlab", where=files[0].where, hint=HINT)
    links.finish()


def _topology(file: SourceFile) -> Mapping[str, Any]:
    """Return the data of a file. Raises DocumentError with line and column of a syntax error."""
    if len(file.content) > MAX_YAML_BYTES:
        expected = f"at most {MAX_YAML_BYTES:,} bytes of YAML"
        raise DocumentError(f"{len(file.content):,} bytes", where=file.where, expected=expected)
    try:
        data = parse_mapping(file.text, file.where, as_json=False, expected=HINT, merges=True)
    except DocumentError as error:
        if "{{" in file.text:
            hint = "the file is a template: render it first"
            raise DocumentError(error.problem, where=file.where, expected=error.expected, hint=hint) from error
        raise
    topology = data.get("topology")
    if not isinstance(topology, dict) or not isinstance(topology.get("nodes"), dict):
        raise DocumentError("has no topology with nodes", where=file.where, hint=HINT)
    return data


def _own(settings: Any) -> dict[str, Any]:
    """Return the variables that `twin export` wrote for a node; empty if there are none."""
    config = settings.get("config") if isinstance(settings, dict) else None
    return _variables(config.get("vars") if isinstance(config, dict) else None)


def _variables(value: Any) -> dict[str, Any]:
    own = value.get("twin") if isinstance(value, dict) else None
    return {str(key): inner for key, inner in own.items()} if isinstance(own, dict) else {}


class _TopologyReader:
    """Reads one topology file."""

    def __init__(
        self, file: SourceFile, cabling: Cabling, ledger: Ledger, options: ImportOptions, links: LinkReader
    ) -> None:
        self.file, self.cabling, self.ledger, self.links = file, cabling, ledger, links
        self.graph = GraphReader(file.name, cabling, ledger, options, directed=False)
        self.inherited: dict[str, Mapping[str, Any]] = {}
        self.exported: dict[str, str] = {}
        """Id of a node that `twin export` wrote -> its name in the lab."""
        self.demands: list[tuple[str, str, Any]] = []
        """Source in the lab, place, and record of each demand that `twin export` wrote."""

    def run(self, data: Mapping[str, Any]) -> None:
        """Read name, nodes and links."""
        fields = Fields(data, "lab", "", self.ledger)
        own_name = _own(data["topology"].get("defaults")).get("name")
        name = fields.text("name")
        self.cabling.name = self.cabling.name or (plain(own_name) if isinstance(own_name, str) else name)
        fields.skip("topology")
        fields.close({"mgmt": "management network", "prefix": "names of containers", "settings": "of the lab"})
        topology = data["topology"]
        self.inherited = {
            name: value for name in ("kinds", "groups") if isinstance(value := topology.get(name), dict)
        } | {"defaults": {"": topology.get("defaults")}}
        check_count(len(topology["nodes"]), self.file.where)
        for name, settings in topology["nodes"].items():
            self._node(plain(name), settings)
        stated = topology.get("links") or []
        if not isinstance(stated, list):
            raise DocumentError(f"links hold {type_text(stated)}", where=self.file.where, expected="a list of links")
        check_count(len(stated), self.file.where)
        for i, link in enumerate(stated):
            self._link(i, link)
        if not self.exported:
            self.cabling.one_place = self.cabling.name or "lab"
        for source, place, demand in self.demands:
            self._demand(source, place, demand)

    def _node(self, name: str, settings: Any) -> None:
        place = f"nodes.{name[:80]}"
        if settings is not None and not isinstance(settings, dict):
            self.ledger.finding("bad value", "a node has no settings that can be read", "expected a mapping", place)
            settings = None
        if name in self.cabling.devices:
            self.ledger.finding("duplicate id", "only the first node of a name is used", "one lab at a time", place)
            return
        own = _own(settings)
        if isinstance(own.get("id"), str):
            self._exported_node(name, own, place)
            return
        record = self._settled(settings or {})
        labels = record.pop("labels", None)
        labels = {str(key): value for key, value in labels.items()} if isinstance(labels, dict) else {}
        fields = Fields(record, "nodes", place, self.ledger)
        label = Fields(labels, "labels", place, self.ledger)
        device = Device(name, name, source=fields.source(self.file.name, name))
        device.role = self._role(fields, label, device)
        latitude, longitude = label.number(LATITUDE, -90, 90), label.number(LONGITUDE, -180, 180)
        if latitude is not None and longitude is not None:
            device.place = place_at(self.cabling, f"node {name}", name, latitude, longitude)
        else:
            device.place = self._stated_place(label, str(record.get("group") or ""))
        device.tags = tuple(f"{key}: {text}" for key in AS_TAGS if (text := fields.text(key)))
        rest = [
            key
            for key, value in labels.items()
            if key not in (*ROLE_LABELS, *SITE_LABELS, LATITUDE, LONGITUDE) and value != ""
        ]
        device.tags += tuple(f"{key}={text}" for key in rest if (text := label.text(key)))
        fields.close(NODE_EFFECTS)
        label.close()
        self.cabling.devices[name] = device

    def _stated_place(self, labels: Fields, group: str) -> str | None:
        """Return the place that a label or the group of a node names; None without one."""
        name = next((text for key in SITE_LABELS if (text := labels.text(key))), "")
        name = name or (group if SITE_GROUP.fullmatch(group) else "")
        return place_at(self.cabling, f"site {name}", name, None, None) if name else None

    def _exported_node(self, name: str, own: dict[str, Any], place: str) -> None:
        """Add a node that `twin export` wrote; its variables state all of it."""
        demands = own.pop("demands", None)
        node_id = own.pop("id")
        self.exported[node_id] = name
        self.graph.node(name, {"name": node_id, **own}, place)
        for i, demand in enumerate(demands if isinstance(demands, list) else ()):
            self.demands.append((name, f"{place}.demands[{i}]", demand))

    def _demand(self, source: str, place: str, demand: Any) -> None:
        if not isinstance(demand, dict):
            self.ledger.finding("bad value", "a demand is no mapping; it is left out", "", place)
            return
        target = demand.get("target")
        key = self.exported.get(target, target) if isinstance(target, str) else ""
        self.graph.demand({**demand, "source": source, "target": key}, place)

    def _settled(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings of a node over those of its group, its kind and the defaults; labels add up."""
        defaults = self._part("defaults", "")
        group_name = settings.get("group") or defaults.get("group")
        group = self._part("groups", group_name)
        kind = settings.get("kind") or group.get("kind") or defaults.get("kind")
        found: dict[str, Any] = {}
        labels: dict[Any, Any] = {}
        for part in (defaults, self._part("kinds", kind), group, settings):
            found |= part
            stated = part.get("labels")
            labels |= stated if isinstance(stated, dict) else {}
        return found | ({"labels": labels} if labels else {})

    def _part(self, where: str, name: object) -> Mapping[str, Any]:
        parts = self.inherited.get(where, {})
        value = parts.get(name) if isinstance(name, str) else None
        return value if isinstance(value, dict) else {}

    def _role(self, fields: Fields, labels: Fields, device: Device) -> str:
        """Return the role of a node by label or group; set its kind where that of containerlab says it."""
        kind, image = str(fields.record.get("kind") or ""), str(fields.record.get("image") or "")
        for text in (*(labels.text(name) for name in ROLE_LABELS), str(fields.record.get("group") or "")):
            if text and kind_of_word(text) is not None:
                return text
        if kind in KINDS:
            device.kind = KINDS[kind]  # type: ignore[assignment]
            self.ledger.converted("nodes.kind", f"{kind} → {device.kind}")
        elif kind == "linux" and ROUTING_IMAGES.search(image):
            device.kind = "switch"
            self.ledger.converted("nodes.image", "image of a router → switch")
        elif kind == "linux" and kind_of_word("", device.name) is None:
            device.kind = "host"
            self.ledger.assumed("kind of a device", "host", "kind linux, no role", "--role REGEX=KIND", device.name)
        return ""

    def _link(self, i: int, link: Any) -> None:
        place = f"links[{i}]"
        if not isinstance(link, dict):
            self.ledger.finding("bad value", "a link is no mapping; it is left out", "state endpoints", place)
            return
        fields = Fields(link, "links", place, self.ledger)
        ends = self.links.ends(fields, self._expanded)
        if ends is None:
            return
        own = _variables(fields.raw("vars"))
        if isinstance(own.get("id"), str):
            self.links.exported(self.graph, ends, own, place)
            return
        cable = Cable(f"{self.file.name} {place}", ends, source=fields.source(self.file.name))
        self.links.stated_impairments(fields, cable)
        fields.close({"mtu": "size of frames", "ipv4": "addresses; the twin has none", "ipv6": "addresses"})
        self.cabling.cables.append(cable)

    def _expanded(self, text: str) -> str:
        """Return a text with the defaults of its variables; the environment is never read."""
        found = VARIABLE.search(text)
        if found is None:
            return text
        if found[2] is None:
            self.ledger.finding("unknown variable", "its name is kept as text", "write its value out", found[0])
            return text
        self.ledger.assumed("variable of the environment", found[0], "the environment is not read", "", text)
        return VARIABLE.sub(lambda match: match[2] or "", text)
