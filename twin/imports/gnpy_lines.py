"""Optical lines of GNPy: elements between two terminals, traced, and both directions paired."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import NamedTuple

from .cabling import Origin
from .ledger import Ledger

MAX_STEPS = 10_000
"""Elements of one line."""
MAX_USES = 64
"""Lines through one element without fibre or gain."""
MAX_CANDIDATES = 50
"""Opposite lines between the same ends that are compared with one."""
LENGTH_TOLERANCE_KM, LOSS_TOLERANCE_DB = 1e-3, 5e-3
"""Differences of two directions below these are rounding."""


@dataclass(slots=True)
class Fibre:
    """A fibre of one direction."""

    key: str
    length_km: float | None
    """None = not stated."""
    variety: str = ""
    loss_db_per_km: float | None = None
    """Attenuation; None = not stated."""
    head_db: float | None = None
    """Loss before the fibre: connector and attenuator; None = the connector is not stated."""
    tail_db: float | None = None
    """Loss behind the fibre: connector and lumped losses; None = the connector is not stated."""
    figures: dict[str, float] = field(default_factory=dict)
    """Figures of this fibre that go before those of its variety."""
    cable: str = ""
    source: Origin | None = None


@dataclass(slots=True)
class Amplifier:
    """An amplifier of one direction."""

    key: str
    variety: str = ""
    gain_db: float | None = None
    tilt_db: float | None = None
    out_voa_db: float | None = None
    in_voa_db: float | None = None
    delta_db: float | None = None
    """Power per channel behind it over the reference power."""
    source: Origin | None = None


@dataclass(slots=True)
class Pass:
    """An element that only loses power."""

    key: str
    loss_db: float = 0.0


Element = Fibre | Amplifier | Pass


class Line(NamedTuple):
    """The elements from one terminal to another, in one direction."""

    source: str
    target: str
    elements: tuple[Element, ...]
    name: str = ""
    """Name of the link; empty = the source names none."""

    @property
    def fibres(self) -> list[Fibre]:
        """Fibres in order."""
        return [each for each in self.elements if isinstance(each, Fibre)]

    @property
    def amplifiers(self) -> list[Amplifier]:
        """Amplifiers in order."""
        return [each for each in self.elements if isinstance(each, Amplifier)]


class LinePair(NamedTuple):
    """A line and its opposite direction."""

    line: Line
    back: Line | None
    """None = the source states one direction only."""


class LineTracer:
    """Follows connections from terminal to terminal."""

    def __init__(
        self,
        terminals: Iterable[str],
        elements: Mapping[str, Element],
        arcs: Mapping[str, Sequence[str]],
        ledger: Ledger,
    ) -> None:
        """Prepare to trace.

        Args:
            terminals: keys of ROADMs and of transceivers that end lines.
            elements: elements of lines by key.
            arcs: key -> keys of its successors.
            ledger: counts of the import.
        """
        self.terminals = dict.fromkeys(terminals)
        self.elements, self.arcs, self.ledger = elements, arcs, ledger
        self.n_uses: dict[str, int] = defaultdict(int)

    def lines(self) -> list[Line]:
        """Return every line, in the order of the terminals, and report what lies on none."""
        found = []
        for terminal in self.terminals:
            for first in self.arcs.get(terminal, ()):
                if first in self.elements and not self._is_taken(first):
                    line = self._walk(terminal, first)
                    if line is not None:
                        found.append(line)
        unused = [key for key in self.elements if key not in self.n_uses]
        if unused:
            problem = "elements lie on no line between two terminals; they are left out"
            self.ledger.finding(
                "dangling element", problem, "check the connections", ", ".join(unused[:3]), len(unused)
            )
        return found

    def _walk(self, terminal: str, first: str) -> Line | None:
        """Return the line from a terminal over its first element; None, with a finding, for a broken one."""
        trail = [terminal, first]
        seen = {first}
        while True:
            following = self._following(trail)
            here = following[0] if len(following) == 1 else ""
            problem = self._problem(trail, following, seen)
            if problem:
                self._use(trail)
                place = f"{trail[0]} … {trail[-1]}"
                hint = "check the connections"
                self.ledger.finding("broken line", f"a line {problem}; no link is made", hint, place)
                return None
            if here in self.terminals:
                break
            seen.add(here)
            trail.append(here)
        self._use(trail)
        return Line(terminal, here, tuple(self.elements[key] for key in trail[1:]))

    def _problem(self, trail: Sequence[str], following: Sequence[str], seen: set[str]) -> str:
        """Return why a line cannot go on along its trail; empty if it can."""
        if len(following) != 1:
            return "branches" if following else "ends nowhere"
        here = following[0]
        if here in self.terminals:
            return "has one node at both ends" if here == trail[0] else ""
        if here not in self.elements:
            return "passes an element of unknown type"
        if here in seen or len(trail) >= MAX_STEPS:
            return "runs in a circle"
        return "enters another one" if self._is_taken(here) else ""

    def _following(self, trail: Sequence[str]) -> list[str]:
        """Return the successors of the last key, without those that lead back along the trail."""
        following = list(dict.fromkeys(self.arcs.get(trail[-1], ())))
        if len(following) < 2:
            return following
        earlier = trail[-3] if len(trail) > 2 else None
        return [key for key in following if key != trail[-2] and earlier not in self.arcs.get(key, ())]

    def _is_taken(self, key: str) -> bool:
        """Return whether an element lies on another line already; one that only loses power may lie on several."""
        return self.n_uses.get(key, 0) >= (MAX_USES if isinstance(self.elements[key], Pass) else 1)

    def _use(self, trail: Sequence[str]) -> None:
        for key in trail[1:]:
            self.n_uses[key] += 1


def paired(lines: Sequence[Line], ledger: Ledger) -> list[LinePair]:
    """Pair each line with its opposite direction, the one of equal lengths first; a difference is a finding."""
    waiting: dict[tuple[str, str], dict[int, Line]] = defaultdict(dict)
    for i, line in enumerate(lines):
        waiting[line.source, line.target][i] = line
    found = []
    for i, line in enumerate(lines):
        if waiting[line.source, line.target].pop(i, None) is None:
            continue
        opposite = waiting[line.target, line.source]
        candidates = list(islice(opposite.items(), MAX_CANDIDATES))
        k = min(candidates, key=partial(_distance, line), default=(None, line))[0]
        place = f"{line.source} → {line.target}"
        if k is None:
            problem = "a line without its opposite direction; the link is made in both"
            ledger.finding("one-sided line", problem, "add the other direction", place)
            found.append(LinePair(line, None))
            continue
        back = opposite.pop(k)
        found.append(LinePair(line, back))
        differing(found[-1], ledger)
    return found


def differing(pair: LinePair, ledger: Ledger) -> None:
    """Keep a finding for everything in which the two directions of a pair differ."""
    if pair.back is None:
        return
    for what in _differences(pair.line, pair.back):
        problem = f"the two directions differ in {what}; the first is used for both"
        ledger.finding(
            "directions differ", problem, "check both directions", f"{pair.line.source} → {pair.line.target}"
        )


def _distance(line: Line, candidate: tuple[int, Line]) -> tuple[bool, float, int]:
    """Return how far an opposite line is from one: another name, then the difference of lengths, then its place."""
    i, back = candidate
    return line.name != back.name, _length_difference_km(line, back), i


def _length_difference_km(line: Line, back: Line) -> float:
    there, other = line.fibres, back.fibres[::-1]
    if len(there) != len(other):
        return 1e9
    return sum(abs((a.length_km or 0.0) - (b.length_km or 0.0)) for a, b in zip(there, other, strict=True))


def _differences(line: Line, back: Line) -> list[str]:
    """Return what differs between two directions, the elements of the second in reverse order."""
    found = []
    there, other = line.fibres, back.fibres[::-1]
    if len(there) != len(other):
        found.append("the number of fibres")
    else:
        pairs = list(zip(there, other, strict=True))
        if any(abs((a.length_km or 0.0) - (b.length_km or 0.0)) > LENGTH_TOLERANCE_KM for a, b in pairs):
            found.append("length")
        if any(abs(_loss_db(a) - _loss_db(b)) > LOSS_TOLERANCE_DB for a, b in pairs):
            found.append("loss of fibre")
        if any(a.variety != b.variety for a, b in pairs):
            found.append("type of fibre")
    if sorted(a.variety for a in line.amplifiers) != sorted(b.variety for b in back.amplifiers):
        found.append("number or types of amplifiers")
    return found


def _loss_db(fibre: Fibre) -> float:
    """Return the loss of the fibre itself; connectors and attenuators lie at other ends in the other direction."""
    return (fibre.length_km or 0.0) * (fibre.loss_db_per_km or 0.0)
