"""Traces cables through patch panels and circuits from one device to another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from .cabling import PASSIVE, Cable, Cabling, End
from .ledger import Ledger

N_CONNECTORS_PER_PANEL = 2
"""Mated pairs of a signal that passes a patch panel: one at the front port, one at the rear port."""
MAX_STEPS = 200
"""Cables and panels in one path."""


class Stretch(NamedTuple):
    """One stretch of a path: a cable, or a circuit."""

    cable: Cable | None
    circuit: str | None
    """Key of the circuit; None for a cable."""
    n_connectors: int
    """Connectors of the panel at its far end."""


class Path(NamedTuple):
    """A signal path between two ports of devices."""

    ends: tuple[End, End]
    stretches: tuple[Stretch, ...]

    @property
    def cables(self) -> Iterator[Cable]:
        """Yield the cables of the path."""
        return (stretch.cable for stretch in self.stretches if stretch.cable is not None)

    def turned(self) -> Path:
        """Return the path from its other end; connectors stay with the panel between two stretches."""
        shifted = [0, *(stretch.n_connectors for stretch in self.stretches[:-1])]
        back = (s._replace(n_connectors=n) for s, n in zip(reversed(self.stretches), reversed(shifted), strict=True))
        return Path(self.ends[::-1], tuple(back))


def path_text(cabling: Cabling, path: Path) -> str:
    """Return the ends of a path for messages: `leaf-1:Ethernet1 ~ spine-1:Ethernet7`."""
    return " ~ ".join(cabling.devices[end.device].name + (f":{end.port}" if end.port else "") for end in path.ends)


class Tracer:
    """Follows cables from device to device."""

    def __init__(self, cabling: Cabling, ledger: Ledger) -> None:
        self.cabling, self.ledger = cabling, ledger
        self.panels = {key for key, device in cabling.devices.items() if device.kind in PASSIVE}
        self.front_of: dict[End, dict[int, End]] = defaultdict(dict)
        for front, (rear, position) in cabling.rear_of.items():
            self.front_of[rear].setdefault(position, front)
        self.at: dict[End, list[Cable]] = defaultdict(list)
        for cable in cabling.cables:
            for end in cable.ends:
                if self._passes(end):
                    self.at[end].append(cable)

    def _passes(self, end: End) -> bool:
        """Return whether a signal passes this port: one of a panel or circuit, also of other devices."""
        return end.device in self.panels or end in self.cabling.rear_of or end in self.front_of

    def paths(self) -> Iterator[Path]:
        """Yield every path between two devices that are no panels, each once, in the order of the cables.

        The cables leave the cabling one by one, so that a path takes the memory that its cable had.
        """
        reached: set[tuple[End, int]] = set()
        used: set[int] = set()
        inner: list[Cable] = []
        cables, self.cabling.cables = self.cabling.cables[::-1], []
        while cables:
            cable = cables.pop()
            if all(self._passes(end) for end in cable.ends):
                inner.append(cable)
                continue
            for start, other in (cable.ends, cable.ends[::-1]):
                if self._passes(start) or (start, id(cable)) in reached:
                    continue
                if not self._passes(other):
                    yield Path(cable.ends, (Stretch(cable, None, 0),))
                    break
                path = self._walk(start, other, cable)
                if path is not None:
                    used.update(id(each) for each in path.cables)
                    reached.add((path.ends[1], id(path.stretches[-1].cable)))
                    yield path
        for cable in inner:
            if id(cable) not in used:
                self.ledger.dropped("cables", "lies between panels only; no device uses it", cable.name or cable.key)

    def _walk(self, start: End, here: End, cable: Cable) -> Path | None:
        """Follow the signal from `start` along `cable`, whose other end is `here`."""
        stretches: list[Stretch] = []
        positions: list[int] = []
        passed: set[tuple[End, tuple[int, ...]]] = set()
        while True:
            if not self._passes(here):
                return Path((start, here), (*stretches, Stretch(cable, None, 0)))
            state = here, tuple(positions)
            if state in passed or len(passed) >= MAX_STEPS:
                self._stops(start, "cycle", "the path runs in a circle", "check the ports of the panels on it")
                return None
            passed.add(state)
            beyond = self._through(here, positions)
            if beyond is None:
                hint = "state the front and rear ports of the panel"
                self._stops(start, "one-sided cable", "the path ends inside a panel or circuit", hint)
                return None
            is_circuit = self.cabling.devices[here.device].kind == "circuit"
            stretches.append(Stretch(cable, None, 0 if is_circuit else N_CONNECTORS_PER_PANEL))
            if is_circuit:
                stretches.append(Stretch(None, here.device, 0))
            following = [each for each in self.at.get(beyond, ()) if each is not cable]
            if len(following) != 1:
                what = "ends at a panel or circuit" if not following else "branches behind a panel"
                self._stops(start, "one-sided cable", f"the path {what}", "add the cable at the other side")
                return None
            cable = following[0]
            here = cable.ends[1] if cable.ends[0] == beyond else cable.ends[0]

    def _through(self, here: End, positions: list[int]) -> End | None:
        """Return the port at the other side of a panel or circuit; `positions` is the stack of rear positions."""
        rear = self.cabling.rear_of.get(here)
        if rear is not None:
            if self._has_positions(rear.end):
                positions.append(rear.position)
            return rear.end
        fronts = self.front_of.get(here)
        if not fronts:
            return None
        if not self._has_positions(here):
            return next(iter(fronts.values()))
        return fronts.get(positions.pop()) if positions else None

    def _has_positions(self, rear: End) -> bool:
        """Return whether several front ports share a rear port, so that a path must remember its position."""
        fronts = self.front_of[rear]
        return len(fronts) > 1 or min(fronts, default=1) > 1

    def _stops(self, start: End, kind: str, problem: str, hint: str) -> None:
        device = self.cabling.devices[start.device].name
        self.ledger.finding(kind, f"{problem}; no link is made", hint, f"{device}:{start.port}")
