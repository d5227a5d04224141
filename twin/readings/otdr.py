"""OTDR traces: the loss of a span, at the wavelength that the model uses."""

from __future__ import annotations

from collections.abc import Sequence

from ..imports.files import SourceFile
from .found import Collector, Thing, day_of_seconds
from .options import ReadingOptions
from .sor import looks_like_trace, trace_of


def recognise(files: Sequence[SourceFile]) -> bool:
    """Return whether every file is an OTDR trace by its first bytes."""
    return all(looks_like_trace(file.content) for file in files)


def read(files: Sequence[SourceFile], collector: Collector, _: ReadingOptions) -> None:
    """Read one span loss of each file."""
    ledger = collector.ledger
    for file in files:
        trace = trace_of(file.content, file.where)
        names = tuple(name for name in (trace.fibre, trace.cable, file.name, file.path.stem) if name)
        thing = Thing(names, device=trace.location_a, far_device=trace.location_b)
        loss_db = trace.loss_db()
        if trace.total_loss_db <= 0:
            ledger.converted("slopes and splice losses", "sum over the events → total loss")
        ledger.dropped("KeyEvents", "single events: splices and connectors are counted by the document", file.name,
                       len(trace.events))  # fmt: skip
        ledger.dropped("DataPts", "the trace itself", file.name)
        collector.add(
            file, f"{trace.wavelength_nm:g} nm", "total loss", thing, "span_loss", loss_db, "dB",
            day_of_seconds(trace.unix_s), wavelength_nm=trace.wavelength_nm, length_km=trace.length_km,
        )  # fmt: skip
