"""Links of a document from traced paths: rates, bundles, breakouts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .cabling import PARALLEL, Cable, Cabling, End
from .ledger import Ledger
from .link_optics import LinkOptics
from .naming import Ids, display_name, printable, texts
from .options import ImportOptions
from .port_tags import port_tag
from .spans import SpanMaker
from .trace import Path, path_text

OPPOSITE_DIFFERS = "the two ends state different rates; the lower one is used"
Rate = float | tuple[float, float] | None
"""One value, or one for each direction."""


@dataclass(slots=True)
class PlainLink:
    """A link before it is a record."""

    ends: tuple[End, End]
    capacity_gbps: Rate
    paths: list[Path]
    n_parallel: int
    bundle: tuple[str, str]
    """Names of the aggregation group at each end; empty for a single link."""


class LinkMaker:
    """Makes plain links of paths."""

    def __init__(self, cabling: Cabling, options: ImportOptions, ledger: Ledger, optics: LinkOptics) -> None:
        self.cabling, self.options, self.ledger, self.optics = cabling, options, ledger, optics
        self.ids = Ids("links", ledger)
        self.n_without_rate = 0
        self.spans = SpanMaker(cabling, options, ledger)

    def plain_links(self, paths: Iterable[Path]) -> Iterator[PlainLink]:
        """Yield links: the members of an aggregation group with the same rate are one link, behind the others."""
        bundles: dict[tuple[str, str, str, str], list[tuple[Path, Rate]]] = defaultdict(list)
        for path in paths:
            if path.ends[0].device == path.ends[1].device:
                place = path_text(self.cabling, path)
                self.ledger.finding("self-loop", "both ends are one device; no link is made", "check the cable", place)
                continue
            is_ordered = path.ends[0].device <= path.ends[1].device or any(cable.is_line for cable in path.cables)
            path = path if is_ordered else path.turned()
            rate = self._rate(path)
            groups = tuple(self._bundle(end) for end in path.ends)
            if any(groups) and not all(groups):
                problem = "a port of a bundle is cabled to a port of none; it is a link of its own"
                self.ledger.finding("one-sided bundle", problem, "check both ports", path_text(self.cabling, path))
            if all(groups):
                bundles[path.ends[0].device, path.ends[1].device, groups[0], groups[1]].append((path, rate))
            else:
                n = min(cable.n_parallel for cable in path.cables)
                yield PlainLink(path.ends, rate, [path], n, ("", ""))
        for (_, _, first, second), members in bundles.items():
            yield from self._bundle_links((first, second), members)

    def record(self, link: PlainLink, node_ids: dict[str, str]) -> dict[str, Any]:
        """Return a link as plain data of a document."""
        first = link.paths[0]
        cables = list(first.cables)
        a, b = (node_ids[end.device] for end in link.ends)
        data: dict[str, Any] = {"id": self._new_id(link, cables[0], a, b), "ends": [a, b]}
        rate = self._settled_rate(link)
        if rate is not None:
            data["capacity_gbps"] = list(rate) if isinstance(rate, tuple) else rate
        if link.n_parallel > 1:
            data["n_parallel"] = link.n_parallel
        for name, default in (("weight", 1.0), ("latency_us", None), ("loss_ratio", None)):
            value = _along(getattr(cables[0], name), first)
            if value is not None and value != default:
                data[name] = list(value) if isinstance(value, tuple) else value
        data |= self.spans.fields_of(link.paths) | cables[0].optics
        if "transceiver" not in data:
            place = path_text(self.cabling, first)
            transceiver = self.optics.transceiver([path.ends for path in link.paths], rate, place)
            data |= {} if transceiver is None else {"transceiver": transceiver}
        risks = [f"port {node_ids[end.device]}:{end.port}" for end in self._broken_out(link)]
        risks += [printable(risk) for cable in cables for risk in cable.srlgs]
        if risks:
            data["srlgs"] = list(dict.fromkeys(risks))
        n_failed = sum(not self._is_up(path) for path in link.paths)
        if n_failed == len(link.paths):
            data["up"] = False
        elif n_failed:
            data["n_failed"] = n_failed
        if cables[0].n_failed and not 0 < n_failed < len(link.paths):
            data["n_failed"] = cables[0].n_failed
        shown = cables[0].display_name or cables[0].name
        if shown and len(link.paths) == 1 and (cables[0].display_name or shown != data["id"]):
            data["name"] = display_name(shown)
        tags = texts([*(tag for cable in cables for tag in cable.tags), *self._members(link, node_ids)])
        if tags:
            data["tags"] = list(tags[:1000])
        if cables[0].source is not None:
            data["source"] = cables[0].source
        return data

    def _new_id(self, link: PlainLink, cable: Cable, a: str, b: str) -> str:
        if len(link.paths) == 1 and cable.name:
            return self.ids.new(cable.name)
        bundle = link.bundle if PARALLEL not in link.bundle else ("", "")
        ports = bundle if all(link.bundle) else tuple(end.port for end in link.ends)
        made = "~".join(f"{node}:{port}" if port else node for node, port in zip((a, b), ports, strict=True))
        return self.ids.new(made, is_stated=False)

    def _members(self, link: PlainLink, node_ids: dict[str, str]) -> list[str]:
        """Return the ports of each member as tags, so that an answer about a link can be traced to its ports."""
        return [
            port_tag(node_ids[a.device], a.port, node_ids[b.device], b.port)
            for a, b in (path.ends for path in link.paths)
            if a.port and b.port
        ]

    def _bundle(self, end: End) -> str:
        interface = self.cabling.interfaces.get(end)
        return interface.bundle if interface is not None else ""

    def _bundle_links(self, groups: tuple[str, str], members: Sequence[tuple[Path, Rate]]) -> list[PlainLink]:
        """Return one link for each rate among the members of a bundle."""
        by_rate: dict[Rate, list[Path]] = defaultdict(list)
        for path, rate in members:
            by_rate[rate].append(path)
        if len(by_rate) > 1:
            problem = "members of one bundle have different rates; one link is made for each rate"
            self.ledger.finding(
                "mixed speeds", problem, "check the transceivers", path_text(self.cabling, members[0][0])
            )
        return [PlainLink(paths[0].ends, rate, paths, len(paths), groups) for rate, paths in by_rate.items()]

    def _rate(self, path: Path) -> Rate:
        """Return the rate of a path: that of the cable, else the lowest that its ports and circuits state."""
        cable = next(iter(path.cables))
        stated = cable.capacity_gbps
        if stated is not None:
            return _along(stated, path)
        rates = [rate for end in path.ends if (rate := self._port_rate(path, end)) is not None]
        if len(set(rates)) > 1:
            self.ledger.finding("different rates", OPPOSITE_DIFFERS, "check both ports", path_text(self.cabling, path))
        rates += [
            rate
            for stretch in path.stretches
            if stretch.circuit is not None and (rate := self.cabling.devices[stretch.circuit].capacity_gbps) is not None
        ]
        return min(rates, default=None)

    def _settled_rate(self, link: PlainLink) -> Rate:
        """Return the rate of a link; the option's or none, with a row of the report, where the source states none."""
        if link.capacity_gbps is not None:
            return link.capacity_gbps
        stated, place = self.options.capacity_gbps, path_text(self.cabling, link.paths[0])
        if stated is not None:
            self.ledger.assumed("rate of a link", f"{stated:g} Gb/s", "stated by the option", "--capacity-gbps", place)
            return stated
        self.n_without_rate += 1
        hint = "--capacity-gbps states one for all such links"
        self.ledger.finding("unknown rate", "figures that need the rate have no value", hint, place)
        return None

    def _port_rate(self, path: Path, end: End) -> float | None:
        interface = self.cabling.interfaces.get(end)
        if interface is None or interface.capacity_gbps is None:
            return None
        n = next((c.n_branches for c in path.cables if c.ends[0] == end), 1)
        return interface.capacity_gbps / n

    def _broken_out(self, link: PlainLink) -> list[End]:
        """Return the ports of a link that are broken out: all links of such a port fail with it."""
        return [c.ends[0] for path in link.paths for c in path.cables if c.n_branches > 1 and c.ends[0] in path.ends]

    def _is_up(self, path: Path) -> bool:
        ports = (self.cabling.interfaces.get(end) for end in path.ends)
        circuits = (self.cabling.devices[s.circuit] for s in path.stretches if s.circuit is not None)
        return all(c.up for c in path.cables) and all(p is None or p.up for p in ports) and all(c.up for c in circuits)


def _along(value: Rate, path: Path) -> Rate:
    """Return a value of the first cable of a path, turned where the cable runs against the path."""
    cable = next(iter(path.cables))
    return value[::-1] if isinstance(value, tuple) and cable.ends[0] != path.ends[0] else value
