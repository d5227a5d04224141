"""InfiniBand fabrics as `ibnetdiscover` prints them: the whole topology, or the report of ports (`-p`).

Source: rdma-core, infiniband-diags/ibnetdiscover. Rates are data rates, lanes times rate of a lane.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from ..errors import DocumentError
from ..errors.wording import quoted
from .cabling import PARALLEL, Cable, Cabling, Interface
from .fields import origin, plain
from .files import MAX_RECORDS, SourceFile, check_count
from .ibnetdiscover_nodes import IbNode, Nodes
from .ledger import Ledger
from .options import ImportOptions
from .sightings import Sightings

LANE_GBPS: dict[str, float] = {
    "SDR": 2.0,
    "DDR": 4.0,
    "QDR": 8.0,
    "FDR10": 10.0,
    "FDR": 13.625,
    "EDR": 25.0,
    "HDR": 50.0,
    "NDR": 100.0,
    "XDR": 200.0,
}
"""Data rate of one lane. Source: InfiniBand Trade Association, roadmap; FDR as 54.5 Gb/s of four lanes."""
MAX_LINE = 2000
BLOCK = re.compile(r'(Switch|Ca|Rt)\s+(\d{1,9})\s+"([SHR])-(?:0x)?([0-9a-fA-F]{1,16})"\s*(?:#\s*"(.*)"(.*))?')
PORT = re.compile(
    r"\[(\d{1,9})\](?:\[ext \d+\])?\s*(?:\([0-9a-fA-Fx]+\))?\s*"
    r'"([SHR])-(?:0x)?([0-9a-fA-F]{1,16})"\[(\d{1,9})\](?:\[ext \d+\])?\s*(?:\([0-9a-fA-Fx]+\))?\s*(?:#(.*))?'
)
SPEED = re.compile(r"\b(\d{1,2})x ?([A-Z]DR(?:10)?)\b")
PEER = re.compile(r'"(.*)"')
REPORT = re.compile(
    r"(CA|SW|RT)\s+(\d+)\s+(\d+)\s+0x([0-9a-fA-F]{1,16})\s+(\d{1,2})x\s+(\S+)"
    r"(?:\s+-\s+(CA|SW|RT)\s+(\d+)\s+(\d+)\s+0x([0-9a-fA-F]{1,16})\s+\(\s*'(.*)'\s+-\s+'(.*)'\s*\))?"
)
"""A line of the report of ports; a port without a peer ends with its description only."""
KIND_OF = {"SW": "S", "CA": "H", "RT": "R", "Switch": "S", "Ca": "H", "Rt": "R"}
IGNORED = ("vendid=", "devid=", "sysimgguid=", "switchguid=", "caguid=", "rtguid=", "#", "ibwarn", "Chassis",
           "Non-Chassis", "Hostname:", "Spine Nodes", "Line Nodes", "src/")  # fmt: skip
HINT = "the output of ibnetdiscover, or of ibnetdiscover -p"


def recognise(files: Sequence[SourceFile]) -> bool:
    """Return whether a file has a block of a switch or of an adapter, or lines of a report of ports."""
    return any(
        BLOCK.match(line) is not None or REPORT.match(line) is not None
        for file in files
        if not file.looks_like_json
        for line in file.head.splitlines()
    )


def read(files: Sequence[SourceFile], cabling: Cabling, ledger: Ledger, _options: ImportOptions) -> None:
    """Read the blocks or the report of each file, then make devices and cables."""
    cabling.one_place = "fabric"
    fabric = _Fabric(cabling, ledger)
    for file in files:
        fabric.read(file)
    if not fabric.nodes.by_id:
        raise DocumentError("holds no switch and no adapter", where=files[0].where, hint=HINT)
    fabric.finish()


class _Link(NamedTuple):
    """One line of a port."""

    local: tuple[str, int]
    """Id of the node, and number of the port."""
    remote: tuple[str, int]
    rate_gbps: float | None
    file: str
    line: int


class _Fabric:
    """Collects nodes and lines of ports."""

    def __init__(self, cabling: Cabling, ledger: Ledger) -> None:
        self.cabling, self.ledger = cabling, ledger
        self.nodes = Nodes(cabling, ledger)
        self.links: list[_Link] = []

    def read(self, file: SourceFile) -> None:
        """Read the lines of a file."""
        lines = file.text.splitlines()
        check_count(len(lines) // 4, file.where)
        node: IbNode | None = None
        for number, line in enumerate(lines, 1):
            text = line.strip()
            if not text or text.startswith(IGNORED):
                continue
            if len(text) > MAX_LINE:
                raise DocumentError(f"line {number}: {len(text):,} characters", where=file.where, hint=HINT)
            block = BLOCK.match(text)
            if block is not None:
                node = self._block(block, file, number)
                continue
            port = PORT.match(text) if text[0] == "[" else None
            report = REPORT.match(text) if port is None else None
            if port is not None and node is not None:
                self._port(port, node, file, number)
            elif report is not None:
                self._report(report, file, number)
            else:
                self._unknown(text, node, file, number)
            if len(self.links) > MAX_RECORDS:
                check_count(len(self.links), file.where)

    def _unknown(self, text: str, node: IbNode | None, file: SourceFile, number: int) -> None:
        if node is None and not self.links:
            raise DocumentError(f"line {number}: cannot be read: {quoted(text[:60])}", where=file.where, hint=HINT)
        problem = "a line that cannot be read is left out"
        self.ledger.finding("unknown line", problem, HINT, f"{file.name} line {number}: {plain(text)[:60]}")

    def _block(self, match: re.Match[str], file: SourceFile, number: int) -> IbNode:
        kind, _, _, guid, description, _ = match.groups()
        self.ledger.kept(f"{kind}.description")
        node_id = _node_id(KIND_OF[kind], guid)
        return self.nodes.add(node_id, plain(description or ""), origin(file.name, f"line {number}", node_id), True)

    def _port(self, match: re.Match[str], node: IbNode, file: SourceFile, number: int) -> None:
        local, letter, guid, remote, comment = match.groups()
        rate = self._rate(comment or "", file, number)
        peer_id = _node_id(letter, guid)
        described = PEER.search(comment or "")
        self.nodes.add(peer_id, plain(described[1]) if described else "", origin(file.name, f"line {number}", peer_id))
        self.links.append(_Link((node.id, int(local)), (peer_id, int(remote)), rate, file.name, number))

    def _report(self, match: re.Match[str], file: SourceFile, number: int) -> None:
        kind, _, port, guid, width, speed, far_kind, _, far_port, far_guid, name, far_name = match.groups()
        if far_kind is None:
            self.ledger.dropped("ports without a cable", "ports that are free", f"{file.name} line {number}")
            return
        ends = [(_node_id(KIND_OF[kind], guid), int(port)), (_node_id(KIND_OF[far_kind], far_guid), int(far_port))]
        for (node_id, _), description, is_own in zip(ends, (name, far_name), (True, False), strict=True):
            self.nodes.add(node_id, plain(description), origin(file.name, f"line {number}", node_id), is_own)
        rate = self._rate(f"{width}x{speed}", file, number)
        self.links.append(_Link(ends[0], ends[1], rate, file.name, number))

    def _rate(self, text: str, file: SourceFile, number: int) -> float | None:
        found = SPEED.search(text.rpartition('"')[2])
        lane = LANE_GBPS.get(found[2]) if found else None
        if found is None or lane is None or not 1 <= int(found[1]) <= 12:
            problem = "a port without a width and speed that are known"
            self.ledger.finding("unknown speed", problem, "4xHDR and the like", f"{file.name} line {number}")
            return None
        self.ledger.converted("ports.speed", f"{found[0]} → {int(found[1]) * lane:g} Gb/s")
        return int(found[1]) * lane

    def finish(self) -> None:
        """Make devices, then one cable of each pair of ports, and one link of equal cables of two devices."""
        self.nodes.settle({link.local: link.remote for link in self.links})
        seen = Sightings(self.cabling, self.ledger, "ports")
        left_out = 0
        for link in self.links:
            ends = [self.nodes.end(*link.local), self.nodes.end(*link.remote)]
            if ends[0] is None or ends[1] is None:
                left_out += 1
                continue
            source = origin(link.file, f"line {link.line}")
            cable = Cable(f"{link.file} {link.line}", (ends[0], ends[1]), capacity_gbps=link.rate_gbps, source=source)
            seen.add(cable)
        if left_out:
            effect = "aggregation unit inside of a switch, no host"
            self.ledger.dropped("ports of aggregation nodes", effect, "", left_out)
        seen.finish(self.nodes.described())
        self.nodes.check_cards()
        pairs: dict[tuple[str, str], list[Cable]] = defaultdict(list)
        for cable in self.cabling.cables:
            a, b = (end.device for end in cable.ends)
            pairs[min(a, b), max(a, b)].append(cable)
        for cables in pairs.values():
            for cable in cables if len(cables) > 1 else ():
                for end in cable.ends:
                    self.cabling.interfaces[end] = Interface(bundle=PARALLEL)
            if len(cables) > 1:
                self.ledger.converted("ports", "cables between two devices → one link for each rate", len(cables))


def _node_id(letter: str, guid: str) -> str:
    """Return the id of a node as ibnetdiscover writes it: a letter, and 16 digits of its GUID."""
    return f"{letter}-{int(guid, 16):016x}"
