"""Links of layers that carry others: their lengths, losses and states, and shared risks for the links above."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .cabling import Cable, Cabling
from .ledger import Ledger
from .rfc8345_layer import Edges, Layer, LayerReader

MAX_DEPTH = 50
"""Layers on top of each other."""
MAX_RISKS = 10_000
Refs = tuple[tuple[str, str], ...]


class Carriers:
    """Reads layers below when a link first names one of their links."""

    def __init__(self, layers: Mapping[str, Layer], ledger: Ledger) -> None:
        self.layers, self.ledger = layers, ledger
        self.used: set[str] = set()
        """Layers of which a link carries another."""
        self._edges: dict[str, dict[str, tuple[Cable, Refs]]] = {}
        self._done: dict[int, Cable] = {}

    def carried(self, edges: Edges, layer: str) -> Iterator[Cable]:
        """Yield links with what the links below add to them."""
        for cable, _, refs in edges:
            yield self._settled(cable, refs, layer, 0)

    def _settled(self, cable: Cable, refs: Refs, layer: str, depth: int) -> Cable:
        if not refs or id(cable) in self._done:
            return cable
        self._done[id(cable)] = cable  # before its carriers, so that a cycle ends
        if depth > MAX_DEPTH:
            self.ledger.finding("cycle", "layers carry each other; the links below are left out", "", cable.name)
            return cable
        below: dict[int, Cable] = {}
        is_whole = True
        for network, link in refs:
            found = self._layer(network).get(link) if network != layer else None
            if found is None:
                problem = "a supporting link is no link of the source: its length and risk are unknown"
                is_whole = False
                self.ledger.finding("unknown carrier", problem, "add its layer", f"{cable.name}: {network} {link}")
                continue
            self.used.add(network)
            below[id(found[0])] = self._settled(*found, network, depth + 1)
        if below:
            self._add(cable, list(below.values()), is_whole=is_whole)
        return cable

    def _add(self, cable: Cable, below: list[Cable], *, is_whole: bool) -> None:
        """Add risks, and length, latency and spans where the link states none and all carriers are known."""
        risks = dict.fromkeys((*cable.srlgs, *(risk for each in below for risk in (each.name, *each.srlgs))))
        cable.srlgs = tuple(risks)[:MAX_RISKS]
        lengths_km = [each.length_km for each in below]
        if is_whole and cable.length_km is None and all(length is not None for length in lengths_km):
            cable.length_km = sum(length or 0.0 for length in lengths_km)
            cable.spans = tuple(span for each in below for span in each.spans) if all(e.spans for e in below) else ()
            self.ledger.converted("links.supporting-link", "lengths of the links below → length of the link")
        latencies_us = [each.latency_us for each in below]
        if is_whole and cable.latency_us is None and all(value is not None for value in latencies_us):
            cable.latency_us = sum(max(v) if isinstance(v, tuple) else v for v in latencies_us if v is not None)
            self.ledger.converted("links.supporting-link", "latencies of the links below → latency of the link")
        if cable.up and not all(each.up for each in below):
            cable.up = False
            problem = "a link below is down; the link is taken as down"
            self.ledger.finding("carrier down", problem, "check its state", cable.name)

    def _layer(self, key: str) -> dict[str, tuple[Cable, Refs]]:
        """Return the links of a layer by the ids of their directions; it is read once."""
        if key not in self._edges:
            self._edges[key] = {}
            layer = self.layers.get(key)
            if layer is not None:
                reader = LayerReader(layer, Cabling(), self.ledger)
                for cable, keys, refs in reader.read():
                    self._edges[key].update(dict.fromkeys(keys, (cable, refs)))
        return self._edges[key]
