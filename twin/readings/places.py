"""Places of a network by the names that other systems use: ports, devices, pairs of nodes, links."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..errors import DocumentError, did_you_mean
from ..errors.wording import quoted
from ..imports.port_tags import ports_of
from ..model.measurements import Direction
from ..model.records import Link, Node
from .found import Thing

PORT_SEPARATORS = (":", " ", ",", "__", "_", "-", "@", ".")
"""Signs between device and port in the name of a file."""
MAX_HINTS = 20
"""Number of unknown links that get a did-you-mean hint."""


class Place(NamedTuple):
    """A link, the end where something was read, and the member of the bundle."""

    link: Link
    side: int | None = None
    """0 or 1: at ends[side]; None = not known."""
    member: int | None = None
    span: int | None = None
    """Stated by `--map`."""


class Unknown(NamedTuple):
    """A name that leads to no single link."""

    kind: str
    problem: str
    hint: str


class Places:
    """Finds the link of a thing."""

    def __init__(self, nodes: Sequence[Node], links: Sequence[Link], maps: Mapping[str, str]) -> None:
        """Index a network.

        Args:
            nodes: its nodes.
            links: its links.
            maps: names and `LINK[#SPAN][@NODE]`, stated by the user.

        Raises:
            DocumentError: a map to no link, span or end.
        """
        self._links = {link.id: link for link in links}
        self._nodes = _unique((name, node.id) for node in nodes for name in _names_of_device(node))
        self._names = _unique((link.name, link.id) for link in links if link.name)
        self._ports: dict[tuple[str, str], list[Place]] = defaultdict(list)
        self._pairs: dict[frozenset[str], list[Link]] = defaultdict(list)
        for link in links:
            self._pairs[frozenset(link.ends)].append(link)
            for member, ports in enumerate(ports_of(link)):
                for side, port in enumerate(ports):
                    place = Place(link, side, member if link.n_parallel > 1 else None)
                    self._ports[link.ends[side], port.casefold()].append(place)
        self._maps = {name: self._mapped(name, target) for name, target in maps.items()}
        self.used_maps: set[str] = set()
        self._n_unknown = 0

    @property
    def has_ports(self) -> bool:
        """True if any link names its ports."""
        return bool(self._ports)

    def find(self, thing: Thing) -> Place | Unknown:
        """Return the place of a thing, or why there is none."""
        for name in (thing.name, *thing.names):
            if name in self._maps:
                self.used_maps.add(name)
                return self._maps[name]
        if thing.port or (thing.device and not thing.far_device and not thing.names):
            return self._of_port(thing)
        found = self._of_name(thing) if thing.names else None
        if not isinstance(found, Place) and thing.far_device:
            of_pair = self._of_pair(thing)
            return of_pair if found is None or isinstance(of_pair, Place) else found
        return found or Unknown("unknown link", "no name; left out", "")

    def side_of(self, link: Link, device: str) -> int | None:
        """Return the end of a link that a device name means; None if it is neither."""
        node = self._nodes.get(_key(device)) or self._nodes.get(_short(device))
        return link.ends.index(node) if node in link.ends else None

    def direction_of(self, link: Link, text: str) -> Direction | None:
        """Return a stated direction: `a_to_b`, or the sending node."""
        word = text.strip().lower().replace("-", "_").replace(" ", "_").replace(">", "")
        if word in ("a_to_b", "b_to_a"):
            return "a_to_b" if word == "a_to_b" else "b_to_a"
        side = self.side_of(link, text)
        return None if side is None else ("a_to_b", "b_to_a")[side]

    def _of_name(self, thing: Thing) -> Place | Unknown:
        for name in thing.names:
            if name in self._links or name in self._names:
                return Place(self._links[name if name in self._links else self._names[name]])
        for name in thing.names:
            for device, port in _splits(name):
                found = self._of_port(Thing(device=device, port=port))
                if isinstance(found, Place):
                    return found
        shown = next((name for name in thing.names if name), "")
        self._n_unknown += 1
        hint = did_you_mean(shown, self._links) if self._n_unknown <= MAX_HINTS else ""
        return Unknown("unknown link", "no link of this name; left out", hint or f"--map {quoted(shown)}=LINK")

    def _of_port(self, thing: Thing) -> Place | Unknown:
        node = self._nodes.get(_key(thing.device)) or self._nodes.get(_short(thing.device))
        if node is None:
            hint = "--device NODE, or --map DEVICE:PORT=LINK"
            return Unknown("unknown device", "no node of this name; left out", hint)
        places = self._ports.get((node, thing.port.casefold()), [])
        links = {place.link.id for place in places}
        if len(links) == 1:
            return places[0]
        if links:
            return Unknown("port of several links", "broken out; left out", "--map DEVICE:PORT=LINK")
        hint = "--map DEVICE:PORT=LINK" if self.has_ports else "no link names its ports: --map DEVICE:PORT=LINK"
        return Unknown("unknown interface", "no link has this port; left out", hint)

    def _of_pair(self, thing: Thing) -> Place | Unknown:
        ends = [
            self._nodes.get(_key(name)) or self._nodes.get(_short(name)) for name in (thing.device, thing.far_device)
        ]
        if None in ends:
            return Unknown("unknown device", "no node of this name; left out", "--map 'A → B=LINK'")
        links = self._pairs.get(frozenset(str(end) for end in ends), [])
        if len(links) == 1 and ends[0] != ends[1]:
            return Place(links[0], links[0].ends.index(str(ends[0])))
        if links:
            return Unknown("several links between", "the file does not say which; left out", "--map 'A → B=LINK'")
        return Unknown("no link between", "the two nodes are no neighbours; left out", "`path` shows their path")

    def _mapped(self, name: str, target: str) -> Place:
        """Return the place of `LINK[#SPAN][@NODE]`. Raises DocumentError for anything else."""
        where = f"--map {quoted(name)}"
        text, side_text, span_text = target, "", ""
        if text not in self._links and "@" in text:
            text, _, side_text = text.rpartition("@")
        if text not in self._links and "#" in text:
            text, _, span_text = text.rpartition("#")
        if text not in self._links:
            raise DocumentError(f"no link {quoted(text)}", where=where, hint=did_you_mean(text, self._links))
        link = self._links[text]
        side = self.side_of(link, side_text) if side_text else None
        if side_text and side is None:
            expected = " or ".join(link.ends)
            raise DocumentError(f"{quoted(side_text)} is no end of {link.id}", where=where, expected=expected)
        if span_text and not (span_text.isascii() and span_text.isdigit() and len(span_text) < 7):
            raise DocumentError(f"{quoted(span_text)} is no span", where=where, expected="a number from 0")
        return Place(link, side, None, int(span_text) if span_text else None)


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return a dict of names that mean one thing only."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, value in pairs:
        found[name].add(value)
    return {name: next(iter(values)) for name, values in found.items() if len(values) == 1}


def _names_of_device(node: Node) -> set[str]:
    names = {node.id, node.name, _short(node.id), _short(node.name)} - {""}
    return names | {_key(name) for name in names}


def _key(name: str) -> str:
    return name.strip().casefold()


def _short(name: str) -> str:
    """Return a host name without its domain; addresses stay whole."""
    head = _key(name).partition(".")[0]
    return _key(name) if head.isdigit() else head


def _splits(name: str) -> Iterator[tuple[str, str]]:
    """Yield device and port for each sign that may stand between them in a name."""
    for sign in PORT_SEPARATORS:
        start = name.find(sign)
        while start > 0:
            yield name[:start], name[start + len(sign) :]
            start = name.find(sign, start + 1)
