"""Batfish: the layer-1 topology, and tables of interfaces and nodes beside it.

Source: Batfish, layer1_topology.json of a snapshot; answers of the questions interfaceProperties, nodeProperties and
layer1Edges as CSV of pandas, as JSON records, or as the JSON of an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import DocumentError
from .cabling import Cable, Cabling, Device, End, Interface
from .fields import Fields, origin, plain
from .files import SourceFile, check_count, records_of
from .ledger import Ledger
from .options import MAX_CAPACITY_GBPS, ImportOptions
from .sheets import rows_of
from .sightings import Port, Sightings, port_key

HINT = 'expected {"edges": [{"node1": {"hostname": ..., "interfaceName": ...}, "node2": {...}}]}'
PLACE = re.compile(r"(.+?)\[(.+)\]")
TABLE_ENDINGS = (".csv", ".tsv")
INTERFACE_EFFECTS = {"Description": "text for people", "Declared_Names": "other names of the port"}
HOST_TYPES = {"HOST": "host", "SWITCH": "", "ROUTER": ""}


def recognise(files: Sequence[SourceFile]) -> bool:
    """Return whether a file states edges of layer 1 by node and interface."""
    return any(file.looks_like_json and _edges(file) is not None for file in files)


def _edges(file: SourceFile) -> list[Any] | None:
    """Return the edges of a layer-1 topology; None for any other content."""
    try:
        data = file.data
    except DocumentError:
        return None
    edges = data.get("edges") if isinstance(data, dict) else None
    if not isinstance(edges, list) or (edges and not (isinstance(edges[0], dict) and "node1" in edges[0])):
        return None
    return edges if edges or set(data) == {"edges"} else None


def read(files: Sequence[SourceFile], cabling: Cabling, ledger: Ledger, _options: ImportOptions) -> None:
    """Read the edges of each topology, then the tables beside them."""
    cabling.one_place = "site"
    reader = _Reader(cabling, ledger)
    n_topologies = 0
    for file in files:
        if file.ending in TABLE_ENDINGS:
            continue
        edges = _edges(file)
        if edges is not None:
            n_topologies += 1
            reader.topology(file, edges)
    for file in files:
        rows = _table_rows(file)
        if rows is None:
            if _edges(file) is None:
                ledger.dropped("files", "not read: no table of interfaces or nodes", file.name)
            continue
        for place, record in rows:
            n_topologies += reader.table_row(file, place, record)
    if not n_topologies:
        _ = files[0].data if files[0].looks_like_json else None
        raise DocumentError("holds no edges of layer 1", where=files[0].where, hint=HINT)
    reader.finish()


def _table_rows(file: SourceFile) -> Iterator[tuple[str, Mapping[str, Any]]] | None:
    """Return places and rows of a table; None for a file that is none."""
    if file.ending in TABLE_ENDINGS:
        return _sheet_rows(file)
    try:
        data = file.data if file.looks_like_json else None
    except DocumentError:
        return None
    if isinstance(data, dict):
        answers = data.get("answerElements", data.get("rows"))
        if isinstance(answers, list) and answers and isinstance(answers[0], dict) and "rows" in answers[0]:
            answers = answers[0]["rows"]
        data = answers
    if not isinstance(data, list) or not (data and isinstance(data[0], dict) and {"Interface", "Node"} & set(data[0])):
        return None
    return ((f"[{i}]", row) for i, row in enumerate(records_of(data, file.where)))


def _sheet_rows(file: SourceFile) -> Iterator[tuple[str, Mapping[str, Any]]]:
    headings: list[str] | None = None
    for row in rows_of(file):
        if headings is None:
            headings = row.cells
        else:
            cells = zip(headings, row.cells, strict=False)
            yield f"line {row.number}", {name: cell for name, cell in cells if name and cell not in ("", "None", "[]")}


class _Reader:
    """Reads edges and tables into one cabling."""

    def __init__(self, cabling: Cabling, ledger: Ledger) -> None:
        self.cabling, self.ledger = cabling, ledger
        self.seen = Sightings(cabling, ledger, "edges")
        self.stated: set[tuple[End, End]] = set()
        self.interfaces: dict[Port, Interface] = {}

    def topology(self, file: SourceFile, edges: list[Any]) -> None:
        """Add the edges of a layer-1 topology."""
        check_count(len(edges), file.where)
        for i, edge in enumerate(records_of(edges, f"{file.where}: edges", HINT)):
            place = f"edges[{i}]"
            fields = Fields(edge, "edges", place, self.ledger)
            ends = [self._node(fields, name) for name in ("node1", "node2")]
            fields.close()
            self._edge(file, place, ends[0], ends[1])

    def _edge(self, file: SourceFile, place: str, a: End | None, b: End | None) -> None:
        if a is None or b is None:
            problem = "an end names no device; no link is made"
            self.ledger.finding("one-sided cable", problem, "state hostname and interfaceName", place)
            return
        ends = [End(self._device(end.device, file.name, place), end.port) for end in (a, b)]
        self.stated.add((ends[0], ends[1]))
        self.seen.add(Cable(f"{file.name} {place}", (ends[0], ends[1]), source=origin(file.name, place)))

    def _device(self, name: str, file: str, place: str) -> str:
        """Return the key of a device; the case of its letters does not count, as in Batfish."""
        key = name.casefold()
        if key not in self.cabling.devices:
            self.cabling.devices[key] = Device(key, name, source=origin(file, place, name))
        return key

    def _node(self, fields: Fields, name: str) -> End | None:
        value = fields.raw(name)
        if not isinstance(value, dict):
            return None
        inner = Fields(value, f"edges.{name}", f"{fields.place}.{name}", self.ledger)
        host, port = inner.text("hostname"), inner.text("interfaceName")
        inner.close()
        return End(host, port) if host else None

    def table_row(self, file: SourceFile, place: str, record: Mapping[str, Any]) -> bool:
        """Add a row of interfaces, nodes or layer-1 edges; return whether it is an edge."""
        if "Remote_Interface" in record:
            self._edge_row(file, place, record)
            return True
        if "Interface" in record:
            self._interface_row(place, record)
        elif "Node" in record:
            self._node_row(file, place, record)
        return False

    def _edge_row(self, file: SourceFile, place: str, record: Mapping[str, Any]) -> None:
        fields = Fields(record, "edges", place, self.ledger)
        if record.get("IPs") or record.get("Remote_IPs"):
            fields.drop("Remote_Interface", "an edge of layer 3 is no cable")
            return
        ends = [_port(fields, name) for name in ("Interface", "Remote_Interface")]
        fields.close()
        self._edge(file, place, ends[0], ends[1])

    def _interface_row(self, place: str, record: Mapping[str, Any]) -> None:
        fields = Fields(record, "interfaces", place, self.ledger)
        end = _port(fields, "Interface")
        if end is None:
            fields.bad("Interface", fields.raw("Interface"), "node[interface]")
            return
        rate = fields.number("Speed", 1e-9, MAX_CAPACITY_GBPS, "b/s → Gb/s", 1e-9)
        if rate is None:
            rate = fields.number("Bandwidth", 1e-9, MAX_CAPACITY_GBPS, "b/s → Gb/s, as Batfish takes it", 1e-9)
        else:
            fields.skip("Bandwidth")
        bundle = fields.text("Channel_Group")
        active = fields.flag("Active") is not False
        fields.close(INTERFACE_EFFECTS)
        self.interfaces[end.device.casefold(), port_key(end.port)] = Interface(rate, bundle, active)

    def _node_row(self, file: SourceFile, place: str, record: Mapping[str, Any]) -> None:
        fields = Fields(record, "nodes", place, self.ledger)
        name = fields.text("Node")
        kind = fields.text("Device_Type")
        role = HOST_TYPES.get(kind.upper(), kind)
        fields.close()
        if not name:
            return
        self.cabling.devices[self._device(name, file.name, place)].role = role

    def finish(self) -> None:
        """Make cables; edges that one direction states are findings only where others are stated both ways."""
        both = any((b, a) in self.stated for a, b in self.stated if a != b)
        self.seen.finish(self.cabling.devices.keys() if both else ())
        for cable in self.cabling.cables:
            for end in cable.ends:
                known = self.interfaces.get((end.device, port_key(end.port)))
                if known is not None:
                    self.cabling.interfaces[end] = known


def _port(fields: Fields, name: str) -> End | None:
    """Return a port that is written as `node[interface]` or as an object."""
    value = fields.raw(name)
    if isinstance(value, dict):
        host, port = value.get("hostname"), value.get("interface")
        found = End(plain(host), plain(port)) if isinstance(host, str) and isinstance(port, str) and host else None
    else:
        match = PLACE.fullmatch(value) if isinstance(value, str) else None
        found = End(plain(match[1]), plain(match[2])) if match else None
    if found is not None:
        fields.count(name)
    return found
