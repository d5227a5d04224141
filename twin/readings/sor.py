"""OTDR traces in the SR-4731 format (`.sor`): the blocks GenParams, FxdParams and KeyEvents, of versions 1 and 2.

Source: Telcordia SR-4731, and files of several makers. The samples of the trace itself are not read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import DocumentError
from ..units import SPEED_OF_LIGHT_KM_PER_S

MAX_BLOCKS, MAX_EVENTS, MAX_TEXT, MAX_PULSES = 200, 10_000, 1000, 100
MAP_NAME = b"Map\0"
MAX_INDEX_RATIO, MIN_INDEX_RATIO = 1.8, 1.3
LEAST_NM = 400.0
END_OF_FIBRE = "E"
"""Second letter of the code of the event at the end of the fibre."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event: a splice, a connector, or the end of the fibre."""

    distance_km: float
    slope_db_per_km: float
    """Attenuation of the fibre before it."""
    splice_db: float
    code: str

    @property
    def is_end(self) -> bool:
        """True for the end of the fibre."""
        return self.code[1:2] == END_OF_FIBRE


@dataclass(frozen=True, slots=True)
class Trace:
    """What a file says of one fibre."""

    cable: str
    fibre: str
    location_a: str
    location_b: str
    wavelength_nm: float
    unix_s: int
    """Time of the measurement; 0 = not stated."""
    index_ratio: float
    total_loss_db: float
    """Loss from start to end that the instrument states; 0 = not stated."""
    events: tuple[Event, ...]

    @property
    def length_km(self) -> float:
        """Distance of the end of the fibre: that event, else the last one."""
        ends = [event.distance_km for event in self.events if event.is_end]
        return ends[0] if ends else max((event.distance_km for event in self.events), default=0.0)

    def loss_db(self) -> float:
        """Return the loss of the fibre: as stated, else slopes times distances and the events before the end."""
        if self.total_loss_db > 0:
            return self.total_loss_db
        loss_db = previous_km = 0.0
        for event in sorted(self.events, key=lambda event: event.distance_km):
            loss_db += event.slope_db_per_km * (event.distance_km - previous_km)
            previous_km = event.distance_km
            if event.is_end or event.distance_km >= self.length_km:
                break
            # the loss at distance 0 is that of the connector of the instrument
            loss_db += event.splice_db if event.distance_km > 0 else 0.0
        return loss_db


class _Bytes:
    """Reads numbers and texts one after the other; DocumentError where the file ends too early."""

    def __init__(self, content: bytes, where: str, position: int = 0, end: int | None = None) -> None:
        self.content, self.where, self.position = content, where, position
        self.end = len(content) if end is None else min(end, len(content))

    def number(self, form: str) -> int:
        """Return a number, little end first: H, h, I, i."""
        size = struct.calcsize(f"<{form}")
        return int(struct.unpack(f"<{form}", self.raw(size))[0])

    def raw(self, n: int) -> bytes:
        """Return some bytes."""
        if self.position + n > self.end:
            raise DocumentError(f"ends at byte {self.end}, inside a block", where=self.where, hint="it is truncated")
        found = self.content[self.position : self.position + n]
        self.position += n
        return found

    def text(self) -> str:
        """Return a text that a zero ends."""
        stop = self.content.find(b"\0", self.position, min(self.position + MAX_TEXT, self.end))
        if stop < 0:
            problem = f"text at byte {self.position} has no end"
            raise DocumentError(problem, where=self.where, hint="it is truncated, or no SR-4731 file")
        found = self.content[self.position : stop]
        self.position = stop + 1
        return "".join(c if c.isprintable() else " " for c in found.decode("latin-1")).strip()


def looks_like_trace(content: bytes) -> bool:
    """Return whether bytes start as an SR-4731 file does: its map names the block of events."""
    return b"KeyEvents\0" in content[:4096]


