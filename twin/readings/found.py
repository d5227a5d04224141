"""Readings as files state them: a place by name, a quantity, a value, a day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal

from ..imports.cabling import Origin
from ..imports.fields import origin
from ..imports.files import SourceFile
from ..imports.ledger import Ledger
from ..model.measurements import READINGS, Quantity
from .units import converter, plain_unit

MAX_READINGS = 500_000
"""Readings of one run."""
Way = Literal["in", "out", ""]
"""Into the port, out of it, or both."""
WAYS: dict[Quantity, Way] = {
    "received_power": "in", "snr": "in", "osnr": "in", "pre_fec_ber": "in", "dispersion": "in", "launched_power": "out",
}  # fmt: skip
"""Direction of what a port reports; of other quantities the file states it, or nobody."""
DARK = "no light"


@dataclass(frozen=True, slots=True)
class Thing:
    """A measured thing by the names that a file gives it; empty = not stated."""

    names: tuple[str, ...] = ()
    """Names of a link, a fibre or a file, the first that is known counts."""
    device: str = ""
    port: str = ""
    far_device: str = ""
    """Node at the other end, where the file states two nodes and no port."""
    span: int | None = None
    lane: int | None = None
    n_lanes: int = 1
    """Lanes of the port."""
    way: Way = ""
    stated_direction: str = ""
    """`a_to_b`, `b_to_a`, or the sending node."""

    @property
    def name(self) -> str:
        """Name in messages and in `--map`."""
        if self.names:
            return self.names[0]
        far = f" → {self.far_device}" if self.far_device else ""
        return ":".join(part for part in (self.device, self.port) if part) + far


@dataclass(frozen=True, slots=True)
class Found:
    """One reading."""

    thing: Thing
    quantity: Quantity
    value: float
    """In the unit of the quantity in documents."""
    at: date | None
    source: Origin
    where: str
    """File and position in it."""
    wavelength_nm: float | None = None
    length_km: float | None = None
    """Measured length of the span."""


@dataclass
class Collector:
    """Takes the readings of a file, converts their units and counts them."""

    ledger: Ledger
    readings: list[Found] = field(default_factory=list)

    def add(
        self,
        file: SourceFile,
        place: str,
        name: str,
        thing: Thing,
        quantity: Quantity,
        value: float,
        unit: str,
        at: date | None,
        *,
        wavelength_nm: float | None = None,
        length_km: float | None = None,
    ) -> None:
        """Add a reading.

        Args:
            file: its file.
            place: position in the file.
            name: name of the field in the report.
            thing: what was measured.
            quantity: measured quantity.
            value: value in `unit`.
            unit: unit as the file states it.
            at: day of the reading; None = not stated.
            wavelength_nm: wavelength of the reading, where it matters.
            length_km: length that the same instrument measured.
        """
        if self.is_full:
            return
        convert = converter(quantity, unit)
        where = f"{file.name}: {place}"[:300]
        if convert is None:
            hint = f"a {quantity.replace('_', ' ')} is in {plain_unit(quantity)}" if unit else "state its unit"
            problem = f"{name} in {unit!r}" if unit else f"{name} without a unit"
            self.ledger.finding("wrong unit", f"{problem} is left out"[:200], hint, where)
            return
        converted = convert(value)
        if converted == -float("inf"):
            self.ledger.finding(DARK, f"{name}: no power at all; left out", "the lane is dark or off", where)
            return
        if convert(1.0) == 1.0 and convert(2.0) == 2.0:
            self.ledger.kept(name)
        else:
            self.ledger.converted(name, f"{unit} → {READINGS[quantity].unit}")
        source = origin(file.name, place)
        self.readings.append(Found(thing, quantity, converted, at, source, where, wavelength_nm, length_km))

    @property
    def is_full(self) -> bool:
        """True if no more readings are taken."""
        return len(self.readings) >= MAX_READINGS


def day_of_seconds(seconds: float) -> date | None:
    """Return the UTC day of seconds since 1970; None where there is none."""
    try:
        return datetime.fromtimestamp(seconds, UTC).date()
    except (ValueError, OverflowError, OSError):
        return None


def day_of_text(text: str) -> date | None:
    """Return the day of an ISO date or time, or of `Thu Jan 09 21:50:24 2025`; None for another text."""
    text = text.strip()[:40]
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        pass
    words = text.split()
    if len(words) >= 5 and words[1].lower()[:3] in MONTHS:
        try:
            return date(int(words[-1]), MONTHS.index(words[1].lower()[:3]) + 1, int(words[2]))
        except ValueError:
            return None
    return None


MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
