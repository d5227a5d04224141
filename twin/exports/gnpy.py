"""Topology and equipment of GNPy: each optical line in both directions, with its losses, amplifiers and powers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from ..imports.ledger import Ledger
from .effects import OPTICS
from .gnpy_equipment import EquipmentWriter
from .lines import Line, LineAmplifier, LineNetwork, LineSpan

Element = dict[str, Any]
TX_DBM = 0.0
"""Power of transmitters, where no line needs more; attenuators set the power of each line."""
ROADM_RANGE_DBM = (-60.0, 30.0)
MIN_LOSS_DB = 0.005
LOSS_DIGITS, FINE_DIGITS = 2, 6
"""Decimals that GNPy holds of losses and powers, and of lengths, gains and attenuation."""


def write(network: LineNetwork, ledger: Ledger) -> dict[str, bytes]:
    """Return the topology, and the equipment that it refers to."""
    writer = _TopologyWriter(network, ledger)
    topology = writer.topology()
    equipment = writer.equipment.equipment(writer.tx_dbm, network.document.required_margin_db)
    n_without = network.n_links - len({line.link.id for line in network.lines})
    if n_without:
        ledger.dropped("links that are no optical lines", "GNPy has optical lines alone", n=n_without)
    return {"topology.json": _bytes(topology), "eqpt_config.json": _bytes(equipment)}


def _bytes(data: Any) -> bytes:
    return (json.dumps(data, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()


class _TopologyWriter:
    """Writes elements and connections, each once, in the order of nodes and links."""

    def __init__(self, network: LineNetwork, ledger: Ledger) -> None:
        self.network, self.ledger = network, ledger
        self.sites = {site.id: site for site in network.document.sites}
        self.nodes = {node.id: node for node in network.nodes}
        self.elements: dict[str, Element] = {}
        self.connections: list[dict[str, str]] = []
        self.tx_dbm = max([TX_DBM, *(_needed_dbm(line) for line in network.lines if not math.isnan(_needed_dbm(line)))])
        self.equipment = EquipmentWriter(ledger)

    def topology(self) -> dict[str, Any]:
        """Return the file: ROADMs, then each line in both directions."""
        for line in self.network.lines:
            self.equipment.add_line(line)
            for back in (False, True):
                self._line(line, back)
        self._count()
        name = self.network.name[:200]
        return {"network_name": name, "elements": list(self.elements.values()), "connections": self.connections}

    def _line(self, line: Line, back: bool) -> None:
        ends = [self._end(line, side) for side in (0, 1)]
        if back:
            ends = ends[::-1]
        chain = [element for element in self._chain(line, ends[0], back) if element is not None]
        keys = [ends[0], *(element["uid"] for element in chain), ends[1]]
        for element in chain:
            self.elements[element["uid"]] = element
        for a, b in pairwise(keys):
            self.connections.append({"from_node": a, "to_node": b})
        start = self.elements[ends[0]]
        if start["type"] == "Roadm":
            power_dbm = _needed_dbm(line)
            if ROADM_RANGE_DBM[0] <= power_dbm <= ROADM_RANGE_DBM[1]:
                start["params"]["per_degree_pch_out_db"][keys[1]] = round(power_dbm, LOSS_DIGITS)

    def _end(self, line: Line, side: int) -> str:
        """Return the key of an end: a ROADM, or a transceiver of this line, made on first use."""
        is_outer = line.number == (0 if side == 0 else line.n_paths - 1)
        node_id = line.link.ends[side]
        node = self.nodes[node_id]
        if node.kind == "roadm" and is_outer:
            if node_id not in self.elements:
                params: Element = {"per_degree_pch_out_db": {}}
                self.elements[node_id] = {"uid": node_id, "type": "Roadm", "params": params} | self._place(node_id, "")
                self._transceiver(f"trx {node_id}", node_id, "")
                self._join(f"trx {node_id}", node_id)
            return node_id
        owner = node_id if is_outer else f"regenerator {line.number + side} of {line.link.id}"
        key = f"trx {owner} ({_line_name(line)})"
        if key not in self.elements:
            self._transceiver(key, node_id, _line_name(line))
            if line.transceiver is not None and line.transceiver.modes:
                self.elements[key]["type_variety"] = line.transceiver.id
        return key

    def _transceiver(self, key: str, node_id: str, link: str) -> None:
        self.elements[key] = {"uid": key, "type": "Transceiver"} | self._place(node_id, link)

    def _join(self, a: str, b: str) -> None:
        self.connections += [{"from_node": a, "to_node": b}, {"from_node": b, "to_node": a}]

    def _place(self, node_id: str, link: str) -> Element:
        """Return the place of a node; the region names the link of a transceiver, since GNPy takes no other field."""
        node = self.nodes[node_id]
        site = self.sites.get(node.site or "")
        location: Element = {"city": node.site or node_id, "region": link}
        if site is not None and site.latitude_deg is not None and site.longitude_deg is not None:
            location |= {"latitude": site.latitude_deg, "longitude": site.longitude_deg}
        return {"metadata": {"location": location}}

    def _chain(self, line: Line, start: str, back: bool) -> Iterator[Element | None]:
        """Yield the elements of a direction; the way back has the same sites in reverse order."""
        name = f"{_line_name(line)}{' back' if back else ''}"
        is_roadm = self.elements[start]["type"] == "Roadm"
        needed_dbm = _needed_dbm(line)
        loss_db = 0.0 if is_roadm or math.isnan(needed_dbm) else self.tx_dbm - needed_dbm
        if not is_roadm or line.booster is None:
            yield _fused(f"{name} transmitter", loss_db)
        if line.booster is not None:
            yield self._edfa(f"{name} booster", line.booster)
        spans = line.spans[::-1] if back else line.spans
        amplifiers = _amplifiers(line, back)
        for i, (span, amplifier) in enumerate(zip(spans, amplifiers, strict=True)):
            yield self._fibre(f"{name} span {i + 1}", span)
            if amplifier is not None:
                yield self._edfa(f"{name} amplifier {i + 1}", amplifier)
            elif i + 1 < len(spans):
                yield _fused(f"{name} joint {i + 1}", 0.0)
        if line.terminal_loss_db > MIN_LOSS_DB or amplifiers[-1] is None:
            yield _fused(f"{name} receiver", line.terminal_loss_db)

    def _fibre(self, key: str, span: LineSpan) -> Element:
        """Return a fibre; what rounding takes from its connectors is in its attenuation."""
        before_db, after_db = round(span.before_db, LOSS_DIGITS), round(span.after_db, LOSS_DIGITS)
        rest_db = span.before_db - before_db + span.after_db - after_db
        loss_db_per_km = max(span.loss_db_per_km + rest_db / span.length_km, 0.0)
        params = {
            "length": round(span.length_km, FINE_DIGITS),
            "length_units": "km",
            "loss_coef": round(loss_db_per_km, FINE_DIGITS),
            "con_in": before_db,
            "con_out": after_db,
            "att_in": 0.0,
        }
        return {"uid": key, "type": "Fiber", "type_variety": span.fibre.id, "params": params}

    def _edfa(self, key: str, amplifier: LineAmplifier) -> Element:
        operational = {
            "gain_target": None if math.isnan(amplifier.gain_db) else round(amplifier.gain_db, FINE_DIGITS),
            "delta_p": None,
            "tilt_target": 0.0,
            "out_voa": round(amplifier.voa_db, LOSS_DIGITS),
        }
        variety = self.equipment.amplifier_type(amplifier)
        return {"uid": key, "type": "Edfa", "type_variety": variety, "operational": operational}

    def _count(self) -> None:
        """Count what the files hold of the document, and what they do not."""
        lines, ledger = self.network.lines, self.ledger
        ledger.kept("links.id", len({line.link.id for line in lines}))
        ledger.kept("spans.length_km", sum(len(line.spans) for line in lines))
        ledger.converted("spans", "losses with age and measurements → loss_coef and connectors", len(lines))
        ledger.converted("links.launch_dbm", "power → loss before the line, or power of the ROADM", len(lines))
        effects = {
            "capacity_gbps": "rates; GNPy computes them of services",
            "n_parallel": "channels that are lit; all lines have one comb",
            "weight": "shortest paths",
            "latency_us": "stated latencies",
            "srlgs": "failures that links share",
            "up": "lines that are down look as if they were up",
        }
        unique = {line.link.id: line.link for line in lines}
        for name, effect in effects.items():
            default = {"n_parallel": 1, "weight": 1.0, "srlgs": (), "up": True}.get(name)
            stating = [link.id for link in unique.values() if getattr(link, name) != default]
            if stating:
                ledger.dropped(f"links.{name}", effect, stating[0], len(stating))
        if any(span.srlgs for line in lines for span in line.spans):
            ledger.dropped("spans.srlgs", "failures that spans share")
        standby = [link.id for link in unique.values() if any(span.standby for span in link.spans)]
        if standby:
            ledger.dropped("spans.standby", "the standby path of protected links", standby[0], len(standby))
        if self.network.document.demands:
            ledger.dropped("demands", "services; name them in GNPy", n=len(self.network.document.demands))
        if self.network.document.as_of is not None:
            ledger.dropped("dates", f"{OPTICS} after the day of the network")


def _line_name(line: Line) -> str:
    return line.link.id if line.n_paths == 1 else f"{line.link.id} part {line.number + 1}"


def _needed_dbm(line: Line) -> float:
    """Return the power per channel into the booster, or into the first span without one; NaN if it is unknown."""
    if line.booster is None or math.isnan(line.booster.gain_db):
        return line.launch_dbm
    return line.launch_dbm + line.booster.voa_db - line.booster.gain_db


def _amplifiers(line: Line, back: bool) -> list[LineAmplifier | None]:
    """Return the amplifier behind each fibre of a direction.

    On the way back a site amplifies what the next span lost: its gain covers the losses since the amplifier before it.
    """
    there = [span.amplifier for span in line.spans]
    if not back:
        return there
    found: list[LineAmplifier | None] = []
    sites = [*there[:-1][::-1], there[-1]]
    lost_db = 0.0
    for span, amplifier in zip(line.spans[::-1], sites, strict=True):
        lost_db += span.before_db + span.loss_db_per_km * span.length_km + span.after_db
        if amplifier is None:
            found.append(None)
            continue
        gain_db = math.nan if math.isnan(amplifier.gain_db) else lost_db + amplifier.voa_db
        found.append(LineAmplifier(amplifier.part, gain_db, amplifier.voa_db, amplifier.noise_figure_db))
        lost_db = 0.0
    return found


def _fused(key: str, loss_db: float) -> Element:
    return {"uid": key, "type": "Fused", "params": {"loss": round(max(loss_db, 0.0), LOSS_DIGITS)}}
