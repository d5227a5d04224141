"""Cables that are stated by their ends: statements of both ends are one cable, and what does not fit is found."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import NamedTuple

from .cabling import Cable, Cabling, End
from .ledger import Ledger

BOTH_ENDS = "stated from both ends → one cable"
OTHER_NAME = "its neighbour names a port in another way → one cable"
ONE_END = (
    "cable that one end states",
    "a cable to the port that it names",
    "no file of the device at the other end",
    "",
)
ONLY_PAIR = (
    "ports of a cable",
    "the only statement of each end is of the same cable",
    "the two ends name ports that do not match",
    "",
)
LONG_NAMES: tuple[tuple[str, str], ...] = (
    ("twohundredgige", "twohundredgig"),
    ("fourhundredgige", "fourhundredgig"),
    ("hundredgige", "hundredgig"),
    ("fiftygige", "fiftygig"),
    ("fortygige", "fortygig"),
    ("twentyfivegige", "twentyfivegig"),
    ("tengige", "tengig"),
    ("gigabitethernet", "gig"),
    ("fastethernet", "fast"),
    ("ethernet", "ethernet"),
    ("hu", "hundredgig"),
    ("fo", "fortygig"),
    ("twe", "twentyfivegig"),
    ("te", "tengig"),
    ("gi", "gig"),
    ("fa", "fast"),
    ("eth", "ethernet"),
    ("et", "ethernet"),
)
"""Starts of port names in lower case, and one spelling for the long and the short form."""
PORT = re.compile(r"([a-z]+)[ -]?(\d[\d/:.]*)")


@lru_cache(maxsize=65_536)
def port_key(name: str) -> str:
    """Return a spelling by which two names of one port compare: `Gi0/1` and `GigabitEthernet0/1` are the same."""
    text = name.strip().strip('"').casefold().removesuffix(".0")
    match = PORT.fullmatch(text)
    if match is None:
        return text
    word, number = match.groups()
    if word == "eth" and number.isdecimal():
        return text  # eth0 of a host, which no long form stands for
    for start, short in LONG_NAMES:
        if word == start or (len(start) > 6 and word.startswith(start)):
            return f"{short}{number}"
    return f"{word}{number}"


Port = tuple[str, str]
"""Key of a device, and `port_key` of its port."""


class Sighting(NamedTuple):
    """One statement: a port, and the port at the other end of its cable as this end names it."""

    local: Port
    remote: Port
    cable: Cable
    """Its first end is the local one."""


class Sightings:
    """Collects statements and makes cables of them."""

    def __init__(self, cabling: Cabling, ledger: Ledger, kind: str) -> None:
        """Start without statements.

        Args:
            cabling: what is filled.
            ledger: counts of the import.
            kind: kind of the records in the report.
        """
        self.cabling, self.ledger, self.kind = cabling, ledger, kind
        self._all: list[Sighting] = []
        self._own_name: dict[Port, str] = {}

    def add(self, cable: Cable) -> None:
        """Add a cable as its first end states it."""
        local, remote = cable.ends
        here = local.device, port_key(local.port)
        there = remote.device, port_key(remote.port) if remote.port else f"\0{local.device} {local.port}"
        if local.port:
            self._own_name.setdefault(here, local.port)
        self._all.append(Sighting(here, there, cable))

    def finish(self, described: Collection[str], *, one_end_is_assumed: bool = False) -> None:
        """Make one cable of the statements of its two ends.

        Args:
            described: keys of the devices whose own statements were read.
            one_end_is_assumed: whether a cable to a device without statements of its own is an assumption.
        """
        by_pair: dict[tuple[Port, Port], list[Sighting]] = defaultdict(list)
        for seen in self._all:
            by_pair[min(seen.local, seen.remote), max(seen.local, seen.remote)].append(seen)
        open_ends: list[Sighting] = []
        for pair, statements in by_pair.items():
            first = statements[0]
            other = next((s for s in statements if s.local != first.local), None)
            n_extra = len(statements) - (1 if other is None else 2)
            if n_extra:
                problem = "one end states the cable twice; it is one cable"
                self.ledger.finding("duplicate cable", problem, "state it once", self._text(first), n_extra)
            if other is None and pair[0] != pair[1]:
                open_ends.append(first)
            else:
                self._join(first, other, BOTH_ENDS)
        self._finish_open(open_ends, described, one_end_is_assumed)

    def _join(self, first: Sighting, other: Sighting | None, conversion: str) -> None:
        cable = first.cable
        if other is not None:
            self.ledger.converted(self.kind, conversion)
            cable.ends = (cable.ends[0], other.cable.ends[0])
            rates = cable.capacity_gbps, other.cable.capacity_gbps
            if None not in rates and rates[0] != rates[1]:
                problem = "the two ends state different rates; the lower one is used"
                self.ledger.finding("different rates", problem, "check both ports", self._text(first))
                cable.capacity_gbps = min(rate for rate in rates if isinstance(rate, float | int))
            elif rates[0] is None:
                cable.capacity_gbps = rates[1]
            cable.up = cable.up and other.cable.up
        self._keep(cable)

    def _keep(self, cable: Cable) -> None:
        """Keep a cable; a port has the name that its own device gives it."""
        names = (End(end.device, self._own_name.get((end.device, port_key(end.port)), end.port)) for end in cable.ends)
        a, b = names
        cable.ends = (a, b)
        self.cabling.cables.append(cable)

    def _finish_open(self, seen: list[Sighting], described: Collection[str], is_assumed: bool) -> None:
        used: set[int] = set()
        for first, other, reason in self._matches(seen):
            used |= {id(first), id(other)}
            if reason == OTHER_NAME:
                self._join(first, other, OTHER_NAME)
            else:
                self.ledger.assumed(*ONLY_PAIR, self._text(first))
                self._join(first, other, BOTH_ENDS)
        for one in seen:
            if id(one) in used:
                continue
            if one.remote[0] in described:
                problem = "the device at the other end does not state it; the link is kept"
                self.ledger.finding("one-sided cable", problem, "check both ends", self._text(one))
            elif is_assumed:
                self.ledger.assumed(*ONE_END, self._text(one))
            self._keep(one.cable)

    def _matches(self, seen: list[Sighting]) -> Iterator[tuple[Sighting, Sighting, str]]:
        """Yield pairs of statements that are of one cable although a name of a port differs."""
        to_port: dict[tuple[Port, str], list[Sighting]] = defaultdict(list)
        between: dict[tuple[str, str], list[Sighting]] = defaultdict(list)
        for one in seen:
            to_port[one.remote, one.local[0]].append(one)
        taken: set[int] = set()
        for one in seen:
            others = to_port.get((one.local, one.remote[0]), [])
            if len(others) == 1 and not {id(one), id(others[0])} & taken:
                taken |= {id(one), id(others[0])}
                yield one, others[0], OTHER_NAME
        for one in seen:
            if id(one) not in taken:
                between[one.local[0], one.remote[0]].append(one)
        for (a, b), ours in between.items():
            theirs = between.get((b, a), [])
            if a < b and len(ours) == len(theirs) == 1:
                yield ours[0], theirs[0], ""

    def _text(self, seen: Sighting) -> str:
        names = (f"{self.cabling.devices[end.device].name}:{end.port}" for end in seen.cable.ends)
        return " ~ ".join(names)
