"""Measurements: values read on a link, a span or a lane, with their date."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from ..units import DAYS_PER_YEAR, unit_of
from .identity import STRICT, Id, Provenance, Source
from .records import Link, Span

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
BOTH_DIRECTIONS: tuple[Direction, ...] = ("a_to_b", "b_to_a")
Index = Annotated[int, Field(ge=0, le=1_000_000)]


class Reading(NamedTuple):
    """Field that holds the value of a quantity, and the valid range of the value."""

    field: str
    low: float
    high: float

    @property
    def unit(self) -> str:
        """Unit of the value."""
        return unit_of(self.field) or "1/d"


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
"""Fields and ranges by quantity."""
VALUE_FIELDS = tuple(dict.fromkeys(reading.field for reading in READINGS.values()))


@dataclass(frozen=True, slots=True)
class MeasuredPlace:
    """Measured object: a link, one of its spans, or one lane."""

    __pydantic_config__ = STRICT

    link: Id
    """Id of the link."""
    span: Index | None = None
    """Index of the span in the link, from 0; an amplifier has the index of the span before it."""
    lane: Index | None = None
    """Index of the optical lane or channel, from 0."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One reading of one quantity; the value is in the field with the unit of the quantity."""

    __pydantic_config__ = STRICT

    of: MeasuredPlace
    """What was measured."""
    quantity: Quantity
    """Measured quantity; its value is in the `value_` field with its unit."""
    at: date
    """Date of the reading. The latest of several readings counts."""
    direction: Direction | None = None
    """a_to_b: from ends[0] to ends[1]; None = not stated: it stands for both directions. The worse direction counts."""
    value_db: float | None = None
    """Value of span_loss, snr, osnr or amplifier_gain."""
    value_dbm: float | None = None
    """Value of received_power or launched_power, per channel."""
    value_ratio: float | None = None
    """Value of pre_fec_ber (errors per bit) or loss (lost frames over sent frames)."""
    value_ps_per_nm: float | None = None
    """Value of dispersion."""
    value_gbps: float | None = None
    """Value of interface_rate."""
    value_us: float | None = None
    """Value of latency, one way."""
    value_per_day: float | None = None
    """Value of flaps, per day."""
    source: Provenance | None = None
    """Origin of the reading: a text, or file, position and id in it."""

    @property
    def value(self) -> float:
        """Value in the unit of the quantity; only for a measurement that passed `measurement_rules`."""
        return float(getattr(self, READINGS[self.quantity].field))

    @property
    def where(self) -> str:
        """Name of the measurement in messages."""
        place = "".join(
            f", {name} {n}" for name, n in (("span", self.of.span), ("lane", self.of.lane)) if n is not None
        )
        direction = f" {self.direction}" if self.direction else ""
        return f"measurements[{self.of.link}{place}, {self.quantity}{direction}]"

    @property
    def is_used(self) -> bool:
        """Whether link budgets use it in place of the model: the loss of a span, or the received power of a link."""
        of = self.of
        if self.quantity == "span_loss":
            return of.span is not None and of.lane is None
        return self.quantity == "received_power" and of.span is None and of.lane is None


def directions_of(m: Measurement) -> tuple[Direction, ...]:
    """Return the directions that a measurement stands for: both, if it states none."""
    return (m.direction,) if m.direction else BOTH_DIRECTIONS


def measurement_key(m: Measurement) -> tuple[Any, ...]:
    """Return the sort key of a measurement: place, quantity, direction, date, value."""
    place = (m.of.link, -1 if m.of.span is None else m.of.span, -1 if m.of.lane is None else m.of.lane)
    values = tuple((getattr(m, name) is None, getattr(m, name) or 0.0) for name in VALUE_FIELDS)
    return (*place, m.quantity, m.direction or "", m.at, values, str(m.source))


def all_measurements(measurements: Iterable[Measurement], links: Iterable[Link], as_of: date) -> Iterator[Measurement]:
    """Yield measurements, and those that older fields of links and spans state, as measurements too.

    as_of: day of a measured loss without a day.
    """
    yield from measurements
    for link in links:
        if link.measured_received_dbm is not None:
            place = MeasuredPlace(link.id)
            yield Measurement(place, "received_power", _day_of(link, as_of), value_dbm=link.measured_received_dbm)
        for i, span in enumerate(link.spans):
            if span.measured_loss_db is not None:
                place = MeasuredPlace(link.id, i)
                yield Measurement(place, "span_loss", _day_of(span, as_of), value_db=span.measured_loss_db)


def _day_of(record: Link | Span, as_of: date) -> date:
    """Return the day of a measurement that a record states, by date or in years; `as_of` without either."""
    return record.measured or as_of - timedelta(days=round((record.measured_years or 0.0) * DAYS_PER_YEAR))


class Measured(NamedTuple):
    """A measured value and its date."""

    value: float
    day: date


class MeasuredValues:
    """Measurements that answers use, by link and span: the worse direction of the latest readings."""

    def __init__(self, measurements: Iterable[Measurement]) -> None:
        latest: dict[tuple[str, int | None], dict[Direction, Measured]] = {}
        for m in measurements:
            if not m.is_used:
                continue
            # the sign makes the worse value the higher one
            value = Measured(m.value if m.quantity == "span_loss" else -m.value, m.at)
            by_direction = latest.setdefault((m.of.link, m.of.span), {})
            for direction in directions_of(m):
                known = by_direction.get(direction)
                by_direction[direction] = value if known is None else max(known, value, key=_day_and_value)
        self._worst = {key: max(readings.values()) for key, readings in latest.items()}

    def span_loss(self, link: str, span: int) -> Measured | None:
        """Return the measured loss of a span, dB; None without a measurement."""
        return self._worst.get((link, span))

    def received_power(self, link: str) -> Measured | None:
        """Return the measured received power of a link, dBm; None without a measurement."""
        worst = self._worst.get((link, None))
        return None if worst is None else Measured(-worst.value, worst.day)


def _day_and_value(measured: Measured) -> tuple[date, float]:
    """Return the order of readings: the later one counts, and the worse of two readings of a day."""
    return measured.day, measured.value


__all__ = [
    "READINGS",
    "VALUE_FIELDS",
    "Direction",
    "Measured",
    "MeasuredPlace",
    "MeasuredValues",
    "Measurement",
    "Quantity",
    "Source",
    "all_measurements",
    "directions_of",
    "measurement_key",
]
