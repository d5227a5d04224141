"""Rules of measurements: value, place in the network, date, and duplicate or older statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from ..errors import Issue, did_you_mean
from ..errors.wording import counted
from .document import TopologyDocument
from .measurements import READINGS, VALUE_FIELDS, Measurement
from .records import Link, Span

MAX_HINTS = 20
"""Number of unknown links that get a did-you-mean hint."""
MAX_LANES = 16
"""Optical lanes of one transceiver, at most: OSFP-XD has the most."""


def measurement_issues(document: TopologyDocument, links: Iterable[Link]) -> Iterator[Issue]:
    """Find all faults of the measurements of a document with these links."""
    if not document.measurements:
        return
    by_id = {link.id: link for link in links}
    n_missing = 0
    yield from _repeated_readings(document.measurements)
    for m in document.measurements:
        link = by_id.get(m.of.link)
        if link is None:
            n_missing += 1
            hint = did_you_mean(m.of.link, by_id) if n_missing <= MAX_HINTS else ""
            yield from _value_issues(m)
            yield Issue(f"{m.where}.of.link", f"no link {m.of.link!r}", hint)
            continue
        yield from issues_of(m, link, document.as_of)
    yield from _stated_twice(document.measurements, by_id)


def issues_of(m: Measurement, link: Link, as_of: date | None) -> Iterator[Issue]:
    """Find all faults of one measurement of a link, apart from other measurements."""
    yield from _value_issues(m)
    yield from _place_issues(m, link)
    yield from _date_issues(m, link, as_of)


def _repeated_readings(measurements: Iterable[Measurement]) -> Iterator[Issue]:
    """Find several readings of one quantity at one place on one day."""
    for (of, quantity, direction, day), n in Counter(
        (m.of, m.quantity, m.direction, m.at) for m in measurements
    ).items():
        if n > 1:
            where = Measurement(of, quantity, day, direction).where
            yield Issue(where, f"{n} readings of {day}", "one reading of a thing on a day")


def _value_issues(m: Measurement) -> Iterator[Issue]:
    reading = READINGS[m.quantity]
    stated = [name for name in VALUE_FIELDS if getattr(m, name) is not None]
    if stated != [reading.field]:
        text = f"is stated in {', '.join(stated)}" if stated else "has no value"
        yield Issue(m.where, f"{m.quantity} {text}", f"give {reading.field} and no other value")
    elif not reading.low <= m.value <= reading.high:
        yield Issue(
            f"{m.where}.{reading.field}", f"{m.value:g} is out of range", f"{reading.low:g} to {reading.high:g}"
        )


def _place_issues(m: Measurement, link: Link) -> Iterator[Issue]:
    n = len(link.spans)
    if m.of.span is not None and m.of.span >= n:
        expected = f"0 to {n - 1}" if n else "leave it out: the link has no spans"
        yield Issue(f"{m.where}.of.span", f"no span {m.of.span}: the link has {n}", expected)
    n_lanes = link.n_parallel * MAX_LANES
    if m.of.lane is not None and m.of.lane >= n_lanes:
        problem = f"no lane {m.of.lane}: {counted(link.n_parallel, 'member')} of at most {MAX_LANES} lanes"
        yield Issue(f"{m.where}.of.lane", problem, f"0 to {n_lanes - 1}")
    if m.quantity in ("span_loss", "amplifier_gain") and m.of.span is None:
        yield Issue(f"{m.where}.of.span", "is missing", f"{m.quantity} is of a span")
    if m.quantity == "received_power" and m.is_used:
        if link.transceiver is None:
            yield Issue(m.where, "a received power of a link without a transceiver", "name the transceiver")
        if any(span.regenerated for span in link.spans):
            problem = "one received power, though the signal is regenerated on the way"
            yield Issue(m.where, problem, "measure span_loss of its spans")


def _date_issues(m: Measurement, link: Link, as_of: date | None) -> Iterator[Issue]:
    if as_of is None:
        yield Issue(f"{m.where}.at", "a date in a document without as_of", "state the day the document speaks of")
    elif m.at > as_of:
        yield Issue(f"{m.where}.at", f"{m.at} lies after as_of {as_of}")
    measured: Link | Span = link
    if m.of.span is not None and m.of.span < len(link.spans):
        measured = link.spans[m.of.span]
    if m.is_used and measured.installed is not None and m.at < measured.installed:
        yield Issue(f"{m.where}.at", f"{m.at} lies before installed {measured.installed}")


def _stated_twice(measurements: Iterable[Measurement], by_id: dict[str, Link]) -> Iterator[Issue]:
    """Find measurements of a value that an older field of the link or span states too."""
    places: dict[tuple[Any, ...], Measurement] = {(m.of, m.quantity): m for m in measurements if m.is_used}
    for m in places.values():
        link, place = by_id.get(m.of.link), f"links[{m.of.link}]"
        if link is None:
            continue
        if m.of.span is None:
            field, field_value = "measured_received_dbm", link.measured_received_dbm
        elif m.of.span < len(link.spans):
            field, field_value, place = (
                "measured_loss_db",
                link.spans[m.of.span].measured_loss_db,
                f"{place}.spans[{m.of.span}]",
            )
        else:
            continue
        if field_value is not None:
            yield Issue(f"{place}.{field}", f"stands beside {m.where}", "keep one of them, the measurement")
