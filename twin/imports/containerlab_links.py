"""Links of containerlab: endpoints, links out of the lab, impairments."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .cabling import Cable, Cabling, End
from .directions import of_directions
from .fields import Fields, plain, unknown_end
from .files import SourceFile
from .graph import GraphReader
from .ledger import Ledger
from .options import MAX_CAPACITY_GBPS
from .quantities import rate_gbps

OUTSIDE = frozenset({"host", "mgmt-net", "macvlan", "dummy", "vxlan", "vxlan-stitch"})
"""Names of endpoints, and types of links, that lead out of the lab or nowhere."""
OUTSIDE_EFFECT = "leads out of the lab, or nowhere: the device there is not stated"
US_OF_UNIT = {"ns": 1e-3, "us": 1.0, "µs": 1.0, "ms": 1e3, "s": 1e6, "m": 60e6, "h": 3600e6}
DURATION = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)(ns|us|µs|ms|s|m|h)")
"""One part of a duration of Go, such as `1m30s`."""
MAX_LATENCY_US = 1e9
KBPS = 1e-6
"""Gb/s of one kb/s."""
SOURCES = ("impairments", "netem", "vars", "labels")
"""Fields of a link in which people write delay, jitter, loss and rate."""


class LinkReader:
    """Reads links and their impairments into one cabling."""

    def __init__(self, cabling: Cabling, ledger: Ledger) -> None:
        self.cabling, self.ledger = cabling, ledger
        self.exported_cables: dict[str, Cable] = {}
        self.by_port: dict[End, Mapping[str, Any]] = {}
        """Impairments of what a port sends."""

    def ends(self, fields: Fields, expanded: Callable[[str], str]) -> tuple[End, End] | None:
        """Return both ends of a link; None, with a row of the report, for one that leads out of the lab."""
        kind = fields.raw("type")
        if isinstance(kind, str) and kind in OUTSIDE:
            self.ledger.dropped(f"links of type {kind}", OUTSIDE_EFFECT, fields.place)
            return None
        stated = fields.raw("endpoints")
        pairs = [_pair(end, expanded) for end in stated] if isinstance(stated, list) else []
        if len(pairs) != 2 or any(not node for node, _ in pairs):
            problem = "it has no two endpoints; no link is made"
            self.ledger.finding("one-sided cable", problem, 'write endpoints: ["a:eth1", "b:eth1"]', fields.place)
            return None
        for node, _ in pairs:
            if node in OUTSIDE and node not in self.cabling.devices:
                self.ledger.dropped(f"links to {node}", OUTSIDE_EFFECT, fields.place)
                return None
            if node not in self.cabling.devices:
                unknown_end(self.ledger, fields.place, node)
                return None
        fields.count("endpoints", "node:interface → two fields")
        return End(*pairs[0]), End(*pairs[1])

    def exported(self, graph: GraphReader, ends: tuple[End, End], record: dict[str, Any], place: str) -> None:
        """Add a link that `twin export` wrote; members of one link name its id."""
        a, b = (end.device for end in ends)
        link_id = record["id"]
        known = self.exported_cables.get(link_id)
        if known is not None and [end.device for end in known.ends] == [a, b]:
            known.n_parallel += 1
            self.ledger.converted("links", "members of one link → one link")
            return
        n_before = len(self.cabling.cables)
        graph.edge(a, b, record, place, link_id)
        if len(self.cabling.cables) > n_before:
            self.exported_cables[link_id] = self.cabling.cables[-1]

    def stated_impairments(self, fields: Fields, cable: Cable) -> None:
        """Read impairments that a link states for both directions."""
        for name in SOURCES:
            value = fields.raw(name)
            if not isinstance(value, dict):
                continue
            record = {str(key): inner for key, inner in value.items()}
            inner = Fields(record, f"links.{name}", f"{fields.place}.{name}", self.ledger)
            delay_us, loss, rate = self._impairments(inner)
            inner.close()
            cable.latency_us = delay_us if delay_us is not None else cable.latency_us
            cable.loss_ratio = loss if loss is not None else cable.loss_ratio
            cable.capacity_gbps = rate if rate is not None else cable.capacity_gbps
            if loss == 1:
                cable.loss_ratio, cable.up = None, False

    def _impairments(self, fields: Fields) -> tuple[float | None, float | None, float | None]:
        """Return delay, loss and rate of a record; the loss is 1 where nothing arrives."""
        delay_us = None
        stated = fields.raw("delay")
        if isinstance(stated, str) and stated.strip():
            delay_us = duration_us(stated)
            if delay_us is None or delay_us > MAX_LATENCY_US:
                fields.bad("delay", stated, "a duration such as 5ms")
                delay_us = None
            else:
                fields.count("delay", "duration → us")
        elif stated not in (None, "", 0):
            fields.bad("delay", stated, "a duration with its unit, such as 5ms")
        fields.drop("jitter", "variation of the latency")
        if fields.record.get("corruption"):
            fields.drop("corruption", "frames that are lost by bit errors")
        loss = fields.number("packet_loss" if "packet_loss" in fields.record else "loss", 0, 1, "% → ratio", 0.01)
        return delay_us, loss or None, self._rate(fields)

    def _rate(self, fields: Fields) -> float | None:
        stated = fields.raw("rate")
        if isinstance(stated, str) and (rate := rate_gbps(stated)) and rate <= MAX_CAPACITY_GBPS:
            fields.count("rate", "text with a unit → Gb/s")
            return rate
        if stated in (None, "", 0):
            return None
        return fields.number("rate", 1e-9, MAX_CAPACITY_GBPS, "kb/s → Gb/s", KBPS)

    def netem_file(self, file: SourceFile) -> None:
        """Read impairments of interfaces, as `containerlab tools netem show --format json` prints them."""
        data = file.data
        if not isinstance(data, dict) or not all(isinstance(rows, list) for rows in data.values()):
            self.ledger.dropped("files", "not read: no impairments of interfaces", file.name)
            return
        for node, rows in data.items():
            for i, row in enumerate(rows):
                name = row.get("interface") if isinstance(row, dict) else None
                if isinstance(name, str):
                    self.by_port[End(node, name.partition(" ")[0])] = {"place": f"{file.name} {node}[{i}]", **row}

    def finish(self) -> None:
        """Give each cable the impairments of its ports, each for what that port sends."""
        if not self.by_port:
            return
        for cable in self.cabling.cables:
            found = [self._of_port(end) for end in cable.ends]
            there, back = found
            if there[0] is not None or back[0] is not None:
                cable.latency_us = there[0] or 0.0, back[0] or 0.0
                if cable.latency_us[0] == cable.latency_us[1]:
                    cable.latency_us = cable.latency_us[0]
            losses = [loss for _, loss, _ in found if loss is not None]
            if losses:
                cable.loss_ratio = max(losses)
                if cable.loss_ratio == 1:
                    cable.loss_ratio, cable.up = None, False
                if len(losses) == 1 or losses[0] != losses[1]:
                    effect = "losses differ by direction; the greater one is used for both"
                    self.ledger.converted("impairments.packet_loss", effect)
            self._limit(cable, there[2], back[2])

    def _limit(self, cable: Cable, there_gbps: float | None, back_gbps: float | None) -> None:
        """Limit the rates of a cable by direction; without a limit, the rate of the cable holds, if it has one."""
        if there_gbps is None and back_gbps is None:
            return
        own = cable.capacity_gbps if isinstance(cable.capacity_gbps, tuple) else (cable.capacity_gbps,) * 2
        there_gbps, back_gbps = (own[0] if there_gbps is None else there_gbps,
                                 own[1] if back_gbps is None else back_gbps)  # fmt: skip
        place = " ~ ".join(f"{end.device}:{end.port}" for end in cable.ends)
        cable.capacity_gbps = of_directions(there_gbps, back_gbps, "rate", self.ledger, place)

    def _of_port(self, end: End) -> tuple[float | None, float | None, float | None]:
        row = self.by_port.get(end)
        if row is None:
            return None, None, None
        fields = Fields(row, "impairments", str(row["place"]), self.ledger)
        fields.skip("place", "interface")
        found = self._impairments(fields)
        fields.close()
        return found


def _pair(end: Any, expanded: Callable[[str], str]) -> tuple[str, str]:
    """Return node and interface of an endpoint: `node:interface`, or a mapping; empty for anything else."""
    if isinstance(end, dict):
        node, port = end.get("node"), end.get("interface")
        return (plain(node), plain(port)) if isinstance(node, str) and isinstance(port, str | int) else ("", "")
    if not isinstance(end, str):
        return "", ""
    node, _, port = expanded(end).partition(":")
    return plain(node.strip()), plain(port.strip())


def duration_us(text: str) -> float | None:
    """Return a duration of Go in microseconds: `5ms`, `1m30s`; None for another text."""
    parts = DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        return None
    return float(sum(float(number) * US_OF_UNIT[unit] for number, unit in parts))
