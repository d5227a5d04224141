"""Measurements: what was read off a link, a span or a lane, on which day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from .identity import STRICT, Id, Provenance, Source

Quantity = Literal[
    "span_loss",
    "received_power",
    "launched_power",
    "snr",
    "osnr",
    "pre_fec_ber",
    "dispersion",
    "amplifier_gain",
    "interface_rate",
    "latency",
    "loss",
    "flaps",
]
Direction = Literal["a_to_b", "b_to_a"]
Index = Annotated[int, Field(ge=0, le=1_000_000)]


class Reading(NamedTuple):
    """How a quantity is stated: the field of its value, and the range that the value lies in."""

    field: str
    low: float
    high: float


READINGS: dict[str, Reading] = {
    "span_loss": Reading("value_db", 1e-9, 200.0),
    "received_power": Reading("value_dbm", -60.0, 30.0),
    "launched_power": Reading("value_dbm", -60.0, 40.0),
    "snr": Reading("value_db", -50.0, 100.0),
    "osnr": Reading("value_db", -50.0, 100.0),
    "pre_fec_ber": Reading("value_ratio", 0.0, 1.0),
    "dispersion": Reading("value_ps_per_nm", -1e6, 1e6),
    "amplifier_gain": Reading("value_db", -50.0, 100.0),
    "interface_rate": Reading("value_gbps", 0.0, 1e7),
    "latency": Reading("value_us", 0.0, 1e9),
    "loss": Reading("value_ratio", 0.0, 1.0),
    "flaps": Reading("value_per_day", 0.0, 1e6),
}
"""Each quantity by name."""
VALUE_FIELDS = tuple(dict.fromkeys(reading.field for reading in READINGS.values()))


@dataclass(frozen=True, slots=True)
class MeasuredPlace:
    """What was measured: a link, one of its spans, or one lane."""

    __pydantic_config__ = STRICT

    link: Id
    span: Index | None = None
    """Place in the link's list of spans, from 0; an amplifier goes by the span that it ends."""
    lane: Index | None = None
    """Optical lane or channel, from 0."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One reading of one quantity; its value stands in the field that bears the quantity's unit."""

    __pydantic_config__ = STRICT

    of: MeasuredPlace
    quantity: Quantity
    """Its value stands in one of the `value_` fields, the one with its unit."""
    at: date
    """Day of the reading. Of several readings of one thing the latest counts."""
    direction: Direction | None = None
    """a_to_b: from ends[0] to ends[1]; None = not stated. Where both directions are given, the worse one counts."""
    value_db: float | None = None
    """Of span_loss, snr, osnr and amplifier_gain."""
    value_dbm: float | None = None
    """Of received_power and launched_power, per channel."""
    value_ratio: float | None = None
    """Of pre_fec_ber (errors a bit) and loss (frames lost of those sent)."""
    value_ps_per_nm: float | None = None
    """Of dispersion."""
    value_gbps: float | None = None
    """Of interface_rate."""
    value_us: float | None = None
    """Of latency, one way."""
    value_per_day: float | None = None
    """Of flaps: how many a day."""
    source: Provenance | None = None
    """Where the reading comes from: a text, or file, position and id there."""

    @property
    def value(self) -> float:
        """The value, in the unit of the quantity. Only of a measurement that `measurement_rules` accept."""
        return float(getattr(self, READINGS[self.quantity].field))

    @property
    def where(self) -> str:
        """How messages name it."""
        place = "".join(
            f", {name} {n}" for name, n in (("span", self.of.span), ("lane", self.of.lane)) if n is not None
        )
        way = f" {self.direction}" if self.direction else ""
        return f"measurements[{self.of.link}{place}, {self.quantity}{way}]"

    @property
    def is_used(self) -> bool:
        """Whether it counts in answers: the loss of a span, or the power received at the end of a link."""
        of = self.of
        if self.quantity == "span_loss":
            return of.span is not None and of.lane is None
        return self.quantity == "received_power" and of.span is None and of.lane is None


def measurement_key(m: Measurement) -> tuple[Any, ...]:
    """What puts measurements in order: place, quantity, direction, day, value."""
    place = (m.of.link, -1 if m.of.span is None else m.of.span, -1 if m.of.lane is None else m.of.lane)
    values = tuple((getattr(m, name) is None, getattr(m, name) or 0.0) for name in VALUE_FIELDS)
    return (*place, m.quantity, m.direction or "", m.at, values, str(m.source))


class Measured(NamedTuple):
    """A value and the day that it was measured."""

    value: float
    day: date


class MeasuredValues:
    """The measurements that count, by link and span: the latest of each direction, of these the worse one."""

    def __init__(self, measurements: Iterable[Measurement]) -> None:
        latest: dict[tuple[str, int | None], dict[Direction | None, Measured]] = {}
        for m in measurements:
            if not m.is_used:
                continue
            # the sign makes the worse value the higher one
            value = Measured(m.value if m.quantity == "span_loss" else -m.value, m.at)
            by_direction = latest.setdefault((m.of.link, m.of.span), {})
            known = by_direction.get(m.direction)
            by_direction[m.direction] = value if known is None or value.day > known.day else known
        self._worst = {key: max(found.values()) for key, found in latest.items()}

    def span_loss(self, link: str, span: int) -> Measured | None:
        """Loss of a span in dB; None where none was measured."""
        return self._worst.get((link, span))

    def received_power(self, link: str) -> Measured | None:
        """Received power of a link in dBm; None where none was measured."""
        worst = self._worst.get((link, None))
        return None if worst is None else Measured(-worst.value, worst.day)


__all__ = [
    "READINGS",
    "VALUE_FIELDS",
    "Measured",
    "MeasuredPlace",
    "MeasuredValues",
    "Measurement",
    "Source",
    "measurement_key",
]