def trace_of(content: bytes, where: str) -> Trace:
    """Read the blocks of a file.

    Raises:
        DocumentError: no such file, a block that is missing or truncated, or impossible values.
    """
    is_second = content.startswith(MAP_NAME)
    blocks = {name: (start, size) for name, start, size in _blocks(content, where, is_second)}
    opened: list[_Bytes] = []
    for name in ("GenParams", "FxdParams", "KeyEvents"):
        if name not in blocks:
            raise DocumentError(f"has no block {name}", where=where, hint="an OTDR trace of SR-4731 has one")
        start, size = blocks[name]
        block = _Bytes(content, where, start, start + size)
        if is_second and block.text() != name:
            raise DocumentError(f"block {name} does not start with its name", where=where, hint="it is damaged")
        opened.append(block)
    general, fixed, events = opened
    names = _names(general, is_second)
    unix_s, wavelength_nm, index_ratio = _fixed(fixed, is_second, where)
    km_per_unit = 1e-10 * SPEED_OF_LIGHT_KM_PER_S / index_ratio
    found, total_loss_db = _events(events, is_second, km_per_unit, where)
    return Trace(*names, wavelength_nm, unix_s, index_ratio, total_loss_db, found)


def _blocks(content: bytes, where: str, is_second: bool) -> Iterator[tuple[str, int, int]]:
    """Yield (name, first byte, size) of each block that the map lists."""
    reader = _Bytes(content, where, len(MAP_NAME) if is_second else 0)
    version, start, n_blocks = reader.number("H"), reader.number("I"), reader.number("H")
    if not 90 <= version <= 999 or not 1 <= n_blocks <= MAX_BLOCKS:
        raise DocumentError("is no OTDR trace of SR-4731", where=where, expected="a map of its blocks at the start")
    for _ in range(n_blocks - 1):
        name = reader.text()
        reader.number("H")
        size = reader.number("I")
        yield name, start, size
        start += size


def _names(block: _Bytes, is_second: bool) -> tuple[str, str, str, str]:
    """Return cable, fibre and both locations."""
    block.raw(2)  # language
    cable, fibre = block.text(), block.text()
    block.raw(4 if is_second else 2)  # type of the fibre, nominal wavelength
    return cable, fibre, block.text(), block.text()


def _fixed(block: _Bytes, is_second: bool, where: str) -> tuple[int, float, float]:
    """Return time in s, wavelength in nm, and index of refraction."""
    unix_s = block.number("I")
    block.raw(2)  # unit of distances on the display
    wavelength_nm = block.number("H") * 0.1
    if wavelength_nm < LEAST_NM:  # some makers write nanometres, not tenths of them
        wavelength_nm *= 10.0
    block.raw(8 if is_second else 4)  # offsets of the acquisition
    n_pulses = block.number("H")
    if n_pulses > MAX_PULSES:
        raise DocumentError(f"{n_pulses} pulse widths", where=where, expected=f"at most {MAX_PULSES}")
    block.raw(10 * n_pulses)  # width, spacing and number of samples of each
    index_ratio = block.number("I") * 1e-5
    if not MIN_INDEX_RATIO <= index_ratio <= MAX_INDEX_RATIO:
        expected = f"{MIN_INDEX_RATIO:g} to {MAX_INDEX_RATIO:g}"
        raise DocumentError(f"index of refraction {index_ratio:g}", where=where, expected=expected)
    return unix_s, wavelength_nm, index_ratio


def _events(block: _Bytes, is_second: bool, km_per_unit: float, where: str) -> tuple[tuple[Event, ...], float]:
    """Return the events and the total loss in dB; times are one way, in units of 0.1 ns."""
    n_events = block.number("H")
    if n_events > MAX_EVENTS:
        raise DocumentError(f"{n_events} events", where=where, expected=f"at most {MAX_EVENTS:,}")
    found = []
    for _ in range(n_events):
        block.raw(2)
        distance_km = block.number("I") * km_per_unit
        slope, splice = block.number("h") * 1e-3, block.number("h") * 1e-3
        block.raw(4)  # reflectance
        code = block.raw(8).decode("latin-1")
        block.raw(20 if is_second else 0)  # positions around the event
        block.text()
        found.append(Event(distance_km, slope, splice, code))
    return tuple(found), block.number("i") * 1e-3
