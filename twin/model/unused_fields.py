"""Fields of a document that are accepted and that no figure follows from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .document import TopologyDocument
from .measurements import Measurement, directions_of


@dataclass(frozen=True, slots=True)
class UnusedField:
    """A field that is accepted and that no figure follows from."""

    where: str
    """First record that states it."""
    field: str
    why: str
    """What answers use instead."""
    n_records: int = 1
    """Number of records that state it."""

    def to_dict(self) -> dict[str, str | int]:
        """Return plain data."""
        return {"where": self.where, "field": self.field, "why": self.why, "n_records": self.n_records}

    def __str__(self) -> str:
        others = f" and {self.n_records - 1} more" if self.n_records > 1 else ""
        return f"{self.field} ({self.where}{others}): {self.why}"


OLDER = "a later reading of the same thing counts; residuals show both"
LANE = "readings of single lanes stand beside the model as residuals, and do not change it"
QUANTITY = "residuals show it beside the model; only span_loss of a span and received_power of a link change the model"


def unused_fields(document: TopologyDocument) -> tuple[UnusedField, ...]:
    """Return one row for each unused field, in the order of the document."""
    first: dict[tuple[str, str], str] = {}
    n: Counter[tuple[str, str]] = Counter()
    for where, field, why in _unused_of_records(document):
        first.setdefault((field, why), where)
        n[field, why] += 1
    return tuple(UnusedField(where, field, why, n[field, why]) for (field, why), where in first.items())


def _unused_of_records(document: TopologyDocument) -> Iterator[tuple[str, str, str]]:
    yield from _unused_measurements(document.canonical().measurements)


def _unused_measurements(measurements: Iterable[Measurement]) -> Iterator[tuple[str, str, str]]:
    used = [m for m in measurements if m.is_used]
    latest: dict[object, Measurement] = {}
    for m in sorted(used, key=lambda m: m.at):
        latest |= {(m.of, m.quantity, direction): m for direction in directions_of(m)}
    for m in measurements:
        if not m.is_used:
            of_lane = m.of.lane is not None and m.quantity in ("span_loss", "received_power")
            yield m.where, f"measurements {m.quantity}", LANE if of_lane else QUANTITY
        elif all(m.at < latest[m.of, m.quantity, direction].at for direction in directions_of(m)):
            yield m.where, f"measurements {m.quantity}", OLDER
